/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/checksum.h"

#include "lib/string.h"

/* Words are added in the CPU's byte order, which RFC 1071 allows: checksum_fold() swaps at the end. Their carries are
 * collected in the upper half, and added at the end as well. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t length)
{
    const uint8_t *p = data;
    unsigned __int128 total = sum;
    for (; length >= 32; p += 32, length -= 32) {
        uint64_t words[4];
        memcpy(words, p, 32);
        total += words[0];
        total += words[1];
        total += words[2];
        total += words[3];
    }
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        total += word;
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < length; i++)
        rest |= (uint64_t)p[i] << (8 * i);
    total += rest;
    sum = (uint64_t)total + (uint64_t)(total >> 64);
    return sum + (sum < (uint64_t)(total >> 64));
}

uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return __builtin_bswap16((uint16_t)sum);
}
