/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* What the threads that run the guest's CPUs have had of the machine's: proc(5), schedstat. Nanoseconds. */
uint64_t guest_cpu_ns(pid_t emulator);
uint64_t now_ns(void);
