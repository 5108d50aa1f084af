/* SPDX-License-Identifier: Apache-2.0 */
/* Between check.c, which looks at inodes and blocks, and check_names.c, which looks at directories. */
#pragma once

#include "files/ext2/internal.h"

struct ext2_check {
    struct ext2 *ext2;
    const char *problem; /* what the check does not repair, or NULL */
    uint32_t removed;    /* inodes without a name: all has to be looked at again */
    uint32_t repairs;    /* of names and inodes */
};

/* What a loss of power does not do: e2fsck has to repair it. -EIO. */
int ext2_check_stop(struct ext2_check *check, const char *problem);
/* A copy of an inode on the disk. 0, -EIO, -ENOMEM. */
int ext2_check_read(struct ext2_check *check, uint32_t number, struct ext2_disk_inode *out);
/* Replaces it. */
int ext2_check_write(struct ext2_check *check, uint32_t number, const struct ext2_disk_inode *inode);
/* Calls visit() for each inode in use, by the bitmaps. Ends with the first error. */
int ext2_check_each(struct ext2_check *check, int (*visit)(struct ext2_check *check, uint32_t number, void *context),
                    void *context);
bool ext2_check_is_used(struct ext2_check *check, uint32_t number, int *error);
/* Keeps memory bounded: writes what has changed if that is much. What ext2_change() gave is not valid any more. */
int ext2_check_relieve(struct ext2_check *check);
/* Makes the names right, and the counts of links. */
int ext2_check_names(struct ext2_check *check);
/* A node with what ext2_map() and ext2_next_entry() need. */
void ext2_check_node(struct ext2_check *check, const struct ext2_disk_inode *inode, struct ext2_inode *node);
