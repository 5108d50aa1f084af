/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/x86/processor.h"

bool processor_is_xen_pv;

static struct processor_leaf identify(uint32_t leaf, uint32_t subleaf)
{
    struct processor_leaf r;
    if (processor_is_xen_pv)
        __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
                         : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                         : "a"(leaf), "c"(subleaf));
    else
        __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

struct processor_leaf processor_identify(uint32_t leaf, uint32_t subleaf)
{
    /* Basic, extended and each hypervisor's leaves start with their highest one. */
    uint32_t highest = identify(leaf & 0xffffff00, 0).eax;
    if (leaf > highest)
        return (struct processor_leaf){ 0 };
    return identify(leaf, subleaf);
}
