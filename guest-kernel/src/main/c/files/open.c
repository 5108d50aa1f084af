/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2): what a name may be opened for, the name itself if it is to be created, and the file; truncate(2) as well.
 *
 * A file refers to its inode and to the name it was opened by for as long as it is open. Mutex inode->lock is taken to
 * change a size. The locks of the tree of names are taken by the functions that are called.
 */
#include "files/directory.h"
#include "files/streams.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/address_space.h"

/* What a descriptor made with O_PATH can do: be named in *at() calls and in fstat(2). */
static const struct file_operations path_only_operations = { 0 };

static bool wants_write(uint32_t flags) { return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC; }

int inode_access(struct inode *inode, unsigned mode)
{
    bool contents = is_type(inode, S_IFREG) || is_type(inode, S_IFDIR);
    if (mode & ACCESS_WRITE && contents && inode->fs->read_only)
        return -EROFS;
    if (mode & ACCESS_EXECUTE && !is_type(inode, S_IFDIR) && !(inode->mode & 0111))
        return -EACCES;
    return 0;
}

int inode_resize(struct inode *inode, uint64_t size)
{
    if (is_type(inode, S_IFDIR))
        return -EISDIR;
    int error = inode_access(inode, ACCESS_WRITE);
    if (error)
        return error;
    if (!inode->operations->resize)
        return -EINVAL;
    mutex_lock(&inode->lock);
    error = inode->operations->resize(inode, size);
    mutex_unlock(&inode->lock);
    if (!error)
        address_space_cut_source(&inode->pages, align_up(size, PAGE_SIZE) >> PAGE_SHIFT);
    return error;
}

static int check_open(struct inode *inode, uint32_t flags)
{
    if (is_type(inode, S_IFLNK))
        return -ELOOP;
    if (flags & O_DIRECTORY && !is_type(inode, S_IFDIR))
        return -ENOTDIR;
    if (is_type(inode, S_IFSOCK))
        return -ENXIO;
    if (!wants_write(flags))
        return 0;
    return is_type(inode, S_IFDIR) ? -EISDIR : inode_access(inode, ACCESS_WRITE);
}

/* A file with these flags that is not open yet. It is made before a name is, so that -ENOMEM leaves no name. NULL
 * without memory. */
static struct file *create_unopened(uint32_t flags) { return file_create(&path_only_operations, flags, NULL); }

static int open_inode(struct inode *inode, struct file *file)
{
    if (is_type(inode, S_IFIFO))
        return fifo_open(inode, file);
    file->operations = is_type(inode, S_IFDIR) ? &directory_operations : inode->file_operations;
    return inode->operations->open ? inode->operations->open(inode, file) : 0;
}

static int open_file(struct dentry *dentry, uint32_t flags, struct file *file)
{
    struct inode *inode = dentry->inode;
    bool path_only = flags & O_PATH;
    int error = path_only ? 0 : check_open(inode, flags);
    if (!error && !path_only && wants_write(flags))
        error = dentry_prepare_write(dentry);
    if (error)
        return error;
    file->inode = inode_get(inode);
    file->dentry = dentry_get(dentry);
    if (path_only)
        return 0;
    error = open_inode(inode, file);
    if (error)
        file->operations = &path_only_operations; /* nothing was opened: nothing to release */
    else if (flags & O_TRUNC && is_type(inode, S_IFREG) && inode->operations->resize)
        error = inode_resize(inode, 0);
    return error;
}

int dentry_open(struct dentry *dentry, uint32_t flags, struct file **out)
{
    struct file *file = create_unopened(flags);
    if (!file)
        return -ENOMEM;
    int error = open_file(dentry, flags, file);
    if (error)
        file_put(file);
    else
        *out = file;
    return error;
}

static unsigned walk_flags(uint32_t flags)
{
    unsigned result = flags & O_NOFOLLOW ? 0 : WALK_FOLLOW;
    if (flags & O_CREAT)
        result |= WALK_ABSENT;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        result &= ~WALK_FOLLOW;
    return result;
}

/* Finds or creates the name. */
static int find_or_create(struct dentry *start, const char *path, uint32_t flags, uint32_t mode, unsigned resolve,
                          struct dentry **out)
{
    struct walk walk = { .start = start, .flags = walk_flags(flags) | resolve };
    struct dentry *found;
    int error = path_walk(&walk, path, &found);
    if (error || !(flags & O_CREAT)) {
        *out = found;
        return error;
    }
    if (found->inode) {
        *out = found;
        if (walk.directory_wanted)
            error = -EISDIR;
        else if (flags & O_EXCL)
            error = -EEXIST;
        else if (is_type(found->inode, S_IFDIR))
            error = -EISDIR;
    } else {
        error = walk.directory_wanted ? -EISDIR : name_create(found, S_IFREG | (mode & 07777), out);
        if (!error)
            dentry_put(found);
    }
    if (error)
        dentry_put(found);
    return error;
}

int file_open_at(struct dentry *start, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
    return file_open_within(start, path, flags, mode, 0, out);
}

int file_open_nameless(struct dentry *directory, uint32_t flags, uint32_t mode, bool linkable, struct file **out)
{
    struct inode *where = directory->inode, *inode;
    if (where->fs->read_only)
        return -EROFS;
    if (!where->operations->make)
        return -EOPNOTSUPP;
    int error = where->operations->make(where, S_IFREG | (mode & 07777), &inode);
    if (error)
        return error;
    inode->links = 0;
    inode->linkable = linkable;
    *out = file_create(inode->file_operations, flags, NULL);
    if (!*out) {
        inode_put(inode);
        return -ENOMEM;
    }
    (*out)->inode = inode;
    return 0;
}

int file_open_within(struct dentry *start, const char *path, uint32_t flags, uint32_t mode, unsigned walk,
                     struct file **out)
{
    struct dentry *dentry;
    struct file *file = create_unopened(flags);
    if (!file)
        return -ENOMEM;
    int error;
    do
        error = find_or_create(start, path, flags, mode, walk, &dentry);
    while (error == -EEXIST && !(flags & O_EXCL));
    if (!error) {
        error = open_file(dentry, flags, file);
        dentry_put(dentry);
    }
    if (error)
        file_put(file);
    else
        *out = file;
    return error;
}

int file_open(struct file *directory, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
    if (directory && (!directory->inode || !is_type(directory->inode, S_IFDIR)))
        return -ENOTDIR;
    return file_open_at(directory ? directory->dentry : NULL, path, flags, mode, out);
}

ssize_type file_path(struct file *file, char *to, size_t size)
{
    return file->dentry ? dentry_path(file->dentry, to, size) : -ENOENT;
}

int file_write_kernel(const char *path, const void *data, size_t length)
{
    struct file *file;
    int error = file_open(NULL, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &file);
    if (error)
        return error;
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)data, length);
    while (transfer.remaining) {
        ssize_type n = file_write(file, &transfer);
        if (n <= 0) {
            error = n < 0 ? (int)n : -EIO;
            break;
        }
    }
    file_put(file);
    return error;
}
