/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file system: pages in the page cache that are never evicted, names in the dentry tree. It may lie over a
 * directory of the image (files/layer.c).
 *
 * All memory file systems together get half of memory, and none the last of it (PAGES_KEPT). One may have a limit of
 * its own for its pages; inodes and further names are at most half of memory's pages. Beyond all that is -ENOSPC. Files
 * of memfd_create(2) are memory of the program like any other, as on Linux: only PAGES_KEPT limits them. Pages on a
 * scratch disk are limited by the disk alone, and dropped when memory is short; its inodes count as all others do.
 * Counting is atomic; size and contents change under inode->lock.
 */
#pragma once

#include "lib/types.h"

struct file;
struct file_system;
struct inode;

/* A file system that takes up to `bytes`, 0: what all together may take; NULL without memory. `mode` is the root's
 * permission bits. */
struct file_system *tmpfs_create(uint64_t bytes, uint32_t mode);
/* One whose pages lie on a scratch disk (files/scratch/scratch.h), of which it alone makes use. */
struct scratch;
struct file_system *tmpfs_create_on(struct scratch *scratch, uint32_t mode);
/* One that shows the directory `below` of the image until it is changed. */
struct file_system *tmpfs_create_over(struct inode *below, uint64_t bytes);
/* Bytes of the budget that all memory file systems share. */
bool tmpfs_take_bytes(size_t bytes);
void tmpfs_give_bytes(size_t bytes);
/* fcntl(2), F_ADD_SEALS: what may not be done to the file any more; bits as on Linux. 0, -EPERM, or -EBUSY. */
#define SEAL_SEAL 1u
#define SEAL_SHRINK 2u
#define SEAL_GROW 4u
#define SEAL_WRITE 8u
#define SEAL_FUTURE_WRITE 16u
#define SEAL_EXECUTE 32u
int tmpfs_add_seals(struct inode *inode, uint32_t seals);
bool tmpfs_has_seals(const struct inode *inode);
/* memfd_create(2): a file without a name. NULL without memory. */
struct file *tmpfs_memory_file(uint32_t flags);
