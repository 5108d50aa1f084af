/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of page tables, collected so that many cost one hypercall, and what CPUs flush after them. Each CPU has a
 * queue of its own, so there is no lock: kernel code is not preempted, and no code sleeps between adding and
 * committing. Two CPUs never change the same entry at the same time: a lock of the caller's keeps them apart.
 *
 * Xen flushes the TLBs of the CPUs that the commit names, and has done so when the hypercall returns. A CPU at rest is
 * not named, so that Xen need not disturb the processor on which it was last: it touches neither user memory nor what
 * the kernel unmaps, and flushes when it rests no more. It says so before it looks whether it is `behind`, and whoever
 * has changed page tables marks it before looking again whether it rests, so one of the two sees the other. Where Xen's
 * own safety depends on a flush, as for frames that become page tables or cease to be some, Xen itself flushes whatever
 * it has to.
 */
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/xenpv.h"

#define MAX_UPDATES 128
/* Beyond this many pages dropping everything is cheaper. */
#define MAX_PAGES 8

struct queue {
    struct table_update updates[MAX_UPDATES];
    unsigned update_count;
    uintptr_t flush_pages[MAX_PAGES];
    unsigned flush_count; /* > MAX_PAGES: everything */
    uint64_t flush_cpus;  /* a bit for each CPU that the commit names; Xen reads it during the hypercall */
};
static struct queue boot_queue, *queues[CPUS_MAX] = { &boot_queue }; /* by the CPU's id */
static uint64_t behind; /* atomic: a bit for each CPU that was at rest when translations were flushed */

static struct queue *own(void) { return queues[this_cpu()->id]; }

int updates_prepare(const struct cpu *cpu)
{
    queues[cpu->id] = heap_allocate_zeroed(sizeof(struct queue));
    return queues[cpu->id] ? 0 : -ENOMEM;
}

static void check(const char *what, int64_t error)
{
    if (error != 0)
        panic("Xen refuses a %s: %s", what, errno_name(error));
}

static uint64_t cpus_at_rest(void)
{
    uint64_t cpus_mask = 0;
    for (unsigned i = 0; kernel_is_shared && i < cpus_online; i++)
        if (__atomic_load_n(&cpus[i]->resting, __ATOMIC_SEQ_CST) && cpus[i] != this_cpu())
            cpus_mask |= 1UL << i;
    return cpus_mask;
}

static struct memory_operation flush_of(const struct queue *queue, uint32_t command, uintptr_t virtual)
{
    return (struct memory_operation){ command, virtual, (uintptr_t)&queue->flush_cpus };
}

/* Fills in a call that flushes; `operations` has room for MAX_PAGES. */
static struct multicall flush_call(struct queue *queue, struct memory_operation *operations)
{
    unsigned count = 0;
    if (queue->flush_count > MAX_PAGES) {
        operations[count++] = flush_of(queue, MEMORY_FLUSH_OF, 0);
    } else {
        for (; count < queue->flush_count; count++)
            operations[count] = flush_of(queue, MEMORY_FLUSH_PAGE_OF, queue->flush_pages[count]);
    }
    return (struct multicall){ .number = HYPERCALL_MMUEXT_OP,
                               .arguments = { (uintptr_t)operations, count, 0, DOMID_SELF } };
}

static void apply_updates(struct queue *queue)
{
    if (queue->update_count == 0)
        return;
    check("page table update",
          hypercall(HYPERCALL_MMU_UPDATE, (uintptr_t)queue->updates, queue->update_count, 0, DOMID_SELF));
    queue->update_count = 0;
}

static void flush_now(struct memory_operation operation)
{
    check("TLB flush", hypercall(HYPERCALL_MMUEXT_OP, (uintptr_t)&operation, 1, 0, DOMID_SELF));
}

/* Those that were not named, since they were at rest. Some may have ceased to be meanwhile. */
static void leave_behind(struct queue *queue, uint64_t at_rest)
{
    if (likely(at_rest == 0))
        return;
    __atomic_fetch_or(&behind, at_rest, __ATOMIC_SEQ_CST);
    queue->flush_cpus = at_rest & ~cpus_at_rest();
    if (queue->flush_cpus != 0)
        flush_now(flush_of(queue, MEMORY_FLUSH_OF, 0));
}

void updates_commit(void)
{
    struct queue *queue = own();
    if (queue->flush_count == 0) {
        apply_updates(queue);
        return;
    }
    uint64_t at_rest = cpus_at_rest();
    queue->flush_cpus = cpus_online_mask() & ~at_rest;
    struct memory_operation operations[MAX_PAGES];
    struct multicall calls[2] = {
        { .number = HYPERCALL_MMU_UPDATE,
          .arguments = { (uintptr_t)queue->updates, queue->update_count, 0, DOMID_SELF } },
        flush_call(queue, operations),
    };
    unsigned first = queue->update_count == 0;
    check("multicall", hypercall(HYPERCALL_MULTICALL, (uintptr_t)&calls[first], 2 - first, 0, 0));
    check("page table update", calls[0].result);
    check("TLB flush", calls[1].result);
    queue->update_count = 0;
    queue->flush_count = 0;
    leave_behind(queue, at_rest);
}

void updates_add(struct table_update update)
{
    struct queue *queue = own();
    if (queue->update_count == MAX_UPDATES)
        apply_updates(queue);
    queue->updates[queue->update_count++] = update;
}

void updates_flush_page(uintptr_t virtual)
{
    struct queue *queue = own();
    if (queue->flush_count < MAX_PAGES)
        queue->flush_pages[queue->flush_count] = virtual;
    if (queue->flush_count <= MAX_PAGES)
        queue->flush_count++;
}

void updates_flush_all(void) { own()->flush_count = MAX_PAGES + 1; }

void updates_catch_up(void)
{
    uint64_t self = 1UL << this_cpu()->id;
    if (likely(!(__atomic_load_n(&behind, __ATOMIC_SEQ_CST) & self)))
        return;
    __atomic_fetch_and(&behind, ~self, __ATOMIC_SEQ_CST);
    flush_now((struct memory_operation){ .command = MEMORY_FLUSH_HERE });
}

/* Those of kernel stacks are flushed with the others. */
void updates_need_no_catching_up(void) {}

void updates_flush_others(void)
{
    struct queue *queue = own();
    queue->flush_cpus = cpus_online_mask() & ~cpus_at_rest() & ~(1UL << this_cpu()->id);
    if (queue->flush_cpus != 0)
        flush_now(flush_of(queue, MEMORY_FLUSH_OF, 0));
}
