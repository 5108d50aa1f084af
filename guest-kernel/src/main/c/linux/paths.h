/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path arguments of system calls: a directory descriptor (or AT_FDCWD) and a user string.
 */
#pragma once

#include "files/vfs.h"

struct user_path {
    struct page *page; /* holds the text */
    char *text;
    struct dentry *start; /* one reference; NULL where the path is absolute */
};

/* Copies the path and finds its start. 0 or -errno; after 0 the caller calls path_end(). */
int path_begin(struct user_path *path, int directory, uintptr_t address);
/* The same for walks that need the start also of an absolute path. */
int path_begin_at(struct user_path *path, int directory, uintptr_t address);
void path_end(struct user_path *path);
/* The file a path names, or the descriptor's own for an empty path with AT_EMPTY_PATH in `at_flags`. `walk`:
 * WALK_*. *out with a reference. 0 or -errno; -EBADF also for descriptors without a name. */
int path_to_dentry(int directory, uintptr_t address, unsigned walk, unsigned at_flags, struct dentry **out);

/* umask(2). */
extern uint32_t file_creation_mask;
