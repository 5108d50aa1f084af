/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's serial port (platform.h: platform_serial_send()): the third of a PC. It is polled, as the second is,
 * because its interrupt line is also the console's. The caller serialises.
 */
#include "lib/errno.h"
#include "platform/native/native.h"
#include "platform/native/uart.h"

#define PORT 0x3e8

static bool present;

void native_program_port_init(void) { present = uart_init(PORT); }

int native_program_port_send(const char *text, size_t length)
{
    if (!present)
        return -EIO;
    return uart_can_transmit(PORT) ? (int)uart_fill(PORT, text, length) : 0;
}
