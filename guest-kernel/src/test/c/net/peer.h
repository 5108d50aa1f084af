/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end: a forked process in the same network name space that uses Linux's own sockets.
 */
#pragma once

#include <sys/types.h>

#include "lib/types.h"

/* Runs `act` in a child; what it returns (0: well, else the line where it failed) is peer_result(). */
pid_t peer_start(int (*act)(const void *context), const void *context);
/* Runs the stack until the child ends; its result, or -1 if it did not in `time`: it is ended then. */
int peer_result(pid_t peer, nanoseconds time);

/* In the child. Each exits with the line number on failure. */
#define PEER_CHECK(condition) \
    do { \
        if (!(condition)) \
            return __LINE__; \
    } while (0)
int peer_connect(uint16_t port);
int peer_listen(uint16_t *port);
int peer_send_all(int fd, const void *data, size_t length);
int peer_receive_all(int fd, void *data, size_t length);
