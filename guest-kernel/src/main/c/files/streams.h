/*
 * Files without a file system: pipe(2), eventfd(2), timerfd_create(2). Each has its own lock, named
 * after it, taken outside wait_queue and timers.
 */
#pragma once

#include "files/file.h"

#define PIPE_CAPACITY 65536u         /* bytes, pipe(7) */
#define PIPE_ATOMIC 4096u            /* PIPE_BUF: writes up to it are not torn */

/* Both ends of a new pipe. 0 or -ENOMEM. */
int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end);
/* NULL without memory. */
struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags);

struct timerfd_setting {
    nanoseconds value, interval;     /* durations; value 0: not running; interval 0: once */
};
/* `wall`: absolute times are of the wall clock. NULL without memory. */
struct file *timerfd_create(bool wall, uint32_t flags);
/* -EINVAL where `file` is no timerfd. */
int timerfd_set(struct file *file, const struct timerfd_setting *setting, bool absolute);
int timerfd_get(struct file *file, struct timerfd_setting *setting);
