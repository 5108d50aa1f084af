/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/checksum.h"

#include "lib/string.h"

static uint64_t add_with_carry(uint64_t sum, uint64_t value)
{
    sum += value;
    return sum + (sum < value);
}

/* Sums in the CPU's byte order, which RFC 1071 allows: checksum_fold() swaps at the end. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t length)
{
    const uint8_t *p = data;
    uint64_t word;
    for (; length >= 32; p += 32, length -= 32) {
        uint64_t words[4];
        memcpy(words, p, 32);
        sum = add_with_carry(sum, words[0]);
        sum = add_with_carry(sum, words[1]);
        sum = add_with_carry(sum, words[2]);
        sum = add_with_carry(sum, words[3]);
    }
    for (; length >= 8; p += 8, length -= 8) {
        memcpy(&word, p, 8);
        sum = add_with_carry(sum, word);
    }
    if (length > 0) {
        word = 0;
        memcpy(&word, p, length);
        sum = add_with_carry(sum, word);
    }
    return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return __builtin_bswap16((uint16_t)sum);
}
