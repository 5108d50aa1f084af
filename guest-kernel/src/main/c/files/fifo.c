/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named pipes: fifo(7). The inode has a pipe (pipe.c) while it is open or being opened; its users are counted under the
 * inode's lock, which is taken outside the pipe's mutex. Entered through fifo_open() and the operations of the file.
 */
#include "files/inotify.h"
#include "files/pipe_private.h"
#include "files/streams.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "threads/thread.h"

/* One opened for reading without waiting for a writer is not at its end before the first writer has come. */
static unsigned poll_fifo(struct file *file)
{
    struct pipe *pipe = file->private;
    unsigned events = 0;
    if (file_is_readable(file))
        events |= pipe_poll_read_end(file);
    if (file_is_writable(file))
        events |= pipe_poll_write_end(file);
    return file->offset == read_once(pipe->writers_opened) ? events & ~POLLHUP : events;
}

static ssize_type write_fifo(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    ssize_type n = pipe_write(file, transfer, offset);
    if (n > 0) {
        file->inode->modified = file->inode->changed = clock_wall();
        inotify_file(file->inode, file->dentry, IN_MODIFY);
    }
    return n;
}

/* The inode's pipe, made if there is none, for one more user; NULL without memory. */
static struct pipe *use_fifo(struct inode *inode)
{
    mutex_lock(&inode->lock);
    if (!inode->private)
        inode->private = pipe_make();
    struct pipe *pipe = inode->private;
    if (pipe)
        pipe->users++;
    mutex_unlock(&inode->lock);
    return pipe;
}

static void leave_fifo(struct inode *inode, struct pipe *pipe)
{
    mutex_lock(&inode->lock);
    bool last = --pipe->users == 0;
    if (last)
        inode->private = NULL;
    mutex_unlock(&inode->lock);
    if (last)
        pipe_free(pipe);
}

static void close_fifo(struct file *file)
{
    inotify_file(file->inode, file->dentry, file_is_writable(file) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    (void)pipe_close_ends(file->private, file_is_readable(file), file_is_writable(file));
    leave_fifo(file->inode, file->private);
}

static const struct file_operations fifo_operations = {
    .read = pipe_read,
    .write = write_fifo,
    .poll = poll_fifo,
    .queue = pipe_queue,
    .ioctl = pipe_ioctl,
    .release = close_fifo,
};

/* Adds the ends that the file is; *readers_before: how often the one for reading had been opened. 0 or -ENXIO. */
static int add_ends(struct pipe *pipe, struct file *file, uint32_t *readers_before)
{
    bool reader = file_is_readable(file), writer = file_is_writable(file), nonblocking = file->flags & O_NONBLOCK;
    int error = 0;
    mutex_lock(&pipe->mutex);
    if (writer && !reader && nonblocking && !pipe->readers) {
        error = -ENXIO;
    } else {
        *readers_before = pipe->readers_opened;
        file->offset = reader && !writer && !pipe->writers ? pipe->writers_opened : UINT64_MAX;
        write_once(pipe->readers, pipe->readers + reader);
        write_once(pipe->writers, pipe->writers + writer);
        write_once(pipe->readers_opened, pipe->readers_opened + reader);
        write_once(pipe->writers_opened, pipe->writers_opened + writer);
        wake(&pipe->queue, 0);
    }
    mutex_unlock(&pipe->mutex);
    return error;
}

/* Until the other end has been opened, if only for a moment. 0 or -EINTR. */
static int wait_for_other_end(struct pipe *pipe, const struct file *file, uint32_t readers_before)
{
    bool reader = file_is_readable(file), writer = file_is_writable(file);
    if (reader && writer)
        return 0;
    if (reader && (file->flags & O_NONBLOCK || file->offset == UINT64_MAX))
        return 0;
    if (reader)
        return wait_until(&pipe->queue, read_once(pipe->writers_opened) != file->offset, NO_DEADLINE,
                          SLEEP_INTERRUPTIBLE);
    return wait_until(&pipe->queue, read_once(pipe->readers) || read_once(pipe->readers_opened) != readers_before,
                      NO_DEADLINE, SLEEP_INTERRUPTIBLE);
}

bool is_fifo(const struct file *file) { return file->operations == &fifo_operations; }

int fifo_open(struct inode *inode, struct file *file)
{
    uint32_t readers_before = 0;
    struct pipe *pipe = use_fifo(inode);
    if (!pipe)
        return -ENOMEM;
    int error = add_ends(pipe, file, &readers_before);
    if (!error && (error = wait_for_other_end(pipe, file, readers_before)))
        (void)pipe_close_ends(pipe, file_is_readable(file), file_is_writable(file));
    if (error) {
        leave_fifo(inode, pipe);
        return error;
    }
    file->operations = &fifo_operations;
    file->private = pipe;
    return 0;
}
