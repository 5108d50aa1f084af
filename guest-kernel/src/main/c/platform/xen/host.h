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
     * consecutive addresses. Called once but for suspend(). NULL when Xen refuses so many. */
    struct grant_entry *(*map_grant_table)(unsigned frames);
    /* Stops the domain so that Xen's tools save it; returns when it goes on. True: as another domain, restored from
     * what was saved, without event channels and grants; resume() is due when the drivers have dropped theirs. False:
     * as if nothing had happened. In both cases the grant table is to be mapped again, by a further
     * map_grant_table() of as many frames. On the boot CPU, in a thread without locks but the kernel's. The other CPUs
     * wait, as long as this takes and, in a domain that was restored, until resume() ends. */
    bool (*suspend)(void);
    /* Starts the clock's interrupts, console and xenstore of a domain that was restored. */
    void (*resume)(void);
    /* Console output when there is no console ring (hypervisor console, best effort). */
    void (*write_without_ring)(const char *text, size_t length);
    /* Lets other domains run, if any wants to; for waiting where sleeping is not allowed. */
    void (*yield)(void);
};
extern const struct xen_host *xen_host;
