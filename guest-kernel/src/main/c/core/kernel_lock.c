/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lock (kernel_lock.h) as tickets: each CPU that comes draws the next number, and has the lock when that
 * number is served. `holder` is written by the one that has the lock, and read by others only to find that they do not
 * have the lock.
 *
 * A CPU that waits has interrupts masked, so it answers other CPUs itself, and does so once more when it has the lock,
 * since its last answer may be older than what the last holder asked for. After SPINS looks it halts, since a
 * hypervisor may have taken the processor away from the CPU that has the lock: the CPU that serves its number
 * interrupts it. It notes that it halts before it looks once more, and the other CPU looks for that note after it has
 * served the number, so one of them sees the other.
 *
 * Natively the interrupt that ends the halt is handled at once. Its handler needs the lock too, and must not draw a
 * second number after the first: it waits for the first one (kernel_lock_take_again()), and leaves the lock to the wait
 * that it has interrupted.
 *
 * At the end of the machine one CPU goes on (`last`), whether it has the lock or not: a panic may come anywhere. No
 * other CPU is served from then on. Some of them still run until cpus_stop() has reached them.
 */
#include "core/kernel_lock.h"
#include "core/lock_statistics.h"
#include "platform/platform.h"

#define SPINS 200

bool kernel_is_shared, kernel_is_locked;

static uint32_t next_ticket, served;
static const struct cpu *holder, *last;

/* Of each CPU, by its id; written by that CPU. */
static struct waiting {
    bool waits, halts;
    uint32_t ticket;
    nanoseconds had; /* for statistics: when it got the lock */
} waiting[CPUS_MAX];

/* Of statistics; 0 without them. */
static nanoseconds time_now(void) { return lock_statistics ? clock_monotonic() : 0; }

static bool is_served(const struct waiting *mine)
{
    return __atomic_load_n(&served, __ATOMIC_SEQ_CST) == mine->ticket && !__atomic_load_n(&last, __ATOMIC_SEQ_CST);
}

static bool is_last(void) { return unlikely(read_once(last)) && last == this_cpu(); }

static void spin(void)
{
    cpu_answer();
    __builtin_ia32_pause();
}

/* For how long it did, not counting the interrupt that may have ended it. */
static nanoseconds halt(struct waiting *mine)
{
    nanoseconds began = time_now();
    __atomic_store_n(&mine->halts, true, __ATOMIC_SEQ_CST);
    if (!is_served(mine))
        cpu_halt();
    __atomic_store_n(&mine->halts, false, __ATOMIC_RELAXED);
    return (read_once(mine->waits) ? time_now() : mine->had) - began;
}

static void have(struct waiting *mine)
{
    mine->waits = false;
    mine->had = time_now();
    write_once(holder, this_cpu());
    cpu_answer();
}

void kernel_lock_take(void)
{
    if (is_last())
        return;
    struct waiting *mine = &waiting[this_cpu()->id];
    nanoseconds began = time_now(), halted = 0;
    mine->ticket = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_SEQ_CST);
    mine->waits = true;
    bool free = is_served(mine);
    for (unsigned looks = 0; !is_served(mine); looks++) {
        spin();
        if (looks >= SPINS)
            halted += halt(mine);
    }
    if (read_once(mine->waits)) /* else an interrupt has ended the wait */
        have(mine);
    kernel_lock_statistics_taken(free ? 0 : mine->had - began - halted, halted);
}

bool kernel_lock_take_again(void)
{
    struct waiting *mine = &waiting[this_cpu()->id];
    if (!mine->waits) {
        kernel_lock_take();
        return true;
    }
    while (!is_served(mine))
        spin();
    have(mine);
    return false;
}

void kernel_lock_give_back(void)
{
    if (is_last())
        return;
    uint32_t next = served + 1;
    write_once(holder, NULL);
    __atomic_store_n(&served, next, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&next_ticket, __ATOMIC_SEQ_CST) == next)
        return; /* whoever draws it from now on sees that it is served */
    for (unsigned i = 0; i < cpus_online; i++)
        if (__atomic_load_n(&waiting[i].halts, __ATOMIC_SEQ_CST) && waiting[i].ticket == next)
            cpu_rouse(cpus[i]);
}

bool kernel_lock_is_mine(void) { return is_last() || read_once(holder) == this_cpu(); }

bool kernel_lock_is_wanted(void) { return read_once(next_ticket) != served + 1; }

void kernel_lock_share(void)
{
    kernel_is_shared = kernel_is_locked = true;
    kernel_lock_take();
}

void kernel_lock_end(void)
{
    __atomic_store_n(&last, this_cpu(), __ATOMIC_SEQ_CST);
    kernel_is_shared = false;
}
