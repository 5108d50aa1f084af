/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, removing and moving names, and changing what inodes say.
 *
 * Entered through the table of system calls (syscalls.c). A path is copied into the kernel once, before anything is
 * looked up (paths.h). Names are changed by files/names.c, under mutex "namespace". Mutex "inode" is taken here by
 * fallocate(2) alone; modes, owners and times are single words, changed without a lock, and each such change is
 * reported to inotify.
 */
#include "files/inotify.h"
#include "files/streams.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/timeval.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "platform/platform.h"

/* ---- Names ---- */

static int64_t make_at(int directory, uintptr_t address, uint32_t mode, const char *link_target)
{
    struct user_path path;
    int error = path_begin(&path, directory, address);
    if (error)
        return error;
    error = name_make(path.start, path.text, mode, link_target);
    path_end(&path);
    return error;
}

static int64_t make_directory(int directory, uintptr_t path, uint32_t mode)
{
    return make_at(directory, path, S_IFDIR | (mode & 01777 & ~file_creation_mask), NULL);
}

SYSCALL_DEFINE2(mkdir, uintptr_t, pathname, uint32_t, mode) { return make_directory(AT_FDCWD, pathname, mode); }

SYSCALL_DEFINE3(mkdirat, int, dirfd, uintptr_t, pathname, uint32_t, mode)
{
    return make_directory(dirfd, pathname, mode);
}

static int64_t make_node(int directory, uintptr_t path, uint32_t mode)
{
    uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
    bool known = type == S_IFREG || type == S_IFCHR || type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK;
    if (!known)
        return type == S_IFDIR ? -EPERM : -EINVAL;
    return make_at(directory, path, type | (mode & 07777 & ~file_creation_mask), NULL);
}

/* Deviates: The number of a device is ignored. */
SYSCALL_DEFINE3(mknod, uintptr_t, pathname, uint32_t, mode, uint32_t, dev)
{
    return make_node(AT_FDCWD, pathname, mode);
}

/* Deviates: The number of a device is ignored. */
SYSCALL_DEFINE4(mknodat, int, dirfd, uintptr_t, pathname, uint32_t, mode, uint32_t, dev)
{
    return make_node(dirfd, pathname, mode);
}

static int64_t make_link(uintptr_t target, int directory, uintptr_t path)
{
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (!page)
        return -ENOMEM;
    ssize_type length = user_read_string(page_data(page), target, PAGE_SIZE);
    int64_t result = length < 0    ? length
                     : length == 0 ? -ENOENT
                                   : make_at(directory, path, S_IFLNK | 0777, page_data(page));
    page_put(page);
    return result;
}

SYSCALL_DEFINE2(symlink, uintptr_t, target, uintptr_t, linkpath) { return make_link(target, AT_FDCWD, linkpath); }

SYSCALL_DEFINE3(symlinkat, uintptr_t, target, int, newdirfd, uintptr_t, linkpath)
{
    return make_link(target, newdirfd, linkpath);
}

/* A file with a reference, and the name that it was found by, with one, or NULL. */
struct linked {
    struct inode *inode;
    struct dentry *name;
};

/* The file to be linked: also one without a name, by its descriptor. With a reference. */
static int find_linked(int directory, uintptr_t path, unsigned flags, struct linked *out)
{
    char first = 1;
    struct dentry *dentry;
    if (flags & AT_EMPTY_PATH && user_get(&first, path))
        return -EFAULT;
    if (!first && directory != AT_FDCWD) {
        struct file *file = descriptor_get_any(directory);
        if (!file)
            return -EBADF;
        *out = (struct linked){ file->inode ? inode_get(file->inode) : NULL,
                                file->dentry ? dentry_get(file->dentry) : NULL };
        file_put(file);
        return out->inode ? 0 : -EXDEV;
    }
    int error = path_to_dentry(directory, path, flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0, flags, &dentry);
    if (error)
        return error;
    *out = (struct linked){ inode_get(dentry->inode), dentry };
    return 0;
}

static int64_t link_at(int from_directory, uintptr_t from, int to_directory, uintptr_t to, unsigned flags)
{
    struct linked existing;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int error = find_linked(from_directory, from, flags, &existing);
    if (error)
        return error;
    struct user_path path;
    error = path_begin(&path, to_directory, to);
    if (!error) {
        error = name_link(existing.inode, existing.name, path.start, path.text);
        path_end(&path);
    }
    if (existing.name)
        dentry_put(existing.name);
    inode_put(existing.inode);
    return error;
}

SYSCALL_DEFINE2(link, uintptr_t, oldpath, uintptr_t, newpath)
{
    return link_at(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

SYSCALL_DEFINE5(linkat, int, olddirfd, uintptr_t, oldpath, int, newdirfd, uintptr_t, newpath, uint32_t, flags)
{
    return link_at(olddirfd, oldpath, newdirfd, newpath, flags);
}

static int64_t remove_at(int directory, uintptr_t address, bool is_directory)
{
    struct user_path path;
    int error = path_begin(&path, directory, address);
    if (error)
        return error;
    error = is_directory ? name_remove_directory(path.start, path.text) : name_unlink(path.start, path.text);
    path_end(&path);
    return error;
}

SYSCALL_DEFINE1(unlink, uintptr_t, pathname) { return remove_at(AT_FDCWD, pathname, false); }
SYSCALL_DEFINE1(rmdir, uintptr_t, pathname) { return remove_at(AT_FDCWD, pathname, true); }

SYSCALL_DEFINE3(unlinkat, int, dirfd, uintptr_t, pathname, uint32_t, flags)
{
    return flags & ~AT_REMOVEDIR ? -EINVAL : remove_at(dirfd, pathname, flags & AT_REMOVEDIR);
}

static int64_t rename_at(int from_directory, uintptr_t from, int to_directory, uintptr_t to, unsigned flags)
{
    struct user_path from_path, to_path;
    /* RENAME_WHITEOUT makes an entry that only an overlay file system would look at. */
    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    int error = path_begin(&from_path, from_directory, from);
    if (error)
        return error;
    error = path_begin(&to_path, to_directory, to);
    if (!error) {
        error = name_rename(from_path.start, from_path.text, to_path.start, to_path.text, flags);
        path_end(&to_path);
    }
    path_end(&from_path);
    return error;
}

SYSCALL_DEFINE2(rename, uintptr_t, oldpath, uintptr_t, newpath)
{
    return rename_at(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

SYSCALL_DEFINE4(renameat, int, olddirfd, uintptr_t, oldpath, int, newdirfd, uintptr_t, newpath)
{
    return rename_at(olddirfd, oldpath, newdirfd, newpath, 0);
}

/* Deviates: White-outs are not offered: RENAME_WHITEOUT is EINVAL. */
SYSCALL_DEFINE5(renameat2, int, olddirfd, uintptr_t, oldpath, int, newdirfd, uintptr_t, newpath, uint32_t, flags)
{
    return rename_at(olddirfd, oldpath, newdirfd, newpath, flags);
}

/* ---- Sizes ---- */

static int resize(struct inode *inode, uint64_t size)
{
    int error = inode_resize(inode, size);
    if (error == -EFBIG)
        signals_file_too_large();
    return error;
}

/* Deviates: A file has at most 1 TiB (EFBIG). */
SYSCALL_DEFINE2(truncate, uintptr_t, path, int64_t, length)
{
    if (length < 0)
        return -EINVAL;
    struct dentry *dentry;
    int error = path_to_dentry(AT_FDCWD, path, WALK_FOLLOW, 0, &dentry);
    if (error)
        return error;
    error = dentry_prepare_write(dentry);
    if (!error)
        error = resize(dentry->inode, length);
    dentry_put(dentry);
    return error;
}

static bool is_writable(const struct file *file)
{
    return file->inode && is_type(file->inode, S_IFREG) && file_is_writable(file);
}

/* Deviates: A file has at most 1 TiB (EFBIG). */
SYSCALL_DEFINE2(ftruncate, int, fd, int64_t, length)
{
    if (length < 0)
        return -EINVAL;
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = is_writable(file) ? resize(file->inode, length) : -EINVAL;
    file_put(file);
    return result;
}

static int64_t allocate(struct file *file, uint32_t mode, uint64_t offset, uint64_t length)
{
    enum { KEEP_SIZE = 1, PUNCH_HOLE = 2 }; /* linux/falloc.h */
    struct inode *inode = file->inode;
    if (mode != 0 && !(mode & KEEP_SIZE) && mode & PUNCH_HOLE)
        return -EOPNOTSUPP;
    if (!file_is_writable(file))
        return -EBADF;
    if (!inode || !is_type(inode, S_IFREG))
        return is_pipe(file) ? -ESPIPE : -ENODEV;
    if ((int64_t)(offset + length) < 0)
        return -EFBIG;
    if ((mode != 0 && mode != KEEP_SIZE && mode != (KEEP_SIZE | PUNCH_HOLE)) || !inode->operations->allocate)
        return -EOPNOTSUPP;
    mutex_lock(&inode->lock);
    int error = inode->operations->allocate(inode, offset, length, mode & KEEP_SIZE, mode & PUNCH_HOLE);
    mutex_unlock(&inode->lock);
    return error;
}

/* Deviates: Holes cannot be punched into files on a scratch disk. */
SYSCALL_DEFINE4(fallocate, int, fd, uint32_t, mode, int64_t, offset, int64_t, len)
{
    if (offset < 0 || len <= 0)
        return -EINVAL;
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = allocate(file, mode, offset, len);
    file_put(file);
    return result;
}

/* Deviates: There are no huge pages: MFD_HUGETLB is EINVAL. */
SYSCALL_DEFINE2(memfd_create, uintptr_t, name, uint32_t, flags)
{
    enum { CLOSE_ON_EXEC = 1, ALLOW_SEALING = 2, NAME_SIZE = 250, NO_EXEC = 8, EXEC = 16 };
    if (flags & ~(uint32_t)(CLOSE_ON_EXEC | ALLOW_SEALING | NO_EXEC | EXEC) || (flags & NO_EXEC && flags & EXEC))
        return -EINVAL;
    char text[NAME_SIZE];
    ssize_type length = user_read_string(text, name, sizeof(text));
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    struct file *file = tmpfs_memory_file(O_RDWR | O_LARGEFILE);
    if (!file)
        return -ENOMEM;
    if (flags & (ALLOW_SEALING | NO_EXEC))
        file->inode->seals = 0;
    if (flags & NO_EXEC) {
        file->inode->mode &= ~0111u;
        file->inode->seals |= SEAL_EXECUTE;
    }
    int descriptor = descriptor_add(file, flags & CLOSE_ON_EXEC, 0);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

/* ---- Permissions, owners, times ---- */

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

/* utimes(2) and futimesat(2): microseconds. */
static int read_timevals(uintptr_t address, struct change *change)
{
    struct abi_timeval times[2];
    change->accessed_given = change->modified_given = true;
    change->accessed = change->modified = clock_wall();
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
    change->accessed_given = change->modified_given = true;
    change->accessed = change->modified = clock_wall();
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
