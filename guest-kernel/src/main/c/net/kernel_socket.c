/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the kernel's own clients and servers (kernel_socket.h): the calls of struct socket_operations with kernel
 * buffers and one deadline for each. A socket has one user, so its timeouts are set before each step without a lock.
 */
#include "net/kernel_socket.h"

#include "lib/errno.h"
#include "platform/platform.h"

#define BACKLOG 8 /* connections that wait to be accepted */

/* What the socket may still take for its next step. False: the time is over. */
static bool allow_rest(struct socket *socket, nanoseconds deadline)
{
    nanoseconds now = clock_monotonic();
    if (now >= deadline)
        return false;
    socket->send_timeout = socket->receive_timeout = deadline - now;
    return true;
}

static int connect(struct socket *socket, struct endpoint peer, nanoseconds deadline)
{
    struct socket_address address = { .family = AF_INET, .in = peer };
    if (!allow_rest(socket, deadline))
        return -ETIMEDOUT;
    int result = socket->operations->connect(socket, &address);
    return result == -EINPROGRESS ? -ETIMEDOUT : result;
}

int kernel_socket_connect(int type, struct endpoint peer, nanoseconds deadline, struct file **out)
{
    int result = socket_create(AF_INET, type, 0, 0, out);
    if (result < 0)
        return result;
    result = connect(socket_of(*out), peer, deadline);
    if (result < 0)
        file_put(*out);
    return result;
}

int kernel_socket_listen(uint16_t port, struct file **out)
{
    struct socket_address address = { .family = AF_INET, .in = { ip_of_ipv4(IPV4_ANY), port } };
    int result = socket_create(AF_INET, SOCK_STREAM, 0, 0, out);
    if (result < 0)
        return result;
    struct socket *socket = socket_of(*out);
    socket->kept.kernels_own = true;
    result = socket->operations->bind(socket, &address);
    if (result == 0)
        result = socket->operations->listen(socket, BACKLOG);
    if (result < 0)
        file_put(*out);
    return result;
}

int kernel_socket_send(struct file *file, const void *data, size_t length, nanoseconds deadline)
{
    struct socket *socket = socket_of(file);
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)(uintptr_t)data, length);
    do {
        struct socket_message message = { .data = &transfer };
        if (!allow_rest(socket, deadline))
            return -ETIMEDOUT;
        ssize_type sent = socket->operations->send(socket, &message);
        if (sent < 0)
            return sent == -EAGAIN ? -ETIMEDOUT : (int)sent;
    } while (transfer.remaining > 0);
    return 0;
}

ssize_type kernel_socket_receive(struct file *file, void *to, size_t room, nanoseconds deadline)
{
    struct socket *socket = socket_of(file);
    struct transfer transfer;
    if (!allow_rest(socket, deadline))
        return -ETIMEDOUT;
    transfer_init_kernel(&transfer, to, room);
    struct socket_message message = { .data = &transfer };
    ssize_type received = socket->operations->receive(socket, &message);
    return received == -EAGAIN ? -ETIMEDOUT : received;
}
