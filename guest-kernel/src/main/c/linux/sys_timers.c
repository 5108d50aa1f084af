/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers that send signals: timer_create(2) and its family, setitimer(2), alarm(2).
 *
 * A timer of timer_create() has a number for the program, which is its place in `timers`. Its structure stays for the
 * next timer of that number when it is deleted, so that an expiration that is under way finds it. Spinlock "posix
 * timers" guards the table and what is counted; it is inside "signals", and dropped before a signal is sent.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/timeval.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "threads/interval_timer.h"

#define TIMERS 1024u /* at a time; beyond it EAGAIN, as beyond Linux's RLIMIT_SIGPENDING */
#define TIMER_ABSTIME 1u
#define OVERRUNS_MOST 0x7fffffffu /* DELAYTIMER_MAX */

enum notification { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_CALL, NOTIFY_THREAD_SIGNAL = 4 }; /* SIGEV_*, sigevent(7) */

struct abi_signal_event {
    uint64_t value;
    int32_t signal, notification, thread, padding[11];
};

struct posix_timer {
    struct interval_timer timer;
    uint32_t number;
    bool used;         /* posix timers */
    bool sent;         /* posix timers: its signal waits to be taken */
    uint64_t overruns; /* posix timers: since the signal was sent */
    uint32_t told;     /* posix timers: overruns of the signal taken last */
    int32_t signal;    /* 0: none is sent */
    uint32_t thread;   /* that gets it, 0: any */
    uint64_t value;
    struct pending_entry entry; /* signals: its signal, so that none is lost for want of memory */
};

static struct spinlock lock = SPINLOCK(LOCK_POSIX_TIMERS);
static struct posix_timer *timers[TIMERS]; /* lock */
static uint32_t next_number;               /* lock: where the search for a free one begins */

/* Marks the signal as sent. False: it waits already, or there is none to send. */
static bool begin_signal(struct posix_timer *timer, uint64_t times)
{
    spin_lock(&lock);
    bool send = timer->used && timer->signal && !timer->sent;
    if (send) {
        timer->sent = true;
        timer->overruns = times - 1;
    } else {
        timer->overruns += times;
    }
    spin_unlock(&lock);
    return send;
}

/* Interrupt context. */
static void expired(struct interval_timer *inner, uint64_t times)
{
    struct posix_timer *timer = container_of(inner, struct posix_timer, timer);
    if (!begin_signal(timer, times))
        return;
    struct signal_info info = { .number = timer->signal,
                                .code = SI_TIMER,
                                .timer = { .number = timer->number, .value = timer->value } };
    if (signal_post(timer->thread, &info, &timer->entry))
        return;
    spin_lock(&lock);
    timer->sent = false; /* ignored, or no thread is there to take it */
    spin_unlock(&lock);
}

uint32_t posix_timer_taken(uint32_t number)
{
    uint32_t overruns = 0;
    spin_lock(&lock);
    struct posix_timer *timer = number < TIMERS ? timers[index_nospec(number, TIMERS)] : NULL;
    if (timer && timer->used) {
        overruns = timer->told = (uint32_t)min_of(timer->overruns, (uint64_t)OVERRUNS_MOST);
        timer->sent = false;
        timer->overruns = 0;
    }
    spin_unlock(&lock);
    return overruns;
}

/* ---- Making and deleting ---- */

/* Under the lock: a number that is not in use, or TIMERS. */
static uint32_t find_free(void)
{
    must_hold(&lock);
    for (uint32_t i = 0; i < TIMERS; i++) {
        uint32_t number = (next_number + i) % TIMERS;
        if (!timers[number] || !timers[number]->used)
            return number;
    }
    return TIMERS;
}

/* Takes a number for `spare`, or for the structure that had it before: *result. */
static bool take_number(struct posix_timer *spare, struct posix_timer **result)
{
    spin_lock(&lock);
    uint32_t number = find_free();
    if (number < TIMERS) {
        if (!timers[number])
            timers[number] = spare;
        struct posix_timer *timer = *result = timers[number];
        timer->number = number;
        timer->used = true;
        timer->sent = false;
        timer->overruns = timer->told = 0;
        next_number = (number + 1) % TIMERS;
    }
    spin_unlock(&lock);
    return number < TIMERS;
}

static int check_event(const struct abi_signal_event *event)
{
    bool to_thread = event->notification == NOTIFY_THREAD_SIGNAL;
    if (to_thread && (event->thread <= 0 || !process_has_thread(event->thread)))
        return -EINVAL;
    if (event->notification == NOTIFY_NONE)
        return 0;
    if (event->notification != NOTIFY_SIGNAL && event->notification != NOTIFY_CALL && !to_thread)
        return -EINVAL;
    return event->signal >= 1 && event->signal <= SIGNALS ? 0 : -EINVAL;
}

static int64_t make_timer(const struct clock *clock, const struct abi_signal_event *event, uintptr_t number_at)
{
    struct posix_timer *spare = heap_allocate_zeroed(sizeof(*spare)), *timer;
    if (!spare)
        return -EAGAIN;
    if (!take_number(spare, &timer)) {
        heap_free(spare);
        return -EAGAIN;
    }
    if (timer != spare)
        heap_free(spare);
    interval_timer_init(&timer->timer, clock, expired);
    timer->signal = !event ? SIGALRM : event->notification == NOTIFY_NONE ? 0 : event->signal;
    timer->thread = event && event->notification == NOTIFY_THREAD_SIGNAL ? (uint32_t)event->thread : 0;
    timer->value = event ? event->value : timer->number;
    int error = user_put(number_at, &timer->number);
    if (error)
        timer->used = false;
    return error;
}

SYSCALL_DEFINE3(timer_create, int, clockid, uintptr_t, sevp, uintptr_t, timerid)
{
    struct clock clock;
    struct abi_signal_event event;
    int error = sevp ? user_get(&event, sevp) : 0;
    if (!error)
        error = clock_find(clockid, &clock);
    if (!error && sevp)
        error = check_event(&event);
    return error ? error : make_timer(&clock, sevp ? &event : NULL, timerid);
}

static struct posix_timer *find(int32_t number)
{
    uint32_t index = (uint32_t)number;
    spin_lock(&lock);
    struct posix_timer *timer = index < TIMERS ? timers[index_nospec(index, TIMERS)] : NULL;
    if (timer && !timer->used)
        timer = NULL;
    spin_unlock(&lock);
    return timer;
}

SYSCALL_DEFINE1(timer_delete, int, timerid)
{
    static const struct interval_setting stopped = { 0, 0 };
    struct posix_timer *timer = find(timerid);
    if (!timer)
        return -EINVAL;
    interval_timer_set(&timer->timer, &stopped, false, NULL);
    signals_forget_timer(timer->number);
    spin_lock(&lock);
    timer->used = false;
    spin_unlock(&lock);
    return 0;
}

/* ---- Setting and asking ---- */

/* Deviates: An absolute time on CLOCK_REALTIME does not move when the clock is set. */
SYSCALL_DEFINE4(timer_settime, int, timerid, uint32_t, flags, uintptr_t, new_value, uintptr_t, old_value)
{
    struct interval_setting setting, old;
    if (!new_value)
        return -EINVAL;
    int error = itimerspec_read(new_value, &setting);
    struct posix_timer *timer = error ? NULL : find(timerid);
    if (!timer)
        return error ? error : -EINVAL;
    signals_forget_timer(timer->number);
    spin_lock(&lock);
    timer->sent = false;
    timer->overruns = timer->told = 0;
    spin_unlock(&lock);
    interval_timer_set(&timer->timer, &setting, flags & TIMER_ABSTIME, &old);
    return old_value ? itimerspec_write(old_value, &old) : 0;
}

SYSCALL_DEFINE2(timer_gettime, int, timerid, uintptr_t, curr_value)
{
    struct interval_setting setting;
    struct posix_timer *timer = find(timerid);
    if (!timer)
        return -EINVAL;
    interval_timer_get(&timer->timer, &setting);
    return itimerspec_write(curr_value, &setting);
}

SYSCALL_DEFINE1(timer_getoverrun, int, timerid)
{
    struct posix_timer *timer = find(timerid);
    return timer ? (int64_t)read_once(timer->told) : -EINVAL;
}

/* ---- setitimer(2): one of each for the process ---- */

enum { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF, ITIMERS };

static void alarm_expired(struct interval_timer *timer, uint64_t times);
static struct interval_timer alarms[ITIMERS] = {
    [ITIMER_REAL] = { .clock.kind = CLOCK_STEADY, .expired = alarm_expired },
    /* All CPU time counts as user time, so these two differ in their signals only. */
    [ITIMER_VIRTUAL] = { .clock.kind = CLOCK_OF_PROCESS, .expired = alarm_expired },
    [ITIMER_PROF] = { .clock.kind = CLOCK_OF_PROCESS, .expired = alarm_expired },
};

/* Interrupt context. */
static void alarm_expired(struct interval_timer *timer, uint64_t times)
{
    static const int32_t numbers[ITIMERS] = { SIGALRM, SIGVTALRM, SIGPROF };
    struct signal_info info = { .number = numbers[timer - alarms], .code = SI_KERNEL };
    (void)times;
    signal_send_process(&info);
}

static struct interval_timer *alarm_timer(uint32_t which)
{
    static bool ready;
    if (which >= ITIMERS)
        return NULL;
    for (unsigned i = 0; !ready && i < ITIMERS; i++) {
        struct clock clock = alarms[i].clock;
        interval_timer_init(&alarms[i], &clock, alarm_expired);
    }
    ready = true;
    return &alarms[index_nospec(which, ITIMERS)];
}

struct abi_alarm {
    struct abi_timeval interval, value;
};

/* Rounded up: what is running is never reported as 0. */
static struct abi_timeval timeval_above(nanoseconds time)
{
    return timeval_of(time > NO_DEADLINE - NS_PER_US ? time : time + NS_PER_US - 1);
}

static int put_alarm(uintptr_t to, const struct interval_setting *setting)
{
    struct abi_alarm alarm = { timeval_above(setting->interval), timeval_above(setting->value) };
    return user_put(to, &alarm);
}

static int duration_of(const struct abi_timeval *time, nanoseconds *out)
{
    if (time->seconds < 0 || !timeval_valid(time))
        return -EINVAL;
    *out = timeval_duration(time);
    return 0;
}

SYSCALL_DEFINE2(getitimer, unsigned, which, uintptr_t, curr_value)
{
    struct interval_setting setting;
    struct interval_timer *timer = alarm_timer(which);
    if (!timer)
        return -EINVAL;
    interval_timer_get(timer, &setting);
    return put_alarm(curr_value, &setting);
}

SYSCALL_DEFINE3(setitimer, unsigned, which, uintptr_t, new_value, uintptr_t, old_value)
{
    struct abi_alarm alarm = { 0 };
    struct interval_setting setting, old;
    int error = new_value ? user_get(&alarm, new_value) : 0; /* without a setting it is stopped */
    if (!error)
        error = duration_of(&alarm.interval, &setting.interval);
    if (!error)
        error = duration_of(&alarm.value, &setting.value);
    struct interval_timer *timer = error ? NULL : alarm_timer(which);
    if (!timer)
        return error ? error : -EINVAL;
    interval_timer_set(timer, &setting, false, &old);
    return old_value ? put_alarm(old_value, &old) : 0;
}

SYSCALL_DEFINE1(alarm, unsigned, seconds)
{
    struct interval_setting setting = { .value = (uint64_t)seconds * NS_PER_SECOND }, old;
    interval_timer_set(alarm_timer(ITIMER_REAL), &setting, false, &old);
    /* To the nearest second, and never to 0 while it was running: alarm(2) of Linux. */
    uint64_t left = (old.value + NS_PER_SECOND / 2) / NS_PER_SECOND;
    return (int64_t)(old.value ? max_of(left, (uint64_t)1) : 0);
}
