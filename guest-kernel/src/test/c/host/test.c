/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test results, log and console of the host shim.
 *
 * host_test() resets what a test may have set (idle hook, failing allocations, faults) before each. Only the first
 * failure of a test is printed. host_panics() runs its function in a process of its own, since a panic ends the
 * process.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "host/host.h"
#include "host/internal.h"
#include "lib/errno.h"
#include "platform/platform.h"

enum log_level log_limit = LOG_INFO;

static char reason[512];
static bool failed;
static char console[65536], console_shown[65536];
static size_t console_length;
static char logged[65536], logged_shown[65536];
static size_t logged_length;

void host_init(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    host_threads_init();
    host_memory_init();
}

void host_fail(const char *file, int line, const char *fmt, ...)
{
    if (reason[0])
        return;
    int length = snprintf(reason, sizeof(reason), "%s:%d: ", file, line);
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason + length, sizeof(reason) - (size_t)length, fmt, args);
    va_end(args);
}

void host_test(const char *name, void (*test)(void)) { host_test_with(name, test, NULL); }

void host_test_with(const char *name, void (*test)(void), bool (*idle)(void))
{
    reason[0] = 0;
    host_idle = idle;
    host_signal_pending = false;
    host_fail_allocation(0);
    host_pages_withheld = 0;
    host_pages_total = HOST_PAGES;
    host_fault_range(0, 0);
    host_user_access = NULL;
    test();
    if (reason[0])
        printf("not ok %s: %s\n", name, reason);
    else
        printf("ok %s\n", name);
    failed |= reason[0] != 0;
}

/* Reads to the end; what does not fit is dropped. */
static void read_all(int from, char *to, size_t size)
{
    size_t length = 0;
    char rest[256];
    for (;;) {
        bool room = length < size - 1;
        ssize_t n = read(from, room ? to + length : rest, room ? size - 1 - length : sizeof(rest));
        if (n <= 0)
            break;
        length += room ? (size_t)n : 0;
    }
    to[length] = 0;
}

bool host_panics(void (*function)(void), const char *text)
{
    char said[4096];
    int status = 0, ends[2];
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    read_all(ends[0], said, sizeof(said));
    close(ends[0]);
    const char *panic_line = strstr(said, "# panic: ");
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && panic_line &&
           strstr(panic_line, text);
}

int host_result(void) { return failed ? 1 : 0; }

static void print_log(const char *prefix, const char *fmt, va_list args)
{
    char line[512];
    format_va(line, sizeof(line), fmt, args);
    fprintf(stderr, "%s%s\n", prefix, line);
    size_t length = strlen(line);
    if (logged_length + length + 2 > sizeof(logged))
        return;
    memcpy(logged + logged_length, line, length);
    logged_length += length;
    logged[logged_length++] = '\n';
}

const char *host_log(void)
{
    memcpy(logged_shown, logged, logged_length);
    logged_shown[logged_length] = 0;
    logged_length = 0;
    return logged_shown;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    if (level > log_limit)
        return;
    va_list args;
    va_start(args, fmt);
    print_log("# ", fmt, args);
    va_end(args);
}

void log_always(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_log("# ", fmt, args);
    va_end(args);
}

void log_console(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_log("# ", fmt, args);
    va_end(args);
}

void panic(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_log("# panic: ", fmt, args);
    va_end(args);
    abort();
}

/* Where a lock was taken, on the host, is for a debugger to find. */
unsigned backtrace_read(uintptr_t frame, uintptr_t *addresses, unsigned limit)
{
    return (void)frame, (void)addresses, (void)limit, 0;
}
void backtrace_print_address(uintptr_t address) { (void)address; }

void console_write(const char *text, size_t length)
{
    size_t n = min_of(length, sizeof(console) - 1 - console_length);
    memcpy(console + console_length, text, n);
    console_length += n;
}

size_t console_send(const char *text, size_t length)
{
    console_write(text, length);
    return length;
}

void kernel_console_ready(void) {}

static char serial[4096];
static size_t serial_length;
int host_serial_takes = -EIO;

int platform_serial_send(const char *text, size_t length)
{
    if (host_serial_takes < 0)
        return host_serial_takes;
    size_t n = min_of(min_of(length, (size_t)host_serial_takes), sizeof(serial) - serial_length);
    memcpy(serial + serial_length, text, n);
    serial_length += n;
    return (int)n;
}

const char *host_serial(size_t *length)
{
    *length = serial_length;
    serial_length = 0;
    return serial;
}

enum platform_event host_reported;
unsigned host_reported_number;

void platform_report(enum platform_event event, unsigned number)
{
    host_reported = event;
    host_reported_number = number;
}

const char *host_console(void)
{
    memcpy(console_shown, console, console_length);
    console_shown[console_length] = 0;
    console_length = 0;
    return console_shown;
}
