/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on a scratch disk: which disk is taken, free blocks and extents against plain models of them, contents that
 * leave memory and come back, and a disk that fails. The argument DIRECTORY is where the disks are made. Writing
 * happens when a test says so (host/writeback.c). Run by make test-files-scratch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/partition.h"
#include "files/scratch/scratch.h"
#include "files/support.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "memory/page_cache.h"

static const char *directory;
static struct block_device *root, *disk;

/* A disk of `size` bytes with this text at its start. */
static struct block_device *make_disk(const char *name, off_t size, const char *text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s.img", directory, name);
    FILE *image = fopen(path, "w");
    if (!image || ftruncate(fileno(image), size) || fputs(text, image) < 0 || fclose(image))
        panic("cannot make %s", path);
    struct block_device *device = test_disk(path);
    snprintf(device->name, sizeof(device->name), "%s", name);
    device->read_only = false;
    return device;
}

static bool has_mark(const struct block_device *device)
{
    char path[4096], text[64] = "";
    snprintf(path, sizeof(path), "%s/%s.img", directory, device->name);
    FILE *image = fopen(path, "r");
    bool read = image && fgets(text, sizeof(text), image);
    if (image)
        fclose(image);
    return read && !strcmp(text, "unikernel scratch disk, version 1\n");
}

/* ---- Free blocks ---- */

#define BLOCKS 70001 /* two chunks and a part of one */

static void space_is_used_up(void)
{
    struct space space;
    static bool taken[BLOCKS];
    uint64_t blocks = host_heap_blocks();
    CHECK_EQUAL(space_init(&space, BLOCKS), 0);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint32_t block = space_take(&space, SPACE_NONE);
        CHECK(block < BLOCKS && !taken[block]);
        taken[block] = true;
        CHECK_EQUAL(space.free, BLOCKS - 1 - i);
    }
    CHECK_EQUAL(space_take(&space, SPACE_NONE), SPACE_NONE);
    CHECK_EQUAL(space_take(&space, 5), SPACE_NONE);
    space_give(&space, 40000, 1);
    CHECK_EQUAL(space_take(&space, 5), 40000);
    space_give(&space, 0, BLOCKS);
    CHECK_EQUAL(space.free, BLOCKS);
    CHECK_EQUAL(host_heap_blocks(), blocks + 1); /* bitmaps go with what they say */
    space_release(&space);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void space_keeps_files_together(void)
{
    struct space space;
    CHECK_EQUAL(space_init(&space, BLOCKS), 0);
    uint32_t a = space_take(&space, SPACE_NONE), b = space_take(&space, SPACE_NONE);
    CHECK(b >= a + 64 || a >= b + 64);
    for (unsigned i = 1; i < 64; i++) {
        CHECK_EQUAL(space_take(&space, a + i - 1), a + i);
        CHECK_EQUAL(space_take(&space, b + i - 1), b + i);
    }
    CHECK(space_take(&space, BLOCKS - 1) < BLOCKS); /* the one after the last */
    space_release(&space);
}

static void space_at_random(void)
{
    struct space space;
    static uint32_t held[BLOCKS];
    static bool taken[BLOCKS];
    unsigned count = 0;
    CHECK_EQUAL(space_init(&space, BLOCKS), 0);
    memset(taken, 0, sizeof(taken));
    srandom(1);
    for (unsigned i = 0; i < 300000; i++) {
        if (count && random() % 3 == 0) {
            unsigned at = (unsigned)random() % count;
            space_give(&space, held[at], 1);
            taken[held[at]] = false;
            held[at] = held[--count];
        } else {
            uint32_t near = count ? held[(unsigned)random() % count] : SPACE_NONE;
            uint32_t block = space_take(&space, near);
            CHECK_EQUAL(block == SPACE_NONE, count == BLOCKS);
            if (block == SPACE_NONE)
                continue;
            CHECK(block < BLOCKS && !taken[block]);
            taken[block] = true;
            held[count++] = block;
        }
        CHECK_EQUAL(space.free, BLOCKS - count);
    }
    space_release(&space);
}

/* ---- Extents ---- */

#define PAGES 3000

static void extents_at_random(void)
{
    struct space space;
    struct extents extents;
    static uint32_t blocks[PAGES];
    uint64_t before = host_heap_blocks();
    unsigned count = 0;
    CHECK_EQUAL(space_init(&space, BLOCKS), 0);
    extents_init(&extents);
    for (unsigned i = 0; i < PAGES; i++)
        blocks[i] = SPACE_NONE;
    srandom(2);
    for (unsigned i = 0; i < 60000; i++) {
        uint32_t index = (uint32_t)random() % PAGES;
        if (random() % 500 == 0) {
            while (extents_cut_some(&extents, index, &space))
                ;
            for (unsigned j = index; j < PAGES; j++) {
                count -= blocks[j] != SPACE_NONE;
                blocks[j] = SPACE_NONE;
            }
        } else if (blocks[index] == SPACE_NONE) {
            blocks[index] = space_take(&space, extents_before(&extents, index));
            CHECK_EQUAL(extents_add(&extents, index, blocks[index]), 0);
            count++;
        }
        uint32_t look = (uint32_t)random() % PAGES;
        CHECK_EQUAL(extents_find(&extents, look), blocks[look]);
        CHECK_EQUAL(extents.pages, count);
        CHECK_EQUAL(space.free, BLOCKS - count);
    }
    while (extents_cut_some(&extents, 0, &space))
        ;
    CHECK_EQUAL(space.free, BLOCKS);
    space_release(&space);
    CHECK_EQUAL(host_heap_blocks(), before);
}

static void what_is_written_in_order_is_one_extent(void)
{
    struct space space;
    struct extents extents;
    CHECK_EQUAL(space_init(&space, BLOCKS), 0);
    extents_init(&extents);
    uint64_t before = host_heap_blocks();
    for (uint32_t i = 0; i < 50000; i++)
        CHECK_EQUAL(extents_add(&extents, i, space_take(&space, extents_before(&extents, i))), 0);
    CHECK_EQUAL(host_heap_blocks(), before + 3); /* the extent, and the two chunks' bitmaps */
    while (extents_cut_some(&extents, 0, &space))
        ;
    space_release(&space);
}

/* ---- The disk ---- */

/* The disk of a root that is a partition is none, even where it begins with zeros. */
static void disk_of_the_root(void)
{
    struct block_device partition;
    partition_init(&partition, root, 2, 8, 8);
    CHECK(!scratch_open(&partition));
    CHECK(!has_mark(root));
}

static void unusable_disks(void)
{
    struct block_device *readable = make_disk("readable", 2 << 20, "");
    readable->read_only = true;
    make_disk("small", 1 << 19, "");
    struct block_device *foreign = make_disk("foreign", 2 << 20, "data");
    host_log();
    CHECK(!scratch_open(root));
    const char *log = host_log();
    CHECK(strstr(log, "disk readable is not used as scratch disk: it cannot be written"));
    CHECK(strstr(log, "disk small is not used as scratch disk: it is smaller than 1 MiB"));
    CHECK(strstr(log, "disk foreign is not used as scratch disk: it holds data; to use it as a scratch disk, overwrite "
                      "its first 4096 bytes with zeros"));
    CHECK(strstr(log, "there is no scratch disk; give the machine a second, empty disk of 1 MiB or more"));
    CHECK(!has_mark(readable) && !has_mark(foreign) && !has_mark(root));
}

/* From here on the tests use it, mounted on /scratch. */
static void fresh_disk(void)
{
    disk = make_disk("fresh", 8 << 20, "");
    CHECK_EQUAL(name_make(NULL, "/scratch", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(files_mount_scratch("/scratch", root), 0);
    CHECK(has_mark(disk));
    CHECK(strstr(host_log(), "disk fresh, 8 MiB, is the scratch disk"));
    struct scratch *again = scratch_open(root); /* marked now */
    CHECK(again && again->device == disk);
    CHECK_EQUAL(scratch_free(again), 2047);
    space_release(&again->space);
    heap_free(again);
}

/* ---- Files ---- */

static char page[PAGE_SIZE], wanted[PAGE_SIZE];

static void fill(char *to, unsigned seed, unsigned index)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        to[i] = (char)(seed * 31 + index * 7 + i * 13 + (i >> 8));
}

static struct file *opened(const char *path)
{
    struct file *file = NULL;
    if (file_open(NULL, path, O_RDWR | O_CREAT, 0600, &file))
        panic("cannot open %s", path);
    return file;
}

static ssize_type write_page(struct file *file, unsigned seed, unsigned index)
{
    fill(page, seed, index);
    struct transfer transfer;
    transfer_init_kernel(&transfer, page, PAGE_SIZE);
    file_seek(file, (int64_t)index * (int64_t)PAGE_SIZE, 0);
    return file_write(file, &transfer);
}

static bool is_page(struct file *file, unsigned seed, unsigned index)
{
    fill(wanted, seed, index);
    return file_read_kernel(file, page, PAGE_SIZE, (uint64_t)index * PAGE_SIZE) == (ssize_type)PAGE_SIZE &&
           !memcmp(page, wanted, PAGE_SIZE);
}

static uint64_t free_blocks(void)
{
    struct file *file = opened("/scratch/x");
    struct file_system_statistics statistics;
    file->inode->fs->statistics(file->inode->fs, &statistics);
    file_put(file);
    return statistics.blocks_free;
}

/* Everything is written, and leaves memory. */
static void displace(void)
{
    while (page_cache_write_some())
        ;
    pages_reclaim(UINT32_MAX, PAGES_NEEDED);
}

static void contents_come_back(void)
{
    struct file *file = opened("/scratch/a");
    uint64_t before = free_blocks();
    for (unsigned i = 0; i < 1000; i++)
        CHECK_EQUAL(write_page(file, 1, i), PAGE_SIZE);
    CHECK_EQUAL(page_cache_dirty_count(), 1000);
    CHECK_EQUAL(free_blocks(), before - 1000);
    CHECK_EQUAL(pages_reclaim(UINT32_MAX, PAGES_NEEDED), 0); /* none goes before it is written */
    unsigned requests = test_disk_requests;
    displace();
    CHECK(test_disk_requests - requests <= 1000 / BLOCK_MAX_SEGMENTS + 1000 / PAGE_CACHE_BATCH + 2);
    CHECK_EQUAL(page_cache_dirty_count(), 0);
    CHECK_EQUAL(page_cache_evictable(), 0);
    for (unsigned i = 0; i < 1000; i++)
        CHECK(is_page(file, 1, i));
    CHECK_EQUAL(write_page(file, 2, 500), PAGE_SIZE);
    CHECK_EQUAL(page_cache_dirty_count(), 1);
    displace();
    CHECK(is_page(file, 1, 499) && is_page(file, 2, 500) && is_page(file, 1, 501));
    file_put(file);
    CHECK_EQUAL(name_unlink(NULL, "/scratch/a"), 0);
    CHECK_EQUAL(free_blocks(), before);
    CHECK_EQUAL(page_cache_evictable(), 0);
}

/* Several requests are under way at a time, and neighbours go together. */
static void pages_in_no_order_are_written_together(void)
{
    struct file *file = opened("/scratch/r");
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQUAL(write_page(file, 1, i), PAGE_SIZE);
    displace();
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQUAL(write_page(file, 2, i * 37 % 64), PAGE_SIZE);
    unsigned requests = test_disk_requests;
    displace();
    CHECK(test_disk_requests - requests <= 8);
    for (unsigned i = 0; i < 32; i++)
        CHECK_EQUAL(write_page(file, 3, (31 - i) * 2), PAGE_SIZE);
    test_disk_most_waiting = 0;
    host_idle = test_disk_serve_last;
    test_disk_deferred = true;
    bool wrote = page_cache_write_some();
    bool more = page_cache_write_some();
    test_disk_deferred = false;
    host_idle = NULL;
    CHECK(wrote && !more);
    CHECK(test_disk_most_waiting > 1);
    displace();
    for (unsigned i = 0; i < 64; i++)
        CHECK(is_page(file, i % 2 ? 2 : 3, i));
    file_put(file);
    CHECK_EQUAL(name_unlink(NULL, "/scratch/r"), 0);
}

static void what_goes_soon_is_not_written(void)
{
    struct file *file = opened("/scratch/b");
    unsigned requests = test_disk_requests;
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQUAL(write_page(file, 3, i), PAGE_SIZE);
    file_put(file);
    CHECK_EQUAL(name_unlink(NULL, "/scratch/b"), 0);
    CHECK_EQUAL(page_cache_dirty_count(), 0);
    displace();
    CHECK_EQUAL(test_disk_requests, requests);
}

static void cut_in_the_middle_of_a_page(void)
{
    struct file *file = opened("/scratch/c");
    uint64_t before = free_blocks();
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQUAL(write_page(file, 4, i), PAGE_SIZE);
    displace();
    CHECK_EQUAL(inode_resize(file->inode, 3 * PAGE_SIZE + 100), 0);
    CHECK_EQUAL(free_blocks(), before - 4);
    CHECK_EQUAL(inode_resize(file->inode, 10 * PAGE_SIZE), 0);
    displace();
    CHECK(is_page(file, 4, 2));
    fill(wanted, 4, 3);
    memset(wanted + 100, 0, PAGE_SIZE - 100);
    CHECK_EQUAL(file_read_kernel(file, page, PAGE_SIZE, 3 * PAGE_SIZE), PAGE_SIZE);
    CHECK(!memcmp(page, wanted, PAGE_SIZE));
    memset(wanted, 0, PAGE_SIZE);
    CHECK_EQUAL(file_read_kernel(file, page, PAGE_SIZE, 7 * PAGE_SIZE), PAGE_SIZE);
    CHECK(!memcmp(page, wanted, PAGE_SIZE));
    CHECK_EQUAL(free_blocks(), before - 4);
    CHECK_EQUAL(test_allocate(file->inode, 0, PAGE_SIZE, true, true), -EOPNOTSUPP);
    file_put(file);
    name_unlink(NULL, "/scratch/c");
}

/* What its blocks held before is not seen. */
static void reserved_pages_are_zeros(void)
{
    struct file *file = opened("/scratch/d");
    for (unsigned i = 0; i < 200; i++)
        CHECK_EQUAL(write_page(file, 5, i), PAGE_SIZE);
    displace();
    CHECK_EQUAL(inode_resize(file->inode, 0), 0);
    CHECK_EQUAL(test_allocate(file->inode, 0, 200 * PAGE_SIZE, false, false), 0);
    displace();
    memset(wanted, 0, PAGE_SIZE);
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQUAL(file_read_kernel(file, page, PAGE_SIZE, i * PAGE_SIZE), PAGE_SIZE);
        CHECK(!memcmp(page, wanted, PAGE_SIZE));
    }
    file_put(file);
    name_unlink(NULL, "/scratch/d");
}

static void full_disk(void)
{
    struct file *file = opened("/scratch/e");
    uint64_t blocks = free_blocks();
    for (unsigned i = 0; i < blocks; i++)
        CHECK_EQUAL(write_page(file, 6, i), PAGE_SIZE);
    CHECK_EQUAL(write_page(file, 6, (unsigned)blocks), -ENOSPC);
    CHECK_EQUAL(file->inode->size, blocks * PAGE_SIZE);
    displace();
    for (unsigned i = 0; i < blocks; i += 17)
        CHECK(is_page(file, 6, i));
    CHECK_EQUAL(inode_resize(file->inode, (blocks - 5) * PAGE_SIZE), 0);
    CHECK_EQUAL(free_blocks(), 5);
    file_put(file);
    name_unlink(NULL, "/scratch/e");
    CHECK_EQUAL(free_blocks(), blocks);
}

static void memory_runs_out(void)
{
    struct file *file = opened("/scratch/f");
    uint64_t blocks = free_blocks(), heap = host_heap_blocks();
    for (unsigned n = 1; n < 8; n++) {
        host_fail_one_allocation(n);
        ssize_type written = write_page(file, 7, 3);
        host_fail_allocation(0);
        CHECK(written == (ssize_type)PAGE_SIZE || written == -ENOSPC || written == -ENOMEM);
        CHECK_EQUAL(file->inode->size, written < 0 ? 0 : 4 * PAGE_SIZE);
        CHECK_EQUAL(inode_resize(file->inode, 0), 0);
        CHECK_EQUAL(free_blocks(), blocks);
        CHECK(host_heap_blocks() <= heap + 1); /* a chunk's bitmap */
    }
    file_put(file);
    name_unlink(NULL, "/scratch/f");
}

/* Last, since the disk stays out of use. */
static void disk_that_fails(void)
{
    struct file *file = opened("/scratch/g");
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQUAL(write_page(file, 8, i), PAGE_SIZE);
    CHECK_EQUAL(file->inode->operations->sync(file->inode, false), 0);
    host_log();
    test_disk_fails = true;
    displace();
    test_disk_fails = false;
    const char *log = host_log();
    CHECK(strstr(log, "scratch disk fresh cannot be written (EIO): its files give EIO from now on"));
    CHECK(!strstr(strstr(log, "cannot be written") + 1, "cannot be written"));
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQUAL(file->inode->operations->sync(file->inode, i), -EIO);
    CHECK_EQUAL(file_read_kernel(file, page, PAGE_SIZE, 0), -EIO);
    CHECK_EQUAL(write_page(file, 8, 0), -EIO);
    CHECK_EQUAL(write_page(file, 8, 64), -EIO);
    CHECK_EQUAL(free_blocks(), 0);
    file_put(file);
    CHECK_EQUAL(name_unlink(NULL, "/scratch/g"), 0);
}

int main(int argc, char **argv)
{
    host_init();
    page_cache_init();
    if (argc != 2)
        panic("use test_scratch DIRECTORY");
    directory = argv[1];
    root = make_disk("root", 2 << 20, "");
    test_memory_root(64 << 20);
    host_test("scratch space is used up", space_is_used_up);
    host_test("scratch space keeps files together", space_keeps_files_together);
    host_test("scratch space at random", space_at_random);
    host_test("scratch extents at random", extents_at_random);
    host_test("scratch extents in order", what_is_written_in_order_is_one_extent);
    host_test("scratch disk of the root", disk_of_the_root);
    host_test("scratch unusable disks", unusable_disks);
    host_test("scratch fresh disk", fresh_disk);
    host_test("scratch contents come back", contents_come_back);
    host_test("scratch pages in no order are written together", pages_in_no_order_are_written_together);
    host_test("scratch what goes soon is not written", what_goes_soon_is_not_written);
    host_test("scratch cut in the middle of a page", cut_in_the_middle_of_a_page);
    host_test("scratch reserved pages are zeros", reserved_pages_are_zeros);
    host_test("scratch full disk", full_disk);
    host_test("scratch memory runs out", memory_runs_out);
    host_test("scratch disk that fails", disk_that_fails);
    return host_result();
}
