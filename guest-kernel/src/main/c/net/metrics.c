/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server of metrics: one thread, which serves one connection at a time, gives each SERVE_PATIENCE for everything,
 * and ends it after one answer. So a client that stalls delays the others for that long and holds no more than its
 * connection; the request has one buffer, and the text is made for each answer and freed.
 */
#include "net/metrics.h"

#include "core/log.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/http.h"
#include "net/kernel_socket.h"
#include "platform/platform.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define SERVE_PATIENCE (5 * NS_PER_SECOND)
#define RETRY (1 * NS_PER_SECOND) /* after a connection that could not be taken, for want of memory */

static struct file *listener;

static const struct answer {
    unsigned status;
    const char *reason, *body;
} answers[] = {
    { HTTP_BAD_REQUEST, "Bad Request", "This is no HTTP/1 request. Use GET /metrics.\n" },
    { HTTP_NOT_FOUND, "Not Found", "There is nothing here. Use GET /metrics.\n" },
    { HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed", "Only GET is possible. Use GET /metrics.\n" },
    { HTTP_HEADER_TOO_LARGE, "Request Header Fields Too Large", "The header is too large. Send less than 4 KiB.\n" },
    { HTTP_UNAVAILABLE, "Service Unavailable", "There is no memory for the answer. Try again later.\n" },
};

static int send_answer(struct file *file, unsigned status, const char *reason, const char *body, size_t length,
                       nanoseconds deadline)
{
    char header[256];
    const char *allow = status == HTTP_METHOD_NOT_ALLOWED ? "Allow: GET\r\n" : "";
    int size = format(header, sizeof(header),
                      "HTTP/1.1 %u %s\r\n%sContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                      "Content-Length: %lu\r\nConnection: close\r\n\r\n",
                      status, reason, allow, length);
    int error = kernel_socket_send(file, header, (size_t)size, deadline);
    return error == 0 ? kernel_socket_send(file, body, length, deadline) : error;
}

static int refuse(struct file *file, unsigned status, nanoseconds deadline)
{
    const struct answer *answer = answers;
    while (answer->status != status)
        answer++;
    return send_answer(file, status, answer->reason, answer->body, strlen(answer->body), deadline);
}

static int send_metrics(struct file *file, nanoseconds deadline)
{
    struct text text;
    text_init(&text);
    metrics_print(&text);
    int error = text.failed ? refuse(file, HTTP_UNAVAILABLE, deadline)
                            : send_answer(file, HTTP_OK, "OK", text.data, text.length, deadline);
    text_free(&text);
    return error;
}

/* The status to answer with, or -errno when the request does not come. */
static int read_request(struct file *file, nanoseconds deadline)
{
    static char request[HTTP_HEADER_MAX];
    size_t used = 0;
    unsigned status;
    while ((status = http_request_read(request, used, "/metrics")) == 0) {
        ssize_type received = kernel_socket_receive(file, request + used, sizeof(request) - used, deadline);
        if (received <= 0)
            return received == 0 ? -ECONNRESET : (int)received;
        used += (size_t)received;
    }
    return (int)status;
}

/* A client that goes away or stalls is its own affair, so what sending returns is not looked at. */
static void serve(struct file *file)
{
    nanoseconds deadline = clock_monotonic() + SERVE_PATIENCE;
    int status = read_request(file, deadline);
    if (status == HTTP_OK)
        (void)send_metrics(file, deadline);
    else if (status > 0)
        (void)refuse(file, (unsigned)status, deadline);
    file_put(file);
}

static void run(void *unused)
{
    struct socket *socket = socket_of(listener);
    (void)unused;
    for (;;) {
        struct file *file;
        if (socket->operations->accept(socket, 0, &file, NULL) == 0) {
            serve(file);
            continue;
        }
        sleep_prepare();
        (void)sleep_until(clock_monotonic() + RETRY, SLEEP_UNINTERRUPTIBLE);
    }
}

void metrics_start(uint16_t port)
{
    int error = kernel_socket_listen(port, &listener);
    if (error < 0)
        log_error("metrics cannot be served on port %u (%s); choose another port", port, errno_name(error));
    else
        thread_start_kernel("metrics", run, NULL);
}
