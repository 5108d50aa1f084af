/* SPDX-License-Identifier: Apache-2.0 */
#include "files/directory.h"
#include "files/vfs.h"
#include "lib/errno.h"

static ssize_type directory_read(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return -EISDIR;
}

int file_list(struct file *directory, struct listing *listing)
{
    struct inode *inode = directory->inode;
    if (!inode || !is_type(inode, S_IFDIR))
        return -ENOTDIR;
    mutex_lock(&directory->offset_lock);
    int error;
    if (inode->operations->list && !(inode->fs->memory && !is_untouched(inode)))
        error = inode->operations->list(inode, &directory->offset, listing);
    else
        error = directory->dentry->removed ? -ENOENT : dentry_list(directory->dentry, &directory->offset, listing);
    mutex_unlock(&directory->offset_lock);
    return error;
}

const struct file_operations directory_operations = {
    .read = directory_read,
    .seek = seek_without_end,
};
