/* Identity, limits and facts about the machine. */
#include "files/file.h"
#include "files/process_view.h"
#include "lib/pages.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/syscalls.h"
#include "linux/system.h"
#include "memory/page_cache.h"
#include "memory/transfer.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define RLIM_INFINITY UINT64_MAX
#define STACK_LIMIT (8UL << 20)

char host_name[SYSTEM_NAME_SIZE] = "unikernel";

SYSCALL(uname)
{
    struct { char system[65], node[65], release[65], version[65], machine[65], domain[65]; } name = {
        .system = "Linux", .release = SYSTEM_RELEASE, .version = "unikernel", .machine = "x86_64", .domain = "(none)" };
    string_copy(name.node, host_name, sizeof(name.node));
    return user_put(a, &name);
}

SYSCALL(getpid) { return PROCESS_ID; }
SYSCALL(getppid) { return 0; }
SYSCALL(getpgrp) { return PROCESS_ID; }
SYSCALL(getpgid) { return process_has_thread((int32_t)a) ? PROCESS_ID : -ESRCH; }
SYSCALL(getsid) { return process_has_thread((int32_t)a) ? PROCESS_ID : -ESRCH; }
SYSCALL(setsid) { return -EPERM; }
SYSCALL(getuid) { return 0; }
SYSCALL(geteuid) { return 0; }
SYSCALL(getgid) { return 0; }
SYSCALL(getegid) { return 0; }
SYSCALL(getgroups) { return (int32_t)a < 0 ? -EINVAL : 0; }

/* No child ever exists. */
SYSCALL(wait4)
{
    const uint32_t options = 0xe000000bu;        /* WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE */
    if ((uint32_t)c & ~options)
        return -EINVAL;
    return (int32_t)a == INT32_MIN ? -ESRCH : -ECHILD;
}

/* Restartable sequences need the kernel to restart them on preemption; glibc does without. */
SYSCALL(rseq) { return -ENOSYS; }
SYSCALL(vfork) { return -ENOSYS; }
SYSCALL(get_mempolicy) { return -ENOSYS; }

int process_limit_get(unsigned resource, struct process_limit *limit)
{
    enum { CPU, FSIZE, DATA, STACK, CORE, RSS, NPROC, NOFILE, MEMLOCK, AS, COUNT = 16 };
    if (resource >= COUNT)
        return -EINVAL;
    *limit = (struct process_limit){ RLIM_INFINITY, RLIM_INFINITY };
    if (resource == STACK)
        limit->soft = STACK_LIMIT;
    if (resource == NOFILE)
        *limit = (struct process_limit){ DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT };
    if (resource == CORE)
        *limit = (struct process_limit){ 0, 0 };
    return 0;
}

SYSCALL(prlimit64)
{
    struct process_limit limit, wanted;
    int error = c ? user_get(&wanted, c) : 0;    /* limits are fixed: lowering one has no effect here */
    if (!error && !process_has_thread((int32_t)a))
        error = -ESRCH;
    if (!error)
        error = process_limit_get((unsigned)b, &limit);
    if (!error && c && (wanted.soft > wanted.hard || wanted.hard > limit.hard))
        error = wanted.soft > wanted.hard ? -EINVAL : -EPERM;
    return error || !d ? error : user_put(d, &limit);
}

SYSCALL(getrlimit) { return sys_prlimit64(0, a, 0, b, 0, 0); }
SYSCALL(setrlimit) { return sys_prlimit64(0, a, b, 0, 0, 0); }

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
