/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of files/ stand on: a disk in a file (support.h), and the functions of layers that are not under test,
 * such as the address space that /proc shows. A block request that drivers/device.c would refuse is a panic here, since
 * files/ must not make any.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/kernel_names.h"

#include "core/log.h"
#include "core/pages.h"
#include "files/support.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "platform/platform.h"

struct disk {
    struct block_device device;
    int descriptor;
};

bool test_disk_fails, test_disk_deferred;
unsigned test_disk_most_waiting;
static struct list waiting = LIST_INIT(waiting);
static unsigned waiting_count;
unsigned test_disk_requests, test_disk_segments;
struct platform_information platform = { .name = "host", .command_line = "quiet", .cpus = 1 };

static void serve(struct disk *disk, struct block_request *request)
{
    uint64_t offset = request->sector * SECTOR_SIZE;
    int error = test_disk_fails ? -EIO : 0;
    test_disk_requests++;
    for (unsigned i = 0; i < request->segment_count; i++) {
        struct block_segment *segment = &request->segments[i];
        void *memory = phys_to_virt(segment->address);
        test_disk_segments++;
        if (!error && (request->write ? pwrite(disk->descriptor, memory, segment->length, (off_t)offset)
                                      : pread(disk->descriptor, memory, segment->length, (off_t)offset)) !=
                          (ssize_t)segment->length)
            error = -EIO;
        offset += segment->length;
    }
    request->done(request, error);
}

static struct disk *deferring;

static void submit(struct block_device *device, struct block_request *request)
{
    struct disk *disk = container_of(device, struct disk, device);
    if (!test_disk_deferred) {
        serve(disk, request);
        return;
    }
    deferring = disk;
    list_push_back(&waiting, &request->link);
    test_disk_most_waiting = max_of(test_disk_most_waiting, ++waiting_count);
}

bool test_disk_serve_last(void)
{
    if (list_empty(&waiting))
        return false;
    struct block_request *request = list_entry(waiting.prev, struct block_request, link);
    list_remove(&request->link);
    waiting_count--;
    serve(deferring, request);
    return true;
}

void block_submit(struct block_device *device, struct block_request *request)
{
    if (request->flush) {
        request->device = device;
        if (device->flushes)
            device->submit(device, request);
        else
            request->done(request, 0);
        return;
    }
    uint64_t end = request->sector;
    bool sound = request->segment_count >= 1 && request->segment_count <= BLOCK_MAX_SEGMENTS;
    for (unsigned i = 0; sound && i < request->segment_count; i++) {
        struct block_segment *segment = &request->segments[i];
        sound = segment->length % SECTOR_SIZE == 0 && segment->address % SECTOR_SIZE == 0 && segment->length &&
                (segment->address & PAGE_MASK) + segment->length <= PAGE_SIZE;
        end += segment->length / SECTOR_SIZE;
    }
    if (!sound || end > device->sectors)
        panic("a bad block request");
    device->submit(device, request);
}

static struct disk *disks[8];
static unsigned disk_count;

struct block_device *test_disk(const char *path)
{
    if (disk_count == array_size(disks))
        panic("too many disks");
    struct disk *disk = calloc(1, sizeof(*disk));
    struct stat status;
    disk->descriptor = open(path, access(path, W_OK) ? O_RDONLY : O_RDWR);
    if (disk->descriptor < 0 || fstat(disk->descriptor, &status) != 0) {
        perror(path);
        exit(2);
    }
    string_copy(disk->device.name, "test", sizeof(disk->device.name));
    disk->device.sectors = (uint64_t)status.st_size / SECTOR_SIZE;
    disk->device.read_only = true;
    disk->device.submit = submit;
    disks[disk_count++] = disk;
    return &disk->device;
}

ssize_type test_read_file(const char *path, void *to, size_t size)
{
    struct file *file;
    int error = file_open(NULL, path, O_RDONLY, 0, &file);
    if (error)
        return error;
    ssize_type n = file_read_kernel(file, to, size, 0);
    file_put(file);
    return n;
}

int test_write_file(const char *path, const char *text) { return file_write_kernel(path, text, strlen(text)); }

void test_memory_root(uint64_t limit)
{
    struct file_system *fs = tmpfs_create(limit, 0755);
    if (!fs || mount_at("/", fs) || name_make(NULL, "/tmp", S_IFDIR | 0755, NULL))
        panic("no memory root");
}

/* Nothing is mapped here. */
void address_space_cut_source(struct page_source *source, uint64_t pages)
{
    (void)source;
    (void)pages;
}
void address_space_move_source(struct page_source *from, struct page_source *to, bool *moved)
{
    (void)from;
    (void)to;
    *moved = true;
}

/* What /proc asks of layers that are not under test. */
static struct area area = {
    .start = 0x400000, .end = 0x402000, .protection = MMU_READ | MMU_EXECUTE, .name = "[test]"
};

void address_space_for_each(void (*visit)(const struct area *area, void *context), void *context)
{
    visit(&area, context);
}

struct memory_events memory_events = { .faults = 7 };
struct area_pages area_count_pages(const struct area *of)
{
    return (struct area_pages){ .resident = (of->end - of->start) >> PAGE_SHIFT };
}

void address_space_usage(struct address_space_usage *usage)
{
    *usage = (struct address_space_usage){ .reserved_bytes = 8192, .resident_pages = 2 };
}

/* Tests do themselves what the kernel's threads do. */
struct thread *thread_start_kernel(const char *name, void (*entry)(void *), void *argument)
{
    (void)name;
    (void)entry;
    (void)argument;
    return NULL;
}

struct page *device_page(void) { return page_allocate_zeroed(); }
uint64_t address_space_available(void) { return pages_free_count() + page_cache_evictable(); }
struct network_device *network_device_at(unsigned index)
{
    (void)index;
    return NULL;
}
struct block_device *block_device_at(unsigned index) { return index < disk_count ? &disks[index]->device : NULL; }
bool address_space_can_write(struct page_source *source)
{
    (void)source;
    return false;
}

int test_allocate(struct inode *inode, uint64_t offset, uint64_t length, bool keep_size, bool hole)
{
    mutex_lock(&inode->lock);
    int error = inode->operations->allocate(inode, offset, length, keep_size, hole);
    mutex_unlock(&inode->lock);
    return error;
}
