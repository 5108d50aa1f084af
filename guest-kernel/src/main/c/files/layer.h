/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a memory file system over a directory of the image adds to files/tmpfs.c (files/layer.c).
 */
#pragma once

#include "files/vfs.h"

/* Of inodes; they do nothing for those without a `below` that still counts. */
int layer_lookup(struct inode *directory, const char *name, size_t length, struct inode **out);
int layer_list(struct inode *directory, uint64_t *cursor, struct listing *listing);
int layer_settle(struct dentry *directory);

/* What the image has of a page, with a reference; NULL with *error 0 if that is nothing. Sleeps. */
struct page *layer_page(struct inode *inode, uint32_t index, int *error);
/* Copies it into a page of the file's own, which is zeros. Does not sleep. */
void layer_copy(struct inode *inode, struct page *to, const struct page *from);

/* ---- In files/tmpfs.c ---- */

/* An inode that stands for one of the image and has its number. It counts against no budget before its name is made
 * lasting. NULL without memory. */
struct inode *tmpfs_make_over(struct file_system *fs, struct inode *below);
/* A name of such an inode becomes lasting. 0 or -ENOSPC. */
int tmpfs_keep_name(struct inode *inode);
