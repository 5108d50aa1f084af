/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vDSO: clock_gettime(2) and related calls as user code that reads the clock page, without a trap (vdso(7)).
 */
#pragma once

#include "lib/types.h"

int vdso_map(void);
/* Where its ELF header is in user memory: AT_SYSINFO_EHDR. */
uintptr_t vdso_address(void);
/* CPUID leaf 1 EDX: AT_HWCAP. */
uint64_t vdso_cpu_features(void);
