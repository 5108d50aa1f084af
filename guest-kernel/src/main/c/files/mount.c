/* SPDX-License-Identifier: Apache-2.0 */
#include "core/debug.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "threads/thread.h"

#define MOUNT_LIMIT 32

/* In order of mounting; entries never change, the count grows under "namespace". */
static struct dentry *mounts[MOUNT_LIMIT];
static unsigned mount_count;

static int mount_locked(struct dentry *where, struct file_system *fs)
{
    must_hold_mutex(&namespace_lock);
    if (mount_count == MOUNT_LIMIT)
        return -ENOSPC;
    struct dentry *root = dentry_create_root(fs->root);
    if (!root)
        return -ENOMEM;
    if (where) {
        root->covers = dentry_get(where);
        where->mounted = root;
    } else {
        root_directory = root;
    }
    mounts[mount_count++] = root;
    return 0;
}

int mount_at(const char *path, struct file_system *fs)
{
    struct dentry *where = NULL;
    if (root_directory) {
        int error = path_find(NULL, path, WALK_FOLLOW | WALK_DIRECTORY, &where);
        if (error)
            return error;
    }
    mutex_lock(&namespace_lock);
    int error = mount_locked(where, fs);
    mutex_unlock(&namespace_lock);
    if (where)
        dentry_put(where);
    return error;
}

void mounts_for_each(void (*visit)(struct dentry *root, void *context), void *context)
{
    unsigned count = read_once(mount_count);
    for (unsigned i = 0; i < count; i++)
        visit(mounts[i], context);
}
