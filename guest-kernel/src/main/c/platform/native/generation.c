/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VM generation ID (Microsoft, "Virtual Machine Generation ID"; QEMU's -device vmgenid): 16 bytes of memory that
 * the host replaces when the guest goes on from a snapshot. QEMU then raises an event of ACPI before the guest runs.
 */
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define EVENT 0x20u /* bit 5 of GPE0: the method _E05 of QEMU's table */

static uint64_t seen[2];

/* True if it has changed since the last call. */
static bool changed(void)
{
    const volatile uint64_t *id = platform.generation;
    bool same = id[0] == seen[0] && id[1] == seen[1];
    seen[0] = id[0];
    seen[1] = id[1];
    return !same;
}

void native_generation_start(void)
{
    if (acpi.generation == 0 || acpi.generation % sizeof(seen[0]) != 0 || acpi.event_block == 0)
        return;
    phys_t page = align_down(acpi.generation, PAGE_SIZE);
    const uint8_t *bytes = memory_map(page, PAGE_SIZE);
    if (!bytes || acpi.generation - page > PAGE_SIZE - sizeof(seen))
        return;
    platform.generation = (const volatile uint64_t *)(bytes + (acpi.generation - page));
    (void)changed();
    out8(acpi.event_block, EVENT); /* writing a one clears it */
    out8((uint16_t)(acpi.event_block + acpi.event_length / 2), EVENT);
}

void native_generation_interrupt(void)
{
    if (!platform.generation || !(in8(acpi.event_block) & EVENT))
        return;
    out8(acpi.event_block, EVENT);
    if (!changed())
        return;
    native_clock_restored();
    kernel_restored();
}
