/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Xen guest's processor, ports and hypercalls as platform/native/{xen,unplug}.c see them. A test sets up what the
 * host offers, and afterwards looks at what the kernel has done.
 */
#pragma once

#include "platform/platform.h"

#define HVM_PARAMETERS 20
#define HVM_HYPERCALL_MSR 0x40000123
#define HVM_STORE_FRAME 0xfeffcUL
#define HVM_STORE_PORT 7
#define HVM_CONSOLE_FRAME 0xfefffUL
#define HVM_CONSOLE_PORT 9
#define HVM_WALL_SECONDS 1700000000UL

extern struct fake_hvm {
    /* What the host offers. */
    uint32_t leaves;                     /* where Xen's are; 0: nowhere */
    bool leaves_of_another;              /* at 0x40000000 */
    bool serial;                         /* a port at 0x3f8 */
    uint64_t parameters[HVM_PARAMETERS]; /* HVM parameters; also what the kernel sets */
    bool refused[HVM_PARAMETERS];        /* Xen does not know the parameter */
    bool shared_info_refused;
    unsigned grant_frames; /* Xen gives so many */
    uint16_t unplug_magic; /* what port 0x10 reads at first */
    uint8_t unplug_version;
    bool unplug_blacklisted; /* once the driver has named itself */
    /* What the kernel did. */
    uint64_t hypercall_page; /* written to the MSR */
    unsigned hypercalls;
    phys_t grant_table[64]; /* where each frame went */
    void *console, *store;  /* rings that were started, and their ports */
    uint32_t console_port, store_port;
    bool rings_started;
    uint32_t product, build, unplugged; /* UINT32_MAX: not written */
    char log[64];                       /* of Xen, port 0xe9 */
    nanoseconds wall;
    unsigned channels_forgotten, steal_restored; /* since the domain was restored */
    /* What Xen returns when the domain is to be saved: 0 in the one that goes on from it. */
    int64_t suspended_with;
} hvm;

/* The vector that the kernel gets for events. */
#define HVM_VECTOR 0x21

/* An HVM guest with serial port, console, xenstore and unplugging, as EC2's. */
void fake_hvm_reset(void);
/* Where memory_map() maps a frame. */
void *fake_hvm_mapped(uint64_t frame);
