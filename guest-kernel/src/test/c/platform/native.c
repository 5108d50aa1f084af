/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of platform/native alone.
 *
 * Part of the test kernel that test_platform.c is, and called by it through struct platform_tests, natively and under
 * Xen: what page tables allow, read from the tables themselves, device memory, access to user memory, and interrupts at
 * the places where they are awkward. Run by make test-native and test-xen-pvh.
 */
#include "core/pages.h"
#include "platform/native/acpi.h"
#include "platform/native/gate.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/selectors.h"
#include "platform/native/page_table.h"
#include "platform/platform.h"
#include "platform/x86/image.h"
#include "platform/x86/processor.h"
#include "test_platform.h"

extern char native_boot_stack_guard[];

static bool is_leaf(uint64_t entry, unsigned level) { return level == 1 || (entry & ENTRY_LARGE); }

static unsigned count_bad_in(const uint64_t *table, unsigned level, uintptr_t base)
{
    unsigned bad = 0;
    for (unsigned i = level == 4 ? TABLE_ENTRIES / 2 : 0; i < TABLE_ENTRIES; i++) {
        uint64_t entry = table[i];
        uintptr_t address = base + i * entry_span(level);
        if (level == 4)
            address |= 0xffff000000000000UL;
        if (!(entry & ENTRY_PRESENT))
            continue;
        if (!is_leaf(entry, level)) {
            bad += count_bad_in(entry_table(entry), level - 1, address);
            continue;
        }
        bool text = address >= (uintptr_t)kernel_text_start && address < (uintptr_t)kernel_text_end;
        bool executable = !(entry & ENTRY_NO_EXECUTE);
        bad += executable != text || (executable && (entry & ENTRY_WRITE)) || (entry & ENTRY_USER);
    }
    return bad;
}

static unsigned count_bad_pages(void) { return count_bad_in(native_root_table, 4, 0); }

/* The only one of its level-4 entry. */
#define SOME_USER_PAGE 0x310000000000UL

static struct page *map_user_page(unsigned protection)
{
    struct page *page = page_allocate_zeroed();
    struct mmu_entry entry = { .virtual = SOME_USER_PAGE, .physical = page_address(page), .protection = protection };
    check("a user page is mapped", mmu_map(&entry, 1) == 0);
    return page;
}

static void unmap_user_page(struct page *page)
{
    struct mmu_entry out[1];
    uintptr_t from = SOME_USER_PAGE;
    check("the user page is unmapped", mmu_unmap(&from, SOME_USER_PAGE + PAGE_SIZE, out, 1) == 1);
    page_put(page);
}

/* Pages of the user root's kernel half, and how many of them lie outside the gate or are open to user mode. */
static void count_gate(const uint64_t *table, unsigned level, uintptr_t base, unsigned *pages, unsigned *bad)
{
    for (unsigned i = level == 4 ? TABLE_ENTRIES / 2 : 0; i < TABLE_ENTRIES; i++) {
        uintptr_t address = base + i * entry_span(level);
        if (!(table[i] & ENTRY_PRESENT))
            continue;
        if (!is_leaf(table[i], level)) {
            count_gate(entry_table(table[i]), level - 1, level == 4 ? address | 0xffff000000000000UL : address, pages,
                       bad);
            continue;
        }
        bool text = address >= (uintptr_t)kernel_gate_text_start && address < (uintptr_t)kernel_gate_text_end;
        bool data = address >= (uintptr_t)kernel_gate_data_start && address < (uintptr_t)kernel_gate_data_end;
        bool executable = !(table[i] & ENTRY_NO_EXECUTE);
        ++*pages;
        *bad += level != 1 || !(text || data) || executable != text || (table[i] & ENTRY_USER) ||
                (text && (table[i] & ENTRY_WRITE)) || (table[i] & ENTRY_ADDRESS) != address - KERNEL_BASE;
    }
}

static void test_isolation(void)
{
    if (!native_isolated) {
        check("one root for kernel and user mode", native_user_root_table == NULL && this_cpu()->user_root == 0);
        return;
    }
    unsigned pages = 0, bad = 0, differing = 0, executable = 0;
    struct page *user_page = map_user_page(MMU_READ);
    count_gate(native_user_root_table, 4, 0, &pages, &bad);
    for (unsigned i = 0; i < TABLE_ENTRIES / 2; i++) {
        differing += (native_root_table[i] ^ native_user_root_table[i]) & ENTRY_ADDRESS ? 1 : 0;
        executable += (native_root_table[i] & ENTRY_PRESENT) && !(native_root_table[i] & ENTRY_NO_EXECUTE);
    }
    check("the user root maps user memory", native_user_root_table[table_index(SOME_USER_PAGE, 4)] & ENTRY_PRESENT);
    unmap_user_page(user_page);
    check("and forgets it", native_user_root_table[table_index(SOME_USER_PAGE, 4)] == 0);
    check("in user mode only the gate is mapped of the kernel", bad == 0);
    check("the gate is small", pages >= 2 && pages <= 8);
    check("both roots have the same user half", differing == 0);
    check("the kernel's root does not execute user memory", executable == 0);
    check("the processor is told of both", this_cpu()->user_root == virt_to_phys(native_user_root_table) &&
                                               this_cpu()->kernel_root == virt_to_phys(native_root_table) &&
                                               (cr3_read() & ENTRY_ADDRESS) == this_cpu()->kernel_root);
}

/* L1TF: what such an entry says of an address must not be that of memory. */
static void test_entry_without_access(void)
{
    struct page *page = map_user_page(MMU_READ);
    const uint64_t *table = native_root_table;
    for (unsigned level = 4; level > 1; level--)
        table = entry_table(table[table_index(SOME_USER_PAGE, level)]);
    uint64_t entry = table[table_index(SOME_USER_PAGE, 1)];
    check("an entry holds its address", (entry & ENTRY_ADDRESS) == page_address(page));
    mmu_protect(SOME_USER_PAGE, SOME_USER_PAGE + PAGE_SIZE, 0, false);
    entry = table[table_index(SOME_USER_PAGE, 1)];
    check("one without access is not present", !(entry & ENTRY_PRESENT));
    check("and holds no address of memory", (entry & ENTRY_ADDRESS) >= 1UL << 45);
    struct mmu_entry found;
    check("but is not forgotten", mmu_query(SOME_USER_PAGE, &found) && found.physical == page_address(page));
    unmap_user_page(page);
}

static uint64_t kernel_memory_fault(void) { return native_isolated ? 0 : FAULT_PRESENT; }

static struct page_rights rights(uintptr_t address)
{
    const uint64_t *table = native_root_table;
    for (unsigned level = 4;; level--) {
        uint64_t entry = table[table_index(address, level)];
        if (!(entry & ENTRY_PRESENT))
            return (struct page_rights){ 0 };
        if (is_leaf(entry, level))
            return (struct page_rights){ true, entry & ENTRY_WRITE, !(entry & ENTRY_NO_EXECUTE) };
        table = entry_table(entry);
    }
}

static void test_device_memory(void)
{
    volatile void *registers = mmio_map(0xfee00010, 0x20);
    check("device memory is mapped as it lies in its page", ((uintptr_t)registers & PAGE_MASK) == 0x10);
    struct page_rights found = rights((uintptr_t)registers);
    check("device memory is writable and not executable", found.present && found.writable && !found.executable);
    check("no device memory beyond the physical address space", mmio_map(1UL << 60, 1) == NULL);
    check("no device memory across its end", mmio_map(UINT64_MAX - 5, 10) == NULL);
}

#define HAS_SMEP (1u << 7) /* CPUID leaf 7 ebx (SDM 2A) */
#define RETURN_INSTRUCTION 0xc3

static void test_user_access(void)
{
    struct page *page = map_user_page(MMU_READ | MMU_EXECUTE);
    *(uint8_t *)page_data(page) = RETURN_INSTRUCTION;
    uint32_t features = processor_identify(7, 0).ebx;
    if (features & HAS_SMAP)
        check("the kernel cannot read user memory by mistake", kernel_read_faults(SOME_USER_PAGE));
    if (features & HAS_SMEP)
        check("the kernel cannot execute user memory", kernel_call_faults(SOME_USER_PAGE));
    unmap_user_page(page);
}

#define APIC_IN_SERVICE 0x100 /* eight registers of 32 vectors each (SDM 3A table 11-6) */

static unsigned handled;

/* Needs the kernel's GS base, as handlers do. */
static void count_interrupt(void *context) { handled += this_cpu()->self == this_cpu() && context == &handled; }

/* As if it came on the first instruction of an entry from user mode, where GS is still the user's. */
static void test_interrupt_before_swapgs(void)
{
    int vector = interrupt_allocate(count_interrupt, &handled);
    check("a vector is allocated", vector >= 32);
    interrupt_raise((unsigned)vector);
    __asm__ volatile("swapgs; sti; nop; nop; cli; swapgs" : : : "memory");
    check("an interrupt that finds the user's GS base is handled with the kernel's", handled == 1);
    check("and gives the user's back", this_cpu()->self == this_cpu());
}

static bool in_service(int vector)
{
    unsigned number = (unsigned)vector;
    return apic_read(APIC_IN_SERVICE + number / 32 * 0x10) >> number % 32 & 1;
}

/* Raised by the APIC all the same, so that its register shows who has ended what. */
static void test_end_of_interrupt(void)
{
    int ended = interrupt_allocate(count_interrupt, &handled);
    int injected = interrupt_allocate_injected(count_interrupt, &handled);
    handled = 0;
    interrupt_raise((unsigned)ended);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    check("an interrupt of the local APIC is ended there", handled == 1 && !in_service(ended));
    interrupt_raise((unsigned)injected);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    check("one that a hypervisor injects is not", handled == 2 && in_service(injected));
    apic_write(APIC_END, 0);
}

/* The emulated processor of a Xen host does this now and then. */
static void test_interrupt_while_masked(void)
{
    int vector;
    while ((vector = interrupt_allocate(count_interrupt, &handled)) < 90)
        ;
    handled = 0;
    __asm__ volatile("int $90; int $90" : : : "memory");
    check("an interrupt that comes while they are masked waits", vector == 90 && handled == 0);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    check("and is handled once when they are let in", handled == 1 && !in_service(VECTOR_POSTPONED));
}

/* As if an interrupt with this stub came between the STI and the HLT of native_cpu_wait(). */
void interrupt_before_halt(uintptr_t stub);
__asm__(".text\n"
        "interrupt_before_halt:\n"
        "movq %rsp, %rax\n"
        "andq $-16, %rsp\n"
        "movl %ss, %ecx\n"
        "pushq %rcx\n"
        "pushq %rax\n"
        "pushfq\n"
        "orq $0x200, (%rsp)\n"
        "movl %cs, %ecx\n"
        "pushq %rcx\n"
        "pushq $native_wait_halt\n"
        "jmp *%rdi\n");
extern const char native_trap_stubs[];

/* What the wait is for has happened. That the HLT is not reached shows in the timer, which alone would end it. */
static void test_interrupt_before_halt(void)
{
    handled = 0;
    int vector = interrupt_allocate(count_interrupt, &handled);
    /* No earlier timer is left to end the HLT, and the one that is set needs one step. */
    unsigned timers = timer_calls;
    clock_set_deadline(clock_monotonic());
    while (timer_calls == timers)
        cpu_wait();
    timers = timer_calls;
    clock_set_deadline(clock_monotonic() + NS_PER_SECOND);
    interrupt_before_halt((uintptr_t)native_trap_stubs + (unsigned)vector * 16);
    check("an interrupt between STI and HLT ends the wait", handled == 1 && timer_calls == timers);
    clock_set_deadline(NO_DEADLINE);
}

#define STORM_MOST 100000 /* so that the test ends without the protection too */

struct storm {
    int vector;
    unsigned count;
    bool over;
};

static void interrupt_again(void *context)
{
    struct storm *storm = context;
    if (++storm->count < STORM_MOST && !storm->over)
        interrupt_raise((unsigned)storm->vector);
}

static void await_timer(void)
{
    unsigned timers = timer_calls;
    clock_set_deadline(clock_monotonic());
    while (timer_calls == timers)
        cpu_take_interrupts();
}

/* No timer is left when it begins: at its interrupt a rest would end that has lasted long enough. */
static void test_endless_interrupts(void)
{
    static struct storm storm;
    storm.vector = interrupt_allocate(interrupt_again, &storm);
    await_timer();
    platform_resume_interrupts();
    rests_stay = true;
    rest_ends = 0;
    interrupt_raise((unsigned)storm.vector);
    while (rest_ends == 0 && storm.count < STORM_MOST)
        cpu_take_interrupts();
    unsigned before = storm.count;
    cpu_take_interrupts();
    check("a device that interrupts without end has to rest", before < STORM_MOST && storm.count == before);
    storm.over = true;
    await_timer();
    check("the timer does not", rest_ends != 0);
    rests_stay = false;
    platform_resume_interrupts();
    cpu_take_interrupts();
    check("and the device is heard when the rest is over", storm.count == before + 1);
}

#define MISSING_APIC 200 /* the emulated machines number their CPUs from 0 */

static void start_missing_cpu(void)
{
    acpi.cpu_apic[0] = 0;
    acpi.cpu_apic[1] = MISSING_APIC;
    acpi.cpu_count = 2;
    native_cpus_start();
}

static void others(void)
{
    test_isolation();
    test_entry_without_access();
    test_interrupt_before_swapgs();
    test_interrupt_before_halt();
    test_end_of_interrupt();
    test_endless_interrupts();
    test_interrupt_while_masked();
    test_device_memory();
    test_user_access();
}

#define TESTS(name) \
    { \
        .platform = (name), .rights = rights, .count_bad_pages = count_bad_pages, \
        .stack_guard = native_boot_stack_guard, .kernel_memory_fault = kernel_memory_fault, \
        .start_missing_cpu = start_missing_cpu, .others = others, \
    }
const struct platform_tests native_tests = TESTS("native");
const struct platform_tests xen_pvh_tests = TESTS("xen-pvh");
