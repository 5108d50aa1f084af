/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PVH entry (xen/docs/misc/pvh.pandoc): 32-bit protected mode, flat segments, paging off, EBX =
 * physical address of struct hvm_start_info. Builds tables that map the first 4 GiB at 0 and at DIRECT_MAP
 * and the first GiB at LINKED_BASE, writable and executable; slide.c moves the image in that GiB, paging.c
 * replaces them.
 */
#include "platform/native/selectors.h"

#define LINKED_BASE 0xffffffff80000000
#define PHYSICAL(symbol) ((symbol) - LINKED_BASE)

#define ELFNOTE_PHYS32_ENTRY 18         /* xen/elfnote.h */

#define ENTRY_TABLE 0x03                /* present, writable */
#define ENTRY_2M 0x83                   /* present, writable, large */
#define DIRECT_MAP_SLOT 272             /* of the level-4 table: DIRECT_MAP >> 39 & 511 */

#define CR0_PAGING 0x80050023           /* PG AM WP NE MP PE */
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_SCE_LME_NXE 0x901

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad PHYSICAL(pvh_entry)

    .text
    .code32
    .globl pvh_entry
pvh_entry:
    cld
    rdtsc
    movl %eax, PHYSICAL(native_entry_tsc)
    movl %edx, PHYSICAL(native_entry_tsc) + 4
    movl $PHYSICAL(native_boot_stack_top), %esp

    movl $PHYSICAL(early_level2), %edi
    movl $ENTRY_2M, %eax
    xorl %edx, %edx
    movl $(4 * 512), %ecx
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $PHYSICAL(early_level3_low), %edi
    movl $(PHYSICAL(early_level2) + ENTRY_TABLE), %eax
    movl %eax, PHYSICAL(early_level3_kernel) + 510 * 8
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b

    movl $(PHYSICAL(early_level3_low) + ENTRY_TABLE), %eax
    movl %eax, PHYSICAL(native_early_tables)
    movl %eax, PHYSICAL(native_early_tables) + DIRECT_MAP_SLOT * 8
    movl $(PHYSICAL(early_level3_kernel) + ENTRY_TABLE), %eax
    movl %eax, PHYSICAL(native_early_tables) + 511 * 8

    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYSICAL(native_early_tables), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_SCE_LME_NXE, %eax
    wrmsr
    movl $CR0_PAGING, %eax
    movl %eax, %cr0
    lgdt PHYSICAL(early_gdt_pointer)
    ljmp $KERNEL_CODE, $PHYSICAL(1f)

    .code64
1:  movabsq $2f, %rax
    jmpq *%rax
2:  movl $KERNEL_DATA, %eax
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movq $native_boot_stack_top, %rsp
    xorl %ebp, %ebp
    movl %ebx, %edi
    movq $relocations_start, %rsi
    movq $relocations_end, %rdx
    call native_slide
    /* From here on addresses are those it chose. */
    movabsq $3f, %rax
    jmpq *%rax
3:  movq $native_boot_stack_top, %rsp
    movl %ebx, %edi
    call native_start
    ud2

    .section .rodata
    .balign 8
early_gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff            /* KERNEL_CODE: 64-bit, present, readable */
    .quad 0x00cf93000000ffff            /* KERNEL_DATA: present, writable */
early_gdt_pointer:
    .word . - early_gdt - 1
    .long PHYSICAL(early_gdt)

    .bss
    .balign 8
    .globl native_entry_tsc
native_entry_tsc:
    .skip 8
    .balign 4096
    /* Given to the page allocator once paging.c's tables are in use. */
    .globl native_early_tables, native_early_tables_end
native_early_tables:
    .skip 4096
early_level3_low:
    .skip 4096
    .globl early_level3_kernel, early_level2_kernel, early_level1_kernel
early_level3_kernel:
    .skip 4096
early_level2_kernel:
    .skip 4096
early_level1_kernel:
    .skip 2 * 4096
early_level2:
    .skip 4 * 4096
native_early_tables_end:
    /* The page below the stack stays unmapped. */
    .globl native_boot_stack_guard, native_boot_stack_top
native_boot_stack_guard:
    .skip 4096
    .skip 4 * 4096
native_boot_stack_top:

    .section .note.GNU-stack, "", @progbits
