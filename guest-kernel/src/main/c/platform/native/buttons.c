/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways to ask for a clean shutdown, the power button and three keys. Either may be absent, and is then left out:
 * starting one gives up waiting after ENABLE_PATIENCE or CONTROLLER_TRIES. The power button shares its interrupt with
 * the VM generation ID (generation.c).
 *
 * native_buttons_start() is called by native_start() at boot. The handlers run in interrupt context on the boot CPU,
 * each with state of its own that is set before it is connected, so there are no locks.
 */
#include "platform/native/buttons.h"

#include "core/log.h"
#include "lib/types.h"
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/platform.h"

/* PM1 event and control registers (ACPI 6.4, 4.8.4.1 and 4.8.4.2). */
#define POWER_BUTTON 0x0100
#define CONTROL_ACPI_ENABLED 0x0001
#define ENABLE_PATIENCE (100 * NS_PER_MS)

/* Keyboard controller (Intel 8042). */
#define KEYBOARD_DATA 0x60
#define KEYBOARD_STATUS 0x64
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_INTERRUPT 1
#define STATUS_OUTPUT_FULL 0x01
#define STATUS_INPUT_FULL 0x02
#define NO_DEVICE 0xff
#define COMMAND_READ_MODE 0x20
#define COMMAND_WRITE_MODE 0x60
#define COMMAND_ENABLE 0xae
#define MODE_INTERRUPT 0x01
#define MODE_DISABLED 0x10
#define MODE_TRANSLATED 0x40
#define CONTROLLER_TRIES 10000
#define CODES_AT_ONCE 16 /* what the controller may hold; one that is always full does not keep the CPU */

#define SCAN_EXTENDED 0xe0

static uint16_t status_port; /* PM1a status; the enable register follows it */

static void power_button_interrupt(void)
{
    uint16_t status = in16(status_port);
    if (!(status & POWER_BUTTON))
        return;
    out16(status_port, POWER_BUTTON); /* writing a one clears it */
    kernel_control(CONTROL_POWER_OFF);
}

static void acpi_interrupt(void *context)
{
    (void)context;
    power_button_interrupt();
    native_generation_interrupt();
}

/* Firmware leaves the hardware to itself until the operating system takes it over. */
static bool take_over_from_firmware(void)
{
    if (acpi.smi_command == 0 || in16(acpi.pm1a_control) & CONTROL_ACPI_ENABLED)
        return true;
    out8(acpi.smi_command, acpi.smi_enable);
    nanoseconds limit = native_clock_monotonic() + ENABLE_PATIENCE;
    while (!(in16(acpi.pm1a_control) & CONTROL_ACPI_ENABLED)) {
        if (native_clock_monotonic() > limit)
            return false;
    }
    return true;
}

static void start_acpi(void)
{
    if (acpi.pm1a_event == 0 || acpi.pm1a_control == 0 || !take_over_from_firmware())
        return;
    status_port = acpi.pm1a_event;
    unsigned line = acpi.interrupt < array_size(acpi.line_of_isa) ? acpi.line_of_isa[acpi.interrupt] : acpi.interrupt;
    if (interrupt_connect_line(line, LINE_LEVEL, acpi_interrupt, NULL) != 0)
        return;
    out16(status_port, POWER_BUTTON);
    out16((uint16_t)(status_port + acpi.pm1_event_length / 2), POWER_BUTTON);
    native_generation_start();
}

/* Ctrl, Alt, Delete pressed in this order, in scan code set 1 or 2. */
static bool is_last_of_three(uint8_t code)
{
    static const uint8_t sequences[][3] = { { 0x1d, 0x38, 0x53 }, { 0x14, 0x11, 0x71 } };
    static uint8_t before[2];
    bool complete = false;
    for (unsigned i = 0; i < array_size(sequences); i++) {
        const uint8_t *wanted = sequences[i];
        complete |= before[0] == wanted[0] && before[1] == wanted[1] && code == wanted[2];
    }
    before[0] = before[1];
    before[1] = code;
    return complete;
}

static void keyboard_interrupt(void *context)
{
    (void)context;
    for (unsigned i = 0; i < CODES_AT_ONCE && in8(KEYBOARD_STATUS) & STATUS_OUTPUT_FULL; i++) {
        uint8_t code = in8(KEYBOARD_DATA);
        if (code != SCAN_EXTENDED && is_last_of_three(code))
            kernel_control(CONTROL_POWER_OFF);
    }
}

static bool controller_ready(uint8_t mask, uint8_t wanted)
{
    for (unsigned i = 0; i < CONTROLLER_TRIES; i++) {
        if ((in8(KEYBOARD_STATUS) & mask) == wanted)
            return true;
    }
    return false;
}

static void start_keyboard(void)
{
    if (in8(KEYBOARD_STATUS) == NO_DEVICE)
        return;
    for (unsigned i = 0; i < CONTROLLER_TRIES && in8(KEYBOARD_STATUS) & STATUS_OUTPUT_FULL; i++)
        (void)in8(KEYBOARD_DATA);
    out8(KEYBOARD_COMMAND, COMMAND_READ_MODE);
    if (!controller_ready(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL))
        return;
    uint8_t mode = in8(KEYBOARD_DATA);
    if (interrupt_connect_line(acpi.line_of_isa[KEYBOARD_INTERRUPT], LINE_EDGE, keyboard_interrupt, NULL) != 0)
        return;
    out8(KEYBOARD_COMMAND, COMMAND_WRITE_MODE);
    if (!controller_ready(STATUS_INPUT_FULL, 0))
        return;
    out8(KEYBOARD_DATA, (uint8_t)((mode | MODE_INTERRUPT | MODE_TRANSLATED) & ~MODE_DISABLED));
    if (controller_ready(STATUS_INPUT_FULL, 0))
        out8(KEYBOARD_COMMAND, COMMAND_ENABLE);
}

void native_buttons_start(void)
{
    start_acpi();
    start_keyboard();
}
