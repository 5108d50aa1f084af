/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock(2): locks on inodes that belong to open files, so that two opens of one file exclude each other even
 * inside the one process. Mutex "flock".
 */
#pragma once

struct file;

/* sys/file.h */
#define FLOCK_SHARED 1u
#define FLOCK_EXCLUSIVE 2u
#define FLOCK_NONBLOCK 4u
#define FLOCK_UNLOCK 8u

/* 0, -EAGAIN, -EINTR, -EINVAL, -ENOMEM; -EBADF for files without an inode. */
int flock_file(struct file *file, unsigned operation);
/* The file is being released. */
void flock_forget(struct file *file);
