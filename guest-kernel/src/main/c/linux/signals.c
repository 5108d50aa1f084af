/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: which thread gets one, and what it does to a call and to the thread.
 *
 * Spinlock "signals" guards actions and what is pending, and keeps a user_thread there that was found by its id: an
 * ending thread is first taken out of the list of threads (thread_forget_user()) and then freed under the lock. So
 * a thread is looked up, given its signal and interrupted without dropping the lock. Masks are changed under it by
 * their own thread only, which reads its mask without it.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "files/file.h"
#include "files/process_view.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signal_frame.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/address_space.h"
#include "memory/user.h"
#include "threads/wait.h"

#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL
#define SA_RESTART 0x10000000UL
#define PATH_SIZE 256
#define STACK_WORDS 12 /* shown when a fault ends the process */

static struct spinlock lock = SPINLOCK(LOCK_SIGNALS);
static struct signal_action actions[SIGNALS];                                                  /* lock */
static struct pending_signals process_pending = { .queue = LIST_INIT(process_pending.queue) }; /* lock */
static struct wait_queue arrivals = WAIT_QUEUE(arrivals);                                      /* of any signal */

/* Of a signal 1..SIGNALS that the program may have named. */
static struct signal_action *action_of(int number) { return &actions[index_nospec((uint64_t)number - 1, SIGNALS)]; }

struct user_thread *user_thread_create(struct thread *thread, uint64_t mask)
{
    struct user_thread *user = heap_allocate_zeroed(sizeof(*user));
    if (!user)
        return NULL;
    user->thread = thread;
    user->mask = mask;
    pending_init(&user->pending);
    user->alt_stack_flags = SS_DISABLE;
    return user;
}

void user_thread_free(struct user_thread *user)
{
    spin_lock(&lock);
    pending_clear(&user->pending);
    spin_unlock(&lock);
    heap_free(user);
}

static bool default_ignores(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

/* Nothing could continue a stopped process, so stop signals are ignored as well. */
static bool is_ignored(int number)
{
    uintptr_t handler = action_of(number)->handler;
    bool stops = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU || number == SIGSTOP;
    return handler == SIG_IGN || (handler == SIG_DFL && (default_ignores(number) || stops));
}

/* Under the lock; wake(&arrivals) is due after it. An ignored one is as good as sent. */
static enum pending_result give(struct user_thread *to, const struct signal_info *info, struct pending_entry *entry)
{
    must_hold(&lock);
    bool blocked = to->mask & signal_bit(info->number);
    if (is_ignored(info->number) && !blocked)
        return PENDING_WITHOUT_INFO;
    enum pending_result result = pending_add(&to->pending, info, entry);
    if (!blocked && result != PENDING_REFUSED)
        thread_interrupt(to->thread);
    return result;
}

void signal_send_thread(struct user_thread *to, const struct signal_info *info)
{
    spin_lock(&lock);
    (void)give(to, info, NULL);
    spin_unlock(&lock);
    wake(&arrivals, POLLIN);
}

struct candidate {
    uint64_t bit;
    struct thread *found;
};

static void consider(struct thread *thread, void *context)
{
    struct candidate *candidate = context;
    if (thread->user && !candidate->found && !(thread->user->mask & candidate->bit))
        candidate->found = thread;
}

/* Under the lock. A signal that every thread blocks waits, even one that is ignored: a thread may ask for it. */
static enum pending_result give_process(const struct signal_info *info, struct pending_entry *entry)
{
    must_hold(&lock);
    struct candidate candidate = { .bit = signal_bit(info->number) };
    threads_for_each(consider, &candidate);
    if (candidate.found && is_ignored(info->number))
        return PENDING_WITHOUT_INFO;
    enum pending_result result = pending_add(&process_pending, info, entry);
    if (candidate.found && result != PENDING_REFUSED)
        thread_interrupt(candidate.found);
    return result;
}

static enum pending_result send_process(const struct signal_info *info, struct pending_entry *entry)
{
    spin_lock(&lock);
    enum pending_result result = give_process(info, entry);
    spin_unlock(&lock);
    wake(&arrivals, POLLIN);
    return result;
}

void signal_send_process(const struct signal_info *info) { (void)send_process(info, NULL); }

static void keep_user(struct thread *thread, void *user) { *(struct user_thread **)user = thread->user; }

/* Under the lock, which it takes to end a thread: valid as long as the lock is held. NULL if there is none. */
static struct user_thread *user_of(uint32_t id)
{
    must_hold(&lock);
    struct user_thread *user = NULL;
    (void)thread_find(id, keep_user, &user);
    return user;
}

bool signal_post(uint32_t thread, const struct signal_info *info, struct pending_entry *entry)
{
    if (!thread)
        return send_process(info, entry) == PENDING_WAITS;
    spin_lock(&lock);
    struct user_thread *user = user_of(thread);
    bool waits = user && give(user, info, entry) == PENDING_WAITS;
    spin_unlock(&lock);
    wake(&arrivals, POLLIN);
    return waits;
}

void signals_broken_pipe(void)
{
    struct signal_info info = { .number = SIGPIPE, .code = SI_USER, .sender.pid = PROCESS_ID };
    signal_send_thread(user_current(), &info);
}

void signals_urgent(void)
{
    struct signal_info info = { .number = SIGURG, .code = SI_KERNEL };
    signal_send_process(&info);
}

static uint64_t deliverable(const struct user_thread *user)
{
    return (user->pending.set | process_pending.set) & ~user->mask;
}

bool signal_is_pending(void)
{
    struct user_thread *user = user_current();
    return user && deliverable(user);
}

static bool take(struct user_thread *user, uint64_t wanted, struct signal_info *info)
{
    if (!pending_take(&user->pending, wanted, info) && !pending_take(&process_pending, wanted, info))
        return false;
    if (info->code == SI_TIMER)
        info->timer.overruns = posix_timer_taken(info->timer.number);
    return true;
}

bool signals_take(uint64_t wanted, struct signal_info *info)
{
    spin_lock(&lock);
    bool found = take(user_current(), wanted, info);
    spin_unlock(&lock);
    return found;
}

uint64_t signals_waiting(uint64_t wanted) { return (user_current()->pending.set | process_pending.set) & wanted; }

struct wait_queue *signals_arrivals(void) { return &arrivals; }

static void forget_timer_of(struct thread *thread, void *context)
{
    if (thread->user)
        pending_discard_timer(&thread->user->pending, *(uint32_t *)context);
}

void signals_forget_timer(uint32_t timer)
{
    spin_lock(&lock);
    pending_discard_timer(&process_pending, timer);
    threads_for_each(forget_timer_of, &timer);
    spin_unlock(&lock);
}

/* Calls that never restart after a handler, whatever SA_RESTART says (signal(7)). */
static bool never_restarts(const struct registers *registers)
{
    switch (registers->number) {
    case CALL_poll:
    case CALL_select:
    case CALL_pause:
    case CALL_nanosleep:
    case CALL_rt_sigtimedwait:
    case CALL_rt_sigsuspend:
    case CALL_clock_nanosleep:
    case CALL_epoll_wait:
    case CALL_pselect6:
    case CALL_ppoll:
    case CALL_epoll_pwait:
    case CALL_epoll_pwait2:
        return true;
    case CALL_futex:
        return registers->r10 != 0; /* one that waits without a limit does restart */
    default:
        return false;
    }
}

static void restart_call(struct registers *registers)
{
    registers->rax = registers->number;
    registers->rip -= 2; /* the length of the syscall instruction */
}

static void deliver_one(struct registers *registers, struct user_thread *user, const struct signal_info *info,
                        const struct signal_action *action)
{
    uint64_t old_mask = user->restore_mask ? user->saved_mask : user->mask;
    user->restore_mask = false;
    if (signal_frame_push(registers, user, info, action, old_mask))
        process_killed(SIGSEGV);
    spin_lock(&lock);
    user->mask |= action->mask;
    if (!(action->flags & SA_NODEFER))
        user->mask |= signal_bit(info->number);
    user->mask &= ~SIGNALS_UNBLOCKABLE;
    spin_unlock(&lock);
}

void signals_deliver(struct registers *registers, bool system_call)
{
    struct user_thread *user = user_current();
    bool interrupted = system_call && registers->number != (uint64_t)-1 && registers->rax == (uint64_t)-EINTR;
    for (;;) {
        struct signal_info info;
        spin_lock(&lock);
        thread_current()->interrupted = false;
        bool found = take(user, ~user->mask, &info);
        struct signal_action action = found ? *action_of(info.number) : (struct signal_action){ 0 };
        bool ignored = found && is_ignored(info.number);
        /* Done before the frame is written: that may sleep, and another handler may be set by then. */
        if (found && action.handler > SIG_IGN && action.flags & SA_RESETHAND)
            (*action_of(info.number)).handler = SIG_DFL;
        spin_unlock(&lock);
        if (!found)
            break;
        if (ignored)
            continue;
        if (action.handler == SIG_DFL)
            process_killed(info.number);
        if (interrupted && (action.flags & SA_RESTART) && !never_restarts(registers))
            restart_call(registers);
        interrupted = false;
        deliver_one(registers, user, &info, &action);
    }
    if (interrupted && !never_restarts(registers))
        restart_call(registers); /* woken for a signal that turned out to be ignored */
    if (user->restore_mask) {
        user->mask = user->saved_mask;
        user->restore_mask = false;
    }
}

/* What a developer without a debugger needs: where it happened, in which file, at which address. */
struct place {
    uintptr_t address;
    char path[PATH_SIZE];
    uint64_t offset;
};

static void match_area(const struct area *area, void *context)
{
    struct place *place = context;
    if (place->address < area->start || place->address >= area->end)
        return;
    place->offset = place->address - area->start + area->offset;
    struct file *file = file_of_area(area);
    if (file)
        file_path(file, place->path, sizeof(place->path));
    else
        string_copy(place->path, area->name ? area->name : "anonymous memory", sizeof(place->path));
}

static void log_fatal(int number, uintptr_t address)
{
    const struct thread *thread = thread_current();
    const struct registers *r = thread_registers(thread_current());
    struct place place = { .address = r->rip, .path = "unmapped" };
    address_space_for_each(match_area, &place);
    log_error("thread %u (%s): signal %d, address %lx, at rip %lx = %s+%lx", thread->id, thread->name, number, address,
              r->rip, place.path, place.offset);
    log_error("rsp %lx rbp %lx rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx error %lx fs %lx", r->rsp, r->rbp,
              r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->error, thread->fs_base);
    uint64_t words[STACK_WORDS];
    if (user_get(&words, r->rsp))
        return;
    for (unsigned i = 0; i < STACK_WORDS; i++) {
        place = (struct place){ .address = words[i] };
        address_space_for_each(match_area, &place);
        log_error("stack %lx: %lx %s+%lx", r->rsp + i * 8, words[i], place.path, place.offset);
    }
}

void signal_force(int number, int code, uintptr_t address)
{
    struct user_thread *user = user_current();
    struct signal_info info = { .number = number, .code = code, .address = address };
    spin_lock(&lock);
    bool fatal = (user->mask & signal_bit(number)) || action_of(number)->handler <= SIG_IGN;
    if (!fatal) {
        pending_discard(&user->pending, number);
        (void)pending_add(&user->pending, &info, &user->fault);
    }
    spin_unlock(&lock);
    if (!fatal)
        return;
    log_fatal(number, address);
    process_killed(number);
}

int signal_mask_read(uintptr_t address, size_t size, uint64_t *mask)
{
    if (size != sizeof(*mask))
        return -EINVAL;
    int error = user_get(mask, address);
    *mask &= ~SIGNALS_UNBLOCKABLE;
    return error;
}

void signals_set_mask(uint64_t mask)
{
    struct user_thread *user = user_current();
    spin_lock(&lock);
    user->mask = mask;
    bool pending = deliverable(user);
    spin_unlock(&lock);
    if (pending)
        thread_interrupt(user->thread);
}

int64_t signals_with_mask(uintptr_t address, size_t size)
{
    if (!address)
        return 0;
    struct user_thread *user = user_current();
    uint64_t mask;
    int error = signal_mask_read(address, size, &mask);
    if (error)
        return error;
    user->saved_mask = user->mask;
    user->restore_mask = true;
    signals_set_mask(mask);
    return 0;
}

void signal_action_get(int number, struct signal_action *action) { *action = *action_of(number); }

static void forget_signal_of(struct thread *thread, void *number)
{
    if (thread->user)
        pending_discard(&thread->user->pending, *(int *)number);
}

void signal_action_set(int number, const struct signal_action *action)
{
    spin_lock(&lock);
    *action_of(number) = *action;
    if (action->handler == SIG_IGN || (action->handler == SIG_DFL && default_ignores(number))) {
        pending_discard(&process_pending, number);
        threads_for_each(forget_signal_of, &number);
    }
    spin_unlock(&lock);
}

int signal_queue_thread(uint32_t id, const struct signal_info *info)
{
    bool valid = info->number >= 0 && info->number <= SIGNALS;
    spin_lock(&lock);
    struct user_thread *user = user_of(id);
    enum pending_result result = PENDING_WAITS;
    if (user && valid && info->number)
        result = give(user, info, NULL);
    spin_unlock(&lock);
    if (!user)
        return -ESRCH;
    if (!valid)
        return -EINVAL;
    wake(&arrivals, POLLIN);
    return result == PENDING_REFUSED ? -EAGAIN : 0;
}

int signal_queue_process(const struct signal_info *info)
{
    if (info->number < 0 || info->number > SIGNALS)
        return -EINVAL;
    return info->number && send_process(info, NULL) == PENDING_REFUSED ? -EAGAIN : 0;
}

void signals_describe(uint32_t thread, struct process_signals *out)
{
    *out = (struct process_signals){ 0 };
    spin_lock(&lock);
    const struct user_thread *user = user_of(thread);
    if (user) {
        out->pending = user->pending.set;
        out->blocked = user->mask;
    }
    out->shared_pending = process_pending.set;
    for (int number = 1; number <= SIGNALS; number++) {
        uintptr_t handler = action_of(number)->handler;
        if (handler == SIG_IGN)
            out->ignored |= signal_bit(number);
        else if (handler != SIG_DFL)
            out->caught |= signal_bit(number);
    }
    spin_unlock(&lock);
}
