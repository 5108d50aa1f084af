/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of streams.h: a Linux process at one end, and this thread, with the stack's sockets, at the other. */
#include "net/streams.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/errno.h"
#include "net/tap.h"

#define BUFFER 60000

bool stream_move(void *context)
{
    static uint8_t buffer[BUFFER];
    struct stream *s = context;
    const struct exchange *x = s->exchange;
    while (s->sent < x->from_stack) {
        size_t length = x->from_stack - s->sent < BUFFER ? x->from_stack - s->sent : BUFFER;
        pattern_fill(x->seed + 1, s->sent, buffer, length);
        ssize_type moved = stack_send(s->file, buffer, length, MSG_DONTWAIT);
        if (moved == -EAGAIN)
            break;
        s->wrong |= moved <= 0;
        if (s->wrong)
            return true;
        s->sent += (uint64_t)moved;
    }
    if (s->sent == x->from_stack && !s->shut) {
        s->wrong |= stack_shutdown(s->file, SHUT_WR) != 0;
        s->shut = true;
    }
    while (!s->end) {
        ssize_type moved = stack_receive(s->file, buffer, BUFFER, MSG_DONTWAIT);
        if (moved == -EAGAIN)
            break;
        s->wrong |= moved < 0 || !pattern_matches(x->seed, s->received, buffer, (size_t)(moved < 0 ? 0 : moved));
        if (s->wrong)
            return true;
        s->received += (uint64_t)moved;
        s->end = moved == 0;
    }
    return s->end && s->sent == x->from_stack;
}

void stream_exchange(struct file *file, const struct exchange *x, pid_t peer)
{
    struct stream stream = { .file = file, .exchange = x };
    nanoseconds start = clock_monotonic();
    bool finished = tap_run(stream_move, &stream, PATIENCE);
    CHECK(!stream.wrong);
    CHECK(finished);
    CHECK_EQUAL(stream.received, x->to_stack);
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    printf("# %lu + %lu bytes in %lu ms\n", x->to_stack, x->from_stack, (clock_monotonic() - start) / NS_PER_MS);
}

void stream_serve(uint64_t to_stack, uint64_t from_stack)
{
    struct file *listener = stack_listener(8), *file = NULL;
    struct exchange x = { stack_port(listener), -1, to_stack, from_stack, 17 };
    pid_t peer = peer_start(peer_exchange, &x);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    stream_exchange(file, &x, peer);
    file_put(file);
    file_put(listener);
}

void stream_call(uint64_t to_stack, uint64_t from_stack)
{
    struct exchange x = { 0, -1, to_stack, from_stack, 99 };
    x.listener = peer_listen(&x.port);
    pid_t peer = peer_start(peer_exchange, &x);
    close(x.listener);
    struct file *file = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_connect(file, LINUX_ADDRESS, x.port), 0);
    stream_exchange(file, &x, peer);
    file_put(file);
}
