/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of disks and their device numbers, as Linux gives them out (Documentation/admin-guide/devices.txt). For
 * drivers, before they announce a disk. Any context.
 */
#pragma once

#include "drivers/device.h"

#define MAJOR_XEN_DISK 202
#define MAJOR_VIRTIO_DISK 254 /* the first that register_blkdev() gives to drivers without one of their own */
#define MAJOR_EXTENDED 259    /* of drivers that ask for single numbers */

/* Of a disk with partitions: itself, and partitions 1 to 15. */
#define MINORS_OF_DISK 16

/* The name of the disk with this index: the prefix with a, b, ... z, aa, ab, ... */
void disk_name(struct block_device *disk, const char *prefix, unsigned index);
/* The numbers of the SCSI disk (sda, ...) with this index. */
void disk_number_scsi(struct block_device *disk, unsigned index);
/* The next single number, which is for a disk or for one partition. */
void disk_number_extended(struct block_device *disk);
