/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition tables: sound ones, on disks with blocks of each size, and damaged ones, with checksums that are wrong and
 * with ones that are right; names and numbers of disks and partitions. One thread, so no locks.
 */
#include "drivers/numbers.h"
#include "drivers/partition.h"
#include "files/file.h"
#include "files/gpt.h"
#include "files/gpt_image.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/page_cache.h"

#define HEADERS 2

static const uint64_t header_blocks[HEADERS] = { 1, GPT_IMAGE_BACKUP };
static const uint64_t entry_blocks[HEADERS] = { GPT_IMAGE_FIRST_ENTRIES, GPT_IMAGE_LAST_ENTRIES };

/* How many partitions there are; -errno if there is no table. */
static int partitions(void)
{
    struct gpt gpt;
    struct gpt_partition place;
    int error = gpt_open(&gpt, &gpt_image_disk), count = 0;
    if (error)
        return error;
    for (uint32_t i = 0; i < gpt.count; i++)
        count += !gpt_read(&gpt, i, &place);
    gpt_close(&gpt);
    return count;
}

static void sound(uint32_t block_size)
{
    struct gpt gpt;
    struct gpt_partition place;
    uint64_t unit = block_size / SECTOR_SIZE;
    gpt_image_make(block_size);
    CHECK_EQUAL(gpt_open(&gpt, &gpt_image_disk), 0);
    CHECK_EQUAL(gpt.count, GPT_IMAGE_ENTRIES);
    CHECK_EQUAL(gpt_read(&gpt, 0, &place), 0);
    CHECK_EQUAL(place.first, 40 * unit);
    CHECK_EQUAL(place.sectors, 24 * unit);
    CHECK_EQUAL(gpt_read(&gpt, 1, &place), -ENOENT);
    CHECK_EQUAL(gpt_read(&gpt, 2, &place), 0);
    CHECK_EQUAL(place.first, 64 * unit);
    CHECK_EQUAL(place.sectors, 36 * unit);
    gpt_close(&gpt);
}

static void sound_tables(void)
{
    sound(SECTOR_SIZE);
    sound(PAGE_SIZE);
}

/* A damage, as bytes that get another value: from the beginning of the header or of the entries. */
struct damage {
    const char *name;
    uint64_t offset;
    uint64_t value;
    unsigned bytes;
};

static void apply(const struct damage *damage, const uint64_t blocks[HEADERS], unsigned which)
{
    gpt_image_put(gpt_image_offset(blocks[which]) + damage->offset, damage->value, damage->bytes);
}

/* One damaged table is no loss, two are. */
static void wrong_checksums(void)
{
    static const struct damage damages[] = {
        { "signature", 0, 'X', 1 },   { "revision", 8, 0x10001, 4 }, { "checksum", 16, 1, 4 },
        { "own block", 24, 2, 8 },    { "last usable", 48, 9, 8 },   { "identity", 56, 1, 1 },
        { "entries", 72, 3, 8 },      { "count", 80, 7, 4 },         { "checksum of entries", 88, 1, 4 },
        { "header size", 12, 91, 4 }, { "header size", 12, 513, 4 }, { "header size", 12, UINT32_MAX, 4 },
    };
    for (unsigned i = 0; i < array_size(damages); i++) {
        for (unsigned which = 0; which < HEADERS; which++) {
            gpt_image_make(SECTOR_SIZE);
            apply(&damages[i], header_blocks, which);
            CHECK_EQUAL(partitions(), 2);
        }
        apply(&damages[i], header_blocks, 0);
        CHECK_EQUAL(partitions(), -ENOENT);
    }
    static const struct damage entry = { "entry", 3 * 128 + 60, 1, 1 };
    gpt_image_make(SECTOR_SIZE);
    apply(&entry, entry_blocks, 0);
    CHECK_EQUAL(partitions(), 2);
    apply(&entry, entry_blocks, 1);
    CHECK_EQUAL(partitions(), -ENOENT);
}

static int with_both(const struct damage *damage, const uint64_t blocks[HEADERS])
{
    gpt_image_make(SECTOR_SIZE);
    for (unsigned which = 0; which < HEADERS; which++) {
        apply(damage, blocks, which);
        gpt_image_seal(header_blocks[which]);
    }
    return partitions();
}

/* What has right checksums but makes no sense. */
static void senseless_tables(void)
{
    static const struct damage damages[] = {
        { "size of entries", 84, 0, 4 },
        { "size of entries", 84, 64, 4 },
        { "size of entries", 84, 129, 4 },
        { "size of entries", 84, 8192, 4 },
        { "size of entries", 84, UINT32_MAX & ~127, 4 },
        { "number of entries", 80, 1025, 4 },
        { "number of entries", 80, UINT32_MAX, 4 },
        { "place of entries", 72, GPT_IMAGE_BLOCKS, 8 },
        { "place of entries", 72, GPT_IMAGE_BLOCKS - 1, 8 },
        { "place of entries", 72, UINT64_MAX, 8 },
        { "place of entries", 72, 1ULL << 55, 8 },
    };
    for (unsigned i = 0; i < array_size(damages); i++)
        CHECK_EQUAL(with_both(&damages[i], header_blocks), -ENOENT);
}

static void senseless_entries(void)
{
    static const struct damage damages[] = {
        { "last before first", 40, 39, 8 },
        { "first before usable", 32, 3, 8 },
        { "last beyond usable", 40, GPT_IMAGE_LAST_USABLE + 1, 8 },
        { "last beyond disk", 40, UINT64_MAX, 8 },
        { "first beyond disk", 32, UINT64_MAX, 8 },
    };
    for (unsigned i = 0; i < array_size(damages); i++)
        CHECK_EQUAL(with_both(&damages[i], entry_blocks), 1);
    static const struct damage usable = { "last usable", 48, UINT64_MAX, 8 };
    gpt_image_make(SECTOR_SIZE);
    apply(&usable, header_blocks, 0);
    gpt_image_put(gpt_image_offset(GPT_IMAGE_FIRST_ENTRIES) + 40, GPT_IMAGE_BLOCKS, 8);
    gpt_image_seal(1);
    CHECK_EQUAL(partitions(), 1);
}

/* Disks that are too short for a table, and without one. */
static void no_tables(void)
{
    gpt_image_make(SECTOR_SIZE);
    for (uint64_t sectors = 0; sectors < 4; sectors++) {
        gpt_image_disk.sectors = sectors;
        CHECK_EQUAL(partitions(), -ENOENT);
    }
    gpt_image_make(SECTOR_SIZE);
    memset(gpt_image, 0, sizeof(gpt_image));
    CHECK_EQUAL(partitions(), -ENOENT);
}

static void names(void)
{
    struct block_device disk = { .name = "vda" }, partition;
    partition_init(&partition, &disk, 2, 8, 16);
    CHECK(!strcmp(partition.name, "vda2"));
    CHECK(partition_disk(&partition) == &disk);
    CHECK(partition_disk(&disk) == &disk);
    disk = (struct block_device){ .name = "nvme0n1" };
    partition_init(&partition, &disk, 128, 8, 16);
    CHECK(!strcmp(partition.name, "nvme0n1p128"));
    CHECK_EQUAL(partition.sectors, 16);
}

static bool is_scsi_disk(unsigned index, const char *name, uint32_t major, uint32_t minor)
{
    struct block_device disk = { .sectors = 1 };
    disk_name(&disk, "sd", index);
    disk_number_scsi(&disk, index);
    return strcmp(disk.name, name) == 0 && disk.major == major && disk.minor == minor;
}

/* As Linux's sd driver numbers them. */
static void scsi_disks(void)
{
    CHECK(is_scsi_disk(0, "sda", 8, 0) && is_scsi_disk(15, "sdp", 8, 240));
    CHECK(is_scsi_disk(16, "sdq", 65, 0) && is_scsi_disk(25, "sdz", 65, 144) && is_scsi_disk(26, "sdaa", 65, 160));
    CHECK(is_scsi_disk(127, "sddx", 71, 240) && is_scsi_disk(128, "sddy", 128, 0));
    CHECK(is_scsi_disk(255, "sdiv", 135, 240) && is_scsi_disk(256, "sdiw", 8, 256));
    CHECK(is_scsi_disk(701, "sdzz", 131, 720) && is_scsi_disk(702, "sdaaa", 131, 736));
}

static void partitions_follow_their_disk(void)
{
    struct block_device disk = { .name = "vda", .major = 254, .minor = 16, .minors = 16 },
                        single = { .name = "nvme0n1" }, partition;
    partition_init(&partition, &disk, 15, 8, 16);
    CHECK(partition.major == 254 && partition.minor == 31);
    disk_number_extended(&single);
    partition_init(&partition, &disk, 16, 8, 16);
    CHECK(partition.major == MAJOR_EXTENDED && partition.minor == single.minor + 1);
    partition_init(&partition, &single, 1, 8, 16);
    CHECK(partition.major == MAJOR_EXTENDED && partition.minor == single.minor + 2);
}

/* makedev(3) of glibc. */
static void numbers_are_put_together(void)
{
    uint64_t number = device_number(259, 0x12345);
    CHECK_EQUAL(number, 0x12310345);
    CHECK(device_major(number) == 259 && device_minor(number) == 0x12345);
    CHECK_EQUAL(device_number(8, 16), 0x810);
}

static uint64_t submitted_sector;
static unsigned checks;
static void note_submit(struct block_device *device, struct block_request *request)
{
    (void)device;
    submitted_sector = request->sector;
}
static void note_check(struct block_device *device)
{
    (void)device;
    checks++;
}

/* A request for a partition is one for a later sector of its disk. */
static void requests(void)
{
    struct block_device disk = { .name = "vda", .sectors = 100, .submit = note_submit, .check = note_check }, partition;
    struct block_request request = { .sector = 3, .segment_count = 1, .segments = { { .length = SECTOR_SIZE } } };
    partition_init(&partition, &disk, 1, 40, 10);
    block_submit(&partition, &request);
    CHECK_EQUAL(submitted_sector, 43);
    partition.check(&partition);
    CHECK_EQUAL(checks, 1);
}

int main(void)
{
    host_init();
    page_cache_init();
    host_test("gpt: sound tables", sound_tables);
    host_test("gpt: wrong checksums", wrong_checksums);
    host_test("gpt: senseless tables", senseless_tables);
    host_test("gpt: senseless entries", senseless_entries);
    host_test("gpt: no tables", no_tables);
    host_test("gpt: names of partitions", names);
    host_test("gpt: requests of partitions", requests);
    host_test("disks: names and numbers", scsi_disks);
    host_test("disks: numbers of partitions", partitions_follow_their_disk);
    host_test("disks: numbers in stat", numbers_are_put_together);
    return host_result();
}
