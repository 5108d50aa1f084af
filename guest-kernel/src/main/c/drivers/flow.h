/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows: packets between the same two addresses and ports. NICs with several queues keep each flow on one of them, so
 * that its packets stay in order and one CPU has them. Functions of their arguments alone, for any context.
 */
#pragma once

#include "core/packet.h"
#include "lib/hash.h"

/* Bytes of two IPv6 addresses and two ports, the longest tuple. */
#define FLOW_TUPLE_MAX 36u

/* The tuple of the flow that a packet which is sent belongs to, as the peer's packets have it: their source address,
 * their destination address, and both ports where the packet has them (Microsoft's "RSS Hashing Types"). The packet is
 * an Ethernet frame, with its headers in the linear part. Its length in bytes, at most FLOW_TUPLE_MAX; 0: it is none of
 * IP. */
unsigned flow_tuple(const struct packet *packet, uint8_t *tuple);
/* Which of `count` queues has the flow that a packet which is sent belongs to, by a keyed hash of its tuple, so that no
 * peer can direct its connections to one CPU; 0 for what is none of IP. */
unsigned flow_place(const struct hash_key *key, const struct packet *packet, unsigned count);
