/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A position in a row of spans that only moves on; `remaining` is what is left from there to the end of the last span.
 * Ranges of user memory are checked when they are read from the program, and each copy checks again (memory/user.h); no
 * more than USER_PIECE is copied at a time. A copy that fails after some bytes reports those, and the next one the
 * error.
 *
 * Each step counts for its bytes and for STEP_COST, and about every USER_PIECE of that gives way, so a program cannot
 * keep the CPU by many small spans. Hence no spinlock may be held, nor what memory/user.h forbids.
 *
 * Transfers are set up by linux/, net/ and files/ and moved by the read and write functions of files and sockets. Each
 * belongs to one thread, mostly on its stack, so there are no locks.
 */
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/transfer.h"
#include "memory/user.h"
#include "threads/thread.h"

#define STEP_COST 128 /* bytes whose copying takes about as long as a call without any */
#define RANDOM_COST 8 /* making a random byte takes as long as copying this many */

void transfer_init_iovec(struct transfer *transfer, const struct iovec *iov, size_t count)
{
    *transfer = (struct transfer){ .iov = iov };
    for (size_t i = 0; i < count; i++)
        transfer->remaining += iov[i].length;
}

void transfer_init_user(struct transfer *transfer, uintptr_t base, size_t length)
{
    *transfer = (struct transfer){ .single = { base, length }, .remaining = length };
}

int transfer_init_buffer(struct transfer *transfer, uintptr_t base, size_t length)
{
    if (!user_range_ok(base, length))
        return -EFAULT;
    transfer_init_user(transfer, base, min_of(length, TRANSFER_LIMIT));
    return 0;
}

int transfer_read_iovec(struct iovec *iov, uintptr_t address, size_t count)
{
    if (user_read(iov, address, count * sizeof(*iov)))
        return -EFAULT;
    size_t left = TRANSFER_LIMIT;
    for (size_t i = 0; i < count; i++) {
        if ((int64_t)iov[i].length < 0)
            return -EINVAL;
        if (!user_range_ok(iov[i].base, iov[i].length))
            return -EFAULT;
        iov[i].length = min_of(iov[i].length, left);
        left -= iov[i].length;
    }
    return 0;
}

void transfer_init_kernel(struct transfer *transfer, void *base, size_t length)
{
    transfer_init_user(transfer, (uintptr_t)base, length);
    transfer->kernel = true;
}

enum direction { OUT, OUT_ZEROS, IN };

static int move(const struct transfer *transfer, enum direction direction, uintptr_t there, void *here, size_t n)
{
    switch (direction) {
    case OUT:
        if (!transfer->kernel)
            return user_write(there, here, n);
        memcpy((void *)there, here, n);
        return 0;
    case OUT_ZEROS:
        if (!transfer->kernel)
            return user_clear(there, n);
        memset((void *)there, 0, n);
        return 0;
    default:
        if (!transfer->kernel)
            return user_read(here, there, n);
        memcpy(here, (const void *)there, n);
        return 0;
    }
}

static void count_step(struct transfer *transfer, size_t n)
{
    transfer->since_gave_way += n + STEP_COST;
    if (transfer->since_gave_way < USER_PIECE)
        return;
    transfer->since_gave_way = 0;
    give_way();
}

static ssize_type run(struct transfer *transfer, enum direction direction, void *here, size_t length)
{
    size_t moved = 0;
    while (moved < length && transfer->remaining) {
        const struct iovec *entry = transfer->iov ? &transfer->iov[transfer->index] : &transfer->single;
        size_t left = entry->length - transfer->offset;
        if (!left) {
            transfer->index++;
            transfer->offset = 0;
            continue;
        }
        size_t n = min_of(min_of(left, length - moved), (size_t)USER_PIECE);
        if (move(transfer, direction, entry->base + transfer->offset, (char *)here + moved, n))
            return moved ? (ssize_type)moved : -EFAULT;
        moved += n;
        transfer->offset += n;
        transfer->remaining -= n;
        count_step(transfer, n);
    }
    return (ssize_type)moved;
}

ssize_type transfer_out(struct transfer *transfer, const void *from, size_t length)
{
    return run(transfer, OUT, (void *)from, length);
}

ssize_type transfer_out_zeros(struct transfer *transfer, size_t length)
{
    return run(transfer, OUT_ZEROS, NULL, length);
}

ssize_type transfer_in(struct transfer *transfer, void *to, size_t length) { return run(transfer, IN, to, length); }

ssize_type transfer_out_random(struct transfer *transfer)
{
    uint8_t bytes[1024];
    ssize_type total = 0, moved = 0;
    while (transfer->remaining && moved >= 0) {
        size_t n = min_of(transfer->remaining, sizeof(bytes));
        random_bytes(bytes, n);
        moved = transfer_out(transfer, bytes, n);
        total += max_of(moved, 0L);
        transfer->since_gave_way += n * RANDOM_COST;
    }
    memset(bytes, 0, sizeof(bytes));
    compiler_barrier();
    return total ? total : moved;
}
