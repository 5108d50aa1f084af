/* SPDX-License-Identifier: Apache-2.0 */
/* epoll(7) and poll(2). */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static struct epoll_event events[16];
static int ends[2];

static int start(uint32_t wanted)
{
    struct epoll_event event = { .events = wanted, .data.u64 = 0x123456789abcdef0 };
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
    return epoll;
}

static void finish(int epoll)
{
    close(epoll);
    close(ends[0]);
    close(ends[1]);
}

static void send_byte(void) { CHECK_EQUAL(write(ends[1], "x", 1), 1); }

static void take_all(void)
{
    char text[64];
    while (read(ends[0], text, sizeof(text)) > 0)
        ;
    CHECK_EQUAL(errno, EAGAIN);
}

static void level_repeats_while_it_holds(void)
{
    int epoll = start(EPOLLIN);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    send_byte();
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
        CHECK_EQUAL(events[0].events, EPOLLIN);
        CHECK_EQUAL(events[0].data.u64, 0x123456789abcdef0);
    }
    take_all();
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    finish(epoll);
}

static void edge_tells_each_change_once(void)
{
    int epoll = start(EPOLLIN | EPOLLET);
    send_byte();
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    send_byte();
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    finish(epoll);
}

static void one_shot_needs_rearming(void)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
    int epoll = start(EPOLLIN | EPOLLONESHOT);
    send_byte();
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    send_byte();
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), 0);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    finish(epoll);
}

static void hang_up_is_told(void)
{
    int epoll = start(EPOLLIN | EPOLLRDHUP);
    CHECK_EQUAL(shutdown(ends[1], SHUT_WR), 0);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    CHECK_EQUAL(events[0].events, EPOLLIN | EPOLLRDHUP);
    close(ends[1]);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    CHECK_EQUAL(events[0].events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
    finish(epoll);
}

static void out_is_ready_at_once_and_changes_with_mod(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = start(EPOLLIN | EPOLLOUT);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    CHECK_EQUAL(events[0].events, EPOLLOUT);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event), 0);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    finish(epoll);
}

static void control_errors(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = start(EPOLLIN);
    int file = open("/proc/self/exe", O_RDONLY);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), EEXIST);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &event), ENOENT);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], NULL), ENOENT);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), EPERM);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, 999, &event), EBADF);
    CHECK_ERROR(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event), EINVAL);
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event), EINVAL);
    CHECK_ERROR(epoll_wait(epoll, events, 0, 0), EINVAL);
    CHECK_ERROR(epoll_wait(ends[0], events, 1, 0), EINVAL);
    close(file);
    finish(epoll);
}

static void removed_and_closed_files_are_silent(void)
{
    int epoll = start(EPOLLIN);
    send_byte();
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], NULL), 0);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    struct epoll_event event = { .events = EPOLLIN };
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 1);
    close(ends[0]);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 0), 0);
    close(ends[1]);
    close(epoll);
}

static void timeout_passes(void)
{
    int epoll = start(EPOLLIN);
    int64_t begin = now_ms();
    CHECK_EQUAL(epoll_wait(epoll, events, 16, 60), 0);
    CHECK(now_ms() - begin >= 59);
    finish(epoll);
}

static void *send_later(void *unused)
{
    (void)unused;
    usleep(30000);
    return (void *)write(ends[1], "x", 1);
}

static void another_thread_wakes_the_waiter(void)
{
    pthread_t thread;
    int epoll = start(EPOLLIN);
    CHECK_EQUAL(pthread_create(&thread, NULL, send_later, NULL), 0);
    CHECK_EQUAL(epoll_wait(epoll, events, 16, -1), 1);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    finish(epoll);
}

static void many_ready_files_come_in_turns(void)
{
    enum { FILES = 40 };
    int files[FILES], epoll = epoll_create1(0);
    bool seen[FILES] = { false };
    for (int i = 0; i < FILES; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
        files[i] = eventfd(1, EFD_NONBLOCK);
        CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, files[i], &event), 0);
    }
    for (int round = 0; round < FILES / 8; round++) {
        CHECK_EQUAL(epoll_wait(epoll, events, 8, -1), 8);
        for (int i = 0; i < 8; i++)
            seen[events[i].data.u32] = true;
    }
    for (int i = 0; i < FILES; i++) {
        CHECK(seen[i]);
        close(files[i]);
    }
    close(epoll);
}

static void one_call_reports_all_that_are_ready(void)
{
    enum { FILES = 200 };
    static struct epoll_event found[FILES + 100];
    int files[FILES], epoll = epoll_create1(0);
    bool seen[FILES] = { false };
    for (int i = 0; i < FILES; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
        files[i] = eventfd(1, EFD_NONBLOCK);
        CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, files[i], &event), 0);
    }
    CHECK_EQUAL(epoll_wait(epoll, found, 150, -1), 150);
    CHECK_EQUAL(epoll_wait(epoll, found, FILES + 100, -1), FILES);
    for (int i = 0; i < FILES; i++) {
        CHECK(!seen[found[i].data.u32]);
        seen[found[i].data.u32] = true;
    }
    for (int i = 0; i < FILES; i++)
        close(files[i]);
    close(epoll);
}

static void epoll_in_epoll(void)
{
    int inner = start(EPOLLIN), outer = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    CHECK_EQUAL(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event), 0);
    CHECK_EQUAL(epoll_wait(outer, events, 16, 0), 0);
    send_byte();
    CHECK_EQUAL(epoll_wait(outer, events, 16, -1), 1);
    close(outer);
    finish(inner);
}

static int watch(int epoll, int file)
{
    struct epoll_event event = { .events = EPOLLIN };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event);
}

static void make_instances(int *instances, int count)
{
    for (int i = 0; i < count; i++) {
        instances[i] = epoll_create1(EPOLL_CLOEXEC);
        CHECK(instances[i] >= 0);
    }
}

static void close_all(const int *files, int count)
{
    for (int i = 0; i < count; i++)
        close(files[i]);
}

static void nesting_has_a_depth(void)
{
    int chain[6];
    make_instances(chain, 6);
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(watch(chain[i], chain[i + 1]), 0);
    CHECK_ERROR(watch(chain[4], chain[5]), ELOOP);
    CHECK_ERROR(watch(chain[4], chain[0]), ELOOP);
    close_all(chain, 6);
    make_instances(chain, 6);
    for (int i = 4; i > 0; i--)
        CHECK_EQUAL(watch(chain[i], chain[i + 1]), 0);
    CHECK_ERROR(watch(chain[0], chain[1]), ELOOP);
    close_all(chain, 6);
    make_instances(chain, 6);
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(i == 2 ? 0 : watch(chain[i], chain[i + 1]), 0);
    CHECK_ERROR(watch(chain[2], chain[3]), ELOOP);
    close_all(chain, 6);
}

/* A byte on a socket reaches the end of the deepest chain there can be; one that grew without limit would take the
 * guest's kernel stack. */
static void wake_up_goes_through_the_deepest_chain(void)
{
    enum { LONGEST = 300 };
    int chain[LONGEST], length = 1;
    chain[0] = start(EPOLLIN);
    while (length < LONGEST) {
        chain[length] = epoll_create1(EPOLL_CLOEXEC);
        CHECK(chain[length] >= 0);
        if (watch(chain[length], chain[length - 1]) != 0)
            break;
        length++;
    }
    CHECK_EQUAL(errno, ELOOP);
    send_byte();
    CHECK_EQUAL(epoll_wait(chain[length - 1], events, 16, -1), 1);
    close_all(chain, length + 1);
    close(ends[0]);
    close(ends[1]);
}

/* Grown from the top, where nothing hangs below an instance when it is added: the other way to a long chain. */
static void chains_do_not_grow_from_the_top(void)
{
    enum { LONGEST = 300 };
    int chain[LONGEST], length = 1;
    make_instances(chain, 1);
    while (length < LONGEST) {
        make_instances(chain + length, 1);
        if (watch(chain[length - 1], chain[length]) != 0)
            break;
        length++;
    }
    CHECK_EQUAL(length, 5);
    CHECK_EQUAL(errno, ELOOP);
    int last = start(EPOLLIN);
    CHECK_EQUAL(watch(chain[length - 1], ends[0]), 0);
    send_byte();
    CHECK_EQUAL(epoll_wait(chain[0], events, 16, -1), 1);
    close_all(chain, length + 1);
    finish(last);
}

static void paths_from_a_file_are_few(void)
{
    static const int limits[] = { 500, 100, 50, 10 };
    static int wide[501];
    for (int steps = 1; steps <= 4; steps++) {
        int chain[4], limit = limits[steps - 1], file = eventfd(0, EFD_NONBLOCK);
        make_instances(chain, 4);
        CHECK_EQUAL(watch(chain[0], file), 0);
        for (int i = 1; i < steps; i++)
            CHECK_EQUAL(watch(chain[i], chain[i - 1]), 0);
        make_instances(wide, limit + 1);
        for (int i = 0; i < limit; i++)
            CHECK_EQUAL(watch(wide[i], chain[steps - 1]), 0);
        CHECK_ERROR(watch(wide[limit], chain[steps - 1]), EINVAL);
        close(wide[0]);
        CHECK_EQUAL(watch(wide[limit], chain[steps - 1]), 0);
        CHECK_EQUAL(eventfd_write(file, 1), 0);
        CHECK_EQUAL(epoll_wait(wide[limit], events, 16, -1), 1);
        close_all(wide + 1, limit);
        close_all(chain, 4);
        close(file);
    }
}

static void poll_reports_each_file(void)
{
    int epoll = start(EPOLLIN);
    struct pollfd files[] = {
        { ends[0], POLLIN | POLLOUT, 0 }, { ends[1], POLLIN, 0 }, { 999, POLLIN, 0 }, { -1, POLLIN, 7 }
    };
    send_byte();
    CHECK_EQUAL(poll(files, 4, -1), 2);
    CHECK_EQUAL(files[0].revents, POLLIN | POLLOUT);
    CHECK_EQUAL(files[1].revents, 0);
    CHECK_EQUAL(files[2].revents, POLLNVAL);
    CHECK_EQUAL(files[3].revents, 0);
    int64_t begin = now_ms();
    CHECK_EQUAL(poll(files + 1, 1, 40), 0);
    CHECK(now_ms() - begin >= 39);
    finish(epoll);
}

SUITE(epoll, TEST(level_repeats_while_it_holds), TEST(edge_tells_each_change_once), TEST(one_shot_needs_rearming),
      TEST(hang_up_is_told), TEST(out_is_ready_at_once_and_changes_with_mod), TEST(control_errors),
      TEST(removed_and_closed_files_are_silent), TEST(timeout_passes), TEST(another_thread_wakes_the_waiter),
      TEST(many_ready_files_come_in_turns), TEST(one_call_reports_all_that_are_ready), TEST(epoll_in_epoll),
      TEST(nesting_has_a_depth), TEST(wake_up_goes_through_the_deepest_chain), TEST(chains_do_not_grow_from_the_top),
      TEST(paths_from_a_file_are_few), TEST(poll_reports_each_file));
