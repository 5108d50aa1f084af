/*
 * The system calls of signals: they check what the program passes, and read and write its memory; what then happens is
 * in signals.c. Each looks only at its own thread's mask, or names a target by its id, which signals.c looks up under the
 * lock "signals". No lock is held where user memory is touched.
 */
#include "lib/errno.h"
#include "linux/process.h"
#include "linux/signal_frame.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "threads/wait.h"

SYSCALL(rt_sigprocmask)
{
    enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
    uint64_t old = user_current()->mask, mask;
    if (d != sizeof(mask))
        return -EINVAL;
    if (b) {
        int error = signal_mask_read(b, d, &mask);
        if (error)
            return error;
        int32_t how = (int32_t)a;
        if (how == SIG_BLOCK)
            signals_set_mask(old | mask);
        else if (how == SIG_UNBLOCK)
            signals_set_mask(old & ~mask);
        else if (how == SIG_SETMASK)
            signals_set_mask(mask);
        else
            return -EINVAL;
    }
    return c ? user_put(c, &old) : 0;
}

SYSCALL(rt_sigaction)
{
    int number = (int)a;
    struct signal_action action, old;
    if (number < 1 || number > SIGNALS || d != sizeof(uint64_t))
        return -EINVAL;
    signal_action_get(number, &old);
    if (b) {
        if (signal_bit(number) & SIGNALS_UNBLOCKABLE)
            return -EINVAL;
        int error = user_get(&action, b);
        if (error)
            return error;
        action.mask &= ~SIGNALS_UNBLOCKABLE;
        signal_action_set(number, &action);
    }
    return c ? user_put(c, &old) : 0;
}

SYSCALL(rt_sigpending)
{
    uint64_t set = signals_waiting(user_current()->mask);
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
    nanoseconds timeout = NO_DEADLINE;
    struct signal_info info = { 0 };
    uint64_t wanted;
    int error = signal_mask_read(a, d, &wanted);
    if (!error && c)
        error = timespec_read(c, &timeout);
    if (error)
        return error;
    bool found = false;
    int result = wait_until(signals_arrivals(), (found = signals_take(wanted, &info)), deadline_after(timeout),
                            SLEEP_INTERRUPTIBLE);
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
    return signal_queue_process(info);
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
