/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/checksum.h"

#include "lib/string.h"

#define STEP 64

/* STEP bytes; each carry goes into the next addition, the last one into the sum (RFC 1071, 2.C). No compiler keeps
 * carries in the flag by itself. */
static inline uint64_t add_step(uint64_t sum, const uint8_t *from)
{
    __asm__("addq (%1), %0\n\t"
            "adcq 8(%1), %0\n\t"
            "adcq 16(%1), %0\n\t"
            "adcq 24(%1), %0\n\t"
            "adcq 32(%1), %0\n\t"
            "adcq 40(%1), %0\n\t"
            "adcq 48(%1), %0\n\t"
            "adcq 56(%1), %0\n\t"
            "adcq $0, %0"
            : "+r"(sum)
            : "r"(from), "m"(*(const uint8_t(*)[STEP])from));
    return sum;
}

static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* Words are added in the CPU's byte order, which RFC 1071 allows: checksum_fold() swaps at the end. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t length)
{
    const uint8_t *p = data;
    for (; length >= STEP; p += STEP, length -= STEP)
        sum = add_step(sum, p);
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        sum = add_word(sum, word);
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < length; i++)
        rest |= (uint64_t)p[i] << (8 * i);
    return add_word(sum, rest);
}

uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return __builtin_bswap16((uint16_t)sum);
}
