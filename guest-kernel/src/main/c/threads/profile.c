/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sampling profiler's samples. `timer` always stands for `due`, so that a sample that becomes due in user mode is
 * taken there: the CPU that it interrupts has the others that are busy interrupted, too, and each takes the periods
 * that it has not seen. Those in which a CPU was idle it drops when it is not any more. A sample that finds the ring
 * full is counted as lost. The user's chain of frame pointers is read as far as its pages are present: a page fault
 * meanwhile ends it (thread->faults_refused), since nothing here may sleep.
 *
 * Spinlock "profile" guards what is marked so. Points come from anywhere in the kernel, the timer's callback from
 * interrupts, and the reader is the thread of linux/profile_output.c.
 */
#include "threads/profile.h"
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define SAMPLES 256u           /* in the ring; a power of two */
#define FRAME_MOST (1UL << 20) /* most bytes between two frames of a chain that is believed */

nanoseconds profile_period;

static struct spinlock lock = SPINLOCK(LOCK_PROFILE);
static struct profile_sample *ring;
static uint32_t filled, read; /* lock: positions, which only grow */
static uint64_t taken, lost;  /* lock: periods, of all CPUs together */
static nanoseconds due;       /* lock */
static uint64_t over;         /* lock: periods that are */
static struct share {
    uint64_t seen; /* lock: of these, by the CPU */
    bool fired;    /* lock, and read by the CPU: the timer's interrupt has come since its last sample */
} shares[CPUS_MAX];
static struct timer timer;
static struct wait_queue readers = WAIT_QUEUE(readers);

bool profile_parse(const char *value, uint64_t *hz) { return parse_decimal(value, hz) && *hz <= PROFILE_HZ_MOST; }

/* Counts the periods that are over and sets the timer for the end of the next. Under the lock. */
static void advance(void)
{
    must_hold(&lock);
    nanoseconds now = clock_monotonic();
    if (now < due)
        return;
    nanoseconds periods = (now - due) / profile_period + 1;
    due += periods * profile_period;
    over += periods;
    timer_start(&timer, due);
}

/* How many periods are over that this CPU has not seen: none, when it has been switched off meanwhile. Under the
 * lock. */
static uint32_t see(void)
{
    must_hold(&lock);
    struct share *own = &shares[this_cpu()->id];
    if (profile_period == 0)
        return 0;
    advance();
    uint64_t unseen = over - own->seen;
    own->seen = over;
    if (unseen != 0)
        own->fired = false;
    return (uint32_t)unseen;
}

static bool waiting(void) { return read_once(filled) != read_once(read); }

static void expired(struct timer *unused)
{
    (void)unused;
    spin_lock(&lock);
    for (unsigned i = 0; i < cpus_online; i++)
        shares[i].fired = true;
    if (thread_is_idle(thread_current()))
        (void)see();
    spin_unlock(&lock);
    for (unsigned i = 0; i < cpus_online; i++)
        if (cpus[i] != this_cpu() && cpu_is_busy(cpus[i]))
            cpu_interrupt(cpus[i]);
    if (waiting())
        wake(&readers, 0);
}

int profile_start(uint64_t hz)
{
    if (!ring) {
        ring = heap_allocate(SAMPLES * sizeof(*ring));
        timer_init(&timer, expired);
    }
    if (!ring)
        return -ENOMEM;
    spin_lock(&lock);
    profile_period = NS_PER_SECOND / hz;
    taken = lost = 0;
    due = clock_monotonic();
    advance();
    for (unsigned i = 0; i < CPUS_MAX; i++)
        shares[i].seen = over;
    spin_unlock(&lock);
    return 0;
}

bool profile_stop(void)
{
    spin_lock(&lock);
    bool running = profile_period != 0;
    if (running) {
        profile_period = 0;
        (void)timer_stop(&timer);
    }
    spin_unlock(&lock);
    return running;
}

/* Return addresses less 1: each lies in the call, which may be the last instruction of its function. */
static void read_kernel(struct profile_sample *sample, uintptr_t function, uintptr_t frame)
{
    if (function)
        sample->addresses[sample->kernel++] = function;
    if (!frame)
        return;
    uintptr_t *start = sample->addresses + sample->kernel;
    unsigned depth = backtrace_read(frame, start, PROFILE_KERNEL_DEPTH - sample->kernel);
    for (unsigned i = 0; i < depth; i++)
        start[i]--;
    sample->kernel = (uint16_t)(sample->kernel + depth);
}

static void read_user(struct profile_sample *sample, struct thread *thread)
{
    struct {
        uintptr_t caller, return_address;
    } frame;
    const struct registers *registers = thread_registers(thread);
    uintptr_t *next = sample->addresses + sample->kernel, *end = sample->addresses + PROFILE_DEPTH;
    uintptr_t at = registers->rbp, before = registers->rsp;
    *next++ = registers->rip;
    thread->faults_refused = true;
    while (next < end && at % sizeof(at) == 0 && at >= before && at - before < FRAME_MOST &&
           at < USER_LIMIT - sizeof(frame) && !user_copy_raw(&frame, (const void *)at, sizeof(frame))) {
        if (frame.return_address == 0)
            break;
        *next++ = frame.return_address - 1;
        before = at + sizeof(frame);
        at = frame.caller;
    }
    thread->faults_refused = false;
    sample->user = (uint16_t)(next - sample->addresses - sample->kernel);
}

/* Under the lock. */
static void record(uint32_t count, uintptr_t function, uintptr_t frame)
{
    must_hold(&lock);
    struct thread *thread = thread_current();
    taken += count;
    if (filled - read == SAMPLES) {
        lost += count;
        return;
    }
    struct profile_sample *sample = &ring[filled % SAMPLES];
    sample->count = count;
    sample->kernel = sample->user = 0;
    string_copy(sample->thread, thread->name, sizeof(sample->thread));
    read_kernel(sample, function, frame);
    if (thread->user)
        read_user(sample, thread);
    filled++;
}

void profile_take(uintptr_t function, uintptr_t frame)
{
    spin_lock(&lock);
    uint32_t count = see();
    if (count != 0 && !thread_is_idle(thread_current()))
        record(count, function, frame);
    spin_unlock(&lock);
}

/* If the sample became due after another interrupt had come, it belongs to that one's handler. */
void profile_take_interrupted(void)
{
    profile_take(read_once(shares[this_cpu()->id].fired) ? 0 : (uintptr_t)kernel_leave_interrupt, 0);
}

bool profile_next(struct profile_sample *sample)
{
    spin_lock(&lock);
    bool found = waiting();
    if (found)
        *sample = ring[read++ % SAMPLES];
    spin_unlock(&lock);
    return found;
}

void profile_wait(void) { (void)wait_until(&readers, waiting(), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE); }

void profile_totals(uint64_t *all, uint64_t *without_room)
{
    spin_lock(&lock);
    *all = taken;
    *without_room = lost;
    spin_unlock(&lock);
}
