/*
 * Signals: who gets one, and what it does to a call and to the thread.
 *
 * Spinlock "signals" guards actions and what is pending, and keeps a user_thread there that was found by its id: an
 * ending thread is first taken out of the list of threads (thread_forget_user()) and then freed under the lock. So
 * a thread is looked up, given its signal and interrupted without dropping the lock. Masks are changed under it by their
 * own thread only, which reads its mask without it.
 */
#include "files/file.h"
#include "files/process_view.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/lock.h"
#include "lib/nospec.h"
#include "lib/print.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/signal_frame.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/address_space.h"
#include "memory/user.h"
#include "threads/wait.h"

#define SIG_DFL 0UL
#define SIG_IGN 1UL
#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL
#define SA_RESTART 0x10000000UL
#define PATH_SIZE 256
#define STACK_WORDS 12                   /* shown when a fault ends the process */
#define UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))

static struct spinlock lock = SPINLOCK(LOCK_SIGNALS);
static struct signal_action actions[SIGNALS];            /* lock */
static struct pending_signals process_pending = { .queue = LIST_INIT(process_pending.queue) };   /* lock */
static struct wait_queue arrivals = WAIT_QUEUE(arrivals);   /* of any signal */

/* Of a signal 1..SIGNALS that the program may have named. */
static struct signal_action *action_of(int number)
{
    return &actions[index_nospec((uint64_t)number - 1, SIGNALS)];
}

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

/* There is nobody to continue a stopped process, so stop signals are ignored too. */
static bool is_ignored(int number)
{
    uintptr_t handler = action_of(number)->handler;
    bool stops = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU || number == SIGSTOP;
    return handler == SIG_IGN || (handler == SIG_DFL && (default_ignores(number) || stops));
}

/* Under the lock; wake(&arrivals) is due after it. An ignored one is as good as sent. */
static enum pending_result give(struct user_thread *to, const struct signal_info *info, struct pending_entry *entry)
{
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

/* Under the lock. A signal that every thread blocks waits, also if it is to be ignored: somebody may ask for it. */
static enum pending_result give_process(const struct signal_info *info, struct pending_entry *entry)
{
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

uint64_t signals_waiting(uint64_t wanted)
{
    return (user_current()->pending.set | process_pending.set) & wanted;
}

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
static bool never_restarts(uint64_t number)
{
    switch (number) {
    case 7: case 23: case 34: case 35: case 128: case 130: case 202: case 230: case 232: case 270: case 271:
    case 281: case 441:      /* poll select pause nanosleep sigtimedwait sigsuspend futex clock_nanosleep
                                epoll_wait pselect6 ppoll epoll_pwait epoll_pwait2 */
        return true;
    default:
        return false;
    }
}

static void restart_call(struct registers *registers)
{
    registers->rax = registers->number;
    registers->rip -= 2;                 /* the length of the syscall instruction */
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
    user->mask &= ~UNBLOCKABLE;
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
        /* Not after the frame is written, which may sleep: another handler may be set by then. */
        if (found && action.handler > SIG_IGN && action.flags & SA_RESETHAND)
            (*action_of(info.number)).handler = SIG_DFL;
        spin_unlock(&lock);
        if (!found)
            break;
        if (ignored)
            continue;
        if (action.handler == SIG_DFL)
            process_killed(info.number);
        if (interrupted && (action.flags & SA_RESTART) && !never_restarts(registers->number))
            restart_call(registers);
        interrupted = false;
        deliver_one(registers, user, &info, &action);
    }
    if (interrupted && !never_restarts(registers->number))
        restart_call(registers);         /* woken for a signal that turned out to be ignored */
    if (user->restore_mask) {
        user->mask = user->saved_mask;
        user->restore_mask = false;
    }
}

/* What a developer without a debugger needs: where it happened, in which file, on what. */
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
    log_error("thread %u (%s): signal %d, address %lx, at rip %lx = %s+%lx", thread->id, thread->name, number,
              address, r->rip, place.path, place.offset);
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
    *mask &= ~UNBLOCKABLE;
    return error;
}

static void set_mask(struct user_thread *user, uint64_t mask)
{
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
    set_mask(user, mask);
    return 0;
}

SYSCALL(rt_sigprocmask)
{
    enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
    struct user_thread *user = user_current();
    uint64_t old = user->mask, mask;
    if (d != sizeof(mask))
        return -EINVAL;
    if (b) {
        int error = signal_mask_read(b, d, &mask);
        if (error)
            return error;
        int32_t how = (int32_t)a;
        if (how == SIG_BLOCK)
            set_mask(user, old | mask);
        else if (how == SIG_UNBLOCK)
            set_mask(user, old & ~mask);
        else if (how == SIG_SETMASK)
            set_mask(user, mask);
        else
            return -EINVAL;
    }
    return c ? user_put(c, &old) : 0;
}

SYSCALL(rt_sigaction)
{
    int number = (int)a;
    struct signal_action action;
    if (number < 1 || number > SIGNALS || d != sizeof(uint64_t))
        return -EINVAL;
    struct signal_action old = *action_of(number);
    if (b) {
        if (signal_bit(number) & UNBLOCKABLE)
            return -EINVAL;
        int error = user_get(&action, b);
        if (error)
            return error;
        action.mask &= ~UNBLOCKABLE;
        spin_lock(&lock);
        *action_of(number) = action;
        spin_unlock(&lock);
    }
    return c ? user_put(c, &old) : 0;
}

SYSCALL(rt_sigpending)
{
    struct user_thread *user = user_current();
    uint64_t set = (user->pending.set | process_pending.set) & user->mask;
    return b <= sizeof(set) ? user_write(a, &set, b) : -EINVAL;
}

static int64_t wait_for_signal(void)
{
    int result;
    do {
        sleep_prepare();
        result = sleep_until(NO_DEADLINE, SLEEP_INTERRUPTIBLE);
    } while (result != -EINTR);
    return -EINTR;
}

SYSCALL(pause) { return wait_for_signal(); }

SYSCALL(rt_sigsuspend)
{
    int64_t error = signals_with_mask(a, b);
    if (!a || error)
        return a ? error : -EFAULT;
    return wait_for_signal();
}

static int write_info(uintptr_t address, const struct signal_info *info)
{
    return address ? user_write(address, info, sizeof(*info)) : 0;
}

SYSCALL(rt_sigtimedwait)
{
    struct user_thread *user = user_current();
    nanoseconds timeout = NO_DEADLINE;
    struct signal_info info = { 0 };
    uint64_t wanted;
    int error = signal_mask_read(a, d, &wanted);
    if (!error && c)
        error = timespec_read(c, &timeout);
    if (error)
        return error;
    bool found = false;
    int result = wait_until(&arrivals, ({ spin_lock(&lock); found = take(user, wanted, &info); spin_unlock(&lock); found; }),
                            deadline_after(timeout), SLEEP_INTERRUPTIBLE);
    if (!found)
        return result == -ETIMEDOUT ? -EAGAIN : -EINTR;
    error = write_info(b, &info);
    return error ? error : info.number;
}

SYSCALL(sigaltstack)
{
    struct user_thread *user = user_current();
    struct signal_stack old = { user->alt_stack, user->alt_stack_flags, 0, user->alt_stack_size }, stack;
    bool active = on_alt_stack(user, thread_registers(user->thread)->rsp);
    if (active)
        old.flags |= SS_ONSTACK;
    if (a) {
        int error = user_get(&stack, a);
        if (error)
            return error;
        if (active)
            return -EPERM;
        if (stack.flags & ~(SS_DISABLE | SS_AUTODISARM | SS_ONSTACK))
            return -EINVAL;
        bool disable = stack.flags & SS_DISABLE;
        if (!disable && stack.size < MINIMUM_SIGNAL_STACK)
            return -ENOMEM;
        user->alt_stack = disable ? 0 : stack.base;
        user->alt_stack_size = disable ? 0 : stack.size;
        user->alt_stack_flags = disable ? SS_DISABLE : stack.flags & SS_AUTODISARM;
    }
    return b ? user_put(b, &old) : 0;
}

SYSCALL(rt_sigreturn)
{
    struct user_thread *user = user_current();
    struct registers *registers = thread_registers(user->thread);
    uint64_t mask = user->mask;
    int error = signal_frame_pop(registers, user, &mask);
    set_mask(user, mask & ~UNBLOCKABLE);
    if (error)
        signal_force(SIGSEGV, SI_KERNEL, 0);
    return (int64_t)registers->rax;
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

static int64_t send_to_thread(int32_t id, const struct signal_info *info)
{
    bool valid = info->number >= 0 && info->number <= SIGNALS;
    spin_lock(&lock);
    struct user_thread *user = user_of((uint32_t)id);
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

static int64_t send_to_thread_of(int32_t process, int32_t id, const struct signal_info *info)
{
    if (process <= 0 || id <= 0)
        return -EINVAL;
    return process == PROCESS_ID ? send_to_thread(id, info) : -ESRCH;
}

static struct signal_info info_of(int32_t number, int32_t code)
{
    return (struct signal_info){ .number = number, .code = code, .sender.pid = PROCESS_ID };
}

SYSCALL(tgkill)
{
    struct signal_info info = info_of((int32_t)c, SI_TKILL);
    return send_to_thread_of((int32_t)a, (int32_t)b, &info);
}

SYSCALL(tkill)
{
    struct signal_info info = info_of((int32_t)b, SI_TKILL);
    return send_to_thread_of(PROCESS_ID, (int32_t)a, &info);
}

static int64_t send_to_process(int32_t process, const struct signal_info *info)
{
    if (process != PROCESS_ID && process != 0 && process != -1 && process != -PROCESS_ID)
        return -ESRCH;
    if (info->number < 0 || info->number > SIGNALS)
        return -EINVAL;
    return info->number && send_process(info, NULL) == PENDING_REFUSED ? -EAGAIN : 0;
}

SYSCALL(kill)
{
    struct signal_info info = info_of((int32_t)b, SI_USER);
    return send_to_process((int32_t)a, &info);
}

/* What the program says comes with the signal; it cannot pass for the kernel's to others. */
static int read_info(uintptr_t address, int32_t number, int32_t process, struct signal_info *info)
{
    if (user_get(info, address))
        return -EFAULT;
    info->number = number;
    bool as_from_kernel = info->code >= 0 || info->code == SI_TKILL || info->code == SI_TIMER;
    return as_from_kernel && process != PROCESS_ID ? -EPERM : 0;
}

SYSCALL(rt_sigqueueinfo)
{
    struct signal_info info;
    int error = read_info(c, (int32_t)b, (int32_t)a, &info);
    return error ? error : send_to_process((int32_t)a, &info);
}

SYSCALL(rt_tgsigqueueinfo)
{
    struct signal_info info;
    if ((int32_t)a <= 0 || (int32_t)b <= 0)
        return user_get(&info, d) ? -EFAULT : -EINVAL;
    int error = read_info(d, (int32_t)c, (int32_t)a, &info);
    return error ? error : send_to_thread_of((int32_t)a, (int32_t)b, &info);
}
