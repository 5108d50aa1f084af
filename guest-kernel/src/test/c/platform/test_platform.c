/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a platform in a machine of its own: linked with platform/, drivers/ and lib/ and nothing above
 * them, this file is the rest of the kernel. It boots on every platform, checks what it can from the
 * kernel, then runs the program in user.S, whose every trap and system call it judges. One line for
 * each check: "ok NAME" or "not ok NAME: why"; ends like a process, with its count of
 * failures as the status.
 */
#include "test_platform.h"

#include "core/jitter.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/x86/context.h"
#include "platform/x86/image.h"
#include "platform/x86/processor.h"
#include "platform/x86/slide.h"
#include "user.h"

#define RFLAGS_AC 0x40000UL

static unsigned failures;

void report(const char *name, bool good, const char *condition)
{
    if (good) {
        log_always("ok %s", name);
        return;
    }
    failures++;
    log_always("not ok %s: %s", name, condition);
}

static noreturn void finish(void)
{
    log_always("exit status=%u", failures);
    platform_power_off();
}

/* ---- The kernel above the platform, as far as it is needed ------------------------------------- */

unsigned timer_calls;
static unsigned interrupts_in_user_mode;
static uintptr_t expected_kernel_fault;
static uintptr_t forbidden_access;     /* kernel code reads it without the right to */
#define FORBIDDEN_INSTRUCTION_LENGTH 2 /* mov (%rsi), %eax */
static uintptr_t forbidden_call;       /* kernel code calls it without the right to */

static const struct platform_tests *tests;

/* In place of all other tests when the command line says `spin`: the program is a loop. */
static bool spins;
static const uint8_t endless_loop[] = { 0xeb, 0xfe };

void kernel_console_ready(void) {}
void kernel_console_input(const char *text, size_t length) { (void)text, (void)length; }
void kernel_control(enum control_request request) { (void)request; }
void kernel_control_key(char key) { (void)key; }
void kernel_timer(void) { timer_calls++; }
void kernel_restored(void) {}

void kernel_cpu_wait(nanoseconds deadline)
{
    clock_set_deadline(deadline);
    cpu_wait();
}
/* Only CPUs that do not exist are started here. */
int kernel_prepare_cpu(struct cpu *cpu)
{
    struct page *stack = page_allocate();
    if (!stack)
        return -ENOMEM;
    cpu->kernel_stack = (uintptr_t)page_data(stack) + PAGE_SIZE;
    return 0;
}
void kernel_cpu_main(void) { panic("another CPU runs"); }
void kernel_thread_switched(void) {}
nanoseconds rest_ends;
bool rests_stay;
/* There is no program here that interrupts could stop. */
void kernel_resume_interrupts_at(nanoseconds time)
{
    rest_ends = time;
    if (!rests_stay)
        platform_resume_interrupts();
}

void kernel_leave_interrupt(struct registers *registers)
{
    if (spins) {
        log_always("spinning");
        return;
    }
    if (registers->number != UINT64_MAX)
        report("an interrupt looks like no system call", false, "number");
    interrupts_in_user_mode++;
    clock_set_deadline(clock_monotonic() + 2 * NS_PER_MS);
}

static phys_t new_page(void) { return page_address(page_allocate_zeroed()); }

static void map_one(uintptr_t virtual, phys_t physical, unsigned protection)
{
    struct mmu_entry entry = { .virtual = virtual, .physical = physical, .protection = protection };
    if (mmu_map(&entry, 1) != 0)
        panic("mmu_map failed");
}

bool kernel_page_fault(struct registers *registers, uintptr_t address)
{
    if (address == forbidden_access) {
        forbidden_access = 0;
        registers->rip += FORBIDDEN_INSTRUCTION_LENGTH;
        return true;
    }
    if (address == forbidden_call) {
        forbidden_call = 0;
        registers->rip = *(const uint64_t *)registers->rsp; /* as if it had returned */
        registers->rsp += sizeof(uint64_t);
        return true;
    }
    if (address != expected_kernel_fault)
        return false;
    expected_kernel_fault = 0;
    map_one(align_down(address, PAGE_SIZE), new_page(), MMU_READ | MMU_WRITE);
    return true;
}

bool kernel_read_faults(uintptr_t address)
{
    uint32_t value;
    forbidden_access = address;
    __asm__ volatile("movl (%%rsi), %%eax" : "=a"(value) : "S"(address) : "memory");
    bool faulted = forbidden_access == 0;
    forbidden_access = 0;
    return faulted;
}

bool kernel_call_faults(uintptr_t address)
{
    forbidden_call = address;
    ((void (*)(void))address)();
    bool faulted = forbidden_call == 0;
    forbidden_call = 0;
    return faulted;
}

/* ---- Page tables ------------------------------------------------------------------------------- */

static bool is_writable(const void *address)
{
    struct page_rights rights = tests->rights((uintptr_t)address);
    return rights.present && rights.writable;
}

/* Hidden from the compiler, which would fold it with what is added to a constant that nothing relocates. */
static uintptr_t offset_in_image(const void *image_address)
{
    __asm__("" : "+r"(image_address));
    return (uintptr_t)image_address - KERNEL_BASE;
}

static const void *alias_of(const void *image_address) { return phys_to_virt(offset_in_image(image_address)); }

/* test script `native` compares the addresses of several boots. */
static void test_slide(void)
{
    bool wanted = slide_wanted(platform.command_line, sizeof(platform.command_line));
    log_always("# kernel base %lx", KERNEL_BASE);
    check("the kernel is moved unless told not to be", wanted == (KERNEL_BASE != LINKED_BASE));
    check("the kernel stays in its part of the address space",
          KERNEL_BASE >= LINKED_BASE && (uintptr_t)kernel_end <= LINKED_BASE + IMAGE_SPACE);
    uintptr_t linked = LINKED_BASE + offset_in_image(kernel_text_start);
    check("nothing is left where it was linked", !wanted || !tests->rights(linked).present);
    check("nokaslr is a word of its own", !slide_wanted("a nokaslr", 9) && slide_wanted("nokaslr2 a=nokaslr", 100) &&
                                              slide_wanted("a nokaslr", 8) && !slide_wanted("nokaslr b", 100));
}

static void test_protection(void)
{
    check("kernel pages are writable or executable, never both", tests->count_bad_pages() == 0);
    check("kernel text is executable", tests->rights((uintptr_t)kernel_text_start).executable);
    check("the image has an alias", tests->rights((uintptr_t)alias_of(kernel_text_start)).present);
    check("kernel text has no writable alias",
          !is_writable(kernel_text_start) && !is_writable(alias_of(kernel_text_start)));
    check("kernel constants have no writable alias",
          !is_writable(kernel_rodata_start) && !is_writable(alias_of(kernel_rodata_start)));
    check("kernel data is writable", is_writable(kernel_data_start));
    check("the boot stack ends in a hole", !tests->rights((uintptr_t)tests->stack_guard).present);
}

static void test_kernel_stacks(void)
{
    struct page *pages[2] = { page_allocate(), page_allocate() };
    uint64_t *last = (uint64_t *)(KERNEL_STACKS + KERNEL_STACKS_SIZE) - 1;
    uintptr_t start = (uintptr_t)last & ~(2 * PAGE_SIZE - 1);
    uint64_t before = pages_free_count();
    for (unsigned round = 0; round < 2; round++) {
        check("a kernel stack can be mapped", kernel_map(start, pages, array_size(pages)) == 0);
        struct page_rights rights = tests->rights(start);
        check("it is writable, not executable", rights.present && rights.writable && !rights.executable);
        check("below it is a hole", !tests->rights(start - PAGE_SIZE).present);
        *last = 0x1234 + round;
        const uint64_t *page = page_data(pages[1]);
        check("its pages are those given", page[PAGE_SIZE / sizeof(*page) - 1] == 0x1234 + round);
        kernel_unmap(start, array_size(pages));
        check("it can be unmapped", !tests->rights(start).present && !tests->rights((uintptr_t)last).present);
    }
    check("tables of stacks are made once", before - pages_free_count() <= 3);
    page_put(pages[0]);
    page_put(pages[1]);
}

#define CHURN_BASE 0x7f0000000000UL
#define CHURN_STEP 0x1001000UL /* a table for nearly every page */
#define CHURN_PAGES 1000UL
#define CHURN_END (CHURN_BASE + CHURN_PAGES * CHURN_STEP)

static bool has(uintptr_t virtual, phys_t physical, unsigned protection)
{
    struct mmu_entry found;
    return mmu_query(virtual, &found) && found.physical == physical && found.protection == protection &&
           found.virtual == virtual;
}

static void map_churn(phys_t physical, unsigned protection)
{
    struct mmu_entry entries[50];
    for (size_t i = 0; i < CHURN_PAGES; i += array_size(entries)) {
        for (size_t j = 0; j < array_size(entries); j++)
            entries[j] = (struct mmu_entry){ .virtual = CHURN_BASE + (i + j) * CHURN_STEP,
                                             .physical = physical,
                                             .protection = protection };
        if (mmu_map(entries, array_size(entries)) != 0)
            panic("mmu_map failed");
    }
}

static size_t unmap_churn(phys_t physical)
{
    struct mmu_entry out[64];
    uintptr_t from = CHURN_BASE;
    size_t total = 0;
    while (from < CHURN_END) {
        size_t count = mmu_unmap(&from, CHURN_END, out, array_size(out));
        for (size_t i = 0; i < count; i++)
            total += out[i].physical == physical;
    }
    return total;
}

static void test_mmu(void)
{
    uint64_t free_before = pages_free_count();
    phys_t page = new_page();
    uintptr_t some = CHURN_BASE + 7 * CHURN_STEP, other = CHURN_BASE + 9 * CHURN_STEP;
    struct mmu_entry found;

    check("nothing is mapped yet", !mmu_query(some, &found));
    map_churn(page, MMU_READ | MMU_WRITE);
    check("mapped pages are found", has(some, page, MMU_READ | MMU_WRITE));
    uint64_t value = 0x1234, back = 0;
    bool copied = user_copy_raw((void *)some, &value, sizeof(value)) == 0 &&
                  user_copy_raw(&back, (const void *)other, sizeof(back)) == 0;
    check("two mappings show one page", copied && back == value);
    check("writing marks accessed and dirty", mmu_query(some, &found) && found.accessed && found.dirty);
    check("the accessed mark clears", mmu_test_clear_accessed(some) && !mmu_test_clear_accessed(some));
    mmu_protect(CHURN_BASE, CHURN_END, MMU_READ, false);
    check("protection is taken away", has(some, page, MMU_READ));
    check("protecting keeps the dirty mark", mmu_query(some, &found) && found.dirty);
    mmu_protect(CHURN_BASE, CHURN_END, MMU_READ | MMU_WRITE, false);
    check("no upgrade to writable unless asked for", has(some, page, MMU_READ));
    mmu_protect(CHURN_BASE, CHURN_END, MMU_READ | MMU_WRITE, true);
    check("an upgrade to writable when asked for", has(some, page, MMU_READ | MMU_WRITE));
    mmu_protect(CHURN_BASE, CHURN_END, 0, true);
    check("without access the page is kept", has(some, page, 0));
    mmu_protect(CHURN_BASE, CHURN_END, MMU_READ | MMU_EXECUTE, true);
    check("access comes back", has(some, page, MMU_READ | MMU_EXECUTE));
    map_churn(page, 0);
    check("unmapping finds every page", unmap_churn(page) == CHURN_PAGES);
    check("unmapping again finds none", unmap_churn(page) == 0);
    page_put(page_of(page));
    check("all page tables are given back", pages_free_count() == free_before);
}

/* Entries that need a table of level 1 each, and one of them of all levels. */
#define SPREAD 4
#define SPREAD_TABLES (3 + SPREAD - 1 + 2)

static void spread(struct mmu_entry *entries, phys_t physical)
{
    for (unsigned i = 0; i < SPREAD; i++)
        entries[i] =
            (struct mmu_entry){ .virtual = CHURN_BASE + i * (2UL << 20), .physical = physical, .protection = MMU_READ };
    entries[SPREAD - 1].virtual = CHURN_BASE + (512UL << 30);
}

static bool any_mapped(const struct mmu_entry *entries)
{
    struct mmu_entry found;
    for (unsigned i = 0; i < SPREAD; i++)
        if (mmu_query(entries[i].virtual, &found))
            return true;
    return false;
}

#define LARGE_FRAMES (LARGE_PAGE_SIZE / PAGE_SIZE)

/* The CPU itself reads and writes through the entries, before and after a large page is split. */
static void test_large_page(void)
{
    if (!mmu_has_large_pages())
        return;
    uint64_t free_before = pages_free_count(), splits = mmu_large_counts().splits;
    struct page *frames = pages_allocate_at(9, PAGES_NEEDED);
    struct mmu_entry found,
        entry = { .virtual = CHURN_BASE, .physical = page_address(frames), .protection = MMU_READ | MMU_WRITE };
    check("a large page is mapped", mmu_map_large(&entry) == 0 && mmu_large_counts().mapped == 1);
    uintptr_t last = CHURN_BASE + LARGE_PAGE_SIZE - PAGE_SIZE, from = CHURN_BASE + PAGE_SIZE, whole = CHURN_BASE;
    uint64_t value = 0x1234, *there = page_data(frames + LARGE_FRAMES - 1);
    check("its last page is the last frame",
          user_copy_raw((void *)last, &value, sizeof(value)) == 0 && *there == value &&
              has(last, page_address(frames + LARGE_FRAMES - 1), MMU_READ | MMU_WRITE));
    struct mmu_entry out[2];
    check("one page of it is unmapped", mmu_unmap(&from, from + PAGE_SIZE, out, 2) == 1 && !out[0].large &&
                                            out[0].physical == page_address(frames + 1));
    check("which splits it", mmu_large_counts().splits == splits + 1 && mmu_large_counts().mapped == 0);
    check("that page is gone", !mmu_query(CHURN_BASE + PAGE_SIZE, &found));
    value = 0x5678;
    check("and the others are there", user_copy_raw((void *)last, &value, sizeof(value)) == 0 && *there == value);
    size_t rest = 0;
    for (from = whole; from < CHURN_BASE + LARGE_PAGE_SIZE;)
        rest += mmu_unmap(&from, CHURN_BASE + LARGE_PAGE_SIZE, out, 2);
    check("all the others are unmapped", rest == LARGE_FRAMES - 1);
    check("a large page is mapped again", mmu_map_large(&entry) == 0);
    mmu_protect(whole, whole + LARGE_PAGE_SIZE, MMU_READ, false);
    check("its protection changes as a whole",
          has(last, page_address(frames + LARGE_FRAMES - 1), MMU_READ) && mmu_large_counts().mapped == 1);
    check("it is unmapped as a whole", mmu_unmap(&whole, whole + LARGE_PAGE_SIZE, out, 2) == 1 && out[0].large);
    pages_free(frames, 9);
    check("all memory of large pages is given back", pages_free_count() == free_before);
}

static void give_back(struct list *taken, uint64_t count)
{
    for (struct list *node; count-- > 0 && (node = list_pop_front(taken)) != NULL;)
        page_put(list_entry(node, struct page, link));
}

/* With memory for `tables` of the tables that the mapping needs. */
static bool maps_with(const struct mmu_entry *entries, uint64_t tables)
{
    struct list taken = LIST_INIT(taken);
    for (struct page *page; (page = page_allocate_at(PAGES_RESERVED)) != NULL;)
        list_push_back(&taken, &page->link);
    give_back(&taken, PAGES_RESERVE + tables);
    uint64_t free_before = pages_free_count();
    bool mapped = mmu_map(entries, SPREAD) == 0;
    check("a failed mapping sets nothing", mapped || !any_mapped(entries));
    check("a failed mapping leaves no tables behind", mapped || pages_free_count() == free_before);
    give_back(&taken, UINT64_MAX);
    return mapped;
}

static void test_memory_exhausted(void)
{
    uint64_t free_before = pages_free_count();
    phys_t page = new_page();
    struct mmu_entry entries[SPREAD], out[SPREAD];
    spread(entries, page);
    for (uint64_t tables = 0; tables < SPREAD_TABLES; tables++)
        check("mapping without memory for all tables fails", !maps_with(entries, tables));
    check("and succeeds with it", maps_with(entries, SPREAD_TABLES));
    uintptr_t from = CHURN_BASE, end = CHURN_BASE + (513UL << 30);
    check("translations are listed", mmu_find(&from, end, out, SPREAD) == SPREAD &&
                                         out[SPREAD - 1].virtual == entries[SPREAD - 1].virtual && any_mapped(entries));
    for (from = CHURN_BASE; from < end;)
        mmu_unmap(&from, end, out, SPREAD);
    check("and then taken out", !any_mapped(entries));
    page_put(page_of(page));
    check("all memory is given back", pages_free_count() == free_before);
}

/* ---- Time, events, the CPU --------------------------------------------------------------------- */

static void test_clock(void)
{
    nanoseconds last = clock_monotonic();
    bool forward = true;
    for (unsigned i = 0; i < 100000; i++) {
        nanoseconds now = clock_monotonic();
        forward = forward && now >= last;
        last = now;
    }
    check("time never goes back", forward);
    check("the entry lies in the past", platform.entry_time < last);
    check("the wall clock is in this century", clock_wall() > 1700000000 * NS_PER_SECOND);

    const struct clock_page *page = phys_to_virt(clock_page_address());
    nanoseconds by_page = page->monotonic_base +
                          clock_scale(__builtin_ia32_rdtsc() - page->tsc_base, page->multiplier, page->shift);
    nanoseconds now = clock_monotonic();
    check("the clock page gives the same time",
          (page->sequence & 1) == 0 && by_page <= now && now - by_page < NS_PER_SECOND);
}

static void test_timer(void)
{
    nanoseconds start = clock_monotonic();
    clock_set_deadline(start + 10 * NS_PER_SECOND);
    clock_set_deadline(start + 20 * NS_PER_MS);
    while (timer_calls == 0)
        cpu_wait();
    check("the timer waits for its deadline", clock_monotonic() >= start + 20 * NS_PER_MS);
    start = clock_monotonic();
    clock_set_deadline(start + 5 * NS_PER_MS);
    clock_set_deadline(start + 40 * NS_PER_MS);
    while (timer_calls == 1)
        cpu_wait();
    check("a deadline moved back is kept", clock_monotonic() >= start + 40 * NS_PER_MS);
    clock_set_deadline(clock_monotonic());
    while (timer_calls == 2)
        cpu_wait();
    check("a deadline in the past is served", timer_calls == 3);
}

/* Words of the FXSAVE area (SDM 1 10.5.1). */
#define FPU_MXCSR 6
#define FPU_MXCSR_MASK 7
static uint8_t fpu_areas[2][PAGE_SIZE] __attribute__((aligned(64)));

static void test_fpu(void)
{
    uint64_t value = 0x0123456789abcdef, read;
    fpu_init_area(fpu_areas[0]);
    fpu_restore(fpu_areas[0]);
    __asm__ volatile("movq %0, %%xmm3" : : "r"(value));
    fpu_save(fpu_areas[1]);
    fpu_restore(fpu_areas[0]);
    __asm__ volatile("movq %%xmm3, %0" : "=r"(read));
    check("a fresh FPU state is empty", read == 0);
    fpu_restore(fpu_areas[1]);
    __asm__ volatile("movq %%xmm3, %0" : "=r"(read));
    check("FPU state is saved and restored", read == value);
    memset(fpu_areas[1], 0xff, fpu_area_size());
    check("a forged FPU state is made harmless", fpu_sanitise(fpu_areas[1]));
    /* Not every emulator refuses other bits. */
    const uint32_t *forged = (const uint32_t *)fpu_areas[1], *fresh = (const uint32_t *)fpu_areas[0];
    check("a forged MXCSR has only bits of the processor", (forged[FPU_MXCSR] & ~fresh[FPU_MXCSR_MASK]) == 0);
    fpu_restore(fpu_areas[1]);
    fpu_restore(fpu_areas[0]);
}

static void test_small_things(void)
{
    uint64_t entropy[2] = { 0 };
    check("the CPU gives entropy",
          platform_entropy(entropy, sizeof(entropy)) == sizeof(entropy) && entropy[0] != entropy[1]);
    uintptr_t offset = 1;
    const char *name = symbol_name((uintptr_t)test_small_things, &offset);
    check("functions have names", name != NULL && strcmp(name, "test_small_things") == 0 && offset == 0);
    check("data has none", symbol_name((uintptr_t)kernel_data_start, &offset) == NULL);
    uint64_t value = 5, back = 0;
    expected_kernel_fault = 0x300000;
    check("user memory is written", user_copy_raw((void *)0x300000, &value, sizeof(value)) == 0);
    check("after a fault that is served", expected_kernel_fault == 0);
    check("user memory is read", user_copy_raw(&back, (const void *)0x300000, sizeof(back)) == 0 && back == value);
    check("user memory is cleared", user_clear_raw((void *)0x300000, sizeof(value)) == 0);
}

/* ---- User mode ----------------------------------------------------------------------------------- */

static const struct expected_trap {
    const char *name;
    enum trap trap;
    uint64_t error;
    uintptr_t address;
} expected_traps[] = { EXPECTED_TRAPS };

static unsigned next_trap;

/* The program set these flags: the kernel has none of them. */
static void check_entry_flags(const char *name, const struct registers *registers)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    /* Without supervisor-mode access prevention there is no CLAC, and AC means nothing in kernel mode (SDM 3A 2.3). */
    bool has_smap = processor_identify(7, 0).ebx & HAS_SMAP;
    uint64_t harmless = has_smap ? 0 : RFLAGS_AC;
    report(name, (registers->rflags & PROGRAM_FLAGS) && !(flags & PROGRAM_FLAGS & ~harmless), "flags");
}

void kernel_user_trap(struct registers *registers, enum trap trap, uintptr_t address)
{
    if (next_trap == array_size(expected_traps))
        panic("trap %u at %lx address %lx is one too many", trap, registers->rip, address);
    const struct expected_trap *expected = &expected_traps[next_trap++];
    uint64_t error = expected->address == DIRECT_MAP ? expected->error | tests->kernel_memory_fault() : expected->error;
    bool good = trap == expected->trap && (expected->error == ANY || registers->error == error) &&
                (trap != TRAP_PAGE_FAULT || address == expected->address);
    if (!good)
        log_always("trap %u error %lx address %lx rip %lx", trap, registers->error, address, registers->rip);
    report(expected->name, good, "trap");
    if (registers->rflags & PROGRAM_FLAGS)
        check_entry_flags("an exception leaves the program's AC, NT and DF behind", registers);
    if (address == USER_LATE_PAGE && trap == TRAP_PAGE_FAULT)
        map_one(USER_LATE_PAGE, new_page(), MMU_READ | MMU_WRITE);
    else
        registers->rip = registers->r15;
}

static void forge_registers(struct registers *registers)
{
    registers->rcx = 0xc0c0;
    registers->r11 = 0x1111;
    registers->cs = 0; /* RPL 0: kernel mode */
    registers->ss = 0;
    registers->rflags = 0x3000; /* IOPL 3, interrupts off */
}

void kernel_system_call(struct registers *registers)
{
    switch (registers->number) {
    case CALL_CHECK:
        if (registers->rdi >= array_size(user_checks))
            panic("no such check: %lu", registers->rdi);
        report(user_checks[registers->rdi], registers->rsi == 0, "user program");
        break;
    case CALL_FORGE:
        check("IOPL of user mode is 0", (registers->rflags & 0x3000) == 0);
        check("interrupts are open in user mode", registers->rflags & 0x200);
        forge_registers(registers);
        break;
    case CALL_BAD_RIP:
        registers->rip = 0x8000000000000000UL;
        break;
    case CALL_FLAGS:
        check_entry_flags("a system call leaves the program's AC, NT and DF behind", registers);
        break;
    case CALL_START_TIMER:
        interrupts_in_user_mode = 0;
        clock_set_deadline(clock_monotonic() + 2 * NS_PER_MS);
        break;
    case CALL_COUNT_TIMER:
        registers->rax = interrupts_in_user_mode;
        return;
    case CALL_END:
        check("every trap came", next_trap == array_size(expected_traps));
        finish();
    default:
        report("a known system call", false, "number");
    }
    registers->rax = registers->number;
}

static void enter_user(void *registers) { cpu_enter_user(registers); }

static noreturn void run_user_program(void)
{
    phys_t code = new_page(), stack = new_page();
    memcpy(phys_to_virt(code), user_program, (size_t)(user_program_end - user_program));
    if (spins)
        memcpy(phys_to_virt(code), endless_loop, sizeof(endless_loop));
    *(uint64_t *)phys_to_virt(stack) = USER_THREAD_WORD;
    map_one(USER_CODE, code, MMU_READ | MMU_EXECUTE);
    map_one(USER_STACK, stack, MMU_READ | MMU_WRITE);

    uint64_t stack_top = (uintptr_t)page_data(pages_allocate(2)) + 4 * PAGE_SIZE;
    struct registers *registers = (struct registers *)stack_top - 1;
    *registers = (struct registers){ .rip = USER_CODE, .rsp = USER_STACK + PAGE_SIZE };
    uint64_t boot_context;
    cpu_switch_to(stack_top, USER_STACK);
    context_switch(&boot_context, context_create(registers, enter_user, registers));
    panic("came back");
}

static volatile unsigned depth;

/* Deeper than any stack, and with something to do after the call, so that it is one. */
static __attribute__((noinline)) unsigned recurse(void)
{
    if (++depth == UINT32_MAX)
        return 0;
    return recurse() + depth;
}

static void run_out_of_stack(void *unused)
{
    (void)unused;
    report("a kernel stack overflow is noticed", recurse() == 0, "came back");
    finish();
}

/* In place of all other tests when the command line says `overflow`: a panic is expected, with a backtrace. */
static noreturn void overflow_kernel_stack(void)
{
    struct page *pages[2] = { page_allocate(), page_allocate() };
    uint64_t boot_context;
    if (kernel_map(KERNEL_STACKS + PAGE_SIZE, pages, array_size(pages)) != 0)
        panic("no kernel stack");
    void *top = (void *)(KERNEL_STACKS + 3 * PAGE_SIZE);
    context_switch(&boot_context, context_create(top, run_out_of_stack, NULL));
    panic("came back");
}

/* In place of all other tests when the command line says `smash`: a panic is expected. */
static __attribute__((noinline)) void smash_stack(size_t length)
{
    char buffer[16], *to = buffer;
    __asm__ volatile("" : "+r"(to)); /* the compiler no longer knows where it points */
    memset(to, 1, length);
    __asm__ volatile("" : : "r"(to) : "memory");
}

/* In place of all other tests when the command line says `seed`: raw timing samples of this boot, and the first output
 * of the generator; src/test/c/platform/seeds compares those of many boots. */
static noreturn void show_seed(void)
{
    static uint32_t samples[JITTER_WINDOW];
    for (unsigned window = 0; window < 4; window++) {
        jitter_sample(samples);
        for (unsigned i = 0; i < JITTER_WINDOW; i += 8)
            log_always("samples %u %u %u %u %u %u %u %u", samples[i], samples[i + 1], samples[i + 2], samples[i + 3],
                       samples[i + 4], samples[i + 5], samples[i + 6], samples[i + 7]);
    }
    random_init();
    log_always("ready %u", random_ready());
    log_always("first %016lx%016lx", random_u64(), random_u64());
    random_report();
    finish();
}

/* Before the program runs if the command line says `missing-cpu`; the scripts look for the line that it leaves. */
static void test_missing_cpu(void)
{
    tests->start_missing_cpu();
    check("a CPU that does not come up is not used", cpus_online == 1 && !kernel_is_shared);
    test_timer();
}

static void choose_tests(void)
{
    static const struct platform_tests *const all[] = { &xenpv_tests, &native_tests, &xen_pvh_tests };
    for (unsigned i = 0; i < array_size(all); i++) {
        if (strcmp(platform.name, all[i]->platform) == 0)
            tests = all[i];
    }
    if (tests == NULL)
        panic("no tests for platform %s", platform.name);
}

noreturn void kernel_main(void)
{
    choose_tests();
    if (starts_with(platform.command_line, "spin")) {
        spins = true;
        clock_set_deadline(clock_monotonic());
        run_user_program();
    }
    if (starts_with(platform.command_line, "overflow"))
        overflow_kernel_stack();
    if (strcmp(platform.command_line, "smash") == 0) {
        smash_stack(64);
        panic("came back");
    }
    if (strcmp(platform.command_line, "seed") == 0)
        show_seed();
    if (strcmp(platform.command_line, "missing-cpu") == 0) {
        test_missing_cpu();
        run_user_program();
    }
    log_always("%s, %lu KiB, %lu of %lu pages free", platform.name, platform.memory_bytes >> 10, pages_free_count(),
               pages_total_count());
    check("most memory is free", pages_free_count() > (platform.memory_bytes >> PAGE_SHIFT) * 9 / 10);
    test_slide();
    test_protection();
    test_kernel_stacks();
    test_mmu();
    test_large_page();
    test_memory_exhausted();
    test_clock();
    test_timer();
    if (tests->others != NULL)
        tests->others();
    test_fpu();
    test_small_things();
    run_user_program();
}
