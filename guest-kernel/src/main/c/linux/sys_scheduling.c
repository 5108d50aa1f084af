/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling as programs ask for it: sched(7). There is one policy, which shares the CPU by virtual time
 * (threads/thread.h): the others are taken and change nothing. A nice value is kept and reported.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"

enum policy { NORMAL, FIFO, ROUND_ROBIN, BATCH, IDLE = 5, DEADLINE, EXTENSIBLE };
#define RESET_ON_FORK 0x40000000
#define ROUND_ROBIN_SLICE (4 * NS_PER_MS) /* what Linux gives a thread before the next one runs */

static int64_t check_thread(int32_t id)
{
    if (id < 0)
        return -EINVAL;
    return process_has_thread(id) ? 0 : -ESRCH;
}

/* Deviates: The policy is always SCHED_OTHER, whatever was set. */
SYSCALL_DEFINE1(sched_getscheduler, int, pid) { return check_thread(pid); }

/* What the policies allow as priority, at most or at least. */
static int64_t priority_limit(int32_t policy, int64_t of_real_time)
{
    switch (policy) {
    case FIFO:
    case ROUND_ROBIN:
        return of_real_time;
    case NORMAL:
    case BATCH:
    case IDLE:
    case DEADLINE:
    case EXTENSIBLE:
        return 0;
    default:
        return -EINVAL;
    }
}

SYSCALL_DEFINE1(sched_get_priority_max, int, policy) { return priority_limit(policy, 99); }
SYSCALL_DEFINE1(sched_get_priority_min, int, policy) { return priority_limit(policy, 1); }

static bool priority_valid(int32_t policy, int32_t priority)
{
    return priority >= priority_limit(policy, 1) && priority <= priority_limit(policy, 99);
}

static int64_t set_scheduler(int32_t id, int32_t policy, uintptr_t parameters)
{
    int32_t priority;
    if (!parameters || id < 0)
        return -EINVAL;
    if (user_get(&priority, parameters))
        return -EFAULT;
    int64_t error = check_thread(id);
    if (error)
        return error;
    if (priority_limit(policy, 0) < 0 || policy == DEADLINE || policy == EXTENSIBLE)
        return -EINVAL;
    return priority_valid(policy, priority) ? 0 : -EINVAL;
}

/* Deviates: Policies and priorities are checked, and change nothing: threads share the CPU by one policy. */
SYSCALL_DEFINE3(sched_setscheduler, int, pid, int, policy, uintptr_t, param)
{
    return policy < 0 ? -EINVAL : set_scheduler(pid, policy & ~RESET_ON_FORK, param);
}

/* Deviates: Policies and priorities are checked, and change nothing: threads share the CPU by one policy. */
SYSCALL_DEFINE2(sched_setparam, int, pid, uintptr_t, param) { return set_scheduler(pid, NORMAL, param); }

/* Deviates: The priority is always 0, whatever was set. */
SYSCALL_DEFINE2(sched_getparam, int, pid, uintptr_t, param)
{
    int32_t priority = 0;
    int64_t error = param ? check_thread(pid) : -EINVAL;
    return error ? error : user_put(param, &priority);
}

/* Deviates: The interval is always 4 ms. */
SYSCALL_DEFINE2(sched_rr_get_interval, int, pid, uintptr_t, tp)
{
    struct abi_timespec slice = timespec_of(ROUND_ROBIN_SLICE);
    int64_t error = check_thread(pid);
    return error ? error : user_put(tp, &slice);
}

/* ---- Nice values: getpriority(2). They belong to threads ---- */

struct nice {
    uint32_t id;
    bool set;
    int value;
};

static void visit(struct thread *thread, void *context)
{
    struct nice *nice = context;
    if (nice->set)
        thread->user->nice = nice->value;
    nice->value = thread->user->nice;
}

static bool find_nice(struct nice *nice)
{
    return thread_find(nice->id ? nice->id : thread_current()->id, visit, nice);
}

/* What a call is about: one thread, or all by the number of the one group or user that there is. */
static int64_t check_owner(uint32_t which, int32_t who)
{
    enum { PROCESS, GROUP, USER };
    if (which > USER)
        return -EINVAL;
    bool known = which == PROCESS || who == 0 || (which == GROUP && who == PROCESS_ID);
    return known ? 0 : -ESRCH;
}

SYSCALL_DEFINE2(getpriority, unsigned, which, int, who)
{
    int64_t error = check_owner(which, who);
    struct nice nice = { .id = which ? 0 : (uint32_t)who };
    if (error)
        return error;
    return find_nice(&nice) ? 20 - nice.value : -ESRCH;
}

static int nice_of(int64_t value) { return (int)max_of(min_of(value, 19L), -20L); }

/* Deviates: The nice value is kept for getpriority(2), and gives no thread more or less of the CPU. */
SYSCALL_DEFINE3(setpriority, unsigned, which, int, who, int, prio)
{
    int64_t error = check_owner(which, who);
    struct nice nice = { .id = which ? 0 : (uint32_t)who, .set = true, .value = nice_of(prio) };
    if (error)
        return error;
    return find_nice(&nice) ? 0 : -ESRCH;
}

/* ---- sched_setattr(2) ---- */

struct abi_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t clamp_least, clamp_most;
};
#define ATTRIBUTES_FIRST 48u /* SCHED_ATTR_SIZE_VER0 */

SYSCALL_DEFINE4(sched_getattr, int, pid, uintptr_t, attr, unsigned, size, uint32_t, flags)
{
    struct nice nice = { .id = (uint32_t)pid };
    if (!attr || pid < 0 || size < ATTRIBUTES_FIRST || size > PAGE_SIZE || flags)
        return -EINVAL;
    if (!find_nice(&nice))
        return -ESRCH;
    uint32_t told = min_of(size, (uint32_t)sizeof(struct abi_attributes));
    struct abi_attributes attributes = { .size = told, .nice = nice.value, .clamp_most = 1024 };
    return user_write(attr, &attributes, told);
}

static int64_t read_attributes(uintptr_t address, struct abi_attributes *attributes)
{
    uint32_t size;
    memset(attributes, 0, sizeof(*attributes));
    if (user_get(&size, address))
        return -EFAULT;
    size = size ? size : ATTRIBUTES_FIRST;
    if (size < ATTRIBUTES_FIRST || size > sizeof(*attributes))
        return user_put(address, &(uint32_t){ sizeof(*attributes) }) ? -EFAULT : -E2BIG;
    return user_read(attributes, address, size);
}

/* Deviates: Policies and priorities are checked, and change nothing: threads share the CPU by one policy. */
SYSCALL_DEFINE3(sched_setattr, int, pid, uintptr_t, attr, uint32_t, flags)
{
    struct abi_attributes attributes;
    if (!attr || pid < 0 || flags)
        return -EINVAL;
    int64_t error = read_attributes(attr, &attributes);
    if (error)
        return error;
    int32_t policy = (int32_t)attributes.policy;
    struct nice nice = { .id = (uint32_t)pid,
                         .set = policy == NORMAL || policy == BATCH,
                         .value = nice_of(attributes.nice) };
    if (policy < 0 || policy > IDLE || !priority_valid(policy, (int32_t)attributes.priority))
        return -EINVAL;
    return find_nice(&nice) ? 0 : -ESRCH;
}
