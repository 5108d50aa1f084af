/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/errno.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "memory/user.h"

uint32_t file_creation_mask = 022;

static int start_of(int directory, struct dentry **out)
{
    if (directory == AT_FDCWD) {
        *out = working_directory();
        return 0;
    }
    struct file *file = descriptor_get_any(directory);
    if (!file)
        return -EBADF;
    int error = file->dentry && is_type(file->inode, S_IFDIR) ? 0 : -ENOTDIR;
    if (!error)
        *out = dentry_get(file->dentry);
    file_put(file);
    return error;
}

static int begin(struct user_path *path, int directory, uintptr_t address, bool always_start)
{
    path->page = page_allocate_at(PAGES_NEEDED);
    if (!path->page)
        return -ENOMEM;
    path->text = page_data(path->page);
    path->start = NULL;
    ssize_type length = user_read_string(path->text, address, PATH_LIMIT);
    int error = length < 0 ? (int)length : 0;
    if (!error && (always_start || path->text[0] != '/'))
        error = start_of(directory, &path->start);
    if (error)
        page_put(path->page);
    return error;
}

int path_begin(struct user_path *path, int directory, uintptr_t address)
{
    return begin(path, directory, address, false);
}

int path_begin_at(struct user_path *path, int directory, uintptr_t address)
{
    return begin(path, directory, address, true);
}

void path_end(struct user_path *path)
{
    if (path->start)
        dentry_put(path->start);
    page_put(path->page);
}

static int dentry_of_descriptor(int descriptor, struct dentry **out)
{
    if (descriptor == AT_FDCWD) {
        *out = working_directory();
        return 0;
    }
    struct file *file = descriptor_get_any(descriptor);
    if (!file)
        return -EBADF;
    int error = file->dentry ? 0 : -EBADF;
    if (!error)
        *out = dentry_get(file->dentry);
    file_put(file);
    return error;
}

int path_to_dentry(int directory, uintptr_t address, unsigned walk, unsigned at_flags, struct dentry **out)
{
    char first;
    if (at_flags & AT_EMPTY_PATH) {
        if (user_get(&first, address))
            return -EFAULT;
        if (!first)
            return dentry_of_descriptor(directory, out);
    }
    struct user_path path;
    int error = path_begin(&path, directory, address);
    if (error)
        return error;
    error = path_find(path.start, path.text, walk, out);
    path_end(&path);
    return error;
}
