/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes: pipe(2), and what splice(2) and tee(2) do with them. Named ones are in fifo.c.
 *
 * Writes of up to PIPE_ATOMIC bytes are not torn. A page is there only while it holds bytes. A pipe's mutex guards
 * pages, indices and ends; of two pipes the one at the lower address is locked first. It is not held while a thread
 * waits for room or bytes.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/pages.h"
#include "files/pipe_private.h"
#include "files/streams.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/thread.h"

static uint64_t last_number; /* atomic */

static uint32_t used(const struct pipe *pipe) { return read_once(pipe->write_at) - read_once(pipe->read_at); }
static uint32_t free_bytes(const struct pipe *pipe) { return PIPE_CAPACITY - used(pipe); }
static uint32_t run_length(uint32_t at) { return (uint32_t)(PAGE_SIZE - (at & PAGE_MASK)); }
static struct page **page_at(struct pipe *pipe, uint32_t at) { return &pipe->pages[at / PAGE_SIZE % PIPE_PAGES]; }

/*
 * Those that read wait exclusively: what was written is for one of them, who leaves the next one what it does not take,
 * because of its length or since its memory cannot be written. Those that write are all woken, for each wants room of
 * its own.
 */

/* ---- Reading, under the mutex ---- */

static void consume(struct pipe *pipe, uint32_t n)
{
    must_hold_mutex(&pipe->mutex);
    struct page **page = page_at(pipe, pipe->read_at);
    write_once(pipe->read_at, pipe->read_at + n);
    /* In a nearly full ring that was read from the middle of a page, that page also holds the newest bytes. */
    bool ring_full = used(pipe) > PIPE_CAPACITY - PAGE_SIZE;
    if (((pipe->read_at & PAGE_MASK) == 0 && !ring_full) || used(pipe) == 0) {
        page_put(*page);
        *page = NULL;
    }
    /* An empty pipe starts on a fresh page: the next byte would fall into the one just given back. */
    if (used(pipe) == 0)
        pipe->read_at = pipe->write_at = align_up(pipe->write_at, (uint32_t)PAGE_SIZE);
}

static ssize_type take(struct pipe *pipe, struct transfer *transfer)
{
    ssize_type total = 0;
    while (transfer->remaining && used(pipe)) {
        uint32_t n = min_of(used(pipe), run_length(pipe->read_at));
        n = (uint32_t)min_of((size_t)n, transfer->remaining);
        char *data = page_data(*page_at(pipe, pipe->read_at));
        ssize_type moved = transfer_out(transfer, data + (pipe->read_at & PAGE_MASK), n);
        if (moved < 0)
            return total ? total : moved;
        consume(pipe, (uint32_t)moved);
        total += moved;
    }
    return total;
}

ssize_type pipe_read(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct pipe *pipe = file->private;
    (void)offset;
    if (!transfer->remaining)
        return 0;
    for (;;) {
        mutex_lock(&pipe->mutex);
        ssize_type n = take(pipe, transfer);
        bool ended = n == 0 && pipe->writers == 0, left = used(pipe) != 0;
        mutex_unlock(&pipe->mutex);
        if (n > 0)
            wake(&pipe->queue, POLLOUT);
        if (left)
            wake_exclusive(&pipe->queue, POLLIN);
        if (n || ended)
            return n;
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until_exclusive(&pipe->queue, POLLIN, used(pipe) || !read_once(pipe->writers), NO_DEADLINE,
                                         SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

/* ---- Writing, under the mutex ---- */

/* The page for the next bytes; *fresh: there was none. In a nearly full ring it may hold the oldest bytes too. NULL
 * without memory. */
static struct page *writable_page(struct pipe *pipe, bool *fresh)
{
    must_hold_mutex(&pipe->mutex);
    struct page **page = page_at(pipe, pipe->write_at);
    *fresh = !*page;
    if (*fresh)
        *page = page_allocate();
    return *page;
}

/* Nothing was written to the page just made. */
static void drop_fresh_page(struct pipe *pipe)
{
    struct page **page = page_at(pipe, pipe->write_at);
    page_put(*page);
    *page = NULL;
}

static ssize_type put(struct pipe *pipe, struct transfer *transfer)
{
    ssize_type total = 0;
    while (transfer->remaining && free_bytes(pipe)) {
        bool fresh;
        struct page *page = writable_page(pipe, &fresh);
        if (!page)
            return total ? total : -ENOMEM;
        size_t n = min_of(free_bytes(pipe), run_length(pipe->write_at));
        n = min_of(n, transfer->remaining);
        ssize_type moved = transfer_in(transfer, (char *)page_data(page) + (pipe->write_at & PAGE_MASK), n);
        if (moved < 0) {
            if (fresh)
                drop_fresh_page(pipe);
            return total ? total : moved;
        }
        write_once(pipe->write_at, pipe->write_at + (uint32_t)moved);
        total += moved;
    }
    return total;
}

static size_t room_wanted(const struct transfer *transfer)
{
    return transfer->remaining <= PIPE_ATOMIC ? transfer->remaining : 1;
}

/* Writes what fits. *ended: there is no reader any more. */
static ssize_type put_what_fits(struct pipe *pipe, struct transfer *transfer, bool *ended)
{
    ssize_type n = 0;
    mutex_lock(&pipe->mutex);
    *ended = pipe->readers == 0;
    if (!*ended && free_bytes(pipe) >= room_wanted(transfer))
        n = put(pipe, transfer);
    mutex_unlock(&pipe->mutex);
    if (n > 0)
        wake(&pipe->queue, POLLIN);
    return n;
}

ssize_type pipe_write(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct pipe *pipe = file->private;
    ssize_type total = 0;
    (void)offset;
    while (transfer->remaining) {
        bool ended;
        ssize_type n = put_what_fits(pipe, transfer, &ended);
        if (ended)
            n = -EPIPE;
        if (n < 0)
            return total ? total : n;
        total += n;
        if (n)
            continue;
        if (read_once(file->flags) & O_NONBLOCK)
            return total ? total : -EAGAIN;
        int error = wait_until(&pipe->queue, free_bytes(pipe) >= room_wanted(transfer) || !read_once(pipe->readers),
                               NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return total ? total : error;
    }
    return total;
}

/* ---- Splicing ---- */

/* Under the mutex: gives bytes from read_at on to the mover, run by run. */
static ssize_type drain_locked(struct pipe *pipe, size_t limit, pipe_mover *move, void *context)
{
    must_hold_mutex(&pipe->mutex);
    ssize_type total = 0;
    while ((size_t)total < limit && used(pipe)) {
        size_t n = min_of((size_t)min_of(used(pipe), run_length(pipe->read_at)), limit - (size_t)total);
        char *data = page_data(*page_at(pipe, pipe->read_at));
        ssize_type moved = move(context, data + (pipe->read_at & PAGE_MASK), n);
        if (moved <= 0)
            return total ? total : moved;
        consume(pipe, (uint32_t)moved);
        total += moved;
    }
    return total;
}

ssize_type pipe_drain(struct file *read_end, size_t limit, pipe_mover *move, void *context)
{
    struct pipe *pipe = read_end->private;
    mutex_lock(&pipe->mutex);
    ssize_type n = used(pipe) ? drain_locked(pipe, limit, move, context) : pipe->writers ? -EAGAIN : 0;
    mutex_unlock(&pipe->mutex);
    if (n > 0)
        wake(&pipe->queue, POLLOUT);
    return n;
}

/* Under the mutex: has the mover put one run of bytes after the last one. */
static ssize_type fill_run(struct pipe *pipe, size_t limit, pipe_mover *move, void *context)
{
    must_hold_mutex(&pipe->mutex);
    bool fresh;
    struct page *page = writable_page(pipe, &fresh);
    if (!page)
        return -ENOMEM;
    size_t n = min_of((size_t)min_of(free_bytes(pipe), run_length(pipe->write_at)), limit);
    ssize_type moved = move(context, (char *)page_data(page) + (pipe->write_at & PAGE_MASK), n);
    if (moved > 0)
        write_once(pipe->write_at, pipe->write_at + (uint32_t)moved);
    else if (fresh)
        drop_fresh_page(pipe);
    return moved;
}

static ssize_type fill_locked(struct pipe *pipe, size_t limit, pipe_mover *move, void *context)
{
    must_hold_mutex(&pipe->mutex);
    ssize_type total = 0;
    if (!pipe->readers)
        return -EPIPE;
    while ((size_t)total < limit && free_bytes(pipe)) {
        ssize_type moved = fill_run(pipe, limit - (size_t)total, move, context);
        if (moved <= 0)
            return total ? total : moved;
        total += moved;
    }
    return total ? total : -EAGAIN;
}

ssize_type pipe_fill(struct file *write_end, size_t limit, pipe_mover *move, void *context)
{
    struct pipe *pipe = write_end->private;
    mutex_lock(&pipe->mutex);
    ssize_type n = fill_locked(pipe, limit, move, context);
    mutex_unlock(&pipe->mutex);
    if (n > 0)
        wake(&pipe->queue, POLLIN);
    return n;
}

/* Reads on in a pipe whose bytes stay there. */
struct look {
    struct pipe *pipe;
    uint32_t at;
};

static ssize_type look_on(void *context, void *data, size_t length)
{
    struct look *look = context;
    uint32_t left = look->pipe->write_at - look->at;
    size_t n = min_of(min_of(length, (size_t)left), (size_t)run_length(look->at));
    if (!n)
        return 0;
    memcpy(data, (char *)page_data(*page_at(look->pipe, look->at)) + (look->at & PAGE_MASK), n);
    look->at += (uint32_t)n;
    return (ssize_type)n;
}

static ssize_type copy_locked(struct pipe *from, struct pipe *to, size_t limit, bool keep)
{
    must_hold_mutex(&from->mutex);
    struct look look = { from, from->read_at };
    if (!used(from))
        return from->writers ? -EAGAIN : 0;
    ssize_type n = fill_locked(to, limit, look_on, &look);
    for (ssize_type left = keep ? 0 : n; left > 0;) {
        uint32_t run = min_of((uint32_t)left, run_length(from->read_at));
        consume(from, run);
        left -= run;
    }
    return n;
}

ssize_type pipe_copy(struct file *read_end, struct file *write_end, size_t limit, bool keep)
{
    struct pipe *from = read_end->private, *to = write_end->private;
    mutex_lock(&(from < to ? from : to)->mutex); /* always in this order */
    mutex_lock(&(from < to ? to : from)->mutex);
    ssize_type n = copy_locked(from, to, limit, keep);
    mutex_unlock(&to->mutex);
    mutex_unlock(&from->mutex);
    if (n > 0)
        wake(&to->queue, POLLIN);
    if (n > 0 && !keep)
        wake(&from->queue, POLLOUT);
    return n;
}

int pipe_wait_readable(struct file *read_end)
{
    struct pipe *pipe = read_end->private;
    return wait_until(&pipe->queue, used(pipe) || !read_once(pipe->writers), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
}

int pipe_wait_writable(struct file *write_end)
{
    struct pipe *pipe = write_end->private;
    return wait_until(&pipe->queue, free_bytes(pipe) || !read_once(pipe->readers), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
}

/* ---- Ends ---- */

unsigned pipe_poll_read_end(struct file *file)
{
    struct pipe *pipe = file->private;
    return (used(pipe) ? POLLIN : 0) | (read_once(pipe->writers) ? 0 : POLLHUP);
}

unsigned pipe_poll_write_end(struct file *file)
{
    struct pipe *pipe = file->private;
    return (free_bytes(pipe) >= PIPE_ATOMIC ? POLLOUT : 0) | (read_once(pipe->readers) ? 0 : POLLERR);
}

struct wait_queue *pipe_queue(struct file *file)
{
    struct pipe *pipe = file->private;
    return &pipe->queue;
}

int64_t pipe_ioctl(struct file *file, uint32_t request, uintptr_t argument)
{
    if (request != FIONREAD)
        return -ENOTTY;
    int32_t bytes = (int32_t)used(file->private);
    return user_put(argument, &bytes);
}

static int pipe_status(struct file *file, struct file_status *status)
{
    const struct pipe *pipe = file->private;
    status->mode = S_IFIFO | 0600;
    status->inode = pipe->number;
    status->accessed = status->modified = status->changed = pipe->created;
    return 0;
}

void pipe_free(struct pipe *pipe)
{
    for (unsigned i = 0; i < PIPE_PAGES; i++) {
        if (pipe->pages[i])
            page_put(pipe->pages[i]);
    }
    heap_free(pipe);
}

bool pipe_close_ends(struct pipe *pipe, bool reader, bool writer)
{
    mutex_lock(&pipe->mutex);
    write_once(pipe->readers, pipe->readers - reader);
    write_once(pipe->writers, pipe->writers - writer);
    bool last = !pipe->readers && !pipe->writers;
    /* Under the mutex: the other end, which closes next, frees the pipe. */
    if (reader && !pipe->readers)
        wake_all(&pipe->queue, POLLOUT | POLLERR);
    if (writer && !pipe->writers)
        wake_all(&pipe->queue, POLLIN | POLLHUP);
    mutex_unlock(&pipe->mutex);
    return last;
}

static void close_pipe(struct file *file)
{
    if (pipe_close_ends(file->private, file_is_readable(file), file_is_writable(file)))
        pipe_free(file->private);
}

static const struct file_operations read_end_operations = {
    .read = pipe_read,
    .poll = pipe_poll_read_end,
    .queue = pipe_queue,
    .ioctl = pipe_ioctl,
    .status = pipe_status,
    .release = close_pipe,
};
static const struct file_operations write_end_operations = {
    .write = pipe_write,
    .poll = pipe_poll_write_end,
    .queue = pipe_queue,
    .ioctl = pipe_ioctl,
    .status = pipe_status,
    .release = close_pipe,
};

struct pipe *pipe_make(void)
{
    struct pipe *pipe = heap_allocate_zeroed(sizeof(*pipe));
    if (!pipe)
        return NULL;
    mutex_init(&pipe->mutex, LOCK_PIPE);
    wait_queue_init(&pipe->queue);
    pipe->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    pipe->created = clock_wall();
    return pipe;
}

/* ---- Any pipe ---- */

bool is_pipe(const struct file *file)
{
    return file->operations == &read_end_operations || file->operations == &write_end_operations || is_fifo(file);
}

bool is_same_pipe(const struct file *a, const struct file *b)
{
    return is_pipe(a) && is_pipe(b) && a->private == b->private;
}

int pipe_create(uint32_t flags, struct file **read_end, struct file **write_end)
{
    struct pipe *pipe = pipe_make();
    if (!pipe)
        return -ENOMEM;
    pipe->readers = pipe->writers = 1;
    *read_end = file_create(&read_end_operations, O_RDONLY | flags, pipe);
    if (!*read_end) {
        heap_free(pipe);
        return -ENOMEM;
    }
    *write_end = file_create(&write_end_operations, O_WRONLY | flags, pipe);
    if (*write_end)
        return 0;
    pipe->writers = 0; /* so that closing the read end frees the pipe */
    file_put(*read_end);
    return -ENOMEM;
}
