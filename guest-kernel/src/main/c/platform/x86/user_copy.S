/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying to and from user memory, and clearing it (platform/platform.h). A fault between user_copy_begin and
 * user_copy_end that cannot be served goes on at user_copy_fixup. If it was at a word (lib/runs.h), single bytes follow
 * up to the first that cannot be reached, so the number of bytes that were not moved is exact.
 *
 * Four bytes at aligned addresses are moved by one access each, since other CPUs may change and read that word
 * meanwhile.
 *
 * Where the CPU has supervisor-mode access prevention, user memory is open in here only.
 */
#include "lib/runs.h"
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
user_clear_raw:
    mov %rsi, %rdx
    xor %eax, %eax
    xor %r9d, %r9d                      /* it clears */
    open_user_access
    jmp .Lclear
/* rdi: address, esi: expected value, edx: new value, rcx: where to put the value that was found */
user_exchange_raw:
    mov %rcx, %r8
    mov %esi, %eax
    mov %edx, %esi
    mov $4, %edx
    xor %ecx, %ecx
    open_user_access
    jmp .Lexchange
user_copy_raw:
    mov $1, %r9d                        /* it copies */
    open_user_access
    cmp $4, %rdx
    je .Lword
user_copy_begin:
.Lcopy:
    copy_run
    jmp .Ldone
.Lword:
    mov %edi, %ecx
    or %esi, %ecx
    and $3, %ecx
    jnz .Lcopy
    mov (%rsi), %eax
    mov %eax, (%rdi)
    xor %edx, %edx
    jmp .Ldone
.Lexchange:
    lock cmpxchg %esi, (%rdi)
    mov %eax, (%r8)
    xor %edx, %edx
    jmp .Ldone
.Lclear:
    fill_run
    jmp .Ldone
.Lcopy_rest:
    copy_bytes
    jmp .Ldone
.Lclear_rest:
    fill_bytes
user_copy_end:
.Ldone:
    patch_begin PATCH_USER_ACCESS
    clac
    patch_end
    mov %rdx, %rax
    ret

user_copy_fixup:
    test %rcx, %rcx
    jz .Ldone
    lea (%rdx, %rcx, 8), %rdx
    xor %ecx, %ecx
    test %r9d, %r9d
    jz .Lclear_rest
    jmp .Lcopy_rest
    .section .note.GNU-stack, "", @progbits
