/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying and filling memory in assembly, for memcpy() and memset() and for user memory: words of 8 bytes, then the
 * bytes that are left. From LONG_RUN words on it is one string instruction, which every processor does in larger
 * steps; below that its start costs more than a loop. No string instruction moves bytes: a processor without "enhanced
 * rep movsb" and an emulator do those one by one, and one that has it is as fast with words.
 *
 * rdi is the target, rsi the source, and rdx the number of bytes. After a page fault inside, 8 * rcx + rdx bytes are
 * not moved yet, and rdi and rsi point at the first of them. Addresses ascend, so a copy to lower addresses may
 * overlap. rcx and r8 are used.
 */
#pragma once

#define LONG_RUN 16 /* words */

#ifdef __ASSEMBLY__
/* clang-format off */
    .macro words_and_bytes
    mov %rdx, %rcx
    and $7, %edx
    shr $3, %rcx
    .endm

    .macro copy_run
    words_and_bytes
    jz .Lcopy_bytes\@
    cmp $LONG_RUN, %rcx
    jb .Lcopy_words\@
    rep movsq
    jmp .Lcopy_bytes\@
.Lcopy_words\@:
    mov (%rsi), %r8
    mov %r8, (%rdi)
    add $8, %rsi
    add $8, %rdi
    dec %ecx
    jnz .Lcopy_words\@
.Lcopy_bytes\@:
    copy_bytes
    .endm

    .macro copy_bytes
    test %rdx, %rdx
    jz .Lcopied\@
.Lcopy_byte\@:
    movb (%rsi), %r8b
    movb %r8b, (%rdi)
    inc %rsi
    inc %rdi
    dec %rdx
    jnz .Lcopy_byte\@
.Lcopied\@:
    .endm

    /* rax holds the byte in each of its eight bytes. */
    .macro fill_run
    words_and_bytes
    jz .Lfill_bytes\@
    cmp $LONG_RUN, %rcx
    jb .Lfill_words\@
    rep stosq
    jmp .Lfill_bytes\@
.Lfill_words\@:
    mov %rax, (%rdi)
    add $8, %rdi
    dec %ecx
    jnz .Lfill_words\@
.Lfill_bytes\@:
    fill_bytes
    .endm

    .macro fill_bytes
    test %rdx, %rdx
    jz .Lfilled\@
.Lfill_byte\@:
    movb %al, (%rdi)
    inc %rdi
    dec %rdx
    jnz .Lfill_byte\@
.Lfilled\@:
    .endm
/* clang-format on */
#endif
