/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which disk has the root file system. A file system is known by the UUID in its superblock, so the order in which
 * disks are found does not matter.
 */
#pragma once

#include "drivers/device.h"

#define UUID_SIZE 16

struct uuid {
    uint8_t bytes[UUID_SIZE];
};

/* Reads the usual form, 8-4-4-4-12 hexadecimal digits and nothing else (RFC 9562, 4). */
bool uuid_parse(const char *text, struct uuid *out);
/* The disk, or the partition of one (gpt.h), whose ext2 file system has this UUID, the first one if several have it;
 * the first disk if `wanted` is NULL. Logs which one it is. NULL, with what is on each logged, if there is none. Valid
 * until the next call. Sleeps for the disks. */
struct block_device *root_find(const struct uuid *wanted);
