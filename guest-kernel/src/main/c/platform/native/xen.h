/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a Xen guest (type="pvh" or "hvm"): hypercalls, event channels and Xen's shared pages, besides
 * what a PC has (machine/xen_native.c).
 */
#pragma once

#include "platform/platform.h"

/* Finds Xen by CPUID; if there, hypercalls work and output goes to the serial port, or without one to Xen's log. After
 * native_serial_init(). */
void native_xen_detect(void);
/* Shared pages, events, console and xenstore; after native_interrupts_init(). Nothing without Xen. */
void native_xen_init(void);
/* For each further CPU, on it. Nothing without Xen. */
void native_xen_load(const struct cpu *cpu);
/* How many CPUs events can interrupt: the first so many of those online, whose ids are Xen's numbers of them. */
unsigned native_xen_cpus(void);
