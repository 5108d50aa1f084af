/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 32-bit cyclic redundancy check of Ethernet and of GPT (IEEE 802.3, 3.2.9; UEFI specification 2.10, 4.2.1).
 */
#pragma once

#include "lib/types.h"

/* Of a run of bytes that goes on from one whose check is `crc`; 0 at the beginning. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t length);
