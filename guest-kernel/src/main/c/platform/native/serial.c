/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console on the first serial port (uart.h). Firmware or the emulator may have set it up already; it is set up all the
 * same.
 *
 * A break on the line makes the next byte a key of kernel_control_key(), as on Linux's serial consoles.
 */
#include "core/log.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/uart.h"

#define PORT 0x3f8
#define ISA_INTERRUPT 4

#define ENABLE_RECEIVED 0x01
#define ENABLE_TRANSMIT_EMPTY 0x02
#define STATUS_DATA_READY 0x01
#define STATUS_BREAK 0x10 /* the byte read next is none, but marks a break */
#define IDENTITY_NONE 0x01
#define MOST_CAUSES 64 /* dealt with by one interrupt, lest a broken device keep us */

static bool present;
static bool interrupts; /* come from the device */

void native_serial_init(void) { present = uart_init(PORT); }

bool native_serial_present(void) { return present; }

void native_serial_write(const char *text, size_t length)
{
    if (present)
        uart_write(PORT, text, length);
}

static void enable(uint8_t interrupts_wanted) { out8(PORT + UART_INTERRUPT_ENABLE, interrupts_wanted); }

size_t native_serial_send(const char *text, size_t length)
{
    if (!present)
        return length;
    if (!interrupts) {
        native_serial_write(text, length);
        return length;
    }
    if (uart_can_transmit(PORT))
        return uart_fill(PORT, text, length);
    enable(ENABLE_RECEIVED | ENABLE_TRANSMIT_EMPTY);
    return 0;
}

/* True when the byte was a break or the key after one, and so is no input. */
static bool take_key(bool is_break, char byte)
{
    static bool after_break;
    bool is_key = after_break && !is_break;
    if (is_key)
        kernel_control_key(byte);
    after_break = is_break;
    return is_break || is_key;
}

static void take_input(void)
{
    char text[64];
    size_t length = 0;
    uint8_t status;
    while ((status = in8(PORT + UART_LINE_STATUS)) & STATUS_DATA_READY) {
        char byte = (char)in8(PORT + UART_DATA);
        if (take_key(status & STATUS_BREAK, byte))
            continue;
        text[length++] = byte;
        if (length == sizeof(text)) {
            kernel_console_input(text, length);
            length = 0;
        }
    }
    if (length > 0)
        kernel_console_input(text, length);
}

/* The line is an edge, so it must go down before the end: every cause is dealt with. */
static void serial_interrupt(void *context)
{
    (void)context;
    for (unsigned i = 0; i < MOST_CAUSES && !(in8(PORT + UART_INTERRUPT_IDENTITY) & IDENTITY_NONE); i++) {
        take_input();
        if (!uart_can_transmit(PORT))
            continue;
        enable(ENABLE_RECEIVED);
        kernel_console_ready();
    }
}

void native_serial_start_input(void)
{
    if (!present)
        return;
    int error = interrupt_connect_line(acpi.line_of_isa[ISA_INTERRUPT], LINE_EDGE, serial_interrupt, NULL);
    if (error != 0) {
        log_info("serial console: output only (%s)", errno_name(error));
        return;
    }
    interrupts = true;
    enable(ENABLE_RECEIVED);
}
