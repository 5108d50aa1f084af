/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/numbers.h"

#include "lib/format.h"

#define LETTERS 26

void disk_name(struct block_device *disk, const char *prefix, unsigned index)
{
    char letters[8]; /* 26^7 is more than there are indices */
    unsigned at = sizeof(letters) - 1;
    letters[at] = 0;
    for (unsigned left = index + 1; left > 0; left = (left - 1) / LETTERS)
        letters[--at] = (char)('a' + (left - 1) % LETTERS);
    format(disk->name, sizeof(disk->name), "%s%s", prefix, letters + at);
}

/* Majors 8, 65 to 71 and 128 to 135 have 16 disks each; the disks after those have greater minors. */
void disk_number_scsi(struct block_device *disk, unsigned index)
{
    unsigned group = index / 16 % 16;
    disk->major = group == 0 ? 8 : group < 8 ? 64 + group : 120 + group;
    disk->minor = index % 16 * MINORS_OF_DISK | (index & ~255u);
    disk->minors = MINORS_OF_DISK;
}

void disk_number_extended(struct block_device *disk)
{
    static uint32_t next;
    disk->major = MAJOR_EXTENDED;
    disk->minor = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
    disk->minors = 1;
}
