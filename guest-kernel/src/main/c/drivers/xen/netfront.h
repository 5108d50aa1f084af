/*
 * The paravirtual network card (xen/io/netif.h): one transmit and one receive ring, receive by
 * copying backend, checksum and segmentation offload both ways, packets of several slots.
 * Connecting and events are in netfront.c, the two directions in netfront_transmit.c and
 * netfront_receive.c.
 */
#pragma once

#include "lib/types.h"

/* Grant references one card needs at most: two rings of 256 slots and their pages. */
#define NETFRONT_GRANTS (2 + 2 * 256)

/* Connects the card at xenstore path "device/vif/<number>" and announces it as eth<number>.
 * 0 or a negative errno. */
must_check int netfront_start(const char *path, uint64_t number);
