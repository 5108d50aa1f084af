/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways into and out of the kernel: SYSCALL, exceptions, interrupts, and the exits to user mode.
 * All build a struct registers (platform.h) on the kernel stack, at its top when they come from user
 * mode. GS holds the user's base in user mode and &struct cpu in the kernel; SWAPGS is done exactly at
 * transitions between the two. Non-maskable traps may hit between, so they have stacks of
 * their own (IST) and look at the GS base itself. Interrupts cannot, but QEMU's nested SVM delivers some twice
 * (docs/native.md), so those from the kernel look at it too: outside of cpu_wait() that costs nothing, since there
 * are none.
 *
 * Two roots. On a processor with the Meltdown flaw, user mode runs with a page-table root of its own, which maps all of
 * user memory and of the kernel the gate alone: this file (.text.gate), and the data that it or the processor touches
 * before the kernel's root is loaded or after the user's is (gate.h: struct cpu, descriptor tables, task state, stacks
 * of the gate). What lies between PATCH_ISOLATION marks changes the roots; without the flaw these are no-operations and
 * there is one root.
 *   SYSCALL        loads the kernel's root before the thread's kernel stack, and the user's after it was last used.
 *   other traps    come on the gate's stack (the task state's, instead of the thread's), load the kernel's root and
 *                  carry the frame over; an IRET to user mode carries it back, since it reads it with the user's root.
 *   non-maskable   may come with either root on a stack that both map, and load the kernel's: they do not return.
 *   from kernel    the root is the kernel's, except when GS shows that the interrupt hit the gate itself.
 * The other patches (platform/x86/patch.h) are against what user mode leaves in branch predictors, and what the
 * kernel leaves in buffers of the processor.
 */
#include "platform/native/selectors.h"
#include "platform/x86/patch.h"
#include "platform/x86/registers.h"

#define MSR_GS_BASE 0xc0000101
#define MSR_SPECULATION_CONTROL 0x48
#define MSR_PREDICTOR_COMMAND 0x49
#define SPECULATION_IBRS 1

    .section .text.gate, "ax"

/* For VERW, which in passing overwrites the processor's buffers. */
data_selector:
    .word KERNEL_DATA

    .macro load_root from, through
    movq %gs:\from, \through
    movq \through, %cr3
    .endm

/* After an entry from user mode, all its registers saved: changes rax, rcx, rdx. */
    .macro guard_entry
    patch_begin PATCH_ENTRY_BARRIER
    movl $MSR_PREDICTOR_COMMAND, %ecx
    movl $1, %eax
    xorl %edx, %edx
    wrmsr
    patch_end
    patch_begin PATCH_ENTRY_IBRS
    movl $MSR_SPECULATION_CONTROL, %ecx
    movl speculation_control, %eax
    xorl %edx, %edx
    wrmsr
    patch_end
    /* Taken branches in the number that the history holds, and returns for those who keep returns in it (Intel, "Branch
     * History Injection": software BHB-clearing sequence). */
    patch_begin PATCH_CLEAR_HISTORY
    movl $5, %ecx
    call 1f
    jmp 5f
1:  call 2f
    ret
2:  movl $5, %eax
3:  jmp 4f
    nop
4:  decl %eax
    jnz 3b
    decl %ecx
    jnz 1b
    ret
5:  lfence
    patch_end
    .endm

/* Before the user's registers are loaded: changes rax, rcx, rdx. */
    .macro guard_exit
    patch_begin PATCH_ENTRY_IBRS
    movl $MSR_SPECULATION_CONTROL, %ecx
    movl speculation_control, %eax
    andl $~SPECULATION_IBRS, %eax
    xorl %edx, %edx
    wrmsr
    patch_end
    .endm

    .macro clear_buffers
    patch_begin PATCH_CLEAR_BUFFERS
    verw data_selector
    patch_end
    .endm

    .macro fence_swapgs
    patch_begin PATCH_FENCE_SWAPGS
    lfence
    patch_end
    .endm

    .macro close_user_access            /* the IRET brings AC back */
    patch_begin PATCH_USER_ACCESS
    clac
    patch_end
    .endm

/* RCX = user RIP, R11 = user RFLAGS, RSP still the user's; interrupts masked by SFMASK. */
    .macro enter_by_syscall number
    swapgs
    movq %rsp, %gs:CPU_SCRATCH
    patch_begin PATCH_ISOLATION
    load_root CPU_KERNEL_ROOT, %rsp
    patch_end
    movq %gs:CPU_KERNEL_STACK, %rsp
    pushq $USER_DATA
    pushq %gs:CPU_SCRATCH
    pushq %r11
    pushq $USER_CODE
    pushq %rcx
    pushq $0
    pushq \number
    push_registers
    guard_entry
    xorl %ebp, %ebp
    movq %rsp, %rdi
    .endm

/* SYSCALL in 32-bit mode, in which no user program can be (segments.c): an undefined instruction. */
    .globl native_system_call_32bit
native_system_call_32bit:
    enter_by_syscall $VECTOR_INVALID_OPCODE
    call native_user_trap
    jmp return_to_user

    .globl native_system_call
native_system_call:
    enter_by_syscall %rax
    call kernel_system_call

    /* SYSRET takes RIP from RCX and RFLAGS from R11: only if the thread expects that. A RIP that is
     * not canonical would fault in kernel mode (CVE-2012-0217). */
    movq REGISTERS_RIP(%rsp), %rcx
    cmpq %rcx, REGISTERS_RCX(%rsp)
    jne return_to_user
    movq REGISTERS_RFLAGS(%rsp), %r11
    cmpq %r11, REGISTERS_R11(%rsp)
    jne return_to_user
    testq $RFLAGS_TRAP_OR_RESUME, %r11
    jnz return_to_user
    shrq $47, %rcx
    jnz return_to_user
    guard_exit
    pop_registers
    movq (REGISTERS_RSP - 120)(%rsp), %rsp
    patch_begin PATCH_ISOLATION
    movq %rax, %gs:CPU_SCRATCH
    load_root CPU_USER_ROOT, %rax
    movq %gs:CPU_SCRATCH, %rax
    patch_end
    swapgs
    clear_buffers
    sysretq

/* RSP = struct registers at the top of the stack. Whatever is in it, the IRET does not fault. */
return_to_user:
    movq $USER_CODE, REGISTERS_CS(%rsp)
    movq $USER_DATA, REGISTERS_SS(%rsp)
    andq $RFLAGS_USER, REGISTERS_RFLAGS(%rsp)
    orq $RFLAGS_ALWAYS, REGISTERS_RFLAGS(%rsp)
    movq REGISTERS_RIP(%rsp), %rax
    shrq $47, %rax
    jz 1f
    /* Never mapped (USER_LIMIT): the thread gets its fault in user mode. */
    movabsq $0x00007fffffffffff, %rax
    movq %rax, REGISTERS_RIP(%rsp)
1:  guard_exit
    patch_begin PATCH_ISOLATION
    movq %gs:CPU_GATE_STACK, %rdi
    .irp offset, 0, 8, 16, 24, 32
    movq (REGISTERS_RIP + \offset)(%rsp), %rax
    movq %rax, (\offset - 40)(%rdi)
    .endr
    patch_end
    pop_registers
    addq $16, %rsp
    patch_begin PATCH_ISOLATION
    movq %rax, %gs:CPU_SCRATCH
    movq %gs:CPU_GATE_STACK, %rsp
    subq $40, %rsp
    load_root CPU_USER_ROOT, %rax
    movq %gs:CPU_SCRATCH, %rax
    patch_end
    swapgs
    clear_buffers
    iretq

/* noreturn void native_enter_user(struct registers *registers): they are at the stack's top. */
    .globl native_enter_user
native_enter_user:
    movq %rdi, %rsp
    jmp return_to_user

/* One stub for each vector: error code (or 0), vector, then the common part. */
    .balign 16
    .globl native_trap_stubs
native_trap_stubs:
vector = 0
    .rept VECTORS
    .balign 16
    /* Exceptions that push an error code themselves: SDM 3A table 6-1. */
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    .if vector == 2 || vector == 8 || vector == 18
    jmp nonmaskable_trap
    .else
    jmp common_trap
    .endif
vector = vector + 1
    .endr

common_trap:
    testb $3, 24(%rsp)
    jz from_kernel
    swapgs
    fence_swapgs
    patch_begin PATCH_ISOLATION
    pushq %rax
    load_root CPU_KERNEL_ROOT, %rax
    movq %rsp, %rax
    movq %gs:CPU_KERNEL_STACK, %rsp
    .irp offset, 56, 48, 40, 32, 24, 16, 8      /* ss down to the vector */
    pushq \offset(%rax)
    .endr
    movq (%rax), %rax
    patch_end
    push_registers
    cld
    close_user_access
    guard_entry
    xorl %ebp, %ebp
    movq %rsp, %rdi
    call native_user_trap
    jmp return_to_user

from_kernel:
    fence_swapgs
    push_registers
    cld
    close_user_access
    movq %rsp, %rdi
    cmpq $VECTOR_FIRST_INTERRUPT, REGISTERS_NUMBER(%rsp)
    jb 1f
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    jns user_base_in_kernel
1:  call native_kernel_trap
return_to_kernel:
    pop_registers
    addq $16, %rsp
    iretq

/* The user's GS base, which the interrupted code is about to swap. If it is about to change roots too, the thread's
 * kernel stack is not in use. */
user_base_in_kernel:
    swapgs
    patch_begin PATCH_ISOLATION
    movq %rsp, %r12
    movq %cr3, %rbx
    cmpq %gs:CPU_USER_ROOT, %rbx
    jne 1f
    load_root CPU_KERNEL_ROOT, %rax
    movq %gs:CPU_KERNEL_STACK, %rsp
1:
    patch_end
    call native_kernel_trap
    patch_begin PATCH_ISOLATION
    movq %rbx, %cr3
    movq %r12, %rsp
    patch_end
    swapgs
    jmp return_to_kernel

/* void native_halt(void). STI takes effect after the next instruction, so an interrupt that is already pending ends the
 * HLT at once. No stack frame: the platform test enters at the HLT. */
    .globl native_halt, native_wait_halt, native_wait_end
native_halt:
    sti
native_wait_halt:
    hlt
native_wait_end:
    cli
    ret

/* Does not return, so nothing needs to be restored. */
nonmaskable_trap:
    push_registers
    cld
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    js 1f
    swapgs
1:
    patch_begin PATCH_ISOLATION
    load_root CPU_KERNEL_ROOT, %rax
    patch_end
    movq %rsp, %rdi
    call native_nonmaskable_trap
    ud2

    .section .note.GNU-stack, "", @progbits
