/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the kernel's own clients and servers: SNTP, DNS, the metadata service, syslog, metrics. Each belongs to
 * one thread, is closed with file_put(), and never reaches the program. Deadlines are monotonic and hold for the whole
 * call; a call that reaches one returns -ETIMEDOUT. All may sleep.
 */
#pragma once

#include "net/socket.h"

/* A socket of SOCK_STREAM or SOCK_DGRAM that is connected to `peer`, from a port that is hard to guess. 0 or -errno. */
int kernel_socket_connect(int type, struct endpoint peer, nanoseconds deadline, struct file **out);
/* A listener on this TCP port of every address; it is not reported as the program's. 0 or -errno. */
int kernel_socket_listen(uint16_t port, struct file **out);
/* All of it, or one whole datagram. 0 or -errno. */
int kernel_socket_send(struct file *file, const void *data, size_t length, nanoseconds deadline);
/* What is there, or comes: bytes, 0 at the end of the stream, or -errno. */
ssize_type kernel_socket_receive(struct file *file, void *to, size_t room, nanoseconds deadline);
