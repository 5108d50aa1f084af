/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the CPUs that the ACPI tables list, and interrupting them. They are started one after the other: the boot
 * CPU prepares everything that needs memory, sends INIT and start-up messages, and waits until the other one reports.
 * That one sets up its registers, touches nothing that is shared, and joins when the boot CPU has counted it, having
 * found that both read the same time: all of the kernel's clocks are one count of the TSC. It may see that late, when
 * the next one is being started.
 *
 * `progress` is changed by compare and exchange, so that a CPU that comes up too late notices that it is not wanted.
 * No CPU is started after one that did not come up, since that one may still read the parameters.
 */
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/string.h"
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/page_table.h"
#include "platform/native/selectors.h"
#include "platform/native/xen.h"
#include "platform/x86/fpu.h"

/* SDM 3A 8.4.4.1 has a second start-up message sent when the first one shows no effect. */
#define SECOND_MESSAGE_AFTER (1 * NS_PER_MS)
#define PATIENCE (10 * NS_PER_SECOND)
#define READINGS 200 /* of both clocks, in turn */

struct start_parameters {
    uint64_t function, stack, argument;
};

enum progress { STARTING, UP, LEFT_OUT };

extern const char native_start_code[], native_start_code_end[];

static enum progress progress;
static uint32_t turn;              /* the boot CPU reads when it is even, the other one when it is odd */
static uint64_t last_reading;      /* whose turn it is */
static bool clocks_differ;         /* the same */
static uint32_t apic_of[CPUS_MAX]; /* by the CPU's id */
static int wake_vector;

static bool move_on(enum progress from, enum progress to)
{
    return __atomic_compare_exchange_n(&progress, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void read_clock_in_turn(uint32_t mine)
{
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) % 2 != mine)
        __builtin_ia32_pause();
    __asm__ volatile("lfence" : : : "memory");
    uint64_t now = rdtsc();
    clocks_differ |= now < last_reading;
    last_reading = now;
    __atomic_store_n(&turn, turn + 1, __ATOMIC_RELEASE);
}

static void compare_clocks(uint32_t mine)
{
    for (unsigned i = 0; i < READINGS; i++)
        read_clock_in_turn(mine);
}

static noreturn void start_here(struct cpu *cpu)
{
    cr3_write(virt_to_phys(native_root_table));
    native_segments_load(cpu);
    native_traps_load();
    native_protection_load();
    fpu_load();
    native_interrupts_load();
    native_timer_load();
    native_steal_load(cpu);
    native_xen_load(cpu);
    if (move_on(STARTING, UP))
        compare_clocks(1);
    while (!cpu_is_counted(cpu) && __atomic_load_n(&progress, __ATOMIC_ACQUIRE) != LEFT_OUT)
        __builtin_ia32_pause();
    if (cpu_is_counted(cpu))
        kernel_cpu_main();
    for (;;)
        __asm__ volatile("cli; hlt");
}

static bool start_pages_are_memory(void)
{
    for (unsigned i = 0; i < native_memory_count; i++) {
        const struct memory_range *range = &native_memory[i];
        if (range->type == MEMORY_RAM && range->start <= START_PAGE && range->end >= START_END)
            return true;
    }
    return false;
}

/* The kernel half is that of all CPUs, with all that has been mapped so far. */
static void prepare_start(struct cpu *cpu)
{
    uint64_t *root = phys_to_virt(START_ROOT), *level3 = phys_to_virt(START_LEVEL3);
    uint64_t *level2 = phys_to_virt(START_LEVEL2);
    memcpy(phys_to_virt(START_PAGE), native_start_code, (size_t)(native_start_code_end - native_start_code));
    memset(level3, 0, PAGE_SIZE);
    memset(level2, 0, PAGE_SIZE);
    memcpy(root, native_root_table, PAGE_SIZE); /* there is no user memory yet */
    root[0] = START_LEVEL3 | ENTRY_PRESENT | ENTRY_WRITE;
    level3[0] = START_LEVEL2 | ENTRY_PRESENT | ENTRY_WRITE;
    level2[0] = ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE;
    *(struct start_parameters *)phys_to_virt(START_PAGE + START_PARAMETERS) = (struct start_parameters){
        .function = (uintptr_t)start_here,
        .stack = cpu->kernel_stack,
        .argument = (uintptr_t)cpu,
    };
}

static bool comes_up(nanoseconds within)
{
    nanoseconds deadline = native_clock_monotonic() + within;
    while (__atomic_load_n(&progress, __ATOMIC_ACQUIRE) == STARTING) {
        if (native_clock_monotonic() >= deadline)
            return false;
        __builtin_ia32_pause();
    }
    return true;
}

static bool send_start(uint32_t apic)
{
    const uint32_t start = APIC_COMMAND_START | START_PAGE >> PAGE_SHIFT;
    apic_send(apic, APIC_COMMAND_INIT);
    apic_send(apic, start);
    if (comes_up(SECOND_MESSAGE_AFTER))
        return true;
    apic_send(apic, start);
    return comes_up(PATIENCE) || !move_on(STARTING, LEFT_OUT);
}

static void join(struct cpu *cpu)
{
    if (!kernel_is_shared)
        kernel_lock_share();
    cpu_count(cpu);
}

/* Why it does not run, or NULL. */
static const char *start(uint32_t apic)
{
    struct cpu *cpu = native_segments_create(cpus_online);
    if (!cpu || kernel_prepare_cpu(cpu))
        return "there is no memory for it; give the guest more";
    apic_of[cpu->id] = apic;
    prepare_start(cpu);
    progress = STARTING;
    if (!send_start(apic))
        return "it does not answer; give the guest fewer CPUs";
    compare_clocks(0);
    if (clocks_differ) {
        progress = LEFT_OUT;
        return "its time stamp counter differs; use a host that keeps them alike";
    }
    join(cpu);
    return NULL;
}

static void wake_up(void *context) { (void)context; } /* what it is about is in struct cpu */

static const char *prepare(void)
{
    if (!native_clock_is_shared())
        return "KVM's clock differs between CPUs; use a host with a stable time stamp counter";
    if (!native_kernel_half_complete())
        return "there is no memory for page tables; give the guest more";
    if (!start_pages_are_memory())
        return "there is no memory at the lowest addresses; use another machine type";
    wake_vector = interrupt_allocate_unlocked(wake_up, NULL);
    return wake_vector < 0 ? "there are no interrupt vectors left; use fewer devices" : NULL;
}

void native_cpus_start(void)
{
    if (acpi.cpu_count < 2)
        return;
    const char *problem = prepare();
    apic_of[0] = apic_id();
    for (unsigned i = 0; i < acpi.cpu_count && !problem; i++)
        if (acpi.cpu_apic[i] != apic_of[0])
            problem = start(acpi.cpu_apic[i]);
    *(uint64_t *)phys_to_virt(START_ROOT) = 0;
    if (problem)
        log_error("%u of %u CPUs run; the next one does not: %s", cpus_online, acpi.cpu_count, problem);
}

/* The root with which CPUs start is the kernel half. */
void native_leave_user_half(void) { cr3_write(START_ROOT); }
void native_enter_user_half(void) { cr3_write(virt_to_phys(native_root_table)); }

uint32_t native_cpu_apic(unsigned cpu) { return apic_of[cpu]; }

void native_cpu_send(const struct cpu *cpu, unsigned vector) { apic_send(apic_of[cpu->id], vector); }

void native_cpu_interrupt(const struct cpu *cpu) { native_cpu_send(cpu, (unsigned)wake_vector); }
