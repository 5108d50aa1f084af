/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged images: the input patches bytes of a good image (environment variable EXT2_IMAGE), four bytes a patch:
 * a 24-bit offset and a value. The result is mounted, walked and read. Errors are expected, but never a
 * crash, a request beyond the device or an endless loop.
 *
 * File systems are never unmounted in the kernel, so each run keeps its few blocks: run with
 * leak detection off and a bounded number of runs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/kernel_names.h"

#include "core/log.h"
#include "core/pages.h"
#include "files/ext2/ext2.h"
#include "files/vfs.h"
#include "host/host.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/page_cache.h"
#include "platform/platform.h"

#define DEPTH_LIMIT 6
#define NAMES_LIMIT 400u /* looked at in all: damaged directories may be endless by design */
#define READ_LIMIT 65536

struct platform_information platform;
struct memory_events memory_events;
struct area_pages area_count_pages(const struct area *area)
{
    (void)area;
    return (struct area_pages){ 0 };
}
void address_space_for_each(void (*visit)(const struct area *area, void *context), void *context)
{
    (void)visit;
    (void)context;
}
void address_space_usage(struct address_space_usage *usage) { memset(usage, 0, sizeof(*usage)); }
uint64_t address_space_available(void) { return pages_free_count(); }
struct thread *thread_start_kernel(const char *name, void (*entry)(void *), void *argument)
{
    (void)name;
    (void)entry;
    (void)argument;
    return NULL;
}
struct page *device_page(void) { return page_allocate_zeroed(); }
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
struct network_device *network_device_at(unsigned index)
{
    (void)index;
    return NULL;
}
struct block_device *block_device_at(unsigned index)
{
    (void)index;
    return NULL;
}
bool address_space_can_write(struct page_source *source)
{
    (void)source;
    return false;
}

static const uint8_t *image;

void block_submit(struct block_device *device, struct block_request *request)
{
    uint64_t offset = request->sector * SECTOR_SIZE;
    for (unsigned i = 0; i < request->segment_count; i++) {
        struct block_segment *segment = &request->segments[i];
        if (offset + segment->length > device->sectors * SECTOR_SIZE)
            panic("a request beyond the device");
        memcpy(phys_to_virt(segment->address), image + offset, segment->length);
        offset += segment->length;
    }
    request->done(request, 0);
}

/* The names that were listed so far, in all directories; more are not looked at. */
static char names[NAMES_LIMIT][NAME_LIMIT + 1];
static unsigned names_count;

static bool keep_name(struct listing *listing, const struct listed_name *name)
{
    (void)listing;
    if (names_count == NAMES_LIMIT)
        return false;
    memcpy(names[names_count], name->name, name->length);
    names[names_count++][name->length] = 0;
    return true;
}

static void look_at(struct dentry *dentry, unsigned depth);

static void visit_name(struct dentry *directory, const char *name, unsigned depth)
{
    struct dentry *child;
    if (name[0] && !path_find(directory, name, 0, &child)) {
        look_at(child, depth);
        dentry_put(child);
    }
    if (name[0] && !path_find(directory, name, WALK_FOLLOW, &child))
        dentry_put(child);
}

static void look_at_directory(struct dentry *dentry, struct file *file, unsigned depth)
{
    struct listing listing = { .take = keep_name };
    unsigned first = names_count;
    (void)file_list(file, &listing);
    file_seek(file, 13, 0);
    (void)file_list(file, &listing);
    unsigned end = names_count;
    for (unsigned i = first; i < end; i++)
        visit_name(dentry, names[i], depth + 1);
}

static void look_at(struct dentry *dentry, unsigned depth)
{
    static char buffer[READ_LIMIT];
    struct file *file;
    if (depth > DEPTH_LIMIT || dentry_open(dentry, O_RDONLY, &file))
        return;
    if (is_type(dentry->inode, S_IFDIR)) {
        look_at_directory(dentry, file, depth);
    } else {
        (void)file_read_kernel(file, buffer, sizeof(buffer), 0);
        (void)file_read_kernel(file, buffer, PAGE_SIZE, file->inode->size - PAGE_SIZE / 2);
    }
    file_put(file);
}

static uint8_t good[1 << 20], damaged[1 << 20];
static size_t image_size;

static void load_image(void)
{
    const char *path = getenv("EXT2_IMAGE");
    int descriptor = path ? open(path, 0) : -1;
    ssize_t n = descriptor >= 0 ? read(descriptor, good, sizeof(good)) : -1;
    if (n <= 0)
        panic("EXT2_IMAGE must name an image of at most 1 MiB");
    close(descriptor);
    image_size = (size_t)n;
}

static void apply(const uint8_t *patches, size_t size)
{
    memcpy(damaged, good, image_size);
    for (size_t i = 0; i + 4 <= size; i += 4) {
        size_t offset = patches[i] | (size_t)patches[i + 1] << 8 | (size_t)patches[i + 2] << 16;
        damaged[offset % image_size] = patches[i + 3];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!image_size) {
        host_init();
        page_cache_init();
        log_limit = (enum log_level) - 1;
        load_image();
    }
    /* Stays allocated: cached names of earlier images still point to it. */
    struct block_device *device = calloc(1, sizeof(*device));
    device->sectors = image_size / SECTOR_SIZE;
    device->read_only = true;
    struct file_system *fs;
    apply(data, size);
    image = damaged;
    names_count = 0;
    if (ext2_open(device, false, &fs)) {
        free(device);
        return 0;
    }
    root_directory = dentry_create_root(fs->root);
    look_at(root_directory, 0);
    return 0;
}
