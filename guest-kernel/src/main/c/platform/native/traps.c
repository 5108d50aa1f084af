/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt descriptor table, and where exceptions and interrupts go.
 *
 * traps.S calls native_user_trap() for what comes from user mode and native_kernel_trap() for what comes in the kernel,
 * both with interrupts masked. In the kernel interrupts are expected in native_cpu_wait() and
 * native_cpu_take_interrupts() only, where no spinlock is held; the first one that comes elsewhere is reported, and
 * each waits until interrupts are let in. Of exceptions only page faults on user memory are expected there; any other
 * is a panic. Non-maskable interrupts, double faults and machine checks have a stack of their own, from which there is
 * no return.
 *
 * CR2 is read first, before anything can fault again. The table is filled at boot and then constant; there are no
 * locks.
 */
#include "core/debug.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "platform/native/gate.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/native/selectors.h"

#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_MACHINE_CHECK 18

#define STUB_SIZE 16

/* SDM 3A figure 6-8. */
struct packed gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack; /* 0, or which of the task state's interrupt stacks */
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
#define GATE_INTERRUPT 0x8e /* present; masks interrupts */
#define GATE_USER 0x60      /* user mode may raise it itself (INT3) */

extern const char native_trap_stubs[];

/* Called by traps.S only. */
void native_user_trap(struct registers *registers);
void native_kernel_trap(struct registers *registers);
noreturn void native_nonmaskable_trap(struct registers *registers);

static struct gate descriptors[VECTORS] GATE_DATA __attribute__((aligned(16)));

static void set_gate(unsigned vector, unsigned stack, uint8_t flags)
{
    uintptr_t stub = (uintptr_t)native_trap_stubs + vector * STUB_SIZE;
    descriptors[vector] = (struct gate){
        .offset_low = (uint16_t)stub,
        .selector = KERNEL_CODE,
        .stack = (uint8_t)stack,
        .type = GATE_INTERRUPT | flags,
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
}

void native_traps_init(void)
{
    for (unsigned vector = 0; vector < VECTORS; vector++)
        set_gate(vector, 0, 0);
    set_gate(TRAP_BREAKPOINT, 0, GATE_USER);
    set_gate(TRAP_OVERFLOW, 0, GATE_USER);
    set_gate(VECTOR_NMI, 1, 0);
    set_gate(VECTOR_DOUBLE_FAULT, 1, 0);
    set_gate(VECTOR_MACHINE_CHECK, 1, 0);
    native_traps_load();
}

void native_traps_load(void)
{
    struct packed {
        uint16_t limit;
        uint64_t base;
    } pointer = { sizeof(descriptors) - 1, (uintptr_t)descriptors };
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* The CPU may have the kernel lock, or wait for it. */
static void dispatch(unsigned vector)
{
    bool entered = interrupt_needs_kernel(vector) && kernel_enter_again();
    interrupt_dispatch(vector);
    if (entered)
        kernel_leave();
}

void native_user_trap(struct registers *registers)
{
    /* CR2 first: anything later might fault itself. */
    uintptr_t address = cr2_read();
    unsigned vector = (unsigned)registers->number;
    registers->number = vector < VECTOR_FIRST_INTERRUPT ? vector : UINT64_MAX;
    if (interrupt_answer(vector))
        return;
    cpu_user_ends();
    if (vector < VECTOR_FIRST_INTERRUPT) {
        kernel_user_trap(registers, (enum trap)vector, address);
        return;
    }
    dispatch(vector);
    kernel_leave_interrupt(registers);
}

static noreturn void die(const char *what, const struct registers *registers)
{
    uintptr_t offset = 0;
    const char *name = symbol_name(registers->rip, &offset);
    panic("%s at %lx (%s+%lx) trap %lu error %lx cr2 %lx rsp %lx rflags %lx\n"
          "rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx "
          "r13 %lx r14 %lx r15 %lx",
          what, registers->rip, name ? name : "?", offset, registers->number, registers->error, cr2_read(),
          registers->rsp, registers->rflags, registers->rax, registers->rbx, registers->rcx, registers->rdx,
          registers->rsi, registers->rdi, registers->rbp, registers->r8, registers->r9, registers->r10, registers->r11,
          registers->r12, registers->r13, registers->r14, registers->r15);
}

/* traps.S: the HLT of native_halt(), and what follows it. */
extern const char native_wait_halt[], native_wait_end[];

/* The hypervisor's or the processor's fault. */
static void report_unmasked(unsigned vector, uintptr_t at)
{
    static bool reported;
    uintptr_t offset = 0;
    const char *name = symbol_name(at, &offset);
    if (!reported)
        log_always("interrupt %u was delivered while interrupts are masked, at %lx (%s+%lx); handling it later", vector,
                   at, name ? name : "?", offset);
    reported = true;
}

/* The CPU was idle, or waits for the kernel lock, or takes interrupts now. */
static void take_interrupt(unsigned vector, const struct registers *registers)
{
    if (registers->rflags & RFLAGS_INTERRUPT) {
        dispatch(vector);
    } else {
        report_unmasked(vector, registers->rip);
        interrupt_postpone(vector);
    }
}

void native_kernel_trap(struct registers *registers)
{
    uintptr_t address = cr2_read();
    unsigned vector = (unsigned)registers->number;
    if (vector >= VECTOR_FIRST_INTERRUPT) {
        if (!interrupt_answer(vector))
            take_interrupt(vector, registers);
        /* It came between the STI and the HLT, which a processor does not let happen, but QEMU's nested SVM does
         * (docs/native.md): what was waited for is there, and nothing might end the HLT. */
        if (registers->rip == (uintptr_t)native_wait_halt)
            registers->rip = (uintptr_t)native_wait_end;
        return;
    }
    if (vector == TRAP_PAGE_FAULT && address < USER_LIMIT && kernel_page_fault(registers, address))
        return;
    die(vector == TRAP_PAGE_FAULT ? "page fault in the kernel" : "trap in the kernel", registers);
}

void native_nonmaskable_trap(struct registers *registers)
{
    switch (registers->number) {
    case VECTOR_NMI:
        die("non-maskable interrupt", registers);
    case VECTOR_DOUBLE_FAULT:
        die("double fault (kernel stack exhausted?)", registers);
    default:
        die("machine check", registers);
    }
}

void native_cpu_wait(void)
{
    struct cpu *cpu = this_cpu();
    may_sleep();
    platform_resume_interrupts();
    if (likely(!kernel_is_shared)) {
        native_halt();
        return;
    }
    bool held = kernel_is_held();
    native_leave_user_half();
    __atomic_store_n(&cpu->resting, true, __ATOMIC_SEQ_CST);
    if (held)
        kernel_leave();
    native_halt();
    if (held)
        kernel_enter();
    __atomic_store_n(&cpu->resting, false, __ATOMIC_SEQ_CST);
    native_enter_user_half();
}

void native_cpu_take_interrupts(void)
{
    may_sleep();
    /* After the NOP, since STI takes effect one instruction late; all that are pending come there. */
    __asm__ volatile("sti; nop; cli" : : : "memory");
}
