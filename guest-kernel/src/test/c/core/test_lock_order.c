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

/* One lock is taken twice, the second time after a wait of 7 us, and held for 1 ms and 20 us; others are not counted
 * before it is asked for. */
static void test_statistics(void)
{
    static char found[LOCK_CLASS_COUNT * LOCK_STATISTICS_LINE];
    struct held_locks held = { 0 };
    spin_lock(&net);
    spin_unlock(&net);
    CHECK(!lock_statistics_parse("") && !lock_statistics_parse("2") && !lock_statistics_parse("10"));
    CHECK(lock_statistics_parse("1"));
    spin_lock(&heap);
    host_advance(NS_PER_MS);
    spin_unlock(&heap);
    lock_contended(&held);
    host_advance(5 * NS_PER_US);
    lock_contended(&held);
    host_advance(2 * NS_PER_US + 1);
    lock_taken(&held, LOCK_HEAP, &heap);
    host_advance(20 * NS_PER_US);
    lock_given_back(&held, &heap);
    kernel_lock_statistics_taken(0, 0);
    kernel_lock_statistics_taken(3 * NS_PER_US, 0);
    kernel_lock_statistics_taken(2 * NS_PER_US, 9 * NS_PER_US);
    lock_statistics_lines(collect, found);
    CHECK(!strcmp(found, "          class name  contentions  waittime-total acquisitions    holdtime-max\n"
                         "              kernel            2           5.000            3           0.000\n"
                         "       kernel halted            1           9.000            3           0.000\n"
                         "                heap            1           7.001            2        1000.000\n"));
    lock_statistics_print();
    CHECK(
        strstr(host_log(), "lockstat                 heap            1           7.001            2        1000.000"));
    lock_statistics = false;
}

int main(void)
{
    host_init();
    host_test("lock order: what holds it passes", test_order_holds);
    host_test("lock order: what violates it panics", test_violations_panic);
    host_test("lock order: the kernel lock is held where it is needed", test_kernel_lock_is_needed);
    host_test("lock statistics: acquisitions, waits and holds", test_statistics);
    return host_result();
}
