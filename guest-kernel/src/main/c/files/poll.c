#include "files/poll.h"
#include "lib/errno.h"
#include "threads/thread.h"

#define AT_ONCE 128u                 /* entries looked at between points where others may run */

static int look(struct poll_entry *entries, unsigned count)
{
    int ready = 0;
    for (unsigned i = 0; i < count; i++) {
        struct poll_entry *entry = &entries[i];
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
        if (!entry->file)
            continue;
        entry->found = file_poll(entry->file) & (entry->wanted | POLL_ERROR | POLL_HANGUP);
        ready += entry->found != 0;
    }
    return ready;
}

static void add_waiters(struct poll_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        waiter_init(&entries[i].waiter);
        struct file *file = entries[i].file;
        struct wait_queue *queue = file && file->operations->queue ? file->operations->queue(file) : NULL;
        if (queue)
            wait_add(queue, &entries[i].waiter);
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
    }
}

int poll_files(struct poll_entry *entries, unsigned count, nanoseconds deadline)
{
    int ready = look(entries, count);
    if (ready || deadline == 0)
        return ready;
    add_waiters(entries, count);
    int error = 0;
    for (;;) {
        sleep_prepare();
        ready = look(entries, count);
        if (ready || error)
            break;
        error = sleep_until(deadline, SLEEP_KILLABLE_BY_SIGNAL);
    }
    for (unsigned i = 0; i < count; i++) {
        wait_remove(&entries[i].waiter);
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
    }
    return ready || error == -ETIMEDOUT ? ready : error;
}
