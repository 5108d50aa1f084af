/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first instructions of a CPU that the boot CPU starts (Intel SDM 3A 8.4.4): real mode, at the first byte of the
 * page that the start-up message names. cpus.c copies this code there, builds the page tables after it, which map the
 * page at its own address and the kernel, and fills in the parameters. Only numbers that are relative to the code's
 * beginning are used until paging is on.
 */
#include "platform/native/selectors.h"
#include "platform/native/start.h"

#define REAL_CODE_32 0x08               /* the segment between real mode and 64-bit code */
#define CR0_PROTECTION 1
#define CR0_PAGING 0x80050023           /* PG AM WP NE MP PE, as in entry.S */
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_SCE_LME_NXE 0x901

    .section .rodata
    .globl native_start_code, native_start_code_end
    .balign 8
native_start_code:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl pointer - native_start_code
    movl %cr0, %eax
    orl $CR0_PROTECTION, %eax
    movl %eax, %cr0
    ljmpl $REAL_CODE_32, $(START_PAGE + protected - native_start_code)

    .code32
protected:
    movl $KERNEL_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $START_ROOT, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_SCE_LME_NXE, %eax
    wrmsr
    movl $CR0_PAGING, %eax
    movl %eax, %cr0
    ljmpl $KERNEL_CODE, $(START_PAGE + long_mode - native_start_code)

    .code64
long_mode:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebp, %ebp
    movl $(START_PAGE + START_PARAMETERS), %esi
    movq (%rsi), %rax
    movq 8(%rsi), %rsp
    movq 16(%rsi), %rdi
    pushq $0                            /* where a backtrace ends */
    jmpq *%rax

    .balign 8
segments:
    .quad 0
    .quad 0x00cf9b000000ffff            /* REAL_CODE_32 */
    .quad 0x00af9b000000ffff            /* KERNEL_CODE: 64-bit, present, readable */
    .quad 0x00cf93000000ffff            /* KERNEL_DATA: present, writable */
pointer:
    .word . - segments - 1
    .long START_PAGE + segments - native_start_code
native_start_code_end:

    .section .note.GNU-stack, "", @progbits
