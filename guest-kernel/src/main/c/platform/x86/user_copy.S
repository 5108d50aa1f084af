/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying to and from user memory (platform/platform.h). In a page fault rcx holds the bytes not yet moved. Four bytes
 * are moved by one access each, since other CPUs may change and read that word meanwhile.
 *
 * Where the CPU has supervisor-mode access prevention, user memory is open between the two of them only.
 */
#include "platform/x86/patch.h"

    .macro open_user_access
    patch_begin PATCH_USER_ACCESS
    stac
    patch_end
    .endm

    .text
    .globl user_copy_raw, user_clear_raw, user_exchange_raw, user_copy_begin, user_copy_end, user_copy_fixup
    .type user_copy_raw, @function
    .type user_clear_raw, @function
    .type user_exchange_raw, @function
user_copy_raw:
    mov %rdx, %rcx
    open_user_access
    cmp $4, %edx
    je 3f
    jmp 1f
user_clear_raw:
    mov %rsi, %rcx
    xor %eax, %eax
    open_user_access
    jmp 2f
/* rdi: address, esi: expected value, edx: new value, rcx: where to put the value that was found */
user_exchange_raw:
    mov %rcx, %r8
    mov $4, %ecx
    mov %esi, %eax
    open_user_access
    jmp 4f
user_copy_begin:
1:  rep movsb
    jmp user_copy_fixup
2:  rep stosb
    jmp user_copy_fixup
3:  mov (%rsi), %eax
    mov %eax, (%rdi)
    xor %ecx, %ecx
    jmp user_copy_fixup
4:  lock cmpxchg %edx, (%rdi)
    mov %eax, (%r8)
    xor %ecx, %ecx
user_copy_end:
user_copy_fixup:
    patch_begin PATCH_USER_ACCESS
    clac
    patch_end
    mov %rcx, %rax
    ret
    .section .note.GNU-stack, "", @progbits
