/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the loopback interface, for the suites that use them. All fail the running test when a call fails. */
#pragma once

#include "suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static inline struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* The local port. */
static inline uint16_t port_of(int socket)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    CHECK_EQUAL(getsockname(socket, (struct sockaddr *)&address, &length), 0);
    CHECK_EQUAL(length, sizeof(address));
    return ntohs(address.sin_port);
}

static inline int listener(void)
{
    struct sockaddr_in address = loopback(0);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(server >= 0);
    CHECK_EQUAL(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(listen(server, 128), 0);
    return server;
}

static inline int connect_to(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0);
    CHECK_EQUAL(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

static inline void connected_pair(int *client, int *server)
{
    int listening = listener();
    *client = connect_to(port_of(listening));
    *server = accept(listening, NULL, NULL);
    CHECK(*server >= 0);
    close(listening);
}

/* What poll() says of a file; `timeout` in milliseconds, -1 for ever. */
static inline int events_of(int file, int wanted, int timeout)
{
    struct pollfd poll_file = { .fd = file, .events = (short)wanted };
    CHECK(poll(&poll_file, 1, timeout) >= 0);
    return poll_file.revents;
}
