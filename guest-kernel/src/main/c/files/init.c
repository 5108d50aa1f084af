/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mounted when the machine starts, what the program has open then, and what is stored on disks when it ends.
 *
 * The boot thread calls the functions that mount, before there is a process; files_sync() is sync(2), and the thread
 * that ends the machine calls files_end(), once. No lock is held here: mounts are never taken away, and the file
 * systems that are called take their own.
 */
#include "core/log.h"
#include "files/console.h"
#include "files/ext2/ext2.h"
#include "files/pseudo_trees.h"
#include "files/scratch/scratch.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/writeback.h"

/* linux/magic.h */
#define PROC_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define DEVFS_MAGIC 0x1373

#define STICKY 01000
#define STANDARD_ERROR 2 /* STDERR_FILENO, unistd.h(0p) */

static int mount(const char *path, struct file_system *fs)
{
    int error = fs ? mount_at(path, fs) : -ENOMEM;
    if (error)
        log_error("cannot mount %s: %s (the directory must exist in the image)", path, errno_name(error));
    return error;
}

int files_mount_memory(const char *path, uint64_t limit) { return mount(path, tmpfs_create(limit, 0777 | STICKY)); }

int files_make_writable(const char *path, uint64_t limit)
{
    struct dentry *directory;
    int error = path_find(NULL, path, WALK_FOLLOW | WALK_DIRECTORY, &directory);
    if (error) {
        log_error("cannot make %s writable: %s (the directory must exist in the image)", path, errno_name(error));
        return error;
    }
    /* What is not of the image is in memory already. */
    if (directory->inode->fs->read_only && directory != root_directory)
        error = mount(path, tmpfs_create_over(directory->inode, limit));
    dentry_put(directory);
    return error;
}

int files_mount_scratch(const char *path, const struct block_device *root)
{
    struct scratch *scratch = scratch_open(root);
    if (!scratch)
        return -ENODEV;
    writeback_start();
    return mount(path, tmpfs_create_on(scratch, 01777));
}

int files_init(struct block_device *device)
{
    struct file_system *root;
    int error = ext2_open(device, false, &root);
    if (!error)
        error = mount("/", root);
    if (!error)
        error = mount("/proc", pseudo_create("proc", PROC_MAGIC, &proc_root));
    if (!error)
        error = mount("/sys", pseudo_create("sysfs", SYSFS_MAGIC, &sys_root));
    if (!error)
        error = mount("/dev", pseudo_create("devtmpfs", DEVFS_MAGIC, &dev_root));
    static const char *const memory[] = { "/dev/shm", "/tmp", "/run", "/var/tmp" };
    for (unsigned i = 0; i < array_size(memory) && !error; i++)
        error = files_mount_memory(memory[i], 0);
    return error;
}

/* A descriptor of the console, which is to be `descriptor`. */
static int open_console(int descriptor)
{
    struct file *console;
    int error = file_open(NULL, "/dev/console", O_RDWR, 0, &console);
    if (error)
        return error;
    if (descriptor == STANDARD_ERROR)
        console_mark_errors(console);
    int added = descriptor_add(console, false, descriptor);
    if (added < 0)
        file_put(console);
    return min_of(added, 0);
}

int files_prepare_process(const char *directory)
{
    int error = working_directory_change(NULL, directory);
    if (error) {
        log_error("cannot enter %s: %s", directory, errno_name(error));
        return error;
    }
    for (int descriptor = 0; descriptor <= STANDARD_ERROR && !error; descriptor++)
        error = open_console(descriptor);
    return error;
}

static void sync_mounted(struct dentry *root, void *unused)
{
    (void)unused;
    struct file_system *fs = root->inode->fs;
    if (fs->sync)
        fs->sync(fs);
}

void files_sync(void) { mounts_for_each(sync_mounted, NULL); }

static void end_mounted(struct dentry *root, void *unused)
{
    (void)unused;
    struct file_system *fs = root->inode->fs;
    if (fs->end)
        fs->end(fs);
}

void files_end(void) { mounts_for_each(end_mounted, NULL); }
