/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing a block device: batches of extents merged into large requests, several in flight; and the device
 * as a page source, through which metadata is read and cached.
 *
 * A batch lives on its owner's stack and allocates nothing, so both work when memory is short.
 */
#pragma once

#include "drivers/device.h"
#include "memory/page_cache.h"
#include "threads/wait.h"

#define BLOCK_BATCH_REQUESTS 4

struct block_batch {
    struct block_device *device;
    bool write;
    struct spinlock lock;
    struct wait_queue finished;
    int error;          /* lock: the first error */
    uint32_t in_flight; /* lock: one bit for each of requests[] */
    int filling;        /* index of the request being filled, -1: none */
    struct block_request requests[BLOCK_BATCH_REQUESTS];
};

/* One that reads, or writes. */
void block_batch_begin(struct block_batch *batch, struct block_device *device, bool write);
/* Moves `length` bytes (multiple of SECTOR_SIZE, within one page) between a byte offset of the device
 * (multiple of SECTOR_SIZE) and memory. May sleep. */
void block_batch_add(struct block_batch *batch, uint64_t offset, phys_t memory, uint32_t length);
/* Waits for all of it. 0 or the first error. */
int block_batch_end(struct block_batch *batch);

/* What has been written, and has ended, outlives a loss of power when this ends. 0 or the device's error. Sleeps. */
int block_flush(struct block_device *device);

/* A device's contents as cached pages. */
struct block_cache {
    struct block_device *device;
    struct page_source pages;
};
void block_cache_init(struct block_cache *cache, struct block_device *device);
/* Copies bytes of the device. 0 or -EIO, -ENOMEM. */
int block_cache_read(struct block_cache *cache, uint64_t offset, void *to, size_t length);
