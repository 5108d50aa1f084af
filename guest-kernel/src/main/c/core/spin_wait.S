/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin_wait() of lock.c for spin_lock(): RDI is the lock, and all registers but the flags stay as they are.
 */
    .text
    .globl spin_wait_keeping
    .type spin_wait_keeping, @function
spin_wait_keeping:
    push %rbp
    mov %rsp, %rbp
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    call spin_wait
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    pop %rbp
    ret
    .size spin_wait_keeping, . - spin_wait_keeping
    .section .note.GNU-stack, "", @progbits
