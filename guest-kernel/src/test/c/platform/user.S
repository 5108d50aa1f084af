/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program run by test_platform.c in user mode, position-independent. Traps go on at r15, except that
 * on USER_LATE_PAGE, whose page the kernel then has.
 */
#include "user.h"

    .macro call number
    movl $\number, %eax
    syscall
    .endm
    /* Reports that a check holds if the flags say "equal". */
    .macro report_equal which
    setne %sil
    movzbl %sil, %esi
    movl $\which, %edi
    call CALL_CHECK
    .endm
    .macro trapping instruction:vararg
    leaq 9f(%rip), %r15
    \instruction
9:
    .endm

    .section .rodata
    .globl user_program, user_program_end
user_program:
    movq $0xb0b, %rbx
    movq $0x1010, %r10
    movq $0x8888, %r8
    movq %rsp, %rbp
    call CALL_START_TIMER
    xorq $0xb0b, %rbx
    xorq $0x1010, %r10
    xorq $0x8888, %r8
    xorq %rsp, %rbp
    orq %r10, %rbx
    orq %r8, %rbx
    orq %rbp, %rbx
    xorq $CALL_START_TIMER, %rax
    orq %rax, %rbx
    report_equal CHECK_REGISTERS
    cmpq $USER_THREAD_WORD, %fs:0
    report_equal CHECK_FS

    trapping int3
    movl $1, %eax
    xorl %edx, %edx
    xorl %ecx, %ecx
    trapping divq %rcx
    trapping ud2
    pushq $(PROGRAM_FLAGS + 2)
    popfq
    trapping ud2
    pushq $(PROGRAM_FLAGS + 2)
    popfq
    call CALL_FLAGS
    pushq $2
    popfq
    movq $77, USER_LATE_PAGE
    cmpq $77, USER_LATE_PAGE
    report_equal CHECK_LATE_PAGE
    trapping movq 0, %rax
    movabsq $0xffff880000000000, %rax
    trapping movq (%rax), %rax
    trapping movb $1, user_program(%rip)
    movabsq $USER_STACK, %rax
    trapping jmp *%rax
    movabsq $0x8000000000000000, %rax
    trapping jmp *%rax
    movl $CALL_BAD_RIP, %eax
    trapping syscall
    trapping cli
    trapping int $0x80
    trapping inb $0x60, %al

    /* The kernel answers with other registers than SYSRET would give. */
    call CALL_FORGE
    xorq $0xc0c0, %rcx
    xorq $0x1111, %r11
    orq %r11, %rcx
    report_equal CHECK_FORGED

    /* A selector a program may load; it must not disturb the way back from the kernel. */
    movl %ss, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs

    call CALL_START_TIMER
    movq $0x5a5a5a5a, %r14
    movq %r14, -8(%rsp)
    movq %r14, -120(%rsp)
    movq $0x1234567, %r11
    movq $50000000, %rcx
1:  decq %rcx
    jnz 1b
    movq %r11, %r12
    call CALL_COUNT_TIMER
    cmpq $2, %rax
    setb %sil
    movzbl %sil, %esi
    movl $CHECK_INTERRUPTS, %edi
    call CALL_CHECK
    xorq $0x1234567, %r12
    movq -8(%rsp), %rax
    xorq %r14, %rax
    orq %rax, %r12
    movq -120(%rsp), %rax
    xorq %r14, %rax
    orq %rax, %r12
    report_equal CHECK_INTERRUPTED
    call CALL_END
    ud2
user_program_end:

    .section .note.GNU-stack, "", @progbits
