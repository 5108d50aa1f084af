/*
 * Copying to and from user memory. A page fault inside [user_copy_begin, user_copy_end) that cannot be
 * served continues at user_copy_fixup (memory/user.c), with rcx still the bytes not yet moved.
 * size_t user_copy_raw(void *to, const void *from, size_t n), size_t user_clear_raw(void *to, size_t n)
 * return the number of bytes NOT moved.
 *
 * The no-operations at user_access_* are room for STAC and CLAC: a platform whose CPU has supervisor-mode access
 * prevention writes them in at boot.
 */
#define ROOM_FOR_INSTRUCTION .byte 0x0f, 0x1f, 0x00

    .text
    .globl user_access_open_copy, user_access_open_clear, user_access_close
    .globl user_copy_raw, user_clear_raw, user_copy_begin, user_copy_end, user_copy_fixup
    .type user_copy_raw, @function
    .type user_clear_raw, @function
user_copy_raw:
    mov %rdx, %rcx
user_access_open_copy:
    ROOM_FOR_INSTRUCTION
    jmp 1f
user_clear_raw:
    mov %rsi, %rcx
    xor %eax, %eax
user_access_open_clear:
    ROOM_FOR_INSTRUCTION
    jmp 2f
user_copy_begin:
1:  rep movsb
    jmp user_copy_fixup
2:  rep stosb
user_copy_end:
user_copy_fixup:
user_access_close:
    ROOM_FOR_INSTRUCTION
    mov %rcx, %rax
    ret
    .section .note.GNU-stack, "", @progbits
