/* SPDX-License-Identifier: Apache-2.0 */
/* Data disks: finding the disk by its label, and mounting its file system (docs/data-disks.md). */
#include "core/log.h"
#include "drivers/partition.h"
#include "files/ext2/ext2.h"
#include "files/ext2/format.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/writeback.h"

static bool has_label(struct block_device *device, const char *label)
{
    struct ext2_superblock super;
    size_t length = strlen(label);
    return !ext2_read_superblock(device, &super) && strnlen(super.volume_name, EXT2_LABEL_SIZE) == length &&
           !memcmp(super.volume_name, label, length);
}

/* NULL: there is none, or more than one; logged. */
static struct block_device *find_disk(const char *label, const struct block_device *root)
{
    struct block_device *device, *found = NULL;
    for (unsigned i = 0; (device = block_device_at(i)); i++) {
        if (device == partition_disk(root) || !has_label(device, label))
            continue;
        if (found) {
            log_error("the disks %s and %s both have the label %s; give one of them another label (e2label)",
                      found->name, device->name, label);
            return NULL;
        }
        found = device;
    }
    if (!found)
        log_error("no disk has an ext2 file system with the label %s; make one with: mke2fs -t ext2 -L %s", label,
                  label);
    return found;
}

int files_mount_data(const char *label, const char *path, bool read_only, const struct block_device *root)
{
    struct block_device *device = find_disk(label, root);
    struct file_system *fs;
    int error = device ? ext2_open(device, !read_only, &fs) : -ENODEV;
    if (error)
        return error;
    if (!read_only)
        writeback_start();
    error = mount_at(path, fs);
    if (error)
        log_error("cannot mount disk %s on %s: %s (the directory must exist in the image)", device->name, path,
                  errno_name(error));
    else
        log_info("disk %s, %lu MiB, is on %s%s", device->name, device->sectors * SECTOR_SIZE >> 20, path,
                 read_only ? ", read-only" : "");
    return error;
}
