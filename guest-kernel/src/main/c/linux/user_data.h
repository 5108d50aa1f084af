/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads user data: lines of NAME=VALUE. The value is all up to the end of the line, quotes and blanks included; a
 * carriage return in front of the line feed is no part of it. Empty lines and lines that begin with # are skipped. The
 * text may come from anyone: no byte of it is trusted.
 */
#pragma once

#include "lib/types.h"

/* Called for each variable in order; neither is NUL-terminated. */
typedef void user_data_visit(void *context, const char *name, size_t name_length, const char *value,
                             size_t value_length);

/*
 * Visits all variables, or none: NULL, or why the text is refused, as the end of a sentence about it. Then *line is
 * the number of the bad line, from 1, or 0 where the text as a whole is something else.
 */
const char *user_data_read(const char *text, size_t length, user_data_visit *visit, void *context, unsigned *line);
