/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which disk becomes the root: the one whose superblock has the UUID of the command line, wherever it stands, and what
 * is said when none has it. The argument DIRECTORY is where the disks are made, small ext2 images that support.c turns
 * into block devices. One thread, so no locks.
 */
#include <stdio.h>
#include <unistd.h>

#include "core/log.h"
#include "files/ext2/format.h"
#include "files/gpt_image.h"
#include "files/root.h"
#include "files/support.h"
#include "lib/string.h"
#include "memory/page_cache.h"

#define FIRST "01234567-89ab-8def-8123-456789abcdef"
#define SECOND "fedcba98-7654-8210-bfed-cba987654321"
#define PARTITION "89abcdef-0123-8567-8123-456789abcdef"
#define ABSENT "00000000-0000-8000-8000-000000000000"

static const char *directory;

static struct uuid parsed(const char *text)
{
    struct uuid uuid;
    if (!uuid_parse(text, &uuid))
        panic("%s is no UUID", text);
    return uuid;
}

static struct block_device *find(const char *text)
{
    struct uuid uuid = parsed(text);
    return root_find(&uuid);
}

/* A disk of `size` bytes, with a superblock if `uuid` is given. */
static struct block_device *make_disk(const char *name, off_t size, const char *uuid)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s.img", directory, name);
    struct ext2_superblock super = { .magic = EXT2_MAGIC };
    FILE *image = fopen(path, "w");
    bool made = image && ftruncate(fileno(image), size) == 0;
    if (made && uuid) {
        struct uuid parts = parsed(uuid);
        memcpy(super.uuid, parts.bytes, UUID_SIZE);
        made = fseek(image, EXT2_SUPERBLOCK_OFFSET, SEEK_SET) == 0 && fwrite(&super, sizeof(super), 1, image) == 1;
    }
    if (!made || fclose(image) != 0)
        panic("cannot make %s", path);
    struct block_device *device = test_disk(path);
    string_copy(device->name, name, sizeof(device->name));
    return device;
}

/* The disk of gpt_image.h, whose third partition has a superblock with this UUID. */
static struct block_device *make_partitioned_disk(const char *name, const char *uuid)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s.img", directory, name);
    struct ext2_superblock super = { .magic = EXT2_MAGIC };
    struct uuid parts = parsed(uuid);
    gpt_image_make(SECTOR_SIZE);
    memcpy(super.uuid, parts.bytes, UUID_SIZE);
    memcpy(gpt_image + gpt_image_offset(64) + EXT2_SUPERBLOCK_OFFSET, &super, sizeof(super));
    FILE *image = fopen(path, "w");
    if (!image || fwrite(gpt_image, gpt_image_offset(GPT_IMAGE_BLOCKS), 1, image) != 1 || fclose(image) != 0)
        panic("cannot make %s", path);
    struct block_device *device = test_disk(path);
    string_copy(device->name, name, sizeof(device->name));
    return device;
}

static void uuids(void)
{
    struct uuid uuid = parsed("00112233-4455-6677-8899-aABbCCddEEfF");
    for (unsigned i = 0; i < UUID_SIZE; i++)
        CHECK_EQUAL(uuid.bytes[i], i * 0x11);
    static const char *const wrong[] = {
        "",
        "01234567",
        "0123456789ab8def8123456789abcdef0000",
        "01234567-89ab-8def-8123-456789abcde",
        "01234567-89ab-8def-8123-456789abcdef0",
        "01234567-89ab-8def-8123-456789abcdeg",
        "01234567-89ab-8def-8123+456789abcdef",
        "0123456-789ab-8def-8123-456789abcdef",
    };
    for (unsigned i = 0; i < array_size(wrong); i++)
        CHECK(!uuid_parse(wrong[i], &uuid));
}

static void disks(void)
{
    CHECK(!root_find(NULL));
    CHECK(!find(FIRST));
    struct block_device *tiny = make_disk("tiny", 512, NULL);
    make_disk("empty", 1 << 20, NULL);
    struct block_device *second = make_disk("second", 1 << 20, SECOND);
    struct block_device *first = make_disk("first", 2048, FIRST);
    make_disk("copy", 1 << 20, FIRST);
    CHECK(root_find(NULL) == tiny);
    CHECK(find(FIRST) == first);
    CHECK(find(SECOND) == second);
    CHECK(!find(ABSENT));
    test_disk_fails = true;
    CHECK(!find(FIRST));
    test_disk_fails = false;
    CHECK(find(FIRST) == first);
}

static void partitions(void)
{
    struct block_device *disk = make_partitioned_disk("parted", PARTITION);
    struct block_device *root = find(PARTITION);
    CHECK(root);
    CHECK(!strcmp(root->name, "parted3"));
    CHECK(root->disk == disk);
    CHECK_EQUAL(root->first, 64);
    CHECK_EQUAL(root->sectors, 36);
    CHECK(!find(ABSENT));
    test_disk_fails = true;
    CHECK(!find(PARTITION));
    test_disk_fails = false;
    CHECK(find(PARTITION));
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: test_root DIRECTORY\n");
        return 2;
    }
    directory = arguments[1];
    host_init();
    page_cache_init();
    host_test("root: UUIDs", uuids);
    host_test("root: disks", disks);
    host_test("root: partitions", partitions);
    return host_result();
}
