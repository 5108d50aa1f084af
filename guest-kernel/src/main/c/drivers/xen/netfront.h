/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paravirtual network device (xen/io/netif.h): queues of one transmit and one receive ring, one for each CPU if the
 * backend offers several; receive by copying backend, checksum and segmentation offload both ways, packets of several
 * slots.
 * Connecting and events are in netfront.c, the two directions in netfront_transmit.c and
 * netfront_receive.c.
 */
#pragma once

#include "lib/types.h"

/* Queues of a NIC, at most. */
#define NETFRONT_QUEUES 8u
/* Grant references one queue needs at most: its rings, and for each of 256 slots a page to receive, a fragment and a
 * frame to send. */
#define NETFRONT_GRANTS (2 + 3 * 256)

/* Before NICs are started, of which there are `nics`: how many queues each of them has at most, by CPUs, memory and
 * `grants`, the references that there can be for all of them. Returns it; at least 1. */
unsigned netfront_limit_queues(unsigned nics, unsigned grants);

/* Connects the NIC at xenstore path "device/vif/<number>" and announces it as eth<number>.
 * 0 or a negative errno. */
must_check int netfront_start(const char *path, uint64_t number);
