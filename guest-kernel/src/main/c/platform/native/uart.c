/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/native/uart.h"

#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define FIFO_ENABLE_AND_CLEAR 0x07
#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x80
#define MODEM_DTR_RTS_OUT2 0x0b /* OUT2 lets the interrupt through */
#define STATUS_TRANSMIT_EMPTY 0x20
#define NO_DEVICE 0xff
#define FIFO_SIZE 16

bool uart_init(uint16_t port)
{
    if (in8(port + UART_LINE_STATUS) == NO_DEVICE)
        return false;
    out8(port + UART_INTERRUPT_ENABLE, 0);
    out8(port + UART_LINE_CONTROL, LINE_DIVISOR_ACCESS | LINE_8N1);
    out8(port + UART_DATA, 1);
    out8(port + UART_INTERRUPT_ENABLE, 0);
    out8(port + UART_LINE_CONTROL, LINE_8N1);
    out8(port + UART_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    out8(port + UART_MODEM_CONTROL, MODEM_DTR_RTS_OUT2);
    return true;
}

bool uart_can_transmit(uint16_t port) { return in8(port + UART_LINE_STATUS) & STATUS_TRANSMIT_EMPTY; }

/* Waits for an empty FIFO; false when the host has taken nothing for too long. */
static bool wait_transmit(uint16_t port)
{
    nanoseconds limit = 0;
    while (!uart_can_transmit(port)) {
        nanoseconds now = native_clock_monotonic();
        if (limit == 0)
            limit = now + CONSOLE_PATIENCE;
        if (now > limit)
            return false;
    }
    return true;
}

size_t uart_fill(uint16_t port, const char *text, size_t length)
{
    size_t n = min_of(length, (size_t)FIFO_SIZE);
    for (size_t i = 0; i < n; i++)
        out8(port + UART_DATA, (uint8_t)text[i]);
    return n;
}

void uart_write(uint16_t port, const char *text, size_t length)
{
    while (length > 0 && wait_transmit(port)) {
        size_t n = uart_fill(port, text, length);
        text += n;
        length -= n;
    }
}
