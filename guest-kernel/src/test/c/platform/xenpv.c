/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of platform/xenpv alone.
 *
 * Part of the test kernel that test_platform.c is, and called by it through struct platform_tests: what page tables
 * allow, read from the tables themselves, event channels and the clock's page. Run by make test-xenpv.
 */
#include "core/pages.h"
#include "platform/platform.h"
#include "platform/x86/image.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"
#include "test_platform.h"

extern char pv_boot_stack_guard[];

static const uint64_t *table_behind(uint64_t entry)
{
    return phys_to_virt(pv_page_of_frame(entry_frame(entry)) << PAGE_SHIFT);
}

/* Every page of the kernel half: never both writable and executable, and executable nowhere but in text. */
static unsigned count_bad_in(const uint64_t *table, unsigned level, uintptr_t base)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t entry = table[i];
        uintptr_t address = base + i * entry_span(level);
        if (level == 4 && address < 1UL << 47)
            continue;
        if (level == 4)
            address |= 0xffff000000000000UL;
        bool xens = address >= 0xffff800000000000UL && address < 0xffff880000000000UL;
        if (!(entry & ENTRY_PRESENT) || xens)
            continue;
        if (level > 1) {
            bad += count_bad_in(table_behind(entry), level - 1, address);
            continue;
        }
        bool text = address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end;
        bool executable = !(entry & ENTRY_NO_EXECUTE);
        bool writable = entry & ENTRY_WRITE;
        if (executable != text || (executable && writable))
            bad++;
    }
    return bad;
}

static unsigned count_bad_pages(void) { return count_bad_in(pv_kernel_root, 4, 0); }

static struct page_rights rights(uintptr_t address)
{
    const uint64_t *table = pv_kernel_root;
    for (unsigned level = 4; level > 1; level--) {
        uint64_t entry = table[table_index(address, level)];
        if (!(entry & ENTRY_PRESENT))
            return (struct page_rights){ 0 };
        table = table_behind(entry);
    }
    uint64_t entry = table[table_index(address, 1)];
    return (struct page_rights){ entry & ENTRY_PRESENT, entry & ENTRY_WRITE, !(entry & ENTRY_NO_EXECUTE) };
}

static bool is_writable(const void *address) { return rights((uintptr_t)address).writable; }

static void test_tables(void)
{
    check("page tables are read-only", !is_writable(pv_kernel_root) && !is_writable(pv_user_root));
    unsigned kernel_slots = 0;
    for (unsigned slot = 272; slot < TABLE_ENTRIES; slot++)
        kernel_slots += pv_user_root[slot] != 0;
    check("user mode has none of the kernel's mappings", kernel_slots == 0);
}

static unsigned events_seen;
static void count_event(uint32_t port, void *context)
{
    (void)port;
    events_seen += *(unsigned *)context;
}

static void test_events(void)
{
    unsigned weight = 3;
    int port = event_allocate_unbound(DOMID_SELF);
    check("an event channel is allocated", port > 0);
    struct {
        uint16_t domain;
        uint32_t remote, port;
    } bind = { DOMID_SELF, (uint32_t)port, 0 };
    check("and connected", hypercall_event(0, &bind) == 0);
    event_bind((uint32_t)port, count_event, &weight);
    event_notify(bind.port);
    events_dispatch(pv_vcpu());
    check("a masked event is not delivered", events_seen == 0);
    event_unmask((uint32_t)port);
    cpu_wait();
    check("it is once unmasked", events_seen == 3);
    event_notify(bind.port);
    event_notify(bind.port);
    cpu_wait();
    check("two notifications may come as one", events_seen == 6 || events_seen == 9);
}

/* User mode may read the clock only while the version Xen writes is the one the parameters are made from. */
static void test_clock_page(void)
{
    const volatile struct clock_page *page = phys_to_virt(clock_page_address());
    (void)clock_monotonic();
    check("Xen keeps its version in the clock page",
          page->use == CLOCK_USE_PAGE_OF_HOST && page->host_version == page->seen_version && page->host_version != 0);
    uint32_t before = page->host_version;
    nanoseconds end = clock_monotonic() + 10 * NS_PER_SECOND;
    while (page->host_version == before && clock_monotonic() < end)
        ;
    (void)clock_monotonic();
    check("a new version is noticed by the next reading",
          page->host_version == page->seen_version && page->host_version != before);
}

static void others(void)
{
    test_clock_page();
    test_tables();
    test_events();
}

static void start_missing_cpu(void) { pv_cpus_start(pv_cpus_count() + 1); }

/* User mode has a root without the kernel. */
static uint64_t kernel_memory_fault(void) { return 0; }

const struct platform_tests xenpv_tests = {
    .platform = "xen-pv",
    .rights = rights,
    .count_bad_pages = count_bad_pages,
    .stack_guard = pv_boot_stack_guard,
    .kernel_memory_fault = kernel_memory_fault,
    .start_missing_cpu = start_missing_cpu,
    .others = others,
};
