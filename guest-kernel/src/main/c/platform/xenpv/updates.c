/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of page tables, collected so that many cost one hypercall. The queue is the CPU's: kernel code is not
 * preempted, and no code sleeps between adding and committing. One CPU is started, so there is one queue.
 */
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

static void check(const char *what, int64_t error)
{
    if (error != 0)
        panic("Xen refuses a %s: %s", what, errno_name(error));
}

/* Fills in a call that flushes; `operations` has room for MAX_PAGES. */
static struct multicall flush_call(struct memory_operation *operations)
{
    unsigned count = 0;
    if (flush_count > MAX_PAGES) {
        operations[count++] = (struct memory_operation){ .command = MEMORY_FLUSH_ALL };
    } else {
        for (; count < flush_count; count++)
            operations[count] = (struct memory_operation){ MEMORY_FLUSH_PAGE_ALL, flush_pages[count], 0 };
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
