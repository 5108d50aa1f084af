/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host/kernel_names.h"

#include "core/log.h"
#include "core/pages.h"
#include "files/gpt_image.h"
#include "lib/crc32.h"

#define HEADER_SIZE 92
#define ENTRY_SIZE 128

uint8_t gpt_image[GPT_IMAGE_BLOCKS * PAGE_SIZE];

static void submit(struct block_device *device, struct block_request *request)
{
    uint64_t offset = request->sector * SECTOR_SIZE;
    (void)device;
    for (unsigned i = 0; i < request->segment_count; i++) {
        struct block_segment *segment = &request->segments[i];
        memcpy(phys_to_virt(segment->address), gpt_image + offset, segment->length);
        offset += segment->length;
    }
    request->done(request, 0);
}

struct block_device gpt_image_disk = { .name = "image", .read_only = true, .submit = submit };

uint64_t gpt_image_offset(uint64_t block) { return block * gpt_image_disk.block_size; }

void gpt_image_put(uint64_t offset, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        gpt_image[offset + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(uint64_t offset, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)gpt_image[offset + i] << 8 * i;
    return value;
}

void gpt_image_seal(uint64_t block)
{
    uint64_t header = gpt_image_offset(block);
    uint64_t first = get(header + 72, 8), size = get(header + 80, 4) * get(header + 84, 4);
    if (first < GPT_IMAGE_BLOCKS && size <= gpt_image_offset(GPT_IMAGE_BLOCKS - first))
        gpt_image_put(header + 88, crc32_add(0, gpt_image + gpt_image_offset(first), size), 4);
    gpt_image_put(header + 16, 0, 4);
    gpt_image_put(header + 16, crc32_add(0, gpt_image + header, HEADER_SIZE), 4);
}

static void put_entry(uint64_t table, unsigned number, uint64_t first, uint64_t last)
{
    uint64_t entry = gpt_image_offset(table) + number * ENTRY_SIZE;
    memset(gpt_image + entry, 0x11 + (int)number, 32);
    gpt_image_put(entry + 32, first, 8);
    gpt_image_put(entry + 40, last, 8);
}

static void put_table(uint64_t own, uint64_t other, uint64_t entries)
{
    uint64_t header = gpt_image_offset(own);
    memcpy(gpt_image + header, "EFI PART", 8);
    gpt_image_put(header + 8, 0x10000, 4);
    gpt_image_put(header + 12, HEADER_SIZE, 4);
    gpt_image_put(header + 24, own, 8);
    gpt_image_put(header + 32, other, 8);
    gpt_image_put(header + 40, GPT_IMAGE_FIRST_USABLE, 8);
    gpt_image_put(header + 48, GPT_IMAGE_LAST_USABLE, 8);
    gpt_image_put(header + 72, entries, 8);
    gpt_image_put(header + 80, GPT_IMAGE_ENTRIES, 4);
    gpt_image_put(header + 84, ENTRY_SIZE, 4);
    put_entry(entries, 0, 40, 63);
    put_entry(entries, 2, 64, 99);
    gpt_image_seal(own);
}

void gpt_image_make(uint32_t block_size)
{
    memset(gpt_image, 0, sizeof(gpt_image));
    gpt_image_disk.block_size = block_size;
    gpt_image_disk.sectors = (uint64_t)GPT_IMAGE_BLOCKS * block_size / SECTOR_SIZE;
    put_table(1, GPT_IMAGE_BACKUP, GPT_IMAGE_FIRST_ENTRIES);
    put_table(GPT_IMAGE_BACKUP, 1, GPT_IMAGE_LAST_ENTRIES);
}
