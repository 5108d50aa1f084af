/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lock (kernel_lock.h). `holder` is the CPU that has it, or NULL; whoever finds it NULL may take it. A CPU
 * that has waited for PATIENCE is `impatient`, and the next one that gives the lock back makes it the holder. A lock
 * that were always handed over would stay with a CPU that does not run: one that halts until it is interrupted, or from
 * which a hypervisor has taken the processor.
 *
 * A CPU that waits has interrupts masked, so it answers other CPUs itself, and does so once more when it has the lock.
 * After SPINS looks it halts, so that the processor is free for the CPU that has the lock. It notes that it halts
 * before it looks once more, and the CPU that gives the lock back looks for that note afterwards, so one of them sees
 * the other. Of those that halt one is interrupted. It takes the lock and gives it back, or another one does so that
 * came before it: either way somebody looks for those that still halt.
 *
 * Natively the interrupt that ends the halt is handled at once. Its handler needs the lock too: it waits for it in the
 * place of the wait that it has interrupted (kernel_lock_take_again()), and leaves the lock to that.
 *
 * At the end of the machine one CPU goes on (`last`), whether it has the lock or not: a panic may come anywhere. No
 * other CPU gets it from then on. Some of them still run until cpus_stop() has reached them.
 */
#include "core/kernel_lock.h"
#include "core/debug.h"
#include "core/lock_statistics.h"
#include "platform/platform.h"

#define SPINS 200
#define PATIENCE (500 * NS_PER_US)

bool kernel_is_shared, kernel_is_locked;

static const struct cpu *holder, *last; /* atomic */
static unsigned impatient;              /* atomic: CPUs that are */
static unsigned waiters;                /* atomic: CPUs that wait */

/* Of each CPU, by its id; written by that CPU, but for `halts`, which another one clears. */
static struct waiting {
    bool waits, halts, impatient;
    nanoseconds since; /* while it waits */
    nanoseconds had;   /* for statistics: when it got the lock, if they are wanted */
} waiting[CPUS_MAX];

static struct waiting *own(void) { return &waiting[this_cpu()->id]; }

static bool is_last(void) { return unlikely(read_once(last)) && last == this_cpu(); }

/* Handed over, or free and taken now. */
static bool try(void)
{
    if (unlikely(__atomic_load_n(&last, __ATOMIC_SEQ_CST)))
        return false;
    const struct cpu *self = this_cpu(), *found = __atomic_load_n(&holder, __ATOMIC_SEQ_CST);
    return found == self ||
           (!found && __atomic_compare_exchange_n(&holder, &found, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
}

static void begin_wait(struct waiting *mine)
{
    mine->since = clock_monotonic();
    __atomic_store_n(&mine->waits, true, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&waiters, 1, __ATOMIC_SEQ_CST);
}

static void end_wait(struct waiting *mine)
{
    __atomic_store_n(&mine->waits, false, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&waiters, 1, __ATOMIC_RELAXED);
    if (mine->impatient)
        __atomic_fetch_sub(&impatient, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&mine->impatient, false, __ATOMIC_RELAXED);
    mine->had = read_once(lock_statistics) ? clock_monotonic() : 0;
    cpu_answer();
}

static void look_at_the_time(struct waiting *mine)
{
    if (mine->impatient || clock_monotonic() - mine->since < PATIENCE)
        return;
    __atomic_store_n(&mine->impatient, true, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&impatient, 1, __ATOMIC_SEQ_CST);
}

/* True: it has the lock, and so does what it interrupted. */
static bool look(struct waiting *mine)
{
    if (try()) {
        end_wait(mine);
        return true;
    }
    cpu_answer();
    __builtin_ia32_pause();
    return false;
}

/* For how long it did, not counting the interrupt that may have ended it. True: it has the lock. */
static bool halt(struct waiting *mine, nanoseconds *halted)
{
    look_at_the_time(mine);
    nanoseconds began = read_once(lock_statistics) ? clock_monotonic() : 0;
    __atomic_store_n(&mine->halts, true, __ATOMIC_SEQ_CST);
    bool has = look(mine);
    if (!has)
        cpu_halt();
    __atomic_store_n(&mine->halts, false, __ATOMIC_SEQ_CST);
    has = !read_once(mine->waits); /* perhaps since an interrupt */
    if (began != 0)
        *halted += (has ? mine->had : clock_monotonic()) - began;
    return has;
}

static void wait(void)
{
    struct waiting *mine = own();
    nanoseconds halted = 0;
    begin_wait(mine);
    nanoseconds began = mine->since;
    for (unsigned looks = 0; looks < SPINS ? !look(mine) : !halt(mine, &halted); looks++) {}
    if (unlikely(read_once(lock_statistics)))
        kernel_lock_statistics_taken(began, halted, mine->had);
}

static cold void count_without_wait(struct waiting *mine)
{
    mine->had = clock_monotonic();
    kernel_lock_statistics_taken(mine->had, 0, mine->had);
}

void kernel_lock_take(void)
{
    if (is_last())
        return;
    assert(!kernel_lock_is_mine());
    must_hold_none();
    if (!try()) {
        wait();
        return;
    }
    cpu_answer();
    if (unlikely(read_once(lock_statistics)))
        count_without_wait(own());
}

bool kernel_lock_take_again(void)
{
    struct waiting *mine = own();
    if (!mine->waits) {
        kernel_lock_take();
        return true;
    }
    while (!look(mine)) {}
    return false;
}

/* The CPU that has waited longest, of all or of the impatient; NULL: none waits. */
static const struct cpu *longest_wait(bool of_all)
{
    const struct cpu *found = NULL;
    for (unsigned i = 0; i < cpus_online; i++) {
        const struct waiting *its = &waiting[i];
        bool counts = __atomic_load_n(&its->waits, __ATOMIC_SEQ_CST) && (of_all || read_once(its->impatient));
        if (counts && (!found || read_once(its->since) < read_once(waiting[found->id].since)))
            found = cpus[i];
    }
    return found;
}

static bool rouse(const struct cpu *cpu)
{
    bool halts = __atomic_exchange_n(&waiting[cpu->id].halts, false, __ATOMIC_SEQ_CST);
    if (halts)
        cpu_rouse(cpu);
    return halts;
}

/* Gives the lock to a CPU that waits, or with NULL to whichever takes it first. */
static void pass_to(const struct cpu *next)
{
    __atomic_store_n(&holder, next, __ATOMIC_SEQ_CST);
    if (next) {
        (void)rouse(next);
        return;
    }
    if (__atomic_load_n(&waiters, __ATOMIC_SEQ_CST) == 0)
        return;
    for (unsigned i = 0; i < cpus_online; i++)
        if (__atomic_load_n(&waiting[i].halts, __ATOMIC_SEQ_CST) && rouse(cpus[i]))
            return;
}

void kernel_lock_give_back(void)
{
    if (unlikely(read_once(lock_statistics)))
        kernel_lock_statistics_given_back(own()->had);
    if (!is_last())
        pass_to(unlikely(__atomic_load_n(&impatient, __ATOMIC_SEQ_CST)) ? longest_wait(false) : NULL);
}

void kernel_lock_let_in(void)
{
    if (is_last())
        return;
    if (unlikely(read_once(lock_statistics)))
        kernel_lock_statistics_given_back(own()->had);
    pass_to(longest_wait(true));
    kernel_lock_take();
}

bool kernel_lock_is_mine(void) { return is_last() || read_once(holder) == this_cpu(); }

bool kernel_lock_keeps_out(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->resting, __ATOMIC_SEQ_CST) ||
           __atomic_load_n(&waiting[cpu->id].waits, __ATOMIC_SEQ_CST);
}

bool kernel_lock_is_wanted(void) { return __atomic_load_n(&waiters, __ATOMIC_RELAXED) != 0; }

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
