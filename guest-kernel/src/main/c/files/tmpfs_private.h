/* SPDX-License-Identifier: Apache-2.0 */
/* Between tmpfs.c, which has file systems, inodes and the budget, and tmpfs_contents.c, which has what is in files. */
#pragma once

#include "files/scratch/scratch.h"
#include "files/tmpfs.h"
#include "files/vfs.h"

struct tmpfs {
    struct file_system fs;
    int64_t limit, used;       /* pages; atomic */
    bool program_memory;       /* its pages count like memory without a file, not in the common budget */
    int64_t node_limit, nodes; /* inodes and their names but the first; atomic */
    uint64_t next_number;      /* atomic */
    struct scratch *scratch;   /* NULL: pages stay in memory */
};
struct tmpfs_inode {
    struct inode inode;
    struct scratch_file stored; /* where pages are on the scratch disk, if there is one */
    char *target;               /* of symbolic links */
    bool kept;                  /* has a reference of its own */
};

static inline struct tmpfs *tmpfs_of(struct inode *inode) { return container_of(inode->fs, struct tmpfs, fs); }
static inline struct tmpfs_inode *tmpfs_node_of(struct inode *inode)
{
    return container_of(inode, struct tmpfs_inode, inode);
}
/* NULL: its pages are in memory only. */
static inline struct scratch_file *tmpfs_stored_of(struct inode *inode)
{
    return tmpfs_of(inode)->scratch ? &tmpfs_node_of(inode)->stored : NULL;
}

/* tmpfs.c. Pages, of the file system and of the common budget. 0 or -ENOSPC. Atomic. */
int tmpfs_take_pages(struct tmpfs *tmpfs, int64_t count);
void tmpfs_give_pages(struct tmpfs *tmpfs, int64_t count);

/* tmpfs_contents.c. All from `first` to `end`, which is where the file ends or after it, as page indices. */
void tmpfs_drop_pages(struct inode *inode, uint64_t first, uint64_t end);
/* Under inode->lock: those of struct inode_operations. */
int tmpfs_resize(struct inode *inode, uint64_t size);
int tmpfs_allocate(struct inode *inode, uint64_t offset, uint64_t length, bool keep_size, bool hole);
extern const struct page_source_operations tmpfs_memory_pages, tmpfs_scratch_pages;
extern const struct file_operations tmpfs_file_operations;
