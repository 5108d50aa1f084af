/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this processor can do, as the hypervisor wants the guest to see it.
 */
#pragma once

#include "lib/types.h"

struct processor_leaf {
    uint32_t eax, ebx, ecx, edx;
};

/* Set by Xen PV entry code: CPUID must ask for emulation (xen/arch-x86/xen.h: XEN_CPUID) to give
 * Xen's answers, since a plain one is not intercepted on every processor. */
extern bool processor_is_xen_pv;

/* CPUID (Intel SDM 2A); zeros for a leaf beyond what the processor has. */
struct processor_leaf processor_identify(uint32_t leaf, uint32_t subleaf);
