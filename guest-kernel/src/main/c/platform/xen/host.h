/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the drivers of drivers/xen/ need from the Xen platform they run on, PV, PVH or HVM, beyond event channels
 * (platform/xen/events.h) and hypercalls (platform/xen/hypercall.h). The platform's boot code sets xen_host first.
 */
#pragma once

#include "lib/types.h"

/* A version 1 grant entry (xen/grant_table.h: struct grant_entry_v1). */
struct grant_entry {
    uint16_t flags;
    uint16_t domain;
    uint32_t frame;
};

struct xen_host {
    /* The number by which other domains and Xen name a page of ours: its machine frame on PV,
     * its guest frame on PVH and HVM. Any context. */
    uint64_t (*frame_of)(phys_t address);
    /* Makes `frames` frames of this domain's version 1 grant table readable and writable at
     * consecutive addresses. Called once. NULL when Xen refuses so many. */
    struct grant_entry *(*map_grant_table)(unsigned frames);
    /* Console output when there is no console ring (hypervisor console, best effort). */
    void (*write_without_ring)(const char *text, size_t length);
    /* Lets other domains run, if any wants to; for waiting where sleeping is not allowed. */
    void (*yield)(void);
};
extern const struct xen_host *xen_host;
