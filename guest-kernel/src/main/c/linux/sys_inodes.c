/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing what inodes say: the modes, owners and times of files.
 *
 * Entered through the table of system calls (syscalls.c). Each call becomes a struct change. Modes, owners and times
 * are single words, changed without a lock, and each such change is reported to inotify. No lock is held here.
 */
#include "files/inotify.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/timeval.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "platform/platform.h"

struct change {
    bool mode_given, owner_given, accessed_given, modified_given;
    uint32_t mode, uid, gid; /* uid, gid: UINT32_MAX leaves it */
    nanoseconds accessed, modified;
};

static int change_inode(struct inode *inode, struct dentry *dentry, const struct change *change)
{
    if (inode->fs->read_only)
        return -EROFS;
    int error = dentry ? dentry_settle(dentry) : 0;
    if (error)
        return error;
    if (change->mode_given)
        inode->mode = (inode->mode & S_IFMT) | (change->mode & 07777);
    if (change->owner_given && change->uid != UINT32_MAX)
        inode->uid = change->uid;
    if (change->owner_given && change->gid != UINT32_MAX)
        inode->gid = change->gid;
    if (change->accessed_given)
        inode->accessed = change->accessed;
    if (change->modified_given)
        inode->modified = change->modified;
    inode->changed = clock_wall();
    inode_changed(inode);
    inotify_file(inode, dentry, IN_ATTRIB);
    return 0;
}

static int64_t change_at(int directory, uintptr_t path, unsigned at_flags, const struct change *change)
{
    struct dentry *dentry;
    if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    unsigned walk = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    int error = path_to_dentry(directory, path, walk, at_flags, &dentry);
    if (error)
        return error;
    error = change_inode(dentry->inode, dentry, change);
    dentry_put(dentry);
    return error;
}

/* Sockets and pipes have nothing to change, and that is not an error. */
static int change_nameless(struct file *file)
{
    struct file_status status;
    int error = file_status(file, &status);
    bool stream = (status.mode & S_IFMT) == S_IFSOCK || (status.mode & S_IFMT) == S_IFIFO;
    return error || stream ? error : -EOPNOTSUPP;
}

static int64_t change_descriptor(int descriptor, const struct change *change)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int error = file->inode ? change_inode(file->inode, file->dentry, change) : change_nameless(file);
    file_put(file);
    return error;
}

static struct change mode_change(uint32_t mode) { return (struct change){ .mode_given = true, .mode = mode }; }

static struct change owner_change(uint32_t uid, uint32_t gid)
{
    return (struct change){ .owner_given = true, .uid = uid, .gid = gid };
}

SYSCALL_DEFINE2(chmod, uintptr_t, pathname, uint32_t, mode)
{
    struct change change = mode_change(mode);
    return change_at(AT_FDCWD, pathname, 0, &change);
}

/* Deviates: Files in /proc take any mode. */
SYSCALL_DEFINE2(fchmod, int, fd, uint32_t, mode)
{
    struct change change = mode_change(mode);
    return change_descriptor(fd, &change);
}

SYSCALL_DEFINE3(fchmodat, int, dirfd, uintptr_t, pathname, uint32_t, mode)
{
    struct change change = mode_change(mode);
    return change_at(dirfd, pathname, 0, &change);
}

SYSCALL_DEFINE3(chown, uintptr_t, pathname, unsigned, owner, unsigned, group)
{
    struct change change = owner_change(owner, group);
    return change_at(AT_FDCWD, pathname, 0, &change);
}

SYSCALL_DEFINE3(lchown, uintptr_t, pathname, unsigned, owner, unsigned, group)
{
    struct change change = owner_change(owner, group);
    return change_at(AT_FDCWD, pathname, AT_SYMLINK_NOFOLLOW, &change);
}

SYSCALL_DEFINE3(fchown, int, fd, unsigned, owner, unsigned, group)
{
    struct change change = owner_change(owner, group);
    return change_descriptor(fd, &change);
}

SYSCALL_DEFINE5(fchownat, int, dirfd, uintptr_t, pathname, unsigned, owner, unsigned, group, uint32_t, flags)
{
    struct change change = owner_change(owner, group);
    return change_at(dirfd, pathname, flags, &change);
}

/* utimensat(2): UTIME_NOW and UTIME_OMIT stand in the nanoseconds. */
static int read_time(const struct abi_timespec *from, bool *given, nanoseconds *time)
{
    enum { NOW = (1 << 30) - 1, OMIT = (1 << 30) - 2 };
    *given = from->nanoseconds != OMIT;
    *time = clock_wall();
    if (from->nanoseconds == NOW || from->nanoseconds == OMIT)
        return 0;
    if (from->nanoseconds < 0 || from->nanoseconds >= (int64_t)NS_PER_SECOND)
        return -EINVAL;
    *time = file_time_of(from->seconds, (uint32_t)from->nanoseconds);
    return 0;
}

/* What both times become if the program gives none. */
static void change_to_now(struct change *change)
{
    change->accessed_given = change->modified_given = true;
    change->accessed = change->modified = clock_wall();
}

/* utimes(2) and futimesat(2): microseconds. */
static int read_timevals(uintptr_t address, struct change *change)
{
    struct abi_timeval times[2];
    change_to_now(change);
    if (!address)
        return 0;
    if (user_read(times, address, sizeof(times)))
        return -EFAULT;
    if (!timeval_valid(&times[0]) || !timeval_valid(&times[1]))
        return -EINVAL;
    change->accessed = file_time_of(times[0].seconds, (uint32_t)times[0].microseconds * NS_PER_US);
    change->modified = file_time_of(times[1].seconds, (uint32_t)times[1].microseconds * NS_PER_US);
    return 0;
}

static int read_times(uintptr_t address, struct change *change)
{
    struct abi_timespec times[2];
    change_to_now(change);
    if (!address)
        return 0;
    if (user_read(times, address, sizeof(times)))
        return -EFAULT;
    int error = read_time(&times[0], &change->accessed_given, &change->accessed);
    return error ? error : read_time(&times[1], &change->modified_given, &change->modified);
}

SYSCALL_DEFINE4(utimensat, int, dirfd, uintptr_t, pathname, uintptr_t, times, uint32_t, flags)
{
    struct change change = { 0 };
    int error = read_times(times, &change);
    if (error)
        return error;
    if (pathname || dirfd == AT_FDCWD)
        return change_at(dirfd, pathname, flags, &change);
    return flags ? -EINVAL : change_descriptor(dirfd, &change);
}

static int64_t change_timevals(int directory, uintptr_t path, uintptr_t times)
{
    struct change change = { 0 };
    int error = read_timevals(times, &change);
    if (error)
        return error;
    return path || directory == AT_FDCWD ? change_at(directory, path, 0, &change)
                                         : change_descriptor(directory, &change);
}

SYSCALL_DEFINE2(utimes, uintptr_t, filename, uintptr_t, times) { return change_timevals(AT_FDCWD, filename, times); }

SYSCALL_DEFINE3(futimesat, int, dirfd, uintptr_t, pathname, uintptr_t, times)
{
    return change_timevals(dirfd, pathname, times);
}

SYSCALL_DEFINE2(utime, uintptr_t, filename, uintptr_t, times)
{
    int64_t seconds[2];
    struct change change = {
        .accessed_given = true, .modified_given = true, .accessed = clock_wall(), .modified = clock_wall()
    };
    if (times && user_get(&seconds, times))
        return -EFAULT;
    if (times) {
        change.accessed = file_time_of(seconds[0], 0);
        change.modified = file_time_of(seconds[1], 0);
    }
    return change_at(AT_FDCWD, filename, 0, &change);
}
