/*
 * Console on the first serial port, a 16550 (TI PC16550D data sheet). Firmware or the emulator
 * may have set it up already; its speed is set to 115200 all the same.
 *
 * A break on the line makes the next byte a key of kernel_control_key(), as on Linux's serial consoles.
 */
#include "lib/print.h"
#include "platform/pvh/acpi.h"
#include "platform/pvh/instructions.h"
#include "platform/pvh/interrupts.h"
#include "platform/pvh/pvh.h"

#define PORT 0x3f8
#define ISA_INTERRUPT 4

#define DATA (PORT + 0)
#define INTERRUPT_ENABLE (PORT + 1)
#define FIFO_CONTROL (PORT + 2)         /* written */
#define INTERRUPT_IDENTITY (PORT + 2)   /* read */
#define LINE_CONTROL (PORT + 3)
#define MODEM_CONTROL (PORT + 4)
#define LINE_STATUS (PORT + 5)

#define ENABLE_RECEIVED 0x01
#define ENABLE_TRANSMIT_EMPTY 0x02
#define FIFO_ENABLE_AND_CLEAR 0x07
#define LINE_8N1 0x03
#define LINE_DIVISOR_ACCESS 0x80
#define MODEM_DTR_RTS_OUT2 0x0b         /* OUT2 lets the interrupt through */
#define STATUS_DATA_READY 0x01
#define STATUS_BREAK 0x10               /* the byte read next is none, but tells of a break */
#define STATUS_TRANSMIT_EMPTY 0x20
#define IDENTITY_NONE 0x01
#define NO_DEVICE 0xff
#define FIFO_SIZE 16
#define MOST_CAUSES 64                  /* dealt with by one interrupt, lest a broken device keep us */

static bool present;
static bool interrupts;                 /* come from the device */

void pvh_serial_init(void)
{
    present = in8(LINE_STATUS) != NO_DEVICE;
    if (!present)
        return;
    out8(INTERRUPT_ENABLE, 0);
    out8(LINE_CONTROL, LINE_DIVISOR_ACCESS | LINE_8N1);
    out8(DATA, 1);
    out8(INTERRUPT_ENABLE, 0);
    out8(LINE_CONTROL, LINE_8N1);
    out8(FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
    out8(MODEM_CONTROL, MODEM_DTR_RTS_OUT2);
}

static bool can_transmit(void) { return in8(LINE_STATUS) & STATUS_TRANSMIT_EMPTY; }

/* Waits for an empty FIFO; false when the host has taken nothing for too long. */
static bool wait_transmit(void)
{
    nanoseconds limit = 0;
    while (!can_transmit()) {
        nanoseconds now = pvh_clock_monotonic();
        if (limit == 0)
            limit = now + CONSOLE_PATIENCE;
        if (now > limit)
            return false;
    }
    return true;
}

static size_t fill_fifo(const char *text, size_t length)
{
    size_t n = min_of(length, (size_t)FIFO_SIZE);
    for (size_t i = 0; i < n; i++)
        out8(DATA, (uint8_t)text[i]);
    return n;
}

void pvh_serial_write(const char *text, size_t length)
{
    while (present && length > 0 && wait_transmit()) {
        size_t n = fill_fifo(text, length);
        text += n;
        length -= n;
    }
}

size_t pvh_serial_send(const char *text, size_t length)
{
    if (!present)
        return length;
    if (!interrupts) {
        pvh_serial_write(text, length);
        return length;
    }
    if (can_transmit())
        return fill_fifo(text, length);
    out8(INTERRUPT_ENABLE, ENABLE_RECEIVED | ENABLE_TRANSMIT_EMPTY);
    return 0;
}

/* True when the byte was a break or the key behind one, and so is no input. */
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
    while ((status = in8(LINE_STATUS)) & STATUS_DATA_READY) {
        char byte = (char)in8(DATA);
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
    for (unsigned i = 0; i < MOST_CAUSES && !(in8(INTERRUPT_IDENTITY) & IDENTITY_NONE); i++) {
        take_input();
        if (!can_transmit())
            continue;
        out8(INTERRUPT_ENABLE, ENABLE_RECEIVED);
        kernel_console_ready();
    }
}

void pvh_serial_start_input(void)
{
    if (!present)
        return;
    int error = interrupt_connect_line(acpi.line_of_isa[ISA_INTERRUPT], LINE_EDGE, serial_interrupt, NULL);
    if (error != 0) {
        log_info("serial console: output only (%d)", error);
        return;
    }
    interrupts = true;
    out8(INTERRUPT_ENABLE, ENABLE_RECEIVED);
}
