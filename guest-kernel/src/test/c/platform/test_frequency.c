/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the TSC's frequency comes from on machines that nobody has here. The interval timer's ports cannot be accessed
 * by this program, so a machine on which it must not be used ends the test if it is.
 */
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "platform/native/clock.h"
#include "platform/platform.h"
#include "platform/x86/processor.h"

#define IN_HYPERVISOR (1u << 31)

struct platform_information platform;

static const struct machine {
    const char *name, *hypervisor, *another; /* `another` hypervisor's leaves come first */
    struct processor_leaf xen_time, timing, crystal, frequency;
    uint64_t expected;
} machines[] = {
    { "KVM with its timing leaf, as EC2", "KVMKVMKVM", .timing = { 2499998, 1000000, 0, 0 },
      .crystal = { 2, 100, 0, 0 }, .frequency = { 3000, 0, 0, 0 }, .expected = 2499998000 },
    { "KVM without it", "KVMKVMKVM", .crystal = { 2, 216, 24000000, 0 }, .expected = 2592000000 },
    { "Xen", "XenVMMXenVMM", .xen_time = { 0, 0, 2900000, 0 }, .timing = { 1, 1, 1, 1 }, .expected = 2900000000 },
    { "Xen that imitates another", "XenVMMXenVMM", "Microsoft Hv", .xen_time = { 0, 0, 2300000, 0 },
      .timing = { 1, 1, 1, 1 }, .expected = 2300000000 },
    { "bare, the crystal is known", NULL, NULL, .timing = { 1, 1, 1, 1 }, .crystal = { 2, 168, 25000000, 0 },
      .frequency = { 2100, 0, 0, 0 }, .expected = 2100000000 },
    { "bare, the crystal is not known", NULL, .crystal = { 2, 216, 0, 0 },
      .frequency = { 0x70000 | 2600, 3500, 100, 0 }, .expected = 2600000000 },
    { "bare, a fast one", NULL, .crystal = { 1, 500, 38400000, 0 }, .expected = 19200000000 },
};
static const struct machine *machine;

/* Leaves of hypervisors are numbered from here. */
static struct processor_leaf hypervisor_leaf(uint32_t base, const char *name, uint32_t leaf)
{
    struct processor_leaf first = { .eax = base + 0x10 };
    if (leaf == base + 3)
        return machine->xen_time;
    if (leaf == base + 0x10)
        return machine->timing;
    if (leaf != base)
        return (struct processor_leaf){ 0 };
    memcpy(&first.ebx, name, strlen(name));
    return first;
}

struct processor_leaf processor_identify(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    switch (leaf) {
    case 1:
        return (struct processor_leaf){ .ecx = machine->hypervisor != NULL ? IN_HYPERVISOR : 0 };
    case 0x15:
        return machine->crystal;
    case 0x16:
        return machine->frequency;
    }
    if (machine->hypervisor && leaf >= 0x40000000 + (machine->another ? 0x100 : 0))
        return hypervisor_leaf(leaf & 0xffffff00, machine->hypervisor, leaf);
    if (machine->another && leaf == 0x40000000)
        return hypervisor_leaf(leaf, machine->another, leaf);
    return (struct processor_leaf){ 0 };
}

static void is_as_the_machine_says(void) { CHECK_EQUAL(tsc_frequency(), machine->expected); }

int main(void)
{
    char name[80];
    host_init();
    for (machine = machines; machine < machines + array_size(machines); machine++) {
        snprintf(name, sizeof(name), "frequency: %s", machine->name);
        host_test(name, is_as_the_machine_says);
    }
    return host_result();
}
