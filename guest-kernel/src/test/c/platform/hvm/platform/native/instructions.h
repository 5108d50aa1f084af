/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the kernel's header of this name: ports and model-specific registers are those of fake_hvm.c. */
#pragma once

#include "lib/types.h"

void msr_write(uint32_t msr, uint64_t value);
uint8_t in8(uint16_t port);
uint16_t in16(uint16_t port);
void out8(uint16_t port, uint8_t value);
void out16(uint16_t port, uint16_t value);
void out32(uint16_t port, uint32_t value);
