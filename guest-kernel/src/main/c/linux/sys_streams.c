/* SPDX-License-Identifier: Apache-2.0 */
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
static int64_t install(struct file *file, uint32_t flags)
{
    return file ? descriptor_give(file, flags & O_CLOEXEC, 0) : -ENOMEM;
}

/* ---- Pipes ---- */

static int64_t make_pipe(uintptr_t to, uint32_t flags)
{
    struct file *ends[2];
    int32_t descriptors[2];
    if (flags & ~(CREATION_FLAGS | 040000u)) /* O_DIRECT asks for packets, but gets a stream */
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

SYSCALL_DEFINE1(pipe, uintptr_t, pipefd) { return make_pipe(pipefd, 0); }
/* Deviates: O_DIRECT makes no packets: the pipe stays a stream of bytes. O_NOTIFICATION_PIPE is EINVAL. */
SYSCALL_DEFINE2(pipe2, uintptr_t, pipefd, uint32_t, flags) { return make_pipe(pipefd, flags); }

/* ---- eventfd ---- */

static int64_t make_eventfd(uint32_t initial, uint32_t flags)
{
    enum { SEMAPHORE = 1 };
    if (flags & ~(SEMAPHORE | CREATION_FLAGS))
        return -EINVAL;
    return install(eventfd_create(initial, flags & SEMAPHORE, flags & O_NONBLOCK), flags);
}

SYSCALL_DEFINE2(eventfd2, unsigned, initval, uint32_t, flags) { return make_eventfd(initval, flags); }
SYSCALL_DEFINE1(eventfd, unsigned, initval) { return make_eventfd(initval, 0); }

/* ---- timerfd ---- */

SYSCALL_DEFINE2(timerfd_create, int, clockid, uint32_t, flags)
{
    enum { REALTIME = 0, MONOTONIC = 1, BOOTTIME = 7, REALTIME_ALARM = 8, BOOTTIME_ALARM = 9 };
    bool wall = clockid == REALTIME || clockid == REALTIME_ALARM;
    bool steady = clockid == MONOTONIC || clockid == BOOTTIME || clockid == BOOTTIME_ALARM;
    if ((!wall && !steady) || flags & ~CREATION_FLAGS)
        return -EINVAL;
    return install(timerfd_create(wall, flags & O_NONBLOCK), flags);
}

static int64_t set_timer(struct file *file, bool absolute, bool cancel, uintptr_t new, uintptr_t old)
{
    struct interval_setting setting, before;
    int error = itimerspec_read(new, &setting);
    if (error || !timerfd_timer(file))
        return error ? error : -EINVAL;
    error = timerfd_set(file, &setting, absolute, cancel, &before);
    if (old && itimerspec_write(old, &before))
        return -EFAULT;
    return error;
}

/* Deviates: An absolute time on CLOCK_REALTIME does not move when the clock is set. */
SYSCALL_DEFINE4(timerfd_settime, int, fd, uint32_t, flags, uintptr_t, new_value, uintptr_t, old_value)
{
    enum { ABSOLUTE = 1, CANCEL_ON_SET = 2 };
    if (flags & ~(uint32_t)(ABSOLUTE | CANCEL_ON_SET))
        return -EINVAL;
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = set_timer(file, flags & ABSOLUTE, flags & CANCEL_ON_SET, new_value, old_value);
    file_put(file);
    return result;
}

SYSCALL_DEFINE2(timerfd_gettime, int, fd, uintptr_t, curr_value)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    struct interval_setting setting;
    struct interval_timer *timer = timerfd_timer(file);
    if (timer)
        interval_timer_get(timer, &setting);
    file_put(file);
    return timer ? itimerspec_write(curr_value, &setting) : -EINVAL;
}

/* ---- epoll ---- */

SYSCALL_DEFINE1(epoll_create1, uint32_t, flags)
{
    return flags & ~O_CLOEXEC ? -EINVAL : install(epoll_create(0), flags);
}

SYSCALL_DEFINE1(epoll_create, int, size) { return size <= 0 ? -EINVAL : install(epoll_create(0), 0); }

/* Deviates: A file is watched at most 65,536 times, however much memory there is; then the call fails with ENOSPC. */
SYSCALL_DEFINE4(epoll_ctl, int, epfd, int, op, int, fd, uintptr_t, event)
{
    struct epoll_event wanted = { 0 };
    if (op != EPOLL_CTL_DEL && user_get(&wanted, event))
        return -EFAULT;
    struct file *epoll = descriptor_get(epfd), *file = descriptor_get(fd);
    int64_t result = epoll && file ? epoll_control(epoll, op, fd, file, &wanted) : -EBADF;
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
    struct epoll_events events;
    int64_t result = epoll_wait(epoll, &events, (uint32_t)limit, deadline);
    file_put(epoll);
    if (result <= 0)
        return result;
    if (user_write(to, events.list, (size_t)result * sizeof(events.list[0])))
        result = -EFAULT;
    epoll_events_free(&events);
    return result;
}

/* Timeouts in ms: a negative one waits without a limit, 0 does not wait. */
static nanoseconds deadline_of_ms(int32_t timeout)
{
    if (timeout < 0)
        return NO_DEADLINE;
    return timeout ? deadline_after((nanoseconds)timeout * NS_PER_MS) : 0;
}

SYSCALL_DEFINE4(epoll_wait, int, epfd, uintptr_t, events, int, maxevents, int, timeout)
{
    return wait_events(epfd, events, maxevents, deadline_of_ms(timeout));
}

SYSCALL_DEFINE6(epoll_pwait, int, epfd, uintptr_t, events, int, maxevents, int, timeout, uintptr_t, sigmask, size_t,
                sigsetsize)
{
    int64_t error = signals_with_mask(sigmask, sigsetsize);
    return error ? error : wait_events(epfd, events, maxevents, deadline_of_ms(timeout));
}

SYSCALL_DEFINE6(epoll_pwait2, int, epfd, uintptr_t, events, int, maxevents, uintptr_t, timeout, uintptr_t, sigmask,
                size_t, sigsetsize)
{
    nanoseconds duration = 0;
    int64_t error = timeout ? timespec_read(timeout, &duration) : 0;
    if (!error)
        error = signals_with_mask(sigmask, sigsetsize);
    nanoseconds deadline = !timeout ? NO_DEADLINE : duration ? deadline_after(duration) : 0;
    return error ? error : wait_events(epfd, events, maxevents, deadline);
}

/* ---- inotify ---- */

SYSCALL_DEFINE1(inotify_init1, uint32_t, flags)
{
    return flags & ~CREATION_FLAGS ? -EINVAL : install(inotify_create(flags & O_NONBLOCK), flags);
}

SYSCALL_DEFINE0(inotify_init) { return install(inotify_create(0), 0); }

/* Deviates: Reading is not reported (IN_ACCESS), nor that a file of the image was opened or closed. IN_MASK_CREATE and
 * IN_EXCL_UNLINK change nothing. */
SYSCALL_DEFINE3(inotify_add_watch, int, fd, uintptr_t, pathname, uint32_t, mask)
{
    unsigned walk = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    struct dentry *dentry;
    int result = path_to_dentry(AT_FDCWD, pathname, walk, 0, &dentry);
    if (!result) {
        result = dentry_settle(dentry);
        if (!result)
            result = inotify_add(file, dentry->inode, mask);
        dentry_put(dentry);
    }
    file_put(file);
    return result;
}

SYSCALL_DEFINE2(inotify_rm_watch, int, fd, int, wd)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int result = inotify_remove(file, wd);
    file_put(file);
    return result;
}
