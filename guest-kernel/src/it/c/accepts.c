/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, datagrams and bytes of pipes for which several sockets, epoll instances or threads wait: each has one
 * taker. */
#define _GNU_SOURCE
#include "connections.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { SHARERS = 4, FLOWS = 120, CONNECTIONS = 100 };

static struct sockaddr_in6 address_of(const char *text, uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    CHECK_EQUAL(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    return address;
}

static uint16_t port_of6(int socket)
{
    struct sockaddr_in6 address;
    socklen_t length = sizeof(address);
    CHECK_EQUAL(getsockname(socket, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin6_port);
}

/* Bound with SO_REUSEPORT. */
static int sharer(int type, const char *text, uint16_t port)
{
    struct sockaddr_in6 address = address_of(text, port);
    int made = socket(AF_INET6, type | SOCK_NONBLOCK, 0), one = 1;
    CHECK(made >= 0);
    CHECK_EQUAL(setsockopt(made, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
    CHECK_EQUAL(bind(made, (struct sockaddr *)&address, sizeof(address)), 0);
    return made;
}

static void make_sharers(int *sharers, int type, const char *text)
{
    sharers[0] = sharer(type, text, 0);
    for (int i = 1; i < SHARERS; i++)
        sharers[i] = sharer(type, text, port_of6(sharers[0]));
    for (int i = 0; type == SOCK_STREAM && i < SHARERS; i++)
        CHECK_EQUAL(listen(sharers[i], FLOWS), 0);
}

/* Every other flow comes over IPv4 where `both`. None at a socket would happen by chance once in 10^14 times. */
static void spread_connections(const char *text, bool both)
{
    int listeners[SHARERS], flows[FLOWS], accepted[SHARERS] = { 0 };
    make_sharers(listeners, SOCK_STREAM, text);
    struct sockaddr_in6 to = address_of("::1", port_of6(listeners[0]));
    for (int i = 0; i < FLOWS; i++) {
        if (both && i % 2 == 0) {
            flows[i] = connect_to(ntohs(to.sin6_port));
            continue;
        }
        flows[i] = socket(AF_INET6, SOCK_STREAM, 0);
        CHECK_EQUAL(connect(flows[i], (struct sockaddr *)&to, sizeof(to)), 0);
    }
    for (int taken = 0; taken < FLOWS;)
        for (int i = 0; i < SHARERS; i++)
            for (int server; (server = accept(listeners[i], NULL, NULL)) >= 0; accepted[i]++, taken++)
                close(server);
    for (int i = 0; i < SHARERS; i++) {
        CHECK(accepted[i] > 0);
        close(listeners[i]);
    }
    for (int i = 0; i < FLOWS; i++)
        close(flows[i]);
}

static void ipv6_connections_are_spread(void) { spread_connections("::1", false); }

static void connections_of_both_families_are_spread(void) { spread_connections("::", true); }

static void ipv6_datagrams_are_spread_and_stay(void)
{
    int sharers[SHARERS], flows[FLOWS], owner[FLOWS], received[SHARERS] = { 0 };
    char byte;
    make_sharers(sharers, SOCK_DGRAM, "::1");
    struct sockaddr_in6 to = address_of("::1", port_of6(sharers[0]));
    for (int i = 0; i < FLOWS; i++) {
        flows[i] = socket(AF_INET6, SOCK_DGRAM, 0); /* one with SO_REUSEPORT could get the sharers' port */
        CHECK(flows[i] >= 0);
    }
    for (int n = 0; n < 2 * FLOWS; n++) {
        int i = n % FLOWS, found = -1;
        CHECK_EQUAL(sendto(flows[i], "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
        while (found < 0)
            for (int s = 0; s < SHARERS; s++)
                if (recv(sharers[s], &byte, 1, 0) == 1)
                    found = s;
        CHECK(n < FLOWS || owner[i] == found);
        owner[i] = found;
        received[found]++;
    }
    for (int i = 0; i < SHARERS; i++) {
        CHECK(received[i] > 0);
        close(sharers[i]);
    }
    for (int i = 0; i < FLOWS; i++)
        close(flows[i]);
}

/* ---- Threads that accept ------------------------------------------------------------------------- */

enum { THREADS = 8 };

static struct acceptors {
    int listeners[THREADS];
    int stop; /* an eventfd that ends the threads that wait for it as well */
    uint32_t mode;
    sem_t served;
    unsigned by[THREADS];
    atomic_ulong sleeps; /* of those that accept without epoll, at their end */
} acceptors;

/* A number from a file of proc(5) about the calling thread. */
static unsigned long own_status(const char *name)
{
    char line[128];
    unsigned long number = 0;
    FILE *file = fopen("/proc/thread-self/status", "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            number = strtoul(line + strlen(name) + 1, NULL, 10);
    fclose(file);
    return number;
}

/* The last byte that it gets of each connection says whether the thread is to end. */
static bool serve(int connection, unsigned number)
{
    char byte = 0;
    CHECK_EQUAL(read(connection, &byte, 1), 1);
    CHECK_EQUAL(write(connection, &byte, 1), 1);
    close(connection);
    acceptors.by[number]++;
    sem_post(&acceptors.served);
    return byte != 'q';
}

static void *accept_blocking(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    int connection;
    do {
        connection = accept(acceptors.listeners[number], NULL, NULL);
        CHECK(connection >= 0);
    } while (serve(connection, number));
    acceptors.sleeps += own_status("voluntary_ctxt_switches");
    return NULL;
}

static void *accept_by_epoll(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    struct epoll_event wanted = { .events = EPOLLIN | acceptors.mode }, end = { .events = EPOLLIN, .data.u32 = 1 },
                       event;
    int epoll = epoll_create1(0);
    CHECK(epoll >= 0);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, acceptors.listeners[number], &wanted), 0);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, acceptors.stop, &end), 0);
    for (;;) {
        CHECK_EQUAL(epoll_wait(epoll, &event, 1, -1), 1);
        if (event.data.u32 == 1)
            break;
        for (int connection; (connection = accept4(acceptors.listeners[number], NULL, NULL, 0)) >= 0;)
            (void)serve(connection, number);
        CHECK_EQUAL(errno, EAGAIN);
    }
    close(epoll);
    return NULL;
}

/* Each connection gets what it sent, once. */
static void connect_and_check(uint16_t port, char byte)
{
    char answer[2];
    int client = connect_to(port);
    CHECK_EQUAL(write(client, &byte, 1), 1);
    CHECK_EQUAL(recv(client, answer, sizeof(answer), MSG_WAITALL), 1);
    CHECK_EQUAL(answer[0], byte);
    close(client);
}

static unsigned total(void)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < THREADS; i++)
        sum += acceptors.by[i];
    return sum;
}

static void accept_with(void *(*thread)(void *), uint32_t mode, bool separate)
{
    pthread_t threads[THREADS];
    memset(&acceptors, 0, sizeof(acceptors));
    acceptors.mode = mode;
    acceptors.stop = eventfd(0, 0);
    CHECK_EQUAL(sem_init(&acceptors.served, 0, 0), 0);
    int kind = thread == accept_blocking ? 0 : SOCK_NONBLOCK, one = 1;
    struct sockaddr_in address = loopback(0);
    for (unsigned i = 0; i < THREADS; i++) {
        if (i > 0 && !separate) {
            acceptors.listeners[i] = acceptors.listeners[0];
            continue;
        }
        int made = acceptors.listeners[i] = socket(AF_INET, SOCK_STREAM | kind, 0);
        CHECK_EQUAL(setsockopt(made, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
        CHECK_EQUAL(bind(made, (struct sockaddr *)&address, sizeof(address)), 0);
        CHECK_EQUAL(listen(made, CONNECTIONS), 0);
        address.sin_port = htons(port_of(made));
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, thread, (void *)i), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        connect_and_check(ntohs(address.sin_port), (char)('A' + i % 26));
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK_EQUAL(sem_wait(&acceptors.served), 0);
    CHECK_EQUAL(total(), CONNECTIONS);
    for (unsigned i = 0; i < THREADS && thread == accept_blocking; i++)
        connect_and_check(ntohs(address.sin_port), 'q');
    CHECK_EQUAL(eventfd_write(acceptors.stop, 1), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    CHECK_EQUAL(total(), CONNECTIONS + (thread == accept_blocking ? THREADS : 0));
    /* For each connection a thread waits for it, for its byte, and perhaps for a lock. All of them would be 8. */
    CHECK(thread != accept_blocking || acceptors.sleeps >= CONNECTIONS);
    CHECK(acceptors.sleeps <= 4 * (CONNECTIONS + THREADS));
    for (unsigned i = 0; i < THREADS && (i == 0 || separate); i++)
        close(acceptors.listeners[i]);
    close(acceptors.stop);
}

static void threads_accept_each_connection_once(void) { accept_with(accept_blocking, 0, false); }

static void instances_take_each_connection_once(void) { accept_with(accept_by_epoll, 0, false); }

static void exclusive_instances_miss_no_connection(void) { accept_with(accept_by_epoll, EPOLLEXCLUSIVE, false); }

static void edges_miss_no_connection(void) { accept_with(accept_by_epoll, EPOLLET, false); }

static void sharers_miss_no_connection(void) { accept_with(accept_by_epoll, 0, true); }

/* Threads that wait when several connections come at once: none is left while a thread waits. */
static void connections_that_come_together_wake_enough(void)
{
    enum { TOGETHER = 3 * THREADS };
    int clients[TOGETHER];
    char answer;
    pthread_t threads[THREADS];
    memset(&acceptors, 0, sizeof(acceptors));
    CHECK_EQUAL(sem_init(&acceptors.served, 0, 0), 0);
    int listening = listener();
    for (unsigned i = 0; i < THREADS; i++)
        acceptors.listeners[i] = listening;
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, accept_blocking, (void *)i), 0);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < TOGETHER; i++)
            clients[i] = connect_to(port_of(listening));
        /* No thread can go on before its connection is asked, so the first THREADS of them are all taken. */
        for (int i = TOGETHER; i-- > 0;)
            CHECK_EQUAL(write(clients[i], "x", 1), 1);
        for (int i = 0; i < TOGETHER; i++) {
            CHECK_EQUAL(read(clients[i], &answer, 1), 1);
            close(clients[i]);
        }
    }
    for (unsigned i = 0; i < THREADS; i++)
        connect_and_check(port_of(listening), 'q');
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    CHECK_EQUAL(total(), 10 * TOGETHER + THREADS);
    close(listening);
}

/* ---- How many threads a connection wakes ---------------------------------------------------------- */

static struct watchers {
    int instances[THREADS];
    atomic_int ids[THREADS]; /* once it waits */
    atomic_bool woken[THREADS];
    sem_t end;
} watchers;

/* Is woken once, and does not accept. */
static void *watch(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    struct epoll_event event;
    /* The same call before touches what it touches, so that the next one sleeps for events only. */
    CHECK_EQUAL(epoll_wait(watchers.instances[number], &event, 1, 0), 0);
    watchers.ids[number] = gettid();
    CHECK_EQUAL(epoll_wait(watchers.instances[number], &event, 1, -1), 1);
    CHECK_EQUAL(event.events, EPOLLIN);
    watchers.woken[number] = true;
    CHECK_EQUAL(sem_wait(&watchers.end), 0);
    return NULL;
}

static bool sleeps(int id)
{
    char name[64], line[256];
    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", id);
    FILE *file = fopen(name, "r");
    CHECK(file != NULL);
    CHECK(fgets(line, sizeof(line), file) != NULL);
    fclose(file);
    return strrchr(line, ')')[2] == 'S';
}

static unsigned count_woken(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < THREADS; i++)
        count += watchers.woken[i];
    return count;
}

/* How many have been woken when none is on its way any more; at least so many. */
static unsigned await_woken(unsigned least)
{
    for (;;) {
        unsigned resting = 0;
        for (unsigned i = 0; i < THREADS; i++)
            resting += watchers.woken[i] || (watchers.ids[i] && sleeps(watchers.ids[i]));
        if (resting == THREADS && count_woken() >= least)
            return count_woken();
        sched_yield();
    }
}

/* The first connection wakes so many threads, and each after it so many more. `modes` are those of the threads' own
 * instances, or the first is that of the one that all of them wait for. */
static void expect_woken(const uint32_t *modes, bool one_instance, unsigned connections, unsigned first,
                         unsigned each_after)
{
    pthread_t threads[THREADS];
    int clients[THREADS], listening = listener(), stop = eventfd(0, 0);
    struct epoll_event end = { .events = EPOLLIN };
    memset(&watchers, 0, sizeof(watchers));
    CHECK_EQUAL(sem_init(&watchers.end, 0, 0), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        struct epoll_event wanted = { .events = EPOLLIN | modes[i] };
        watchers.instances[i] = i > 0 && one_instance ? watchers.instances[0] : epoll_create1(0);
        CHECK(watchers.instances[i] >= 0);
        if (i == 0 || !one_instance)
            CHECK_EQUAL(epoll_ctl(watchers.instances[i], EPOLL_CTL_ADD, listening, &wanted), 0);
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, watch, (void *)i), 0);
    CHECK_EQUAL(await_woken(0), 0);
    for (unsigned i = 0; i < connections; i++) {
        unsigned expected = first + i * each_after;
        clients[i] = connect_to(port_of(listening));
        CHECK_EQUAL(await_woken(expected), expected);
    }
    /* The others end by an event that each of them still has to see. */
    CHECK_EQUAL(eventfd_write(stop, 1), 0);
    for (unsigned i = 0; i < THREADS && (i == 0 || !one_instance); i++)
        CHECK_EQUAL(epoll_ctl(watchers.instances[i], EPOLL_CTL_ADD, stop, &end), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQUAL(sem_post(&watchers.end), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < connections; i++)
        close(clients[i]);
    for (unsigned i = 0; i < THREADS && (i == 0 || !one_instance); i++)
        close(watchers.instances[i]);
    close(stop);
    close(listening);
}

static void same_modes(uint32_t mode, bool one_instance, unsigned connections, unsigned first, unsigned each_after)
{
    uint32_t modes[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        modes[i] = mode;
    expect_woken(modes, one_instance, connections, first, each_after);
}

static void a_connection_wakes_all_instances(void)
{
    same_modes(0, false, 1, THREADS, 0);
    same_modes(EPOLLET, false, 1, THREADS, 0);
}

static void a_connection_wakes_one_exclusive_instance(void)
{
    same_modes(EPOLLEXCLUSIVE, false, THREADS, 1, 1);
    same_modes(EPOLLEXCLUSIVE | EPOLLET, false, THREADS, 1, 1);
    same_modes(EPOLLEXCLUSIVE, false, THREADS / 2, 1, 1);
}

static void a_connection_wakes_all_others_and_one_exclusive_instance(void)
{
    expect_woken((const uint32_t[THREADS]){ EPOLLEXCLUSIVE, 0, EPOLLEXCLUSIVE, EPOLLEXCLUSIVE, 0, EPOLLEXCLUSIVE,
                                            EPOLLEXCLUSIVE, EPOLLEXCLUSIVE },
                 false, 4, 3, 1);
}

/* With levels each thread that was woken leaves the connection to the next one. */
static void a_connection_wakes_one_thread_of_an_instance(void)
{
    same_modes(EPOLLET, true, THREADS, 1, 1);
    same_modes(0, true, 1, THREADS, 0);
}

/* ---- Threads that give up when a connection comes ------------------------------------------------- */

static struct sharing {
    int listening, instance;
    atomic_uint taken, ended;
    atomic_bool over;
} sharing;

static void on_signal(int number) { (void)number; }

/* -1: an end by the timeout, or by a signal. */
static int take_shared(int timeout)
{
    struct epoll_event event;
    if (sharing.instance < 0)
        return accept(sharing.listening, NULL, NULL);
    return epoll_wait(sharing.instance, &event, 1, timeout) == 1 ? accept(sharing.listening, NULL, NULL) : -1;
}

/* Waits again when the connection for which it may have been woken has been taken by the other thread. */
static void *give_up_often(void *unused)
{
    for (int i = 0; !sharing.over; i++) {
        unsigned before = sharing.taken;
        int connection = take_shared(i % 3);
        if (connection >= 0) {
            close(connection);
            sharing.taken++;
        }
        while (connection < 0 && sharing.taken == before && !sharing.over)
            sched_yield();
    }
    sharing.ended++;
    return unused;
}

static void *take_the_rest(void *unused)
{
    while (!sharing.over) {
        int connection = take_shared(-1);
        CHECK(connection >= 0 || errno == EAGAIN);
        if (connection >= 0) {
            close(connection);
            sharing.taken++;
        }
    }
    sharing.ended++;
    return unused;
}

static void share_connections(bool by_epoll)
{
    pthread_t threads[2];
    struct epoll_event edges = { .events = EPOLLIN | EPOLLET };
    memset(&sharing, 0, sizeof(sharing));
    sharing.listening = listener();
    sharing.instance = by_epoll ? epoll_create1(0) : -1;
    if (by_epoll) {
        CHECK_EQUAL(fcntl(sharing.listening, F_SETFL, O_NONBLOCK), 0);
        CHECK_EQUAL(epoll_ctl(sharing.instance, EPOLL_CTL_ADD, sharing.listening, &edges), 0);
    }
    CHECK_EQUAL(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL), 0);
    CHECK_EQUAL(pthread_create(&threads[0], NULL, give_up_often, NULL), 0);
    CHECK_EQUAL(pthread_create(&threads[1], NULL, take_the_rest, NULL), 0);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        if (i % 2)
            pthread_kill(threads[0], SIGUSR1);
        int client = connect_to(port_of(sharing.listening));
        if (i % 2 == 0)
            pthread_kill(threads[0], SIGUSR1);
        while (sharing.taken <= i)
            sched_yield();
        close(client);
    }
    CHECK_EQUAL(sharing.taken, CONNECTIONS);
    sharing.over = true;
    int last[2];
    for (unsigned i = 0; i < 2; i++) {
        last[i] = connect_to(port_of(sharing.listening));
        while (sharing.ended <= i)
            sched_yield();
    }
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
        close(last[i]);
    }
    close(sharing.listening);
    if (by_epoll)
        close(sharing.instance);
}

static void threads_that_give_up_leave_what_comes(void)
{
    share_connections(false);
    share_connections(true);
}

static void exclusive_modes_are_checked(void)
{
    int instance = epoll_create1(0), other = epoll_create1(0), listening = listener();
    struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
    CHECK_ERROR(epoll_ctl(instance, EPOLL_CTL_MOD, listening, &event), EINVAL);
    CHECK_ERROR(epoll_ctl(instance, EPOLL_CTL_ADD, other, &event), EINVAL);
    event.events |= EPOLLONESHOT;
    CHECK_ERROR(epoll_ctl(instance, EPOLL_CTL_ADD, listening, &event), EINVAL);
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE;
    CHECK_ERROR(epoll_ctl(instance, EPOLL_CTL_ADD, listening, &event), EINVAL);
    event.events = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLET | EPOLLEXCLUSIVE;
    CHECK_EQUAL(epoll_ctl(instance, EPOLL_CTL_ADD, listening, &event), 0);
    event.events = EPOLLIN;
    CHECK_ERROR(epoll_ctl(instance, EPOLL_CTL_MOD, listening, &event), EINVAL);
    CHECK_EQUAL(epoll_ctl(instance, EPOLL_CTL_DEL, listening, NULL), 0);
    /* Errors and hang-ups are reported to who wants nothing, too. */
    int pair[2];
    event.events = 0;
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQUAL(epoll_ctl(instance, EPOLL_CTL_ADD, pair[0], &event), 0);
    CHECK_EQUAL(epoll_wait(instance, &event, 1, 0), 0);
    close(pair[1]);
    CHECK_EQUAL(epoll_wait(instance, &event, 1, -1), 1);
    CHECK_EQUAL(event.events, EPOLLHUP);
    close(pair[0]);
    close(listening);
    close(other);
    close(instance);
}

/* ---- Threads that read from a pipe --------------------------------------------------------------- */

enum { BYTES = 200 };

static struct readers {
    int ends[2];
    sem_t taken;
    atomic_ulong sleeps; /* of all, at their end */
    atomic_uint bytes, faults;
} readers;

static void start_readers(pthread_t *threads, unsigned count, void *(*run)(void *))
{
    CHECK_EQUAL(pipe(readers.ends), 0);
    CHECK_EQUAL(sem_init(&readers.taken, 0, 0), 0);
    readers.sleeps = readers.bytes = readers.faults = 0;
    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, run, NULL), 0);
}

static void end_readers(const pthread_t *threads, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    close(readers.ends[0]);
    sem_destroy(&readers.taken);
}

static void *read_bytes(void *unused)
{
    char byte;
    while (read(readers.ends[0], &byte, 1) == 1) {
        readers.bytes++;
        sem_post(&readers.taken);
    }
    readers.sleeps += own_status("voluntary_ctxt_switches");
    return unused;
}

/* Each byte after the one before has been taken, and then the end. */
static void give_bytes_one_by_one(const pthread_t threads[THREADS])
{
    for (unsigned i = 0; i < BYTES; i++) {
        CHECK_EQUAL(write(readers.ends[1], "x", 1), 1);
        sem_wait(&readers.taken);
    }
    close(readers.ends[1]);
    end_readers(threads, THREADS);
    CHECK_EQUAL(readers.bytes, BYTES);
}

/* All would sleep THREADS times for each byte. */
static void a_byte_wakes_one_reader(void)
{
    pthread_t threads[THREADS];
    start_readers(threads, THREADS, read_bytes);
    give_bytes_one_by_one(threads);
    CHECK(readers.sleeps < BYTES * THREADS / 2);
}

static void *read_one_byte(void *unused)
{
    char byte;
    if (read(readers.ends[0], &byte, 1) == 1)
        readers.bytes++;
    return unused;
}

static void bytes_that_come_together_reach_all_readers(void)
{
    static const char bytes[THREADS];
    for (unsigned i = 0; i < BYTES; i++) {
        pthread_t threads[THREADS];
        start_readers(threads, THREADS, read_one_byte);
        if (i % 2)
            sched_yield();
        CHECK_EQUAL(write(readers.ends[1], bytes, THREADS), THREADS);
        end_readers(threads, THREADS);
        close(readers.ends[1]);
        CHECK_EQUAL(readers.bytes, THREADS);
    }
}

/* Cannot be given what it was woken for. */
static void *fail_to_read(void *nowhere)
{
    while (read(readers.ends[0], nowhere, 1) != 0) {
        readers.faults++;
        sched_yield();
    }
    return nowhere;
}

static void readers_that_fail_leave_the_byte(void)
{
    pthread_t threads[THREADS];
    start_readers(threads, THREADS / 2, fail_to_read);
    for (unsigned i = THREADS / 2; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, read_bytes, NULL), 0);
    give_bytes_one_by_one(threads);
    CHECK(readers.faults > 0);
}

SUITE(accepts, TEST(ipv6_connections_are_spread), TEST(connections_of_both_families_are_spread),
      TEST(ipv6_datagrams_are_spread_and_stay), TEST(threads_accept_each_connection_once),
      TEST(instances_take_each_connection_once), TEST(exclusive_instances_miss_no_connection),
      TEST(edges_miss_no_connection), TEST(sharers_miss_no_connection),
      TEST(connections_that_come_together_wake_enough), TEST(a_connection_wakes_all_instances),
      TEST(a_connection_wakes_one_exclusive_instance), TEST(a_connection_wakes_all_others_and_one_exclusive_instance),
      TEST(a_connection_wakes_one_thread_of_an_instance), TEST(exclusive_modes_are_checked),
      TEST(threads_that_give_up_leave_what_comes), TEST(a_byte_wakes_one_reader),
      TEST(bytes_that_come_together_reach_all_readers), TEST(readers_that_fail_leave_the_byte));
