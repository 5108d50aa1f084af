/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 16550 (TI PC16550D data sheet): output by polling, and input. Its registers are at I/O ports or in memory. The
 * caller serialises the calls for one port.
 */
#pragma once

#include "lib/types.h"

#define UART_DATA 0
#define UART_INTERRUPT_ENABLE 1
#define UART_FIFO_CONTROL 2       /* written */
#define UART_INTERRUPT_IDENTITY 2 /* read */
#define UART_LINE_CONTROL 3
#define UART_MODEM_CONTROL 4
#define UART_LINE_STATUS 5 /* read by uart.c alone, since that clears a break */

struct uart {
    uint16_t port;               /* the first I/O port, or: */
    volatile uint8_t *registers; /* NULL: at I/O ports */
    unsigned spacing;            /* of the registers in memory, bytes; with 4 they have 32 bits */
    bool has_break;              /* the device has reported a break, whose byte has not been received */
};

enum uart_input { UART_NOTHING, UART_BYTE, UART_BREAK };

uint8_t uart_get(const struct uart *uart, unsigned offset);
void uart_put(const struct uart *uart, unsigned offset, uint8_t value);
/* Sets the port up: 115200 bits a second, 8 data bits, no interrupts. False when there is no such port. */
must_check bool uart_init(const struct uart *uart);
bool uart_can_transmit(struct uart *uart);
/* Takes the next byte of the input, if there is one. A break takes the place of a byte, which is then zero. */
enum uart_input uart_receive(struct uart *uart, char *byte);
/* What fits into the FIFO of a port that can transmit; returns how much that is. */
size_t uart_fill(const struct uart *uart, const char *text, size_t length);
/* Waits until all is in the FIFO; drops the rest when the host takes nothing for CONSOLE_PATIENCE. */
void uart_write(struct uart *uart, const char *text, size_t length);
