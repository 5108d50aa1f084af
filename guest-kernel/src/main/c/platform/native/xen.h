/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a Xen guest (type="pvh" or "hvm"): hypercalls, event channels and Xen's shared pages, besides
 * what a PC has (machine/xen_native.c).
 */
#pragma once

/* Finds Xen by CPUID; if there, hypercalls work and output goes to the serial port, or without one to Xen's log. After
 * native_serial_init(). */
void native_xen_detect(void);
/* Shared pages, events, console and xenstore; after native_interrupts_init(). Nothing without Xen. */
void native_xen_init(void);
