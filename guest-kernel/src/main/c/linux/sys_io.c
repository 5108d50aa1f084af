/* Moving data through descriptors. */
#include "files/flock.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/pages.h"
#include "linux/abi_files.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "threads/thread.h"

#define NO_OFFSET UINT64_MAX
enum direction { IN, OUT };

static ssize_type move(struct file *file, enum direction direction, struct transfer *transfer, uint64_t offset)
{
    ssize_type n;
    if (offset != NO_OFFSET)
        n = direction == IN ? file_read_at(file, transfer, offset) : file_write_at(file, transfer, offset);
    else
        n = direction == IN ? file_read(file, transfer) : file_write(file, transfer);
    if (n == -EPIPE && direction == OUT)
        signals_broken_pipe();
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

SYSCALL(read) { return move_buffer((int)a, IN, b, c, NO_OFFSET); }
SYSCALL(write) { return move_buffer((int)a, OUT, b, c, NO_OFFSET); }
SYSCALL(pread64) { return (int64_t)d < 0 ? -EINVAL : move_buffer((int)a, IN, b, c, d); }
SYSCALL(pwrite64) { return (int64_t)d < 0 ? -EINVAL : move_buffer((int)a, OUT, b, c, d); }

/* ---- Vectors: their counts are longs, of which Linux looks at 32 bits ---- */

_Static_assert(sizeof(struct span) == sizeof(struct abi_iovec), "spans are read in place");

static int64_t move_spans(int descriptor, enum direction direction, const struct span *spans, size_t count, uint64_t offset)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    struct transfer transfer;
    transfer_init_spans(&transfer, spans, count);
    ssize_type n = move(file, direction, &transfer, offset);
    file_put(file);
    return n;
}

static int64_t move_vector(int descriptor, enum direction direction, uintptr_t vector, uint32_t count, uint64_t offset)
{
    if (count > IOVEC_LIMIT)
        return -EINVAL;
    struct span few[8], *spans = few;
    if (count > array_size(few) && !(spans = heap_allocate_at(count * sizeof(*spans), PAGES_NEEDED)))
        return -ENOMEM;
    int64_t result = transfer_read_spans(spans, vector, count);
    if (!result)
        result = move_spans(descriptor, direction, spans, count, offset);
    if (spans != few)
        heap_free(spans);
    return result;
}

SYSCALL(readv) { return move_vector((int)a, IN, b, (uint32_t)c, NO_OFFSET); }
SYSCALL(writev) { return move_vector((int)a, OUT, b, (uint32_t)c, NO_OFFSET); }
SYSCALL(preadv) { return (int64_t)d < 0 ? -EINVAL : move_vector((int)a, IN, b, (uint32_t)c, d); }
SYSCALL(pwritev) { return (int64_t)d < 0 ? -EINVAL : move_vector((int)a, OUT, b, (uint32_t)c, d); }

/* Offset -1 means the file's own. Flags are RWF_HIPRI, RWF_DSYNC and RWF_SYNC, which change nothing here. */
static int64_t move_vector_with(int descriptor, enum direction direction, uintptr_t vector, uint32_t count,
                                uint64_t offset, uint32_t flags)
{
    const uint32_t without_effect = 7;
    if ((int64_t)offset < -1)
        return -EINVAL;
    return flags & ~without_effect ? -EOPNOTSUPP : move_vector(descriptor, direction, vector, count, offset);
}

SYSCALL(preadv2) { return move_vector_with((int)a, IN, b, (uint32_t)c, d, (uint32_t)f); }
SYSCALL(pwritev2) { return move_vector_with((int)a, OUT, b, (uint32_t)c, d, (uint32_t)f); }

SYSCALL(lseek)
{
    struct file *file = descriptor_get((int)a);
    if (!file)
        return -EBADF;
    int64_t result = file_seek(file, (int64_t)b, (int)c);
    file_put(file);
    return result;
}

/* ---- sendfile(2): through a buffer large enough for segmentation offload ---- */

#define SEND_ORDER 4                 /* 64 KiB; a page where that is not to be had */

/* One buffer's worth. *at: the input's offset, advanced by what was written; NO_OFFSET: its own. Bytes, or -errno. */
static ssize_type send_piece(struct file *out, struct file *in, void *buffer, size_t length, uint64_t *at)
{
    struct transfer transfer;
    bool own = *at == NO_OFFSET;
    uint64_t offset = own ? read_once(in->offset) : *at;
    transfer_init_kernel(&transfer, buffer, length);
    ssize_type n = file_read_at(in, &transfer, offset);
    if (n <= 0)
        return n;
    transfer_init_kernel(&transfer, buffer, (size_t)n);
    ssize_type sent = move(out, OUT, &transfer, NO_OFFSET);
    if (sent <= 0)
        return sent;
    if (own)
        (void)file_seek(in, (int64_t)offset + sent, 0);
    else
        *at = offset + (uint64_t)sent;
    return sent;
}

static int64_t send_file(struct file *out, struct file *in, uint64_t *at, size_t count)
{
    unsigned order = count > PAGE_SIZE ? SEND_ORDER : 0;
    struct page *pages = pages_allocate_at(order, PAGES_NEEDED);
    if (!pages && order)
        pages = pages_allocate_at(order = 0, PAGES_NEEDED);
    if (!pages)
        return -ENOMEM;
    int64_t total = 0;
    while (count) {
        ssize_type n = send_piece(out, in, page_data(pages), min_of(count, PAGE_SIZE << order), at);
        if (n <= 0) {
            total = total ? total : n;
            break;
        }
        total += n;
        count -= (size_t)n;
        give_way();
    }
    pages_free(pages, order);
    return total;
}

SYSCALL(sendfile)
{
    uint64_t at = NO_OFFSET;
    if (c && user_get(&at, c))
        return -EFAULT;
    if (c && (int64_t)at < 0)
        return -EINVAL;
    struct file *out = descriptor_get((int)a), *in = descriptor_get((int)b);
    int64_t result = -EBADF;
    if (out && in)
        result = in->operations->pages ? send_file(out, in, &at, min_of(d, TRANSFER_LIMIT)) : -EINVAL;
    if (in)
        file_put(in);
    if (out)
        file_put(out);
    if (result >= 0 && c && user_put(c, &at))
        return -EFAULT;
    return result;
}

/* Its callers fall back to sendfile(2) or to reading and writing. */
SYSCALL(copy_file_range) { return -EINVAL; }

/* ---- What keeps data safe: memory and read-only disks have nothing to do ---- */

static int64_t check_descriptor(int descriptor)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    file_put(file);
    return 0;
}

static int64_t check_stored(int descriptor)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    bool stored = file->inode != NULL;
    file_put(file);
    return stored ? 0 : -EINVAL;
}

SYSCALL(fsync) { return check_stored((int)a); }
SYSCALL(fdatasync) { return check_stored((int)a); }
SYSCALL(syncfs) { return check_stored((int)a); }
SYSCALL(sync_file_range) { return check_stored((int)a); }
SYSCALL(sync) { return 0; }
SYSCALL(readahead) { return check_descriptor((int)a); }

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
    bool stream = !file->operations->seek;
    file_put(file);
    return stream ? -ESPIPE : (uint32_t)d > LAST_ADVICE || (int64_t)c < 0 ? -EINVAL : 0;
}
