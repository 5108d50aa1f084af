/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps user mode out of the kernel's memory and the kernel out of the user's, beyond rights in page tables: the
 * measures against speculative execution (platform/x86/speculation.h), and supervisor-mode access prevention (Intel SDM
 * 3A 4.6.1). Decided on the boot CPU, with its processor's features, and the same on all. Boot only.
 */
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/x86/patch.h"
#include "platform/x86/processor.h"
#include "platform/x86/speculation.h"

#define HAS_SMAP (1u << 20) /* leaf 7 ebx */
#define CR4_SMAP (1UL << 21)
#define EFER_AUTOMATIC_IBRS (1UL << 21)

bool native_isolated;
static bool has_smap;
static struct speculation_plan plan;

void native_protection_load(void)
{
    if (has_smap)
        cr4_write(cr4_read() | CR4_SMAP);
    if (plan.control != 0)
        msr_write(MSR_SPECULATION_CONTROL, plan.control);
    if (plan.automatic_ibrs)
        msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AUTOMATIC_IBRS);
}

void native_protection_init(void)
{
    has_smap = processor_identify(7, 0).ebx & HAS_SMAP;
    plan = speculation_init(false, has_smap ? 1u << PATCH_USER_ACCESS : 0);
    native_protection_load();
    native_isolated = plan.patches & 1u << PATCH_ISOLATION;
}
