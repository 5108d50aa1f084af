/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start of day, and the ways into and out of the kernel: system calls, exceptions, events.
 *
 * Xen delivers all three by pushing a frame onto the kernel stack (in kernel mode: the current stack,
 * aligned to 16): rcx, r11, [error code], rip, cs, rflags, rsp, ss from low to high. The RPL of cs is 0
 * when kernel mode was interrupted, and its upper half holds the event mask before. Event delivery is
 * masked on all of these ways. From user mode the frame lies at the top of the
 * thread's stack, so that the struct registers (platform.h) built around it ends there.
 *
 * The way back to user mode is the hypercall IRET, which unmasks events and switches tables in one
 * step: there is no window in which an event could find us half out. Back to kernel mode a plain IRETQ
 * does, since events stay masked.
 */
#include "platform/x86/registers.h"
#include "platform/xen/xen.h"
#include "platform/xenpv/layout.h"

    .macro note type
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:
    .endm
    .macro note_string type, text
    note \type
    .asciz "\text"
2:  .balign 4
    .endm
    .macro note_number type, value
    note \type
    .quad \value
2:  .balign 4
    .endm

    .section .note.xen, "a", @note
    note_string ELFNOTE_GUEST_OS, "unikernel"
    note_string ELFNOTE_GUEST_VERSION, "1"
    note_string ELFNOTE_XEN_VERSION, "xen-3.0"
    note_string ELFNOTE_LOADER, "generic"
    note_string ELFNOTE_FEATURES, "pae_pgdir_above_4gb"
    note_number ELFNOTE_VIRT_BASE, LINKED_BASE
    note_number ELFNOTE_PADDR_OFFSET, 0
    note_number ELFNOTE_ENTRY, xenpv_entry
    note_number ELFNOTE_HYPERCALL_PAGE, hypercall_page

    .text

/* RSI = virtual address of struct start_info; events are masked. */
    .globl xenpv_entry
xenpv_entry:
    cld
    movq $pv_boot_stack_top, %rsp
    xorl %ebp, %ebp
    movq %rsi, %rbx
    rdtsc
    shlq $32, %rdx
    orq %rax, %rdx
    movq %rdx, %r12
    movq %rbx, %rdi
    movq $relocations_start, %rsi
    movq $relocations_end, %rdx
    call pv_slide
    /* From here on addresses are those it chose. */
    movabsq $1f, %rax
    jmpq *%rax
1:  movq $pv_boot_stack_top, %rsp
    movq %rbx, %rdi
    movq %r12, %rsi
    call pv_start
    ud2

/* Turns a frame without an error code into the tail of struct registers: rcx and r11 lie where `number`
 * and `error` belong. */
    .macro take_frame number
    movq 8(%rsp), %r11
    movq (%rsp), %rcx
    movq \number, (%rsp)
    movq $0, 8(%rsp)
    .endm

    .globl pv_system_call_entry
pv_system_call_entry:
    take_frame %rax
    push_registers
    movl $0, REGISTERS_CS + 4(%rsp)
    cld
    xorl %ebp, %ebp
    movq %rsp, %rdi
    call kernel_system_call

/* RSP = struct registers at the top of the stack. */
return_to_user:
    movq %rsp, %rdi
    call pv_leave_kernel
    /* The frame of IRET: flags, which go where `error` was, then rip, cs, rflags, rsp, ss. The hypercall
     * page pushes rcx, r11 and rax below. */
    movq %rax, REGISTERS_ERROR(%rsp)
    pop_registers
    addq $8, %rsp
    jmp hypercall_page + HYPERCALL_IRET * HYPERCALL_ENTRY_SIZE

/* noreturn void pv_enter_user(struct registers *registers): they are at the stack's top. */
    .globl pv_enter_user
pv_enter_user:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    jmp return_to_user

    .globl pv_event_entry
pv_event_entry:
    take_frame $-1
    push_registers
    movl $0, REGISTERS_CS + 4(%rsp)
    cld
    testb $3, REGISTERS_CS(%rsp)
    jz return_to_kernel                 /* to pv_cpu_wait(), which handles what is pending */
    /* pv_leave_kernel() looks for pending events. */
    xorl %ebp, %ebp
    jmp return_to_user

/* Xen could not load a selector or return where we asked it to. The frame has ds, es, fs, gs after
 * r11. To the thread it is a protection fault. */
    .globl pv_failsafe_entry
pv_failsafe_entry:
    movq (%rsp), %rcx
    movq 8(%rsp), %r11
    addq $32, %rsp
    movq $13, (%rsp)
    movq $0, 8(%rsp)
    jmp common_trap

    .macro trap vector
    .globl pv_trap_\vector
pv_trap_\vector:
    take_frame $\vector
    jmp common_trap
    .endm
    .macro trap_with_error vector
    .globl pv_trap_\vector
pv_trap_\vector:
    popq %rcx
    movq (%rsp), %r11
    movq $\vector, (%rsp)
    jmp common_trap
    .endm

    trap 0
    trap 1
    trap 3
    trap 4
    trap 5
    trap 6
    trap 7
    trap_with_error 10
    trap_with_error 11
    trap_with_error 12
    trap_with_error 13
    trap_with_error 14
    trap 16
    trap_with_error 17
    trap 19

common_trap:
    push_registers
    movl $0, REGISTERS_CS + 4(%rsp)
    cld
    movq %rsp, %rdi
    testb $3, REGISTERS_CS(%rsp)
    jz 1f
    xorl %ebp, %ebp
    call pv_user_trap
    jmp return_to_user
1:  call pv_kernel_trap

return_to_kernel:
    pop_registers
    addq $16, %rsp
    orb $3, 8(%rsp)                     /* the real RPL of kernel mode */
    iretq

    .bss
    .balign HYPERCALL_PAGE_SIZE
    /* The page below the stack stays unmapped. */
    .globl pv_boot_stack_guard, pv_boot_stack_top
pv_boot_stack_guard:
    .skip HYPERCALL_PAGE_SIZE
    .skip 4 * HYPERCALL_PAGE_SIZE
pv_boot_stack_top:

    .section .note.GNU-stack, "", @progbits
