/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening files and what belongs to descriptors: open(2) and its relatives, close(2), dup(2), fcntl(2), ioctl(2),
 * umask(2).
 *
 * Entered through the table of system calls (syscalls.c). Each call holds a reference to the file of a descriptor while
 * it works, so another thread may close it meanwhile. An open first asks whether there is room for a descriptor, since
 * a file that it has made cannot be removed again. No lock is held here: files/ takes its own, and the flags and the
 * owner of a file, and the mask of umask(2), are single words.
 */
#include "files/streams.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/process.h"
#include "linux/syscalls.h"
#include "memory/user.h"

#define TMPFILE_BIT 020000000u
#define O_TMPFILE (TMPFILE_BIT | O_DIRECTORY)

static bool wants_write(uint32_t flags) { return (flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR; }

/* Flags that exclude each other, as on Linux since 6.3. */
static int check_flags(uint32_t flags)
{
    if (flags & TMPFILE_BIT)
        return (flags & (O_TMPFILE | O_CREAT)) == O_TMPFILE && wants_write(flags) ? 0 : -EINVAL;
    return (flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT) && !(flags & O_PATH) ? -EINVAL : 0;
}

static int open_nameless(struct dentry *start, const char *path, uint32_t flags, uint32_t mode, unsigned walk,
                         struct file **out)
{
    struct dentry *directory;
    int error = path_find(start, path, WALK_FOLLOW | WALK_DIRECTORY | walk, &directory);
    if (error)
        return error;
    error = file_open_nameless(directory, flags & ~O_TMPFILE, mode, !(flags & O_EXCL), out);
    dentry_put(directory);
    return error;
}

static int open_path(const struct user_path *path, uint32_t flags, uint32_t mode, unsigned walk, struct file **out)
{
    mode &= ~file_creation_mask;
    if (flags & TMPFILE_BIT)
        return open_nameless(path->start, path->text, flags | O_LARGEFILE, mode, walk, out);
    return file_open_within(path->start, path->text, flags & O_PATH ? flags : flags | O_LARGEFILE, mode, walk, out);
}

/* `walk`: some of WALK_RESOLVE. */
static int64_t open_within(int directory, uintptr_t address, uint32_t flags, uint32_t mode, unsigned walk)
{
    struct user_path path;
    int error = check_flags(flags);
    if (!error)
        error = walk ? path_begin_at(&path, directory, address) : path_begin(&path, directory, address);
    if (error)
        return error;
    struct file *file;
    error = descriptor_room();
    if (!error)
        error = open_path(&path, flags, mode, walk, &file);
    path_end(&path);
    if (error)
        return error;
    return descriptor_give(file, flags & O_CLOEXEC, 0);
}

static int64_t open_at(int directory, uintptr_t address, uint32_t flags, uint32_t mode)
{
    return open_within(directory, address, flags, mode, 0);
}

/* ---- openat2(2) ---- */

struct abi_open_how {
    uint64_t flags, mode, resolve;
};
/* All that open(2) of x86-64 has. */
#define OPEN_FLAGS_KNOWN 037777703u

enum {
    RESOLVE_NO_XDEV = 1,
    RESOLVE_NO_MAGICLINKS = 2,
    RESOLVE_NO_SYMLINKS = 4,
    RESOLVE_BENEATH = 8,
    RESOLVE_IN_ROOT = 16,
    RESOLVE_CACHED = 32
};

/* Reads what this kernel knows of the structure; what follows it must be zero. */
static int read_how(uintptr_t address, uint64_t size, struct abi_open_how *how)
{
    uint64_t word;
    if (size < sizeof(*how))
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (user_get(how, address))
        return -EFAULT;
    for (uint64_t at = sizeof(*how); at < size; at += sizeof(word)) {
        word = 0;
        if (user_read(&word, address + at, min_of(size - at, sizeof(word))))
            return -EFAULT;
        if (word)
            return -E2BIG;
    }
    return 0;
}

static int check_how(const struct abi_open_how *how)
{
    const uint64_t resolve = 63, with_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    bool makes = how->flags & (O_CREAT | TMPFILE_BIT);
    if (how->flags & ~(uint64_t)OPEN_FLAGS_KNOWN || how->resolve & ~resolve)
        return -EINVAL;
    if ((how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EINVAL;
    if (makes ? how->mode & ~07777UL : how->mode)
        return -EINVAL;
    if (how->flags & O_PATH && how->flags & ~with_path)
        return -EINVAL;
    return 0;
}

static unsigned walk_of(uint64_t resolve)
{
    unsigned walk = resolve & RESOLVE_NO_XDEV ? WALK_NO_MOUNTS : 0;
    walk |= resolve & RESOLVE_NO_SYMLINKS ? WALK_NO_LINKS : 0;
    walk |= resolve & RESOLVE_BENEATH ? WALK_BENEATH : 0;
    return walk | (resolve & RESOLVE_IN_ROOT ? WALK_IN_ROOT : 0);
}

/* Deviates: O_DIRECT, O_ASYNC, O_NOCTTY and O_NOATIME change nothing. RESOLVE_CACHED is always EAGAIN,
 * and RESOLVE_NO_MAGICLINKS changes nothing. */
SYSCALL_DEFINE4(openat2, int, dirfd, uintptr_t, pathname, uintptr_t, how, size_t, size)
{
    struct abi_open_how asked;
    int error = read_how(how, size, &asked);
    if (!error)
        error = check_how(&asked);
    if (error)
        return error;
    if (asked.resolve & RESOLVE_CACHED)
        return -EAGAIN; /* a walk may always sleep; the caller opens without it then */
    return open_within(dirfd, pathname, (uint32_t)asked.flags, (uint32_t)asked.mode, walk_of(asked.resolve));
}

/* Deviates: O_DIRECT, O_ASYNC, O_NOCTTY and O_NOATIME change nothing. */
SYSCALL_DEFINE4(openat, int, dirfd, uintptr_t, pathname, uint32_t, flags, uint32_t, mode)
{
    return open_at(dirfd, pathname, flags, mode);
}

/* Deviates: O_DIRECT, O_ASYNC, O_NOCTTY and O_NOATIME change nothing. */
SYSCALL_DEFINE3(open, uintptr_t, pathname, uint32_t, flags, uint32_t, mode)
{
    return open_at(AT_FDCWD, pathname, flags, mode);
}

SYSCALL_DEFINE2(creat, uintptr_t, pathname, uint32_t, mode)
{
    return open_at(AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

SYSCALL_DEFINE1(close, int, fd) { return descriptor_close(fd); }

/* Deviates: Threads always share descriptors: CLOSE_RANGE_UNSHARE is taken, and closes them for all. */
SYSCALL_DEFINE3(close_range, unsigned, first, unsigned, last, uint32_t, flags)
{
    enum { UNSHARE = 2, MARK = 4 };
    if (flags & ~(uint32_t)(UNSHARE | MARK))
        return -EINVAL;
    return descriptor_close_range(first, last, flags & MARK);
}

static int64_t duplicate_from(int descriptor, int lowest, bool close_on_exec)
{
    struct file *file = descriptor_get_any(descriptor);
    if (!file)
        return -EBADF;
    return descriptor_give(file, close_on_exec, lowest);
}

SYSCALL_DEFINE1(dup, int, oldfd) { return duplicate_from(oldfd, 0, false); }
SYSCALL_DEFINE2(dup2, int, oldfd, int, newfd) { return descriptor_duplicate(oldfd, newfd, false); }

SYSCALL_DEFINE3(dup3, int, oldfd, int, newfd, uint32_t, flags)
{
    if (oldfd == newfd || flags & ~O_CLOEXEC)
        return -EINVAL;
    return descriptor_duplicate(oldfd, newfd, flags & O_CLOEXEC);
}

/* ---- fcntl(2): commands of asm-generic/fcntl.h and linux/fcntl.h ---- */

enum {
    F_DUPFD = 0,
    F_GETFD = 1,
    F_SETFD = 2,
    F_GETFL = 3,
    F_SETFL = 4,
    F_GETLK = 5,
    F_SETLK = 6,
    F_SETLKW = 7,
    F_SETOWN = 8,
    F_GETOWN = 9,
    F_GETSIG = 11,
    F_SETOWN_EX = 15,
    F_GETOWN_EX = 16,
    F_OFD_GETLK = 36,
    F_OFD_SETLK = 37,
    F_OFD_SETLKW = 38,
    F_GETLEASE = 1025,
    F_DUPFD_CLOEXEC = 1030,
    F_SETPIPE_SZ = 1031,
    F_GETPIPE_SZ = 1032,
    F_ADD_SEALS = 1033,
    F_GET_SEALS = 1034,
    F_GET_RW_HINT = 1035,
    F_SET_RW_HINT = 1036,
};
#define FD_CLOEXEC 1
#define F_UNLCK 2
#define O_DIRECT 040000u
#define O_NOATIME 01000000u
#define CHANGEABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)
#define PIPE_SIZE 65536
#define RWH_LAST 5 /* RWH_WRITE_LIFE_EXTREME: linux/fcntl.h */

struct abi_flock {
    int16_t type, whence;
    int32_t padding;
    int64_t start, length;
    int32_t pid;
};

/* Record locks belong to the process, of which there is one: nothing ever conflicts. */
static int64_t query_lock(uintptr_t address)
{
    struct abi_flock lock;
    if (user_get(&lock, address))
        return -EFAULT;
    lock.type = F_UNLCK;
    return user_put(address, &lock);
}

static int64_t set_owner(struct file *file, int32_t owner)
{
    if (owner == INT32_MIN)
        return -EINVAL;
    if (owner != 0 && owner != PROCESS_ID && owner != -PROCESS_ID)
        return -ESRCH;
    write_once(file->owner, owner);
    return 0;
}

struct abi_owner {    /* struct f_owner_ex */
    int32_t type, id; /* a thread, a process, a process group */
};

static int64_t set_owner_of_type(struct file *file, uintptr_t address)
{
    struct abi_owner owner;
    if (user_get(&owner, address))
        return -EFAULT;
    if (owner.type < 0 || owner.type > 2)
        return -EINVAL;
    return owner.id < 0 ? -ESRCH : set_owner(file, owner.type == 2 ? -owner.id : owner.id);
}

static int64_t get_owner_of_type(struct file *file, uintptr_t address)
{
    int32_t id = read_once(file->owner);
    struct abi_owner owner = { .type = id < 0 ? 2 : 1, .id = id < 0 ? -id : id };
    return user_put(address, &owner);
}

static int64_t set_lock(const struct file *file, uintptr_t address)
{
    enum { READ = 0, WRITE = 1 };
    struct abi_flock lock;
    if (user_get(&lock, address))
        return -EFAULT;
    if ((uint16_t)lock.type > F_UNLCK || (uint16_t)lock.whence > SEEK_END)
        return -EINVAL;
    uint32_t access = file->flags & O_ACCMODE;
    return (lock.type == READ && access == O_WRONLY) || (lock.type == WRITE && access == O_RDONLY) ? -EBADF : 0;
}

/* A pipe has one size. */
static int64_t set_pipe_size(const struct file *file, uint64_t size)
{
    if (!is_pipe(file))
        return -EBADF;
    return (uint32_t)size > INT32_MAX ? -EINVAL : (uint32_t)size > PIPE_SIZE ? -EPERM : PIPE_SIZE;
}

static int64_t add_seals(const struct file *file, uint64_t seals)
{
    const uint32_t known = SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE | SEAL_FUTURE_WRITE | SEAL_EXECUTE;
    if (!file_is_writable(file))
        return -EPERM;
    if ((uint32_t)seals & ~known || !file->inode || !tmpfs_has_seals(file->inode))
        return -EINVAL;
    return tmpfs_add_seals(file->inode, (uint32_t)seals);
}

static int64_t get_write_hint(const struct file *file, uintptr_t address)
{
    if (!file->inode)
        return -EINVAL;
    uint64_t hint = read_once(file->inode->write_hint);
    return user_put(address, &hint);
}

static int64_t set_write_hint(const struct file *file, uintptr_t address)
{
    uint64_t hint;
    if (user_get(&hint, address))
        return -EFAULT;
    if (!file->inode || hint > RWH_LAST)
        return -EINVAL;
    write_once(file->inode->write_hint, (uint32_t)hint);
    return 0;
}

static int64_t fcntl_file(struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_GETFL:
        return read_once(file->flags);
    case F_SETFL:
        write_once(file->flags, (file->flags & ~CHANGEABLE) | ((uint32_t)argument & CHANGEABLE));
        return 0;
    case F_GETLK:
    case F_OFD_GETLK:
        return query_lock(argument);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(file, argument);
    case F_SETOWN:
        return set_owner(file, (int32_t)argument);
    case F_GETOWN:
        return read_once(file->owner);
    case F_SETOWN_EX:
        return set_owner_of_type(file, argument);
    case F_GETOWN_EX:
        return get_owner_of_type(file, argument);
    case F_GETPIPE_SZ:
        return is_pipe(file) ? PIPE_SIZE : -EBADF;
    case F_SETPIPE_SZ:
        return set_pipe_size(file, argument);
    case F_ADD_SEALS:
        return add_seals(file, argument);
    case F_GET_SEALS:
        return file->inode && tmpfs_has_seals(file->inode) ? (int64_t)read_once(file->inode->seals) : -EINVAL;
    case F_GET_RW_HINT:
        return get_write_hint(file, argument);
    case F_SET_RW_HINT:
        return set_write_hint(file, argument);
    case F_GETSIG:
        return 0;
    case F_GETLEASE:
        return F_UNLCK;
    default:
        return -EINVAL;
    }
}

/* Deviates: Record locks never conflict, those of open files (F_OFD_SETLK) neither. A file's owner is the process or
 * its group, not a thread, and only gets SIGURG. F_SETSIG, F_SETLEASE and F_NOTIFY are EINVAL, and so are
 * F_GET_RW_HINT and F_SET_RW_HINT of what has no inode, such as sockets. A hint has no effect. A pipe has one size,
 * 65536 bytes, which F_SETPIPE_SZ leaves and returns. */
SYSCALL_DEFINE3(fcntl, int, fd, unsigned, cmd, uint64_t, arg)
{
    switch (cmd) {
    case F_DUPFD:
        return duplicate_from(fd, (int)arg, false);
    case F_DUPFD_CLOEXEC:
        return duplicate_from(fd, (int)arg, true);
    case F_GETFD:
        return descriptor_close_on_exec(fd);
    case F_SETFD:
        return descriptor_set_close_on_exec(fd, arg & FD_CLOEXEC);
    }
    struct file *file = cmd == F_GETFL ? descriptor_get_any(fd) : descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = fcntl_file(file, cmd, arg);
    file_put(file);
    return result;
}

/* ---- ioctl(2): what every file understands; the file's operations do the rest ---- */

enum { FIONBIO = 0x5421, FIONCLEX = 0x5450, FIOCLEX = 0x5451 };

static int64_t set_nonblocking(struct file *file, uintptr_t address)
{
    int32_t on;
    if (user_get(&on, address))
        return -EFAULT;
    write_once(file->flags, on ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK);
    return 0;
}

static int64_t bytes_left(struct file *file, uintptr_t address)
{
    uint64_t size = read_once(file->inode->size), at = read_once(file->offset);
    int32_t left = (int32_t)min_of(size - min_of(at, size), (uint64_t)INT32_MAX);
    return user_put(address, &left);
}

static int64_t ioctl_file(struct file *file, uint32_t request, uintptr_t argument)
{
    if (request == FIONBIO)
        return set_nonblocking(file, argument);
    if (request == FIONREAD && file->inode && is_type(file->inode, S_IFREG))
        return bytes_left(file, argument);
    return file->operations->ioctl ? file->operations->ioctl(file, request, argument) : -ENOTTY;
}

/* Deviates: FIOASYNC, FIOQSIZE and the requests of file systems (FIGETBSZ, FICLONE, FS_IOC_GETFLAGS) are ENOTTY. */
SYSCALL_DEFINE3(ioctl, int, fd, uint32_t, request, uintptr_t, arg)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = request == FIOCLEX || request == FIONCLEX ? descriptor_set_close_on_exec(fd, request == FIOCLEX)
                                                               : ioctl_file(file, request, arg);
    file_put(file);
    return result;
}

SYSCALL_DEFINE1(umask, uint32_t, mask)
{
    uint32_t old = file_creation_mask;
    file_creation_mask = mask & 0777;
    return old;
}
