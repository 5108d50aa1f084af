/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/xen/leaves.h"

#include "lib/string.h"
#include "platform/x86/processor.h"

#define LEAVES_FIRST 0x40000000
#define LEAVES_LAST 0x40010000

uint32_t xen_leaves(void)
{
    for (uint32_t base = LEAVES_FIRST; base < LEAVES_LAST; base += 0x100) {
        struct processor_leaf leaf = processor_identify(base, 0);
        uint32_t name[3] = { leaf.ebx, leaf.ecx, leaf.edx };
        if (memcmp(name, "XenVMMXenVMM", sizeof(name)) == 0)
            return base;
        if (leaf.eax < base)
            return 0;
    }
    return 0;
}

/* Xen before 4.6 does not say so; there the number is half that of the local APIC. */
bool xen_vcpu(unsigned *number)
{
    uint32_t base = xen_leaves();
    if (base == 0)
        return false;
    struct processor_leaf leaf = processor_identify(base, 0);
    bool known = leaf.eax >= base + XEN_LEAF_GUEST;
    if (known)
        leaf = processor_identify(base + XEN_LEAF_GUEST, 0);
    known = known && (leaf.eax & XEN_GUEST_VCPU_PRESENT);
    *number = known ? leaf.ebx : (processor_identify(1, 0).ebx >> 24) / 2;
    return true;
}

unsigned xen_domain(void)
{
    uint32_t base = xen_leaves();
    if (base == 0 || processor_identify(base, 0).eax < base + XEN_LEAF_GUEST)
        return 0;
    struct processor_leaf leaf = processor_identify(base + XEN_LEAF_GUEST, 0);
    return leaf.eax & XEN_GUEST_DOMAIN_PRESENT ? leaf.ecx : 0;
}
