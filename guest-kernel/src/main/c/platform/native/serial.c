/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console on a serial port (uart.h): the first one of a PC from the start, and then the one that ACPI names, if it
 * names another. Firmware or the emulator may have set it up already; it is set up all the same.
 *
 * A break on the line makes the next byte a key of kernel_control_key(), as on Linux's serial consoles.
 */
#include "core/log.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/uart.h"

#define FIRST_PORT 0x3f8
#define FIRST_INTERRUPT 4 /* ISA */
#define REGISTERS 8

#define ENABLE_RECEIVED 0x01
#define ENABLE_TRANSMIT_EMPTY 0x02
#define IDENTITY_NONE 0x01
#define MOST_CAUSES 64 /* dealt with by one interrupt, lest a broken device keep us */

static struct uart uart = { .port = FIRST_PORT };
static bool present;
static bool interrupts; /* come from the device */

void native_serial_init(void) { present = uart_init(&uart); }

bool native_serial_is(uint16_t port) { return present && !uart.registers && uart.port == port; }

void native_serial_choose(void)
{
    const struct acpi_register *named = &acpi.serial.registers;
    struct uart other = { .port = (uint16_t)named->address, .spacing = acpi.serial.spacing };
    if (!named->present || (!named->memory && other.port == uart.port))
        return;
    if (named->memory)
        other.registers = mmio_map(named->address, REGISTERS * other.spacing);
    if ((named->memory && !other.registers) || !uart_init(&other)) {
        log_error("no serial port at %s %lx, which ACPI (SPCR) names as the console", named->memory ? "memory" : "port",
                  named->address);
        return;
    }
    log_info("the console goes on at the serial port that ACPI (SPCR) names");
    uart = other;
    present = true;
}

/* Of the I/O APIC. */
static unsigned interrupt_line(void)
{
    unsigned isa_interrupt = native_serial_is(FIRST_PORT) ? FIRST_INTERRUPT : acpi.serial.isa_interrupt;
    return isa_interrupt ? acpi.line_of_isa[isa_interrupt] : acpi.serial.line;
}

bool native_serial_present(void) { return present; }

void native_serial_write(const char *text, size_t length)
{
    if (present)
        uart_write(&uart, text, length);
}

static void enable(uint8_t interrupts_wanted) { uart_put(&uart, UART_INTERRUPT_ENABLE, interrupts_wanted); }

size_t native_serial_send(const char *text, size_t length)
{
    if (!present)
        return length;
    if (!interrupts) {
        native_serial_write(text, length);
        return length;
    }
    if (uart_can_transmit(&uart))
        return uart_fill(&uart, text, length);
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
    char text[64], byte;
    size_t length = 0;
    enum uart_input input;
    while ((input = uart_receive(&uart, &byte)) != UART_NOTHING) {
        if (take_key(input == UART_BREAK, byte))
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
    for (unsigned i = 0; i < MOST_CAUSES && !(uart_get(&uart, UART_INTERRUPT_IDENTITY) & IDENTITY_NONE); i++) {
        take_input();
        if (!uart_can_transmit(&uart))
            continue;
        enable(ENABLE_RECEIVED);
        kernel_console_ready();
    }
}

void native_serial_start_input(void)
{
    if (!present)
        return;
    int error = interrupt_connect_line(interrupt_line(), LINE_EDGE, serial_interrupt, NULL);
    if (error != 0) {
        log_info("serial console: output only (%s)", errno_name(error));
        return;
    }
    interrupts = true;
    enable(ENABLE_RECEIVED);
}
