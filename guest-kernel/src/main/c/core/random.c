/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator, and the account of its entropy (random.h).
 *
 * Invariants: every byte mixed in goes through the key, which no one can compute without knowing all that was mixed in
 * before; nothing given out, nor the key after it, reveals the key it came from; what is given out is kept nowhere.
 * `credited` only grows.
 * The lock "random" guards all of it; it is taken last.
 */
#include "core/random.h"

#include "core/debug.h"
#include "core/jitter.h"
#include "core/lock.h"
#include "core/log.h"
#include "lib/string.h"
#include "platform/platform.h"

#define RESEED_INTERVAL (60 * NS_PER_SECOND)
#define BLOCK_WORDS 16
#define SPARE 20u /* numbers: with the key after them three blocks */
#define JITTER_ATTEMPTS (4 * RANDOM_SEED_BITS / JITTER_BITS)
/* The times of this many events are gathered before they are mixed in, for one bit. */
#define EVENTS 64u
#define EVENT_WORDS 4u

static struct spinlock lock = SPINLOCK(LOCK_RANDOM);
static uint32_t key[8];         /* lock */
static uint64_t counter;        /* lock: the nonce and block counter never repeat under a key */
static nanoseconds reseeded_at; /* lock */
static unsigned credited;       /* lock: bits; read without it by random_ready() */
static unsigned given;          /* lock: mask of the sources that gave some of it */
static unsigned expected;       /* lock: mask of the sources that have been asked, and have not answered */
static uint64_t generation[2];  /* lock: platform.generation when it was looked at last */
static uint64_t spare[SPARE];   /* lock: made but not given out; what was is 0 */
static unsigned spare_count;    /* lock */
static struct {
    uint64_t words[EVENT_WORDS];
    unsigned count;
} events; /* lock */

static inline uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

static inline void quarter_round(uint32_t x[16], int a, int b, int c, int d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

/* RFC 8439 2.3, with a 64-bit counter and a zero nonce. */
static void chacha_block(uint32_t out[BLOCK_WORDS])
{
    uint32_t in[BLOCK_WORDS] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    memcpy(in + 4, key, sizeof(key));
    in[12] = (uint32_t)counter;
    in[13] = (uint32_t)(counter >> 32);
    counter++;
    /* Apart from `out`, which may alias anything: so the working words can stay in registers. */
    uint32_t x[BLOCK_WORDS];
    memcpy(x, in, sizeof(in));
    for (int i = 0; i < 10; i++) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    for (int i = 0; i < BLOCK_WORDS; i++)
        out[i] = x[i] + in[i];
}

/* The new key depends on the old one and on every byte mixed in, and so do all numbers given out from now on. */
static void mix(const void *data, size_t length)
{
    spare_count = 0;
    const uint8_t *p = data;
    uint32_t block[BLOCK_WORDS];
    while (length) {
        size_t n = min_of(length, sizeof(key));
        uint8_t *bytes = (uint8_t *)key;
        for (size_t i = 0; i < n; i++)
            bytes[i] ^= p[i];
        chacha_block(block);
        memcpy(key, block, sizeof(key));
        p += n;
        length -= n;
    }
}

static const char *const source_names[] = {
    [RANDOM_CPU] = "the CPU",
    [RANDOM_VIRTIO] = "virtio-rng",
    [RANDOM_XENSTORE] = "xenstore",
    [RANDOM_JITTER] = "timing jitter",
    [RANDOM_EVENTS] = "the timing of interrupts",
};
#define SOURCES_OF_TIMING (1u << RANDOM_JITTER | 1u << RANDOM_EVENTS)

/* Under the lock. */
static void credit(unsigned bits, enum random_source source)
{
    must_hold(&lock);
    credited = min_of(credited + min_of(bits, RANDOM_SEED_BITS), RANDOM_SEED_BITS);
    if (bits)
        given |= 1u << source;
}

/* The CPU's entropy, and the time. Under the lock. */
static void reseed(nanoseconds now)
{
    must_hold(&lock);
    uint64_t seed[RANDOM_SEED_BITS / 64];
    size_t length = platform_entropy(seed, sizeof(seed));
    uint64_t moment[2] = { now, __builtin_ia32_rdtsc() };
    mix(seed, length);
    mix(moment, sizeof(moment));
    memset(seed, 0, sizeof(seed));
    compiler_barrier();
    if (length)
        credit((unsigned)length * 8, RANDOM_CPU);
    reseeded_at = now;
}

/* A copy of this machine, from the same snapshot, has the same key: nothing is given out before the two differ. Under
 * the lock. */
static void follow_generation(nanoseconds now)
{
    must_hold(&lock);
    const volatile uint64_t *id = platform.generation;
    if (!id || (id[0] == generation[0] && id[1] == generation[1]))
        return;
    generation[0] = id[0];
    generation[1] = id[1];
    mix(generation, sizeof(generation));
    reseed(now);
}

void random_add(const void *data, size_t length) { random_credit(data, length, 0, RANDOM_EVENTS); }

void random_credit(const void *data, size_t length, unsigned bits, enum random_source source)
{
    uint64_t tsc = __builtin_ia32_rdtsc();
    spin_lock(&lock);
    mix(data, length);
    mix(&tsc, sizeof(tsc));
    credit(bits, source);
    expected &= ~(1u << source);
    spin_unlock(&lock);
}

void random_expect(enum random_source source)
{
    spin_lock(&lock);
    expected |= 1u << source;
    spin_unlock(&lock);
}

bool random_is_awaited(void) { return read_once(expected) && !(read_once(given) & ~SOURCES_OF_TIMING); }

void random_event(uint32_t what)
{
    spin_lock(&lock);
    uint64_t *word = &events.words[events.count % EVENT_WORDS];
    *word = (*word << 11 | *word >> 53) ^ __builtin_ia32_rdtsc() ^ (uint64_t)what << 32;
    if (++events.count == EVENTS) {
        mix(events.words, sizeof(events.words));
        credit(1, RANDOM_EVENTS);
        events.count = 0;
    }
    spin_unlock(&lock);
}

bool random_ready(void) { return read_once(credited) >= RANDOM_SEED_BITS; }

static void add_jitter(void)
{
    static uint32_t samples[JITTER_WINDOW];
    for (unsigned i = 0; i < JITTER_ATTEMPTS && !random_ready(); i++) {
        jitter_sample(samples);
        random_credit(samples, sizeof(samples), jitter_good(samples) ? JITTER_BITS : 0, RANDOM_JITTER);
    }
    memset(samples, 0, sizeof(samples));
}

void random_init(void)
{
    nanoseconds wall = clock_wall();
    spin_lock(&lock);
    mix(&wall, sizeof(wall));
    reseed(clock_monotonic());
    spin_unlock(&lock);
    add_jitter();
}

void random_report(void)
{
    char names[128] = "";
    size_t length = 0;
    for (unsigned i = 0; i < array_size(source_names); i++)
        if (given & 1u << i)
            length += (size_t)format(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
                                     source_names[i]);
    if (given & ~SOURCES_OF_TIMING)
        log_info("random numbers are seeded from %s", names);
    else if (random_is_awaited())
        log_error("random numbers are seeded from %s alone: the virtio-rng device has not answered; see the host's log",
                  names);
    else
        log_error("random numbers are seeded from %s alone, since neither the CPU (RDSEED, RDRAND) nor the host offers "
                  "entropy; to offer some, add a virtio-rng device or write vm-data/unikernel-seed in xenstore",
                  names);
}

/* Before anything is given out. Under the lock. */
static void refresh(nanoseconds now)
{
    must_hold(&lock);
    follow_generation(now);
    if (now - reseeded_at > RESEED_INTERVAL)
        reseed(now);
}

/* The second half of the last block is the new key. Under the lock. */
static void generate(void *to, size_t length)
{
    must_hold(&lock);
    uint8_t *p = to;
    uint32_t block[BLOCK_WORDS];
    while (chacha_block(block), length > sizeof(block) - sizeof(key)) {
        size_t n = min_of(length, sizeof(block));
        memcpy(p, block, n);
        p += n;
        length -= n;
    }
    memcpy(p, block, length);
    memcpy(key, block + BLOCK_WORDS / 2, sizeof(key));
    memset(block, 0, sizeof(block));
    compiler_barrier();
}

void random_bytes(void *to, size_t length)
{
    nanoseconds now = clock_monotonic();
    spin_lock(&lock);
    refresh(now);
    generate(to, length);
    spin_unlock(&lock);
}

uint64_t random_u64(void)
{
    nanoseconds now = clock_monotonic();
    spin_lock(&lock);
    refresh(now);
    if (spare_count == 0) {
        generate(spare, sizeof(spare));
        spare_count = SPARE;
    }
    uint64_t value = spare[--spare_count];
    spare[spare_count] = 0;
    spin_unlock(&lock);
    return value;
}

uint64_t random_below(uint64_t limit)
{
    uint64_t usable = UINT64_MAX - UINT64_MAX % limit;
    uint64_t value;
    do
        value = random_u64();
    while (value >= usable);
    return value % limit;
}
