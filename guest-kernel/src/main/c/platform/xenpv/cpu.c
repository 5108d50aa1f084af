/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a (virtual) CPU that follows the running thread, and waiting.
 *
 * What Xen keeps for a CPU (stack, segment bases, FPU) can be changed on that CPU alone, so everything here is about
 * the caller's own, and runs with events masked. Only while a CPU waits does it let events in, and gives the kernel
 * lock back if it has it; their handlers need it. There are no other locks: each CPU has an entry of `known` of its
 * own.
 */
#include "core/debug.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "platform/x86/fpu.h"
#include "platform/x86/processor.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/xenpv.h"

#define CR4_OSFXSR (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_OSXSAVE (1UL << 18)
#define HAS_XSAVE (1u << 26) /* CPUID leaf 1 ecx */

extern char pv_boot_stack_top[];

static struct cpu boot_cpu;
/* What each CPU has last passed to Xen, by its id, so that only changes are. */
static struct known {
    uint64_t stack, fs_base;
} known[CPUS_MAX];

void pv_cpu_init(void)
{
    boot_cpu.self = cpus[0] = &boot_cpu;
    boot_cpu.kernel_stack = (uintptr_t)pv_boot_stack_top;
    (void)hypercall(HYPERCALL_SET_SEGMENT_BASE, SEGMENT_GS_KERNEL, (uintptr_t)&boot_cpu, 0, 0);
    (void)hypercall(HYPERCALL_SET_SEGMENT_BASE, SEGMENT_GS_USER, 0, 0, 0);
    (void)hypercall(HYPERCALL_SET_SEGMENT_BASE, SEGMENT_FS, 0, 0, 0);
}

static void enable_fpu(void)
{
    /* Xen emulates both accesses and takes what it lets a guest choose. */
    uint64_t cr4;
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (processor_identify(1, 0).ecx & HAS_XSAVE)
        cr4 |= CR4_OSXSAVE;
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
    /* Clears CR0.TS: the scheduler switches FPU state itself. */
    (void)hypercall(HYPERCALL_FPU_TASKSWITCH, 0, 0, 0, 0);
}

void pv_fpu_init(void)
{
    enable_fpu();
    fpu_init();
}

void pv_fpu_load(void)
{
    enable_fpu();
    fpu_load();
}

void pv_cpu_switch_to(uint64_t kernel_stack_top, uint64_t user_fs_base)
{
    struct cpu *cpu = this_cpu();
    struct known *mine = &known[cpu->id];
    struct multicall calls[2];
    unsigned count = 0;
    cpu->kernel_stack = kernel_stack_top;
    if (kernel_stack_top != mine->stack)
        calls[count++] = (struct multicall){ .number = HYPERCALL_STACK_SWITCH,
                                             .arguments = { XEN_STACK_SELECTOR, kernel_stack_top } };
    if (user_fs_base != mine->fs_base)
        calls[count++] = (struct multicall){ .number = HYPERCALL_SET_SEGMENT_BASE,
                                             .arguments = { SEGMENT_FS, user_fs_base } };
    if (count == 0)
        return;
    int64_t error = hypercall(HYPERCALL_MULTICALL, (uintptr_t)calls, count, 0, 0);
    for (unsigned i = 0; i < count && error == 0; i++)
        error = calls[i].result;
    if (error != 0)
        panic("Xen refuses the stack %lx or FS base %lx: %s", kernel_stack_top, user_fs_base, errno_name(error));
    *mine = (struct known){ kernel_stack_top, user_fs_base };
}

void pv_cpu_set_fs_base(uint64_t base)
{
    if (hypercall(HYPERCALL_SET_SEGMENT_BASE, SEGMENT_FS, base, 0, 0) == 0)
        known[this_cpu()->id].fs_base = base;
}

/* Events that come meanwhile are handled after the CPU has the kernel lock again: pv_event_entry does nothing about
 * them, since this is the only place where it interrupts the kernel. */
void pv_cpu_wait(void)
{
    struct cpu *cpu = this_cpu();
    struct vcpu_info *vcpu = pv_vcpu();
    may_sleep();
    events_resume();
    bool held = kernel_is_held();
    __atomic_store_n(&cpu->resting, true, __ATOMIC_SEQ_CST);
    if (held)
        kernel_leave();
    if (!read_once(vcpu->upcall_pending)) {
        /* Unmasks events and sleeps in one step; pv_event_entry runs before the next instruction
         * and leaves them masked. Without an event (Xen may wake us for other reasons) they
         * are still unmasked here. */
        (void)hypercall(HYPERCALL_SCHED_OP, SCHEDULE_BLOCK, 0, 0, 0);
        write_once(vcpu->upcall_mask, 1);
        compiler_barrier();
    }
    kernel_enter();
    __atomic_store_n(&cpu->resting, false, __ATOMIC_SEQ_CST);
    updates_catch_up();
    events_dispatch(vcpu);
    if (!held)
        kernel_leave();
}

/* Events stay masked for Xen; it marks them as pending all the same. */
void pv_cpu_take_interrupts(void)
{
    may_sleep();
    if (likely(!read_once(pv_vcpu()->upcall_pending)))
        return;
    bool entered = kernel_enter_again();
    events_dispatch(pv_vcpu());
    if (entered)
        kernel_leave();
}
