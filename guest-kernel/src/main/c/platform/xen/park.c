/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/xen/park.h"

#include "platform/xen/hypercall.h"

bool cpus_parking;              /* atomic */
static unsigned parked;         /* atomic: CPUs that wait */
static void (*answer_of)(void); /* changes while none of them does */

static void wait_for(unsigned count)
{
    while (__atomic_load_n(&parked, __ATOMIC_ACQUIRE) != count) {
        answer_of();
        hypercall_yield();
    }
}

void cpus_park(void (*answer)(void))
{
    answer_of = answer;
    __atomic_store_n(&cpus_parking, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 1; i < cpus_online; i++) {
        cpu_rouse(cpus[i]); /* it may sleep, waiting for the kernel lock */
        cpu_interrupt(cpus[i]);
    }
    wait_for(cpus_online - 1);
}

void cpus_release(void)
{
    __atomic_store_n(&cpus_parking, false, __ATOMIC_SEQ_CST);
    wait_for(0);
}

void cpu_park(void)
{
    __atomic_add_fetch(&parked, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&cpus_parking, __ATOMIC_ACQUIRE)) {
        answer_of();
        hypercall_yield();
    }
    __atomic_sub_fetch(&parked, 1, __ATOMIC_SEQ_CST);
}
