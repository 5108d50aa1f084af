/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that Xen fills with its entry points (platform/xen/hypercall.h). Until then it is made of breakpoints.
 */
#include "platform/xen/xen.h"

    .section .text.hypercall_page, "ax"
    .balign HYPERCALL_PAGE_SIZE
    .globl hypercall_page
hypercall_page:
    .fill HYPERCALL_PAGE_SIZE, 1, 0xcc

    .section .note.GNU-stack, "", @progbits
