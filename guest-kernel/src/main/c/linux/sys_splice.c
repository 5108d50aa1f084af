/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving bytes between descriptors without user memory: splice(2), tee(2), vmsplice(2), copy_file_range(2),
 * sendfile(2).
 *
 * Bytes are copied, once, into or out of the pages of a pipe or a buffer, so that nothing is taken from a source that
 * its target does not take: the pipe stays locked while the other side moves what it can without waiting. Waiting is
 * done without locks, and ends when a signal comes.
 */
#include "core/heap.h"
#include "core/pages.h"
#include "files/streams.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "linux/abi_files.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "net/socket.h"
#include "threads/thread.h"

#define SPLICE_NONBLOCK 2u
#define SPLICE_FLAGS 15u /* MOVE, NONBLOCK, MORE, GIFT: only one makes a difference */

/* One side of a call that is no pipe: `at` is where a file is read or written, and advances. */
struct side {
    struct file *file;
    struct socket *socket; /* or NULL */
    uint64_t at;
};

static ssize_type write_side(void *context, void *data, size_t length)
{
    struct side *side = context;
    struct transfer transfer;
    struct socket_message message = { .data = &transfer, .flags = MSG_DONTWAIT | MSG_NOSIGNAL };
    transfer_init_kernel(&transfer, data, length);
    if (side->socket)
        return side->socket->operations->send(side->socket, &message);
    if (!side->file->operations->seek)
        return file_write(side->file, &transfer);
    ssize_type n = file_write_at(side->file, &transfer, side->at);
    side->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

static ssize_type read_side(void *context, void *data, size_t length)
{
    struct side *side = context;
    struct transfer transfer;
    struct socket_address sender;
    struct socket_message message = { .data = &transfer, .flags = MSG_DONTWAIT, .address = &sender };
    transfer_init_kernel(&transfer, data, length);
    if (side->socket)
        return side->socket->operations->receive(side->socket, &message);
    ssize_type n = file_read_at(side->file, &transfer, side->at);
    side->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

static int wait_side(const struct side *side, unsigned events)
{
    struct wait_queue *queue = side->file->operations->queue ? side->file->operations->queue(side->file) : NULL;
    if (!queue)
        return 0;
    return wait_until(queue, file_poll(side->file) & (events | POLLERR | POLLHUP), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
}

static bool is_nonblocking(const struct file *file, uint32_t flags)
{
    return flags & SPLICE_NONBLOCK || read_once(file->flags) & O_NONBLOCK;
}

/* What is read from: a socket, or a file with contents. */
static bool can_be_source(const struct side *side)
{
    return side->socket || (side->file->operations->seek && side->file->operations->read && side->file->inode &&
                            !is_type(side->file->inode, S_IFDIR));
}

static bool can_be_target(const struct side *side)
{
    return side->socket || (side->file->operations->write && side->file->inode);
}

/* ---- Three ways, each one step: bytes, 0 at the end, -EAGAIN, or another -errno ---- */

struct splice {
    struct file *in, *out;
    struct side side; /* the one that is no pipe, if any */
    size_t length;
    uint32_t flags;
};

static ssize_type step(struct splice *splice)
{
    bool from_pipe = is_pipe(splice->in), to_pipe = is_pipe(splice->out);
    if (from_pipe && to_pipe)
        return pipe_copy(splice->in, splice->out, splice->length, false);
    if (from_pipe)
        return pipe_drain(splice->in, splice->length, write_side, &splice->side);
    return pipe_fill(splice->out, splice->length, read_side, &splice->side);
}

/* Waits for what kept the last step from moving anything. */
static int wait_for_step(const struct splice *splice)
{
    if (is_pipe(splice->in)) {
        if (!(file_poll(splice->in) & POLLIN))
            return is_nonblocking(splice->in, splice->flags) ? -EAGAIN : pipe_wait_readable(splice->in);
    } else if (splice->side.socket && !(file_poll(splice->in) & POLLIN)) {
        return is_nonblocking(splice->in, splice->flags) ? -EAGAIN : wait_side(&splice->side, POLLIN);
    }
    if (is_nonblocking(splice->out, splice->flags))
        return -EAGAIN;
    return is_pipe(splice->out) ? pipe_wait_writable(splice->out) : wait_side(&splice->side, POLLOUT);
}

static int64_t run(struct splice *splice)
{
    int64_t total = 0;
    while (splice->length) {
        ssize_type n = step(splice);
        if (n == -EAGAIN && !total)
            n = wait_for_step(splice);
        else if (n <= 0)
            return total ? total : n;
        if (n < 0)
            return n;
        total += n;
        splice->length -= (size_t)n;
        if (total && !is_pipe(splice->in) && splice->side.socket)
            return total; /* what a socket has now is enough */
        give_way();
    }
    return total;
}

/* ---- splice(2) ---- */

/* The offset of a side: the one that the program passes, or the file's own; -ESPIPE if the file has none. */
static int read_offset(struct file *file, uintptr_t offset_at, uint64_t *at)
{
    if (offset_at && (is_pipe(file) || socket_of(file)))
        return -ESPIPE;
    if (offset_at && !file->operations->seek)
        return -EINVAL;
    *at = read_once(file->offset);
    if (!offset_at)
        return 0;
    if (user_get(at, offset_at))
        return -EFAULT;
    return (int64_t)*at < 0 ? -EINVAL : 0;
}

static int64_t finish(const struct splice *splice, uintptr_t offset_at, int64_t result)
{
    struct file *file = splice->side.file;
    if (result == -EPIPE)
        signals_broken_pipe();
    if (result <= 0 || !file || !file->operations->seek)
        return result;
    if (offset_at)
        return user_put(offset_at, &splice->side.at) ? -EFAULT : result;
    (void)file_seek(file, (int64_t)splice->side.at, SEEK_SET);
    return result;
}

static int64_t splice_files(struct splice *splice, uintptr_t in_at, uintptr_t out_at)
{
    bool from_pipe = is_pipe(splice->in), to_pipe = is_pipe(splice->out);
    uint64_t in_offset, out_offset;
    if (!file_is_readable(splice->in) || !file_is_writable(splice->out))
        return -EBADF;
    if (from_pipe && in_at)
        return -ESPIPE;
    if (to_pipe && out_at)
        return -ESPIPE;
    int error = from_pipe ? 0 : read_offset(splice->in, in_at, &in_offset);
    if (!error && !to_pipe)
        error = read_offset(splice->out, out_at, &out_offset);
    if (error)
        return error;
    if ((!from_pipe && !to_pipe) || is_same_pipe(splice->in, splice->out))
        return -EINVAL;
    if (!from_pipe)
        splice->side = (struct side){ splice->in, socket_of(splice->in), in_offset };
    else if (!to_pipe)
        splice->side = (struct side){ splice->out, socket_of(splice->out), out_offset };
    if (!from_pipe && !can_be_source(&splice->side))
        return -EINVAL;
    if (!to_pipe && (!can_be_target(&splice->side) || splice->out->flags & O_APPEND))
        return -EINVAL;
    return finish(splice, from_pipe ? out_at : in_at, run(splice));
}

struct two_files {
    struct file *in, *out;
};

static bool hold(struct two_files *files, int in, int out)
{
    *files = (struct two_files){ descriptor_get(in), descriptor_get(out) };
    if (files->in && files->out)
        return true;
    if (files->in)
        file_put(files->in);
    if (files->out)
        file_put(files->out);
    return false;
}

static void let_go(const struct two_files *files)
{
    file_put(files->in);
    file_put(files->out);
}

/* Deviates: From /dev/null it returns 0, the end of the file, as read(2) does. */
SYSCALL_DEFINE6(splice, int, fd_in, uintptr_t, off_in, int, fd_out, uintptr_t, off_out, size_t, size, uint32_t, flags)
{
    struct two_files files;
    if (!size)
        return 0;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!hold(&files, fd_in, fd_out))
        return -EBADF;
    struct splice splice = { .in = files.in, .out = files.out, .length = min_of(size, TRANSFER_LIMIT), .flags = flags };
    int64_t result = splice_files(&splice, off_in, off_out);
    let_go(&files);
    return result;
}

/* ---- tee(2) ---- */

static int64_t copy_pipe(const struct two_files *files, size_t length, uint32_t flags)
{
    if (!file_is_readable(files->in) || !file_is_writable(files->out))
        return -EBADF;
    if (!is_pipe(files->in) || !is_pipe(files->out) || is_same_pipe(files->in, files->out))
        return -EINVAL;
    for (;;) {
        ssize_type n = pipe_copy(files->in, files->out, length, true);
        if (n == -EPIPE)
            signals_broken_pipe();
        if (n != -EAGAIN || is_nonblocking(files->in, flags) || is_nonblocking(files->out, flags))
            return n;
        bool empty = !(file_poll(files->in) & POLLIN);
        int error = empty ? pipe_wait_readable(files->in) : pipe_wait_writable(files->out);
        if (error)
            return error;
        give_way();
    }
}

SYSCALL_DEFINE4(tee, int, fd_in, int, fd_out, size_t, size, uint32_t, flags)
{
    struct two_files files;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    if (!size)
        return 0;
    if (!hold(&files, fd_in, fd_out))
        return -EBADF;
    int64_t result = copy_pipe(&files, min_of(size, TRANSFER_LIMIT), flags);
    let_go(&files);
    return result;
}

/* ---- vmsplice(2) ---- */

static ssize_type from_user(void *context, void *data, size_t length) { return transfer_in(context, data, length); }
static ssize_type to_user(void *context, void *data, size_t length) { return transfer_out(context, data, length); }

static int64_t move_user(struct file *file, struct transfer *transfer, uint32_t flags)
{
    bool to_pipe = file_is_writable(file);
    int64_t total = 0;
    while (transfer->remaining) {
        ssize_type n = to_pipe ? pipe_fill(file, transfer->remaining, from_user, transfer)
                               : pipe_drain(file, transfer->remaining, to_user, transfer);
        if (n == -EPIPE)
            signals_broken_pipe();
        if (n == -EAGAIN && !is_nonblocking(file, flags) && (to_pipe || !total))
            n = to_pipe ? pipe_wait_writable(file) : pipe_wait_readable(file);
        else if (n <= 0)
            return total ? total : n;
        if (n < 0)
            return total ? total : n;
        total += n;
        give_way();
    }
    return total;
}

/* Deviates: The bytes are copied, so what is written to the memory afterwards is not seen in the pipe. */
SYSCALL_DEFINE4(vmsplice, int, fd, uintptr_t, iov, unsigned, nr_segs, uint32_t, flags)
{
    struct transfer transfer;
    if (flags & ~SPLICE_FLAGS)
        return -EINVAL;
    struct file *file = descriptor_get(fd);
    struct iovec *vector = NULL;
    int64_t result = !file ? -EBADF : nr_segs > IOVEC_LIMIT ? -EINVAL : 0;
    if (!result && !(vector = heap_allocate_at(max_of(nr_segs, 1u) * sizeof(*vector), PAGES_NEEDED)))
        result = -ENOMEM;
    if (!result)
        result = transfer_read_iovec(vector, iov, nr_segs);
    if (!result && !is_pipe(file))
        result = -EBADF;
    if (!result) {
        transfer_init_iovec(&transfer, vector, nr_segs);
        result = move_user(file, &transfer, flags);
    }
    heap_free(vector);
    if (file)
        file_put(file);
    return result;
}

/* ---- From file to file: through a buffer large enough for segmentation offload ---- */

#define BUFFER_ORDER 4 /* 64 KiB; one page if that cannot be allocated */

/* One buffer's worth. Bytes, or -errno. */
static ssize_type copy_piece(struct side *in, struct side *out, void *buffer, size_t length)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, buffer, length);
    ssize_type n = file_read_at(in->file, &transfer, in->at);
    if (n <= 0)
        return n;
    transfer_init_kernel(&transfer, buffer, (size_t)n);
    bool own = out->at == UINT64_MAX;
    ssize_type written = own ? file_write(out->file, &transfer) : file_write_at(out->file, &transfer, out->at);
    if (written > 0) {
        in->at += (uint64_t)written;
        out->at += own ? 0 : (uint64_t)written;
    }
    return written;
}

static int64_t copy_between(struct side *in, struct side *out, size_t count)
{
    unsigned order = count > PAGE_SIZE ? BUFFER_ORDER : 0;
    struct page *pages = pages_allocate_at(order, PAGES_NEEDED);
    if (!pages && order)
        pages = pages_allocate_at(order = 0, PAGES_NEEDED);
    if (!pages)
        return -ENOMEM;
    int64_t total = 0;
    while (count) {
        ssize_type n = copy_piece(in, out, page_data(pages), min_of(count, PAGE_SIZE << order));
        if (n <= 0) {
            total = total ? total : n;
            break;
        }
        total += n;
        count -= (size_t)n;
        give_way();
    }
    pages_free(pages, order);
    if (total == -EPIPE)
        signals_broken_pipe();
    if (total == -EFBIG)
        signals_file_too_large();
    return total;
}

/* Stores where the call ended, for the program or in the file. */
static int64_t advance(const struct side *side, uintptr_t offset_at, int64_t result)
{
    if (offset_at)
        return user_put(offset_at, &side->at) ? -EFAULT : result;
    if (result > 0)
        (void)file_seek(side->file, (int64_t)side->at, SEEK_SET);
    return result;
}

static int64_t send_file(const struct two_files *files, uintptr_t offset_at, uint64_t count)
{
    struct side in = { .file = files->in }, out = { .file = files->out, .at = UINT64_MAX };
    if (!file_is_readable(files->in) || !file_is_writable(files->out))
        return -EBADF;
    int error = read_offset(files->in, offset_at, &in.at);
    if (error)
        return error;
    if ((int64_t)count < 0 || files->out->flags & O_APPEND)
        return -EINVAL;
    if (socket_of(files->in) && is_pipe(files->out)) {
        struct splice splice = { .in = files->in, .out = files->out, .length = min_of(count, TRANSFER_LIMIT) };
        return splice_files(&splice, 0, 0);
    }
    if (!files->in->operations->pages)
        return -EINVAL;
    return advance(&in, offset_at, copy_between(&in, &out, min_of(count, TRANSFER_LIMIT)));
}

SYSCALL_DEFINE4(sendfile, int, out_fd, int, in_fd, uintptr_t, offset, size_t, count)
{
    struct two_files files;
    if (offset && !user_range_ok(offset, sizeof(uint64_t)))
        return -EFAULT;
    if (!hold(&files, in_fd, out_fd))
        return -EBADF;
    int64_t result = send_file(&files, offset, count);
    let_go(&files);
    return result;
}

static int check_regular(const struct file *file)
{
    if (file->inode && is_type(file->inode, S_IFDIR))
        return -EISDIR;
    return file->inode && is_type(file->inode, S_IFREG) ? 0 : -EINVAL;
}

static int64_t copy_range(const struct two_files *files, uintptr_t in_at, uintptr_t out_at, uint64_t count)
{
    struct side in = { .file = files->in, .at = files->in->offset },
                out = { .file = files->out, .at = files->out->offset };
    if ((in_at && user_get(&in.at, in_at)) || (out_at && user_get(&out.at, out_at)))
        return -EFAULT;
    int error = check_regular(files->in);
    if (!error)
        error = check_regular(files->out);
    if (error)
        return error;
    if (!file_is_readable(files->in) || !file_is_writable(files->out) || files->out->flags & O_APPEND)
        return -EBADF;
    if ((int64_t)in.at < 0 || (int64_t)out.at < 0 || (int64_t)count < 0)
        return (int64_t)count < 0 && (int64_t)in.at >= 0 && (int64_t)out.at >= 0 ? -EOVERFLOW : -EINVAL;
    uint64_t size = read_once(files->in->inode->size);
    count = min_of(count, size - min_of(size, in.at));
    if (files->in->inode == files->out->inode && in.at < out.at + count && out.at < in.at + count)
        return -EINVAL;
    int64_t result = copy_between(&in, &out, min_of(count, TRANSFER_LIMIT));
    result = advance(&in, in_at, result);
    return advance(&out, out_at, result);
}

/* Deviates: Also copies between file systems. */
SYSCALL_DEFINE6(copy_file_range, int, fd_in, uintptr_t, off_in, int, fd_out, uintptr_t, off_out, size_t, size, uint32_t,
                flags)
{
    struct two_files files;
    if (!hold(&files, fd_in, fd_out))
        return -EBADF;
    int64_t result = flags ? -EINVAL : copy_range(&files, off_in, off_out, size);
    let_go(&files);
    return result;
}
