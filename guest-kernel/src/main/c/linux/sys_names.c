/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, removing and moving names, and changing the sizes of files.
 *
 * Entered through the table of system calls (syscalls.c). A path is copied into the kernel once, before anything is
 * looked up (paths.h). Names are changed by files/names.c, under mutex "namespace". Mutex "inode" is taken here by
 * fallocate(2) alone.
 */
#include "files/streams.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"

/* ---- Names ---- */

static int64_t make_at(int directory, uintptr_t address, uint32_t mode, const char *link_target)
{
    struct user_path path;
    int error = path_begin(&path, directory, address);
    if (error)
        return error;
    error = name_make(path.start, path.text, mode, link_target);
    path_end(&path);
    return error;
}

static int64_t make_directory(int directory, uintptr_t path, uint32_t mode)
{
    return make_at(directory, path, S_IFDIR | (mode & 01777 & ~file_creation_mask), NULL);
}

SYSCALL_DEFINE2(mkdir, uintptr_t, pathname, uint32_t, mode) { return make_directory(AT_FDCWD, pathname, mode); }

SYSCALL_DEFINE3(mkdirat, int, dirfd, uintptr_t, pathname, uint32_t, mode)
{
    return make_directory(dirfd, pathname, mode);
}

static int64_t make_node(int directory, uintptr_t path, uint32_t mode)
{
    uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
    bool known = type == S_IFREG || type == S_IFCHR || type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK;
    if (!known)
        return type == S_IFDIR ? -EPERM : -EINVAL;
    return make_at(directory, path, type | (mode & 07777 & ~file_creation_mask), NULL);
}

/* Deviates: Devices cannot be made (EPERM). */
SYSCALL_DEFINE3(mknod, uintptr_t, pathname, uint32_t, mode, uint32_t, dev)
{
    return make_node(AT_FDCWD, pathname, mode);
}

/* Deviates: Devices cannot be made (EPERM). */
SYSCALL_DEFINE4(mknodat, int, dirfd, uintptr_t, pathname, uint32_t, mode, uint32_t, dev)
{
    return make_node(dirfd, pathname, mode);
}

static int64_t make_link(uintptr_t target, int directory, uintptr_t path)
{
    struct page *page = page_allocate_at(PAGES_NEEDED);
    if (!page)
        return -ENOMEM;
    ssize_type length = user_read_string(page_data(page), target, PAGE_SIZE);
    int64_t result = length < 0    ? length
                     : length == 0 ? -ENOENT
                                   : make_at(directory, path, S_IFLNK | 0777, page_data(page));
    page_put(page);
    return result;
}

SYSCALL_DEFINE2(symlink, uintptr_t, target, uintptr_t, linkpath) { return make_link(target, AT_FDCWD, linkpath); }

SYSCALL_DEFINE3(symlinkat, uintptr_t, target, int, newdirfd, uintptr_t, linkpath)
{
    return make_link(target, newdirfd, linkpath);
}

/* A file with a reference, and the name that it was found by, with one, or NULL. */
struct linked {
    struct inode *inode;
    struct dentry *name;
};

/* The file to be linked: also one without a name, by its descriptor. With a reference. */
static int find_linked(int directory, uintptr_t path, unsigned flags, struct linked *out)
{
    char first = 1;
    struct dentry *dentry;
    if (flags & AT_EMPTY_PATH && user_get(&first, path))
        return -EFAULT;
    if (!first && directory != AT_FDCWD) {
        struct file *file = descriptor_get_any(directory);
        if (!file)
            return -EBADF;
        *out = (struct linked){ file->inode ? inode_get(file->inode) : NULL,
                                file->dentry ? dentry_get(file->dentry) : NULL };
        file_put(file);
        return out->inode ? 0 : -EXDEV;
    }
    int error = path_to_dentry(directory, path, flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0, flags, &dentry);
    if (error)
        return error;
    *out = (struct linked){ inode_get(dentry->inode), dentry };
    return 0;
}

static int64_t link_at(int from_directory, uintptr_t from, int to_directory, uintptr_t to, unsigned flags)
{
    struct linked existing;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int error = find_linked(from_directory, from, flags, &existing);
    if (error)
        return error;
    struct user_path path;
    error = path_begin(&path, to_directory, to);
    if (!error) {
        error = name_link(existing.inode, existing.name, path.start, path.text);
        path_end(&path);
    }
    if (existing.name)
        dentry_put(existing.name);
    inode_put(existing.inode);
    return error;
}

SYSCALL_DEFINE2(link, uintptr_t, oldpath, uintptr_t, newpath)
{
    return link_at(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

SYSCALL_DEFINE5(linkat, int, olddirfd, uintptr_t, oldpath, int, newdirfd, uintptr_t, newpath, uint32_t, flags)
{
    return link_at(olddirfd, oldpath, newdirfd, newpath, flags);
}

static int64_t remove_at(int directory, uintptr_t address, bool is_directory)
{
    struct user_path path;
    int error = path_begin(&path, directory, address);
    if (error)
        return error;
    error = is_directory ? name_remove_directory(path.start, path.text) : name_unlink(path.start, path.text);
    path_end(&path);
    return error;
}

SYSCALL_DEFINE1(unlink, uintptr_t, pathname) { return remove_at(AT_FDCWD, pathname, false); }
SYSCALL_DEFINE1(rmdir, uintptr_t, pathname) { return remove_at(AT_FDCWD, pathname, true); }

SYSCALL_DEFINE3(unlinkat, int, dirfd, uintptr_t, pathname, uint32_t, flags)
{
    return flags & ~AT_REMOVEDIR ? -EINVAL : remove_at(dirfd, pathname, flags & AT_REMOVEDIR);
}

static int64_t rename_at(int from_directory, uintptr_t from, int to_directory, uintptr_t to, unsigned flags)
{
    struct user_path from_path, to_path;
    /* RENAME_WHITEOUT makes an entry that only an overlay file system would look at. */
    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    int error = path_begin(&from_path, from_directory, from);
    if (error)
        return error;
    error = path_begin(&to_path, to_directory, to);
    if (!error) {
        error = name_rename(from_path.start, from_path.text, to_path.start, to_path.text, flags);
        path_end(&to_path);
    }
    path_end(&from_path);
    return error;
}

SYSCALL_DEFINE2(rename, uintptr_t, oldpath, uintptr_t, newpath)
{
    return rename_at(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

SYSCALL_DEFINE4(renameat, int, olddirfd, uintptr_t, oldpath, int, newdirfd, uintptr_t, newpath)
{
    return rename_at(olddirfd, oldpath, newdirfd, newpath, 0);
}

/* Deviates: White-outs are not offered: RENAME_WHITEOUT is EINVAL. */
SYSCALL_DEFINE5(renameat2, int, olddirfd, uintptr_t, oldpath, int, newdirfd, uintptr_t, newpath, uint32_t, flags)
{
    return rename_at(olddirfd, oldpath, newdirfd, newpath, flags);
}

/* ---- Sizes ---- */

static int resize(struct inode *inode, uint64_t size)
{
    int error = inode_resize(inode, size);
    if (error == -EFBIG)
        signals_file_too_large();
    return error;
}

/* Deviates: A file has at most 1 TiB (EFBIG). */
SYSCALL_DEFINE2(truncate, uintptr_t, path, int64_t, length)
{
    if (length < 0)
        return -EINVAL;
    struct dentry *dentry;
    int error = path_to_dentry(AT_FDCWD, path, WALK_FOLLOW, 0, &dentry);
    if (error)
        return error;
    error = dentry_prepare_write(dentry);
    if (!error)
        error = resize(dentry->inode, length);
    dentry_put(dentry);
    return error;
}

static bool is_writable(const struct file *file)
{
    return file->inode && is_type(file->inode, S_IFREG) && file_is_writable(file);
}

/* Deviates: A file has at most 1 TiB (EFBIG). */
SYSCALL_DEFINE2(ftruncate, int, fd, int64_t, length)
{
    if (length < 0)
        return -EINVAL;
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = is_writable(file) ? resize(file->inode, length) : -EINVAL;
    file_put(file);
    return result;
}

static int64_t allocate(struct file *file, uint32_t mode, uint64_t offset, uint64_t length)
{
    enum { KEEP_SIZE = 1, PUNCH_HOLE = 2 }; /* linux/falloc.h */
    struct inode *inode = file->inode;
    if (mode != 0 && !(mode & KEEP_SIZE) && mode & PUNCH_HOLE)
        return -EOPNOTSUPP;
    if (!file_is_writable(file))
        return -EBADF;
    if (!inode || !is_type(inode, S_IFREG))
        return is_pipe(file) ? -ESPIPE : -ENODEV;
    if ((int64_t)(offset + length) < 0)
        return -EFBIG;
    if ((mode != 0 && mode != KEEP_SIZE && mode != (KEEP_SIZE | PUNCH_HOLE)) || !inode->operations->allocate)
        return -EOPNOTSUPP;
    mutex_lock(&inode->lock);
    int error = inode->operations->allocate(inode, offset, length, mode & KEEP_SIZE, mode & PUNCH_HOLE);
    mutex_unlock(&inode->lock);
    return error;
}

/* Deviates: Holes cannot be punched into files on a scratch disk. */
SYSCALL_DEFINE4(fallocate, int, fd, uint32_t, mode, int64_t, offset, int64_t, len)
{
    if (offset < 0 || len <= 0)
        return -EINVAL;
    struct file *file = descriptor_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = allocate(file, mode, offset, len);
    file_put(file);
    return result;
}

/* Deviates: There are no huge pages: MFD_HUGETLB is EINVAL. */
SYSCALL_DEFINE2(memfd_create, uintptr_t, name, uint32_t, flags)
{
    enum { CLOSE_ON_EXEC = 1, ALLOW_SEALING = 2, NAME_SIZE = 250, NO_EXEC = 8, EXEC = 16 };
    if (flags & ~(uint32_t)(CLOSE_ON_EXEC | ALLOW_SEALING | NO_EXEC | EXEC) || (flags & NO_EXEC && flags & EXEC))
        return -EINVAL;
    char text[NAME_SIZE];
    ssize_type length = user_read_string(text, name, sizeof(text));
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    struct file *file = tmpfs_memory_file(O_RDWR | O_LARGEFILE);
    if (!file)
        return -ENOMEM;
    if (flags & (ALLOW_SEALING | NO_EXEC))
        file->inode->seals = 0;
    if (flags & NO_EXEC) {
        file->inode->mode &= ~0111u;
        file->inode->seals |= SEAL_EXECUTE;
    }
    return descriptor_give(file, flags & CLOSE_ON_EXEC, 0);
}
