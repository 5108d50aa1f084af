/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's way between the BIOS and C: entry from the boot sector, calls of the BIOS, and the jump to the kernel.
 *
 * C runs in 32-bit protected mode with flat segments, interrupts masked and paging off. A call of the BIOS goes back
 * to real mode with all segments 0, on the same stack, so what the BIOS is to find must lie below 64 KiB, as all of the
 * loader does. The BIOS may have loaded a descriptor table of its own, so ours is loaded after each call.
 */
#include "map.h"

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20
#define TASK 0x28

#define CR0_PROTECTED 1

/* struct bios_registers */
#define EAX 0
#define EBX 4
#define ECX 8
#define EDX 12
#define ESI 16
#define EDI 20
#define FLAGS 24
#define REGISTERS_SIZE 28

    .section .loader.start, "ax"
    .long LOADER_MAGIC

    .code16
    .globl loader_entry
loader_entry:
    cli
    lgdt gdt_pointer
    movl %cr0, %eax
    orl $CR0_PROTECTED, %eax
    movl %eax, %cr0
    ljmpl $CODE32, $1f

    .code32
1:  movl $DATA32, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl $SECTOR_ADDRESS, %esp
    movzbl %dl, %edx
    movl $bss_start, %edi
    movl $bss_end, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    pushl %edx
    call loader_main

/* void bios_call(uint8_t interrupt, struct bios_registers *registers) */
    .globl bios_call
bios_call:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl 20(%esp), %eax
    shll $2, %eax
    movl %eax, vector_address
    movl 24(%esp), %esi
    movl $registers, %edi
    movl $REGISTERS_SIZE, %ecx
    rep movsb
    ljmpl $CODE16, $1f

    .code16
1:  movw $DATA16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl %cr0, %eax
    andl $~CR0_PROTECTED, %eax
    movl %eax, %cr0
    ljmpw $0, $2f
2:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    lidt real_mode_vectors
    movw vector_address, %bp
    movl registers + EAX, %eax
    movl registers + EBX, %ebx
    movl registers + ECX, %ecx
    movl registers + EDX, %edx
    movl registers + ESI, %esi
    movl registers + EDI, %edi
    /* As INT does it: the handler returns with IRET. */
    sti
    pushfw
    cli
    lcallw *%ds:(%bp)
    cli
    movl %eax, %cs:registers + EAX
    pushfl
    popl %eax
    movl %eax, %cs:registers + FLAGS
    movl %ebx, %cs:registers + EBX
    movl %ecx, %cs:registers + ECX
    movl %edx, %cs:registers + EDX
    movl %esi, %cs:registers + ESI
    movl %edi, %cs:registers + EDI
    cld
    lgdt %cs:gdt_pointer
    movl %cr0, %eax
    orl $CR0_PROTECTED, %eax
    movl %eax, %cr0
    ljmpl $CODE32, $3f

    .code32
3:  movl $DATA32, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl 24(%esp), %edi
    movl $registers, %esi
    movl $REGISTERS_SIZE, %ecx
    rep movsb
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret

/* noreturn void kernel_enter(uint32_t entry, const struct start_info *info): the state of pvh.pandoc. */
    .globl kernel_enter
kernel_enter:
    movl 4(%esp), %eax
    movl 8(%esp), %ebx
    movl $TASK, %ecx
    ltr %cx
    jmpl *%eax

    .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            /* CODE32: 4 GiB, readable */
    .quad 0x00cf93000000ffff            /* DATA32: 4 GiB, writable */
    .quad 0x00009b000000ffff            /* CODE16: 64 KiB */
    .quad 0x000093000000ffff            /* DATA16: 64 KiB */
    .quad 0x0000890000000067            /* TASK: a 32-bit TSS, which is never used */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
real_mode_vectors:
    .word 0x3ff
    .long 0

    .bss
    .balign 4
vector_address:
    .skip 4
registers:
    .skip REGISTERS_SIZE

    .section .note.GNU-stack, "", @progbits
