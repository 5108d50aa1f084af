/*
 * Copying to and from user memory. A page fault inside [user_copy_begin, user_copy_end) that cannot be
 * served continues at user_copy_fixup (memory/user.c), with rcx still the bytes not yet moved.
 * size_t user_copy_raw(void *to, const void *from, size_t n), size_t user_clear_raw(void *to, size_t n)
 * return the number of bytes NOT moved.
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
    .globl user_copy_raw, user_clear_raw, user_copy_begin, user_copy_end, user_copy_fixup
    .type user_copy_raw, @function
    .type user_clear_raw, @function
user_copy_raw:
    mov %rdx, %rcx
    open_user_access
    jmp 1f
user_clear_raw:
    mov %rsi, %rcx
    xor %eax, %eax
    open_user_access
    jmp 2f
user_copy_begin:
1:  rep movsb
    jmp user_copy_fixup
2:  rep stosb
user_copy_end:
user_copy_fixup:
    patch_begin PATCH_USER_ACCESS
    clac
    patch_end
    mov %rcx, %rax
    ret
    .section .note.GNU-stack, "", @progbits
