/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/crc32.h"

#define POLYNOMIAL 0xedb88320 /* the lowest bit is that of the highest power */

/* Bit by bit: only a few KiB are ever checked. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return ~crc;
}
