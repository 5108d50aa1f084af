/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small test frame for programs that must behave the same on Linux and in the guest. Each test
 * prints "ok SUITE.TEST", or "not ok SUITE.TEST: why"; what is printed never depends on addresses,
 * times or the machine. A test that dies of a signal fails alone; the next one still runs.
 */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
    const char *name;
    void (*run)(void);
};
struct suite {
    const char *name;
    const struct test *tests;
    unsigned count;
};

/* clang-format off */
#define TEST(f) { #f, f }
/* clang-format on */
#define SUITE(s, ...) \
    static const struct test s##_tests[] = { __VA_ARGS__ }; \
    const struct suite s##_suite = { #s, s##_tests, sizeof(s##_tests) / sizeof(s##_tests[0]) }

/* Ends the running test as failed. Only on the thread that runs the tests. */
void test_failed(const char *file, int line, const char *fmt, ...) __attribute__((noreturn, format(printf, 3, 4)));

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            test_failed(__FILE__, __LINE__, "%s, errno %d", #condition, errno); \
    } while (0)
#define CHECK_EQUAL(actual, expected) \
    do { \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected); \
        if (actual_ != expected_) \
            test_failed(__FILE__, __LINE__, "%s is %lld, not %lld, errno %d", #actual, actual_, expected_, errno); \
    } while (0)
/* The call fails with -1 and this errno. */
#define CHECK_ERROR(call, number) \
    do { \
        errno = 0; \
        long long result_ = (long long)(call); \
        if (result_ != -1 || errno != (number)) \
            test_failed(__FILE__, __LINE__, "%s gives %lld, errno %d, not errno %d", #call, result_, errno, (number)); \
    } while (0)

/* What a function died of, or signal 0. */
struct fault {
    int signal, code;
    void *address;
};
struct fault fault_of(void (*function)(void *), void *argument);
#define CHECK_FAULT(function, argument, signal_, code_) \
    do { \
        struct fault fault_ = fault_of((function), (argument)); \
        CHECK_EQUAL(fault_.signal, (signal_)); \
        CHECK_EQUAL(fault_.code, (code_)); \
    } while (0)

/* Writes all of it, in as many calls as that takes: one that finds no memory half-way writes less. Fails the running
 * test on an error. */
void write_fully(int file, const void *data, size_t length);

/* Names in a directory, "." and ".." included. Fails the running test if it cannot be read. */
unsigned count_names(const char *path);

/* Monotonic milliseconds. */
int64_t now_ms(void);
/* True in the guest, where some promises go further than on Linux. */
bool in_guest(void);
/* The kernel makes them fail on purpose (failing=): what a call may do without comes later or not at all. */
bool allocations_fail(void);

/* Ends the process, with status 0, by ending its last two threads at one time (races.c). */
void end_with_two_threads(void) __attribute__((noreturn));

/* Ways to touch memory, for fault_of(). */
void touch_read(void *at);
void touch_write(void *at);
void touch_call(void *at);
