/*
 * Working on packets (drivers/device.h): headers come and go at the front of the linear area,
 * payload stays in page fragments. None of these lock; the packet's owner calls them.
 */
#pragma once

#include "drivers/device.h"
#include "memory/transfer.h"

static inline uint8_t *packet_data(const struct packet *packet) { return packet->head + packet->start; }

/* `length` new bytes in front of the data; NULL if the headroom does not hold them. */
void *packet_push(struct packet *packet, uint32_t length);
/* The first `length` bytes in one piece, moved into the linear area if need be; NULL if the packet
 * is shorter or memory is exhausted. Pointers into the linear area from before are void. */
void *packet_pull(struct packet *packet, uint32_t length);
/* Drops bytes at the front; length <= packet->length. */
void packet_drop_front(struct packet *packet, uint32_t length);
/* Cuts the packet to `length` bytes; no effect if it is shorter. */
void packet_trim(struct packet *packet, uint32_t length);
/* `length` new bytes behind the linear data; NULL if fragments follow or there is no room. */
void *packet_put(struct packet *packet, uint32_t length);
/* Adds a fragment, taking a reference to the page; false if the packet is full. Merges with the last
 * fragment where they touch. */
bool packet_add_fragment(struct packet *packet, struct page *page, uint32_t offset, uint32_t length);

/* Copies length bytes from `offset`, which must all be in the packet. */
void packet_copy_out(const struct packet *packet, uint32_t offset, void *to, uint32_t length);
/* Moves bytes to a reader. Bytes moved, or -EFAULT if none could be. May sleep. */
ssize_type packet_transfer_out(const struct packet *packet, uint32_t offset, struct transfer *to, uint32_t length);
/* A linear copy of a range of the packet; NULL without memory. */
struct packet *packet_copy(const struct packet *packet, uint32_t offset, uint32_t length);
/* The sum of all bytes from `offset` to the end, added to `sum`. */
uint64_t packet_checksum(const struct packet *packet, uint32_t offset, uint64_t sum);

/* The memory a packet holds, for accounts: grows when fragments are added, never when trimmed. */
uint32_t packet_memory(const struct packet *packet);

/* Frees every packet of a list. */
void packet_free_all(struct list *packets);
