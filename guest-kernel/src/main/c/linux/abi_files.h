/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structures and constants of file system calls as they lie in user memory: x86-64, asm/stat.h,
 * asm-generic/statfs.h, linux/stat.h, linux/fs.h.
 */
#pragma once

#include "lib/types.h"
#include "linux/time_abi.h"

struct abi_stat {
    uint64_t device, inode, links;
    uint32_t mode, uid, gid, padding;
    uint64_t device_number;
    int64_t size, block_size, blocks;
    struct abi_timespec accessed, modified, changed;
    int64_t unused[3];
};

struct abi_statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t padding;
};
struct abi_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, padding;
    uint64_t inode, size, blocks, attributes_mask;
    struct abi_statx_time accessed, created, changed, modified;
    uint32_t device_number_major, device_number_minor, device_major, device_minor;
    uint64_t spare[14];
};
#define STATX_BASIC_STATS 0x7ffu

struct abi_statfs {
    int64_t type, block_size;
    uint64_t blocks, blocks_free, blocks_available, files, files_free;
    int32_t id[2];
    int64_t name_length, fragment_size, flags, spare[4];
};
#define ST_READ_ONLY 1
#define ST_VALID 0x20

struct abi_dirent {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
} packed;

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR 0x200u
#define AT_SYMLINK_FOLLOW 0x400u
#define AT_EMPTY_PATH 0x1000u
#define AT_EACCESS 0x200u
#define AT_NO_AUTOMOUNT 0x800u
#define AT_STATX_SYNC_TYPE 0x6000u
#define STATX_RESERVED 0x80000000u
