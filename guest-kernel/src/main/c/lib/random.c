#include "lib/lock.h"
#include "lib/random.h"
#include "lib/string.h"
#include "platform/platform.h"

#define RESEED_INTERVAL (60 * NS_PER_SECOND)
#define BLOCK_WORDS 16

static struct spinlock lock = SPINLOCK("random");
static uint32_t key[8];              /* lock */
static uint64_t counter;             /* lock: the nonce and block counter never repeat under a key */
static nanoseconds seeded_at;        /* lock */
static bool seeded;                  /* lock */

static inline uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

static void quarter_round(uint32_t x[16], int a, int b, int c, int d)
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
    memcpy(out, in, sizeof(in));
    for (int i = 0; i < 10; i++) {
        quarter_round(out, 0, 4, 8, 12);
        quarter_round(out, 1, 5, 9, 13);
        quarter_round(out, 2, 6, 10, 14);
        quarter_round(out, 3, 7, 11, 15);
        quarter_round(out, 0, 5, 10, 15);
        quarter_round(out, 1, 6, 11, 12);
        quarter_round(out, 2, 7, 8, 13);
        quarter_round(out, 3, 4, 9, 14);
    }
    for (int i = 0; i < BLOCK_WORDS; i++)
        out[i] += in[i];
}

/* The new key depends on the old one and on every byte mixed in. */
static void mix(const void *data, size_t length)
{
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

static void reseed(nanoseconds now)
{
    uint64_t seed[6];
    platform_entropy(seed, 4 * sizeof(uint64_t));
    seed[4] = now;
    seed[5] = __builtin_ia32_rdtsc();
    mix(seed, sizeof(seed));
    seeded_at = now;
    seeded = true;
}

void random_add(const void *data, size_t length)
{
    uint64_t tsc = __builtin_ia32_rdtsc();
    spin_lock(&lock);
    mix(data, length);
    mix(&tsc, sizeof(tsc));
    spin_unlock(&lock);
}

void random_bytes(void *to, size_t length)
{
    uint8_t *p = to;
    uint32_t block[BLOCK_WORDS];
    nanoseconds now = clock_monotonic();
    spin_lock(&lock);
    if (!seeded || now - seeded_at > RESEED_INTERVAL)
        reseed(now);
    while (length) {
        size_t n = min_of(length, sizeof(block));
        chacha_block(block);
        memcpy(p, block, n);
        p += n;
        length -= n;
    }
    chacha_block(block);
    memcpy(key, block, sizeof(key));
    spin_unlock(&lock);
    memset(block, 0, sizeof(block));
    compiler_barrier();
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
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
