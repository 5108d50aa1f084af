/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks through the disks, and the partitions on them, for the root file system. Of each only the superblock is read,
 * and nothing of it but the magic number and the UUID is used; ext2_open() checks whether the file system is sound.
 * Nothing of a disk stays in the page cache.
 *
 * Called by the boot thread before anything is mounted, so there are no locks.
 */
#include "files/root.h"

#include "core/log.h"
#include "drivers/partition.h"
#include "files/ext2/ext2.h"
#include "files/ext2/format.h"
#include "files/gpt.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"

#define UUID_TEXT 37 /* with the NUL */

/* The one that is looked at; in the end the root, if that is a partition. */
static struct block_device partition;

static bool is_hyphen_place(unsigned at) { return at == 8 || at == 13 || at == 18 || at == 23; }

bool uuid_parse(const char *text, struct uuid *out)
{
    unsigned digits = 0;
    *out = (struct uuid){ 0 };
    for (unsigned at = 0; at < UUID_TEXT - 1; at++) {
        if (is_hyphen_place(at)) {
            if (text[at] != '-')
                return false;
            continue;
        }
        int digit = hex_digit(text[at]);
        if (digit < 0)
            return false;
        out->bytes[digits / 2] = (uint8_t)(out->bytes[digits / 2] << 4 | digit);
        digits++;
    }
    return !text[UUID_TEXT - 1];
}

static void uuid_format(char to[UUID_TEXT], const struct uuid *uuid)
{
    unsigned at = 0;
    for (unsigned i = 0; i < UUID_SIZE; i++) {
        if (is_hyphen_place(at))
            to[at++] = '-';
        at += (unsigned)format(to + at, UUID_TEXT - at, "%02x", uuid->bytes[i]);
    }
}

/* Of the superblock of a disk. 0, -ENOENT if it is not one of ext2, -EIO or -ENOMEM. */
static int read_uuid(struct block_device *device, struct uuid *out)
{
    struct ext2_superblock super;
    int error = ext2_read_superblock(device, &super);
    if (!error)
        memcpy(out->bytes, super.uuid, UUID_SIZE);
    return error;
}

static bool has_uuid(struct block_device *volume, const struct uuid *wanted)
{
    struct uuid uuid;
    return !read_uuid(volume, &uuid) && !memcmp(&uuid, wanted, sizeof(uuid));
}

static bool log_volume(struct block_device *volume, const struct uuid *unused)
{
    (void)unused;
    struct uuid uuid;
    char text[UUID_TEXT];
    int error = read_uuid(volume, &uuid);
    if (!error) {
        uuid_format(text, &uuid);
        log_error("disk %s has the file system %s", volume->name, text);
    } else if (error == -ENOENT) {
        log_error("disk %s has no ext2 file system", volume->name);
    } else {
        log_error("disk %s cannot be read (%s)", volume->name, errno_name(error));
    }
    return false;
}

typedef bool visitor(struct block_device *volume, const struct uuid *wanted);

/* The first partition of the disk for which visit() returns true. */
static struct block_device *find_partition(struct block_device *disk, visitor *visit, const struct uuid *wanted)
{
    struct block_device *found = NULL;
    struct gpt gpt;
    if (gpt_open(&gpt, disk))
        return NULL;
    for (uint32_t i = 0; i < gpt.count && !found; i++) {
        struct gpt_partition place;
        if (gpt_read(&gpt, i, &place))
            continue;
        partition_init(&partition, disk, i + 1, place.first, place.sectors);
        found = visit(&partition, wanted) ? &partition : NULL;
    }
    gpt_close(&gpt);
    return found;
}

/* The first disk or partition for which visit() returns true. */
static struct block_device *find_volume(visitor *visit, const struct uuid *wanted)
{
    struct block_device *disk, *found = NULL;
    for (unsigned i = 0; !found && (disk = block_device_at(i)); i++)
        found = visit(disk, wanted) ? disk : find_partition(disk, visit, wanted);
    return found;
}

struct block_device *root_find(const struct uuid *wanted)
{
    struct block_device *device = wanted ? find_volume(has_uuid, wanted) : block_device_at(0);
    if (device)
        log_info("the root is disk %s", device->name);
    else
        find_volume(log_volume, NULL);
    return device;
}
