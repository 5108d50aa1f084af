/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of ext2 on disk, little-endian ("The Second Extended File System", Dave Poirier,
 * and Linux' Documentation/filesystems/ext2.rst).
 */
#pragma once

#include "lib/types.h"

#define EXT2_MAGIC 0xef53
#define EXT2_SUPERBLOCK_OFFSET 1024
#define EXT2_ROOT_INODE 2
#define EXT2_REVISION_DYNAMIC 1
#define EXT2_REVISION_0_INODE_SIZE 128
#define EXT2_REVISION_0_FIRST_INODE 11
#define EXT2_INCOMPAT_FILETYPE 0x2
#define EXT2_COMPAT_HAS_JOURNAL 0x4
#define EXT2_COMPAT_RESIZE_INODE 0x10
#define EXT2_RO_COMPAT_SPARSE_SUPER 0x1
#define EXT2_RO_COMPAT_LARGE_FILE 0x2
#define EXT2_STATE_CLEAN 1
#define EXT2_FLAG_INDEX 0x1000 /* of a directory: it has an index on disk */
#define EXT2_LINK_MOST 32000
#define EXT2_LABEL_SIZE 16
#define EXT2_MIN_BLOCK_SIZE 1024
#define EXT2_MAX_BLOCK_SIZE 4096

struct ext2_superblock {
    uint32_t inodes_count, blocks_count, reserved_blocks, free_blocks;
    uint32_t free_inodes, first_data_block, log_block_size, log_fragment_size;
    uint32_t blocks_per_group, fragments_per_group, inodes_per_group, mount_time;
    uint32_t write_time;
    uint16_t mount_count, max_mount_count, magic, state;
    uint16_t errors, minor_revision;
    uint32_t last_check, check_interval, creator, revision;
    uint16_t reserved_uid, reserved_gid;
    uint32_t first_inode;
    uint16_t inode_size, group_number;
    uint32_t compatible, incompatible, read_only_compatible;
    uint8_t uuid[16];
    char volume_name[EXT2_LABEL_SIZE]; /* the label: NUL-terminated unless it fills the field */
    char last_mounted[64];
    uint32_t algorithm_bitmap;
    uint8_t preallocate_blocks, preallocate_directory_blocks;
    uint16_t reserved_descriptor_blocks;
} packed;

struct ext2_group {
    uint32_t block_bitmap, inode_bitmap, inode_table;
    uint16_t free_blocks, free_inodes, directories, pad;
    uint32_t reserved[3];
} packed;

#define EXT2_DIRECT_BLOCKS 12
#define EXT2_BLOCK_POINTERS 15 /* direct, then indirect, double and triple indirect */

struct ext2_disk_inode {
    uint16_t mode, uid;
    uint32_t size, access_time, change_time, modify_time, delete_time;
    uint16_t gid, links;
    uint32_t sectors, flags, version;
    uint32_t blocks[EXT2_BLOCK_POINTERS];
    uint32_t generation, file_acl, size_high, fragment;
    uint8_t fragment_number, fragment_size;
    uint16_t pad, uid_high, gid_high;
    uint32_t reserved;
} packed;

struct ext2_entry {
    uint32_t inode;         /* 0: unused */
    uint16_t record_length; /* to the next entry, multiple of 4, within the block */
    uint8_t name_length;
    uint8_t type; /* EXT2_INCOMPAT_FILETYPE, else the length's high byte: 0 */
} packed;
#define EXT2_ENTRY_HEADER 8u
