/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's log, and its end when it cannot go on. Formats are those of lib/format.h. Log lines start with
 * "unikernel: " and go to the console in one piece, and without that start into the journal (core/journal.h).
 */
#pragma once

#include "lib/format.h"
#include "lib/types.h"

enum log_level { LOG_ERROR, LOG_INFO, LOG_DEBUG };
/* Messages above this level are dropped: LOG_ERROR for `quiet`, LOG_INFO for `verbose`. */
extern enum log_level log_limit;

void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
/* A line that is always printed, whatever the level. */
void log_always(const char *fmt, ...) printf_like(1, 2);
/* The same, for the console alone: lines of tools that read the console, such as those about each frame that is sent,
 * which would never end if they were sent. */
void log_console(const char *fmt, ...) printf_like(1, 2);

/*
 * The kernel cannot go on: prints the message, a symbolised backtrace and the event ring, and
 * ends the domain as crashed.
 */
noreturn void panic(const char *fmt, ...) printf_like(1, 2);
#define assert(condition) \
    do { \
        if (unlikely(!(condition))) \
            panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, #condition); \
    } while (0)
