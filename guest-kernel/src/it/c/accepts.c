/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and datagrams for which several sockets, epoll instances or threads wait: each has one taker. */
#define _GNU_SOURCE
#include "connections.h"

#include <pthread.h>
#include <semaphore.h>
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
    for (int i = 0; i < FLOWS; i++)
        flows[i] = sharer(SOCK_DGRAM, "::1", 0);
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
} acceptors;

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

SUITE(accepts, TEST(ipv6_connections_are_spread), TEST(connections_of_both_families_are_spread),
      TEST(ipv6_datagrams_are_spread_and_stay), TEST(threads_accept_each_connection_once),
      TEST(instances_take_each_connection_once), TEST(exclusive_instances_miss_no_connection),
      TEST(edges_miss_no_connection), TEST(sharers_miss_no_connection),
      TEST(connections_that_come_together_wake_enough));
