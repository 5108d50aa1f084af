/*
 * Moving data through descriptors: read(2), write(2) and their vectors, lseek(2), flock(2), and the calls that store or
 * prefetch data, which have nothing to do here.
 *
 * Entered through the table of system calls (syscalls.c). Each call holds a reference to the file while it works, and a
 * vector is copied once and checked as a whole (memory/transfer.h). All reads and writes here go through move(), which
 * counts them and sends SIGPIPE and SIGXFSZ. No lock is held here; files/ guards offsets and contents.
 */
#include "core/heap.h"
#include "files/flock.h"
#include "files/streams.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "linux/abi_files.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"

#define NO_OFFSET UINT64_MAX
enum direction { READ, WRITE };

static void count(enum direction direction, ssize_type n)
{
    uint64_t bytes = (uint64_t)max_of(n, (ssize_type)0);
    uint64_t *calls = direction == READ ? &file_transfers.reads : &file_transfers.writes;
    uint64_t *moved = direction == READ ? &file_transfers.read_bytes : &file_transfers.written_bytes;
    __atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(moved, bytes, __ATOMIC_RELAXED);
}

static ssize_type move(struct file *file, enum direction direction, struct transfer *transfer, uint64_t offset)
{
    ssize_type n;
    if (offset != NO_OFFSET && (int64_t)(offset + transfer->remaining) < 0)
        return -EINVAL;
    if (offset != NO_OFFSET)
        n = direction == READ ? file_read_at(file, transfer, offset) : file_write_at(file, transfer, offset);
    else
        n = direction == READ ? file_read(file, transfer) : file_write(file, transfer);
    count(direction, n);
    if (n == -EPIPE && direction == WRITE)
        signals_broken_pipe();
    if (n == -EFBIG && direction == WRITE)
        signals_file_too_large();
    return n;
}

static int64_t move_buffer(int descriptor, enum direction direction, uintptr_t buffer, size_t length, uint64_t offset)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    struct transfer transfer;
    ssize_type n = transfer_init_buffer(&transfer, buffer, length);
    if (n == 0)
        n = move(file, direction, &transfer, offset);
    file_put(file);
    return n;
}

SYSCALL(read) { return move_buffer((int)a, READ, b, c, NO_OFFSET); }
SYSCALL(write) { return move_buffer((int)a, WRITE, b, c, NO_OFFSET); }
SYSCALL(pread64) { return (int64_t)d < 0 ? -EINVAL : move_buffer((int)a, READ, b, c, d); }
SYSCALL(pwrite64) { return (int64_t)d < 0 ? -EINVAL : move_buffer((int)a, WRITE, b, c, d); }

/* ---- Vectors: their counts are longs, of which Linux looks at 32 bits ---- */

static int64_t move_iov(int descriptor, enum direction direction, const struct iovec *iov, size_t count,
                        uint64_t offset)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    struct transfer transfer;
    transfer_init_iovec(&transfer, iov, count);
    ssize_type n = move(file, direction, &transfer, offset);
    file_put(file);
    return n;
}

static int64_t move_vector(int descriptor, enum direction direction, uintptr_t vector, uint32_t count, uint64_t offset)
{
    if (count > IOVEC_LIMIT)
        return -EINVAL;
    struct iovec few[8], *iov = few;
    if (count > array_size(few) && !(iov = heap_allocate_at(count * sizeof(*iov), PAGES_NEEDED)))
        return -ENOMEM;
    int64_t result = transfer_read_iovec(iov, vector, count);
    if (!result)
        result = move_iov(descriptor, direction, iov, count, offset);
    if (iov != few)
        heap_free(iov);
    return result;
}

SYSCALL(readv) { return move_vector((int)a, READ, b, (uint32_t)c, NO_OFFSET); }
SYSCALL(writev) { return move_vector((int)a, WRITE, b, (uint32_t)c, NO_OFFSET); }
SYSCALL(preadv) { return (int64_t)d < 0 ? -EINVAL : move_vector((int)a, READ, b, (uint32_t)c, d); }
SYSCALL(pwritev) { return (int64_t)d < 0 ? -EINVAL : move_vector((int)a, WRITE, b, (uint32_t)c, d); }

/* Offset -1 means the file's own. Flags are RWF_HIPRI, RWF_DSYNC and RWF_SYNC, which change nothing here. */
static int64_t move_vector_with(int descriptor, enum direction direction, uintptr_t vector, uint32_t count,
                                uint64_t offset, uint32_t flags)
{
    const uint32_t without_effect = 7;
    if ((int64_t)offset < -1)
        return -EINVAL;
    return flags & ~without_effect ? -EOPNOTSUPP : move_vector(descriptor, direction, vector, count, offset);
}

SYSCALL(preadv2) { return move_vector_with((int)a, READ, b, (uint32_t)c, d, (uint32_t)f); }
SYSCALL(pwritev2) { return move_vector_with((int)a, WRITE, b, (uint32_t)c, d, (uint32_t)f); }

SYSCALL(lseek)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    int64_t result = file_seek(file, (int64_t)b, (int)c);
    file_put(file);
    return result;
}

/* ---- What keeps data safe: memory and read-only disks have nothing to do ---- */

/* Regular files, directories and links of a file system that stores what is written. */
static bool is_stored(const struct file *file)
{
    const struct inode *inode = file->inode;
    return inode && (inode->fs->memory || inode->fs->read_only) && !is_type(inode, S_IFCHR) && !inode->uncached;
}

static int64_t check_stored(int descriptor)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    bool stored = is_stored(file);
    file_put(file);
    return stored ? 0 : -EINVAL;
}

SYSCALL(fsync) { return check_stored((int)a); }
SYSCALL(fdatasync) { return check_stored((int)a); }
SYSCALL(sync) { return 0; }

SYSCALL(syncfs)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    file_put(file);
    return 0;
}

SYSCALL(sync_file_range)
{
    const uint32_t flags = 7;            /* WAIT_BEFORE, WRITE, WAIT_AFTER */
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    int64_t end = (int64_t)(b + c);
    bool contents = file->inode && (is_type(file->inode, S_IFREG) || is_type(file->inode, S_IFDIR));
    file_put(file);
    if ((uint32_t)d & ~flags || (int64_t)b < 0 || (int64_t)c < 0 || end < (int64_t)b)
        return -EINVAL;
    return contents ? 0 : -ESPIPE;
}

SYSCALL(readahead)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    bool readable = file_is_readable(file);
    bool regular = file->inode && is_type(file->inode, S_IFREG) && file->operations->pages;
    file_put(file);
    return !readable ? -EBADF : !regular || (int64_t)b < 0 || (int64_t)c < 0 ? -EINVAL : 0;
}

SYSCALL(flock)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    int result = flock_file(file, (unsigned)b);
    file_put(file);
    return result;
}

SYSCALL(fadvise64)
{
    enum { LAST_ADVICE = 5 };
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    bool pipe = is_pipe(file);
    file_put(file);
    return pipe ? -ESPIPE : (uint32_t)d > LAST_ADVICE || (int64_t)c < 0 ? -EINVAL : 0;
}
