#include "lib/errno.h"
#include "lib/string.h"
#include "memory/transfer.h"
#include "memory/user.h"

void transfer_init_spans(struct transfer *transfer, const struct span *spans, size_t count)
{
    *transfer = (struct transfer){ .spans = spans };
    for (size_t i = 0; i < count; i++)
        transfer->remaining += spans[i].length;
}

void transfer_init_user(struct transfer *transfer, uintptr_t base, size_t length)
{
    *transfer = (struct transfer){ .single = { base, length }, .remaining = length };
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

static ssize_type run(struct transfer *transfer, enum direction direction, void *here, size_t length)
{
    size_t moved = 0;
    while (moved < length && transfer->remaining) {
        const struct span *span = transfer->spans ? &transfer->spans[transfer->index] : &transfer->single;
        size_t left = span->length - transfer->offset;
        if (!left) {
            transfer->index++;
            transfer->offset = 0;
            continue;
        }
        size_t n = min_of(left, length - moved);
        if (move(transfer, direction, span->base + transfer->offset, (char *)here + moved, n))
            return moved ? (ssize_type)moved : -EFAULT;
        moved += n;
        transfer->offset += n;
        transfer->remaining -= n;
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

ssize_type transfer_in(struct transfer *transfer, void *to, size_t length)
{
    return run(transfer, IN, to, length);
}
