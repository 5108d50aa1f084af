/* Opening files and what belongs to descriptors. */
#include "files/file.h"
#include "lib/errno.h"
#include "linux/process.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/syscalls.h"
#include "memory/user.h"

#define O_TMPFILE 020000000u

static int64_t open_at(int directory, uintptr_t address, uint32_t flags, uint32_t mode)
{
    if (flags & O_TMPFILE)
        return -EOPNOTSUPP;
    struct user_path path;
    int error = path_begin(&path, directory, address);
    if (error)
        return error;
    struct file *file;
    error = file_open_at(path.start, path.text, flags, mode & ~file_creation_mask, &file);
    path_end(&path);
    if (error)
        return error;
    int descriptor = descriptor_add(file, flags & O_CLOEXEC, 0);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

SYSCALL(openat) { return open_at((int)a, b, (uint32_t)c, (uint32_t)d); }
SYSCALL(open) { return open_at(AT_FDCWD, a, (uint32_t)b, (uint32_t)c); }
SYSCALL(creat) { return open_at(AT_FDCWD, a, O_CREAT | O_WRONLY | O_TRUNC, (uint32_t)b); }
SYSCALL(close) { return descriptor_close((int)a); }

SYSCALL(close_range)
{
    enum { UNSHARE = 2, MARK = 4 };
    if ((uint32_t)c & ~(uint32_t)(UNSHARE | MARK))
        return -EINVAL;
    return descriptor_close_range((unsigned)a, (unsigned)b, c & MARK);
}

static int64_t duplicate_from(int descriptor, int lowest, bool close_on_exec)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int result = descriptor_add(file, close_on_exec, lowest);
    if (result < 0)
        file_put(file);
    return result;
}

SYSCALL(dup) { return duplicate_from((int)a, 0, false); }
SYSCALL(dup2) { return descriptor_duplicate((int)a, (int)b, false); }

SYSCALL(dup3)
{
    if ((uint32_t)a == (uint32_t)b || (uint32_t)c & ~O_CLOEXEC)
        return -EINVAL;
    return descriptor_duplicate((int)a, (int)b, c & O_CLOEXEC);
}

/* ---- fcntl(2): commands of asm-generic/fcntl.h and linux/fcntl.h ---- */

enum {
    F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_GETLK = 5, F_SETLK = 6, F_SETLKW = 7,
    F_SETOWN = 8, F_GETOWN = 9, F_SETOWN_EX = 15, F_GETOWN_EX = 16, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38,
    F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033, F_GET_SEALS = 1034,
};
#define FD_CLOEXEC 1
#define F_UNLCK 2
#define O_DIRECT 040000u
#define O_NOATIME 01000000u
#define CHANGEABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)
#define PIPE_SIZE 65536

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

struct abi_owner {                       /* struct f_owner_ex */
    int32_t type, id;                    /* a thread, a process, a process group */
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

static int64_t control_file(struct file *file, unsigned command, uint64_t argument)
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
        return 0;
    case F_SETOWN:
        return set_owner(file, (int32_t)argument);
    case F_GETOWN:
        return read_once(file->owner);
    case F_SETOWN_EX:
        return set_owner_of_type(file, argument);
    case F_GETOWN_EX:
        return get_owner_of_type(file, argument);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
        return PIPE_SIZE;
    default:
        return -EINVAL;
    }
}

SYSCALL(fcntl)
{
    int descriptor = (int)a;
    unsigned command = (unsigned)b;
    switch (command) {
    case F_DUPFD:
        return duplicate_from(descriptor, (int)c, false);
    case F_DUPFD_CLOEXEC:
        return duplicate_from(descriptor, (int)c, true);
    case F_GETFD:
        return descriptor_close_on_exec(descriptor);
    case F_SETFD:
        return descriptor_set_close_on_exec(descriptor, c & FD_CLOEXEC);
    }
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int64_t result = control_file(file, command, c);
    file_put(file);
    return result;
}

/* ---- ioctl(2): what any file understands; the rest is its own ---- */

enum { FIONREAD = 0x541b, FIONBIO = 0x5421, FIONCLEX = 0x5450, FIOCLEX = 0x5451 };

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

static int64_t control(struct file *file, uint32_t request, uintptr_t argument)
{
    if (file->flags & O_PATH)
        return -EBADF;
    if (request == FIONBIO)
        return set_nonblocking(file, argument);
    if (request == FIONREAD && file->inode && is_type(file->inode, S_IFREG))
        return bytes_left(file, argument);
    return file->operations->control ? file->operations->control(file, request, argument) : -ENOTTY;
}

SYSCALL(ioctl)
{
    int descriptor = (int)a;
    uint32_t request = (uint32_t)b;
    if (request == FIOCLEX || request == FIONCLEX)
        return descriptor_set_close_on_exec(descriptor, request == FIOCLEX);
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int64_t result = control(file, request, c);
    file_put(file);
    return result;
}

SYSCALL(umask)
{
    uint32_t old = file_creation_mask;
    file_creation_mask = a & 0777;
    return old;
}
