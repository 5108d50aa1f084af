/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/partition.h"

#include "drivers/numbers.h"
#include "lib/format.h"
#include "lib/string.h"

static void submit(struct block_device *partition, struct block_request *request)
{
    request->sector += partition->first;
    block_submit(partition->disk, request);
}

static void check(struct block_device *partition)
{
    if (partition->disk->check)
        partition->disk->check(partition->disk);
}

void partition_init(struct block_device *partition, struct block_device *disk, unsigned number, uint64_t first,
                    uint64_t sectors)
{
    size_t length = strlen(disk->name);
    const char *between = length > 0 && is_digit(disk->name[length - 1]) ? "p" : "";
    *partition = (struct block_device){
        .sectors = sectors,
        .block_size = disk->block_size,
        .read_only = disk->read_only,
        .flushes = disk->flushes,
        .submit = submit,
        .check = check,
        .disk = disk,
        .first = first,
    };
    if (number < disk->minors) {
        partition->major = disk->major;
        partition->minor = disk->minor + number;
        partition->minors = 1;
    } else {
        disk_number_extended(partition);
    }
    list_init(&partition->link);
    format(partition->name, sizeof(partition->name), "%s%s%u", disk->name, between, number);
}

const struct block_device *partition_disk(const struct block_device *device)
{
    return device->disk ? device->disk : device;
}
