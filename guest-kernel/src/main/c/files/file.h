/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files: what a file descriptor refers to. Everything with a descriptor, from ext2 files to
 * sockets and epoll instances, is a struct file with a table of operations; linux/ turns
 * system calls into calls of the functions at the end of this header.
 *
 * References are counted; the last file_put() releases. `offset` is guarded by offset_lock for
 * files that have one (seekable). Flags O_APPEND and O_NONBLOCK may change under fcntl and are read once.
 */
#pragma once

#include "lib/types.h"
#include "memory/mappable.h"
#include "memory/page_cache.h"
#include "memory/transfer.h"
#include "threads/wait.h"

/* open(2) flags, Linux x86-64 values (asm-generic/fcntl.h). */
#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NOCTTY 0400u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DSYNC 010000u
#define O_SYNC 04010000u
#define O_LARGEFILE 0100000u /* each file has it; F_GETFL reports it */
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW 0400000u
#define O_CLOEXEC 02000000u
#define O_PATH 010000000u

/* Readiness and wake-up events, values of poll(2) and epoll (linux/poll.h). */
#define POLLIN 0x001u
#define POLLPRI 0x002u
#define POLLOUT 0x004u
#define POLLERR 0x008u
#define POLLHUP 0x010u
#define POLLRDHUP 0x2000u

/* ioctl(2): how many bytes can be read now, asm-generic/ioctls.h. */
#define FIONREAD 0x541bu

/* File types in the mode, stat(2). */
#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u

struct area;
struct inode;
struct dentry;
struct file;

/* Device numbers as stat(2) reports them: 12 bits of the major above 8 of the minor, whose others are above those. */
static inline uint64_t device_number(uint32_t major, uint32_t minor)
{
    return (minor & 0xffu) | (uint64_t)major << 8 | (uint64_t)(minor >> 8) << 20;
}
static inline uint32_t device_major(uint64_t number) { return (uint32_t)(number >> 8) & 0xfff; }
static inline uint32_t device_minor(uint64_t number) { return (uint32_t)((number & 0xff) | (number >> 12 & ~0xffUL)); }

/* What stat(2) reports; linux/ converts it to the ABI's layout. Times in ns since 1970, earlier ones as two's
 * complement. */
struct file_status {
    uint64_t device, inode, device_number;
    uint32_t mode, links, uid, gid;
    uint64_t size, blocks_512;
    uint32_t block_size;
    nanoseconds accessed, modified, changed;
};

/*
 * Any member may be NULL: read/write then fail with -EINVAL, ioctl with -ENOTTY, poll says
 * always readable and writable. All but poll may sleep.
 */
struct file_operations {
    /* Moves up to transfer->remaining bytes at *offset, advancing it (ignored by streams).
     * Returns bytes moved, 0 at the end of the file, or -errno. Honours file->flags & O_NONBLOCK. */
    ssize_type (*read)(struct file *file, struct transfer *transfer, uint64_t *offset);
    ssize_type (*write)(struct file *file, struct transfer *transfer, uint64_t *offset);
    /* The events that hold now (POLL*), whatever was asked for. Does not sleep. */
    unsigned (*poll)(struct file *file);
    /* The queue on which every change of poll() is announced with wake(queue, events); NULL: never changes. */
    struct wait_queue *(*queue)(struct file *file);
    int64_t (*ioctl)(struct file *file, uint32_t request, uintptr_t argument); /* ioctl(2) */
    int (*status)(struct file *file, struct file_status *status);
    int64_t (*seek)(struct file *file, int64_t offset, int whence); /* NULL: -ESPIPE */
    /* The pages to map for mmap(2), or NULL: not mappable (-ENODEV). */
    struct page_source *(*pages)(struct file *file);
    void (*release)(struct file *file);
};

struct file {
    const struct file_operations *operations;
    struct mappable mappable; /* what mmap(2) maps, by operations.pages */
    uint32_t references;      /* atomic */
    uint32_t flags;           /* O_* without creation flags */
    bool locked;              /* holds an flock(2) (files/flock.c) */
    int32_t owner;            /* F_SETOWN, fcntl(2): what gets SIGURG; a process, -group, or 0; read once */
    uint64_t offset;          /* offset_lock; of streams, the implementation's */
    struct mutex offset_lock;
    struct inode *inode;   /* for files of a file system, else NULL; holds a reference */
    struct dentry *dentry; /* the name it was opened by, likewise */
    struct list watchers;  /* epoll: the interests in this file (files/epoll.c) */
    void *private;         /* the implementation's */
};

/* A file with one reference; NULL without memory. A file without inode and status() looks to stat(2) like a
 * file of mode 0600 of no type. */
struct file *file_create(const struct file_operations *operations, uint32_t flags, void *private);
struct file *file_get(struct file *file);
/* The file that an area maps, or NULL. The reference stays the area's, so it holds under the address_space mutex. */
struct file *file_of_area(const struct area *area);
/* The file that is mapped, or NULL: it is none. The reference stays the object's. */
struct file *file_of_mappable(struct mappable *object);
/* What it was opened for: access mode 3, which open(2) takes as well, is both. */
static inline bool file_is_readable(const struct file *file) { return (file->flags & O_ACCMODE) != O_WRONLY; }
static inline bool file_is_writable(const struct file *file) { return (file->flags & O_ACCMODE) != O_RDONLY; }
/* /dev/zero: mmap(2) of it gives anonymous memory. */
bool file_is_zero_device(const struct file *file);
/* Dropping the last reference releases the file, which may sleep. */
void file_put(struct file *file);

/* ---- Descriptors: one table, lock "descriptors" (leaf spinlock) -------------------------------- */

/* 0 if descriptor_add() of any number will succeed, unless another thread takes the descriptor first; else -EMFILE or
 * -ENOMEM. For calls that cannot undo what they do before it. */
int descriptor_room(void);
/* The lowest free descriptor >= lowest now refers to file, taking over the caller's reference.
 * Descriptor, -EMFILE or -ENOMEM (the reference stays the caller's). */
int descriptor_add(struct file *file, bool close_on_exec, int lowest);
/* The same, but the caller's reference is taken over even if that fails. */
int descriptor_give(struct file *file, bool close_on_exec, int lowest);
/* The file with a reference for the caller, or NULL (-EBADF): none there, or one opened with O_PATH.
 * descriptor_get_any() returns those too, for calls that open(2) allows on them. */
struct file *descriptor_get(int descriptor);
struct file *descriptor_get_any(int descriptor);
int descriptor_close_on_exec(int descriptor); /* 0, 1 or -EBADF */
int descriptor_set_close_on_exec(int descriptor, bool on);
int descriptor_close_range(unsigned first, unsigned last, bool only_mark); /* close_range(2) */
/* The lowest open descriptor >= lowest, or -1. */
int descriptor_next(int lowest);
/* RLIMIT_NOFILE: descriptors are below it. At most DESCRIPTOR_LIMIT. */
#define DESCRIPTOR_LIMIT 65536u
extern uint32_t descriptor_limit;
/* Every open descriptor is below it: the number that the table has room for now. */
uint32_t descriptor_table_size(void);
int descriptor_close(int descriptor); /* 0 or -EBADF */
/* dup2/dup3: closes `to` if open. Returns `to` or -EBADF. */
int descriptor_duplicate(int from, int to, bool close_on_exec);

/* ---- Operations on any open file; errors as in the calls of the same name ------------------------ */

/* At the file's own offset, honouring O_APPEND and the access mode. Bytes, or -errno. */
ssize_type file_read(struct file *file, struct transfer *transfer);
ssize_type file_write(struct file *file, struct transfer *transfer);
/* At a given offset, which is not moved; -ESPIPE on streams. */
ssize_type file_read_at(struct file *file, struct transfer *transfer, uint64_t offset);
ssize_type file_write_at(struct file *file, struct transfer *transfer, uint64_t offset);
/* lseek(2), uapi/linux/fs.h. */
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4
int64_t file_seek(struct file *file, int64_t offset, int whence);
/* For operations.seek of files of no known size: SEEK_SET and SEEK_CUR, else -EINVAL. */
int64_t seek_without_end(struct file *file, int64_t offset, int whence);
unsigned file_poll(struct file *file);
int file_status(struct file *file, struct file_status *status);

/* What read(2), write(2) and their relatives moved so far. */
struct file_transfers {
    uint64_t read_bytes, written_bytes, reads, writes; /* atomic */
};
extern struct file_transfers file_transfers;

/* RLIMIT_FSIZE: no regular file is made longer than these bytes; -EFBIG. */
extern uint64_t file_size_limit;

/* ---- Paths and whole-file access, for linux/ and the boot code ----------------------------------- */

/* Opens a path: a relative one starts at `directory`, NULL for the root. *out has one reference. 0 or -errno. */
int file_open(struct file *directory, const char *path, uint32_t flags, uint32_t mode, struct file **out);
/* Reads exactly up to length bytes at offset into kernel memory; bytes read (short at the end) or -errno. */
ssize_type file_read_kernel(struct file *file, void *to, size_t length, uint64_t offset);
/* The absolute path it was opened by, for /proc/self/maps and exe. Returns length or -errno. */
ssize_type file_path(struct file *file, char *to, size_t size);

/* Mounts root (ext2 on `device`) and /proc, /sys, /dev, /tmp, /run, /var/tmp. 0 or -errno, logged. */
struct block_device;
int files_init(struct block_device *device);
/* Mounts a memory file system of at most `limit` bytes (0: what all of them together may take) on a directory. 0 or
 * -errno, logged. */
int files_mount_memory(const char *path, uint64_t limit);
/* The same, over what the image has there: its files are all there and can be changed, in memory. The root of the image
 * stays read-only. */
int files_make_writable(const char *path, uint64_t limit);
/* Mounts files on a scratch disk, the first usable one besides the root's (files/scratch/scratch.h). Once. */
int files_mount_scratch(const char *path, const struct block_device *root);
/* Mounts the file system with this label, of 1 to 16 characters, which lies on a whole disk other than the root's
 * (docs/data-disks.md). 0 or -errno, logged. */
int files_mount_data(const char *label, const char *path, bool read_only, const struct block_device *root);
/* sync(2): stores what has changed on all file systems. The machine ends: the same, and data disks are left clean;
 * nothing on them changes any more. Both sleep. */
void files_sync(void);
void files_end(void);
/* The process' working directory, and descriptors 0, 1 and 2 on the console. 0 or -errno. */
int files_prepare_process(const char *directory);
/* Creates or replaces a small file in a memory file system (e.g. /run/resolv.conf). */
int file_write_kernel(const char *path, const void *data, size_t length);
