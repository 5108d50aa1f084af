/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 16550 (uart.h), whose registers are reached in one place for both kinds of access. Each look at the line status
 * goes through line_status(), which keeps the mark of a break until its byte has been received. No locks: the caller
 * serialises the calls for one port.
 */
#include "platform/native/uart.h"

#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define FIFO_ENABLE_AND_CLEAR 0x07
#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x80
#define MODEM_DTR_RTS_OUT2 0x0b /* OUT2 lets the interrupt through */
#define STATUS_DATA_READY 0x01
#define STATUS_BREAK 0x10
#define STATUS_TRANSMIT_EMPTY 0x20
#define NO_DEVICE 0xff
#define FIFO_SIZE 16

uint8_t uart_get(const struct uart *uart, unsigned offset)
{
    if (!uart->registers)
        return in8((uint16_t)(uart->port + offset));
    const volatile uint8_t *at = uart->registers + offset * uart->spacing;
    return uart->spacing == 4 ? (uint8_t)mmio_read32(at) : mmio_read8(at);
}

void uart_put(const struct uart *uart, unsigned offset, uint8_t value)
{
    if (!uart->registers) {
        out8((uint16_t)(uart->port + offset), value);
        return;
    }
    volatile uint8_t *at = uart->registers + offset * uart->spacing;
    if (uart->spacing == 4)
        mmio_write32(at, value);
    else
        mmio_write8(at, value);
}

bool uart_init(const struct uart *uart)
{
    if (uart_get(uart, UART_LINE_STATUS) == NO_DEVICE)
        return false;
    uart_put(uart, UART_INTERRUPT_ENABLE, 0);
    uart_put(uart, UART_LINE_CONTROL, LINE_DIVISOR_ACCESS | LINE_8N1);
    uart_put(uart, UART_DATA, 1);
    uart_put(uart, UART_INTERRUPT_ENABLE, 0);
    uart_put(uart, UART_LINE_CONTROL, LINE_8N1);
    uart_put(uart, UART_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    uart_put(uart, UART_MODEM_CONTROL, MODEM_DTR_RTS_OUT2);
    return true;
}

/* All look at it here: reading the register clears a break in the device, also when it is read for another bit. */
static uint8_t line_status(struct uart *uart)
{
    uint8_t status = uart_get(uart, UART_LINE_STATUS);
    uart->has_break = uart->has_break || status & STATUS_BREAK;
    return status;
}

bool uart_can_transmit(struct uart *uart) { return line_status(uart) & STATUS_TRANSMIT_EMPTY; }

enum uart_input uart_receive(struct uart *uart, char *byte)
{
    if (!(line_status(uart) & STATUS_DATA_READY))
        return UART_NOTHING;
    *byte = (char)uart_get(uart, UART_DATA);
    if (!uart->has_break || *byte != '\0')
        return UART_BYTE;
    uart->has_break = false;
    return UART_BREAK;
}

/* Waits for an empty FIFO; false when the host has taken nothing for too long. */
static bool wait_transmit(struct uart *uart)
{
    nanoseconds limit = 0;
    while (!uart_can_transmit(uart)) {
        nanoseconds now = native_clock_monotonic();
        if (limit == 0)
            limit = now + CONSOLE_PATIENCE;
        if (now > limit)
            return false;
    }
    return true;
}

size_t uart_fill(const struct uart *uart, const char *text, size_t length)
{
    size_t n = min_of(length, (size_t)FIFO_SIZE);
    for (size_t i = 0; i < n; i++)
        uart_put(uart, UART_DATA, (uint8_t)text[i]);
    return n;
}

void uart_write(struct uart *uart, const char *text, size_t length)
{
    while (length > 0 && wait_transmit(uart)) {
        size_t n = uart_fill(uart, text, length);
        text += n;
        length -= n;
    }
}
