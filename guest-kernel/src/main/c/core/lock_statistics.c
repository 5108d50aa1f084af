/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of core/lock_statistics.h: one set for each class of locks, and two for the kernel lock, of which only
 * waiting is counted. They grow only, each by one atomic operation, so lines that are read meanwhile may differ by what
 * is under way. lock.c, lock_order.c and kernel_lock.c report to it, in any context, and there is no lock.
 */
#include "core/lock_statistics.h"
#include "core/lock_order.h"
#include "core/log.h"
#include "lib/string.h"
#include "platform/platform.h"

#ifdef KERNEL_DEBUG
bool lock_statistics;

static struct counters {
    uint64_t taken, contended;
    nanoseconds waited, longest_hold;
} counters[LOCK_CLASS_COUNT], kernel_spun, kernel_halted;

static void add(uint64_t *counter, uint64_t n) { __atomic_fetch_add(counter, n, __ATOMIC_RELAXED); }

static void raise(uint64_t *most, uint64_t value)
{
    uint64_t old = read_once(*most);
    while (value > old && !__atomic_compare_exchange_n(most, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void lock_contended(struct held_locks *held)
{
    if (lock_statistics && held->waiting_since == 0)
        held->waiting_since = clock_monotonic();
}

void lock_statistics_taken(struct held_locks *held, struct held_lock *entry)
{
    if (!lock_statistics)
        return;
    struct counters *class = &counters[entry->class];
    entry->since = clock_monotonic();
    add(&class->taken, 1);
    if (held->waiting_since == 0)
        return;
    add(&class->contended, 1);
    add(&class->waited, entry->since - held->waiting_since);
    held->waiting_since = 0;
}

void lock_statistics_given_back(const struct held_lock *entry)
{
    if (entry->since != 0)
        raise(&counters[entry->class].longest_hold, clock_monotonic() - entry->since);
}

static void count_wait(struct counters *of, nanoseconds waited)
{
    add(&of->taken, 1);
    add(&of->contended, waited > 0);
    add(&of->waited, waited);
}

void kernel_lock_statistics_taken(nanoseconds spun, nanoseconds halted)
{
    if (!lock_statistics)
        return;
    count_wait(&kernel_spun, spun);
    count_wait(&kernel_halted, halted);
}

static void put_counters(const char *name, const struct counters *c, void (*put)(const char *line, void *context),
                         void *context)
{
    char line[LOCK_STATISTICS_LINE];
    if (c->taken == 0)
        return;
    format(line, sizeof(line), "%20s %12lu %11lu.%03lu %12lu %11lu.%03lu\n", name, c->contended, c->waited / NS_PER_US,
           c->waited % NS_PER_US, c->taken, c->longest_hold / NS_PER_US, c->longest_hold % NS_PER_US);
    put(line, context);
}

void lock_statistics_lines(void (*put)(const char *line, void *context), void *context)
{
    char line[LOCK_STATISTICS_LINE];
    format(line, sizeof(line), "%20s %12s %15s %12s %15s\n", "class name", "contentions", "waittime-total",
           "acquisitions", "holdtime-max");
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
    if (lock_statistics)
        lock_statistics_lines(log_statistics, NULL);
}

bool lock_statistics_parse(const char *value)
{
    lock_statistics = !strcmp(value, "1");
    return lock_statistics;
}
#endif
