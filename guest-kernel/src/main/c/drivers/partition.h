/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of a disk as a block device of its own, which is not announced.
 */
#pragma once

#include "drivers/device.h"

/* Makes `partition` sectors of `disk`, which it must have; both are multiples of the disk's block size. Its name is the
 * disk's with the number, as in Linux: vda2, nvme0n1p2; so is its device number. The disk must outlive it. */
void partition_init(struct block_device *partition, struct block_device *disk, unsigned number, uint64_t first,
                    uint64_t sectors);
/* The disk that a partition is on, or the disk itself. */
const struct block_device *partition_disk(const struct block_device *device);
