/*
 * Ways into and out of the kernel: SYSCALL, exceptions, interrupts, and the exits to user mode.
 * All build a struct registers (platform.h) on the kernel stack, at its top when they come from user
 * mode. GS holds the user's base in user mode and &struct cpu in the kernel; SWAPGS is done exactly at
 * transitions between the two. Non-maskable traps may hit between, so they have stacks of
 * their own (IST) and look at the GS base itself. Interrupts cannot, but QEMU's nested SVM delivers some twice
 * (docs/pvh.md), so those from the kernel look at it too: outside of cpu_wait() that costs nothing, since there
 * are none.
 */
#include "platform/pvh/selectors.h"
#include "platform/x86/registers.h"

#define MSR_GS_BASE 0xc0000101

    .text

/* RCX = user RIP, R11 = user RFLAGS, RSP still the user's; interrupts masked by SFMASK. */
    .macro enter_by_syscall number
    swapgs
    movq %rsp, %gs:CPU_SCRATCH
    movq %gs:CPU_KERNEL_STACK, %rsp
    pushq $USER_DATA
    pushq %gs:CPU_SCRATCH
    pushq %r11
    pushq $USER_CODE
    pushq %rcx
    pushq $0
    pushq \number
    push_registers
    xorl %ebp, %ebp
    movq %rsp, %rdi
    .endm

/* SYSCALL in 32-bit mode, in which no user program can be (segments.c): an undefined instruction. */
    .globl pvh_system_call_32bit
pvh_system_call_32bit:
    enter_by_syscall $VECTOR_INVALID_OPCODE
    call pvh_user_trap
    jmp return_to_user

    .globl pvh_system_call
pvh_system_call:
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
    pop_registers
    movq (REGISTERS_RSP - 120)(%rsp), %rsp
    swapgs
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
1:  pop_registers
    addq $16, %rsp
    swapgs
    iretq

/* noreturn void pvh_enter_user(struct registers *registers): they are at the stack's top. */
    .globl pvh_enter_user
pvh_enter_user:
    movq %rdi, %rsp
    jmp return_to_user

/* One stub for each vector: error code (or 0), vector, then the common part. */
    .balign 16
    .globl pvh_trap_stubs
pvh_trap_stubs:
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
    jz 1f
    swapgs
1:  push_registers
    cld
    .globl pvh_trap_close_access
pvh_trap_close_access:                  /* room for CLAC, see access.c; the IRET brings AC back */
    .byte 0x0f, 0x1f, 0x00
    testb $3, REGISTERS_CS(%rsp)
    jz from_kernel
    xorl %ebp, %ebp
    movq %rsp, %rdi
    call pvh_user_trap
    jmp return_to_user

from_kernel:
    movq %rsp, %rdi
    cmpq $VECTOR_FIRST_INTERRUPT, REGISTERS_NUMBER(%rsp)
    jb 1f
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    jns user_base_in_kernel
1:  call pvh_kernel_trap
return_to_kernel:
    pop_registers
    addq $16, %rsp
    iretq

/* The user's GS base, which the interrupted code is about to swap. */
user_base_in_kernel:
    swapgs
    call pvh_kernel_trap
    swapgs
    jmp return_to_kernel

/* Does not return, so nothing needs to be restored. */
nonmaskable_trap:
    push_registers
    cld
    movl $MSR_GS_BASE, %ecx
    rdmsr
    testl %edx, %edx
    js 1f
    swapgs
1:  movq %rsp, %rdi
    call pvh_nonmaskable_trap
    ud2

    .section .note.GNU-stack, "", @progbits
