/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the compiler calls or jumps to in place of each indirect call or jump (-mindirect-branch=thunk-extern). As
 * linked it is the plain jump. As a retpoline (Intel, "Retpoline: a branch target injection mitigation") it is a return
 * to the target, whose prediction comes from the call just made and leads speculation into an endless loop.
 *
 * The plain jump lies in the upper half of its cache line, where processors with the flaw ITS (Intel, "Indirect Target
 * Selection", CVE-2024-28956) predict it by its own history.
 */
#include "platform/x86/patch.h"

    .text
    .macro thunk register
    .balign 64, 0xcc
    .skip 32, 0xcc
    .globl __x86_indirect_thunk_\register
__x86_indirect_thunk_\register:
    patch_begin PATCH_RETPOLINE
    call 2f
1:  pause
    lfence
    jmp 1b
2:  movq %\register, (%rsp)
    ret
    int3
    patch_end
    jmp *%\register
    int3
    .endm

    .irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    thunk \register
    .endr

    .section .note.GNU-stack, "", @progbits
