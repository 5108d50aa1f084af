/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a Xen guest (type="pvh"): hypercalls, event channels and Xen's shared pages in place of serial
 * ports and virtio (machine/xen_pvh.c).
 */
#pragma once

/* Finds Xen by CPUID; if there, hypercalls work and output goes to its console. Any time. */
void xen_pvh_detect(void);
/* Shared pages, events, console and xenstore; after native_interrupts_init(). Nothing without Xen. */
void xen_pvh_init(void);
