/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the boot code finds things in memory, and the boot map: the second sector of the image, in which the image's
 * writer notes where the files are that are needed to boot. Both are shared by assembly and C; docs/bios.md describes
 * the map for those who write it.
 */
#pragma once

#define SECTOR_ADDRESS 0x7c00 /* where every BIOS puts the first sector; the stack grows down from here */
#define MAP_ADDRESS 0x7e00
#define LOADER_ADDRESS 0x8000
#define BUFFER_ADDRESS 0x10000 /* for sectors read from the disk; the loader ends below */
#define BUFFER_SIZE 0x8000

#define SECTOR_SIZE 512
#define BLOCK_SECTORS 8 /* extents count in blocks of 4096 bytes */

#define MAP_MAGIC 0x50414d55    /* the first bytes of the map: "UMAP" */
#define LOADER_MAGIC 0x44414f4c /* the first bytes of the loader: "LOAD" */
#define MAP_LOADER_EXTENTS (MAP_ADDRESS + 4)
#define MAP_EXTENTS (MAP_ADDRESS + 32)

#ifndef __ASSEMBLY__

#include "lib/types.h"

enum map_file { MAP_LOADER, MAP_KERNEL, MAP_MENU, MAP_FILES };

struct map_extent {
    uint32_t block; /* of the disk; 0: a hole of the file, which reads as zeros, but not of the loader */
    uint32_t count; /* blocks, at least one */
};

#define MAP_EXTENTS_MAX ((SECTOR_SIZE - 32) / sizeof(struct map_extent))

struct boot_map {
    uint32_t magic;
    struct {
        uint32_t extents; /* how many of those below; the files' extents follow each other */
        uint32_t size;    /* bytes */
    } files[MAP_FILES];
    uint32_t reserved; /* 0 */
    struct map_extent extents[MAP_EXTENTS_MAX];
};

_Static_assert(sizeof(struct boot_map) == SECTOR_SIZE, "the map is one sector");

#endif
