/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting. Formats: %d %i %u %x %X %p %s %c %%, lengths l ll z h hh, width (also *), precision for %s (also *),
 * flags 0 and -.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

/* Like C's snprintf: always NUL-terminated for size > 0, returns the untruncated length. */
int format(char *to, size_t size, const char *fmt, ...) printf_like(3, 4);
int format_va(char *to, size_t size, const char *fmt, va_list args);
