/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All locks are in one list. An open file has at most one, and `locked` says whether it has. Locks of two open files of
 * one inode exclude each other unless both are shared.
 *
 * A thread that has to wait notes `releases` under the mutex and sleeps until that number has changed, so a release
 * between the attempt and the sleep is not missed. All threads that wait then try again, in no order.
 *
 * Called by flock(2) (linux/sys_io.c), and by the last file_put(), which looks at `locked` without the mutex since
 * no one else has the file any more. Mutex "flock" guards the list and the number; it may be taken under
 * "address_space", when an unmapping drops the last reference.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "files/file.h"
#include "files/flock.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "threads/thread.h"

struct flock {
    struct list link;
    struct file *file;
    bool exclusive;
};

/* Few files are ever locked at a time, so a list is fast enough. */
static struct mutex mutex = MUTEX(mutex, LOCK_FLOCK);
static struct list locks = LIST_INIT(locks); /* mutex */
static uint32_t releases;                    /* mutex; read without it to see a change */
static struct wait_queue released = WAIT_QUEUE(released);

static struct flock *lock_of(const struct file *file)
{
    list_for_each (node, &locks) {
        struct flock *lock = list_entry(node, struct flock, link);
        if (lock->file == file)
            return lock;
    }
    return NULL;
}

static bool conflicts(const struct file *file, bool exclusive)
{
    list_for_each (node, &locks) {
        const struct flock *lock = list_entry(node, struct flock, link);
        if (lock->file != file && lock->file->inode == file->inode && (exclusive || lock->exclusive))
            return true;
    }
    return false;
}

static void drop(struct file *file)
{
    must_hold_mutex(&mutex);
    struct flock *lock = lock_of(file);
    if (!lock)
        return;
    list_remove(&lock->link);
    heap_free(lock);
    file->locked = false;
    write_once(releases, releases + 1);
    wake(&released, 0);
}

/* Under the mutex. Like Linux, changing the kind gives the old lock up first. */
static int try_lock(struct file *file, bool exclusive)
{
    must_hold_mutex(&mutex);
    struct flock *lock = lock_of(file);
    if (lock && lock->exclusive == exclusive)
        return 0;
    drop(file);
    if (conflicts(file, exclusive))
        return -EAGAIN;
    lock = heap_allocate(sizeof(*lock));
    if (!lock)
        return -ENOMEM;
    lock->file = file;
    lock->exclusive = exclusive;
    list_push_back(&locks, &lock->link);
    file->locked = true;
    return 0;
}

int flock_file(struct file *file, unsigned operation)
{
    unsigned kind = operation & ~FLOCK_NONBLOCK;
    if (!file->inode)
        return -EBADF;
    if (kind != FLOCK_SHARED && kind != FLOCK_EXCLUSIVE && kind != FLOCK_UNLOCK)
        return -EINVAL;
    for (;;) {
        mutex_lock(&mutex);
        uint32_t seen = releases;
        int error = 0;
        if (kind == FLOCK_UNLOCK)
            drop(file);
        else
            error = try_lock(file, kind == FLOCK_EXCLUSIVE);
        mutex_unlock(&mutex);
        if (error != -EAGAIN || operation & FLOCK_NONBLOCK)
            return error;
        error = wait_until(&released, read_once(releases) != seen, NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

void flock_forget(struct file *file)
{
    if (!file->locked)
        return;
    mutex_lock(&mutex);
    drop(file);
    mutex_unlock(&mutex);
}
