/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of a descriptor, and socket addresses in the program's memory. Without locks; these may sleep. */
#pragma once

#include "net/socket.h"

/* A socket with a reference to its file, for the time of one call; given back by file_put(). */
struct held_socket {
    struct file *file;
    struct socket *socket;
};
/* 0, -EBADF or -ENOTSOCK. */
int socket_hold(int descriptor, struct held_socket *held);

/* Reads `given` bytes, as the program says how long the address is. 0, -EFAULT, -EINVAL or -EAFNOSUPPORT. */
int socket_address_read(uintptr_t from, int32_t given, struct socket_address *out);
/* Writes as much of the address as there is room for; *length is its true length in bytes. 0 or -EFAULT. */
int socket_address_write(const struct socket_address *address, uintptr_t to, uint32_t room, uint32_t *length);
/* The same where the room is in the program's memory, and is replaced by the true length. Does nothing without `to`.
 * 0, -EFAULT or -EINVAL. */
int socket_address_return(const struct socket_address *address, uintptr_t to, uintptr_t length_at);
