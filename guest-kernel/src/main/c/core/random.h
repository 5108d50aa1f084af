/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes: ChaCha20 (RFC 8439) under a key into which all entropy is mixed, replaced after each request, so that
 * what is read of the generator's memory later does not give away what it gave out before.
 *
 * A machine that goes on from a snapshot mixes in the host's new generation ID (platform.h), and what the CPU offers,
 * before it gives out anything, so no two copies give out the same.
 *
 * The generator counts the entropy it was given and is ready at RANDOM_SEED_BITS. Sources, in bits of entropy a bit:
 * the CPU (RDSEED, RDRAND) and the host (virtio-rng, xenstore) 1, timing jitter at boot (core/jitter.h), the timing of
 * interrupts and packets 1/64 bit an event. The boot waits for it (threads/seed.h), so nothing in user mode ever runs
 * with a generator that is not ready.
 *
 * Any context; the lock "random" is taken inside.
 */
#pragma once

#include "lib/types.h"

#define RANDOM_SEED_BITS 256u

enum random_source { RANDOM_CPU, RANDOM_VIRTIO, RANDOM_XENSTORE, RANDOM_JITTER, RANDOM_EVENTS };

/* First of all: takes what the CPU offers, else timing jitter for a few milliseconds. */
void random_init(void);
/* Mixes bytes in; never makes the generator weaker, and is no entropy by itself: the program's and the user's data. */
void random_add(const void *data, size_t length);
/* The same for bytes that hold `bits` bits of entropy, which no one but `source` knows. */
void random_credit(const void *data, size_t length, unsigned bits, enum random_source source);
/* The source has been asked: its bytes come by random_credit(), perhaps with no entropy, or never. */
void random_expect(enum random_source source);
/* Nothing but timing has given entropy, and a source that was asked has not answered. */
bool random_is_awaited(void);
/* For an event whose time others do not know exactly: mixes that time in. Cheap. */
void random_event(uint32_t what);
bool random_ready(void);
/* Logs what the seed came from. */
void random_report(void);

/* The following may be called before the generator is ready only for what needs no secrecy.
 * Interrupts wait meanwhile and each call costs half a block more, for the new key: long requests are best cut into
 * pieces of about 1 KiB (transfer_out_random()). */
void random_bytes(void *to, size_t length);
/* Cheaper than its bytes: numbers are made several at a time. */
uint64_t random_u64(void);
/* Uniform in [0, limit), limit > 0. */
uint64_t random_below(uint64_t limit);
