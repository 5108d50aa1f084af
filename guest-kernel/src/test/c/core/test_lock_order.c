/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/lock_order.h: what the check of the order in which locks are taken notices, and what it lets pass; and what
 * core/lock_statistics.h counts.
 *
 * What violates the order must panic, so each such function runs in a process of its own (host_panics()). Run by make
 * test-core.
 */
#include <string.h>

#include "core/debug.h"
#include "core/kernel_lock.h"
#include "core/lock.h"
#include "core/lock_statistics.h"
#include "host/host.h"
#include "lib/string.h"
#include "memory/user.h"
#include "threads/wait.h"

static struct spinlock net = SPINLOCK(LOCK_NET), heap = SPINLOCK(LOCK_HEAP), other_heap = SPINLOCK(LOCK_HEAP);
static struct spinlock queue = SPINLOCK(LOCK_WAIT_QUEUE), upper_queue = SPINLOCK(LOCK_WAIT_QUEUE);
static struct spinlock buckets[2] = { SPINLOCK(LOCK_FUTEX_BUCKET), SPINLOCK(LOCK_FUTEX_BUCKET) };
static struct mutex inode, address_space;

static void take_in_order(void)
{
    mutex_init(&inode, LOCK_INODE);
    mutex_init(&address_space, LOCK_ADDRESS_SPACE);
    mutex_lock(&inode);
    mutex_lock(&address_space);
    spin_lock(&net);
    spin_lock(&queue);
    spin_lock(&upper_queue);
    spin_lock(&heap);
}

/* Given back in an order that is not the reverse, as hand-over-hand walks do. */
static void test_order_holds(void)
{
    take_in_order();
    CHECK(spinlock_held(&net) && spinlock_held(&heap) && !spinlock_held(&other_heap));
    spin_unlock(&net);
    spin_unlock(&heap);
    spin_unlock(&queue);
    spin_unlock(&upper_queue);
    mutex_unlock(&inode);
    mutex_unlock(&address_space);
    CHECK(!spinlock_held(&net) && !spinlock_held(&heap) && !spinlocks_held());
    take_in_order();
    spin_unlock(&heap);
    spin_unlock(&upper_queue);
    spin_unlock(&queue);
    spin_unlock(&net);
    mutex_unlock(&address_space);
    mutex_unlock(&inode);
    spin_lock(&buckets[0]);
    spin_lock(&buckets[1]);
    spin_unlock(&buckets[0]);
    spin_unlock(&buckets[1]);
}

static void take_spinlocks_the_other_way_round(void)
{
    spin_lock(&heap);
    spin_lock(&net);
}

static void take_mutexes_the_other_way_round(void)
{
    mutex_init(&inode, LOCK_INODE);
    mutex_init(&address_space, LOCK_ADDRESS_SPACE);
    mutex_lock(&address_space);
    mutex_lock(&inode);
}

static void take_two_of_a_class(void)
{
    spin_lock(&heap);
    spin_lock(&other_heap);
}

static void take_two_by_falling_address(void)
{
    spin_lock(&buckets[1]);
    spin_lock(&buckets[0]);
}

static void sleep_in_an_interrupt(void)
{
    interrupt_begin();
    interrupt_begin();
    interrupt_end();
    may_sleep();
}

static void take_a_mutex_in_an_interrupt(void)
{
    mutex_init(&inode, LOCK_INODE);
    interrupt_begin();
    mutex_lock(&inode);
}

static void touch_user_memory_under_a_spinlock(void)
{
    char byte;
    spin_lock(&net);
    (void)!user_read(&byte, 0x10000, 1);
}

static void take_a_mutex_under_a_spinlock(void)
{
    mutex_init(&inode, LOCK_INODE);
    spin_lock(&net);
    mutex_lock(&inode);
}

static void give_back_what_another_holds(void)
{
    heap.taken = 1;
    spin_unlock(&heap);
}

static void need_a_lock_that_is_not_held(void)
{
    spin_lock(&net);
    must_hold(&heap);
}

static void sleep_under_a_spinlock(void)
{
    spin_lock(&net);
    may_sleep();
}

static bool has_kernel = true;
bool kernel_lock_is_mine(void) { return has_kernel; }

static void take_without_kernel_lock(void)
{
    has_kernel = false;
    spin_lock(&net);
}

static void test_kernel_lock_is_needed(void)
{
    kernel_is_locked = true;
    CHECK(host_panics(take_without_kernel_lock, "the lock net is taken without the kernel lock"));
    spin_lock(&net);
    spin_unlock(&net);
    has_kernel = false;
    spin_lock(&buckets[0]);
    spin_unlock(&buckets[0]);
    kernel_is_locked = false;
}

static void test_violations_panic(void)
{
    CHECK(host_panics(take_spinlocks_the_other_way_round, "the lock net is taken while heap is held"));
    CHECK(host_panics(take_mutexes_the_other_way_round, "the lock inode is taken while address_space is held"));
    CHECK(host_panics(take_two_of_a_class, "the lock heap is taken while heap is held"));
    CHECK(host_panics(take_two_by_falling_address, "the lock futex bucket is taken while futex bucket is held"));
    CHECK(host_panics(sleep_in_an_interrupt, "interrupts == 0"));
    CHECK(host_panics(take_a_mutex_in_an_interrupt, "interrupts == 0"));
    CHECK(host_panics(touch_user_memory_under_a_spinlock, "spinlocks_held"));
    CHECK(host_panics(take_a_mutex_under_a_spinlock, "spinlocks_held"));
    CHECK(host_panics(give_back_what_another_holds, "a lock is given back that was not taken here"));
    CHECK(host_panics(need_a_lock_that_is_not_held, "spinlock_held"));
    CHECK(host_panics(sleep_under_a_spinlock, "spinlocks_held"));
}

static void collect(const char *line, void *to)
{
    char *text = to;
    string_copy(text + strlen(text), line, LOCK_STATISTICS_LINE);
}

static char table[(LOCK_CLASS_COUNT + 3) * LOCK_STATISTICS_LINE];

static const char *statistics(void)
{
    table[0] = 0;
    lock_statistics_lines(collect, table);
    return table;
}

#define HEADING \
    "          class name  contentions  waittime-min  waittime-max waittime-total  waittime-avg acquisitions" \
    "  holdtime-min  holdtime-max holdtime-total  holdtime-avg\n"

static void wait_for_heap(nanoseconds time)
{
    nanoseconds began = lock_wait_begins();
    host_advance(time);
    lock_wait_ends(LOCK_HEAP, began);
}

/* One lock is taken twice, for 1 ms and for 20 us, and waited for for 7 us and 3 us; others are not counted before it
 * is asked for. */
static void test_statistics(void)
{
    spin_lock(&net);
    spin_unlock(&net);
    CHECK(!lock_statistics_parse("") && !lock_statistics_parse("2") && !lock_statistics_parse("10"));
    CHECK(lock_statistics_parse("1"));
    CHECK(!strcmp(statistics(), HEADING));
    spin_lock(&heap);
    host_advance(NS_PER_MS);
    spin_unlock(&heap);
    wait_for_heap(7 * NS_PER_US + 2);
    wait_for_heap(3 * NS_PER_US);
    spin_lock(&heap);
    host_advance(20 * NS_PER_US);
    spin_unlock(&heap);
    nanoseconds now = clock_monotonic();
    kernel_lock_statistics_taken(now, 0, now);
    kernel_lock_statistics_taken(now, 0, now + 3 * NS_PER_US);
    kernel_lock_statistics_taken(now, 9 * NS_PER_US, now + 11 * NS_PER_US);
    host_advance(40 * NS_PER_US);
    kernel_lock_statistics_given_back(now + 30 * NS_PER_US);
    CHECK(
        !strcmp(statistics(), HEADING
                "              kernel            2         2.000         3.000         5.000         2.500            3"
                "        10.000        10.000        10.000        10.000\n"
                "       kernel halted            1         9.000         9.000         9.000         9.000            3"
                "             -             -             -             -\n"
                "                heap            2         3.000         7.002        10.002         5.001            2"
                "        20.000      1000.000      1020.000       510.000\n"));
    lock_statistics_print();
    CHECK(strstr(host_log(), "lockstat                 heap            2         3.000         7.002        10.002"));
}

/* What began before the counting does not count, and what ends after it neither. */
static void test_statistics_begin_and_end(void)
{
    nanoseconds before = clock_monotonic();
    spin_lock(&heap);
    host_advance(NS_PER_MS);
    lock_statistics_start();
    lock_wait_ends(LOCK_HEAP, before);
    kernel_lock_statistics_given_back(before);
    kernel_lock_statistics_taken(before, 0, clock_monotonic());
    spin_unlock(&heap);
    CHECK(!strcmp(statistics(), HEADING));
    nanoseconds began = lock_wait_begins();
    spin_lock(&net);
    host_advance(NS_PER_US);
    CHECK(lock_statistics_parse("0"));
    lock_wait_ends(LOCK_NET, began);
    spin_unlock(&net);
    CHECK(strstr(statistics(), "net            0             -             -             -             -            1"
                               "             -"));
    CHECK_EQUAL(lock_wait_begins(), 0);
    lock_statistics_print();
    CHECK(!strstr(host_log(), "lockstat"));
}

int main(void)
{
    host_init();
    host_test("lock order: what holds it passes", test_order_holds);
    host_test("lock order: what violates it panics", test_violations_panic);
    host_test("lock order: the kernel lock is held where it is needed", test_kernel_lock_is_needed);
    host_test("lock statistics: acquisitions, waits and holds", test_statistics);
    host_test("lock statistics: from their start to their end", test_statistics_begin_and_end);
    return host_result();
}
