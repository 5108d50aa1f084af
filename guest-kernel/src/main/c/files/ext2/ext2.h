/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ext2, revisions 0 and 1, read only: the root file system. Nothing on the disk is trusted: every block
 * number, length and inode number is checked where it is used, and a file system with features that
 * are not known is refused. Metadata is read through the page cache of the device, contents into the pages
 * of the inode. Locks: none of its own but a directory's index, built under "namespace".
 */
#pragma once

#include "drivers/device.h"

struct ext2_superblock;
struct file_system;

/* Reads the superblock; nothing of the disk stays in the page cache. 0, -ENOENT if it is not one of ext2, -EIO or
 * -ENOMEM. */
int ext2_read_superblock(struct block_device *device, struct ext2_superblock *out);

/* Mounts what is on the device, for reading alone or for writing too; the latter checks it if it was not left clean. 0,
 * or -errno with the reason logged. */
int ext2_open(struct block_device *device, bool writable, struct file_system **out);
