/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small disk in memory with a partition table, for tests (UEFI specification 2.10, 5.3). One thread.
 */
#pragma once

#include "drivers/device.h"

#define GPT_IMAGE_BLOCKS 128
#define GPT_IMAGE_BACKUP (GPT_IMAGE_BLOCKS - 1) /* block of the second header */
#define GPT_IMAGE_ENTRIES 8
#define GPT_IMAGE_FIRST_ENTRIES 2 /* block of the first table's entries */
#define GPT_IMAGE_LAST_ENTRIES (GPT_IMAGE_BACKUP - 2)
#define GPT_IMAGE_FIRST_USABLE 4
#define GPT_IMAGE_LAST_USABLE (GPT_IMAGE_LAST_ENTRIES - 1)

extern uint8_t gpt_image[GPT_IMAGE_BLOCKS * PAGE_SIZE];
extern struct block_device gpt_image_disk;

/* A sound one: the first entry is blocks 40 to 63, the third blocks 64 to 99, the others are empty. */
void gpt_image_make(uint32_t block_size);
/* Puts a little-endian number of so many bytes on the disk. */
void gpt_image_put(uint64_t offset, uint64_t value, unsigned bytes);
/* Bytes from the beginning of the disk to a block. */
uint64_t gpt_image_offset(uint64_t block);
/* Makes the checksums right of the table whose header is in this block, if its entries are on the disk. */
void gpt_image_seal(uint64_t block);
