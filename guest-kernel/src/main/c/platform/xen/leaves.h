/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Xen's CPUID leaves (xen/arch-x86/cpuid.h).
 */
#pragma once

#include "lib/types.h"

/* The number of the first one, from which the others count: a multiple of 0x100, since those of another hypervisor that
 * Xen imitates come first. 0: this is not a guest of Xen's. */
uint32_t xen_leaves(void);
#define XEN_LEAF_HYPERCALL_PAGE 2 /* EBX: the MSR to write its address to */
#define XEN_LEAF_TIME 3           /* subleaf 0, ECX: the TSC's frequency in kHz */
#define XEN_LEAF_GUEST 4          /* of PVH and HVM guests. EAX: what follows; EBX: the number of this virtual CPU */
#define XEN_GUEST_VCPU_PRESENT (1u << 3)
#define XEN_GUEST_DOMAIN_PRESENT (1u << 4) /* in ECX */

/* The number of the virtual CPU that calls, in a PVH or HVM guest. False: this is not a guest of Xen's. */
bool xen_vcpu(unsigned *number);
/* The number of this domain, of PVH and HVM guests; 0: Xen, before 4.13, does not say. */
unsigned xen_domain(void);
