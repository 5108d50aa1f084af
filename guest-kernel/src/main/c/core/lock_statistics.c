/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of core/lock_statistics.h: one set for each class of locks, and two for the kernel lock, since a CPU
 * waits for that in two ways. Each counter changes by one atomic operation, so lines that are read meanwhile may differ
 * by what is under way. lock.c, lock_order.c, kernel_lock.c and threads/mutex.c report to it, in any context, and there
 * is no lock. A wait or a hold that began before counting was started is not counted.
 */
#include "core/lock_statistics.h"
#include "core/lock_order.h"
#include "core/log.h"
#include "lib/string.h"
#include "platform/platform.h"

bool lock_statistics;

struct times {
    uint64_t count;
    nanoseconds total, shortest, longest;
};

static struct counters {
    struct times waits, holds; /* holds.count: acquisitions that were given back */
    uint64_t acquisitions;
} counters[LOCK_CLASS_COUNT], kernel_spun, kernel_halted;

static nanoseconds started; /* what began before it does not count; atomic */

static void add(uint64_t *counter, uint64_t n) { __atomic_fetch_add(counter, n, __ATOMIC_RELAXED); }

static void raise(uint64_t *most, uint64_t value)
{
    uint64_t old = read_once(*most);
    while (value > old && !__atomic_compare_exchange_n(most, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static void lower(uint64_t *least, uint64_t value)
{
    uint64_t old = read_once(*least);
    while (value < old && !__atomic_compare_exchange_n(least, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static void add_time(struct times *times, nanoseconds time)
{
    add(&times->count, 1);
    add(&times->total, time);
    raise(&times->longest, time);
    lower(&times->shortest, time);
}

/* ---- What is counted ------------------------------------------------------------------------------- */

static void clear_times(struct times *times)
{
    write_once(times->count, 0);
    write_once(times->total, 0);
    write_once(times->shortest, UINT64_MAX);
    write_once(times->longest, 0);
}

/* Other CPUs may count meanwhile. */
static void clear(struct counters *c)
{
    clear_times(&c->waits);
    clear_times(&c->holds);
    write_once(c->acquisitions, 0);
}

void lock_statistics_start(void)
{
    lock_statistics_stop();
    for (enum lock_class class = 0; class < LOCK_CLASS_COUNT; class ++)
        clear(&counters[class]);
    clear(&kernel_spun);
    clear(&kernel_halted);
    write_once(started, clock_monotonic());
    write_once(lock_statistics, true);
}

void lock_statistics_stop(void) { write_once(lock_statistics, false); }

bool lock_statistics_parse(const char *value)
{
    if (!strcmp(value, "1"))
        lock_statistics_start();
    else if (!strcmp(value, "0"))
        lock_statistics_stop();
    else
        return false;
    return true;
}

static bool counts(nanoseconds began) { return read_once(lock_statistics) && began >= read_once(started); }

nanoseconds lock_wait_begins(void) { return read_once(lock_statistics) ? clock_monotonic() : 0; }

void lock_wait_ends(enum lock_class class, nanoseconds began)
{
    if (counts(began))
        add_time(&counters[class].waits, clock_monotonic() - began);
}

#ifdef KERNEL_DEBUG
void lock_statistics_taken(struct held_lock *entry)
{
    if (!read_once(lock_statistics))
        return;
    entry->since = clock_monotonic();
    add(&counters[entry->class].acquisitions, 1);
}

void lock_statistics_given_back(const struct held_lock *entry)
{
    if (counts(entry->since))
        add_time(&counters[entry->class].holds, clock_monotonic() - entry->since);
}
#endif

static void count_acquisition(struct counters *of, nanoseconds waited)
{
    add(&of->acquisitions, 1);
    if (waited > 0)
        add_time(&of->waits, waited);
}

void kernel_lock_statistics_taken(nanoseconds began, nanoseconds halted, nanoseconds had)
{
    if (!counts(began) || had < began + halted)
        return;
    count_acquisition(&kernel_spun, had - began - halted);
    count_acquisition(&kernel_halted, halted);
}

void kernel_lock_statistics_given_back(nanoseconds had)
{
    if (counts(had))
        add_time(&kernel_spun.holds, clock_monotonic() - had);
}

/* ---- The table --------------------------------------------------------------------------------------- */

static int put_time(char *to, size_t room, bool known, nanoseconds time)
{
    return known ? format(to, room, " %9lu.%03lu", time / NS_PER_US, time % NS_PER_US) : format(to, room, " %13s", "-");
}

/* Shortest, longest, all together, and on average. */
static size_t put_times(char *to, size_t room, const struct times *times)
{
    bool known = times->count > 0;
    const nanoseconds shown[] = { times->shortest, times->longest, times->total,
                                  known ? times->total / times->count : 0 };
    size_t at = 0;
    for (unsigned i = 0; i < array_size(shown); i++)
        at += (size_t)put_time(to + at, room - at, known, shown[i]);
    return at;
}

static struct times times_now(const struct times *times)
{
    return (struct times){ .count = read_once(times->count),
                           .total = read_once(times->total),
                           .shortest = read_once(times->shortest),
                           .longest = read_once(times->longest) };
}

/* Other CPUs may still add to them what they have begun to count. */
static void put_counters(const char *name, const struct counters *from, void (*put)(const char *line, void *context),
                         void *context)
{
    char line[LOCK_STATISTICS_LINE];
    const struct counters now = { .waits = times_now(&from->waits),
                                  .holds = times_now(&from->holds),
                                  .acquisitions = read_once(from->acquisitions) },
                          *c = &now;
    if (c->acquisitions == 0 && c->waits.count == 0)
        return;
    size_t at = (size_t)format(line, sizeof(line), "%20s %12lu", name, c->waits.count);
    at += put_times(line + at, sizeof(line) - at, &c->waits);
    at += (size_t)(c->acquisitions > 0 ? format(line + at, sizeof(line) - at, " %12lu", c->acquisitions)
                                       : format(line + at, sizeof(line) - at, " %12s", "-"));
    at += put_times(line + at, sizeof(line) - at, &c->holds);
    format(line + at, sizeof(line) - at, "\n");
    put(line, context);
}

void lock_statistics_lines(void (*put)(const char *line, void *context), void *context)
{
    char line[LOCK_STATISTICS_LINE];
    format(line, sizeof(line), "%20s %12s %13s %13s %13s %13s %12s %13s %13s %13s %13s\n", "class name", "contentions",
           "waittime-min", "waittime-max", "waittime-total", "waittime-avg", "acquisitions", "holdtime-min",
           "holdtime-max", "holdtime-total", "holdtime-avg");
    put(line, context);
    put_counters("kernel", &kernel_spun, put, context);
    put_counters("kernel halted", &kernel_halted, put, context);
    for (enum lock_class class = 0; class < LOCK_CLASS_COUNT; class ++)
        put_counters(lock_name(class), &counters[class], put, context);
}

static void log_statistics(const char *text, void *unused)
{
    (void)unused;
    log_always("lockstat %.*s", (int)strlen(text) - 1, text);
}

void lock_statistics_print(void)
{
    if (read_once(lock_statistics))
        lock_statistics_lines(log_statistics, NULL);
}
