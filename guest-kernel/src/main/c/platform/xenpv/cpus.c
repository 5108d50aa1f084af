/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the domain's other CPUs, and interrupting them. They are started one after the other: the boot CPU prepares
 * everything that needs memory or an event channel, gives Xen the registers to begin with, and waits until the other
 * one reports. That one sets up what only it can, touches nothing that is shared, and joins when the boot CPU has
 * counted it, however late it sees that. One that does not come up in time is taken down again, and no further one is
 * started.
 *
 * Each has two event channels besides its timer's. `wake` brings it into the kernel, where it looks at struct cpu;
 * `kick` stays masked and ends its wait for the kernel lock, in which it sleeps in Xen (SCHEDULE_POLL), so that a
 * processor is free for the holder of the lock. The tables are written by the boot CPU before a CPU joins.
 */
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/park.h"
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"

#define PATIENCE (10 * NS_PER_SECOND)
#define RFLAGS_INITIAL 2 /* bit 1 is always set; Xen adds the rest */

/* For user mode, present, read-only; its limit is the number of the CPU. */
#define CPU_NUMBER_SEGMENT 0x0040f10000000000UL

static bool is_up; /* the CPU that is being started says so */
/* Where Xen notes events for the CPUs that are started here. It has 64-byte entries, so that none crosses a page. */
static struct vcpu_info infos[CPUS_MAX] __attribute__((aligned(PAGE_SIZE)));
static struct channels {
    uint32_t wake, kick;
} channels[CPUS_MAX];

static int64_t vcpu_operation(unsigned command, unsigned cpu, void *argument)
{
    return hypercall(HYPERCALL_VCPU_OP, command, cpu, (uintptr_t)argument, 0);
}

unsigned pv_cpus_count(void)
{
    unsigned count = 1;
    while (count < CPUS_MAX && vcpu_operation(VCPU_IS_UP, count, NULL) >= 0)
        count++;
    return count;
}

/* False: not before the deadline. */
static bool comes_up(nanoseconds deadline)
{
    while (!__atomic_load_n(&is_up, __ATOMIC_ACQUIRE)) {
        if (clock_monotonic() >= deadline)
            return false;
        hypercall_yield();
    }
    return true;
}

static noreturn void start_here(void)
{
    struct memory_operation user_root = { MEMORY_NEW_USER_ROOT, virt_to_phys(pv_user_root), 0 };
    user_root.argument = pv_frame_of(user_root.argument);
    if (hypercall(HYPERCALL_MMUEXT_OP, (uintptr_t)&user_root, 1, 0, DOMID_SELF) == 0) {
        pv_fpu_load();
        pv_clock_load();
        __atomic_store_n(&is_up, true, __ATOMIC_RELEASE);
    }
    while (!cpu_is_counted(this_cpu()))
        hypercall_yield();
    kernel_cpu_main();
}

static void wake_up(uint32_t port, void *context) { (void)port, (void)context; } /* it is about what struct cpu says */

static int bind_channels(unsigned id)
{
    int wake = event_bind_between_cpus(id), kick = event_bind_between_cpus(id);
    if (wake < 0 || kick < 0)
        return min_of(wake, kick);
    channels[id] = (struct channels){ (uint32_t)wake, (uint32_t)kick };
    event_bind((uint32_t)wake, wake_up, NULL);
    event_unmask((uint32_t)wake);
    return 0;
}

static int place_info(unsigned id)
{
    uintptr_t physical = (uintptr_t)&infos[id] - KERNEL_BASE;
    struct vcpu_place place = { .frame = pv_frame_of(physical), .offset = (uint32_t)(physical & PAGE_MASK) };
    int64_t error = vcpu_operation(VCPU_REGISTER_INFO, id, &place);
    pv_vcpus[id] = &infos[id];
    infos[id].upcall_mask = 1;
    return (int)error;
}

/* A descriptor table that holds the CPU's number for getcpu(2); the kernel itself needs none. Xen demands that nothing
 * can write to it. */
static int make_descriptors(unsigned id, struct guest_context *context)
{
    struct page *page = page_allocate_zeroed();
    if (!page)
        return -ENOMEM;
    ((uint64_t *)page_data(page))[CPU_NUMBER_SELECTOR / 8] = CPU_NUMBER_SEGMENT | id;
    updates_add(pv_direct_map_update(page_address(page), false));
    updates_commit();
    context->gdt_frames[0] = pv_frame_of(page_address(page));
    context->gdt_entries = CPU_NUMBER_SELECTOR / 8 + 1;
    return 0;
}

static void describe(const struct cpu *cpu, struct guest_context *context)
{
    context->flags = CONTEXT_IN_KERNEL;
    context->registers.rip = (uintptr_t)start_here;
    context->registers.rsp = cpu->kernel_stack - sizeof(uint64_t); /* as after a call */
    context->registers.rflags = RFLAGS_INITIAL;
    context->registers.cs = XEN_CODE_SELECTOR;
    context->registers.ss = context->kernel_ss = XEN_STACK_SELECTOR;
    context->kernel_sp = cpu->kernel_stack;
    context->control[3] = pv_machine_address(pv_kernel_root);
    context->gs_base_kernel = (uintptr_t)cpu;
    pv_traps_describe(context);
}

/* 0 or a negative errno. */
static int prepare(struct cpu *cpu, struct guest_context *context)
{
    int error = kernel_prepare_cpu(cpu);
    if (!error)
        error = place_info(cpu->id);
    if (!error)
        error = bind_channels(cpu->id);
    if (!error)
        error = pv_clock_prepare(cpu);
    if (!error)
        error = updates_prepare(cpu);
    if (!error)
        error = make_descriptors(cpu->id, context);
    if (!error)
        describe(cpu, context);
    return error;
}

static void join(struct cpu *cpu)
{
    if (!kernel_is_shared)
        kernel_lock_share();
    cpu_count(cpu);
}

/* Why the next CPU does not run, or NULL. What is allocated for one that does not is lost, once. */
static const char *start(void)
{
    struct cpu *cpu = heap_allocate_zeroed(sizeof(*cpu));
    struct guest_context *context = heap_allocate_zeroed(sizeof(*context));
    int64_t error = -ENOMEM;
    if (cpu && context) {
        cpu->self = cpu;
        cpu->id = cpus_online;
        error = prepare(cpu, context);
        is_up = false;
        if (error == 0)
            error = vcpu_operation(VCPU_INITIALISE, cpu->id, context);
        if (error == 0)
            error = vcpu_operation(VCPU_UP, cpu->id, NULL);
    }
    heap_free(context);
    if (error == -ENOMEM)
        return "there is no memory for it; give the guest more";
    if (error != 0)
        return "Xen refuses to start it; its log (xl dmesg) may say why, and the guest can be given fewer CPUs";
    if (!comes_up(clock_monotonic() + PATIENCE)) {
        (void)vcpu_operation(VCPU_DOWN, cpu->id, NULL);
        return "it does not come up; give the guest fewer CPUs";
    }
    join(cpu);
    return NULL;
}

void pv_cpus_start(unsigned wanted)
{
    const char *problem = wanted > 1 && bind_channels(0) != 0 ? "there is no event channel; use fewer devices" : NULL;
    while (cpus_online < wanted && !problem)
        problem = start();
    if (problem)
        log_error("%u of %u CPUs run; the next one does not: %s", cpus_online, wanted, problem);
}

void pv_cpu_interrupt(const struct cpu *cpu) { event_notify(channels[cpu->id].wake); }

/* A kick from now on is pending; one for an earlier wait ends this one for nothing. It is forgotten before the caller
 * looks again whether the lock is its own. */
void pv_cpu_halt(void)
{
    uint32_t port = channels[this_cpu()->id].kick;
    struct event_poll poll = { .ports = &port, .count = 1 };
    (void)hypercall(HYPERCALL_SCHED_OP, SCHEDULE_POLL, (uintptr_t)&poll, 0, 0);
    event_clear(port);
}

void pv_cpu_rouse(const struct cpu *cpu) { event_notify(channels[cpu->id].kick); }

/* Until each CPU of a restored domain has its own place again, Xen has its events in the shared page, as at first. */
void pv_cpus_suspend(void)
{
    for (unsigned i = 1; i < min_of(cpus_online, (unsigned)XEN_VCPUS_IN_SHARED_INFO); i++)
        pv_shared->vcpu[i].upcall_mask = 1;
}

/* Xen takes the place of another CPU only while that is down, from where it then goes on. */
void pv_cpus_restored(void)
{
    for (unsigned i = 1; i < cpus_online; i++) {
        (void)vcpu_operation(VCPU_DOWN, i, NULL);
        int error = place_info(i);
        if (error != 0)
            panic("Xen refuses to note the events of CPU %u: %s", i, errno_name(error));
        (void)vcpu_operation(VCPU_UP, i, NULL);
    }
}

void pv_cpus_resume(void)
{
    for (unsigned i = 0; kernel_is_shared && i < cpus_online; i++) {
        int error = bind_channels(i);
        if (error != 0)
            panic("no event channels for CPU %u: %s", i, errno_name(error));
    }
}

/* platform.h, cpu_answer(). A CPU that has waited has lost its timer. */
void pv_cpu_answer(void)
{
    updates_catch_up();
    if (cpu_is_to_park()) {
        cpu_park();
        pv_clock_start_timer();
    }
}

void pv_cpus_stop(void)
{
    if (!kernel_is_shared)
        return;
    kernel_lock_end();
    for (unsigned i = 0; i < cpus_online; i++)
        if (cpus[i] != this_cpu())
            (void)vcpu_operation(VCPU_DOWN, i, NULL);
}
