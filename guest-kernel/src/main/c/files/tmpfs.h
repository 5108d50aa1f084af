/*
 * The memory file system: pages in the page cache that are never evicted, names in the dentry tree.
 * `limit` bounds the pages of a file system; its inodes and further names are at most half of memory's pages. All
 * memory file systems together get half of memory, and none the last of it (PAGES_KEPT). Beyond it is -ENOSPC.
 * Counting is atomic; size and contents change under inode->lock.
 */
#pragma once

#include "lib/types.h"

struct file;
struct file_system;
struct inode;

/* A file system that takes up to `bytes`; NULL without memory. `mode` is the root's permission bits. */
struct file_system *tmpfs_create(uint64_t bytes, uint32_t mode);
/* A quarter of the guest's memory: the limit where none was given. */
uint64_t tmpfs_default_limit(void);
/* Sets the target of a new symbolic link. */
int tmpfs_set_link(struct inode *inode, const char *target);
/* memfd_create(2): a file without a name. NULL without memory. */
struct file *tmpfs_memory_file(uint32_t flags);
