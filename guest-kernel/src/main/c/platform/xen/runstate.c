/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/xen/runstate.h"

#include "platform/xen/hypercall.h"

bool runstate_start(struct runstate *to, unsigned vcpu)
{
    /* Without the mark (before Xen 4.9) only the virtual CPU itself reads whole times for certain. */
    (void)hypercall(HYPERCALL_VM_ASSIST, VM_ASSIST_ENABLE, VM_ASSIST_RUNSTATE_UPDATE, 0, 0);
    uint64_t address = (uintptr_t)to;
    return hypercall(HYPERCALL_VCPU_OP, VCPU_REGISTER_RUNSTATE, vcpu, (uintptr_t)&address, 0) == 0;
}

/* Xen marks `entered` before it writes the times, and sets it to another value without the mark afterwards. */
nanoseconds runstate_stolen(const struct runstate *of)
{
    uint64_t entered;
    nanoseconds stolen;
    do {
        entered = __atomic_load_n(&of->entered, __ATOMIC_ACQUIRE);
        stolen = read_once(of->times[RUNSTATE_RUNNABLE]) + read_once(of->times[RUNSTATE_OFFLINE]);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((entered & RUNSTATE_UPDATE) || entered != read_once(of->entered));
    return stolen;
}
