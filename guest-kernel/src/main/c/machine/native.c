/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine of its own, emulated or not: processor, timer, serial ports and power of platform/native/, virtio
 * devices on PCI or memory-mapped, NVMe and AHCI disks and ENA network cards. There is no host that keeps settings for
 * it.
 */
#include "machine/native.h"

#include "drivers/ahci/ahci.h"
#include "drivers/ena/ena.h"
#include "drivers/nvme/nvme.h"
#include "drivers/pci/pci.h"
#include "drivers/virtio/virtio.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/operations.h"

#define PCI_DRIVERS "virtio (network, block, entropy), NVMe, AHCI and ENA"

static void start_function(const struct pci_function *function)
{
    if (!virtio_pci_start(function) && !nvme_start(function) && !ahci_start(function) && !ena_start(function))
        pci_report_unused(function, PCI_DRIVERS);
}

void native_start_pci_devices(void) { pci_for_each(start_function); }

static void start_devices(void)
{
    native_start_pci_devices();
    virtio_mmio_find(platform.command_line);
}

static int no_settings(platform_setting_visit *visit, void *context)
{
    (void)visit, (void)context;
    return 0;
}

void native_machine_start_cpus(void)
{
    native_cpus_start();
    pci_spread_interrupts();
}

/* What devices still have to report is for the boot CPU. */
void native_machine_stop_cpus(void)
{
    pci_gather_interrupts();
    native_cpus_stop();
}

/* What comes next in this memory must not be written to by a card of ours. */
void native_stop_pci_devices(bool power_off)
{
    ena_shut_down();
    nvme_shut_down();
    ahci_shut_down(power_off);
}

static noreturn void power_off(void)
{
    native_stop_pci_devices(true);
    native_power_off();
}

static noreturn void reboot(void)
{
    native_stop_pci_devices(false);
    native_reboot();
}

/* A hypervisor sees by itself that a processor pauses again and again (Intel SDM 3, 26.1.3: PAUSE-loop exiting). */
static void keep_processor(void) {}

const struct platform_operations native_machine = {
    NATIVE_PROCESSOR_OPERATIONS,
    .cpu_halt = native_halt_for_answer,
    .cpu_yield = keep_processor,
    .cpus_start = native_machine_start_cpus,
    .cpus_stop = native_machine_stop_cpus,
    .console_write = native_serial_write,
    .console_send = native_serial_send,
    .serial_send = native_program_port_send,
    .resume_interrupts = native_resume_interrupts,
    .start_devices = start_devices,
    .settings = no_settings,
    .report = native_report,
    .power_off = power_off,
    .reboot = reboot,
    .crash = native_crash,
};
