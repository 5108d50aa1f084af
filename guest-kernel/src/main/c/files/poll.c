/* SPDX-License-Identifier: Apache-2.0 */
#include "files/poll.h"
#include "lib/errno.h"
#include "threads/thread.h"

#define AT_ONCE 128u /* entries looked at between points where others may run */

static int look(const struct poll_table *table)
{
    int ready = 0;
    for (unsigned i = 0; i < table->count; i++) {
        struct poll_entry *entry = poll_entry(table, i);
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
        if (!entry->file)
            continue;
        entry->found = file_poll(entry->file) & (entry->wanted | POLLERR | POLLHUP);
        ready += entry->found != 0;
    }
    return ready;
}

/* 0, or -ENOMEM when a file has as many waiters as may be. */
static int add_waiters(const struct poll_table *table)
{
    for (unsigned i = 0; i < table->count; i++) {
        struct poll_entry *entry = poll_entry(table, i);
        waiter_init(&entry->waiter);
        struct file *file = entry->file;
        struct wait_queue *queue = file && file->operations->queue ? file->operations->queue(file) : NULL;
        if (queue && !wait_try_add(queue, &entry->waiter))
            return -ENOMEM;
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
    }
    return 0;
}

int poll_files(const struct poll_table *table, nanoseconds deadline)
{
    int ready = look(table);
    if (ready || deadline == 0)
        return ready;
    int error = add_waiters(table);
    for (;;) {
        sleep_prepare();
        ready = look(table);
        if (ready || error)
            break;
        error = sleep_until(deadline, SLEEP_INTERRUPTIBLE);
    }
    for (unsigned i = 0; i < table->count; i++) {
        wait_remove(&poll_entry(table, i)->waiter);
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
    }
    return ready || error == -ETIMEDOUT ? ready : error;
}
