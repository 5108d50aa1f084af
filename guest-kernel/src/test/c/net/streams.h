/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams between the stack under test and Linux, over whatever tap.h stands for: contents follow from a seed and are
 * compared at both ends. What fails, fails the running test.
 */
#pragma once

#include "net/linux_tests.h"
#include "net/support.h"

#define PATIENCE (60 * NS_PER_SECOND) /* of a test, for anything */

struct stream {
    struct file *file;
    const struct exchange *exchange;
    uint64_t sent, received;
    bool end, shut, wrong;
};

/* Moves what can be moved both ways without waiting; for tap_run(), with a struct stream. True: all has been moved, or
 * something is wrong. */
bool stream_move(void *context);
/* Moves what the exchange says on a connection, whose other end is this process. */
void stream_exchange(struct file *file, const struct exchange *x, pid_t peer);
/* A connection from Linux to the stack, or the other way round, on which so many bytes go each way. */
void stream_serve(uint64_t to_stack, uint64_t from_stack);
void stream_call(uint64_t to_stack, uint64_t from_stack);
