/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which namespaces a controller has, and which of them can be disks: blocks of 512 to 4096 bytes without metadata, as
 * many as can be counted. Runs while the controller is started; announced disks stay for ever. Fields of the structures
 * that the controller fills are read once and checked.
 */
#include "core/heap.h"
#include "core/log.h"
#include "drivers/numbers.h"
#include "drivers/nvme/nvme.h"
#include "lib/errno.h"
#include "lib/string.h"

#define VERSION_1_1 0x00010100u /* lists of namespaces */

/* Structures of Identify (figure 244, CNS). */
#define IDENTIFY_NAMESPACE 0
#define IDENTIFY_LIST 2
#define LIST_LENGTH 1024

/* Identify namespace (figure 245). */
#define SIZE 0
#define FORMAT_INDEX 26
#define ATTRIBUTES 99
#define FORMATS 128
#define FORMAT_LENGTH 4 /* u16 metadata bytes, u8 log2 of the block size, u8 performance */
#define WRITE_PROTECTED 1

#define BLOCK_SHIFT_MIN 9
#define BLOCK_SHIFT_MAX PAGE_SHIFT

struct description {
    uint64_t blocks;
    uint16_t metadata;
    uint8_t shift;
    bool read_only;
};

static struct description describe(const uint8_t *structure)
{
    struct description d;
    const uint8_t *format = structure + FORMATS + FORMAT_LENGTH * (structure[FORMAT_INDEX] & 0xf);
    memcpy(&d.blocks, structure + SIZE, sizeof(d.blocks));
    memcpy(&d.metadata, format, sizeof(d.metadata));
    d.shift = format[2];
    d.read_only = structure[ATTRIBUTES] & WRITE_PROTECTED;
    return d;
}

/* Why it cannot be a disk, or NULL. The number of its bytes is a number too, for those who use it. */
static const char *refusal(const struct description *d)
{
    if (d->shift < BLOCK_SHIFT_MIN || d->shift > BLOCK_SHIFT_MAX)
        return "its blocks do not have 512 to 4096 bytes; format it with such";
    if (d->metadata != 0)
        return "its blocks have metadata; format it without";
    if (d->blocks > UINT64_MAX >> d->shift)
        return "it reports more bytes than can be counted; give the guest another disk";
    return NULL;
}

static void announce(struct nvme_controller *controller, uint32_t namespace, const struct description *d)
{
    struct nvme_disk *disk = heap_allocate_zeroed(sizeof(*disk));
    if (!disk) {
        log_error("%sn%u: no memory for a disk; give the guest more", controller->name, namespace);
        return;
    }
    disk->controller = controller;
    disk->namespace = namespace;
    disk->block_shift = d->shift;
    disk->block.sectors = d->blocks << (d->shift - BLOCK_SHIFT_MIN);
    disk->block.block_size = 1u << d->shift;
    disk->block.read_only = d->read_only;
    disk->block.flushes = disk->controller->write_cache;
    disk->block.submit = nvme_submit;
    disk->block.check = nvme_check;
    format(disk->block.name, sizeof(disk->block.name), "%sn%u", controller->name, namespace);
    disk_number_extended(&disk->block);
    block_device_add(&disk->block);
    log_info("%s: %lu MiB in blocks of %u bytes%s", disk->block.name, disk->block.sectors >> 11, disk->block.block_size,
             d->read_only ? ", read-only" : "");
}

static void look_at(struct nvme_controller *controller, uint32_t namespace, void *page)
{
    if (nvme_identify(controller, IDENTIFY_NAMESPACE, namespace, page) != 0)
        return;
    struct description d = describe(page);
    if (d.blocks == 0)
        return; /* not in use */
    const char *why = refusal(&d);
    if (why)
        log_error("%sn%u is not usable as a disk: %s", controller->name, namespace, why);
    else
        announce(controller, namespace, &d);
}

/* The list ascends and ends with a 0 (5.15.2.3); an entry that does not ascend ends it too. */
static void look_at_listed(struct nvme_controller *controller, const uint32_t *list, void *page)
{
    uint32_t last = 0;
    for (unsigned i = 0; i < LIST_LENGTH && read_once(list[i]) > last; i++) {
        last = read_once(list[i]);
        look_at(controller, last, page);
    }
}

static void look_at_numbered(struct nvme_controller *controller, void *page)
{
    for (uint32_t id = 1; id <= min_of(controller->namespaces, (uint32_t)LIST_LENGTH); id++)
        look_at(controller, id, page);
}

void nvme_namespaces_find(struct nvme_controller *controller, void *page)
{
    if (controller->version < VERSION_1_1) {
        look_at_numbered(controller, page);
        return;
    }
    struct page *list = device_page();
    if (!list) {
        log_error("%s: no memory to list its disks; give the guest more", controller->name);
        return;
    }
    if (nvme_identify(controller, IDENTIFY_LIST, 0, page_data(list)) == 0)
        look_at_listed(controller, page_data(list), page);
    if (!controller->silent)
        page_put(list);
}
