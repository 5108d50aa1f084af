/*
 * A machine of its own, emulated or not: processor, timer, serial ports and power of platform/pvh/, and virtio devices on
 * PCI or memory-mapped. There is no host that keeps settings for it.
 */
#include "drivers/virtio/virtio.h"
#include "platform/operations.h"
#include "platform/pvh/pvh.h"

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
    PVH_PROCESSOR_OPERATIONS,
    .console_write = pvh_serial_write,
    .console_send = pvh_serial_send,
    .resume_interrupts = resume_interrupts,
    .start_devices = start_devices,
    .settings = no_settings,
    .report = pvh_report,
    .power_off = pvh_power_off,
    .reboot = pvh_reboot,
    .crash = pvh_crash,
};
