/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pipe.c (rings of bytes and their ends) and fifo.c (pipes with a name) share.
 */
#pragma once

#include "files/file.h"
#include "files/streams.h"
#include "lib/types.h"
#include "threads/wait.h"

#define PIPE_PAGES (PIPE_CAPACITY / PAGE_SIZE)

/*
 * A ring of pages, each there only while it holds bytes. The indices count all bytes since the pipe was made; their low
 * bits are places in the ring. They and the ends are changed under the mutex and read without it for readiness.
 */
struct pipe {
    struct mutex mutex;
    struct page *pages[PIPE_PAGES]; /* mutex */
    uint32_t read_at, write_at;     /* mutex */
    uint32_t readers, writers;      /* mutex */
    /* Of named pipes: how often each end was opened, and how many files and opens under way use it. */
    uint32_t readers_opened, writers_opened; /* mutex */
    uint32_t users;                          /* the inode's lock, which is taken outside */
    struct wait_queue queue;
    uint64_t number; /* st_ino */
    nanoseconds created;
};

/* An empty pipe without ends; NULL without memory. */
struct pipe *pipe_make(void);
void pipe_free(struct pipe *pipe);
/* Takes ends away, and wakes the other ones. True: there is no end left. Takes the mutex. */
bool pipe_close_ends(struct pipe *pipe, bool reader, bool writer);

/* Operations of files whose `private` is a pipe. */
ssize_type pipe_read(struct file *file, struct transfer *transfer, uint64_t *offset);
ssize_type pipe_write(struct file *file, struct transfer *transfer, uint64_t *offset);
unsigned pipe_poll_read_end(struct file *file);
unsigned pipe_poll_write_end(struct file *file);
struct wait_queue *pipe_queue(struct file *file);
int64_t pipe_ioctl(struct file *file, uint32_t request, uintptr_t argument);

/* fifo.c: the file is a named pipe. */
bool is_fifo(const struct file *file);
