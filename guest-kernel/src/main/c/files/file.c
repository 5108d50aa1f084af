/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files: their references, and reading, writing and seeking through their operations.
 *
 * Mutex "file offset" is held during a read or write that moves the offset, so that two of them never get the same
 * bytes. Streams have no offset and take no lock. References are atomic.
 */
#include "core/debug.h"
#include "core/dump.h"
#include "core/heap.h"
#include "core/reference.h"
#include "files/epoll.h"
#include "files/file.h"
#include "files/flock.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/address_space.h"

uint64_t file_size_limit = UINT64_MAX;
struct file_transfers file_transfers;

DUMP_OFFSET(file, mappable);
DUMP_OFFSET(file, dentry);

static struct file *owner_of(struct mappable *object) { return container_of(object, struct file, mappable); }

static struct page_source *mapped_pages(struct mappable *object)
{
    struct file *file = owner_of(object);
    return file->operations->pages ? file->operations->pages(file) : NULL;
}

static void get_mapped(struct mappable *object) { file_get(owner_of(object)); }
static void put_mapped(struct mappable *object) { file_put(owner_of(object)); }

static const struct mappable_operations mapped_file = { .pages = mapped_pages, .get = get_mapped, .put = put_mapped };

struct file *file_of_mappable(struct mappable *object) { return owner_of(object); }
struct file *file_of_area(const struct area *area) { return area->object ? owner_of(area->object) : NULL; }

struct file *file_create(const struct file_operations *operations, uint32_t flags, void *private)
{
    struct file *file = heap_allocate_zeroed(sizeof(*file));
    if (!file)
        return NULL;
    file->operations = operations;
    file->mappable.operations = &mapped_file;
    file->references = 1;
    file->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    file->private = private;
    mutex_init(&file->offset_lock, LOCK_FILE_OFFSET);
    list_init(&file->watchers);
    return file;
}

struct file *file_get(struct file *file)
{
    reference_get(&file->references);
    return file;
}

void file_put(struct file *file)
{
    may_sleep();
    if (!reference_put(&file->references))
        return;
    epoll_forget(file);
    flock_forget(file);
    if (file->operations->release)
        file->operations->release(file);
    if (file->dentry)
        dentry_put(file->dentry);
    if (file->inode)
        inode_put(file->inode);
    heap_free(file);
}

/* Streams have no offset: several threads may read and write one at the same time. */
static bool seekable(const struct file *file) { return file->operations->seek; }

ssize_type file_read(struct file *file, struct transfer *transfer)
{
    if (!file_is_readable(file) || file->flags & O_PATH)
        return -EBADF;
    if (!file->operations->read)
        return -EINVAL;
    if (!seekable(file))
        return file->operations->read(file, transfer, NULL);
    mutex_lock(&file->offset_lock);
    ssize_type n = file->operations->read(file, transfer, &file->offset);
    mutex_unlock(&file->offset_lock);
    return n;
}

ssize_type file_write(struct file *file, struct transfer *transfer)
{
    if (!file_is_writable(file) || file->flags & O_PATH)
        return -EBADF;
    if (!file->operations->write)
        return -EINVAL;
    if (!seekable(file))
        return file->operations->write(file, transfer, NULL);
    mutex_lock(&file->offset_lock);
    ssize_type n = file->operations->write(file, transfer, &file->offset);
    mutex_unlock(&file->offset_lock);
    return n;
}

ssize_type file_read_at(struct file *file, struct transfer *transfer, uint64_t offset)
{
    if (!seekable(file))
        return -ESPIPE;
    if (!file_is_readable(file) || file->flags & O_PATH)
        return -EBADF;
    if (!file->operations->read)
        return -EINVAL;
    return file->operations->read(file, transfer, &offset);
}

ssize_type file_write_at(struct file *file, struct transfer *transfer, uint64_t offset)
{
    if (!seekable(file))
        return -ESPIPE;
    if (!file_is_writable(file) || file->flags & O_PATH)
        return -EBADF;
    if (!file->operations->write)
        return -EINVAL;
    return file->operations->write(file, transfer, &offset);
}

/* Pipes and sockets cannot; for files of no type, such as eventfd, it has no effect. */
static int64_t seek_stream(struct file *file)
{
    struct file_status status;
    int error = file_status(file, &status);
    return error ? error : status.mode & S_IFMT ? -ESPIPE : 0;
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
    if (file->flags & O_PATH)
        return -EBADF;
    if (whence < SEEK_SET || whence > SEEK_HOLE)
        return -EINVAL;
    if (!seekable(file))
        return seek_stream(file);
    mutex_lock(&file->offset_lock);
    int64_t result = file->operations->seek(file, offset, whence);
    mutex_unlock(&file->offset_lock);
    return result;
}

int64_t seek_without_end(struct file *file, int64_t offset, int whence)
{
    uint64_t start = whence == SEEK_CUR ? file->offset : 0;
    if (whence != SEEK_SET && whence != SEEK_CUR)
        return -EINVAL;
    if (__builtin_add_overflow((int64_t)start, offset, &offset) || offset < 0)
        return -EINVAL;
    file->offset = (uint64_t)offset;
    return offset;
}

unsigned file_poll(struct file *file)
{
    return file->operations->poll ? file->operations->poll(file) : POLLIN | POLLOUT;
}

int file_status(struct file *file, struct file_status *status)
{
    *status = (struct file_status){ .mode = 0600, .links = 1, .block_size = PAGE_SIZE };
    if (file->operations->status)
        return file->operations->status(file, status);
    if (file->inode)
        inode_status(file->inode, status);
    return 0;
}

ssize_type file_read_kernel(struct file *file, void *to, size_t length, uint64_t offset)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, to, length);
    while (transfer.remaining) {
        ssize_type n = file_read_at(file, &transfer, offset);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        offset += (uint64_t)n;
    }
    return (ssize_type)(length - transfer.remaining);
}
