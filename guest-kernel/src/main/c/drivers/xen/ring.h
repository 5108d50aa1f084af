/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request/response ring of block and network devices, front-end side (xen/io/ring.h): one
 * shared page with a header of four indices and 2^n slots, each a request until the backend
 * overwrites it with a response. Indices run freely modulo 2^32.
 *
 * The backend may write anything at any time: its indices are checked against what was asked,
 * and responses are copied before they are looked at. Locking is the owner's.
 */
#pragma once

#include "lib/types.h"

/* xen/io/ring.h: struct name_sring. */
struct ring_header {
    uint32_t requests_produced, request_event;
    uint32_t responses_produced, response_event;
    uint8_t padding[48];
};

struct ring {
    struct ring_header *shared;
    uint32_t slots;             /* a power of two */
    uint32_t slot_size;         /* bytes */
    uint32_t requests_produced; /* written so far, ring_push() makes them visible */
    uint32_t responses_consumed;
};

/* Sets up an empty ring in `page`; all of its bytes are written, so nothing leaks. */
void ring_init(struct ring *ring, void *page, uint32_t slot_size);

/* Requests that can be written before the ring is full. */
static inline uint32_t ring_free(const struct ring *ring)
{
    return ring->slots - (ring->requests_produced - ring->responses_consumed);
}

/* Copies a request of `length` bytes (<= slot_size) into the next slot; needs ring_free() > 0. */
void ring_put(struct ring *ring, const void *request, uint32_t length);

/* Shows the backend what was put. True: it asked to be notified. */
must_check bool ring_push(struct ring *ring);

/* How many responses wait, 0.. slots; -EPROTO if the backend claims more than were requested. */
must_check int ring_pending(const struct ring *ring);

/* Copies out the oldest response; needs ring_pending() > 0. */
void ring_take(struct ring *ring, void *response, uint32_t length);

/* Asks for a notification when `more` (>= 1) responses beyond those taken are there. True: there are
 * some already, look again. */
must_check bool ring_wait_for(struct ring *ring, uint32_t more);
