/* SPDX-License-Identifier: Apache-2.0 */
/*
 * I/O ports that boot code uses, for assembly and C: the first serial port, a 16550 (TI PC16550D data sheet), and the
 * one that ends QEMU.
 */
#pragma once

#define SERIAL_DATA 0x3f8
#define SERIAL_INTERRUPT_ENABLE 0x3f9
#define SERIAL_LINE_CONTROL 0x3fb
#define SERIAL_LINE_STATUS 0x3fd

#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x83
#define DIVISOR_115200 1
#define STATUS_TRANSMIT_EMPTY 0x20

/* QEMU -device isa-debug-exit,iobase=0x501: as platform/native/power.c, so that a failed boot ends like a panic. */
#define DEBUG_EXIT_PORT 0x501
#define DEBUG_EXIT_CRASH 0x10
