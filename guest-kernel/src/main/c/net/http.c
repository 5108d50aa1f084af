/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "net/kernel_socket.h"

static int receive_answer(struct file *file, char *buffer, size_t limit, nanoseconds deadline,
                          struct http_answer *answer)
{
    size_t used = 0;
    int whole;
    while ((whole = http_answer_read(buffer, used, limit, answer)) == 0) {
        ssize_type received = kernel_socket_receive(file, buffer + used, HTTP_HEADER_MAX + limit - used, deadline);
        if (received <= 0)
            return received == 0 ? -ECONNRESET : (int)received;
        used += (size_t)received;
    }
    return min_of(whole, 0);
}

int http_exchange(struct endpoint server, const char *request, char *buffer, size_t limit, nanoseconds deadline,
                  struct http_answer *answer)
{
    struct file *file;
    int result = kernel_socket_connect(SOCK_STREAM, server, deadline, &file);
    if (result < 0)
        return result;
    result = kernel_socket_send(file, request, strlen(request), deadline);
    if (result == 0)
        result = receive_answer(file, buffer, limit, deadline, answer);
    file_put(file);
    return result;
}
