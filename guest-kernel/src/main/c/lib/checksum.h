/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071). A running sum is a number whose 16-bit digits are yet to be
 * folded; sums of pieces may be added when every piece but the last has an even length.
 */
#pragma once

#include "lib/types.h"

/* Adds a run of bytes to a sum. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t length);
/* Folded to 16 bits, not yet complemented; in network order as a number. */
uint16_t checksum_fold(uint64_t sum);
static inline uint16_t checksum_finish(uint64_t sum) { return (uint16_t)~checksum_fold(sum); }
