/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the machine, and random numbers. */
#include "core/pages.h"
#include "lib/string.h"
#include "linux/syscalls.h"
#include "linux/system.h"
#include "memory/page_cache.h"
#include "memory/transfer.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/thread.h"

char host_name[SYSTEM_NAME_SIZE] = "unikernel";

/* Deviates: The version is "unikernel". */
SYSCALL_DEFINE1(uname, uintptr_t, buffer)
{
    struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } name = {
        .system = "Linux", .release = SYSTEM_RELEASE, .version = "unikernel", .machine = "x86_64", .domain = "(none)"
    };
    string_copy(name.node, host_name, sizeof(name.node));
    return user_put(buffer, &name);
}

/* Restartable sequences need the kernel to restart them on preemption; glibc does without. */
/* Deviates: Not offered (ENOSYS), as on a Linux without restartable sequences. It exists so that nothing is
 * logged. */
SYSCALL_DEFINE4(rseq, uintptr_t, rseq, unsigned, rseq_len, uint32_t, flags, uint32_t, sig) { return -ENOSYS; }
/* Deviates: There is no second process (ENOSYS). It exists so that nothing is logged. */
SYSCALL_DEFINE0(vfork) { return -ENOSYS; }

/* Deviates: There is one node of memory, and no policy (ENOSYS). It exists so that nothing is logged. */
SYSCALL_DEFINE5(get_mempolicy, uintptr_t, mode, uintptr_t, nodemask, uint64_t, maxnode, uintptr_t, addr, uint64_t,
                flags)
{
    return -ENOSYS;
}

SYSCALL_DEFINE3(getrandom, uintptr_t, buffer, size_t, size, uint32_t, flags)
{
    enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4 }; /* GRND_*: they make no difference */
    if (flags & ~(uint32_t)(NONBLOCK | RANDOM | INSECURE) || (flags & RANDOM && flags & INSECURE))
        return -EINVAL;
    struct transfer transfer;
    transfer_init_user(&transfer, buffer, size);
    return transfer_out_random(&transfer);
}

/* Deviates: Load averages are 0. */
SYSCALL_DEFINE1(sysinfo, uintptr_t, info)
{
    struct {
        int64_t uptime;
        uint64_t loads[3], total, free, shared, buffers, swap_total, swap_free;
        uint16_t processes, padding[3];
        uint64_t high_total, high_free;
        uint32_t unit, padding2;
    } facts = {
        .uptime = (int64_t)(clock_monotonic() / NS_PER_SECOND),
        .total = pages_total_count() * PAGE_SIZE,
        .free = pages_free_count() * PAGE_SIZE,
        .buffers = page_cache_evictable() * PAGE_SIZE,
        .processes = (uint16_t)threads_count(),
        .unit = 1,
    };
    return user_put(info, &facts);
}

/* membarrier(2). A thread that does not run passes a barrier before it does again; the others are made to. */
SYSCALL_DEFINE3(membarrier, uint32_t, cmd, uint32_t, flags, int, cpu_id)
{
    enum {
        QUERY = 0,
        GLOBAL = 1,
        GLOBAL_EXPEDITED = 2,
        REGISTER_GLOBAL = 4,
        PRIVATE = 8,
        REGISTER_PRIVATE = 16,
        PRIVATE_CORE = 32,
        REGISTER_CORE = 64
    };
    static uint32_t registered;
    const uint32_t all = 2 * REGISTER_CORE - 1;
    if (flags || cmd & ~all || (cmd & (cmd - 1)))
        return -EINVAL;
    if (cmd == QUERY)
        return all;
    if (cmd == PRIVATE || cmd == PRIVATE_CORE)
        if (!(read_once(registered) & cmd))
            return -EPERM;
    if (cmd == GLOBAL || cmd == GLOBAL_EXPEDITED || cmd == PRIVATE || cmd == PRIVATE_CORE)
        cpus_synchronise();
    if (cmd == REGISTER_PRIVATE || cmd == REGISTER_CORE)
        write_once(registered, registered | cmd >> 1);
    return 0;
}
