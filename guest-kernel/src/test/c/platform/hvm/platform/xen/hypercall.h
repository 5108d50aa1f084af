/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the kernel's header of this name: hypercalls go to fake_hvm.c. */
#pragma once

#include "platform/xen/xen.h"

extern char hypercall_page[];

int64_t hypercall(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
void hypercall_yield(void);
