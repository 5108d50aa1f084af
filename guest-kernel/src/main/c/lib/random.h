/*
 * Random bytes: ChaCha20 (RFC 8439) keyed from the platform's entropy (RDSEED/RDRAND, boot
 * timing), with fast key erasure after each request and reseeding every minute.
 * Any context; lock "random" taken inside.
 */
#pragma once

#include "lib/types.h"

/* Mixes bytes into the pool; never makes it weaker. */
void random_add(const void *data, size_t length);
void random_bytes(void *to, size_t length);
uint64_t random_u64(void);
/* Uniform in [0, limit), limit > 0. */
uint64_t random_below(uint64_t limit);
