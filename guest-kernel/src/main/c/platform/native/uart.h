/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output to a 16550 (TI PC16550D data sheet), by polling. A port is known by its first I/O address. The caller
 * serialises the calls for one port.
 */
#pragma once

#include "lib/types.h"

#define UART_DATA 0
#define UART_INTERRUPT_ENABLE 1
#define UART_FIFO_CONTROL 2       /* written */
#define UART_INTERRUPT_IDENTITY 2 /* read */
#define UART_LINE_CONTROL 3
#define UART_MODEM_CONTROL 4
#define UART_LINE_STATUS 5

/* Sets the port up: 115200 bits a second, 8 data bits, no interrupts. False when there is no such port. */
must_check bool uart_init(uint16_t port);
bool uart_can_transmit(uint16_t port);
/* What fits into the FIFO of a port that can transmit; returns how much that is. */
size_t uart_fill(uint16_t port, const char *text, size_t length);
/* Waits until all is in the FIFO; drops the rest when the host takes nothing for CONSOLE_PATIENCE. */
void uart_write(uint16_t port, const char *text, size_t length);
