/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text that grows as it is written to: the contents of /proc and /sys files. Running out of memory is noted and
 * everything after it dropped; the code that made the text checks `failed` once at the end.
 */
#pragma once

#include "core/log.h"
#include "lib/types.h"

struct text {
    char *data; /* not NUL-terminated */
    size_t length, size;
    bool failed;
};

void text_init(struct text *text);
void text_free(struct text *text);
void text_bytes(struct text *text, const void *data, size_t length);
void text_print(struct text *text, const char *fmt, ...) printf_like(2, 3);
