/*
 * Tests of platform/pvh alone.
 */
#include "lib/pages.h"
#include "platform/platform.h"
#include "platform/pvh/instructions.h"
#include "platform/pvh/interrupts.h"
#include "platform/pvh/page_table.h"
#include "platform/pvh/pvh.h"
#include "platform/x86/image.h"
#include "test_platform.h"

extern char pvh_boot_stack_guard[];

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & ENTRY_LARGE);
}

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

static unsigned count_bad_pages(void)
{
    return count_bad_in(pvh_root_table, 4, 0);
}

static struct page_rights rights(uintptr_t address)
{
    const uint64_t *table = pvh_root_table;
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

#define CR4_SMAP (1UL << 21)
#define SOME_USER_PAGE 0x310000UL

static void test_user_access(void)
{
    if (!(cr4_read() & CR4_SMAP))
        return;
    struct page *page = page_allocate_zeroed();
    struct mmu_entry entry = { .virtual = SOME_USER_PAGE, .physical = page_address(page), .protection = MMU_READ };
    struct mmu_entry out[1];
    uintptr_t from = SOME_USER_PAGE;
    check("a user page is mapped", mmu_map(&entry, 1) == 0);
    check("the kernel cannot read user memory by mistake", kernel_read_faults(SOME_USER_PAGE));
    check("the user page is unmapped", mmu_unmap(&from, SOME_USER_PAGE + PAGE_SIZE, out, 1) == 1);
    page_put(page);
}

#define APIC_COMMAND 0x300
#define APIC_COMMAND_SELF (1u << 18)        /* destination shorthand (SDM 3A figure 11-12) */

static unsigned handled;

/* Needs the kernel's GS base, as handlers do. */
static void count_interrupt(void *context) { handled += this_cpu()->self == this_cpu() && context == &handled; }

/* As if it came on the first instruction of an entry from user mode, where GS is still the user's. */
static void test_interrupt_before_swapgs(void)
{
    int vector = interrupt_allocate(count_interrupt, &handled);
    check("a vector is allocated", vector >= 32);
    apic_write(APIC_COMMAND, APIC_COMMAND_SELF | (unsigned)vector);
    __asm__ volatile("swapgs; sti; nop; nop; cli; swapgs" : : : "memory");
    check("an interrupt that finds the user's GS base is handled with the kernel's", handled == 1);
    check("and gives the user's back", this_cpu()->self == this_cpu());
}

/* As if an interrupt with this stub came between the STI and the HLT of pvh_cpu_wait(). */
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
        "pushq $pvh_wait_halt\n"
        "jmp *%rdi\n");
extern const char pvh_trap_stubs[];

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
    interrupt_before_halt((uintptr_t)pvh_trap_stubs + (unsigned)vector * 16);
    check("an interrupt between STI and HLT ends the wait", handled == 1 && timer_calls == timers);
    clock_set_deadline(NO_DEADLINE);
}

static void others(void)
{
    test_interrupt_before_swapgs();
    test_interrupt_before_halt();
    test_device_memory();
    test_user_access();
}

#define TESTS(name)                        \
    {                                      \
        .platform = (name),                \
        .rights = rights,                  \
        .count_bad_pages = count_bad_pages, \
        .stack_guard = pvh_boot_stack_guard, \
        .kernel_memory_fault = FAULT_PRESENT, \
        .others = others,                  \
    }
const struct platform_tests pvh_tests = TESTS("pvh");
const struct platform_tests xen_pvh_tests = TESTS("xen-pvh");
