/* SPDX-License-Identifier: Apache-2.0 */
/* The linked vDSO (Makefile), as data of the kernel. */
    .section .rodata
    .globl vdso_image, vdso_image_end
    .balign 16
vdso_image:
    .incbin "vdso.so"
vdso_image_end:
    .section .note.GNU-stack, "", @progbits
