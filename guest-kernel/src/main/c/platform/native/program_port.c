/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's serial port (platform.h: platform_serial_send()): the third of a PC. It is polled, as the second is,
 * because its interrupt line is also the console's. The caller serialises.
 */
#include "lib/errno.h"
#include "platform/native/native.h"
#include "platform/native/uart.h"

#define PORT 0x3e8

static struct uart uart = { .port = PORT };
static bool present;

void native_program_port_init(void) { present = uart_init(&uart); }

int native_program_port_send(const char *text, size_t length)
{
    if (!present || native_serial_is(PORT))
        return -EIO;
    return uart_can_transmit(&uart) ? (int)uart_fill(&uart, text, length) : 0;
}
