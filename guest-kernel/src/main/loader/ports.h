/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first serial port, a 16550 (TI PC16550D data sheet), for assembly and C.
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
