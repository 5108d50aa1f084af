/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network load over real devices. `echo serve PORT` sends back what it gets on any number of
 * connections until one of them sends the single byte QUIT, and says now and then how much that was, so that who
 * watches knows it is alive; `echo load PORT CONNECTIONS BYTES` opens the connections to 127.0.0.1, moves BYTES
 * through all of them at once and checks what comes back. The load waits for ever for a server that hangs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIT 0xff
#define CHUNK 65536
#define CONNECTIONS_MAX 1024
#define REPORT_EVERY (256 * 1024)

static _Noreturn void fail(const char *what)
{
    printf("not ok echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(int epoll, int operation, int file, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = file };
    if (epoll_ctl(epoll, operation, file, &event) != 0)
        fail("epoll_ctl");
}

/* ---- The guest's side -------------------------------------------------------------------------- */

static void report(uint64_t more)
{
    static uint64_t moved, reported;
    moved += more;
    if (moved - reported < REPORT_EVERY)
        return;
    reported = moved;
    printf("%llu KiB moved\n", (unsigned long long)moved / 1024);
    fflush(stdout);
}

/* Echoes what there is. A client that does not read makes us wait: the load side always reads. */
static bool echo_once(int client)
{
    static char block[CHUNK];
    ssize_t count = recv(client, block, sizeof(block), 0);
    if (count <= 0)
        return false;
    if (count == 1 && (unsigned char)block[0] == QUIT)
        exit(0);
    for (ssize_t done = 0; done < count;) {
        ssize_t sent = send(client, block + done, (size_t)(count - done), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        done += sent;
    }
    report((uint64_t)count);
    return true;
}

static void serve(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int listening = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listening, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listening, 512) != 0)
        fail("listen");
    watch(epoll, EPOLL_CTL_ADD, listening, EPOLLIN);
    printf("serving\n");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int file = events[i].data.fd;
            if (file == listening)
                watch(epoll, EPOLL_CTL_ADD, accept(listening, NULL, NULL), EPOLLIN);
            else if (!echo_once(file))
                close(file);
        }
    }
}

/* ---- The load ----------------------------------------------------------------------------------- */

struct connection {
    int socket;
    uint64_t sent, received;
};
static struct connection connections[CONNECTIONS_MAX];

/* Never QUIT, and different for each connection. */
static unsigned char byte_of(unsigned connection, uint64_t at)
{
    return (unsigned char)((connection * 37 + at * 11 + at / 1447) % 255);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("connect");
    return client;
}

/* The first byte makes the way there and back before the next connection is opened: QEMU's forwarding
 * queues but one new connection, and those beyond it wait for seconds. */
static void open_connection(struct connection *connection, unsigned number, uint16_t port)
{
    unsigned char first = byte_of(number, 0), back;
    connection->socket = connect_to(port);
    if (send(connection->socket, &first, 1, MSG_NOSIGNAL) != 1 || recv(connection->socket, &back, 1, 0) != 1 ||
        back != first)
        fail("first byte");
    connection->sent = connection->received = 1;
}

static void send_some(struct connection *connection, unsigned number, uint64_t bytes)
{
    static unsigned char block[CHUNK];
    size_t count = bytes - connection->sent < CHUNK ? (size_t)(bytes - connection->sent) : CHUNK;
    for (size_t i = 0; i < count; i++)
        block[i] = byte_of(number, connection->sent + i);
    ssize_t sent = send(connection->socket, block, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        fail("send");
    connection->sent += sent > 0 ? (uint64_t)sent : 0;
}

static void receive_some(struct connection *connection, unsigned number)
{
    static unsigned char block[CHUNK];
    ssize_t count = recv(connection->socket, block, sizeof(block), MSG_DONTWAIT);
    if (count == 0)
        errno = ECONNRESET;
    if (count <= 0 && errno != EAGAIN)
        fail("receive");
    for (ssize_t i = 0; i < count; i++, connection->received++) {
        if (block[i] == byte_of(number, connection->received))
            continue;
        printf("not ok echo: connection %u differs at byte %llu\n", number, (unsigned long long)connection->received);
        exit(1);
    }
}

static void load(uint16_t port, unsigned count, uint64_t bytes)
{
    int epoll = epoll_create1(0);
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.u32 = i };
        open_connection(&connections[i], i, port);
        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].socket, &event);
    }
    for (unsigned open = count; open > 0;) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, -1);
        if (ready <= 0)
            fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            struct connection *connection = &connections[number];
            if (connection->sent < bytes && events[i].events & EPOLLOUT)
                send_some(connection, number, bytes);
            if (events[i].events & EPOLLIN)
                receive_some(connection, number);
            if (connection->sent == bytes) {
                struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
                epoll_ctl(epoll, EPOLL_CTL_MOD, connection->socket, &event);
            }
            if (connection->received == bytes) {
                close(connection->socket);
                open--;
            }
        }
    }
    unsigned char quit = QUIT;
    int last = connect_to(port);
    if (send(last, &quit, 1, 0) != 1)
        fail("quit");
    close(last);
    printf("ok echo\n");
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve((uint16_t)atoi(argv[2]));
    if (argc != 5 || strcmp(argv[1], "load") != 0 || atoi(argv[3]) > CONNECTIONS_MAX)
        return 2;
    load((uint16_t)atoi(argv[2]), (unsigned)atoi(argv[3]), strtoull(argv[4], NULL, 10));
    return 0;
}
