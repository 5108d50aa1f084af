/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine of its own, emulated or not: processor, timer, serial ports and power of platform/native/, and virtio
 * devices on PCI or memory-mapped. There is no host that keeps settings for it.
 */
#include "drivers/virtio/virtio.h"
#include "platform/native/native.h"
#include "platform/operations.h"

static void start_devices(void)
{
    virtio_pci_find();
    virtio_mmio_find(platform.command_line);
}

static int no_settings(platform_setting_visit *visit, void *context)
{
    (void)visit, (void)context;
    return 0;
}

static void resume_interrupts(void) { }     /* none rest: devices of an emulator are not other guests */

const struct platform_operations native_machine = {
    NATIVE_PROCESSOR_OPERATIONS,
    .cpus_start = native_cpus_start,
    .console_write = native_serial_write,
    .console_send = native_serial_send,
    .resume_interrupts = resume_interrupts,
    .start_devices = start_devices,
    .settings = no_settings,
    .report = native_report,
    .power_off = native_power_off,
    .reboot = native_reboot,
    .crash = native_crash,
};
