#include "linux/pending.h"

#include "lib/heap.h"
#include "linux/signals.h"

/* RLIMIT_SIGPENDING in effect: what one set may hold. */
#define QUEUE_LIMIT 1024U

struct entry {
    struct list link;
    struct signal_info info;
};

void pending_init(struct pending_signals *pending)
{
    pending->set = 0;
    pending->count = 0;
    list_init(&pending->queue);
}

/* Whether it is one too many: timers are few, and each waits at most once. */
static bool is_dropped(const struct pending_signals *pending, const struct signal_info *info)
{
    bool waits = pending->set & signal_bit(info->number);
    if (!waits || info->code == SI_TIMER)
        return false;
    return info->number < SIGNAL_REALTIME_FIRST || pending->count >= QUEUE_LIMIT;
}

bool pending_add(struct pending_signals *pending, const struct signal_info *info)
{
    if (is_dropped(pending, info))
        return false;
    pending->set |= signal_bit(info->number);
    bool room = pending->count < QUEUE_LIMIT || info->code == SI_TIMER;
    struct entry *entry = room ? heap_allocate(sizeof(*entry)) : NULL;
    if (!entry)
        return false;                /* the signal comes, without saying from whom */
    entry->info = *info;
    list_push_back(&pending->queue, &entry->link);
    pending->count++;
    return true;
}

static struct entry *first_of(const struct pending_signals *pending, int number)
{
    list_for_each(link, &pending->queue) {
        struct entry *entry = list_entry(link, struct entry, link);
        if (entry->info.number == number)
            return entry;
    }
    return NULL;
}

static void remove(struct pending_signals *pending, struct entry *entry)
{
    list_remove(&entry->link);
    pending->count--;
    heap_free(entry);
}

bool pending_take(struct pending_signals *pending, uint64_t wanted, struct signal_info *info)
{
    uint64_t set = pending->set & wanted;
    if (!set)
        return false;
    int number = __builtin_ctzl(set) + 1;
    struct entry *entry = first_of(pending, number);
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
    struct entry *entry;
    while ((entry = first_of(pending, number)) != NULL)
        remove(pending, entry);
    pending->set &= ~signal_bit(number);
}

void pending_discard_timer(struct pending_signals *pending, uint32_t timer)
{
    list_for_each_safe(link, &pending->queue) {
        struct entry *entry = list_entry(link, struct entry, link);
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
    list_for_each_safe(link, &pending->queue)
        remove(pending, list_entry(link, struct entry, link));
    pending->set = 0;
}
