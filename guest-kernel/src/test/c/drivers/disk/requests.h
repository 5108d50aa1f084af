/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the newest disk, for tests of disk drivers: a request's pages are its own, what it writes depends on its
 * number, and how often and how it ended is counted. Each directory of tests has the double of a controller.
 */
#pragma once

#include "drivers/device.h"

#define REQUESTS 100
#define LARGEST (BLOCK_MAX_SEGMENTS * (uint32_t)PAGE_SIZE)

extern struct block_device *disk;
extern struct block_request requests[REQUESTS];
extern unsigned ended[REQUESTS]; /* how often */
extern int results[REQUESTS];

/* The double of a controller. */
struct fake_disk {
    void (*init)(void);           /* makes a good controller with one disk, not yet found */
    bool (*find)(void);           /* has the driver find it; true if it took the function */
    unsigned (*serve)(void);      /* does and ends all commands that there are; how many */
    bool (*keeps_rules)(void);    /* whether the driver has done nothing against the rules */
    const uint8_t *(*data)(void); /* of the first disk */
};
extern const struct fake_disk fake_disk;

unsigned disks_found(void);
/* Finds the controller, which has one disk at least, and makes its first one `disk`. */
bool start_disk(void);
/* Submits request `number` for a run of bytes of `disk`, in pages of its own of which the first begins at `offset`. */
void submit_run(unsigned number, bool write, uint64_t sector, uint32_t offset, uint32_t length);
/* Submits request `number` as a flush of `disk`, without data. */
void submit_flush(unsigned number);
/* Byte `at` of a run. */
uint8_t *byte_of(unsigned number, uint32_t at);
/* Whether a run has these bytes. */
bool equals(unsigned number, const uint8_t *bytes, uint32_t length);
/* Whether a run has the bytes that the first disk has from `sector` on. */
bool holds(unsigned number, uint64_t sector, uint32_t length);
/* Frees the pages of request `number`. */
void free_run(unsigned number);
/* How many requests have ended, each once; UINT_MAX if one has twice. */
unsigned count_ended(void);
/* A test: runs of every kind of beginning and end are read and written, each by one command. */
void transfers_what_was_asked_for(void);
