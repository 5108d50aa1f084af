/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hash.h"
#include "lib/string.h"

static inline uint64_t rotate(uint64_t x, int n) { return x << n | x >> (64 - n); }

struct sip {
    uint64_t a, b, c, d;
};

static inline void sip_round(struct sip *v)
{
    v->a += v->b;
    v->b = rotate(v->b, 13) ^ v->a;
    v->a = rotate(v->a, 32);
    v->c += v->d;
    v->d = rotate(v->d, 16) ^ v->c;
    v->a += v->d;
    v->d = rotate(v->d, 21) ^ v->a;
    v->c += v->b;
    v->b = rotate(v->b, 17) ^ v->c;
    v->c = rotate(v->c, 32);
}

static inline void sip_rounds(struct sip *v, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        sip_round(v);
}

static inline void sip_word(struct sip *v, uint64_t word, unsigned rounds)
{
    v->d ^= word;
    sip_rounds(v, rounds);
    v->a ^= word;
}

/* With so many rounds for each word, and so many at the end. */
static inline uint64_t sip(const struct hash_key *key, const void *data, size_t length, unsigned rounds, unsigned last)
{
    struct sip v = { key->k0 ^ 0x736f6d6570736575UL, key->k1 ^ 0x646f72616e646f6dUL, key->k0 ^ 0x6c7967656e657261UL,
                     key->k1 ^ 0x7465646279746573UL };
    const uint8_t *p = data;
    size_t left = length;
    uint64_t word;
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        sip_word(&v, word, rounds);
    }
    word = (uint64_t)length << 56;
    unsigned shift = 0;
    if (left >= 4) {
        uint32_t half;
        memcpy(&half, p, 4);
        word |= half;
        p += 4;
        left -= 4;
        shift = 32;
    }
    for (; left > 0; left--, shift += 8)
        word |= (uint64_t)*p++ << shift;
    sip_word(&v, word, rounds);
    v.c ^= 0xff;
    sip_rounds(&v, last);
    return v.a ^ v.b ^ v.c ^ v.d;
}

uint64_t siphash(const struct hash_key *key, const void *data, size_t length) { return sip(key, data, length, 2, 4); }

uint64_t siphash13(const struct hash_key *key, const void *data, size_t length) { return sip(key, data, length, 1, 3); }
