/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of ext2/.
 *
 * A file system that can be written has its metadata (superblock, groups, bitmaps, inodes, tables of block numbers,
 * directories) in memory until a commit (commit.c) writes what has changed. Mutex "ext2" guards all of it, and the
 * block numbers of inodes; it is taken inside "namespace" and inode->lock. Spinlock "ext2 inodes" guards the lists of
 * inodes. Who only reads a file's block numbers takes no lock: a number is one word, and a block is not used for
 * anything else before the pages of the file have been dropped and a commit has ended. docs/data-disks.md has the order
 * of writes.
 */
#pragma once

#include "files/block_io.h"
#include "files/ext2/format.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/tree.h"

struct ext2 {
    struct file_system fs;
    struct block_cache cache;
    uint32_t inodes_count, blocks_count, first_data_block;
    uint32_t inodes_per_group, group_count, first_inode;
    uint32_t block_size, block_shift, inode_size;
    uint64_t group_table;              /* byte offset of the group descriptors */
    bool types;                        /* entries carry a file type */
    uint32_t free_blocks, free_inodes; /* ext2, as all that follows in a file system that is written */
    bool writable, sparse_copies;      /* never change; the latter: not each group has a copy of the superblock */
    uint32_t blocks_per_group;         /* never changes */
    struct mutex lock;
    struct tree changed; /* struct changed_block, by number */
    uint32_t changed_count;
    uint32_t search_group; /* where the last block was found that its file had no wish for */
    /* What was given back since the last commit, and is taken by no one before the next has ended. */
    struct ext2_pending *pending;
    int failed; /* 0, or the error after which nothing on the disk changes; never changes back */
    struct spinlock inodes_lock;
    struct list changed_inodes;  /* inodes_lock: to be written by the next commit; with a reference each */
    struct list unsaved_inodes;  /* inodes_lock: have dirty pages only; with a reference each */
    struct list nameless_inodes; /* inodes_lock: links == 0; no reference */
    uint32_t unsaved_count;      /* inodes_lock */
    struct wait_queue wanted;    /* of the thread that commits (commit.c) */
    struct mutex spare_lock;
    struct page *spare; /* ext2 spare: for a table that is read where there is no memory */
};

#define EXT2_PENDING_BLOCKS 4000u
#define EXT2_PENDING_INODES 90u
struct ext2_pending {
    uint32_t block_count, inode_count;
    uint32_t blocks[EXT2_PENDING_BLOCKS], inodes[EXT2_PENDING_INODES];
};

struct ext2_index;

struct ext2_inode {
    struct inode inode;
    uint32_t blocks[EXT2_BLOCK_POINTERS];
    uint32_t sectors;         /* 0 for a symbolic link: the target lies in `blocks` */
    struct ext2_index *index; /* namespace: of a big directory, or NULL */
    /* Of a file system that is written: */
    uint32_t flags, file_acl; /* as on the disk; ext2 */
    uint32_t room_block;      /* namespace: of a directory, by place in it: where to look for room */
    bool fresh;               /* ext2: has got blocks whose contents must be on the disk before a commit */
    bool resized;             /* ext2: fdatasync(2) needs a commit */
    bool replaced;            /* namespace: another file got its name */
    enum { EXT2_UNLISTED, EXT2_CHANGED, EXT2_UNSAVED, EXT2_NAMELESS } listed; /* inodes_lock */
    struct list link;                                                         /* inodes_lock: in that list */
    struct list committing; /* ext2: in the list of the commit that is going on */
};

static inline struct ext2 *ext2_of(const struct inode *inode) { return container_of(inode->fs, struct ext2, fs); }

static inline struct ext2_inode *ext2_inode_of(struct inode *inode)
{
    return container_of(inode, struct ext2_inode, inode);
}

/* ext2/inode.c: the inode with a reference. 0, -EIO for what is damaged, -ENOMEM. */
int ext2_get_inode(struct ext2 *ext2, uint32_t number, struct inode **out);

/* Where an inode lies on the disk, in bytes. 0, -EIO, -ENOMEM. */
int ext2_locate_inode(struct ext2 *ext2, uint32_t number, uint64_t *offset);
/* A new inode, as struct inode_operations has it. */
int ext2_make(struct inode *directory, uint32_t mode, struct inode **out);
int ext2_set_link(struct inode *link, const char *target);
/* Puts what the inode says where the disk has it. Under ext2->lock. 0, -EIO, -ENOMEM. */
int ext2_store_inode(struct ext2_inode *node);
/* Gives back the inode, which has no name, and its blocks. No ext2->lock. */
void ext2_remove_inode(struct ext2_inode *node);

/* ext2/blocks.c */
extern const struct page_source_operations ext2_page_operations;
/* Finds where up to `count` blocks of a file are, from `logical` on; 0: nowhere, a hole. How many have been found, at
 * least one, or -EIO, -ENOMEM. */
int ext2_map(struct ext2_inode *node, uint64_t logical, uint32_t *blocks, unsigned count);
/* How many tables lead to a block that is not a direct one; its place among those that the first table leads to is left
 * in *logical. -EIO: no file is so large. */
int ext2_depth(const struct ext2 *ext2, uint64_t *logical);
static inline bool ext2_outside(const struct ext2 *ext2, uint32_t block)
{
    return block <= ext2->first_data_block || block >= ext2->blocks_count;
}
int ext2_fill(struct page_source *source, uint32_t index, struct page **pages, unsigned count);

/* ext2/changes.c: blocks of metadata. All under ext2->lock. */
/* The bytes of a block, which are written with the next commit and stay where they are until then. NULL with *error
 * -EIO or -ENOMEM. */
void *ext2_change(struct ext2 *ext2, uint32_t block, int *error);
/* The same for a block that was allocated just now: zeros. It is written before anything that may refer to it. */
void *ext2_change_new(struct ext2 *ext2, uint32_t block, int *error);
/* The block is no metadata any more. */
void ext2_forget(struct ext2 *ext2, uint32_t block);
/* Writes the new blocks, or all others. 0 or the device's error. */
int ext2_write_changes(struct ext2 *ext2, bool fresh);
bool ext2_has_fresh_changes(struct ext2 *ext2);
/* All of them have been written, or never will be. */
void ext2_forget_changes(struct ext2 *ext2);
#define EXT2_CHANGES_MOST 1024u /* blocks that are kept in memory before a commit */
/* Byte `offset` of the disk, in a block that is changed. */
void *ext2_change_at(struct ext2 *ext2, uint64_t offset, int *error);

/* ext2/allocate.c. All under ext2->lock. */
/* A free block, `goal` or one near it. 0: none, with *error -ENOSPC, -EIO or -ENOMEM. */
uint32_t ext2_allocate_block(struct ext2 *ext2, uint32_t goal, int *error);
/* Room in `pending` must have been made (ext2_pending_room). */
void ext2_free_block(struct ext2 *ext2, uint32_t block);
uint32_t ext2_allocate_inode(struct ext2 *ext2, uint32_t near, bool directory, int *error);
void ext2_free_inode(struct ext2 *ext2, uint32_t number);
/* Whether so many blocks, and an inode, can be given back before the next commit. */
bool ext2_pending_room(const struct ext2 *ext2, uint32_t blocks);
/* After a commit: what is pending is free. 0 or -errno. */
int ext2_release_pending(struct ext2 *ext2);
/* One directory more or less in the group of this inode. */
int ext2_count_directory(struct ext2 *ext2, uint32_t number, int n);

/* ext2/tables.c. Under ext2->lock. The block of a file at `logical`, allocated if there is none; contents of a `table`
 * (a directory or a link) are metadata. 0 or -errno. */
int ext2_allocate_at(struct ext2_inode *node, uint64_t logical, bool metadata, uint32_t *block);
/* Gives back the blocks from `first` on. Takes ext2->lock, and commits as needed; gives way. 0 or -errno. */
int ext2_truncate(struct ext2_inode *node, uint64_t first);

/* ext2/contents.c */
extern const struct page_source_operations ext2_written_pages;
extern const struct file_operations ext2_file_operations;
int ext2_resize(struct inode *inode, uint64_t size);

/* ext2/entries.c: as struct inode_operations has them. */
int ext2_link(struct dentry *absent, struct inode *inode);
int ext2_unlink(struct dentry *name);
int ext2_move(struct dentry *from, struct dentry *to);
int ext2_check_empty(struct inode *directory);
/* Makes the first block of a new directory. Under ext2->lock. */
int ext2_make_directory(struct ext2_inode *node, uint64_t parent);

/* ext2/commit.c */
/* The inode has changed. Any lock but a spinlock. */
void ext2_inode_changed(struct inode *inode);
/* Nothing refers to it any more. */
void ext2_unlist(struct ext2_inode *node);
/* Writes all metadata that has changed, and before it what it refers to. 0, -EIO, -ENOMEM. No ext2->lock. */
int ext2_commit(struct ext2 *ext2);
/* The same before a change if much has changed; no locks but "namespace" and an inode's. */
int ext2_relieve(struct ext2 *ext2);
/* After -ENOSPC: whether a commit has made room. As ext2_relieve(). */
bool ext2_regain(struct ext2 *ext2);
/* A write failed. Returns -EIO. */
int ext2_fail(struct ext2 *ext2, int error);
int ext2_sync(struct inode *inode, bool data_only);
int ext2_sync_all(struct file_system *fs);
void ext2_end(struct file_system *fs);
/* Makes the file system one that can be written; the superblock has been checked. 0 or -errno, logged. */
int ext2_start_writing(struct ext2 *ext2, bool clean);
/* Last, when nothing can fail any more: starts the thread that commits. */
void ext2_start_commits(struct ext2 *ext2);
/* Where mounting fails after all. */
void ext2_stop_writing(struct ext2 *ext2);

/* ext2/check.c: makes all counts and bitmaps right again. 0 or -errno, logged. Under ext2->lock. */
int ext2_check(struct ext2 *ext2);

/* ext2/directory.c */
int ext2_lookup(struct inode *directory, const char *name, size_t length, struct inode **out);
int ext2_list(struct inode *directory, uint64_t *cursor, struct listing *listing);

/* Finds a name: its inode and where its entry lies in the directory. 0, -ENOENT, -EIO, -ENOMEM. Under "namespace". */
int ext2_find(struct inode *directory, const char *name, size_t length, uint32_t *number, uint64_t *offset);
/* One entry at an offset of a directory; the name is copied to `name` (NAME_LIMIT bytes). 0, -EIO for a
 * damaged one, -ENOENT at the end. *offset moves to the next entry. */
int ext2_next_entry(struct inode *directory, uint64_t *offset, struct ext2_entry *entry, char *name);

/* ext2/index.c: names of big directories by hash. */
#define EXT2_INDEX_FROM (4 * PAGE_SIZE) /* bytes of a directory that make it worth an index */
/* NULL: no memory, or the directory is damaged. */
struct ext2_index *ext2_index_build(struct inode *directory);
/* Where the entry lies. 0 or -errno. */
int ext2_index_find(struct inode *directory, const struct ext2_index *index, const char *name, size_t length,
                    uint32_t *number, uint64_t *offset);
/* Enters a name. False: the index is full, and has to be made anew. */
bool ext2_index_add(struct ext2_index *index, const char *name, size_t length, uint64_t offset);
void ext2_index_free(struct ext2_index *index);
