/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several threads use one object while a call of one of them sleeps: what it checked before must not be taken for
 * true after.
 */
#define _GNU_SOURCE
#include "numbers.h"
#include "pages.h"
#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* A path that the guest has not walked yet, so that binding to it waits for the disk: the runner made 16 such
 * directories. */
static struct sockaddr_un new_path(int round, char end)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char directory[64];
    snprintf(directory, sizeof(directory), "%sdeep%d", in_guest() ? "/test/" : "", round);
    if (!in_guest() && mkdir(directory, 0700) == 0) {
        strcat(directory, "/inner");
        mkdir(directory, 0700);
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%sdeep%d/inner/../../%sbound%d%c", in_guest() ? "/test/" : "",
             round, in_guest() ? "../tmp/" : "", round, end);
    return address;
}

struct binding {
    int socket, result;
    struct sockaddr_un address;
};

static void *bind_once(void *argument)
{
    struct binding *binding = argument;
    binding->result = bind(binding->socket, (struct sockaddr *)&binding->address, sizeof(binding->address)) == 0
                          ? 0
                          : errno;
    return NULL;
}

static void unix_sockets_get_one_name_from_two_threads(void)
{
    for (int round = 0; round < 16; round++) {
        int named = socket(AF_UNIX, SOCK_STREAM, 0);
        struct binding one = { named, 0, new_path(round, 'a') }, two = { named, 0, new_path(round, 'b') };
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, bind_once, &two), 0);
        bind_once(&one);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
        CHECK_EQUAL(one.result + two.result, EINVAL);
        CHECK(one.result == 0 || two.result == 0);
        CHECK_EQUAL(listen(named, 1), 0);
        close(named);
        /* Neither name leads to the socket that was. */
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQUAL(connect(client, (struct sockaddr *)&one.address, sizeof(one.address)), -1);
        CHECK_EQUAL(connect(client, (struct sockaddr *)&two.address, sizeof(two.address)), -1);
        close(client);
        unlink(one.address.sun_path);
        unlink(two.address.sun_path);
    }
}

static void unix_listeners_do_not_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0listener" };
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(listen(server, 1), 0);
    CHECK_ERROR(connect(server, (struct sockaddr *)&address, sizeof(address)), EINVAL);
    CHECK_EQUAL(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_ERROR(connect(client, (struct sockaddr *)&address, sizeof(address)), EISCONN);
    close(client);
    close(server);
}

/* Each ends with a store to a page that must be read from the disk first. When both have begun neither is the last
 * thread; when the second has finished there is none, and no thread to end the process if it was asked too early. */
static void *end_thread(void *word)
{
    syscall(SYS_set_tid_address, word);
    syscall(SYS_exit, 0);
    return NULL;
}

void end_with_two_threads(void)
{
    enum { BYTES = 1 << 20 };
    pthread_t other;
    int file = open("/test/unread", O_RDONLY);
    char *unread = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (unread == MAP_FAILED || pthread_create(&other, NULL, end_thread, unread + BYTES / 2) != 0)
        _exit(98);
    end_thread(unread);
    _exit(97);
}

/* ---- Threads that race ---- */

#define RACERS 4
#define ROUNDS 3000

struct racer {
    void (*step)(struct racer *);
    uint64_t random; /* of next_number() */
    int ends[2];     /* a pipe or pair of sockets of its own */
    uint64_t bytes[8 * PAGE / sizeof(uint64_t)];
};
static struct racer racers[RACERS];
static pthread_barrier_t begin;
static const char *fault; /* what a racer has seen that must not be */

static uint64_t next(struct racer *racer, uint64_t below) { return next_number(&racer->random, below); }

static void *race_on(void *argument)
{
    struct racer *racer = argument;
    pthread_barrier_wait(&begin);
    for (unsigned i = 0; i < ROUNDS; i++)
        racer->step(racer);
    return NULL;
}

/* Half of the threads make the one kind of steps, half the other. */
static void race(void (*one)(struct racer *), void (*other)(struct racer *))
{
    pthread_t threads[RACERS];
    fault = NULL;
    pthread_barrier_init(&begin, NULL, RACERS);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i].step = i % 2 ? other : one;
        racers[i].random = 0x9e3779b97f4a7c15UL * (i + 1);
        CHECK_EQUAL(pthread_create(&threads[i], NULL, race_on, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&begin);
    if (fault != NULL)
        test_failed(__FILE__, __LINE__, "%s", fault);
}

/* ---- Memory that changes while calls use it ---- */

#define REGION (64UL * PAGE)
#define SPAN 8192u /* bytes of one call at most */
#define MARK 0x5eedUL

static char *region;
static int marked; /* a file as long as the region, of marked words */

/* All that may be found: marked words, zeros, and what is half of each since another call is just writing. */
static bool is_ours(const uint64_t *words, ssize_t length)
{
    for (ssize_t i = 0; i < length / 8; i++)
        if (words[i] >> 48 & ~MARK)
            return false;
    return true;
}

static void change_memory(struct racer *racer)
{
    size_t first = next(racer, 64) * PAGE, length = PAGE * (1 + next(racer, (REGION - first) / PAGE));
    char *at = region + first;
    switch (next(racer, 8)) {
    case 0:
        mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, marked, (off_t)first);
        break;
    case 1:
        mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, marked, (off_t)first);
        break;
    case 2:
        mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        break;
    case 3:
        mprotect(at, length, (int)next(racer, 4));
        break;
    case 4:
        madvise(at, length, MADV_DONTNEED);
        break;
    case 5:
        mremap(at, length / 2 / PAGE * PAGE, length / 2 / PAGE * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + length / 2);
        break;
    case 6:
        munmap(at, length);
        mmap(at, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        break;
    case 7:
        madvise(at, length, MADV_POPULATE_WRITE);
        break;
    }
}

/* What a call took from the memory comes back, and is looked at. */
static void look_at(struct racer *racer, ssize_t sent)
{
    if (sent <= 0)
        return;
    ssize_t got = read(racer->ends[0], racer->bytes, sizeof(racer->bytes));
    if (got != sent || !is_ours(racer->bytes, got))
        fault = "a call took what is not in the memory";
}

static void use_memory(struct racer *racer)
{
    size_t length = 8 * (1 + next(racer, SPAN / 8)), offset = 8 * next(racer, (REGION - length) / 8 + 1);
    char *at = region + offset;
    struct iovec two[2] = { { at, length / 16 * 8 }, { region + REGION / 2, 64 } };
    struct iovec own[2] = { { racer->bytes, 64 }, { at, length } };
    switch (next(racer, 6)) {
    case 0:
        (void)!pread(marked, at, length, (off_t)offset);
        break;
    case 1:
        look_at(racer, write(racer->ends[1], at, length));
        break;
    case 2:
        look_at(racer, writev(racer->ends[1], two, 2));
        break;
    case 3:
        (void)!preadv(marked, own, 2, (off_t)offset);
        break;
    case 4:
        (void)!pwrite(marked, at, length, (off_t)offset);
        break;
    case 5:
        syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        break;
    }
}

static void memory_changes_under_calls(void)
{
    static uint64_t page[PAGE / 8];
    marked = memfd_create("marked", 0);
    for (size_t i = 0; i < REGION / PAGE; i++) {
        for (size_t k = 0; k < PAGE / 8; k++)
            page[k] = MARK << 48 | i << 16 | k;
        CHECK_EQUAL(pwrite(marked, page, PAGE, (off_t)(i * PAGE)), PAGE);
    }
    region = mmap(NULL, REGION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(region != MAP_FAILED);
    for (unsigned i = 0; i < RACERS; i++)
        CHECK_EQUAL(i < 2 ? pipe2(racers[i].ends, O_NONBLOCK)
                          : socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, racers[i].ends),
                    0);
    race(change_memory, use_memory);
    for (size_t i = 0; i < REGION / PAGE; i++) {
        CHECK_EQUAL(pread(marked, page, PAGE, (off_t)(i * PAGE)), PAGE);
        CHECK(is_ours(page, PAGE));
    }
    for (unsigned i = 0; i < RACERS; i++) {
        close(racers[i].ends[0]);
        close(racers[i].ends[1]);
    }
    munmap(region, REGION);
    close(marked);
}

/* ---- Descriptors that change while calls use them ---- */

#define FIRST 100
#define NUMBERS 6

static int any_number(struct racer *racer) { return FIRST + (int)next(racer, NUMBERS); }

static void put(struct racer *racer, int descriptor)
{
    if (descriptor < 0)
        return;
    dup2(descriptor, any_number(racer));
    close(descriptor);
}

static void change_number(struct racer *racer)
{
    int pair[2];
    switch (next(racer, 12)) {
    case 0:
        put(racer, eventfd(1, EFD_NONBLOCK));
        break;
    case 1:
        put(racer, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
        break;
    case 2:
        put(racer, epoll_create1(0));
        break;
    case 3:
        put(racer, memfd_create("raced", 0));
        break;
    case 4:
        put(racer, inotify_init1(IN_NONBLOCK));
        break;
    case 5:
        put(racer, socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
        break;
    case 6:
    case 7:
        put(racer, socket(next(racer, 2) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0));
        break;
    case 8:
        if (pipe2(pair, O_NONBLOCK) == 0) {
            put(racer, pair[0]);
            put(racer, pair[1]);
        }
        break;
    case 9:
    case 10:
        if (socketpair(AF_UNIX, (next(racer, 2) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0, pair) == 0) {
            put(racer, pair[0]);
            put(racer, pair[1]);
        }
        break;
    case 11:
        close(any_number(racer));
        break;
    }
}

static void send_descriptor(int to, int descriptor)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    struct iovec one = { "x", 1 };
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
    sendmsg(to, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void receive_descriptor(int from)
{
    char byte, control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct iovec one = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
    };
    if (recvmsg(from, &message, MSG_DONTWAIT) <= 0)
        return;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
        close(descriptor);
    }
}

static void connect_to(int from, int to)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    if (getsockname(to, (struct sockaddr *)&address, &length) == 0)
        connect(from, (struct sockaddr *)&address, length);
}

static void bind_somewhere(int descriptor)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(descriptor, (struct sockaddr *)&here, sizeof(here));
}

static void map_and_touch(int descriptor)
{
    void *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, descriptor, 0);
    if (at != MAP_FAILED)
        munmap(at, PAGE);
}

static void arm(int descriptor)
{
    struct itimerspec soon = { .it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1 };
    timerfd_settime(descriptor, 0, &soon, NULL);
}

static void use_number(struct racer *racer)
{
    int one = any_number(racer), other = any_number(racer), count;
    struct pollfd both[2] = { { .fd = one, .events = POLLIN | POLLOUT }, { .fd = other, .events = POLLIN } };
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | (next(racer, 2) ? EPOLLET : 0) };
    switch (next(racer, 24)) {
    case 0:
        (void)!read(one, racer->bytes, 512);
        break;
    case 1:
        (void)!write(one, racer->bytes, 64);
        break;
    case 2:
        poll(both, 2, next(racer, 2));
        break;
    case 3:
    case 4:
        epoll_ctl(one, EPOLL_CTL_ADD, other, &event);
        break;
    case 5:
        epoll_ctl(one, next(racer, 2) ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, other, &event);
        break;
    case 6:
        epoll_wait(one, &event, 1, 0);
        break;
    case 7:
        send_descriptor(one, other);
        break;
    case 8:
        receive_descriptor(one);
        break;
    case 9:
        connect_to(one, other);
        break;
    case 10:
        bind_somewhere(one);
        break;
    case 11:
        listen(one, 2);
        break;
    case 12:
        close(accept4(one, NULL, NULL, SOCK_NONBLOCK));
        break;
    case 13:
        shutdown(one, (int)next(racer, 3));
        break;
    case 14:
        splice(one, NULL, other, NULL, PAGE, SPLICE_F_NONBLOCK);
        break;
    case 15:
        sendfile(one, other, NULL, PAGE);
        break;
    case 16:
        tee(one, other, PAGE, SPLICE_F_NONBLOCK);
        break;
    case 17:
        (void)!ftruncate(one, (off_t)next(racer, 3) * PAGE);
        break;
    case 18:
        map_and_touch(one);
        break;
    case 19:
        arm(one);
        break;
    case 20:
        inotify_add_watch(one, ".", IN_CREATE);
        break;
    case 21:
        ioctl(one, FIONREAD, &count);
        break;
    case 22:
        close(fcntl(one, F_DUPFD, 200));
        break;
    case 23:
        copy_file_range(one, NULL, other, NULL, PAGE, 0);
        break;
    }
}

static void descriptors_change_under_calls(void)
{
    unsigned before = count_names("/proc/self/fd");
    signal(SIGPIPE, SIG_IGN);
    race(change_number, use_number);
    signal(SIGPIPE, SIG_DFL);
    CHECK_EQUAL(close_range(FIRST, FIRST + NUMBERS - 1, 0), 0);
    CHECK_EQUAL(count_names("/proc/self/fd"), before);
}

SUITE(races, TEST(unix_sockets_get_one_name_from_two_threads), TEST(unix_listeners_do_not_connect),
      TEST(memory_changes_under_calls), TEST(descriptors_change_under_calls));
