/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "net/socket.h"
#include "platform/platform.h"

/* Sets how long the socket's next step may take. False: the time is over. */
static bool allow_rest(struct socket *socket, nanoseconds deadline)
{
    nanoseconds now = clock_monotonic();
    if (now >= deadline)
        return false;
    socket->send_timeout = socket->receive_timeout = deadline - now;
    return true;
}

static int connect(struct socket *socket, struct endpoint server, nanoseconds deadline)
{
    struct socket_address address = { .family = AF_INET, .in = server };
    if (!allow_rest(socket, deadline))
        return -ETIMEDOUT;
    int result = socket->operations->connect(socket, &address);
    return result == -EINPROGRESS ? -ETIMEDOUT : result;
}

/* A request is smaller than any send buffer, so it goes out in one piece. */
static int send(struct socket *socket, const char *request, nanoseconds deadline)
{
    struct transfer transfer;
    size_t length = strlen(request);
    if (!allow_rest(socket, deadline))
        return -ETIMEDOUT;
    transfer_init_kernel(&transfer, (void *)(uintptr_t)request, length);
    struct socket_message message = { .data = &transfer };
    ssize_type sent = socket->operations->send(socket, &message);
    if (sent < 0)
        return (int)sent;
    return (size_t)sent == length ? 0 : -ECONNRESET;
}

/* Bytes, or -errno. */
static ssize_type receive(struct socket *socket, char *to, size_t room, nanoseconds deadline)
{
    struct transfer transfer;
    if (!allow_rest(socket, deadline))
        return -ETIMEDOUT;
    transfer_init_kernel(&transfer, to, room);
    struct socket_message message = { .data = &transfer };
    ssize_type received = socket->operations->receive(socket, &message);
    if (received == -EAGAIN)
        return -ETIMEDOUT;
    return received == 0 ? -ECONNRESET : received;
}

static int receive_answer(struct socket *socket, char *buffer, size_t limit, nanoseconds deadline,
                          struct http_answer *answer)
{
    size_t used = 0;
    int whole;
    while ((whole = http_answer_read(buffer, used, limit, answer)) == 0) {
        ssize_type received = receive(socket, buffer + used, HTTP_HEADER_MAX + limit - used, deadline);
        if (received < 0)
            return (int)received;
        used += (size_t)received;
    }
    return min_of(whole, 0);
}

int http_exchange(struct endpoint server, const char *request, char *buffer, size_t limit, nanoseconds deadline,
                  struct http_answer *answer)
{
    struct file *file;
    int result = socket_create(AF_INET, SOCK_STREAM, 0, 0, &file);
    if (result < 0)
        return result;
    struct socket *socket = socket_of(file);
    result = connect(socket, server, deadline);
    if (result == 0)
        result = send(socket, request, deadline);
    if (result == 0)
        result = receive_answer(socket, buffer, limit, deadline, answer);
    file_put(file);
    return result;
}
