/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's way from the firmware to C, and to the kernel. C is that of Linux, so the registers are other ones than
 * the firmware's (UEFI specification 2.10, 2.3.4.2); nothing returns, so none is kept.
 */
#define CR0_PROTECTED (1 << 0)
#define CR4_PHYSICAL_ADDRESS_EXTENSION (1 << 5)
#define CR4_FIVE_LEVELS (1 << 12)
#define MSR_EFER 0xc0000080

#define CODE32 0x08
#define DATA32 0x10
#define TASK 0x18

    .text
    .globl efi_entry
    .hidden efi_entry
efi_entry:
    movq %rcx, %rdi
    movq %rdx, %rsi
    andq $-16, %rsp
    call loader_main

/*
 * noreturn void handover(uint32_t entry, uint32_t start_info): runs as a copy below 4 GiB. From 64-bit mode with the
 * firmware's tables to the state of pvh.pandoc: 32-bit protected mode with flat segments, paging off.
 */
    .balign 16
    .globl handover_start, handover_end
    .hidden handover_start, handover_end
handover_start:
    cli
    leaq gdt(%rip), %rax
    movq %rax, gdt_pointer + 2(%rip)
    lgdt gdt_pointer(%rip)
    movl %edi, %ebp
    movl %esi, %ebx
    /* A stack of our own: the firmware's may lie above 4 GiB, which is no place in 32-bit mode. */
    leaq stack_end(%rip), %rsp
    /* What 64-bit paging needs stays until paging is off. */
    movq %cr4, %rax
    andl $(CR4_PHYSICAL_ADDRESS_EXTENSION | CR4_FIVE_LEVELS), %eax
    movq %rax, %cr4
    leaq 1f(%rip), %rax
    pushq $CODE32
    pushq %rax
    lretq

    .code32
1:  movl $DATA32, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl $CR0_PROTECTED, %eax
    movl %eax, %cr0
    movl $MSR_EFER, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    movl %eax, %cr4
    movl $TASK, %ecx
    ltr %cx
    jmpl *%ebp

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            /* CODE32: 4 GiB, readable */
    .quad 0x00cf93000000ffff            /* DATA32: 4 GiB, writable */
    .quad 0x0000890000000067            /* TASK: a 32-bit TSS, which is never used */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .quad 0
    .balign 16
    .skip 16
stack_end:
handover_end:

    .section .note.GNU-stack, "", @progbits
