/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of page tables, collected so that many cost one hypercall, and what CPUs flush after them. There is one
 * queue, that of the CPU in the kernel: kernel code is not preempted, and no code sleeps or gives the kernel lock to
 * another CPU between adding and committing.
 *
 * Xen flushes the TLBs of the CPUs that the commit names, and has done so when the hypercall returns. A CPU at rest is
 * not named, so that Xen need not disturb the processor on which it was last: it touches neither user memory nor what
 * the kernel unmaps, and flushes when it has the kernel lock. Where Xen's own safety depends on a flush, as for frames
 * that become page tables or cease to be some, Xen itself flushes whatever it has to.
 */
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/xenpv.h"

#define MAX_UPDATES 128
/* Beyond this many pages dropping everything is cheaper. */
#define MAX_PAGES 8

static struct table_update updates[MAX_UPDATES];
static unsigned update_count;
static uintptr_t flush_pages[MAX_PAGES];
static unsigned flush_count; /* > MAX_PAGES: everything */
static uint64_t flush_cpus;  /* a bit for each CPU that the commit names; Xen reads it during the hypercall */
static uint64_t behind;      /* the kernel lock: a bit for each CPU that was at rest when translations were flushed */

static void check(const char *what, int64_t error)
{
    if (error != 0)
        panic("Xen refuses a %s: %s", what, errno_name(error));
}

static uint64_t cpus_at_rest(void)
{
    uint64_t cpus_mask = 0;
    for (unsigned i = 0; kernel_is_shared && i < cpus_online; i++)
        if (cpus[i]->resting && cpus[i] != this_cpu())
            cpus_mask |= 1UL << i;
    return cpus_mask;
}

static struct memory_operation flush_of(uint32_t command, uintptr_t virtual)
{
    return (struct memory_operation){ command, virtual, (uintptr_t)&flush_cpus };
}

/* Fills in a call that flushes; `operations` has room for MAX_PAGES. */
static struct multicall flush_call(struct memory_operation *operations)
{
    unsigned count = 0;
    uint64_t at_rest = cpus_at_rest();
    behind |= at_rest;
    flush_cpus = cpus_online_mask() & ~at_rest;
    if (flush_count > MAX_PAGES) {
        operations[count++] = flush_of(MEMORY_FLUSH_OF, 0);
    } else {
        for (; count < flush_count; count++)
            operations[count] = flush_of(MEMORY_FLUSH_PAGE_OF, flush_pages[count]);
    }
    return (struct multicall){ .number = HYPERCALL_MMUEXT_OP,
                               .arguments = { (uintptr_t)operations, count, 0, DOMID_SELF } };
}

static void apply_updates(void)
{
    if (update_count == 0)
        return;
    check("page table update", hypercall(HYPERCALL_MMU_UPDATE, (uintptr_t)updates, update_count, 0, DOMID_SELF));
    update_count = 0;
}

void updates_commit(void)
{
    assert(!kernel_is_shared || kernel_lock_is_mine());
    if (flush_count == 0) {
        apply_updates();
        return;
    }
    struct memory_operation operations[MAX_PAGES];
    struct multicall calls[2] = {
        { .number = HYPERCALL_MMU_UPDATE, .arguments = { (uintptr_t)updates, update_count, 0, DOMID_SELF } },
        flush_call(operations),
    };
    unsigned first = update_count == 0;
    check("multicall", hypercall(HYPERCALL_MULTICALL, (uintptr_t)&calls[first], 2 - first, 0, 0));
    check("page table update", calls[0].result);
    check("TLB flush", calls[1].result);
    update_count = 0;
    flush_count = 0;
}

void updates_add(struct table_update update)
{
    if (update_count == MAX_UPDATES)
        apply_updates();
    updates[update_count++] = update;
}

void updates_flush_page(uintptr_t virtual)
{
    if (flush_count < MAX_PAGES)
        flush_pages[flush_count] = virtual;
    if (flush_count <= MAX_PAGES)
        flush_count++;
}

void updates_flush_all(void) { flush_count = MAX_PAGES + 1; }

static void flush_now(struct memory_operation operation)
{
    check("TLB flush", hypercall(HYPERCALL_MMUEXT_OP, (uintptr_t)&operation, 1, 0, DOMID_SELF));
}

void updates_catch_up(void)
{
    uint64_t self = 1UL << this_cpu()->id;
    if (likely(!(read_once(behind) & self)) || !kernel_lock_is_mine())
        return;
    behind &= ~self;
    flush_now((struct memory_operation){ .command = MEMORY_FLUSH_HERE });
}

void updates_flush_others(void)
{
    flush_cpus = cpus_online_mask() & ~cpus_at_rest() & ~(1UL << this_cpu()->id);
    if (flush_cpus != 0)
        flush_now(flush_of(MEMORY_FLUSH_OF, 0));
}
