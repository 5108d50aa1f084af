/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CPUs ask of each other: to forget translations, and to stop. The one that asks holds no spinlock. It raises a
 * counter and interrupts those concerned; each flushes and copies the counter to `answered`: in the interrupt; where
 * interrupts are masked, while it waits for the kernel lock or for answers of its own. So an answer never waits for
 * the kernel lock, and what a CPU does with masked interrupts and without waiting is short.
 *
 * A CPU at rest is not asked: its page-table root has no user half, so that it does not even walk tables of user memory
 * that are freed, and loading the other root again flushes. It says that it rests no more before it loads that root,
 * and whoever changes page tables does so before it looks who rests, so one of the two sees the other.
 *
 * The kernel's own translations that change are those of kernel stacks. They are flushed before a CPU changes to a
 * stack (cpu_catch_up()); a thread of that stack was made ready after the change, under the run queue's lock.
 */
#include "core/kernel_lock.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/selectors.h"
#include "platform/xen/park.h"

static uint64_t user_changes, kernel_changes; /* they only grow */
static bool stopping;
/* Of each CPU, by its id: what it has flushed for; written by that CPU. */
static uint64_t answered[CPUS_MAX], kernel_answered[CPUS_MAX];

static noreturn void stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void native_cpu_catch_up(void)
{
    unsigned id = this_cpu()->id;
    uint64_t user = __atomic_load_n(&user_changes, __ATOMIC_ACQUIRE);
    uint64_t kernel = __atomic_load_n(&kernel_changes, __ATOMIC_ACQUIRE);
    if (kernel != kernel_answered[id])
        native_flush_kernel();
    else if (user != answered[id])
        cr3_write(cr3_read());
    kernel_answered[id] = kernel;
    __atomic_store_n(&answered[id], user, __ATOMIC_RELEASE);
}

void native_cpu_answer(void)
{
    if (unlikely(__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)))
        stop();
    native_cpu_catch_up();
    if (cpu_is_to_park())
        cpu_park();
}

/* The caller has flushed for this change itself, if that is all it has missed. */
static void note_own(uint64_t *counter, uint64_t change)
{
    if (*counter == change - 1)
        __atomic_store_n(counter, change, __ATOMIC_RELEASE);
}

static bool is_concerned(const struct cpu *cpu)
{
    return cpu != this_cpu() && !__atomic_load_n(&cpu->resting, __ATOMIC_SEQ_CST);
}

void native_flush_others(void)
{
    if (likely(!kernel_is_shared))
        return;
    uint64_t change = __atomic_add_fetch(&user_changes, 1, __ATOMIC_SEQ_CST);
    note_own(&answered[this_cpu()->id], change);
    for (unsigned i = 0; i < cpus_online; i++)
        if (is_concerned(cpus[i]))
            native_cpu_send(cpus[i], VECTOR_ANSWER);
    for (unsigned i = 0; i < cpus_online; i++)
        while (is_concerned(cpus[i]) && __atomic_load_n(&answered[i], __ATOMIC_ACQUIRE) < change) {
            native_cpu_catch_up();
            __builtin_ia32_pause();
        }
}

void native_flush_kernel_others(void)
{
    if (likely(!kernel_is_shared))
        return;
    uint64_t change = __atomic_add_fetch(&kernel_changes, 1, __ATOMIC_SEQ_CST);
    note_own(&kernel_answered[this_cpu()->id], change);
}

void native_cpus_synchronise(void) { native_flush_others(); }

/* For the kernel lock, which every other interrupt needs, too: its handler would look for the lock without end, and the
 * CPU not halt any more. So they stay pending in the local APIC (SDM 3A 11.8.3.1) until the CPU has the lock. */
void native_halt_for_answer(void)
{
    uint32_t before = apic_read(APIC_TASK_PRIORITY);
    apic_write(APIC_TASK_PRIORITY, (VECTOR_ANSWER & 0xf0u) - 1);
    native_halt();
    apic_write(APIC_TASK_PRIORITY, before);
}

void native_cpu_rouse(const struct cpu *cpu) { native_cpu_send(cpu, VECTOR_ANSWER); }

void native_cpus_stop(void)
{
    if (!kernel_is_shared)
        return;
    kernel_lock_end();
    __atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < cpus_online; i++)
        if (cpus[i] != this_cpu())
            native_cpu_send(cpus[i], VECTOR_ANSWER);
}
