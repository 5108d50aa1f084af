/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes. A waiter lies on its thread's stack and in the bucket of its address. It is put there before the value is
 * read: a thread that changes the value and then wakes finds it, so no wake-up is lost. It is taken out by the thread
 * that wakes it, which sets `woken`, or else by its own. A requeue may change its bucket; lock_bucket_of() finds its
 * current one.
 *
 * Each bucket has a spinlock, "futex bucket"; of two the one at the lower address is taken first. run_queue is taken
 * inside. User memory is touched under neither. Long wakings give way.
 *
 * Entered by futex(2), and from sys_threads.c when a thread ends.
 */
#include "core/kernel_lock.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "linux/futex.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define BUCKETS 256
#define WOKEN_AT_ONCE 64u /* before others may run */
#define FUTEX_COMMAND 0x7fU
#define FUTEX_CLOCK_REALTIME 0x100U
#define FUTEX_WAITERS 0x80000000U
#define FUTEX_OWNER_DIED 0x40000000U
#define FUTEX_ID 0x3fffffffU
#define ROBUST_LIMIT 2048 /* entries walked at most: the list is the program's */

struct futex_waiter {
    struct list link;      /* bucket lock; self-linked once woken */
    struct bucket *bucket; /* bucket lock: changes when requeued */
    uintptr_t address;     /* bucket lock */
    uint32_t bits;
    bool woken; /* bucket lock */
    struct thread *thread;
};

static struct bucket {
    struct spinlock lock;
    struct list waiters; /* bucket lock */
    bool ready;          /* atomic: the list has been made */
} buckets[BUCKETS] = { [0 ... BUCKETS - 1] = { .lock = SPINLOCK(LOCK_FUTEX_BUCKET) } };

static struct bucket *bucket_of(uintptr_t address)
{
    struct bucket *bucket = &buckets[hash_mix(address >> 2) % BUCKETS];
    if (unlikely(!__atomic_load_n(&bucket->ready, __ATOMIC_ACQUIRE))) {
        spin_lock(&bucket->lock);
        if (!bucket->ready)
            list_init(&bucket->waiters);
        __atomic_store_n(&bucket->ready, true, __ATOMIC_RELEASE);
        spin_unlock(&bucket->lock);
    }
    return bucket;
}

/* The waiter's bucket, locked; it may be requeued until the lock is held. */
static struct bucket *lock_bucket_of(struct futex_waiter *waiter)
{
    for (;;) {
        struct bucket *bucket = read_once(waiter->bucket);
        spin_lock_stacks(&bucket->lock);
        if (bucket == waiter->bucket)
            return bucket;
        spin_unlock(&bucket->lock);
    }
}

/* Ends the wait; true if it had been woken. */
static bool leave(struct futex_waiter *waiter)
{
    struct bucket *bucket = lock_bucket_of(waiter);
    bool woken = waiter->woken;
    list_remove(&waiter->link);
    spin_unlock(&bucket->lock);
    return woken;
}

static void wake_waiter(struct futex_waiter *waiter)
{
    list_remove(&waiter->link);
    write_once(waiter->woken, true);
    thread_wake(waiter->thread);
}

static int64_t futex_wait(uintptr_t address, uint32_t expected, uint32_t bits, nanoseconds deadline)
{
    struct bucket *bucket = bucket_of(address);
    struct futex_waiter waiter = { .bucket = bucket, .address = address, .bits = bits, .thread = thread_current() };
    uint32_t value;
    if (!bits)
        return -EINVAL;
    /* Queued before the value is read: a change after the read finds the waiter. */
    spin_lock_stacks(&bucket->lock);
    list_push_back(&bucket->waiters, &waiter.link);
    spin_unlock(&bucket->lock);
    int error = user_get(&value, address);
    if (error || value != expected)
        return leave(&waiter) ? 0 : error ? error : -EAGAIN;
    int result = 0;
    for (;;) {
        sleep_prepare();
        if (read_once(waiter.woken) || result)
            break;
        result = sleep_until(deadline, SLEEP_INTERRUPTIBLE);
    }
    return leave(&waiter) ? 0 : result;
}

/* At most `count` of them; under no lock. */
static uint32_t wake_some(struct bucket *bucket, uintptr_t address, uint32_t count, uint32_t bits)
{
    uint32_t woken = 0;
    spin_lock_stacks(&bucket->lock);
    list_for_each_safe (node, &bucket->waiters) {
        struct futex_waiter *waiter = list_entry(node, struct futex_waiter, link);
        if (woken >= count)
            break;
        if (waiter->address != address || !(waiter->bits & bits))
            continue;
        wake_waiter(waiter);
        woken++;
    }
    spin_unlock(&bucket->lock);
    return woken;
}

int64_t futex_wake(uintptr_t address, uint32_t count, uint32_t bits)
{
    struct bucket *bucket = bucket_of(address);
    /* A thread that is woken may wait again meanwhile; this ends nevertheless. */
    uint32_t left = min_of(count, threads_user_count());
    int64_t woken = 0;
    for (;;) {
        uint32_t wanted = min_of(left, WOKEN_AT_ONCE);
        uint32_t some = wake_some(bucket, address, wanted, bits);
        woken += some;
        left -= some;
        if (some < WOKEN_AT_ONCE)
            return woken;
        give_way();
    }
}

static void lock_both(struct bucket *one, struct bucket *two)
{
    spin_lock_stacks(one < two ? &one->lock : &two->lock);
    if (one != two)
        spin_lock_stacks(one < two ? &two->lock : &one->lock);
}

static void unlock_both(struct bucket *one, struct bucket *two)
{
    spin_unlock(&one->lock);
    if (one != two)
        spin_unlock(&two->lock);
}

/* Both buckets are locked. Within a bucket it keeps its place, so that a walk along the waiters meets it once. */
static void move_waiter(struct futex_waiter *waiter, struct bucket *target, uintptr_t to)
{
    waiter->address = to;
    if (waiter->bucket == target)
        return;
    list_remove(&waiter->link);
    write_once(waiter->bucket, target);
    list_push_back(&target->waiters, &waiter->link);
}

static int64_t futex_requeue(uintptr_t from, uint32_t wake_count, uint32_t move_count, uintptr_t to)
{
    struct bucket *source = bucket_of(from), *target = bucket_of(to);
    int64_t woken = 0, moved = 0;
    if (to & 3)
        return -EINVAL;
    if (!user_range_ok(to, sizeof(uint32_t)))
        return -EFAULT;
    lock_both(source, target);
    list_for_each_safe (node, &source->waiters) {
        struct futex_waiter *waiter = list_entry(node, struct futex_waiter, link);
        if (waiter->address != from)
            continue;
        if (woken < wake_count) {
            wake_waiter(waiter);
            woken++;
        } else if (moved < move_count) {
            move_waiter(waiter, target, to);
            moved++;
        } else {
            break;
        }
    }
    unlock_both(source, target);
    return woken + moved;
}

static int check_value(uintptr_t address, uint32_t expected)
{
    uint32_t value;
    int error = user_get(&value, address);
    return error ? error : value == expected ? 0 : -EAGAIN;
}

enum { SET, ADD, OR, ANDN, XOR };

static uint32_t result_of(uint32_t operation, uint32_t old, uint32_t argument)
{
    switch (operation) {
    case SET:
        return argument;
    case ADD:
        return old + argument;
    case OR:
        return old | argument;
    case ANDN:
        return old & ~argument;
    default:
        return old ^ argument;
    }
}

/* In one step for all threads that use the word. */
static int change_word(uintptr_t address, uint32_t operation, uint32_t argument, uint32_t *old)
{
    uint32_t expected;
    int error = user_get(old, address);
    do {
        expected = *old;
        if (!error)
            error = user_exchange(address, expected, result_of(operation, expected, argument), old);
    } while (!error && *old != expected);
    return error;
}

/* FUTEX_WAKE_OP: op:4 cmp:4 oparg:12 cmparg:12. */
static int64_t futex_wake_operation(uintptr_t address, uint32_t count, uint32_t count2, uintptr_t address2,
                                    uint32_t code)
{
    enum { EQ, NE, LT, LE, GT, GE };
    uint32_t argument = code >> 12 & 0xfff, operation = code >> 28 & 7, comparison = code >> 24 & 15;
    int32_t compare_with = (int32_t)(code << 20) >> 20;
    if (code & 0x80000000U)
        argument = 1U << (argument & 31);
    uint32_t old;
    if (operation > XOR)
        return -ENOSYS;
    if (address2 & 3)
        return -EINVAL;
    int error = change_word(address2, operation, argument, &old);
    if (error)
        return error;
    int32_t value = (int32_t)old;
    bool also = comparison == EQ   ? value == compare_with
                : comparison == NE ? value != compare_with
                : comparison == LT ? value < compare_with
                : comparison == LE ? value <= compare_with
                : comparison == GT ? value > compare_with
                                   : value >= compare_with;
    int64_t woken = futex_wake(address, count, FUTEX_ALL_BITS);
    return also ? woken + futex_wake(address2, count2, FUTEX_ALL_BITS) : woken;
}

/* FUTEX_WAIT takes a duration, the bitset form a point on its clock. */
static int read_deadline(uintptr_t address, bool absolute, bool realtime, nanoseconds *deadline)
{
    nanoseconds time;
    *deadline = NO_DEADLINE;
    if (!address)
        return 0;
    int error = timespec_read(address, &time);
    if (error)
        return error;
    if (!absolute)
        *deadline = deadline_after(time);
    else if (realtime && time != NO_DEADLINE)
        *deadline = time > clock_wall() ? deadline_after(time - clock_wall()) : 0;
    else
        *deadline = time;
    return 0;
}

/* Deviates: Priority inheritance is not offered: FUTEX_LOCK_PI and its relatives are ENOSYS. A futex is known by its
 * address: a word that is mapped twice is two. A deadline on CLOCK_REALTIME stays where it was when the clock is set.
 * */
SYSCALL_DEFINE6(futex, uintptr_t, uaddr, uint32_t, futex_op, unsigned, val, uintptr_t, timeout, uintptr_t, uaddr2,
                unsigned, val3)
{
    enum { WAIT, WAKE, REQUEUE = 3, CMP_REQUEUE, WAKE_OP, WAIT_BITSET = 9, WAKE_BITSET };
    uint32_t command = futex_op & FUTEX_COMMAND;
    nanoseconds deadline;
    int error;
    if (uaddr & 3)
        return -EINVAL;
    if (!user_range_ok(uaddr, sizeof(uint32_t)))
        return -EFAULT;
    switch (command) {
    case WAIT:
    case WAIT_BITSET:
        error = read_deadline(timeout, command == WAIT_BITSET, futex_op & FUTEX_CLOCK_REALTIME, &deadline);
        if (error)
            return error;
        return futex_wait(uaddr, val, command == WAIT ? FUTEX_ALL_BITS : val3, deadline);
    case WAKE:
        return futex_wake(uaddr, val, FUTEX_ALL_BITS);
    case WAKE_BITSET:
        return val3 ? futex_wake(uaddr, val, val3) : -EINVAL;
    case REQUEUE:
    case CMP_REQUEUE:
        if ((int32_t)val < 0 || (int32_t)timeout < 0)
            return -EINVAL;
        error = command == CMP_REQUEUE ? check_value(uaddr, val3) : 0;
        return error ? error : futex_requeue(uaddr, val, (uint32_t)timeout, uaddr2);
    case WAKE_OP:
        return futex_wake_operation(uaddr, val, (uint32_t)timeout, uaddr2, val3);
    default:
        return -ENOSYS; /* priority inheritance: neither glibc's defaults nor HotSpot use it */
    }
}

static void release_robust(uintptr_t address, uint32_t thread_id)
{
    uint32_t value, expected;
    if (address & 3 || user_get(&value, address))
        return;
    /* Others may add FUTEX_WAITERS meanwhile. */
    do {
        expected = value;
        if ((value & FUTEX_ID) != thread_id)
            return;
        if (user_exchange(address, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &value))
            return;
    } while (value != expected);
    if (value & FUTEX_WAITERS)
        futex_wake(address, 1, FUTEX_ALL_BITS);
}

void futex_exit_robust(uintptr_t head, uint32_t thread_id)
{
    struct {
        uint64_t next;
        int64_t futex_offset;
        uint64_t pending;
    } list;
    if (!head || user_get(&list, head))
        return;
    uintptr_t entry = list.next;
    for (int i = 0; entry != head && i < ROBUST_LIMIT; i++) {
        uintptr_t next;
        bool readable = user_get(&next, entry & ~1UL) == 0;
        release_robust((entry & ~1UL) + (uint64_t)list.futex_offset, thread_id);
        if (!readable)
            return;
        entry = next;
    }
    if (list.pending)
        release_robust(list.pending + (uint64_t)list.futex_offset, thread_id);
}
