/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backtrace.h"
#include "core/console.h"
#include "core/dump.h"
#include "core/events.h"
#include "core/journal.h"
#include "core/lock.h"
#include "core/log.h"
#include "platform/platform.h"

#define LINE_SIZE 512
#define PREFIX "unikernel: "

enum log_level log_limit = LOG_ERROR;
static char panic_reason[LINE_SIZE]; /* of panic() alone, for the memory's reader */

DUMP_ADDRESS("panic_reason", panic_reason);
DUMP_VALUE("panic_reason.size", LINE_SIZE);

static size_t make_line(char line[LINE_SIZE], const char *prefix, const char *fmt, va_list args)
{
    int length = format(line, LINE_SIZE, "%s", prefix);
    length += format_va(line + length, LINE_SIZE - (size_t)length, fmt, args);
    if (length > LINE_SIZE - 2)
        length = LINE_SIZE - 2;
    line[length++] = '\n';
    return (size_t)length;
}

static void print_line(const char *prefix, const char *fmt, va_list args)
{
    char line[LINE_SIZE];
    console_line(line, make_line(line, prefix, fmt, args));
}

static void print_and_send(enum severity severity, const char *fmt, va_list args)
{
    char line[LINE_SIZE];
    size_t length = make_line(line, PREFIX, fmt, args);
    console_line(line, length);
    journal_kernel(severity, line + sizeof(PREFIX) - 1, length - sizeof(PREFIX));
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const enum severity severities[] = { SEVERITY_ERROR, SEVERITY_INFO, SEVERITY_DEBUG };
    if (level > log_limit)
        return;
    va_list args;
    va_start(args, fmt);
    print_and_send(severities[level], fmt, args);
    va_end(args);
}

void log_always(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_and_send(SEVERITY_NOTICE, fmt, args);
    va_end(args);
}

void log_console(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line(PREFIX, fmt, args);
    va_end(args);
}

void panic(const char *fmt, ...)
{
    static bool panicking;
    if (__atomic_exchange_n(&panicking, true, __ATOMIC_SEQ_CST))
        platform_crash();
    cpus_stop();
    journal_stop();
    console_stop_buffering();
    va_list args;
    va_start(args, fmt);
    format_va(panic_reason, sizeof(panic_reason), fmt, args);
    va_end(args);
    log_console("panic: %s", panic_reason);
    backtrace_print((uintptr_t)__builtin_frame_address(0));
    events_print();
    platform_crash();
}
