/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of fake_pci.h. Windows are mapped by the byte, so that the sanitizer sees an access outside of what was
 * mapped. The device reaches what the sanitizer says is in use, once the driver lets it: memory that was freed breaks a
 * rule of the model. Each look at the clock lets 10 us pass, for a driver that waits; the model follows at each access.
 */
#include "drivers/ena/fake_pci.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/ena.h"
#include "drivers/pci/pci.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

#define WINDOW_0 0xfe0000000UL /* above 4 GiB */
#define WINDOW_2 0xfe1000000UL
#define VECTOR_FIRST 40
#define VECTORS 8192
#define MAPPINGS 8192
#define CONFIG_REVISION 8
#define LOOK (10 * NS_PER_US)

struct fake_machine fake;

static struct mapping {
    phys_t address;
    size_t length;
    uint8_t *base;
} mappings[MAPPINGS];
static unsigned mapping_count, first_mapping; /* those before are of devices that are gone */

static struct {
    interrupt_handler *handler;
    void *context;
} vectors[VECTORS];
static unsigned vector_count;
static unsigned connected[2 * MODEL_QUEUES + 1]; /* by the device's number; 0: not connected */
static bool pending[2 * MODEL_QUEUES + 1];
static unsigned long steps;

/* ---- The model's surroundings ---- */

static void *memory_of(void *context, uint64_t address, size_t length)
{
    (void)context;
    void *bytes = phys_to_virt(address);
    return fake.enabled && __asan_region_is_poisoned(bytes, length) == NULL ? bytes : NULL;
}

static void interrupted(void *context, unsigned vector)
{
    (void)context;
    pending[vector] = true;
}

static void left(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    struct fake_frame *frame = &fake.sent[fake.frames++ % FAKE_FRAMES];
    frame->length = (uint32_t)length;
    memcpy(frame->bytes, bytes, min_of(length, sizeof(frame->bytes)));
    if (fake.wire)
        fake.wire(bytes, length);
}

const struct fake_frame *fake_frame(unsigned n) { return &fake.sent[n % FAKE_FRAMES]; }

void fake_interrupts(void)
{
    steps = 0;
    for (unsigned i = 0, quiet = 0; quiet < array_size(pending); i = (i + 1) % array_size(pending), quiet++) {
        if (!pending[i] || connected[i] == 0)
            continue;
        pending[i] = false;
        quiet = 0;
        fake.interrupts++;
        vectors[connected[i] - VECTOR_FIRST].handler(vectors[connected[i] - VECTOR_FIRST].context);
    }
}

void fake_advance(nanoseconds time)
{
    for (nanoseconds part; time > 0; time -= part) {
        part = min_of(time, 100 * NS_PER_MS);
        host_advance(part);
        model_advance(&fake.model, clock_monotonic());
        fake_interrupts();
    }
}

/* ---- PCI ---- */

uint8_t pci_read8(const struct pci_function *function, unsigned offset)
{
    (void)function;
    return offset == CONFIG_REVISION ? fake.model.variant.direct_reads : 0;
}

uint16_t pci_read16(const struct pci_function *function, unsigned offset)
{
    return (uint16_t)(pci_read8(function, offset) | pci_read8(function, offset + 1) << 8);
}

uint32_t pci_read32(const struct pci_function *function, unsigned offset)
{
    return pci_read16(function, offset) | (uint32_t)pci_read16(function, offset + 2) << 16;
}

void pci_write16(const struct pci_function *function, unsigned offset, uint16_t value)
{
    (void)function, (void)offset, (void)value;
}

void pci_enable(const struct pci_function *function)
{
    (void)function;
    fake.enabled = true;
}

void pci_disconnect(const struct pci_function *function)
{
    (void)function;
    fake.enabled = false;
}

phys_t pci_whole_window(const struct pci_function *function, unsigned index, uint64_t *length)
{
    (void)function;
    *length = index == 0 ? MODEL_BAR0 : MODEL_BAR2;
    if (index == 0)
        return WINDOW_0;
    return index == 2 && !fake.no_device_memory ? WINDOW_2 : 0;
}

int pci_msix_enable(struct pci_function *function)
{
    function->msix_vectors = fake.model.variant.vectors;
    return function->msix_vectors == 0 ? -ENODEV : 0;
}

int interrupt_allocate(interrupt_handler *handler, void *context)
{
    if (vector_count == VECTORS)
        return -ENOSPC;
    vectors[vector_count].handler = handler;
    vectors[vector_count].context = context;
    return VECTOR_FIRST + (int)vector_count++;
}

int pci_msix_set(struct pci_function *function, unsigned index, unsigned vector)
{
    if (index >= function->msix_vectors || vector < VECTOR_FIRST || vector >= VECTOR_FIRST + vector_count)
        return -EINVAL;
    connected[index] = vector;
    return 0;
}

void pci_msix_route(struct pci_function *function, unsigned index, unsigned vector, unsigned cpu)
{
    if (index >= function->msix_vectors || cpu >= cpus_online)
        abort();
    if (vector == connected[index])
        fake.routes[index] = cpu;
}

/* Cards of earlier tests are the driver's, and are spread too. */
void interrupt_raise(unsigned vector)
{
    for (unsigned i = 0; i < array_size(connected); i++)
        fake.raised += connected[i] == vector;
}

/* ---- Windows ---- */

volatile void *mmio_map(phys_t address, size_t length)
{
    if (mapping_count == MAPPINGS)
        abort();
    struct mapping *mapping = &mappings[mapping_count++];
    *mapping = (struct mapping){ address, length, calloc(1, length) };
    return mapping->base;
}

/* The window of a register and its offset there, or -1: of an earlier device. */
static int find(const volatile void *p, uint32_t *offset)
{
    if (++steps > FAKE_STEPS_MAX) {
        fprintf(stderr, "the driver does not come to an end\n");
        abort();
    }
    for (unsigned i = first_mapping; i < mapping_count; i++) {
        const struct mapping *mapping = &mappings[i];
        uintptr_t at = (uintptr_t)p - (uintptr_t)mapping->base;
        if (at >= mapping->length)
            continue;
        phys_t address = mapping->address + at;
        *offset = (uint32_t)(address - (address >= WINDOW_2 ? WINDOW_2 : WINDOW_0));
        return address >= WINDOW_2 ? 2 : 0;
    }
    return -1;
}

static void access_to(volatile void *p, uint64_t value, unsigned length)
{
    uint32_t offset;
    int bar = find(p, &offset);
    if (bar < 0 || fake.gone)
        return;
    model_advance(&fake.model, clock_monotonic());
    model_write(&fake.model, (unsigned)bar, offset, value, length);
}

void mmio_write32(volatile void *p, uint32_t value)
{
    *(volatile uint32_t *)p = value;
    access_to(p, value, 4);
}

void mmio_write64(volatile void *p, uint64_t value)
{
    *(volatile uint64_t *)p = value;
    access_to(p, value, 8);
}

uint32_t mmio_read32(const volatile void *p)
{
    uint32_t offset;
    (void)*(const volatile uint32_t *)p;
    int bar = find(p, &offset);
    if (bar < 0 || fake.gone)
        return UINT32_MAX;
    model_advance(&fake.model, clock_monotonic());
    return (uint32_t)model_read(&fake.model, (unsigned)bar, offset, 4);
}

/* ---- Start ---- */

void fake_init(struct model_variant variant)
{
    first_mapping = mapping_count;
    memset(connected, 0, sizeof(connected));
    memset(pending, 0, sizeof(pending));
    memset(&fake, 0, sizeof(fake));
    steps = 0;
    host_clock_step = LOOK;
    variant.place = FAKE_PLACE << 3;
    fake.model.variant = variant;
    fake.model.user = (struct model_user){ NULL, memory_of, interrupted, left };
    model_start(&fake.model);
}

bool fake_find(void)
{
    struct pci_function function = {
        .device = FAKE_PLACE,
        .vendor = 0x1d0f,
        .id = fake.model.variant.llq_sizes != 0 ? 0xec21 : 0xec20,
        .class = 0x020000,
    };
    return ena_start(&function);
}
