/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of signals: they check what the program passes, and read and write its memory; what then happens is
 * in signals.c. Each looks only at its own thread's mask, or names a target by its id, which signals.c looks up under
 * the lock "signals". No lock is held where user memory is touched.
 */
#include "lib/errno.h"
#include "linux/process.h"
#include "linux/signal_frame.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "threads/wait.h"

SYSCALL_DEFINE4(rt_sigprocmask, int, how, uintptr_t, set, uintptr_t, oldset, size_t, sigsetsize)
{
    enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
    uint64_t old = user_current()->mask, mask;
    if (sigsetsize != sizeof(mask))
        return -EINVAL;
    if (set) {
        int error = signal_mask_read(set, sigsetsize, &mask);
        if (error)
            return error;
        if (how == SIG_BLOCK)
            signals_set_mask(old | mask);
        else if (how == SIG_UNBLOCK)
            signals_set_mask(old & ~mask);
        else if (how == SIG_SETMASK)
            signals_set_mask(mask);
        else
            return -EINVAL;
    }
    return oldset ? user_put(oldset, &old) : 0;
}

/* Deviates: There are no core dumps. SA_RESTART also restarts calls on sockets that have a timeout, which begins again.
 * Flags that are not known are kept and returned. */
SYSCALL_DEFINE4(rt_sigaction, int, signum, uintptr_t, act, uintptr_t, oldact, size_t, sigsetsize)
{
    struct signal_action action, old;
    if (signum < 1 || signum > SIGNALS || sigsetsize != sizeof(uint64_t))
        return -EINVAL;
    signal_action_get(signum, &old);
    if (act) {
        if (signal_bit(signum) & SIGNALS_UNBLOCKABLE)
            return -EINVAL;
        int error = user_get(&action, act);
        if (error)
            return error;
        action.mask &= ~SIGNALS_UNBLOCKABLE;
        signal_action_set(signum, &action);
    }
    return oldact ? user_put(oldact, &old) : 0;
}

SYSCALL_DEFINE2(rt_sigpending, uintptr_t, set, size_t, sigsetsize)
{
    uint64_t waiting = signals_waiting(user_current()->mask);
    return sigsetsize <= sizeof(waiting) ? user_write(set, &waiting, sigsetsize) : -EINVAL;
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

SYSCALL_DEFINE0(pause) { return wait_for_signal(); }

SYSCALL_DEFINE2(rt_sigsuspend, uintptr_t, mask, size_t, sigsetsize)
{
    int64_t error = signals_with_mask(mask, sigsetsize);
    if (!mask || error)
        return mask ? error : -EFAULT;
    return wait_for_signal();
}

static int write_info(uintptr_t address, const struct signal_info *info)
{
    return address ? user_write(address, info, sizeof(*info)) : 0;
}

SYSCALL_DEFINE4(rt_sigtimedwait, uintptr_t, set, uintptr_t, info, uintptr_t, timeout, size_t, sigsetsize)
{
    nanoseconds duration = NO_DEADLINE;
    struct signal_info taken = { 0 };
    uint64_t wanted;
    int error = signal_mask_read(set, sigsetsize, &wanted);
    if (!error && timeout)
        error = timespec_read(timeout, &duration);
    if (error)
        return error;
    bool found = false;
    int result = wait_until(signals_arrivals(), (found = signals_take(wanted, &taken)), deadline_after(duration),
                            SLEEP_INTERRUPTIBLE);
    if (!found)
        return result == -ETIMEDOUT ? -EAGAIN : -EINTR;
    error = write_info(info, &taken);
    return error ? error : taken.number;
}

SYSCALL_DEFINE2(sigaltstack, uintptr_t, ss, uintptr_t, old_ss)
{
    struct user_thread *user = user_current();
    struct signal_stack old = { user->alt_stack, user->alt_stack_flags, 0, user->alt_stack_size }, stack;
    bool active = on_alt_stack(user, thread_registers(user->thread)->rsp);
    if (active)
        old.flags |= SS_ONSTACK;
    if (ss) {
        int error = user_get(&stack, ss);
        if (error)
            return error;
        if (active)
            return -EPERM;
        if (stack.flags & ~(SS_DISABLE | SS_AUTODISARM | SS_ONSTACK))
            return -EINVAL;
        if ((stack.flags & (SS_DISABLE | SS_ONSTACK)) == (SS_DISABLE | SS_ONSTACK))
            return -EINVAL;
        bool disable = stack.flags & SS_DISABLE;
        if (!disable && stack.size < MINIMUM_SIGNAL_STACK)
            return -ENOMEM;
        user->alt_stack = disable ? 0 : stack.base;
        user->alt_stack_size = disable ? 0 : stack.size;
        user->alt_stack_flags = disable ? SS_DISABLE : stack.flags & SS_AUTODISARM;
    }
    return old_ss ? user_put(old_ss, &old) : 0;
}

SYSCALL_DEFINE0(rt_sigreturn)
{
    struct user_thread *user = user_current();
    struct registers *registers = thread_registers(user->thread);
    uint64_t mask = user->mask;
    int error = signal_frame_pop(registers, user, &mask);
    signals_set_mask(mask & ~SIGNALS_UNBLOCKABLE);
    if (error)
        signal_force(SIGSEGV, SI_KERNEL, 0);
    return (int64_t)registers->rax;
}

static int64_t send_to_thread_of(int32_t process, int32_t id, const struct signal_info *info)
{
    if (process <= 0 || id <= 0)
        return -EINVAL;
    return process == PROCESS_ID ? signal_queue_thread((uint32_t)id, info) : -ESRCH;
}

static struct signal_info info_of(int32_t number, int32_t code)
{
    return (struct signal_info){ .number = number, .code = code, .sender.pid = PROCESS_ID };
}

/* Deviates: Nothing stops or continues the process: SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU are ignored unless a handler
 * takes them. */
SYSCALL_DEFINE3(tgkill, int, tgid, int, tid, int, sig)
{
    struct signal_info info = info_of(sig, SI_TKILL);
    return send_to_thread_of(tgid, tid, &info);
}

/* Deviates: Nothing stops or continues the process: SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU are ignored unless a handler
 * takes them. */
SYSCALL_DEFINE2(tkill, int, tid, int, sig)
{
    struct signal_info info = info_of(sig, SI_TKILL);
    return send_to_thread_of(PROCESS_ID, tid, &info);
}

/* The process itself or its group. -1 means every other process, and there is none. */
/* Deviates: Nothing stops or continues the process: SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU are ignored unless a handler
 * takes them. */
SYSCALL_DEFINE2(kill, int, pid, int, sig)
{
    struct signal_info info = info_of(sig, SI_USER);
    return pid == PROCESS_ID || pid == 0 || pid == -PROCESS_ID ? signal_queue_process(&info) : -ESRCH;
}

/* What the program passes comes with the signal, but a thread can pass it off as the kernel's to itself only. */
static int read_info(uintptr_t address, int32_t number, int32_t target, struct signal_info *info)
{
    if (user_get(info, address))
        return -EFAULT;
    info->number = number;
    bool as_from_kernel = info->code >= 0 || info->code == SI_TKILL;
    return as_from_kernel && target != (int32_t)thread_current()->id ? -EPERM : 0;
}

/* Deviates: Nothing stops or continues the process: SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU are ignored unless a handler
 * takes them. */
SYSCALL_DEFINE3(rt_sigqueueinfo, int, tgid, int, sig, uintptr_t, info)
{
    struct signal_info sent;
    int error = read_info(info, sig, tgid, &sent);
    if (error)
        return error;
    return tgid == PROCESS_ID ? signal_queue_process(&sent) : -ESRCH;
}

/* Deviates: Nothing stops or continues the process: SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU are ignored unless a handler
 * takes them. */
SYSCALL_DEFINE4(rt_tgsigqueueinfo, int, tgid, int, tid, int, sig, uintptr_t, info)
{
    struct signal_info sent;
    if (tgid <= 0 || tid <= 0)
        return user_get(&sent, info) ? -EFAULT : -EINVAL;
    int error = read_info(info, sig, tid, &sent);
    return error ? error : send_to_thread_of(tgid, tid, &sent);
}
