/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What files are: stat and its relatives, access, file systems, listing directories.
 *
 * Entered through the table of system calls (syscalls.c). These calls change nothing but the working directory and the
 * offset of a directory being listed, which goes back if the names could not be handed over. An answer is put together
 * in memory of the kernel and then copied to the program at once. No lock is held here: fields of an inode are single
 * words, and files/ guards the rest.
 */
#include "core/heap.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/syscalls.h"
#include "memory/user.h"

static int put_stat(uintptr_t address, const struct file_status *status)
{
    struct abi_stat stat = {
        .device = status->device,
        .inode = status->inode,
        .links = status->links,
        .mode = status->mode,
        .uid = status->uid,
        .gid = status->gid,
        .device_number = status->device_number,
        .size = (int64_t)status->size,
        .block_size = status->block_size,
        .blocks = (int64_t)status->blocks_512,
        .accessed = timespec_of_file(status->accessed),
        .modified = timespec_of_file(status->modified),
        .changed = timespec_of_file(status->changed),
    };
    return user_put(address, &stat);
}

static struct abi_statx_time statx_time(nanoseconds time)
{
    struct abi_timespec spec = timespec_of_file(time);
    return (struct abi_statx_time){ spec.seconds, (uint32_t)spec.nanoseconds, 0 };
}

static int put_statx(uintptr_t address, const struct file_status *status)
{
    struct abi_statx statx = {
        .mask = STATX_BASIC_STATS,
        .block_size = status->block_size,
        .links = status->links,
        .uid = status->uid,
        .gid = status->gid,
        .mode = (uint16_t)status->mode,
        .inode = status->inode,
        .size = status->size,
        .blocks = status->blocks_512,
        .accessed = statx_time(status->accessed),
        .changed = statx_time(status->changed),
        .modified = statx_time(status->modified),
        .device_number_major = device_major(status->device_number),
        .device_number_minor = device_minor(status->device_number),
        .device_major = device_major(status->device),
        .device_minor = device_minor(status->device),
    };
    return user_put(address, &statx);
}

static int status_of_descriptor(int descriptor, struct file_status *status)
{
    struct file *file = descriptor_get_any(descriptor);
    if (!file)
        return -EBADF;
    int error = file_status(file, status);
    file_put(file);
    return error;
}

static int status_at(int directory, uintptr_t path, unsigned at_flags, struct file_status *status)
{
    char first = 1;
    if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    if (at_flags & AT_EMPTY_PATH && user_get(&first, path))
        return -EFAULT;
    /* Sockets and pipes have a status but no name. */
    if (!first && directory != AT_FDCWD)
        return status_of_descriptor(directory, status);
    struct dentry *dentry;
    unsigned walk = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
    int error = path_to_dentry(directory, path, walk, at_flags, &dentry);
    if (error)
        return error;
    inode_status(dentry->inode, status);
    dentry_put(dentry);
    return 0;
}

static int64_t stat_at(int directory, uintptr_t path, unsigned at_flags, uintptr_t to)
{
    struct file_status status;
    int error = status_at(directory, path, at_flags, &status);
    return error ? error : put_stat(to, &status);
}

SYSCALL_DEFINE4(newfstatat, int, dirfd, uintptr_t, pathname, uintptr_t, statbuf, uint32_t, flags)
{
    return stat_at(dirfd, pathname, flags, statbuf);
}

SYSCALL_DEFINE2(stat, uintptr_t, pathname, uintptr_t, statbuf) { return stat_at(AT_FDCWD, pathname, 0, statbuf); }

SYSCALL_DEFINE2(lstat, uintptr_t, pathname, uintptr_t, statbuf)
{
    return stat_at(AT_FDCWD, pathname, AT_SYMLINK_NOFOLLOW, statbuf);
}

SYSCALL_DEFINE2(fstat, int, fd, uintptr_t, statbuf)
{
    struct file_status status;
    int error = status_of_descriptor(fd, &status);
    return error ? error : put_stat(statbuf, &status);
}

/* Deviates: Reports what stat(2) does: neither the time of birth nor the number of the mount nor attributes. */
SYSCALL_DEFINE5(statx, int, dirfd, uintptr_t, pathname, uint32_t, flags, uint32_t, mask, uintptr_t, statxbuf)
{
    struct file_status status;
    if (mask & STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    int error = status_at(dirfd, pathname, flags, &status);
    return error ? error : put_statx(statxbuf, &status);
}

/* ---- access(2) ---- */

static int64_t access_at(int directory, uintptr_t path, unsigned mode, unsigned at_flags)
{
    if (mode & ~(ACCESS_READ | ACCESS_WRITE | ACCESS_EXECUTE))
        return -EINVAL;
    if (at_flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    struct dentry *dentry;
    int error = path_to_dentry(directory, path, at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW, at_flags, &dentry);
    if (error)
        return error;
    error = inode_access(dentry->inode, mode);
    dentry_put(dentry);
    return error;
}

SYSCALL_DEFINE2(access, uintptr_t, pathname, uint32_t, mode) { return access_at(AT_FDCWD, pathname, mode, 0); }

SYSCALL_DEFINE3(faccessat, int, dirfd, uintptr_t, pathname, uint32_t, mode)
{
    return access_at(dirfd, pathname, mode, 0);
}

SYSCALL_DEFINE4(faccessat2, int, dirfd, uintptr_t, pathname, uint32_t, mode, uint32_t, flags)
{
    return access_at(dirfd, pathname, mode, flags);
}

/* ---- readlink(2) ---- */

static int64_t read_link(struct inode *inode, uintptr_t to, int32_t size, bool named)
{
    if (size > 0 && !is_type(inode, S_IFLNK) && !named)
        return -ENOENT; /* an empty path for a descriptor that is not of a link */
    if (size <= 0 || !is_type(inode, S_IFLNK))
        return -EINVAL;
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (!page)
        return -ENOMEM;
    ssize_type n = inode->operations->read_link(inode, page_data(page), PAGE_SIZE);
    if (n > size)
        n = size;
    if (n > 0 && user_write(to, page_data(page), (size_t)n))
        n = -EFAULT;
    page_put(page);
    return n;
}

static int64_t read_link_at(int directory, uintptr_t path, uintptr_t to, int32_t size)
{
    char first;
    struct dentry *dentry;
    int error = path_to_dentry(directory, path, 0, AT_EMPTY_PATH, &dentry);
    if (error)
        return error;
    int64_t result = user_get(&first, path) ? -EFAULT : read_link(dentry->inode, to, size, first);
    dentry_put(dentry);
    return result;
}

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE3(readlink, uintptr_t, pathname, uintptr_t, buffer, int, bufsiz)
{
    char first;
    if (user_get(&first, pathname))
        return -EFAULT;
    return first ? read_link_at(AT_FDCWD, pathname, buffer, bufsiz) : -ENOENT;
}

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE4(readlinkat, int, dirfd, uintptr_t, pathname, uintptr_t, buffer, int, bufsiz)
{
    return read_link_at(dirfd, pathname, buffer, bufsiz);
}

/* ---- statfs(2) ---- */

static int64_t put_statfs(uintptr_t to, struct file_system *fs)
{
    struct file_system_statistics s;
    fs->statistics(fs, &s);
    struct abi_statfs statfs = {
        .type = (int64_t)s.type,
        .block_size = (int64_t)s.block_size,
        .blocks = s.blocks,
        .blocks_free = s.blocks_free,
        .blocks_available = s.blocks_free,
        .files = s.files,
        .files_free = s.files_free,
        .id = { (int32_t)fs->device, 0 },
        .name_length = NAME_LIMIT,
        .fragment_size = (int64_t)s.block_size,
        .flags = ST_VALID | (fs->read_only ? ST_READ_ONLY : 0),
    };
    return user_put(to, &statfs);
}

/* Pipes, sockets and other files without a path lie in file systems of their own: linux/magic.h. */
static int64_t put_nameless_statfs(uintptr_t to, struct file *file)
{
    enum { PIPES = 0x50495045, SOCKETS = 0x534f434b, OTHERS = 0x09041934 };
    struct file_status status;
    int error = file_status(file, &status);
    uint32_t type = status.mode & S_IFMT;
    struct abi_statfs statfs = { .type = type == S_IFIFO    ? PIPES
                                         : type == S_IFSOCK ? SOCKETS
                                                            : OTHERS,
                                 .block_size = PAGE_SIZE,
                                 .name_length = NAME_LIMIT,
                                 .fragment_size = PAGE_SIZE,
                                 .flags = ST_VALID };
    return error ? error : user_put(to, &statfs);
}

SYSCALL_DEFINE2(statfs, uintptr_t, path, uintptr_t, buffer)
{
    struct dentry *dentry;
    int error = path_to_dentry(AT_FDCWD, path, WALK_FOLLOW, 0, &dentry);
    if (error)
        return error;
    int64_t result = put_statfs(buffer, dentry->inode->fs);
    dentry_put(dentry);
    return result;
}

SYSCALL_DEFINE2(fstatfs, int, fd, uintptr_t, buffer)
{
    struct file *file = descriptor_get_any(fd);
    if (!file)
        return -EBADF;
    int64_t result = file->inode ? put_statfs(buffer, file->inode->fs) : put_nameless_statfs(buffer, file);
    file_put(file);
    return result;
}

/* ---- getdents64(2) ---- */

#define LISTING_LIMIT 32768u /* bytes gathered in the kernel by one call */

struct dirent_listing {
    struct listing listing;
    char *buffer;
    size_t size, used;
    bool full;
};

/* DT_* of dirent.h: the type bits of the mode. */
static bool take_dirent(struct listing *listing, const struct listed_name *name)
{
    struct dirent_listing *to = container_of(listing, struct dirent_listing, listing);
    size_t length = align_up(offsetof(struct abi_dirent, name) + name->length + 1, 8);
    if (to->size - to->used < length) {
        to->full = true;
        return false;
    }
    struct abi_dirent *dirent = (struct abi_dirent *)(to->buffer + to->used);
    memset(dirent, 0, length);
    dirent->inode = name->inode;
    dirent->next = (int64_t)name->next;
    dirent->length = (uint16_t)length;
    dirent->type = (uint8_t)(name->type >> 12);
    memcpy(dirent->name, name->name, name->length);
    to->used += length;
    return true;
}

static void make_all_old(char *buffer, size_t used);

static int64_t list_directory(struct file *directory, uintptr_t to, size_t size, bool old)
{
    struct dirent_listing listing = { .listing.take = take_dirent, .size = min_of(size, (size_t)LISTING_LIMIT) };
    listing.buffer = heap_allocate_at(max_of(listing.size, (size_t)1), PAGES_NEEDED);
    if (!listing.buffer)
        return -ENOMEM;
    uint64_t before = read_once(directory->offset);
    int64_t result = file_list(directory, &listing.listing);
    if (!result && !listing.used && listing.full)
        result = -EINVAL;
    if (old)
        make_all_old(listing.buffer, listing.used);
    if (listing.used)
        result = user_write(to, listing.buffer, listing.used) ? -EFAULT : (int64_t)listing.used;
    if (result == -EFAULT)
        (void)file_seek(directory, (int64_t)before, 0); /* names that were not handed out are listed again */
    heap_free(listing.buffer);
    return result;
}

static int64_t list_descriptor(int descriptor, uintptr_t to, uint32_t size, bool old)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int64_t result = list_directory(file, to, size, old);
    file_put(file);
    return result;
}

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE3(getdents64, int, fd, uintptr_t, dirp, unsigned, count)
{
    return list_descriptor(fd, dirp, count, false);
}

/* ---- getdents(2): the same in the layout that came first, with the type after the name ---- */

struct abi_old_dirent {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    char name[];
} packed;

/* Both layouts take the same bytes: the type moves to the last one. */
static void make_old(char *at)
{
    struct abi_dirent entry = *(struct abi_dirent *)at;
    struct abi_old_dirent *old = (struct abi_old_dirent *)at;
    memmove(old->name, at + offsetof(struct abi_dirent, name), entry.length - offsetof(struct abi_dirent, name));
    at[entry.length - 1] = (char)entry.type;
}

static void make_all_old(char *buffer, size_t used)
{
    for (size_t at = 0; at < used;) {
        uint16_t length = ((struct abi_dirent *)(buffer + at))->length;
        make_old(buffer + at);
        at += length;
    }
}

/* Deviates: Reading leaves the time of access as it is. */
SYSCALL_DEFINE3(getdents, int, fd, uintptr_t, dirp, unsigned, count) { return list_descriptor(fd, dirp, count, true); }

/* ---- The working directory ---- */

SYSCALL_DEFINE2(getcwd, uintptr_t, buffer, size_t, size)
{
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (!page)
        return -ENOMEM;
    struct dentry *directory = working_directory();
    ssize_type length = directory->removed ? -ENOENT : dentry_path(directory, page_data(page), PAGE_SIZE);
    dentry_put(directory);
    if (length >= 0 && (uint64_t)length + 1 > size)
        length = -ERANGE;
    if (length >= 0)
        length = user_write(buffer, page_data(page), (size_t)length + 1) ? -EFAULT : length + 1;
    page_put(page);
    return length;
}

SYSCALL_DEFINE1(chdir, uintptr_t, path)
{
    struct dentry *directory;
    int error = path_to_dentry(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, 0, &directory);
    if (error)
        return error;
    working_directory_set(directory);
    dentry_put(directory);
    return 0;
}

SYSCALL_DEFINE1(fchdir, int, fd)
{
    struct file *file = descriptor_get_any(fd);
    if (!file)
        return -EBADF;
    int error = file->dentry && is_type(file->inode, S_IFDIR) ? 0 : -ENOTDIR;
    if (!error)
        working_directory_set(file->dentry);
    file_put(file);
    return error;
}
