/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in network byte order. They are byte arrays, so a header struct made of them has no
 * padding, may lie at any address, and cannot be mixed up with a number of the CPU.
 */
#pragma once

#include "lib/types.h"

typedef struct {
    uint8_t bytes[2];
} be16;
typedef struct {
    uint8_t bytes[4];
} be32;

static inline uint16_t be16_get(be16 v) { return (uint16_t)(v.bytes[0] << 8 | v.bytes[1]); }
static inline uint32_t be32_get(be32 v)
{
    return (uint32_t)v.bytes[0] << 24 | (uint32_t)v.bytes[1] << 16 | (uint32_t)v.bytes[2] << 8 | v.bytes[3];
}
static inline be16 be16_of(uint16_t v) { return (be16){ { (uint8_t)(v >> 8), (uint8_t)v } }; }
static inline be32 be32_of(uint32_t v)
{
    return (be32){ { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v } };
}

static inline uint16_t read_be16(const void *p) { return be16_get(*(const be16 *)p); }
static inline uint32_t read_be32(const void *p) { return be32_get(*(const be32 *)p); }
static inline void write_be16(void *p, uint16_t v) { *(be16 *)p = be16_of(v); }
static inline void write_be32(void *p, uint32_t v) { *(be32 *)p = be32_of(v); }
