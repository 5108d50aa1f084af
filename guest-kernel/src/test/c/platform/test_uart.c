/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's serial port against the double of a 16550, at I/O ports and in memory, with registers of 8 and of 32
 * bits: no machine of QEMU's with this processor has one in memory. An access of another width, or to another place,
 * ends the test. One thread, so no locks.
 */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/native/uart.h"

#define PORT 0x3f8
#define REGISTERS 8
#define FIFO 16
#define DIVISOR_ACCESS 0x80
#define TRANSMIT_EMPTY 0x60
#define DATA_READY 0x01
#define BREAK 0x10

struct platform_information platform;

/* Data sheet PC16550D, 8.0: what is at offsets 0 and 1 depends on bit 7 of the line control. */
static struct {
    bool absent, stuck;
    uint8_t written[REGISTERS]; /* last, with the bit clear */
    uint8_t divisor[2];
    char sent[256];
    unsigned count, queued, longest; /* bytes that left; that are in the FIFO now, and at most */
    const char *input;               /* not received, up to `input_end` */
    const char *input_end;
    bool broken; /* and the status has not been read since */
} chip;
static uint8_t memory[REGISTERS * 4];

static uint8_t chip_read(unsigned offset)
{
    if (chip.absent)
        return 0xff;
    if (offset == UART_DATA && chip.input != chip.input_end)
        return (uint8_t)*chip.input++;
    if (offset != UART_LINE_STATUS)
        return 0;
    uint8_t status = (uint8_t)((chip.input != chip.input_end ? DATA_READY : 0) | (chip.broken ? BREAK : 0));
    chip.broken = false;
    chip.queued = chip.stuck ? chip.queued : 0;
    return status | (chip.queued == 0 && !chip.stuck ? TRANSMIT_EMPTY : 0);
}

static void chip_write(unsigned offset, uint8_t value)
{
    bool divisor = chip.written[UART_LINE_CONTROL] & DIVISOR_ACCESS;
    if (divisor && offset < 2) {
        chip.divisor[offset] = value;
        return;
    }
    chip.written[offset] = value;
    if (offset != UART_DATA || chip.count == sizeof(chip.sent))
        return;
    chip.sent[chip.count++] = (char)value;
    chip.queued++;
    chip.longest = max_of(chip.longest, chip.queued);
}

/* The register at a place in memory, which is accessed with this width only. */
static unsigned register_at(const volatile void *p, unsigned width)
{
    size_t at = (size_t)((const volatile uint8_t *)p - memory);
    if (at % width != 0 || at / width >= REGISTERS)
        abort();
    return (unsigned)(at / width);
}

uint8_t in8(uint16_t port) { return chip_read(port - PORT); }
void out8(uint16_t port, uint8_t value) { chip_write(port - PORT, value); }
uint8_t mmio_read8(const volatile void *p) { return chip_read(register_at(p, 1)); }
void mmio_write8(volatile void *p, uint8_t value) { chip_write(register_at(p, 1), value); }
uint32_t mmio_read32(const volatile void *p) { return 0xabcdef00u | chip_read(register_at(p, 4)); }
void mmio_write32(volatile void *p, uint32_t value) { chip_write(register_at(p, 4), (uint8_t)value); }
nanoseconds native_clock_monotonic(void) { return clock_monotonic(); }

static struct uart places[] = {
    { .port = PORT },
    { .registers = memory, .spacing = 1 },
    { .registers = memory, .spacing = 4 },
};

static void is_set_up(void)
{
    for (unsigned i = 0; i < array_size(places); i++) {
        memset(&chip, 0, sizeof(chip));
        CHECK(uart_init(&places[i]));
        CHECK(chip.divisor[0] == 1 && chip.divisor[1] == 0);
        CHECK_EQUAL(chip.written[UART_LINE_CONTROL], 3);
        CHECK_EQUAL(chip.written[UART_FIFO_CONTROL], 7);
        CHECK_EQUAL(chip.written[UART_MODEM_CONTROL], 0x0b);
        CHECK_EQUAL(chip.written[UART_INTERRUPT_ENABLE], 0);
        chip.absent = true;
        CHECK(!uart_init(&places[i]));
    }
}

static void takes_what_fits(void)
{
    static const char text[] = "a line of the console that is longer than two of its queues\n";
    for (unsigned i = 0; i < array_size(places); i++) {
        memset(&chip, 0, sizeof(chip));
        CHECK(uart_init(&places[i]));
        uart_write(&places[i], text, sizeof(text) - 1);
        CHECK(chip.count == sizeof(text) - 1 && memcmp(chip.sent, text, chip.count) == 0);
        CHECK_EQUAL(chip.longest, FIFO);
    }
}

static void is_given_up_when_it_takes_nothing(void)
{
    for (unsigned i = 0; i < array_size(places); i++) {
        memset(&chip, 0, sizeof(chip));
        CHECK(uart_init(&places[i]));
        chip.stuck = true;
        host_clock_step = NS_PER_MS;
        nanoseconds start = clock_monotonic();
        uart_write(&places[i], "lost", 4);
        nanoseconds time = clock_monotonic() - start;
        host_clock_step = 0;
        CHECK(time > CONSOLE_PATIENCE && time < CONSOLE_PATIENCE + NS_PER_SECOND);
        CHECK_EQUAL(chip.count, 0);
    }
}

/* Data sheet, 8.6.3: a read of the status clears the mark of a break, also one before a byte is written. */
static void sees_a_break_whoever_reads_the_status(void)
{
    static const char input[] = { 'a', '\0', 'b', '\0' };
    for (unsigned i = 0; i < array_size(places); i++) {
        char byte = '?';
        memset(&chip, 0, sizeof(chip));
        CHECK(uart_init(&places[i]));
        CHECK_EQUAL(uart_receive(&places[i], &byte), UART_NOTHING);
        chip.input = input;
        chip.input_end = input + sizeof(input);
        chip.broken = true;
        uart_write(&places[i], "output", 6);
        CHECK(uart_receive(&places[i], &byte) == UART_BYTE && byte == 'a');
        CHECK_EQUAL(uart_receive(&places[i], &byte), UART_BREAK);
        CHECK(uart_receive(&places[i], &byte) == UART_BYTE && byte == 'b');
        CHECK(uart_receive(&places[i], &byte) == UART_BYTE && byte == '\0');
        CHECK_EQUAL(uart_receive(&places[i], &byte), UART_NOTHING);
    }
}

int main(void)
{
    host_init();
    host_test("serial port: is set up", is_set_up);
    host_test("serial port: takes what fits", takes_what_fits);
    host_test("serial port: sees a break, whoever reads the status", sees_a_break_whoever_reads_the_status);
    host_test("serial port: is given up when it takes nothing", is_given_up_when_it_takes_nothing);
    return host_result();
}
