/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving data through descriptors: read(2), write(2) and their vectors, lseek(2), flock(2), and the calls that store or
 * prefetch data.
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

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE3(read, int, fd, uintptr_t, buffer, size_t, count)
{
    return move_buffer(fd, READ, buffer, count, NO_OFFSET);
}

SYSCALL_DEFINE3(write, int, fd, uintptr_t, buffer, size_t, count)
{
    return move_buffer(fd, WRITE, buffer, count, NO_OFFSET);
}

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE4(pread64, int, fd, uintptr_t, buffer, size_t, count, int64_t, offset)
{
    return offset < 0 ? -EINVAL : move_buffer(fd, READ, buffer, count, offset);
}

SYSCALL_DEFINE4(pwrite64, int, fd, uintptr_t, buffer, size_t, count, int64_t, offset)
{
    return offset < 0 ? -EINVAL : move_buffer(fd, WRITE, buffer, count, offset);
}

/* ---- What stores data: on data disks; memory, scratch and read-only disks have nothing to store ---- */

/* Regular files, directories and links of a file system that stores what is written. */
static bool is_stored(const struct file *file)
{
    const struct inode *inode = file->inode;
    bool stores = inode && (inode->fs->memory || inode->fs->read_only || inode->fs->sync);
    return stores && !is_type(inode, S_IFCHR) && !inode->uncached;
}

static int64_t store(int descriptor, bool data_only)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int error = is_stored(file) ? 0 : -EINVAL;
    if (!error && file->inode->operations->sync)
        error = file->inode->operations->sync(file->inode, data_only);
    file_put(file);
    return error;
}

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

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE3(readv, int, fd, uintptr_t, iov, unsigned, iovcnt)
{
    return move_vector(fd, READ, iov, iovcnt, NO_OFFSET);
}

SYSCALL_DEFINE3(writev, int, fd, uintptr_t, iov, unsigned, iovcnt)
{
    return move_vector(fd, WRITE, iov, iovcnt, NO_OFFSET);
}

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE4(preadv, int, fd, uintptr_t, iov, unsigned, iovcnt, int64_t, offset)
{
    return offset < 0 ? -EINVAL : move_vector(fd, READ, iov, iovcnt, offset);
}

SYSCALL_DEFINE4(pwritev, int, fd, uintptr_t, iov, unsigned, iovcnt, int64_t, offset)
{
    return offset < 0 ? -EINVAL : move_vector(fd, WRITE, iov, iovcnt, offset);
}

/* Offset -1 means the file's own. */
static int64_t move_vector_with(int descriptor, enum direction direction, uintptr_t vector, uint32_t count,
                                uint64_t offset, uint32_t flags)
{
    enum { HIGH_PRIORITY = 1, DATA_SYNC = 2, SYNC = 4 }; /* RWF_*, readv(2); the first changes nothing here */
    if ((int64_t)offset < -1)
        return -EINVAL;
    if (flags & ~(uint32_t)(HIGH_PRIORITY | DATA_SYNC | SYNC))
        return -EOPNOTSUPP;
    int64_t n = move_vector(descriptor, direction, vector, count, offset);
    if (n <= 0 || direction == READ || !(flags & (DATA_SYNC | SYNC)))
        return n;
    int64_t error = store(descriptor, !(flags & SYNC));
    return error && error != -EINVAL ? error : n;
}

/* Deviates: RWF_NOWAIT and RWF_APPEND are not offered (EOPNOTSUPP). Reading leaves the time of access as it is. */
SYSCALL_DEFINE6(preadv2, int, fd, uintptr_t, iov, unsigned, iovcnt, int64_t, offset, uint64_t, offset_high, uint32_t,
                flags)
{
    return move_vector_with(fd, READ, iov, iovcnt, offset, flags);
}

/* Deviates: RWF_NOWAIT and RWF_APPEND are not offered (EOPNOTSUPP). */
SYSCALL_DEFINE6(pwritev2, int, fd, uintptr_t, iov, unsigned, iovcnt, int64_t, offset, uint64_t, offset_high, uint32_t,
                flags)
{
    return move_vector_with(fd, WRITE, iov, iovcnt, offset, flags);
}

SYSCALL_DEFINE3(lseek, int, fd, int64_t, offset, int, whence)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = file_seek(file, offset, whence);
    file_put(file);
    return result;
}

/* ---- Storing ---- */

SYSCALL_DEFINE1(fsync, int, fd) { return store(fd, false); }
SYSCALL_DEFINE1(fdatasync, int, fd) { return store(fd, true); }
SYSCALL_DEFINE0(sync)
{
    files_sync();
    return 0;
}

SYSCALL_DEFINE1(syncfs, int, fd)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    struct file_system *fs = file->inode ? file->inode->fs : NULL;
    int error = fs && fs->sync ? fs->sync(fs) : 0;
    file_put(file);
    return error;
}

/* Deviates: Stores the whole file where it has anything to store. */
SYSCALL_DEFINE4(sync_file_range, int, fd, int64_t, offset, int64_t, nbytes, uint32_t, flags)
{
    const uint32_t known = 7; /* WAIT_BEFORE, WRITE, WAIT_AFTER */
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t end = (int64_t)((uint64_t)offset + (uint64_t)nbytes);
    bool contents = file->inode && (is_type(file->inode, S_IFREG) || is_type(file->inode, S_IFDIR));
    int error = contents ? 0 : -ESPIPE;
    if (flags & ~known || offset < 0 || nbytes < 0 || end < offset)
        error = -EINVAL;
    if (!error && flags && file->inode->operations->sync)
        error = file->inode->operations->sync(file->inode, true);
    file_put(file);
    return error;
}

/* Deviates: Only checks its arguments. */
SYSCALL_DEFINE3(readahead, int, fd, int64_t, offset, size_t, count)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    bool readable = file_is_readable(file);
    bool regular = file->inode && is_type(file->inode, S_IFREG) && file->operations->pages;
    file_put(file);
    return !readable ? -EBADF : !regular || offset < 0 || (int64_t)count < 0 ? -EINVAL : 0;
}

/* Deviates: Only files that have a name can be locked (EBADF otherwise); LOCK_MAND is EINVAL. */
SYSCALL_DEFINE2(flock, int, fd, uint32_t, operation)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int result = flock_file(file, operation);
    file_put(file);
    return result;
}

/* posix_fadvise(2). */
enum { FADV_NORMAL, FADV_RANDOM, FADV_SEQUENTIAL, FADV_LAST = 5 };

static void follow_advice(struct file *file, unsigned advice)
{
    struct page_source *pages = file->operations->pages ? file->operations->pages(file) : NULL;
    if (pages && advice <= FADV_SEQUENTIAL)
        write_once(pages->random, advice == FADV_RANDOM);
}

/* Deviates: POSIX_FADV_RANDOM holds for all who have the file open, until POSIX_FADV_NORMAL or POSIX_FADV_SEQUENTIAL;
 * other advice changes nothing. */
SYSCALL_DEFINE4(fadvise64, int, fd, int64_t, offset, int64_t, len, unsigned, advice)
{
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int error = is_pipe(file) ? -ESPIPE : advice > FADV_LAST || len < 0 ? -EINVAL : 0;
    if (error == 0)
        follow_advice(file, advice);
    file_put(file);
    return error;
}
