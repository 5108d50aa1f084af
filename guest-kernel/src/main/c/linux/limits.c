/*
 * Resource limits: getrlimit(2). They are of the one process and may be raised again, since it is root. In effect are those
 * on open descriptors, on the size of files and on the address space; the others are kept and told.
 */
#include "files/file.h"
#include "files/process_view.h"
#include "lib/lock.h"
#include "lib/nospec.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/system.h"
#include "memory/address_space.h"
#include "memory/user.h"

#define INFINITE UINT64_MAX          /* RLIM_INFINITY */
#define STACK_LIMIT (8UL << 20)

enum { CPU, FSIZE, DATA, STACK, CORE, RSS, NPROC, NOFILE, MEMLOCK, AS, LOCKS, SIGPENDING, MSGQUEUE, NICE, RTPRIO, RTTIME, LIMITS };

static struct spinlock lock = SPINLOCK(LOCK_LIMITS);
static struct process_limit limits[LIMITS] = {           /* lock */
    [CPU] = { INFINITE, INFINITE }, [FSIZE] = { INFINITE, INFINITE }, [DATA] = { INFINITE, INFINITE },
    [STACK] = { STACK_LIMIT, INFINITE }, [CORE] = { 0, 0 }, [RSS] = { INFINITE, INFINITE },
    [NPROC] = { INFINITE, INFINITE }, [NOFILE] = { DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT },
    [MEMLOCK] = { INFINITE, INFINITE }, [AS] = { INFINITE, INFINITE }, [LOCKS] = { INFINITE, INFINITE },
    [SIGPENDING] = { INFINITE, INFINITE }, [MSGQUEUE] = { INFINITE, INFINITE }, [NICE] = { 0, 0 }, [RTPRIO] = { 0, 0 },
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

static void put_into_effect(unsigned resource, uint64_t soft)
{
    if (resource == NOFILE)
        write_once(descriptor_limit, (uint32_t)soft);
    else if (resource == FSIZE)
        write_once(file_size_limit, soft);
    else if (resource == AS)
        write_once(address_space_limit, soft);
}

static int set_limit(unsigned resource, const struct process_limit *limit)
{
    if (resource >= LIMITS || limit->soft > limit->hard)
        return -EINVAL;
    if (resource == NOFILE && limit->hard > DESCRIPTOR_LIMIT)    /* fs.nr_open */
        return -EPERM;
    spin_lock(&lock);
    limits[index_nospec(resource, LIMITS)] = *limit;
    put_into_effect(resource, limit->soft);
    spin_unlock(&lock);
    return 0;
}

SYSCALL(prlimit64)
{
    struct process_limit old, wanted;
    if (c && user_get(&wanted, c))
        return -EFAULT;
    if (!process_has_thread((int32_t)a))
        return -ESRCH;
    int error = process_limit_get((unsigned)b, &old);
    if (!error && c)
        error = set_limit((unsigned)b, &wanted);
    return error || !d ? error : user_put(d, &old);
}

SYSCALL(getrlimit)
{
    struct process_limit limit;
    int error = process_limit_get((unsigned)a, &limit);
    return error ? error : user_put(b, &limit);
}

SYSCALL(setrlimit)
{
    struct process_limit limit;
    return user_get(&limit, b) ? -EFAULT : set_limit((unsigned)a, &limit);
}

void signals_file_too_large(void)
{
    if (read_once(file_size_limit) == INFINITE)
        return;                      /* a limit of the file system: no signal is due */
    struct signal_info info = { .number = SIGXFSZ, .code = SI_USER, .sender.pid = PROCESS_ID };
    signal_send_thread(user_current(), &info);
}
