/* SPDX-License-Identifier: Apache-2.0 */
/* memcpy() and memset() of lib/string.h. If they were in C the compiler would turn their loops into calls of
 * themselves. */
#include "lib/runs.h"

    .text
    .globl memcpy, memset
    .type memcpy, @function
    .type memset, @function
memcpy:
    mov %rdi, %rax
    copy_run
    ret

memset:
    mov %rdi, %r9
    movzbl %sil, %eax
    movabs $0x0101010101010101, %r8
    imul %r8, %rax
    fill_run
    mov %r9, %rax
    ret
    .section .note.GNU-stack, "", @progbits
