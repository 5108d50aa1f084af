/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits: getrlimit(2), of the one process. In effect are those on CPU time, descriptors, the size of files,
 * the address space, data, and the first thread's stack. As on Linux root, which the process is, is not held to NPROC
 * and MEMLOCK, and RSS, LOCKS, CORE (no core is written) and those of realtime and message queues change nothing here.
 *
 * Spinlock "limits" guards the numbers; what they do is done without it.
 */
#include "core/lock.h"
#include "files/file.h"
#include "files/process_view.h"
#include "lib/nospec.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/system.h"
#include "memory/address_space.h"
#include "memory/layout.h"
#include "memory/user.h"
#include "threads/interval_timer.h"
#include "threads/thread.h"

#define INFINITE UINT64_MAX /* RLIM_INFINITY */
#define CAP_SYS_RESOURCE 24 /* linux/capability.h */

enum {
    CPU,
    FSIZE,
    DATA,
    STACK,
    CORE,
    RSS,
    NPROC,
    NOFILE,
    MEMLOCK,
    AS,
    LOCKS,
    SIGPENDING,
    MSGQUEUE,
    NICE,
    RTPRIO,
    RTTIME,
    LIMITS
};

static struct spinlock lock = SPINLOCK(LOCK_LIMITS);
static struct process_limit limits[LIMITS] = {
    /* lock */
    [CPU] = { INFINITE, INFINITE },
    [FSIZE] = { INFINITE, INFINITE },
    [DATA] = { INFINITE, INFINITE },
    [STACK] = { USER_STACK_SIZE, INFINITE },
    [CORE] = { 0, 0 },
    [RSS] = { INFINITE, INFINITE },
    [NPROC] = { INFINITE, INFINITE },
    [NOFILE] = { DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT },
    [MEMLOCK] = { INFINITE, INFINITE },
    [AS] = { INFINITE, INFINITE },
    [LOCKS] = { INFINITE, INFINITE },
    [SIGPENDING] = { INFINITE, INFINITE },
    [MSGQUEUE] = { INFINITE, INFINITE },
    [NICE] = { 0, 0 },
    [RTPRIO] = { 0, 0 },
    [RTTIME] = { INFINITE, INFINITE },
};

int process_limit_get(unsigned resource, struct process_limit *limit)
{
    if (resource >= LIMITS)
        return -EINVAL;
    spin_lock(&lock);
    *limit = limits[index_nospec(resource, LIMITS)];
    spin_unlock(&lock);
    return 0;
}

/* ---- RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one ---- */

static struct interval_timer cpu_timer;

static nanoseconds seconds(uint64_t count)
{
    return count < INT64_MAX / NS_PER_SECOND ? count * NS_PER_SECOND : NO_DEADLINE;
}

/* With no lock held. */
static void start_cpu_timer(void)
{
    spin_lock(&lock);
    uint64_t next = min_of(limits[CPU].soft, limits[CPU].hard);
    spin_unlock(&lock);
    struct interval_setting setting = { .value = next == INFINITE ? 0 : max_of(seconds(next), NS_PER_SECOND) };
    interval_timer_set(&cpu_timer, &setting, true, NULL);
}

/* Interrupt context. */
static void cpu_limit_reached(struct interval_timer *timer, uint64_t times)
{
    struct signal_info info = { .number = SIGXCPU, .code = SI_KERNEL };
    nanoseconds used = cpu_busy_time();
    (void)timer;
    (void)times;
    spin_lock(&lock);
    if (used >= seconds(limits[CPU].hard))
        info.number = SIGKILL;
    else if (used >= seconds(limits[CPU].soft))
        limits[CPU].soft++; /* as Linux does, and getrlimit() shows it */
    else
        info.number = 0; /* the limit was raised meanwhile */
    spin_unlock(&lock);
    if (info.number)
        signal_send_process(&info);
    start_cpu_timer();
}

static void limit_cpu(void)
{
    static const struct clock clock = { .kind = CLOCK_OF_PROCESS };
    if (!cpu_timer.expired)
        interval_timer_init(&cpu_timer, &clock, cpu_limit_reached);
    start_cpu_timer();
}

/* ---- Setting ---- */

static void put_into_effect(unsigned resource, uint64_t soft)
{
    if (resource == NOFILE)
        write_once(descriptor_limit, (uint32_t)soft);
    else if (resource == FSIZE)
        write_once(file_size_limit, soft);
    else if (resource == AS)
        write_once(address_space_limit, soft);
    else if (resource == DATA)
        write_once(data_limit, soft);
    else if (resource == STACK)
        address_space_set_stack_limit(soft);
    else if (resource == CPU)
        limit_cpu();
}

static int set_limit(unsigned resource, const struct process_limit *limit)
{
    if (resource >= LIMITS || limit->soft > limit->hard)
        return -EINVAL;
    if (resource == NOFILE && limit->hard > DESCRIPTOR_LIMIT) /* fs.nr_open */
        return -EPERM;
    spin_lock(&lock);
    struct process_limit *changed = &limits[index_nospec(resource, LIMITS)];
    bool raised = limit->hard > changed->hard && !(process_view.capabilities[0] & 1UL << CAP_SYS_RESOURCE);
    if (!raised)
        *changed = *limit;
    spin_unlock(&lock);
    if (raised)
        return -EPERM;
    put_into_effect(resource, limit->soft);
    return 0;
}

/* Deviates: The limits RSS, LOCKS, CORE, MSGQUEUE, SIGPENDING, NICE, RTPRIO and RTTIME are kept, and change nothing. */
SYSCALL_DEFINE4(prlimit64, int, pid, unsigned, resource, uintptr_t, new_limit, uintptr_t, old_limit)
{
    struct process_limit old, wanted;
    if (new_limit && user_get(&wanted, new_limit))
        return -EFAULT;
    if (!process_has_thread(pid))
        return -ESRCH;
    int error = process_limit_get(resource, &old);
    if (!error && new_limit)
        error = set_limit(resource, &wanted);
    return error || !old_limit ? error : user_put(old_limit, &old);
}

SYSCALL_DEFINE2(getrlimit, unsigned, resource, uintptr_t, rlim)
{
    struct process_limit limit;
    int error = process_limit_get(resource, &limit);
    return error ? error : user_put(rlim, &limit);
}

/* Deviates: The limits RSS, LOCKS, CORE, MSGQUEUE, SIGPENDING, NICE, RTPRIO and RTTIME are kept, and change nothing. */
SYSCALL_DEFINE2(setrlimit, unsigned, resource, uintptr_t, rlim)
{
    struct process_limit limit;
    return user_get(&limit, rlim) ? -EFAULT : set_limit(resource, &limit);
}

void signals_file_too_large(void)
{
    if (read_once(file_size_limit) == INFINITE)
        return; /* a limit of the file system: no signal is due */
    struct signal_info info = { .number = SIGXFSZ, .code = SI_USER, .sender.pid = PROCESS_ID };
    signal_send_thread(user_current(), &info);
}
