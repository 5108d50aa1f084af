/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed hashing of what outsiders choose (SipHash, Aumasson and Bernstein 2012) and a cheap mixer for what they do not.
 */
#pragma once

#include "lib/types.h"

struct hash_key {
    uint64_t k0, k1;
};

/* SipHash-2-4: for values that others get to see, such as sequence numbers. */
uint64_t siphash(const struct hash_key *key, const void *data, size_t length);
/* SipHash-1-3: for places in tables, which are not visible from outside. Three fifths of the rounds for two words. */
uint64_t siphash13(const struct hash_key *key, const void *data, size_t length);

static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0x9e3779b97f4a7c15UL;
    x ^= x >> 29;
    return x;
}
