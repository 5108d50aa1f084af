/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While a domain is saved, its other CPUs wait in a loop in which they touch nothing that is shared with Xen: no clock,
 * no event channel, no log. They are saved there, and go on in it when the domain is restored.
 *
 * The boot CPU asks them with the kernel lock, so that they come to wait for that lock, where they answer others
 * (platform.h: cpu_answer()); natively they also come by an interrupt.
 */
#pragma once

#include "platform/platform.h"

/* Not to be used but by the function below. */
extern bool cpus_parking;

/* Returns when all other CPUs wait. For the boot CPU. `answer` is what the platform does for CPUs that wait for an
 * answer, and is called by all CPUs until they are released. */
void cpus_park(void (*answer)(void));
/* Returns when none of them waits any more. */
void cpus_release(void);

/* Waits until cpus_release(). */
void cpu_park(void);
static inline bool cpu_is_to_park(void)
{
    return unlikely(__atomic_load_n(&cpus_parking, __ATOMIC_ACQUIRE)) && this_cpu()->id != 0;
}
