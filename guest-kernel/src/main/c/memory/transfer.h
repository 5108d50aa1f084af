/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a read puts its bytes and a write takes them from: user buffers (one, or an iovec) or a
 * kernel buffer. A file's read and write functions move data with transfer_out/transfer_in and need
 * not know which. Not shared between threads.
 */
#pragma once

#include "lib/types.h"

struct iovec {      /* laid out as the ABI's, which transfer_read_iovec() reads in place */
    uintptr_t base; /* user address, or kernel pointer for kernel transfers */
    size_t length;
};

struct transfer {
    const struct iovec *iov;
    size_t index;     /* of the current entry */
    size_t offset;    /* into the current entry */
    size_t remaining; /* bytes to go in all entries */
    struct iovec single;
    bool kernel;
    size_t since_gave_way; /* bytes moved, and something for each call */
};

/* MAX_RW_COUNT of Linux: what one call moves at most. */
#define TRANSFER_LIMIT 0x7ffff000UL
/* UIO_MAXIOV, linux/uio.h: entries of a vector at most. */
#define IOVEC_LIMIT 1024u

/* A buffer that the program named, cut to TRANSFER_LIMIT. 0, or -EFAULT when it leaves the user half. */
must_check int transfer_init_buffer(struct transfer *transfer, uintptr_t base, size_t length);
/* Reads a vector of `count` entries that the program named, cut to TRANSFER_LIMIT in all. 0, -EFAULT, or -EINVAL when a
 * length is negative. */
must_check int transfer_read_iovec(struct iovec *iov, uintptr_t address, size_t count);
void transfer_init_user(struct transfer *transfer, uintptr_t base, size_t length);
void transfer_init_kernel(struct transfer *transfer, void *base, size_t length);
/* `iov` stays the caller's and unchanged; user addresses, from transfer_read_iovec(). */
void transfer_init_iovec(struct transfer *transfer, const struct iovec *iov, size_t count);

/* Moves min(length, remaining) bytes and advances. Returns bytes moved, or -EFAULT if not
 * one could be. May sleep (user memory); gives way now and then (threads/thread.h). */
ssize_type transfer_out(struct transfer *transfer, const void *from, size_t length); /* to the reader */
ssize_type transfer_out_zeros(struct transfer *transfer, size_t length);
ssize_type transfer_out_random(struct transfer *transfer);                  /* all that remains */
ssize_type transfer_in(struct transfer *transfer, void *to, size_t length); /* from the writer */
