/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of files of memory (xattr(7)): a list at the inode, guarded by its lock. What they take counts
 * against the budget of all memory file systems (files/tmpfs.h).
 */
#pragma once

#include "lib/types.h"

#define ATTRIBUTE_NAME_LIMIT 255u   /* bytes, XATTR_NAME_MAX */
#define ATTRIBUTE_SIZE_LIMIT 65536u /* bytes, XATTR_SIZE_MAX; and of all names of a file, XATTR_LIST_MAX */
#define ATTRIBUTE_CREATE 1u         /* XATTR_CREATE, XATTR_REPLACE */
#define ATTRIBUTE_REPLACE 2u

struct inode;

/* Errors as in setxattr(2), getxattr(2), removexattr(2), listxattr(2). Names are NUL-terminated and within the limit.
 * All sleep for the inode's lock. `size` 0: only the length of what would be written is wanted. */
int attribute_set(struct inode *inode, const char *name, const void *value, size_t size, unsigned flags);
ssize_type attribute_get(struct inode *inode, const char *name, void *value, size_t size);
int attribute_remove(struct inode *inode, const char *name);
/* The names one after another, each with its NUL. */
ssize_type attribute_list(struct inode *inode, char *names, size_t size);
/* Frees them all, for an inode that has no references left. */
void attributes_free(struct inode *inode);
