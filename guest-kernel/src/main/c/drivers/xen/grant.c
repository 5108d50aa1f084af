/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grant table (grant.h). Free references are chained through the frame number of their entries. An entry belongs
 * to the code that was given its reference until grant_revoke() has succeeded; only Xen changes the flags of a valid
 * one.
 *
 * Called by the front ends, in any context. Spinlock "grants" guards the chain and the counts.
 */
#include "drivers/xen/grant.h"

#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/host.h"

/* xen/grant_table.h. */
#define RESERVED_ENTRIES 8U
#define FLAG_PERMIT_ACCESS 1U
#define FLAG_READ_ONLY 4U
#define FLAG_READING 8U
#define FLAG_WRITING 16U

static struct spinlock grants_lock = SPINLOCK(LOCK_GRANTS);
static struct grant_entry *table; /* shared with Xen, which changes the flags of valid entries */
static unsigned table_entries;
static grant_reference first_free; /* grants_lock; free entries are chained by their frame */
static struct grant_entry *saved;  /* while the domain is suspended: a copy of the table */
static unsigned kept_count;        /* grants_lock: references and pages that did not come back */

bool grants_suspend(void)
{
    if (!table)
        return true;
    saved = heap_allocate(table_entries * sizeof(*saved));
    if (!saved)
        return false;
    memcpy(saved, table, table_entries * sizeof(*saved));
    return true;
}

void grants_resume(bool restored)
{
    if (!table)
        return;
    table = xen_host->map_grant_table(table_entries / GRANTS_PER_FRAME);
    if (!table)
        panic("Xen refuses the grant table that it had given before");
    for (grant_reference i = RESERVED_ENTRIES; restored && i < table_entries; i++)
        table[i] = (struct grant_entry){ .frame = saved[i].frame };
    heap_free(saved);
}

int grants_init(unsigned count)
{
    unsigned frames = (RESERVED_ENTRIES + count + GRANTS_PER_FRAME - 1) / GRANTS_PER_FRAME;
    table = xen_host->map_grant_table(frames);
    if (!table)
        return -ENOMEM;
    table_entries = frames * GRANTS_PER_FRAME;
    first_free = GRANT_NONE;
    /* What a boot loader granted is left alone: its backends may still look at it. */
    for (grant_reference i = table_entries - 1; i >= RESERVED_ENTRIES; i--) {
        if (read_once(table[i].flags) != 0)
            continue;
        table[i].frame = first_free;
        first_free = i;
    }
    return 0;
}

grant_reference grant_page(uint16_t domain, struct page *page, bool read_only)
{
    spin_lock(&grants_lock);
    grant_reference reference = first_free;
    if (reference != GRANT_NONE) {
        first_free = table[reference].frame;
    }
    spin_unlock(&grants_lock);
    if (reference == GRANT_NONE)
        return GRANT_NONE;
    struct grant_entry *entry = &table[reference];
    entry->frame = (uint32_t)xen_host->frame_of(page_address(page));
    entry->domain = domain;
    /* The flags make the entry valid, so they come last. */
    __atomic_store_n(&entry->flags, (uint16_t)(FLAG_PERMIT_ACCESS | (read_only ? FLAG_READ_ONLY : 0U)),
                     __ATOMIC_RELEASE);
    return reference;
}

static bool invalidate(struct grant_entry *entry)
{
    uint16_t flags = read_once(entry->flags);
    do {
        if (flags & (FLAG_READING | FLAG_WRITING))
            return false;
    } while (!__atomic_compare_exchange_n(&entry->flags, &flags, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return true;
}

/* One line for the first and for each doubling: a backend can do this as often as it is given pages. */
static void keep_page(struct page *page)
{
    page_get(page);
    spin_lock(&grants_lock);
    unsigned kept = ++kept_count;
    spin_unlock(&grants_lock);
    if ((kept & (kept - 1)) == 0)
        log_error("a device's backend still uses %u page(s) that it should have given back; they are lost to this "
                  "guest. Restart the backend's domain if there are many",
                  kept);
}

bool grant_revoke(grant_reference reference, struct page *page)
{
    assert(reference >= RESERVED_ENTRIES && reference < table_entries);
    if (!invalidate(&table[reference])) {
        keep_page(page);
        return false;
    }
    spin_lock(&grants_lock);
    table[reference].frame = first_free;
    first_free = reference;
    spin_unlock(&grants_lock);
    return true;
}

void grant_end(grant_reference reference, struct page *page)
{
    (void)grant_revoke(reference, page);
    page_put(page);
}
