/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/x86/context.h. A suspended stack holds, upwards from the saved stack pointer: r15, r14,
 * r13, r12, rbx, rbp, return address.
 */
#include "platform/x86/patch.h"

    .text

/* void context_switch(uint64_t *from, uint64_t to) */
    .globl context_switch
    .type context_switch, @function
context_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    /* The new stack's returns were called for elsewhere: 32 calls, the most that a processor predicts returns for. */
    patch_begin PATCH_FILL_RETURNS
    movl $16, %ecx
1:  call 2f
    int3
2:  call 3f
    int3
3:  addq $16, %rsp
    decl %ecx
    jnz 1b
    lfence
    patch_end
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size context_switch, . - context_switch

/* uint64_t context_create(void *stack_top, void (*entry)(void *), void *argument) */
    .globl context_create
    .type context_create, @function
context_create:
    leaq -64(%rdi), %rax
    andq $~15, %rax
    movq $0, (%rax)                     /* r15 */
    movq $0, 8(%rax)                    /* r14 */
    movq $0, 16(%rax)                   /* r13 */
    movq %rdx, 24(%rax)                 /* r12: the argument */
    movq %rsi, 32(%rax)                 /* rbx: the function */
    movq $0, 40(%rax)                   /* rbp: where backtraces end */
    movq $context_start, 48(%rax)
    ret
    .size context_create, . - context_create

    .type context_start, @function
context_start:
    call kernel_thread_switched
    movq %r12, %rdi
    call __x86_indirect_thunk_rbx
    ud2
    .size context_start, . - context_start

    .section .note.GNU-stack, "", @progbits
