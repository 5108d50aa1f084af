/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments, task state and control registers of each CPU (Intel SDM 3A 2.5, 3.4, 5.8.8, 7.7).
 *
 * Invariant: the only code segment user mode can load is USER_CODE, which is 64-bit. Everything else is in these
 * tables but for the gates of traps.c: no call gates, no LDT, no I/O ports. No locks: all of it is set up once, but for
 * the stack in the task state, which is the CPU's own. What the boot CPU needs is in the image, what the others need is
 * allocated when they are started.
 */
#include "core/pages.h"
#include "lib/string.h"
#include "platform/native/gate.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/native/selectors.h"
#include "platform/x86/processor.h"

_Static_assert(offsetof(struct registers, r11) == REGISTERS_R11, "selectors.h");
_Static_assert(offsetof(struct registers, rcx) == REGISTERS_RCX, "selectors.h");
_Static_assert(offsetof(struct registers, number) == REGISTERS_NUMBER, "selectors.h");
_Static_assert(offsetof(struct registers, rip) == REGISTERS_RIP, "selectors.h");
_Static_assert(offsetof(struct registers, cs) == REGISTERS_CS, "selectors.h");
_Static_assert(offsetof(struct registers, rflags) == REGISTERS_RFLAGS, "selectors.h");
_Static_assert(offsetof(struct registers, rsp) == REGISTERS_RSP, "selectors.h");
_Static_assert(offsetof(struct registers, ss) == REGISTERS_SS, "selectors.h");
_Static_assert(offsetof(struct cpu, kernel_stack) == CPU_KERNEL_STACK, "selectors.h");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "selectors.h");
_Static_assert(offsetof(struct cpu, kernel_root) == CPU_KERNEL_ROOT, "selectors.h");
_Static_assert(offsetof(struct cpu, user_root) == CPU_USER_ROOT, "selectors.h");
_Static_assert(offsetof(struct cpu, gate_stack) == CPU_GATE_STACK, "selectors.h");

_Static_assert(CPU_NUMBER_SELECTOR == (CPU_NUMBER_SEGMENT | 3), "for user mode");

#define CR4_PAGE_GLOBAL (1u << 7)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)

/* RFLAGS cleared by SYSCALL: TF IF DF IOPL NT AC. */
#define SYSCALL_CLEARS 0x47700

/* SDM 3A figure 7-11. */
struct packed task_state {
    uint32_t reserved0;
    uint64_t stack[3];
    uint64_t reserved1;
    uint64_t interrupt_stack[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
};

struct packed table_pointer {
    uint16_t limit;
    uint64_t base;
};

/* traps.S */
extern const char native_system_call[], native_system_call_32bit[];
extern char native_boot_stack_top[];

static const uint64_t segments[] = {
    [KERNEL_CODE / 8] = 0x00af9b000000ffff, /* 64-bit, present, readable */
    [KERNEL_DATA / 8] = 0x00cf93000000ffff, /* present, writable */
    /* SYSRET counts from here and reads no descriptor. Only a 32-bit SYSRET, which is not used, would load this. */
    [SYSRET_BASE / 8] = 0,
    [USER_DATA / 8] = 0x00cff3000000ffff,
    [USER_CODE / 8] = 0x00affb000000ffff,
    [TASK_STATE / 8] = 0,
    0,
    [CPU_NUMBER_SEGMENT / 8] = 0x0040f10000000000, /* for user mode, present, read-only; its limit is the number */
};

struct native_cpu {
    struct cpu cpu; /* first: GS base points here */
    struct task_state task_state;
    uint64_t gdt[array_size(segments)];
    uint8_t gate_stack[1024] __attribute__((aligned(16)));
};
_Static_assert(sizeof(struct native_cpu) <= PAGE_SIZE, "native_segments_create() allocates a page");

static struct native_cpu boot_cpu GATE_DATA;
static uint8_t boot_nonmaskable_stack[PAGE_SIZE] GATE_DATA __attribute__((aligned(16)));

static struct native_cpu *native_of(struct cpu *cpu) { return container_of(cpu, struct native_cpu, cpu); }

static void fill_tables(struct native_cpu *native, const uint8_t *nonmaskable_stack)
{
    native->task_state.interrupt_stack[0] = (uintptr_t)nonmaskable_stack + PAGE_SIZE;
    native->task_state.io_map = sizeof(native->task_state);
    memcpy(native->gdt, segments, sizeof(segments));
    uint64_t base = (uintptr_t)&native->task_state;
    uint64_t limit = sizeof(native->task_state) - 1;
    native->gdt[TASK_STATE / 8] = limit | (base & 0xffffff) << 16 | 0x89UL << 40 | (base >> 24 & 0xff) << 56;
    native->gdt[TASK_STATE / 8 + 1] = base >> 32;
    native->gdt[CPU_NUMBER_SEGMENT / 8] |= native->cpu.id;
}

static void load_tables(struct native_cpu *native)
{
    struct table_pointer pointer = { sizeof(native->gdt) - 1, (uintptr_t)native->gdt };
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    __asm__ volatile("ltr %w0" : : "r"(TASK_STATE));
}

static uint64_t protections_offered(void)
{
    uint64_t features = 0;
    struct processor_leaf leaf7 = processor_identify(7, 0);
    if (leaf7.ebx & 1u << 7)
        features |= CR4_SMEP;
    if (leaf7.ecx & 1u << 2)
        features |= CR4_UMIP;
    if (processor_identify(1, 0).ecx & 1u << 26)
        features |= CR4_OSXSAVE;
    return features;
}

/*
 * The instructions that enter the kernel by registers of the CPU rather than by a gate (SDM 3A 5.8.7, 5.8.8; AMD APM 2
 * 6.1). There is no 32-bit user code, so nothing comes by MSR_CSTAR; if something does it gets its signal. SYSENTER
 * with a null code segment is a protection fault in user mode.
 */
static void set_entries(void)
{
    msr_write(MSR_STAR, (uint64_t)SYSRET_BASE << 48 | (uint64_t)KERNEL_CODE << 32);
    msr_write(MSR_LSTAR, (uintptr_t)native_system_call);
    msr_write(MSR_CSTAR, (uintptr_t)native_system_call_32bit);
    msr_write(MSR_SFMASK, SYSCALL_CLEARS);
    msr_write(MSR_SYSENTER_CS, 0);
    msr_write(MSR_SYSENTER_ESP, 0);
    msr_write(MSR_SYSENTER_EIP, 0);
}

void native_segments_load(struct cpu *cpu)
{
    msr_write(MSR_GS_BASE, (uintptr_t)cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    load_tables(native_of(cpu));
    cr4_write(cr4_read() | CR4_PAGE_GLOBAL | CR4_OSFXSR | CR4_OSXMMEXCPT | protections_offered());
    set_entries();
}

void native_segments_init(void)
{
    struct cpu *cpu = &boot_cpu.cpu;
    cpu->self = cpus[0] = cpu;
    cpu->kernel_stack = boot_cpu.task_state.stack[0] = (uintptr_t)native_boot_stack_top;
    fill_tables(&boot_cpu, boot_nonmaskable_stack);
    native_segments_load(cpu);
}

struct cpu *native_segments_create(unsigned id)
{
    struct page *page = page_allocate_zeroed(), *stack = page_allocate();
    if (!page || !stack || !native_gate_map(page) || !native_gate_map(stack))
        return NULL; /* what was allocated is lost, once: the guest goes on with fewer CPUs */
    struct native_cpu *native = page_data(page);
    native->cpu.self = &native->cpu;
    native->cpu.id = id;
    fill_tables(native, page_data(stack));
    if (native_isolated)
        native_segments_isolate(&native->cpu, boot_cpu.cpu.kernel_root, boot_cpu.cpu.user_root);
    return &native->cpu;
}

void native_cpu_switch_to(uint64_t kernel_stack_top, uint64_t user_fs_base)
{
    struct cpu *cpu = this_cpu();
    cpu->kernel_stack = kernel_stack_top;
    if (!native_isolated)
        native_of(cpu)->task_state.stack[0] = kernel_stack_top;
    msr_write(MSR_FS_BASE, user_fs_base);
}

void native_segments_isolate(struct cpu *cpu, phys_t kernel_root, phys_t user_root)
{
    struct native_cpu *native = native_of(cpu);
    cpu->kernel_root = kernel_root;
    cpu->user_root = user_root;
    cpu->gate_stack = (uintptr_t)native->gate_stack + sizeof(native->gate_stack);
    native->task_state.stack[0] = cpu->gate_stack;
}

void native_cpu_set_fs_base(uint64_t base) { msr_write(MSR_FS_BASE, base); }
