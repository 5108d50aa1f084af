/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll(7). Each interest hangs a callback on the wait queue of the file it watches; an event puts the interest on its
 * instance's ready list, so the cost of waiting grows with what is ready, not with what is watched.
 *
 * Locks: mutex "epoll control" guards the sets of interests and the lists of watchers of all files; the
 * instance's mutex keeps interests alive while ready ones are looked at; the instance's spinlock "epoll"
 * guards its ready list and is taken by callbacks, so inside the watched file's wait_queue lock.
 * Order: epoll control > instance > wait_queue of a file > epoll > wait_queue of the instance.
 */
#pragma once

#include "lib/types.h"

struct file;

/* linux/eventpoll.h */
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLET (1u << 31)
#define EPOLLONESHOT (1u << 30)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLEXCLUSIVE (1u << 28)

struct epoll_event {
    uint32_t events;
    uint64_t data;
} packed; /* as on x86-64, linux/eventpoll.h */

struct file *epoll_create(uint32_t flags);
/* epoll_ctl(2); the caller holds a reference to both files. -EINVAL where `epoll` is none, or where a file would wake
 * too many instances that watch instances; -ELOOP for cycles and for more than four instances below one. May sleep. */
int epoll_control(struct file *epoll, int operation, int descriptor, struct file *file,
                  const struct epoll_event *event);
#define EPOLL_FEW 64u
/* What one call of epoll_wait(2) reports, in kernel memory: more than a few are on the heap. */
struct epoll_events {
    struct epoll_event few[EPOLL_FEW], *list;
};
/* epoll_wait(2) until the monotonic deadline: up to `limit` events, but EPOLL_FEW if there is no memory for more; the
 * rest stays ready. Their number, 0 at the deadline, -EINTR, -EINVAL where `epoll` is none. May sleep. A number above 0
 * is followed by epoll_events_free(). */
int epoll_wait(struct file *epoll, struct epoll_events *out, unsigned limit, nanoseconds deadline);
void epoll_events_free(struct epoll_events *events);
/* The file is being released. */
void epoll_forget(struct file *file);
