/* SPDX-License-Identifier: Apache-2.0 */
/* futex(2) itself. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_uint word, other;
static atomic_int woken;

static long futex(atomic_uint *at, int operation, unsigned value, const void *timeout, atomic_uint *second,
                  unsigned third)
{
    return syscall(SYS_futex, at, operation, value, timeout, second, third);
}

static struct timespec in(clockid_t clock, long ms)
{
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void wrong_value_returns_at_once(void)
{
    word = 5;
    CHECK_ERROR(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0), EAGAIN);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
}

static void relative_timeout_passes(void)
{
    struct timespec limit = { .tv_nsec = 50000000 };
    int64_t start = now_ms();
    word = 0;
    CHECK_ERROR(futex(&word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0), ETIMEDOUT);
    CHECK(now_ms() - start >= 49);
}

static void absolute_timeouts_pass(void)
{
    int64_t start = now_ms();
    struct timespec monotonic = in(CLOCK_MONOTONIC, 50), wall = in(CLOCK_REALTIME, 100), past = { .tv_sec = 1 };
    word = 0;
    CHECK_ERROR(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &monotonic, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    CHECK(now_ms() - start >= 49);
    CHECK_ERROR(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &wall, NULL, FUTEX_BITSET_MATCH_ANY),
                ETIMEDOUT);
    CHECK(now_ms() - start >= 98);
    CHECK_ERROR(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
}

static void bad_arguments_are_refused(void)
{
    struct timespec bad = { .tv_nsec = 2000000000 };
    word = 0;
    CHECK_ERROR(futex((atomic_uint *)((char *)&word + 1), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERROR(futex((atomic_uint *)8, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    CHECK_ERROR(futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0), EINVAL);
    CHECK_ERROR(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0), EINVAL);
}

static void *wait_on(void *bits)
{
    long result;
    do {
        result = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (unsigned)(uintptr_t)bits);
    } while (result == -1 && errno == EINTR);
    woken++;
    return (void *)result;
}

/* How many sleep on a word: requeued to where they are, none of them wakes. */
static long sleepers(atomic_uint *at) { return futex(at, FUTEX_REQUEUE_PRIVATE, 0, (void *)1000L, at, 0); }

/* Starts waiters; returns when all of them sleep. */
static void start_waiters(pthread_t *threads, int count, unsigned bits)
{
    word = 0;
    woken = 0;
    for (int i = 0; i < count; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, wait_on, (void *)(uintptr_t)bits), 0);
    while (sleepers(&word) < count)
        sched_yield();
    CHECK_EQUAL(sleepers(&word), count);
}

static void join_all(pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK_EQUAL((long)result, 0);
    }
}

static void wake_wakes_so_many(void)
{
    pthread_t threads[6];
    start_waiters(threads, 6, FUTEX_BITSET_MATCH_ANY);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
    while (woken < 2)
        sched_yield();
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 4);
    join_all(threads, 6);
    CHECK_EQUAL(woken, 6);
}

static void bitsets_select(void)
{
    pthread_t threads[2];
    start_waiters(threads, 2, 4);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 3), 0);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 6), 2);
    join_all(threads, 2);
}

static void requeue_moves_waiters(void)
{
    pthread_t threads[5];
    start_waiters(threads, 5, FUTEX_BITSET_MATCH_ANY);
    CHECK_ERROR(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &other, 99), EAGAIN);
    CHECK_EQUAL(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &other, 0), 5);
    CHECK_EQUAL(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0);
    CHECK_EQUAL(futex(&other, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 4);
    join_all(threads, 5);
}

static void *ping(void *unused)
{
    for (unsigned i = 0; i < 2000; i++) {
        while (word != 2 * i + 1)
            futex(&word, FUTEX_WAIT_PRIVATE, 2 * i, NULL, NULL, 0);
        word = 2 * i + 2;
        futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    return unused;
}

static void no_wake_up_is_lost(void)
{
    pthread_t thread;
    word = 0;
    CHECK_EQUAL(pthread_create(&thread, NULL, ping, NULL), 0);
    for (unsigned i = 0; i < 2000; i++) {
        word = 2 * i + 1;
        futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        while (word != 2 * i + 2)
            futex(&word, FUTEX_WAIT_PRIVATE, 2 * i + 1, NULL, NULL, 0);
    }
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(word, 4000);
}

static void priority_inheritance_is_absent_or_works(void)
{
    word = 0;
    errno = 0;
    long result = futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    CHECK(result == 0 || errno == ENOSYS);
}

SUITE(futex, TEST(wrong_value_returns_at_once), TEST(relative_timeout_passes), TEST(absolute_timeouts_pass),
      TEST(bad_arguments_are_refused), TEST(wake_wakes_so_many), TEST(bitsets_select), TEST(requeue_moves_waiters),
      TEST(no_wake_up_is_lost), TEST(priority_inheritance_is_absent_or_works));
