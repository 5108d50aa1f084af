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

SYSCALL(uname)
{
    struct { char system[65], node[65], release[65], version[65], machine[65], domain[65]; } name = {
        .system = "Linux", .release = SYSTEM_RELEASE, .version = "unikernel", .machine = "x86_64", .domain = "(none)" };
    string_copy(name.node, host_name, sizeof(name.node));
    return user_put(a, &name);
}

/* Restartable sequences need the kernel to restart them on preemption; glibc does without. */
SYSCALL(rseq) { return -ENOSYS; }
SYSCALL(vfork) { return -ENOSYS; }
SYSCALL(get_mempolicy) { return -ENOSYS; }

SYSCALL(getrandom)
{
    enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4 };      /* GRND_*: they make no difference */
    uint32_t flags = (uint32_t)c;
    if (flags & ~(uint32_t)(NONBLOCK | RANDOM | INSECURE) || (flags & RANDOM && flags & INSECURE))
        return -EINVAL;
    struct transfer transfer;
    transfer_init_user(&transfer, a, b);
    return transfer_out_random(&transfer);
}

SYSCALL(sysinfo)
{
    struct {
        int64_t uptime;
        uint64_t loads[3], total, free, shared, buffers, swap_total, swap_free;
        uint16_t processes, padding[3];
        uint64_t high_total, high_free;
        uint32_t unit, padding2;
    } info = {
        .uptime = (int64_t)(clock_monotonic() / NS_PER_SECOND),
        .total = pages_total_count() * PAGE_SIZE, .free = pages_free_count() * PAGE_SIZE,
        .buffers = page_cache_evictable() * PAGE_SIZE, .processes = (uint16_t)threads_count(), .unit = 1,
    };
    return user_put(a, &info);
}

/* membarrier(2). One CPU runs the program's threads: each has seen what all others did before it runs again. */
SYSCALL(membarrier)
{
    enum { QUERY = 0, GLOBAL = 1, GLOBAL_EXPEDITED = 2, REGISTER_GLOBAL = 4, PRIVATE = 8, REGISTER_PRIVATE = 16,
           PRIVATE_CORE = 32, REGISTER_CORE = 64 };
    static uint32_t registered;
    const uint32_t all = 2 * REGISTER_CORE - 1;
    uint32_t command = (uint32_t)a;
    if ((uint32_t)b || command & ~all || (command & (command - 1)))
        return -EINVAL;
    if (command == QUERY)
        return all;
    if (command == PRIVATE || command == PRIVATE_CORE)
        return read_once(registered) & command ? 0 : -EPERM;
    if (command == REGISTER_PRIVATE || command == REGISTER_CORE)
        write_once(registered, registered | command >> 1);
    return 0;
}
