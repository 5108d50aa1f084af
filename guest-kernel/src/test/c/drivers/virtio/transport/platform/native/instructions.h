/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the kernel's header of this name: port and register accesses go to the machine of machine.c, and
 * each is counted; or to the test's own double of a device.
 */
#pragma once

#include "lib/types.h"

uint8_t in8(uint16_t port);
uint16_t in16(uint16_t port);
uint32_t in32(uint16_t port);
void out8(uint16_t port, uint8_t value);
void out16(uint16_t port, uint16_t value);
void out32(uint16_t port, uint32_t value);

uint8_t mmio_read8(const volatile void *p);
uint16_t mmio_read16(const volatile void *p);
uint32_t mmio_read32(const volatile void *p);
void mmio_write8(volatile void *p, uint8_t value);
void mmio_write16(volatile void *p, uint16_t value);
void mmio_write32(volatile void *p, uint32_t value);
void mmio_write64(volatile void *p, uint64_t value);
