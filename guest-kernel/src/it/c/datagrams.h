/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets on the loopback interface, for the suites that use them. All fail the running test when a call fails. */
#pragma once

#include "connections.h"

#include <string.h>

static inline struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
}

static inline void set(int socket, int level, int name, int value)
{
    CHECK_EQUAL(setsockopt(socket, level, name, &value, sizeof(value)), 0);
}

static inline int bound_to(uint32_t address, uint16_t port)
{
    struct sockaddr_in name = name_of(address, port);
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(made >= 0);
    set(made, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_EQUAL(bind(made, (struct sockaddr *)&name, sizeof(name)), 0);
    return made;
}

static inline void send_to(int socket, uint32_t address, uint16_t port, const char *text)
{
    struct sockaddr_in name = name_of(address, port);
    CHECK_EQUAL(sendto(socket, text, strlen(text), 0, (struct sockaddr *)&name, sizeof(name)), strlen(text));
}

/* The socket has this datagram and no other: what is sent over loopback is there when the call returns. */
static inline void expect(int socket, const char *text)
{
    char bytes[2000];
    CHECK_EQUAL(recv(socket, bytes, sizeof(bytes), 0), strlen(text));
    CHECK(memcmp(bytes, text, strlen(text)) == 0);
    CHECK_ERROR(recv(socket, bytes, sizeof(bytes), 0), EAGAIN);
}

static inline void expect_none(int socket)
{
    char byte;
    CHECK_ERROR(recv(socket, &byte, 1, 0), EAGAIN);
}
