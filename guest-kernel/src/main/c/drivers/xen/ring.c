/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/xen/ring.h"

#include "lib/errno.h"
#include "lib/string.h"

static uint8_t *slot(const struct ring *ring, uint32_t index)
{
    return (uint8_t *)(ring->shared + 1) + (size_t)(index & (ring->slots - 1)) * ring->slot_size;
}

void ring_init(struct ring *ring, void *page, uint32_t slot_size)
{
    uint32_t room = (PAGE_SIZE - sizeof(struct ring_header)) / slot_size;
    memset(page, 0, PAGE_SIZE);
    *ring = (struct ring){ .shared = page, .slot_size = slot_size, .slots = 1 };
    while (ring->slots * 2 <= room)
        ring->slots *= 2;
    ring->shared->request_event = 1;
    ring->shared->response_event = 1;
}

void ring_put(struct ring *ring, const void *request, uint32_t length)
{
    memcpy(slot(ring, ring->requests_produced++), request, length);
}

bool ring_push(struct ring *ring)
{
    uint32_t before = ring->shared->requests_produced;
    uint32_t now = ring->requests_produced;
    __atomic_store_n(&ring->shared->requests_produced, now, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return now - read_once(ring->shared->request_event) < now - before;
}

int ring_pending(const struct ring *ring)
{
    uint32_t produced = __atomic_load_n(&ring->shared->responses_produced, __ATOMIC_ACQUIRE);
    uint32_t pending = produced - ring->responses_consumed;
    return pending <= ring->requests_produced - ring->responses_consumed ? (int)pending : -EPROTO;
}

void ring_take(struct ring *ring, void *response, uint32_t length)
{
    memcpy(response, slot(ring, ring->responses_consumed++), length);
    compiler_barrier();
}

bool ring_wait_for(struct ring *ring, uint32_t more)
{
    write_once(ring->shared->response_event, ring->responses_consumed + more);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ring_pending(ring) != 0;
}
