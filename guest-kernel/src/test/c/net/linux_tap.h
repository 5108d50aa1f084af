/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's side of a TAP device; apart from tap.c, since its headers and the stack's name the same things.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Moves the process to a name space of its own and makes tap0 there, with this address and /24. The
 * descriptor, or -1. */
int linux_tap_open(uint32_t own_address);
/* The name space of the calling thread, as a descriptor; and moving to one. */
int linux_tap_space(void);
bool linux_tap_enter(int space);
bool linux_tap_offload(int tap, bool on);
bool linux_tap_mtu(unsigned mtu);

/* In front of each frame: struct virtio_net_hdr (virtio 1.2, 5.1.6). */
struct tap_header {
    uint8_t flags, segment_type;
    uint16_t header_length, segment_size, checksum_start, checksum_offset;
};
#define TAP_CHECKSUM_PARTIAL 1
#define TAP_SEGMENT_TCP4 1
