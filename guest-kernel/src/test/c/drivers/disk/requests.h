/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the newest disk, for tests of disk drivers: a request's pages are its own, what it writes depends on its
 * number, and how often and how it ended is counted.
 */
#pragma once

#include "drivers/device.h"

#define REQUESTS 100

extern struct block_device *disk;
extern struct block_request requests[REQUESTS];
extern unsigned ended[REQUESTS]; /* how often */
extern int results[REQUESTS];

unsigned disks_found(void);
/* Submits request `number` for a run of bytes of `disk`, in pages of its own of which the first begins at `offset`. */
void submit_run(unsigned number, bool write, uint64_t sector, uint32_t offset, uint32_t length);
/* Byte `at` of a run. */
uint8_t *byte_of(unsigned number, uint32_t at);
/* Frees the pages of request `number`. */
void free_run(unsigned number);
/* How many requests have ended, each once; UINT_MAX if one has twice. */
unsigned count_ended(void);
