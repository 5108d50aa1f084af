/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending the machine. Emulators differ in what they listen to, so each way is tried in turn: ACPI (QEMU, Cloud
 * Hypervisor), the keyboard controller's reset line (Firecracker takes it for power-off, too), and last a triple fault,
 * which resets any PC. Xen guests end by hypercall instead (machine/xen.c).
 */
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define SLEEP_ENABLE_PM1 (1u << 13)
#define SLEEP_TYPE_PM1(type) ((unsigned)(type) << 10)
#define SLEEP_ENABLE_REDUCED (1u << 5)
#define SLEEP_TYPE_REDUCED(type) ((unsigned)(type) << 2)
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_INPUT_FULL 0x02
#define KEYBOARD_RESET 0xfe

/* QEMU -device isa-debug-exit,iobase=0x501: its exit status becomes 2 * value + 1. */
#define DEBUG_EXIT_PORT 0x501
#define DEBUG_EXIT_CRASH 0x10 /* status 33 */

/* Time for a device to react before the next way is tried. */
#define REACTION (100 * NS_PER_MS)

static void write_register(const struct acpi_register *where, uint8_t value)
{
    if (!where->present)
        return;
    if (!where->memory) {
        out8((uint16_t)where->address, value);
        return;
    }
    volatile uint8_t *mapped = mmio_map(where->address, 1);
    if (mapped)
        mmio_write8(mapped, value);
}

static void acpi_power_off(void)
{
    if (!acpi.sleep_type_known)
        return;
    write_register(&acpi.sleep_control, (uint8_t)(SLEEP_TYPE_REDUCED(acpi.sleep_type_a) | SLEEP_ENABLE_REDUCED));
    if (acpi.pm1a_control != 0)
        out16(acpi.pm1a_control, (uint16_t)(SLEEP_TYPE_PM1(acpi.sleep_type_a) | SLEEP_ENABLE_PM1));
    if (acpi.pm1b_control != 0)
        out16(acpi.pm1b_control, (uint16_t)(SLEEP_TYPE_PM1(acpi.sleep_type_b) | SLEEP_ENABLE_PM1));
    native_clock_delay(REACTION);
}

static void keyboard_reset(void)
{
    for (unsigned i = 0; i < 1000 && (in8(KEYBOARD_COMMAND) & KEYBOARD_INPUT_FULL); i++)
        continue;
    out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    native_clock_delay(REACTION);
}

static noreturn void triple_fault(void)
{
    struct packed {
        uint16_t limit;
        uint64_t base;
    } none = { 0, 0 };
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
    __builtin_unreachable();
}

noreturn void native_power_off(void)
{
    acpi_power_off();
    keyboard_reset();
    triple_fault();
}

noreturn void native_reboot(void)
{
    write_register(&acpi.reset, acpi.reset_value);
    keyboard_reset();
    triple_fault();
}

/* With interrupts off no processor of a PC goes on. */
static noreturn void halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

noreturn void native_crash(void)
{
    if (platform.keeps_crashed)
        halt();
    out8(DEBUG_EXIT_PORT, DEBUG_EXIT_CRASH);
    keyboard_reset();
    triple_fault();
}
