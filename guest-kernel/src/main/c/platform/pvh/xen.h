/*
 * The native platform as a Xen guest (type="pvh"): hypercalls, event channels and the drivers of
 * drivers/xen/ in place of serial port and virtio.
 */
#pragma once

/* Finds Xen by CPUID; if there, hypercalls work and output goes to its console. Any time. */
void pvh_xen_detect(void);
/* Shared pages, events, console and xenstore; after pvh_interrupts_init(). Nothing without Xen. */
void pvh_xen_init(void);
