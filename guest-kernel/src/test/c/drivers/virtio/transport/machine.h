/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine with PCI configuration space and one virtio device, on PCI or memory-mapped, whose registers say what the
 * test wants. Device memory is mapped by the byte, so the sanitizer sees every access outside of what was mapped.
 */
#pragma once

#include "lib/types.h"

/* A PCI function's configuration space, and of each base address register the bits that cannot be changed. */
struct machine_function {
    uint8_t config[256];
    uint32_t fixed_bits[6];
};
/* Puts one at this place, all zero but for the ids; a later one at the same place takes over. */
struct machine_function *machine_add(unsigned bus, unsigned device, unsigned function, uint16_t vendor, uint16_t id);
/* Any place that has no function of its own has this one, unless NULL. */
extern struct machine_function *machine_everywhere;
/* Where configuration space is in memory, for the buses that the test names in `acpi`; functions there are also behind
 * the ports, unless these lead to bus 0 only, or nowhere. */
#define MACHINE_CONFIGURATION 0x4000000000UL
enum machine_ports { PORTS_FOR_ALL, PORTS_FOR_BUS_0, NO_PORTS };
extern enum machine_ports machine_ports;
/* Writes to base address registers of a function that answered at its windows. */
extern unsigned machine_moved_while_decoding;
void machine_put16(struct machine_function *function, unsigned offset, uint16_t value);
void machine_put32(struct machine_function *function, unsigned offset, uint32_t value);

/* Where a good virtio function has its structures: base address register 4. */
#define MACHINE_WINDOW 0xfe000000UL
#define MACHINE_WINDOW_SIZE 0x4000U
#define MACHINE_COMMON 0x0000U
#define MACHINE_NOTIFY 0x1000U
#define MACHINE_CONFIG 0x2000U
#define MACHINE_MSIX 0x3000U
#define MACHINE_PART 0x100U /* length of each structure */
/* Offsets of the capabilities in its configuration space. */
#define MACHINE_CAPABILITY_COMMON 0x40U
#define MACHINE_CAPABILITY_NOTIFY 0x50U
#define MACHINE_CAPABILITY_DEVICE 0x70U
#define MACHINE_CAPABILITY_MSIX 0x80U
struct machine_function *machine_add_virtio(unsigned bus, unsigned device, unsigned type);

/* Where the memory-mapped device is. */
#define MACHINE_MMIO 0xd0000000UL
#define MACHINE_MMIO_OPTION "virtio_mmio.device=512@0xd0000000:5"

/* What the one virtio device says. Enough queues for a NIC with two pairs and a control queue. */
#define MACHINE_QUEUES 5
#define MACHINE_VECTORS 4
struct machine_device {
    uint32_t magic, version, type;
    uint64_t features;
    uint8_t config[MACHINE_PART];
    uint16_t queue_limit[MACHINE_QUEUES];
    uint16_t notify_offset[MACHINE_QUEUES];
    bool never_resets, refuses_features, refuses_vectors, never_settles, interrupts_always;
    uint8_t status;         /* as the driver left it */
    bool gone;              /* all its registers read as all ones */
    unsigned config_vector; /* as the driver chose it */
    uint32_t interrupt_status;
    unsigned generation, feature_word, queue, vector, enabled_queues;
    unsigned acknowledged;            /* interrupts */
    unsigned routes[MACHINE_VECTORS]; /* the CPU that each entry of its table interrupts */
};
extern struct machine_device machine_device;

/* An empty machine with a well-behaved device of the type. */
void machine_start(unsigned type);
/* Register accesses since machine_start(). */
extern unsigned long machine_steps;
/* Raises the interrupt that was connected as the n-th. */
void machine_raise(unsigned n);
/* Raises every interrupt that was ever connected, as no device should. */
void machine_raise_all(void);
extern unsigned machine_interrupts; /* connected so far */
