/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets over the loopback interface, and socket pairs. */
#define _GNU_SOURCE
#include "connections.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void tcp_connects_and_names_both_ends(void)
{
    int client, server;
    struct sockaddr_in name, peer;
    socklen_t length = sizeof(name);
    connected_pair(&client, &server);
    CHECK_EQUAL(getsockname(client, (struct sockaddr *)&name, &length), 0);
    CHECK_EQUAL(getpeername(server, (struct sockaddr *)&peer, &length), 0);
    CHECK_EQUAL(name.sin_port, peer.sin_port);
    CHECK_EQUAL(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK);
    close(client);
    close(server);
}

static void tcp_carries_both_ways_and_ends(void)
{
    int client, server, waiting;
    char text[16];
    connected_pair(&client, &server);
    CHECK_EQUAL(send(client, "question", 8, 0), 8);
    CHECK_EQUAL(recv(server, text, 4, MSG_PEEK), 4);
    CHECK_EQUAL(recv(server, text, sizeof(text), 0), 8);
    CHECK(memcmp(text, "question", 8) == 0);
    CHECK_EQUAL(write(server, "answer", 6), 6);
    CHECK_EQUAL(events_of(client, POLLIN, -1), POLLIN);
    CHECK_EQUAL(ioctl(client, FIONREAD, &waiting), 0);
    CHECK_EQUAL(waiting, 6);
    CHECK_EQUAL(read(client, text, sizeof(text)), 6);
    CHECK_EQUAL(shutdown(client, SHUT_WR), 0);
    CHECK_EQUAL(read(server, text, sizeof(text)), 0);
    CHECK_EQUAL(write(server, "late", 4), 4);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 4);
    close(server);
    CHECK_EQUAL(read(client, text, sizeof(text)), 0);
    close(client);
}

struct stream {
    int socket;
    uint64_t length, sum;
};
#define BIG (3UL << 20)

static unsigned char byte_at(uint64_t i) { return (unsigned char)(i * 131 + i / 4096); }

static void *receive_all(void *argument)
{
    struct stream *stream = argument;
    static __thread unsigned char block[20000];
    ssize_t count;
    while ((count = recv(stream->socket, block, sizeof(block), 0)) > 0)
        for (ssize_t i = 0; i < count; i++, stream->length++)
            stream->sum += block[i] == byte_at(stream->length);
    return NULL;
}

static void *send_all(void *argument)
{
    struct stream *stream = argument;
    static __thread unsigned char block[33333];
    while (stream->length < BIG) {
        size_t count = BIG - stream->length < sizeof(block) ? BIG - stream->length : sizeof(block);
        for (size_t i = 0; i < count; i++)
            block[i] = byte_at(stream->length + i);
        for (size_t done = 0; done < count;) {
            ssize_t sent = send(stream->socket, block + done, count - done, MSG_NOSIGNAL);
            if (sent <= 0)
                return NULL;
            done += (size_t)sent;
        }
        stream->length += count;
    }
    shutdown(stream->socket, SHUT_WR);
    return NULL;
}

static void tcp_carries_megabytes_both_ways_at_once(void)
{
    int client, server;
    pthread_t threads[4];
    connected_pair(&client, &server);
    struct stream streams[4] = { { client, 0, 0 }, { server, 0, 0 }, { client, 0, 0 }, { server, 0, 0 } };
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, i < 2 ? send_all : receive_all, &streams[i]), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(streams[i].length, BIG);
    CHECK_EQUAL(streams[2].sum, BIG);
    CHECK_EQUAL(streams[3].sum, BIG);
    close(client);
    close(server);
}

static void many_connections(void)
{
    enum { CONNECTIONS = 100 };
    int listening = listener(), clients[CONNECTIONS], servers[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = connect_to(port_of(listening));
        servers[i] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        CHECK(servers[i] >= 0);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK_EQUAL(write(clients[i], &i, sizeof(i)), sizeof(i));
    for (int i = CONNECTIONS - 1; i >= 0; i--) {
        int value = -1;
        CHECK_EQUAL(events_of(servers[i], POLLIN, -1), POLLIN);
        CHECK_EQUAL(read(servers[i], &value, sizeof(value)), sizeof(value));
        CHECK_EQUAL(value, i);
        close(servers[i]);
        close(clients[i]);
    }
    close(listening);
}

static void nonblocking_calls_say_again(void)
{
    int client, server;
    char byte;
    int listening = listener();
    CHECK_EQUAL(fcntl(listening, F_SETFL, O_NONBLOCK), 0);
    CHECK_ERROR(accept(listening, NULL, NULL), EAGAIN);
    close(listening);
    connected_pair(&client, &server);
    CHECK_ERROR(recv(client, &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQUAL(fcntl(client, F_SETFL, O_NONBLOCK), 0);
    CHECK_ERROR(read(client, &byte, 1), EAGAIN);
    static char block[65536];
    while (write(client, block, sizeof(block)) > 0)
        ;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(events_of(client, POLLOUT, 0), 0);
    close(client);
    close(server);
}

static void nonblocking_connect_completes(void)
{
    int listening = listener(), error = -1;
    socklen_t length = sizeof(error);
    struct sockaddr_in address = loopback(port_of(listening));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(client, (struct sockaddr *)&address, sizeof(address));
    CHECK(result == 0 || errno == EINPROGRESS);
    CHECK_EQUAL(events_of(client, POLLOUT, -1), POLLOUT);
    CHECK_EQUAL(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length), 0);
    CHECK_EQUAL(error, 0);
    /* The first call after completion may still report it. */
    result = connect(client, (struct sockaddr *)&address, sizeof(address));
    CHECK(result == 0 || errno == EISCONN);
    CHECK_ERROR(connect(client, (struct sockaddr *)&address, sizeof(address)), EISCONN);
    close(client);
    close(listening);
}

static void refused_connections_say_so(void)
{
    int listening = listener(), error = 0;
    socklen_t length = sizeof(error);
    struct sockaddr_in address = loopback(port_of(listening));
    close(listening);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(connect(client, (struct sockaddr *)&address, sizeof(address)), ECONNREFUSED);
    close(client);
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(client, (struct sockaddr *)&address, sizeof(address));
    CHECK_EQUAL(result, -1);
    if (errno == EINPROGRESS) {
        CHECK(events_of(client, POLLOUT, -1) & POLLERR);
        CHECK_EQUAL(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length), 0);
        CHECK_EQUAL(error, ECONNREFUSED);
    } else {
        CHECK_EQUAL(errno, ECONNREFUSED);
    }
    close(client);
}

static void reset_is_seen_by_the_peer(void)
{
    int client, server;
    char byte;
    struct linger abort_at_close = { .l_onoff = 1, .l_linger = 0 };
    connected_pair(&client, &server);
    CHECK_EQUAL(setsockopt(server, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof(abort_at_close)), 0);
    close(server);
    CHECK(events_of(client, POLLIN, -1) & POLLHUP);
    CHECK_ERROR(read(client, &byte, 1), ECONNRESET);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERROR(send(client, "x", 1, 0), EPIPE);
    close(client);
}

static volatile sig_atomic_t pipe_signals;
static void count_pipe_signal(int number) { pipe_signals += number == SIGPIPE; }

static void broken_pipe_is_signalled(void)
{
    int client, server;
    connected_pair(&client, &server);
    pipe_signals = 0;
    signal(SIGPIPE, count_pipe_signal);
    CHECK_EQUAL(shutdown(client, SHUT_WR), 0);
    CHECK_ERROR(send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQUAL(pipe_signals, 0);
    CHECK_ERROR(send(client, "x", 1, 0), EPIPE);
    CHECK_EQUAL(pipe_signals, 1);
    signal(SIGPIPE, SIG_IGN);
    close(client);
    close(server);
}

static void *accept_one(void *listening) { return (void *)(intptr_t)accept(*(int *)listening, NULL, NULL); }

static void shutdown_and_close_wake_sleepers(void)
{
    int listening = listener();
    pthread_t thread;
    void *result;
    CHECK_EQUAL(pthread_create(&thread, NULL, accept_one, &listening), 0);
    usleep(50000);
    CHECK_EQUAL(shutdown(listening, SHUT_RDWR), 0);
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    CHECK_EQUAL((intptr_t)result, -1);
    close(listening);
}

static void receive_timeout_passes(void)
{
    int client, server;
    char byte;
    struct timeval limit = { .tv_usec = 50000 };
    connected_pair(&client, &server);
    CHECK_EQUAL(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    int64_t begin = now_ms();
    CHECK_ERROR(read(client, &byte, 1), EAGAIN);
    CHECK(now_ms() - begin >= 45);
    close(client);
    close(server);
}

static void options_are_kept(void)
{
    int client, server, value = 0;
    socklen_t length = sizeof(value);
    connected_pair(&client, &server);
    static const struct {
        int level, name, set, get;
    } options[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1, 1 },    { SOL_SOCKET, SO_KEEPALIVE, 1, 1 },   { SOL_SOCKET, SO_REUSEADDR, 1, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, 77, 77 }, { IPPROTO_TCP, TCP_KEEPINTVL, 7, 7 }, { IPPROTO_TCP, TCP_KEEPCNT, 3, 3 },
    };
    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        value = options[i].set;
        CHECK_EQUAL(setsockopt(client, options[i].level, options[i].name, &value, sizeof(value)), 0);
        value = -1;
        CHECK_EQUAL(getsockopt(client, options[i].level, options[i].name, &value, &length), 0);
        CHECK_EQUAL(value, options[i].get);
    }
    CHECK_EQUAL(getsockopt(client, SOL_SOCKET, SO_TYPE, &value, &length), 0);
    CHECK_EQUAL(value, SOCK_STREAM);
    CHECK_ERROR(getsockopt(client, IPPROTO_TCP, 12345, &value, &length), ENOPROTOOPT);
    CHECK_ERROR(setsockopt(0, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value)), ENOTSOCK);
    close(client);
    close(server);
}

static void bind_errors(void)
{
    int listening = listener();
    struct sockaddr_in address = loopback(port_of(listening)), foreign = loopback(0);
    int other = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERROR(bind(other, (struct sockaddr *)&address, sizeof(address)), EADDRINUSE);
    foreign.sin_addr.s_addr = htonl(0x08080808);
    CHECK_ERROR(bind(other, (struct sockaddr *)&foreign, sizeof(foreign)), EADDRNOTAVAIL);
    CHECK_ERROR(bind(other, (struct sockaddr *)&foreign, 4), EINVAL);
    CHECK_ERROR(accept(other, NULL, NULL), EINVAL);
    CHECK_ERROR(connect(999, (struct sockaddr *)&address, sizeof(address)), EBADF);
    CHECK_ERROR(socket(AF_INET, 77, 0), EINVAL);
    close(other);
    close(listening);
}

static void udp_keeps_datagrams_apart(void)
{
    struct sockaddr_in address = loopback(0), from;
    socklen_t length = sizeof(from);
    char text[16];
    int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQUAL(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    address = loopback(port_of(server));
    CHECK_EQUAL(sendto(client, "one", 3, 0, (struct sockaddr *)&address, sizeof(address)), 3);
    CHECK_EQUAL(sendto(client, "three", 5, 0, (struct sockaddr *)&address, sizeof(address)), 5);
    CHECK_EQUAL(recvfrom(server, text, sizeof(text), 0, (struct sockaddr *)&from, &length), 3);
    CHECK_EQUAL(ntohs(from.sin_port), port_of(client));
    CHECK_EQUAL(recv(server, text, 2, MSG_TRUNC), 5);
    CHECK_EQUAL(connect(server, (struct sockaddr *)&from, sizeof(from)), 0);
    CHECK_EQUAL(send(server, "back", 4, 0), 4);
    CHECK_EQUAL(recv(client, text, sizeof(text), 0), 4);
    close(server);
    close(client);
}

static void socket_pair_carries(void)
{
    int pair[2];
    char text[8];
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CHECK_EQUAL(write(pair[0], "ping", 4), 4);
    CHECK_EQUAL(read(pair[1], text, sizeof(text)), 4);
    CHECK_EQUAL(write(pair[1], "pong!", 5), 5);
    CHECK_EQUAL(recv(pair[0], text, sizeof(text), 0), 5);
    close(pair[0]);
    CHECK_EQUAL(read(pair[1], text, sizeof(text)), 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERROR(write(pair[1], "x", 1), EPIPE);
    close(pair[1]);
}

static void unix_connect_to_nobody_fails(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/tmp/no-such-socket" };
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(client >= 0);
    CHECK_ERROR(connect(client, (struct sockaddr *)&address, sizeof(address)), ENOENT);
    close(client);
}

#define REPLACED_BYTES (8 * 4096UL)

struct replacement {
    int client, server;
    struct sockaddr_in address;
    pthread_barrier_t start;
};

/* Resets the connection and puts another one in its place, while its bytes are being copied. */
static void *replace_connection(void *argument)
{
    struct replacement *r = argument;
    struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    pthread_barrier_wait(&r->start);
    setsockopt(r->server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(r->server);
    for (unsigned i = 0; i < 3; i++)
        connect(r->client, (struct sockaddr *)&r->address, sizeof(r->address));
    return NULL;
}

static void start_replacement(struct replacement *r, int listening, pthread_t *thread)
{
    r->address = loopback(port_of(listening));
    r->client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(r->client >= 0);
    (void)connect(r->client, (struct sockaddr *)&r->address, sizeof(r->address));
    r->server = accept(listening, NULL, NULL);
    CHECK(r->server >= 0);
    CHECK_EQUAL(pthread_barrier_init(&r->start, NULL, 2), 0);
    CHECK_EQUAL(pthread_create(thread, NULL, replace_connection, r), 0);
}

static void end_replacement(struct replacement *r, pthread_t thread)
{
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    pthread_barrier_destroy(&r->start);
    close(r->client);
}

/* The pages of the program's own file are not there until they are touched: the copy faults and sleeps. */
static unsigned char *map_own_file(size_t *length)
{
    struct stat status;
    int self = open("/proc/self/exe", O_RDONLY);
    CHECK(self >= 0);
    CHECK_EQUAL(fstat(self, &status), 0);
    *length = (size_t)status.st_size / REPLACED_BYTES * REPLACED_BYTES;
    CHECK(*length > 0);
    unsigned char *pages = mmap(NULL, *length, PROT_READ | PROT_WRITE, MAP_PRIVATE, self, 0);
    CHECK(pages != MAP_FAILED);
    close(self);
    return pages;
}

static void connection_is_replaced_while_bytes_are_copied(void)
{
    static unsigned char sent[REPLACED_BYTES];
    size_t length;
    unsigned char *pages = map_own_file(&length);
    int listening = listener();
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = byte_at(i);
    signal(SIGPIPE, SIG_IGN);
    for (size_t at = 0; at < length; at += REPLACED_BYTES) {
        struct replacement r;
        pthread_t thread;
        start_replacement(&r, listening, &thread);
        CHECK(send(r.server, sent, sizeof(sent), 0) > 0);
        pthread_barrier_wait(&r.start);
        ssize_t count = at / REPLACED_BYTES % 2 == 0 ? recv(r.client, pages + at, REPLACED_BYTES, 0) : -1;
        if (count > 0)
            CHECK(memcmp(pages + at, sent, (size_t)count) == 0);
        else
            (void)!send(r.client, pages + at, REPLACED_BYTES, 0);
        end_replacement(&r, thread);
    }
    munmap(pages, length);
    close(listening);
}

SUITE(sockets, TEST(tcp_connects_and_names_both_ends), TEST(tcp_carries_both_ways_and_ends),
      TEST(tcp_carries_megabytes_both_ways_at_once), TEST(many_connections), TEST(nonblocking_calls_say_again),
      TEST(nonblocking_connect_completes), TEST(refused_connections_say_so), TEST(reset_is_seen_by_the_peer),
      TEST(broken_pipe_is_signalled), TEST(shutdown_and_close_wake_sleepers), TEST(receive_timeout_passes),
      TEST(options_are_kept), TEST(bind_errors), TEST(udp_keeps_datagrams_apart), TEST(socket_pair_carries),
      TEST(unix_connect_to_nobody_fails), TEST(connection_is_replaced_while_bytes_are_copied));
