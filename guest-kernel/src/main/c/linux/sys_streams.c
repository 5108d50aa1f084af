/*
 * Making files that have no name: pipes, eventfd, timerfd, epoll, inotify; and the calls that only these have.
 *
 * Entered through the table of system calls (syscalls.c). files/ makes the file, install() gives it a descriptor or
 * drops it. Other calls hold a reference to the file while they work. epoll_pwait(2) sets its signal mask before it
 * waits. No lock is held here; those of the files are in files/, that of timers in threads/interval_timer.c.
 */
#include "files/epoll.h"
#include "files/inotify.h"
#include "files/streams.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/interval_timer.h"

#define CREATION_FLAGS (O_CLOEXEC | O_NONBLOCK)

/* Gives a new file (NULL: there was no memory) a descriptor. */
static int64_t install(struct file *file, uint64_t flags)
{
    if (!file)
        return -ENOMEM;
    int descriptor = descriptor_add(file, flags & O_CLOEXEC, 0);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

/* ---- Pipes ---- */

static int64_t make_pipe(uintptr_t to, uint32_t flags)
{
    struct file *ends[2];
    int32_t descriptors[2];
    if (flags & ~(CREATION_FLAGS | 040000u))     /* O_DIRECT: packets; a stream will do */
        return -EINVAL;
    int error = pipe_create(flags & O_NONBLOCK, &ends[0], &ends[1]);
    if (error)
        return error;
    descriptors[0] = (int32_t)install(ends[0], flags);
    if (descriptors[0] < 0) {
        file_put(ends[1]);
        return descriptors[0];
    }
    descriptors[1] = (int32_t)install(ends[1], flags);
    error = descriptors[1] < 0 ? descriptors[1] : user_put(to, &descriptors);
    if (!error)
        return 0;
    (void)descriptor_close(descriptors[0]);
    if (descriptors[1] >= 0)
        (void)descriptor_close(descriptors[1]);
    return error;
}

SYSCALL(pipe) { return make_pipe(a, 0); }
SYSCALL(pipe2) { return make_pipe(a, (uint32_t)b); }

/* ---- eventfd ---- */

SYSCALL(eventfd2)
{
    enum { SEMAPHORE = 1 };
    if ((uint32_t)b & ~(SEMAPHORE | CREATION_FLAGS))
        return -EINVAL;
    return install(eventfd_create((uint32_t)a, b & SEMAPHORE, (uint32_t)b & O_NONBLOCK), b);
}

SYSCALL(eventfd) { return sys_eventfd2(a, 0, 0, 0, 0, 0); }

/* ---- timerfd ---- */

SYSCALL(timerfd_create)
{
    enum { REALTIME = 0, MONOTONIC = 1, BOOTTIME = 7, REALTIME_ALARM = 8, BOOTTIME_ALARM = 9 };
    int32_t clock = (int32_t)a;
    bool wall = clock == REALTIME || clock == REALTIME_ALARM;
    bool steady = clock == MONOTONIC || clock == BOOTTIME || clock == BOOTTIME_ALARM;
    if ((!wall && !steady) || (uint32_t)b & ~CREATION_FLAGS)
        return -EINVAL;
    return install(timerfd_create(wall, (uint32_t)b & O_NONBLOCK), b);
}

static int64_t set_timer(struct file *file, bool absolute, uintptr_t new, uintptr_t old)
{
    struct interval_setting setting, before;
    struct interval_timer *timer = timerfd_timer(file);
    int error = itimerspec_read(new, &setting);
    if (error || !timer)
        return error ? error : -EINVAL;
    interval_timer_set(timer, &setting, absolute, &before);
    return old ? itimerspec_write(old, &before) : 0;
}

SYSCALL(timerfd_settime)
{
    enum { ABSOLUTE = 1, CANCEL_ON_SET = 2 };     /* the wall clock is never set: nothing to cancel */
    if ((uint32_t)b & ~(uint32_t)(ABSOLUTE | CANCEL_ON_SET))
        return -EINVAL;
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    int64_t result = set_timer(file, b & ABSOLUTE, c, d);
    file_put(file);
    return result;
}

SYSCALL(timerfd_gettime)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    struct interval_setting setting;
    struct interval_timer *timer = timerfd_timer(file);
    if (timer)
        interval_timer_get(timer, &setting);
    file_put(file);
    return timer ? itimerspec_write(b, &setting) : -EINVAL;
}

/* ---- epoll ---- */

#define EPOLL_BATCH 64u              /* events handed out by one call at most */

SYSCALL(epoll_create1) { return (uint32_t)a & ~O_CLOEXEC ? -EINVAL : install(epoll_create(0), a); }
SYSCALL(epoll_create) { return (int32_t)a <= 0 ? -EINVAL : install(epoll_create(0), 0); }

SYSCALL(epoll_ctl)
{
    struct epoll_event event = { 0 };
    int operation = (int)b;
    if (operation != EPOLL_CTL_DEL && user_get(&event, d))
        return -EFAULT;
    struct file *epoll = descriptor_get((int)a), *file = descriptor_get((int)c);
    int64_t result = epoll && file ? epoll_control(epoll, operation, (int)c, file, &event) : -EBADF;
    if (file)
        file_put(file);
    if (epoll)
        file_put(epoll);
    return result;
}

static int64_t wait_events(int descriptor, uintptr_t to, int32_t limit, nanoseconds deadline)
{
    if (limit <= 0 || limit > (int32_t)(INT32_MAX / sizeof(struct epoll_event)))
        return -EINVAL;
    if (!user_range_ok(to, (uint32_t)limit * sizeof(struct epoll_event)))
        return -EFAULT;
    struct file *epoll = descriptor_get(descriptor);
    if (!epoll)
        return -EBADF;
    struct epoll_event events[EPOLL_BATCH];
    int count = epoll_wait(epoll, events, min_of((uint32_t)limit, EPOLL_BATCH), deadline);
    file_put(epoll);
    if (count > 0 && user_write(to, events, (size_t)count * sizeof(events[0])))
        return -EFAULT;
    return count;
}

/* Timeouts in ms: negative waits for ever, 0 not at all. */
static nanoseconds deadline_of_ms(int32_t timeout)
{
    if (timeout < 0)
        return NO_DEADLINE;
    return timeout ? deadline_after((nanoseconds)timeout * NS_PER_MS) : 0;
}

SYSCALL(epoll_wait) { return wait_events((int)a, b, (int32_t)c, deadline_of_ms((int32_t)d)); }

SYSCALL(epoll_pwait)
{
    int64_t error = signals_with_mask(e, f);
    return error ? error : wait_events((int)a, b, (int32_t)c, deadline_of_ms((int32_t)d));
}

SYSCALL(epoll_pwait2)
{
    nanoseconds timeout = 0;
    int64_t error = d ? timespec_read(d, &timeout) : 0;
    if (!error)
        error = signals_with_mask(e, f);
    nanoseconds deadline = !d ? NO_DEADLINE : timeout ? deadline_after(timeout) : 0;
    return error ? error : wait_events((int)a, b, (int32_t)c, deadline);
}

/* ---- inotify ---- */

SYSCALL(inotify_init1)
{
    return (uint32_t)a & ~CREATION_FLAGS ? -EINVAL : install(inotify_create((uint32_t)a & O_NONBLOCK), a);
}

SYSCALL(inotify_init) { return install(inotify_create(0), 0); }

SYSCALL(inotify_add_watch)
{
    uint32_t mask = (uint32_t)c;
    unsigned walk = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    struct dentry *dentry;
    int result = path_to_dentry(AT_FDCWD, b, walk, 0, &dentry);
    if (!result) {
        result = dentry_settle(dentry);
        if (!result)
            result = inotify_add(file, dentry->inode, mask);
        dentry_put(dentry);
    }
    file_put(file);
    return result;
}

SYSCALL(inotify_rm_watch)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    int result = inotify_remove(file, (int)b);
    file_put(file);
    return result;
}
