/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of pending signals: a bit for each number that waits, and a queue of what is known about them, oldest first.
 * Whatever is in the queue has its bit set; a bit without an entry is a signal for whose information there was no
 * memory, and it is taken as one of kill(2) without a sender. Entries come from the heap, while fewer than QUEUE_LIMIT
 * wait, or belong to the sender; `kept` says which, and so whether an entry that is taken is freed.
 *
 * Called by signals.c only, with spinlock "signals" held, which guards every set; the heap's lock is taken inside.
 */
#include "linux/pending.h"

#include "core/heap.h"
#include "linux/signals.h"

/* RLIMIT_SIGPENDING in effect: what one set may hold. */
#define QUEUE_LIMIT 1024U

void pending_init(struct pending_signals *pending)
{
    pending->set = 0;
    pending->count = 0;
    list_init(&pending->queue);
}

static struct pending_entry *entry_for(const struct pending_signals *pending, struct pending_entry *kept)
{
    if (kept && !kept->waits) {
        kept->kept = true;
        return kept;
    }
    struct pending_entry *entry = pending->count < QUEUE_LIMIT ? heap_allocate(sizeof(*entry)) : NULL;
    if (entry)
        entry->kept = false;
    return entry;
}

/* Signals of kill(2), like standard ones, come without their sender if there is no room for it. */
static bool is_counted(const struct signal_info *info)
{
    return info->number >= SIGNAL_REALTIME_FIRST && info->code != SI_USER;
}

enum pending_result pending_add(struct pending_signals *pending, const struct signal_info *info,
                                struct pending_entry *kept)
{
    bool waits = pending->set & signal_bit(info->number);
    if (waits && info->number < SIGNAL_REALTIME_FIRST && info->code != SI_TIMER)
        return PENDING_WITHOUT_INFO;
    struct pending_entry *entry = entry_for(pending, kept);
    if (!entry && is_counted(info))
        return PENDING_REFUSED;
    pending->set |= signal_bit(info->number);
    if (!entry)
        return PENDING_WITHOUT_INFO;
    entry->info = *info;
    entry->waits = true;
    list_push_back(&pending->queue, &entry->link);
    pending->count++;
    return PENDING_WAITS;
}

static struct pending_entry *first_of(const struct pending_signals *pending, int number)
{
    list_for_each (link, &pending->queue) {
        struct pending_entry *entry = list_entry(link, struct pending_entry, link);
        if (entry->info.number == number)
            return entry;
    }
    return NULL;
}

static void remove(struct pending_signals *pending, struct pending_entry *entry)
{
    list_remove(&entry->link);
    pending->count--;
    entry->waits = false;
    if (!entry->kept)
        heap_free(entry);
}

bool pending_take(struct pending_signals *pending, uint64_t wanted, struct signal_info *info)
{
    uint64_t set = pending->set & wanted;
    if (!set)
        return false;
    int number = __builtin_ctzl(set) + 1;
    struct pending_entry *entry = first_of(pending, number);
    *info = (struct signal_info){ .number = number, .code = SI_USER };
    if (entry) {
        *info = entry->info;
        remove(pending, entry);
    }
    if (!first_of(pending, number))
        pending->set &= ~signal_bit(number);
    return true;
}

void pending_discard(struct pending_signals *pending, int number)
{
    struct pending_entry *entry;
    while ((entry = first_of(pending, number)))
        remove(pending, entry);
    pending->set &= ~signal_bit(number);
}

void pending_discard_timer(struct pending_signals *pending, uint32_t timer)
{
    list_for_each_safe (link, &pending->queue) {
        struct pending_entry *entry = list_entry(link, struct pending_entry, link);
        int number = entry->info.number;
        if (entry->info.code != SI_TIMER || entry->info.timer.number != timer)
            continue;
        remove(pending, entry);
        if (!first_of(pending, number))
            pending->set &= ~signal_bit(number);
    }
}

void pending_clear(struct pending_signals *pending)
{
    list_for_each_safe (link, &pending->queue)
        remove(pending, list_entry(link, struct pending_entry, link));
    pending->set = 0;
}
