/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and sleeping. Nothing depends on how fast the machine is, which may be an emulated one on a busy host. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    CHECK_EQUAL(clock_gettime(clock, &now), 0);
    CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void monotonic_never_goes_back(void)
{
    int64_t last = read_ns(CLOCK_MONOTONIC), first = last;
    for (int i = 0; i < 200000; i++) {
        int64_t now = read_ns(CLOCK_MONOTONIC);
        CHECK(now >= last);
        last = now;
    }
    CHECK(last > first);
}

static void vdso_and_system_call_agree(void)
{
    struct timespec now;
    for (int i = 0; i < 1000; i++) {
        int64_t before = read_ns(CLOCK_MONOTONIC);
        CHECK_EQUAL(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now), 0);
        int64_t between = now.tv_sec * 1000000000LL + now.tv_nsec;
        CHECK(before <= between);
        CHECK(between <= read_ns(CLOCK_MONOTONIC));
    }
}

static void wall_clock_is_in_this_age(void)
{
    struct timeval tv;
    int64_t now = read_ns(CLOCK_REALTIME) / 1000000000;
    CHECK(now > 1700000000 && now < 4000000000);
    CHECK_EQUAL(gettimeofday(&tv, NULL), 0);
    CHECK(tv.tv_sec >= now);
    CHECK(tv.tv_sec <= read_ns(CLOCK_REALTIME) / 1000000000);
    CHECK(time(NULL) >= now);
    CHECK(time(NULL) <= read_ns(CLOCK_REALTIME) / 1000000000);
}

static volatile bool sleep_is_over;
static volatile unsigned longer_sleeps;

static void *sleep_longer_in_turn(void *unused)
{
    struct timespec time = { .tv_nsec = 100000000 };
    for (; !sleep_is_over; longer_sleeps++)
        nanosleep(&time, NULL);
    return unused;
}

/* When it ends is for the host to say too, but another thread has not slept longer ten times in a row by then. */
static void sleep_lasts(void)
{
    pthread_t other;
    struct timespec time = { .tv_nsec = 30000000 };
    CHECK_EQUAL(pthread_create(&other, NULL, sleep_longer_in_turn, NULL), 0);
    int64_t start = read_ns(CLOCK_MONOTONIC);
    unsigned before = longer_sleeps;
    CHECK_EQUAL(nanosleep(&time, NULL), 0);
    CHECK(longer_sleeps - before < 10);
    CHECK(read_ns(CLOCK_MONOTONIC) - start >= 30000000);
    sleep_is_over = true;
    CHECK_EQUAL(pthread_join(other, NULL), 0);
}

static void absolute_sleep_lasts(void)
{
    struct timespec until;
    int64_t start = read_ns(CLOCK_MONOTONIC);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
    CHECK(read_ns(CLOCK_MONOTONIC) - start >= 1000000000);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
}

static void bad_times_are_refused(void)
{
    struct timespec bad = { .tv_nsec = 1000000000 }, now;
    CHECK_ERROR(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERROR(clock_gettime(99, &now), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8), EFAULT);
}

static void cpu_time_counts_work_not_sleep(void)
{
    struct timespec time = { .tv_nsec = 50000000 };
    int64_t real = read_ns(CLOCK_MONOTONIC), start = read_ns(CLOCK_THREAD_CPUTIME_ID);
    nanosleep(&time, NULL);
    int64_t used = read_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    CHECK(used <= read_ns(CLOCK_MONOTONIC) - real - 49000000); /* the clocks' rates may differ */
    start = read_ns(CLOCK_THREAD_CPUTIME_ID);
    while (read_ns(CLOCK_THREAD_CPUTIME_ID) - start < 20000000)
        ;
    CHECK(read_ns(CLOCK_PROCESS_CPUTIME_ID) > 0);
}

static void *sleep_long(void *unused)
{
    struct timespec time = { .tv_sec = 1 };
    nanosleep(&time, NULL);
    return unused;
}

static void another_thread_has_a_cpu_clock(void)
{
    pthread_t thread;
    clockid_t clock;
    int64_t start = read_ns(CLOCK_MONOTONIC);
    CHECK_EQUAL(pthread_create(&thread, NULL, sleep_long, NULL), 0);
    CHECK_EQUAL(pthread_getcpuclockid(thread, &clock), 0);
    int64_t used = read_ns(clock);
    CHECK(used <= read_ns(CLOCK_MONOTONIC) - start);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
}

static void *read_one(void *file)
{
    char byte;
    return read(*(int *)file, &byte, 1) == 1 ? file : NULL;
}

/* The time that is left on its clock does not pass, however often a kernel looks: all of a CPU, if it does so each time
 * that it should have passed. */
static void a_timer_of_a_thread_that_sleeps_takes_no_time(void)
{
    pthread_t thread;
    clockid_t clock;
    timer_t timer;
    int ends[2];
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec time = { .it_value.tv_nsec = 1 };
    signal(SIGUSR1, SIG_IGN);
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, read_one, &ends[0]), 0);
    CHECK_EQUAL(pthread_getcpuclockid(thread, &clock), 0);
    struct timespec rest = { .tv_nsec = 10000000 };
    CHECK_EQUAL(nanosleep(&rest, NULL), 0);
    CHECK_EQUAL(timer_create(clock, &event, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &time, NULL), 0);
    for (unsigned i = 0; i < 100000; i++)
        CHECK(syscall(SYS_gettid) > 0);
    CHECK_EQUAL(timer_gettime(timer, &time), 0);
    CHECK_EQUAL(time.it_value.tv_nsec, 1);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    void *result;
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    CHECK(result == &ends[0]);
    CHECK_EQUAL(timer_delete(timer), 0);
    close(ends[0]);
    close(ends[1]);
    signal(SIGUSR1, SIG_DFL);
}

static void resource_usage_is_told(void)
{
    struct rusage usage;
    CHECK_EQUAL(getrusage(RUSAGE_SELF, &usage), 0);
    CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 +
              usage.ru_stime.tv_usec >
          0);
    CHECK_EQUAL(getrusage(RUSAGE_THREAD, &usage), 0);
}

static void resolution_is_fine(void)
{
    struct timespec resolution;
    CHECK_EQUAL(clock_getres(CLOCK_MONOTONIC, &resolution), 0);
    CHECK_EQUAL(resolution.tv_sec, 0);
    CHECK_EQUAL(resolution.tv_nsec, 1);
}

SUITE(clocks, TEST(monotonic_never_goes_back), TEST(vdso_and_system_call_agree), TEST(wall_clock_is_in_this_age),
      TEST(sleep_lasts), TEST(absolute_sleep_lasts), TEST(bad_times_are_refused), TEST(cpu_time_counts_work_not_sleep),
      TEST(another_thread_has_a_cpu_clock), TEST(a_timer_of_a_thread_that_sleeps_takes_no_time),
      TEST(resource_usage_is_told), TEST(resolution_is_fine));
