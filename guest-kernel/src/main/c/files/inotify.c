/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch is in two lists, its instance's and its inode's, holds no reference to either, and is freed with the first of
 * them that is freed. An instance queues its events until they are read. An event for which there is no place or no
 * memory is lost, and the instance's overflow event, which exists from the beginning, says so in the queue. send()
 * drops an event that equals the last one in the queue.
 *
 * Changes are reported by names.c, tmpfs.c, fifo.c and linux/sys_inodes.c, perhaps with mutexes of files/ held; a
 * report ends at once while there is no watch at all. inode.c reports that an inode is freed. Instances and watches are
 * made by linux/sys_streams.c; reading comes through the file's operations and may sleep.
 *
 * Spinlock "inotify" guards the watches and queues of all instances.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "files/inotify.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"

#define QUEUE_LIMIT 16384u /* events waiting to be read, inotify(7) max_queued_events */
#define EVENT_BITS 0xfffu  /* IN_ACCESS .. IN_MOVE_SELF */
#define NAME_ALIGNMENT 16

/* struct inotify_event, followed by the name padded with NULs. */
struct event_header {
    int32_t watch;
    uint32_t events, cookie, length;
};
struct event {
    struct list link;
    struct event_header header;
    char name[];
};

struct inotify {
    struct list watches;    /* lock */
    struct list events;     /* lock */
    unsigned event_count;   /* lock; with the overflow event */
    int last_watch;         /* lock */
    struct event *overflow; /* its link is empty while it is not in `events` */
    struct wait_queue queue;
};
struct watch {
    struct list instance_link, inode_link; /* lock */
    struct inotify *inotify;
    struct inode *inode; /* no reference: freed when the inode is */
    int descriptor;
    uint32_t mask;
};

static struct spinlock lock = SPINLOCK(LOCK_INOTIFY);
static uint32_t watch_count; /* lock; read without it to leave early */
static uint32_t last_cookie; /* atomic */

static const struct file_operations inotify_operations;

/* ---- Events, under the lock ---- */

static void queue_event(struct inotify *inotify, const struct event_header *header, const char *name, size_t length)
{
    must_hold(&lock);
    size_t padded = length ? align_up(length + 1, (size_t)NAME_ALIGNMENT) : 0;
    struct event *event = NULL;
    if (inotify->event_count < QUEUE_LIMIT)
        event = heap_allocate_zeroed(sizeof(*event) + padded);
    if (event) {
        event->header = *header;
        event->header.length = (uint32_t)padded;
        memcpy(event->name, name ? name : "", length);
    } else if (list_empty(&inotify->overflow->link)) {
        event = inotify->overflow;
    } else {
        return;
    }
    list_push_back(&inotify->events, &event->link);
    inotify->event_count++;
    wake(&inotify->queue, POLLIN);
}

static void send(struct watch *watch, uint32_t events, uint32_t cookie, const char *name, size_t length)
{
    struct inotify *inotify = watch->inotify;
    struct event_header header = { watch->descriptor, events, cookie, 0 };
    /* The same event twice in a row is reported once. */
    if (!list_empty(&inotify->events)) {
        const struct event *last = list_entry(inotify->events.prev, struct event, link);
        if (last->header.watch == header.watch && last->header.events == header.events &&
            last->header.cookie == header.cookie && strnlen(last->name, last->header.length) == length &&
            memcmp(last->name, name ? name : "", length) == 0)
            return;
    }
    queue_event(inotify, &header, name, length);
}

static void drop_watch(struct watch *watch)
{
    struct event_header header = { watch->descriptor, IN_IGNORED, 0, 0 };
    queue_event(watch->inotify, &header, NULL, 0);
    list_remove(&watch->instance_link);
    list_remove(&watch->inode_link);
    watch_count--;
    heap_free(watch);
}

static void tell(struct inode *inode, uint32_t events, uint32_t cookie, const char *name, size_t length)
{
    list_for_each_safe (node, &inode->watches) {
        struct watch *watch = list_entry(node, struct watch, inode_link);
        if (!(watch->mask & events & EVENT_BITS))
            continue;
        send(watch, events, cookie, name, length);
        if (watch->mask & IN_ONESHOT)
            drop_watch(watch);
    }
}

/* ---- What the file systems report ---- */

void inotify_name(struct dentry *dentry, uint32_t events, uint32_t cookie)
{
    if (!read_once(watch_count))
        return;
    spin_lock(&lock);
    tell(dentry->parent->inode, events, cookie, dentry->name, dentry->length);
    if (events & IN_DELETE && dentry->inode->links == 0)
        tell(dentry->inode, IN_DELETE_SELF, 0, NULL, 0);
    if (events & IN_MOVED_TO)
        tell(dentry->inode, IN_MOVE_SELF, 0, NULL, 0);
    spin_unlock(&lock);
}

void inotify_file(struct inode *inode, struct dentry *dentry, uint32_t events)
{
    if (!read_once(watch_count))
        return;
    char name[NAME_LIMIT];
    size_t length = 0;
    struct dentry *directory = dentry ? dentry_parent(dentry, name, &length) : NULL;
    uint32_t kind = is_type(inode, S_IFDIR) ? IN_ISDIR : 0;
    spin_lock(&lock);
    if (directory)
        tell(directory->inode, events | kind, 0, name, length);
    tell(inode, events | kind, 0, NULL, 0);
    spin_unlock(&lock);
    if (directory)
        dentry_put(directory);
}

uint32_t inotify_cookie(void) { return __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED); }

void inotify_forget(struct inode *inode)
{
    if (list_empty(&inode->watches))
        return;
    spin_lock(&lock);
    list_for_each_safe (node, &inode->watches)
        drop_watch(list_entry(node, struct watch, inode_link));
    spin_unlock(&lock);
}

/* ---- Watches ---- */

static struct inotify *inotify_of(struct file *file)
{
    return file->operations == &inotify_operations ? file->private : NULL;
}

static struct watch *find_watch(struct inotify *inotify, const struct inode *inode)
{
    list_for_each (node, &inotify->watches) {
        struct watch *watch = list_entry(node, struct watch, instance_link);
        if (watch->inode == inode)
            return watch;
    }
    return NULL;
}

/* Takes over `fresh` if the inode has no watch yet. Under the lock. */
static int set_watch(struct inotify *inotify, struct inode *inode, uint32_t mask, struct watch **fresh)
{
    must_hold(&lock);
    struct watch *watch = find_watch(inotify, inode);
    if (watch) {
        watch->mask = mask & IN_MASK_ADD ? watch->mask | mask : mask;
        return watch->descriptor;
    }
    watch = *fresh;
    *fresh = NULL;
    *watch = (struct watch){ .inotify = inotify, .inode = inode, .descriptor = ++inotify->last_watch, .mask = mask };
    list_push_back(&inotify->watches, &watch->instance_link);
    list_push_back(&inode->watches, &watch->inode_link);
    watch_count++;
    return watch->descriptor;
}

int inotify_add(struct file *file, struct inode *inode, uint32_t mask)
{
    struct inotify *inotify = inotify_of(file);
    if (!inotify || !(mask & EVENT_BITS))
        return -EINVAL;
    struct watch *fresh = heap_allocate(sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    spin_lock(&lock);
    int result = set_watch(inotify, inode, mask, &fresh);
    spin_unlock(&lock);
    heap_free(fresh);
    return result;
}

int inotify_remove(struct file *file, int descriptor)
{
    struct inotify *inotify = inotify_of(file);
    int result = -EINVAL;
    if (!inotify)
        return result;
    spin_lock(&lock);
    list_for_each_safe (node, &inotify->watches) {
        struct watch *watch = list_entry(node, struct watch, instance_link);
        if (watch->descriptor == descriptor) {
            drop_watch(watch);
            result = 0;
        }
    }
    spin_unlock(&lock);
    return result;
}

/* ---- The file ---- */

static bool has_events(struct inotify *inotify)
{
    spin_lock(&lock);
    bool any = !list_empty(&inotify->events);
    spin_unlock(&lock);
    return any;
}

static void free_event(const struct inotify *inotify, struct event *event)
{
    if (event != inotify->overflow)
        heap_free(event);
}

/* The next event if it fits into `room` bytes; *any: there was one. */
static struct event *take_event(struct inotify *inotify, size_t room, bool *any)
{
    struct event *event = NULL;
    spin_lock(&lock);
    *any = !list_empty(&inotify->events);
    if (*any) {
        event = list_entry(inotify->events.next, struct event, link);
        if (sizeof(event->header) + event->header.length > room) {
            event = NULL;
        } else {
            list_remove(&event->link);
            inotify->event_count--;
        }
    }
    spin_unlock(&lock);
    return event;
}

static ssize_type take_events(struct inotify *inotify, struct transfer *transfer)
{
    ssize_type total = 0;
    for (;;) {
        bool any;
        struct event *event = take_event(inotify, transfer->remaining, &any);
        if (!event)
            return total ? total : any ? -EINVAL : 0;
        ssize_type n = transfer_out(transfer, &event->header, sizeof(event->header) + event->header.length);
        free_event(inotify, event);
        if (n < 0)
            return total ? total : n;
        total += n;
    }
}

static ssize_type read_inotify(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct inotify *inotify = file->private;
    (void)offset;
    for (;;) {
        ssize_type n = take_events(inotify, transfer);
        if (n)
            return n;
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(&inotify->queue, has_events(inotify), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

static unsigned poll_inotify(struct file *file) { return has_events(file->private) ? POLLIN : 0; }

static struct wait_queue *inotify_queue(struct file *file)
{
    struct inotify *inotify = file->private;
    return &inotify->queue;
}

static int64_t ioctl_inotify(struct file *file, uint32_t request, uintptr_t argument)
{
    struct inotify *inotify = file->private;
    if (request != FIONREAD)
        return -ENOTTY;
    int32_t bytes = 0;
    spin_lock(&lock);
    list_for_each (node, &inotify->events)
        bytes += (int32_t)(sizeof(struct event_header) + list_entry(node, struct event, link)->header.length);
    spin_unlock(&lock);
    return user_put(argument, &bytes);
}

static void free_instance(struct inotify *inotify)
{
    heap_free(inotify->overflow);
    heap_free(inotify);
}

static void release_inotify(struct file *file)
{
    struct inotify *inotify = file->private;
    spin_lock(&lock);
    list_for_each_safe (node, &inotify->watches)
        drop_watch(list_entry(node, struct watch, instance_link));
    struct list *node;
    while ((node = list_pop_front(&inotify->events)))
        free_event(inotify, list_entry(node, struct event, link));
    spin_unlock(&lock);
    free_instance(inotify);
}

static const struct file_operations inotify_operations = {
    .read = read_inotify,
    .poll = poll_inotify,
    .queue = inotify_queue,
    .ioctl = ioctl_inotify,
    .release = release_inotify,
};

struct file *inotify_create(uint32_t flags)
{
    struct inotify *inotify = heap_allocate_zeroed(sizeof(*inotify));
    if (!inotify)
        return NULL;
    inotify->overflow = heap_allocate_zeroed(sizeof(*inotify->overflow));
    if (!inotify->overflow) {
        heap_free(inotify);
        return NULL;
    }
    inotify->overflow->header = (struct event_header){ .watch = -1, .events = IN_Q_OVERFLOW };
    list_init(&inotify->overflow->link);
    list_init(&inotify->watches);
    list_init(&inotify->events);
    wait_queue_init(&inotify->queue);
    struct file *file = file_create(&inotify_operations, O_RDONLY | flags, inotify);
    if (!file)
        free_instance(inotify);
    return file;
}
