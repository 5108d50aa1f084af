/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Xen guest with the hardware's own page tables and traps: the processor of platform/native/, and the devices,
 * reports and ends of every Xen guest. Either Xen has started it (type="pvh"), or a BIOS (type="hvm"). The latter is a
 * PC as well: its serial port, if it has one, is the console, since that is what EC2 shows, and there may be devices on
 * PCI. Its emulated disks and network cards are unplugged before the paravirtual ones are started.
 */
#include "machine/native.h"
#include "machine/xen.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/unplug.h"
#include "platform/native/xen.h"
#include "platform/operations.h"

static void write_console(const char *text, size_t length)
{
    if (native_serial_present())
        native_serial_write(text, length);
    else
        xen_console_write(text, length);
}

static size_t send_console(const char *text, size_t length)
{
    return native_serial_present() ? native_serial_send(text, length) : xen_console_send(text, length);
}

static void start_devices(void)
{
    xen_unplug_emulated();
    xen_start_devices();
    native_start_pci_devices();
}

static void start_cpus(void)
{
    native_machine_start_cpus();
    events_spread(native_xen_cpus());
}

static void stop_cpus(void)
{
    events_gather();
    native_machine_stop_cpus();
}

static noreturn void power_off(void)
{
    native_stop_pci_devices(true);
    xen_power_off();
}

static noreturn void reboot(void)
{
    native_stop_pci_devices(false);
    xen_reboot();
}

static void resume_interrupts(void)
{
    events_resume();
    native_resume_interrupts();
}

const struct platform_operations xen_native_machine = {
    .resume_interrupts = resume_interrupts,
    .cpus_start = start_cpus,
    .start_devices = start_devices,
    .console_write = write_console,
    .console_send = send_console,
    XEN_GUEST_OPERATIONS,
    NATIVE_PROCESSOR_OPERATIONS,
    /* With a raised priority the emulated Xen host loses answers (docs/cpus.md), and events come past the APIC. */
    .cpu_halt = native_halt,
    .cpus_stop = stop_cpus,
    .power_off = power_off,
    .reboot = reboot,
};
