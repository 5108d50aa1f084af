/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, eventfd and timerfd. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

static int events_of(int file, int wanted)
{
    struct pollfd poll_file = { .fd = file, .events = (short)wanted };
    CHECK(poll(&poll_file, 1, 0) >= 0);
    return poll_file.revents;
}

static void pipe_carries_bytes_in_order(void)
{
    int ends[2], waiting;
    char text[16] = "";
    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    CHECK_EQUAL(events_of(ends[0], POLLIN), 0);
    CHECK_EQUAL(write(ends[1], "hello", 5), 5);
    CHECK_EQUAL(write(ends[1], " you", 4), 4);
    CHECK_EQUAL(ioctl(ends[0], FIONREAD, &waiting), 0);
    CHECK_EQUAL(waiting, 9);
    CHECK_EQUAL(events_of(ends[0], POLLIN), POLLIN);
    CHECK_EQUAL(read(ends[0], text, 3), 3);
    CHECK_EQUAL(read(ends[0], text + 3, 10), 6);
    CHECK(memcmp(text, "hello you", 9) == 0);
    close(ends[1]);
    CHECK_EQUAL(read(ends[0], text, 1), 0);
    CHECK_EQUAL(events_of(ends[0], POLLIN) & POLLHUP, POLLHUP);
    close(ends[0]);
}

static void full_pipe_blocks_or_refuses(void)
{
    int ends[2];
    static char block[4096];
    size_t total = 0;
    ssize_t count;
    CHECK_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    CHECK_ERROR(read(ends[0], block, 1), EAGAIN);
    while ((count = write(ends[1], block, sizeof(block))) > 0)
        total += (size_t)count;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(total, 65536);
    CHECK_EQUAL(events_of(ends[1], POLLOUT), 0);
    while (total > 0) {
        count = read(ends[0], block, sizeof(block));
        CHECK(count > 0);
        total -= (size_t)count;
    }
    CHECK_EQUAL(events_of(ends[1], POLLOUT), POLLOUT);
    close(ends[0]);
    close(ends[1]);
}

static unsigned char nth_byte(size_t i) { return (unsigned char)(i * 7 + i / 4096); }

/* Whether a full pipe takes more after a few bytes were read is the system's choice; what comes out is not. */
static void full_pipe_goes_on_in_the_middle_of_a_page(void)
{
    int ends[2];
    static unsigned char block[65536 + 100];
    CHECK_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = nth_byte(i);
    CHECK_EQUAL(write(ends[1], block, 65536), 65536);
    CHECK_EQUAL(read(ends[0], block, 100), 100);
    ssize_t more = write(ends[1], block + 65536, 100);
    CHECK(more == 100 || (more == -1 && errno == EAGAIN));
    size_t expected = 65536 + (more > 0 ? (size_t)more : 0), total = 100;
    for (ssize_t count; total < expected; total += (size_t)count) {
        memset(block + total, 0, expected - total < 1000 ? expected - total : 1000);
        count = read(ends[0], block + total, expected - total < 1000 ? expected - total : 1000);
        CHECK(count > 0);
    }
    CHECK_EQUAL(total, expected);
    for (size_t i = 0; i < total; i++)
        CHECK(block[i] == nth_byte(i));
    CHECK_ERROR(read(ends[0], block, 1), EAGAIN);
    close(ends[0]);
    close(ends[1]);
}

static void pipe_without_reader_breaks(void)
{
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    CHECK_ERROR(write(ends[1], "x", 1), EPIPE);
    CHECK_EQUAL(events_of(ends[1], POLLOUT) & POLLERR, POLLERR);
    close(ends[1]);
    CHECK_ERROR(write(ends[1], "x", 1), EBADF);
}

struct mover {
    int from;
    uint64_t sum, count;
};

static void *sum_up(void *argument)
{
    struct mover *mover = argument;
    unsigned char block[5000];
    ssize_t count;
    while ((count = read(mover->from, block, sizeof(block))) > 0)
        for (ssize_t i = 0; i < count; i++, mover->count++)
            mover->sum += block[i] * (mover->count % 251 + 1);
    return NULL;
}

static void large_transfer_between_threads(void)
{
    int ends[2];
    pthread_t thread;
    static unsigned char block[70000];
    uint64_t sum = 0, at = 0;
    CHECK_EQUAL(pipe(ends), 0);
    struct mover mover = { .from = ends[0] };
    CHECK_EQUAL(pthread_create(&thread, NULL, sum_up, &mover), 0);
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < sizeof(block); i++, at++) {
            block[i] = (unsigned char)(at * 7 + at / 1000);
            sum += block[i] * (at % 251 + 1);
        }
        write_fully(ends[1], block, sizeof(block));
    }
    close(ends[1]);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(mover.count, at);
    CHECK_EQUAL(mover.sum, sum);
    close(ends[0]);
}

static void vectors_are_gathered_and_scattered(void)
{
    int ends[2];
    char a[3], b[4];
    struct iovec out[] = { { "one", 3 }, { "", 0 }, { "four", 4 } }, in[] = { { a, 3 }, { b, 4 } };
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(writev(ends[1], out, 3), 7);
    CHECK_EQUAL(readv(ends[0], in, 2), 7);
    CHECK(memcmp(a, "one", 3) == 0 && memcmp(b, "four", 4) == 0);
    close(ends[0]);
    close(ends[1]);
}

static void descriptors_are_duplicated(void)
{
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    int copy = dup(ends[1]);
    CHECK(copy > ends[1]);
    CHECK_EQUAL(dup2(ends[1], copy + 10), copy + 10);
    CHECK_EQUAL(fcntl(ends[1], F_DUPFD_CLOEXEC, copy + 20), copy + 20);
    CHECK_EQUAL(fcntl(copy + 20, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(copy, F_GETFD), 0);
    CHECK_EQUAL(fcntl(copy, F_GETFL) & O_ACCMODE, O_WRONLY);
    close(ends[1]);
    close(copy);
    close(copy + 20);
    CHECK_EQUAL(write(copy + 10, "x", 1), 1);
    close(copy + 10);
    char byte;
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    CHECK_EQUAL(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    CHECK_ERROR(dup2(ends[0], 5), EBADF);
}

static void event_counter_adds_up(void)
{
    uint64_t value = 3;
    int file = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK_ERROR(read(file, &value, 8), EAGAIN);
    CHECK_EQUAL(events_of(file, POLLIN | POLLOUT), POLLOUT);
    CHECK_EQUAL(write(file, &value, 8), 8);
    CHECK_EQUAL(write(file, &value, 8), 8);
    CHECK_EQUAL(events_of(file, POLLIN | POLLOUT), POLLIN | POLLOUT);
    CHECK_EQUAL(read(file, &value, 8), 8);
    CHECK_EQUAL(value, 6);
    CHECK_ERROR(read(file, &value, 4), EINVAL);
    value = UINT64_MAX;
    CHECK_ERROR(write(file, &value, 8), EINVAL);
    close(file);
    file = eventfd(2, EFD_SEMAPHORE);
    CHECK_EQUAL(read(file, &value, 8), 8);
    CHECK_EQUAL(value, 1);
    CHECK_EQUAL(read(file, &value, 8), 8);
    close(file);
}

static void *raise_event(void *file)
{
    uint64_t one = 1;
    return (void *)write(*(int *)file, &one, 8);
}

static void event_wakes_a_reader(void)
{
    pthread_t thread;
    uint64_t value = 0;
    int file = eventfd(0, 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, raise_event, &file), 0);
    CHECK_EQUAL(read(file, &value, 8), 8);
    CHECK_EQUAL(value, 1);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    close(file);
}

static void timer_expires_and_repeats(void)
{
    uint64_t count = 0;
    struct itimerspec once = { .it_value = { .tv_nsec = 20000000 } }, left,
                      often = { .it_value = { .tv_nsec = 1000000 }, .it_interval = { .tv_nsec = 1000000 } };
    int file = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK_EQUAL(events_of(file, POLLIN), 0);
    int64_t start = now_ms();
    CHECK_EQUAL(timerfd_settime(file, 0, &once, NULL), 0);
    CHECK_EQUAL(timerfd_gettime(file, &left), 0);
    CHECK(left.it_value.tv_nsec <= 20000000);
    CHECK_EQUAL(read(file, &count, 8), 8);
    CHECK_EQUAL(count, 1);
    CHECK(now_ms() - start >= 19);
    CHECK_EQUAL(timerfd_settime(file, 0, &often, NULL), 0);
    usleep(50000);
    CHECK_EQUAL(read(file, &count, 8), 8);
    CHECK(count >= 40);
    struct itimerspec never = { .it_value = { 0, 0 } };
    CHECK_EQUAL(timerfd_settime(file, 0, &never, NULL), 0);
    CHECK_EQUAL(fcntl(file, F_SETFL, O_NONBLOCK), 0);
    CHECK_ERROR(read(file, &count, 8), EAGAIN);
    close(file);
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    CHECK_EQUAL(clock_gettime(clock, &now), 0);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* CPU time, ns, that some work of the program takes at best. */
static int64_t time_of_work(void)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (volatile int n = 0; n < 5000000; n++) {}
        int64_t taken = now_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = taken < best ? taken : best;
    }
    return best;
}

static void shortest_timer_counts_and_leaves_the_cpu(void)
{
    struct itimerspec shortest = { .it_value = { .tv_nsec = 1 }, .it_interval = { .tv_nsec = 1 } };
    uint64_t count;
    int64_t alone = time_of_work();
    int file = timerfd_create(CLOCK_MONOTONIC, 0);
    int64_t before = now_ns(CLOCK_MONOTONIC);
    CHECK_EQUAL(timerfd_settime(file, 0, &shortest, NULL), 0);
    int64_t set = now_ns(CLOCK_MONOTONIC);
    CHECK(time_of_work() < 3 * alone);
    int64_t total = 0;
    for (int i = 0; i < 3; i++) {
        int64_t least = now_ns(CLOCK_MONOTONIC) - set;
        CHECK_EQUAL(read(file, &count, 8), 8);
        total += (int64_t)count;
        CHECK(total >= least - 1 && total <= now_ns(CLOCK_MONOTONIC) - before);
        usleep(3000);
    }
    close(file);
}

SUITE(pipes, TEST(pipe_carries_bytes_in_order), TEST(full_pipe_blocks_or_refuses),
      TEST(full_pipe_goes_on_in_the_middle_of_a_page), TEST(pipe_without_reader_breaks),
      TEST(large_transfer_between_threads), TEST(vectors_are_gathered_and_scattered), TEST(descriptors_are_duplicated),
      TEST(event_counter_adds_up), TEST(event_wakes_a_reader), TEST(timer_expires_and_repeats),
      TEST(shortest_timer_counts_and_leaves_the_cpu));
