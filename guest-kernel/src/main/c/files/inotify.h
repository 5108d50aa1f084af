/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7) for memory file systems; read-only ones never change. Spinlock "inotify" guards watches and
 * queues of events; it is taken inside every lock of files/ except wait_queue and heap.
 */
#pragma once

#include "lib/types.h"

struct dentry;
struct file;
struct inode;

/* linux/inotify.h */
#define IN_ACCESS 0x1u
#define IN_MODIFY 0x2u
#define IN_ATTRIB 0x4u
#define IN_CLOSE_WRITE 0x8u
#define IN_CLOSE_NOWRITE 0x10u
#define IN_OPEN 0x20u
#define IN_MOVED_FROM 0x40u
#define IN_MOVED_TO 0x80u
#define IN_CREATE 0x100u
#define IN_DELETE 0x200u
#define IN_DELETE_SELF 0x400u
#define IN_MOVE_SELF 0x800u
#define IN_Q_OVERFLOW 0x4000u
#define IN_IGNORED 0x8000u
#define IN_ONLYDIR 0x1000000u
#define IN_DONT_FOLLOW 0x2000000u
#define IN_MASK_ADD 0x20000000u
#define IN_ISDIR 0x40000000u
#define IN_ONESHOT 0x80000000u

/* NULL without memory. */
struct file *inotify_create(uint32_t flags);
/* A watch descriptor, or -errno (-EINVAL: not an inotify file). */
int inotify_add(struct file *file, struct inode *inode, uint32_t mask);
int inotify_remove(struct file *file, int watch);
/* Something happened to a name: notifies watchers of its directory. Before a removal, after a creation. */
void inotify_name(struct dentry *dentry, uint32_t events, uint32_t cookie);
/* Something happened to a file: notifies watchers of it and, if it has a name, of its directory. */
void inotify_file(struct inode *inode, struct dentry *dentry, uint32_t events);
/* A number that ties IN_MOVED_FROM to IN_MOVED_TO. */
uint32_t inotify_cookie(void);
/* The inode is about to be freed. */
void inotify_forget(struct inode *inode);
