/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of ext2/. */
#pragma once

#include "files/block_io.h"
#include "files/ext2/format.h"
#include "files/vfs.h"
#include "lib/errno.h"

struct ext2 {
    struct file_system fs;
    struct block_cache cache;
    uint32_t inodes_count, blocks_count, first_data_block;
    uint32_t inodes_per_group, group_count, first_inode;
    uint32_t block_size, block_shift, inode_size;
    uint64_t group_table; /* byte offset of the group descriptors */
    bool types;           /* entries carry a file type */
    uint32_t free_blocks, free_inodes;
};

struct ext2_index;

struct ext2_inode {
    struct inode inode;
    uint32_t blocks[EXT2_BLOCK_POINTERS];
    uint32_t sectors;         /* 0 for a symbolic link: the target lies in `blocks` */
    struct ext2_index *index; /* of a big directory; made under "namespace", then constant */
};

static inline struct ext2 *ext2_of(const struct inode *inode) { return container_of(inode->fs, struct ext2, fs); }

static inline struct ext2_inode *ext2_inode_of(struct inode *inode)
{
    return container_of(inode, struct ext2_inode, inode);
}

/* ext2/inode.c: the inode with a reference. 0, -EIO for what is damaged, -ENOMEM. */
int ext2_get_inode(struct ext2 *ext2, uint32_t number, struct inode **out);

/* ext2/blocks.c */
extern const struct page_source_operations ext2_page_operations;

/* ext2/directory.c */
int ext2_lookup(struct inode *directory, const char *name, size_t length, struct inode **out);
int ext2_list(struct inode *directory, uint64_t *cursor, struct listing *listing);

/* One entry at an offset of a directory; the name is copied to `name` (NAME_LIMIT bytes). 0, -EIO for a
 * damaged one, -ENOENT at the end. *offset moves to the next entry. */
int ext2_next_entry(struct inode *directory, uint64_t *offset, struct ext2_entry *entry, char *name);

/* ext2/index.c: names of big directories by hash. */
#define EXT2_INDEX_FROM (4 * PAGE_SIZE) /* bytes of a directory that make it worth an index */
/* NULL: no memory, or the directory is damaged. */
struct ext2_index *ext2_index_build(struct inode *directory);
/* The inode number, 0: no such name. 0 or -errno. */
int ext2_index_find(struct inode *directory, const struct ext2_index *index, const char *name, size_t length,
                    uint32_t *number);
void ext2_index_free(struct ext2_index *index);
