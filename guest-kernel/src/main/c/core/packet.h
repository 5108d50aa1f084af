/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet: a linear head, followed by page fragments. Headers come and go at the front of the linear area, payload
 * stays in the fragments. Drivers and net/ pass it on; its holder is its only owner, and frees it with packet_free();
 * so nothing here locks. Received packets have at least all headers that a protocol layer may need, or the whole
 * packet, within reach of packet_pull().
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

#define PACKET_HEADROOM 128     /* for link, IP and TCP headers in front of payload */
#define PACKET_MAX_FRAGMENTS 18 /* 64 KiB in pages, one split at each end */
/* tx: device must fill the TCP/UDP checksum; rx: it was left partial by a local sender and the data is trusted. */
#define PACKET_CHECKSUM_PARTIAL 1u
#define PACKET_CHECKSUM_VALID 2u /* rx: checksum already verified by the device */
#define PACKET_LOOPED 4u         /* net/: a copy of what was sent, not from a device */

struct packet_fragment {
    /* One reference held by the packet; transmitted: holds data for the network and zeros only, since the backend sees
     * all of it. */
    struct page *page;
    uint16_t offset, length;
};
struct packet {
    struct list link;   /* the current owner's queue */
    uint8_t *head;      /* linear area: the rest of the packet's block, or one of its own after it has grown */
    uint32_t head_size; /* bytes in it */
    uint32_t start;     /* linear data is head[start .. start + linear) */
    uint32_t linear;
    uint32_t length;          /* linear + all fragments */
    uint32_t flags;           /* PACKET_* */
    uint16_t checksum_start;  /* PARTIAL, from head + start: where summing begins ... */
    uint16_t checksum_offset; /* ... and where, from there, the field is */
    uint16_t segment_size;    /* TSO: MSS in bytes for each segment, 0: not segmented */
    uint16_t header_length;   /* TSO: bytes of headers in front of the payload */
    uint16_t fragment_count;
    uint16_t fragment_limit;
    _Alignas(8) uint8_t layer[64];      /* scratch of the layer that owns it now */
    struct packet_fragment fragments[]; /* room for `fragment_limit`, of which `fragment_count` are in use */
};
/* A packet with an empty linear area of `size` bytes after PACKET_HEADROOM, and without room for fragments, or with
 * room for PACKET_MAX_FRAGMENTS; NULL: no memory. */
struct packet *packet_allocate(uint32_t size);
struct packet *packet_allocate_paged(uint32_t size);
void packet_free(struct packet *packet);

static inline uint8_t *packet_data(const struct packet *packet) { return packet->head + packet->start; }

/* `length` new bytes in front of the data; NULL if the headroom does not hold them. */
void *packet_push(struct packet *packet, uint32_t length);
/* The first `length` bytes in one piece, moved into the linear area if need be; NULL if the packet is shorter or memory
 * is exhausted. Earlier pointers into the linear area are invalid. */
void *packet_pull_fragments(struct packet *packet, uint32_t length);
static inline void *packet_pull(struct packet *packet, uint32_t length)
{
    return likely(length <= packet->linear) ? packet_data(packet) : packet_pull_fragments(packet, length);
}
/* Drops bytes at the front; length <= packet->length. */
void packet_drop_front(struct packet *packet, uint32_t length);
/* Cuts the packet to `length` bytes; no effect if it is shorter. */
void packet_trim(struct packet *packet, uint32_t length);
/* `length` new bytes after the linear data; NULL if fragments follow or there is no room. */
void *packet_put(struct packet *packet, uint32_t length);
/* Adds a fragment, taking a reference to the page; false if there is no room for one more. Merges with the last
 * fragment where they touch. */
bool packet_add_fragment(struct packet *packet, struct page *page, uint32_t offset, uint32_t length);

/* Copies length bytes from `offset`, which must all be in the packet. */
void packet_copy_out(const struct packet *packet, uint32_t offset, void *to, uint32_t length);
/* A linear copy of a range of the packet; NULL without memory. */
struct packet *packet_copy(const struct packet *packet, uint32_t offset, uint32_t length);
/* A copy of the data in pages of its own, at most 64 KiB, which packet_share() need not copy again; NULL without
 * memory. */
struct packet *packet_copy_paged(const struct packet *packet);
/* A packet with the same data: it copies the linear area and has references to the same pages, to which no holder
 * writes. NULL without memory. */
struct packet *packet_share(const struct packet *packet);
/* The sum of all bytes from `offset` to the end, added to `sum`. */
uint64_t packet_checksum(const struct packet *packet, uint32_t offset, uint64_t sum);

/* The memory a packet holds, for accounts: grows when fragments are added, never when trimmed. */
uint32_t packet_memory(const struct packet *packet);

/* Frees every packet of a list. */
void packet_free_all(struct list *packets);

/* Calls `visit` for each contiguous run of [offset, offset + length), which is all in the packet; stops when it returns
 * false. */
typedef bool packet_visit(void *context, const uint8_t *data, uint32_t length);
void packet_for_each_run(const struct packet *packet, uint32_t offset, uint32_t length, packet_visit *visit,
                         void *context);
