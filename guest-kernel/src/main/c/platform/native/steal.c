/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host writes into an area of each CPU, which stays where it is: KVM by its physical address (Linux
 * Documentation/virt/kvm/x86/msr.rst: MSR_KVM_STEAL_TIME), Xen by its virtual one (runstate.h). Where page tables of
 * user mode lack the kernel, Xen finds the area only when it stops the CPU in the kernel, and reports then what it took
 * before. An area is its CPU's until `source` says who writes there; then it is only read.
 */
#include "platform/native/steal.h"

#include "platform/native/clock.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/x86/processor.h"
#include "platform/xen/leaves.h"
#include "platform/xen/runstate.h"

#define FEATURE_STEAL (1u << 5)
#define MSR_STEAL_TIME 0x4b564d03
#define STEAL_TIME_ENABLE 1

struct kvm_steal {
    uint64_t stolen;  /* ns */
    uint32_t version; /* odd: being written */
    uint32_t flags, reserved[12];
};
_Static_assert(sizeof(struct kvm_steal) == 64, "kvm_para.h: kvm_steal_time");

static struct area {
    union {
        struct kvm_steal kvm;
        struct runstate xen;
    };
} __attribute__((aligned(64))) areas[CPUS_MAX]; /* by the CPU's id */
static nanoseconds at_start[CPUS_MAX];          /* Xen counts from the domain's creation */
static nanoseconds at_mark[CPUS_MAX];           /* native_stolen_time() when the domain was saved */
static unsigned vcpus[CPUS_MAX];                /* Xen's numbers */
static enum { NONE, KVM, XEN } source[CPUS_MAX];

static nanoseconds kvm_stolen(const struct kvm_steal *steal)
{
    uint32_t version;
    nanoseconds stolen;
    do {
        version = __atomic_load_n(&steal->version, __ATOMIC_ACQUIRE);
        stolen = read_once(steal->stolen);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != read_once(steal->version));
    return stolen;
}

static nanoseconds stolen_of(unsigned id)
{
    switch (source[id]) {
    case KVM:
        return kvm_stolen(&areas[id].kvm);
    case XEN:
        return runstate_stolen(&areas[id].xen);
    case NONE:
        break;
    }
    return 0;
}

void native_steal_load(const struct cpu *cpu)
{
    struct area *area = &areas[cpu->id];
    unsigned vcpu;
    if (kvm_features() & FEATURE_STEAL) {
        msr_write(MSR_STEAL_TIME, ((uintptr_t)area - KERNEL_BASE) | STEAL_TIME_ENABLE);
        source[cpu->id] = KVM;
    } else if (xen_vcpu(&vcpu) && runstate_start(&area->xen, vcpu)) {
        vcpus[cpu->id] = vcpu;
        source[cpu->id] = XEN;
    }
    at_start[cpu->id] = stolen_of(cpu->id);
}

nanoseconds native_stolen_time(const struct cpu *cpu) { return stolen_of(cpu->id) - at_start[cpu->id]; }

void native_steal_mark(void)
{
    for (unsigned i = 0; i < cpus_online; i++)
        at_mark[i] = native_stolen_time(cpus[i]);
}

void native_steal_restored(void)
{
    for (unsigned i = 0; i < cpus_online; i++) {
        if (source[i] == XEN && !runstate_start(&areas[i].xen, vcpus[i]))
            source[i] = NONE;
        at_start[i] = stolen_of(i) - at_mark[i];
    }
}
