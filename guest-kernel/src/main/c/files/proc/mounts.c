/* SPDX-License-Identifier: Apache-2.0 */
#include "files/proc/proc.h"
#include "lib/string.h"

struct mounts {
    struct text *out;
    unsigned number;  /* of the mount, from 1 */
    bool information; /* mountinfo's format */
};

static void show_mount(struct dentry *root, void *context)
{
    struct mounts *mounts = context;
    const struct file_system *fs = root->inode->fs;
    const char *options = fs->read_only ? "ro" : "rw";
    char path[PATH_LIMIT / 4];
    if (dentry_path(root, path, sizeof(path)) < 0)
        return;
    const char *source = mounts->number == 0 ? "/dev/root" : fs->name;
    mounts->number++;
    if (mounts->information)
        text_print(mounts->out, "%u %u %u:%u / %s %s,nosuid,relatime - %s %s %s\n", mounts->number,
                   mounts->number == 1 ? 0 : 1, device_major(fs->device), device_minor(fs->device), path, options,
                   fs->name, source, options);
    else
        text_print(mounts->out, "%s %s %s %s,nosuid,relatime 0 0\n", source, path, fs->name, options);
}

void show_mounts(struct text *out, uint32_t number)
{
    struct mounts mounts = { .out = out };
    (void)number;
    mounts_for_each(show_mount, &mounts);
}

void show_mountinfo(struct text *out, uint32_t number)
{
    struct mounts mounts = { .out = out, .information = true };
    (void)number;
    mounts_for_each(show_mount, &mounts);
}
