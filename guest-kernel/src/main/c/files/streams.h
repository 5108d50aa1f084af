/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files without a file system: pipe(2), eventfd(2), timerfd_create(2); and named pipes, of which only the name is in
 * one. Each has its own lock, named after it, taken outside wait_queue and timers.
 */
#pragma once

#include "files/file.h"
#include "threads/interval_timer.h"

#define PIPE_CAPACITY 65536u /* bytes, pipe(7) */
#define PIPE_ATOMIC 4096u    /* PIPE_BUF: writes up to it are not torn */

/* Both ends of a new pipe. 0 or -ENOMEM. */
int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end);
/*
 * What splice(2) is made of. A mover moves up to `length` bytes to or from kernel memory without waiting: bytes, 0 at
 * an end, -EAGAIN or another -errno; it is called with the pipe's mutex held, which is taken before those of files and
 * sockets.
 * Each of these moves what there is now: bytes, 0 at the end (no writer, or the mover's), -EAGAIN, -EPIPE (no reader),
 * ...
 */
typedef ssize_type pipe_mover(void *context, void *data, size_t length);
ssize_type pipe_drain(struct file *read_end, size_t limit, pipe_mover *move, void *context);
ssize_type pipe_fill(struct file *write_end, size_t limit, pipe_mover *move, void *context);
/* Bytes of one pipe for another one; `keep`: they stay in the first, as for tee(2). */
ssize_type pipe_copy(struct file *read_end, struct file *write_end, size_t limit, bool keep);
/* Waits until there are bytes or an end; until there is room or no reader. 0 or -EINTR. */
int pipe_wait_readable(struct file *read_end);
int pipe_wait_writable(struct file *write_end);
/* Makes the file an end, or both, of the named pipe of this inode, as open(2) does: waits for the other end unless
 * O_NONBLOCK. 0, -ENXIO, -EINTR or -ENOMEM. */
int fifo_open(struct inode *inode, struct file *file);
bool is_pipe(const struct file *file);
bool is_same_pipe(const struct file *a, const struct file *b);

/* NULL without memory. */
struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags);

/* `wall`: absolute times are of the wall clock. NULL without memory. */
struct file *timerfd_create(bool wall, uint32_t flags);
/* The timer inside, for as long as the file is open; NULL where `file` is no timerfd. */
struct interval_timer *timerfd_timer(struct file *file);
/* timerfd_settime(2) of a timerfd. `cancel`: a step of the wall clock makes the next read fail with -ECANCELED, if the
 * time is absolute and of that clock. 0, or -ECANCELED if such a step had not been reported yet; the timer is set
 * either way. */
int timerfd_set(struct file *file, const struct interval_setting *setting, bool absolute, bool cancel,
                struct interval_setting *old);
