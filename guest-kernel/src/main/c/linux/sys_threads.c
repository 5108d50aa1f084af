/*
 * Making and ending threads, and what belongs to one: number, robust list, base of FS, affinity. Only clone(2) for a
 * thread is offered: there is no second process.
 *
 * A child belongs to create_thread() until thread_make_ready(); until then an error undoes everything; afterwards the
 * child may have ended already, and only its number may be used. A thread that ends first does what touches user memory
 * and may sleep, then asks whether it is the last. Its struct user_thread is freed after thread_forget_user(), when
 * nobody can find it through the list of threads.
 *
 * Entered through the table of system calls (syscalls.c). No lock is held here; "run_queue" and those of futexes and
 * signals are taken by what is called.
 */
#include "core/log.h"
#include "lib/string.h"
#include "linux/futex.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"

#define CLONE_VM 0x100UL
#define CLONE_SIGHAND 0x800UL
#define CLONE_THREAD 0x10000UL
#define CLONE_SETTLS 0x80000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_CHILD_SETTID 0x1000000UL
#define CLONE_THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define ROBUST_LIST_HEAD_SIZE 24
#define CPU_MASK_BYTES 8

bool process_has_thread(int32_t id) { return id == 0 || (id > 0 && thread_find((uint32_t)id, NULL, NULL)); }

/* struct clone_args of clone3(2), first version. */
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

/* The one check of a base for FS: a wrmsr or Xen would fault on one that is not canonical. */
static int set_fs_base(struct thread *thread, uint64_t base)
{
    if (!user_address_ok(base))
        return -EPERM;
    thread->fs_base = base;
    return 0;
}

static int store_ids(const struct clone_arguments *clone, uint32_t id)
{
    int error = 0;
    if (clone->flags & CLONE_PARENT_SETTID)
        error = user_put(clone->parent_tid, &id);
    if (!error && (clone->flags & CLONE_CHILD_SETTID))
        error = user_put(clone->child_tid, &id);
    return error;
}

static int64_t create_thread(const struct clone_arguments *clone, uintptr_t stack_pointer)
{
    /* Threads only: there is no second process to fork into. */
    if ((clone->flags & CLONE_THREAD_FLAGS) != CLONE_THREAD_FLAGS)
        return -ENOSYS;
    if (threads_user_count() >= threads_limit())
        return -EAGAIN;
    struct thread *parent = thread_current(), *child = thread_create_user();
    if (!child)
        return -EAGAIN;
    struct user_thread *user = user_thread_create(child, parent->user->mask);
    uint32_t id = child->id;
    int error = user ? set_fs_base(child, clone->flags & CLONE_SETTLS ? clone->tls : parent->fs_base) : -EAGAIN;
    if (!error)
        error = store_ids(clone, id);
    if (error) {
        thread_discard(child);
        if (user)
            user_thread_free(user);
        return error;
    }
    fpu_save(parent->fpu_area);
    memcpy(child->fpu_area, parent->fpu_area, fpu_area_size());
    struct registers *registers = thread_registers(child);
    *registers = *thread_registers(parent);
    registers->rax = 0;
    registers->number = (uint64_t)-1;
    if (stack_pointer)
        registers->rsp = stack_pointer;
    string_copy(child->name, parent->name, sizeof(child->name));
    user->clear_child_tid = clone->flags & CLONE_CHILD_CLEARTID ? clone->child_tid : 0;
    child->user = user;
    thread_make_ready(child);
    return id;
}

SYSCALL(clone)
{
    struct clone_arguments clone = { .flags = a, .parent_tid = c, .child_tid = d, .tls = e };
    return create_thread(&clone, b);
}

SYSCALL(clone3)
{
    struct clone_arguments clone;
    if (b < sizeof(clone))
        return -EINVAL;
    int error = user_get(&clone, a);
    if (error)
        return error;
    bool no_stack = !clone.stack && !clone.stack_size;
    if (!no_stack && (!clone.stack || !clone.stack_size || !user_range_ok(clone.stack, clone.stack_size)))
        return -EINVAL;
    return create_thread(&clone, clone.stack + clone.stack_size);
}

/* There is no second process: fork is a call this kernel does not have. */

SYSCALL(exit)
{
    struct thread *self = thread_current();
    struct user_thread *user = self->user;
    futex_exit_robust(user->robust_list, self->id);
    if (user->clear_child_tid) {
        uint32_t zero = 0;
        if (user_put(user->clear_child_tid, &zero) == 0)
            futex_wake(user->clear_child_tid, 1, FUTEX_ALL_BITS);
    }
    /* Asked after the last step that may sleep: of two that end at one time one must find itself the last. */
    if (threads_user_count() == 1)
        process_exit((int)(a & 0xff));
    thread_forget_user(self);
    user_thread_free(user);
    thread_exit();
}

SYSCALL(exit_group) { process_exit((int)(a & 0xff)); }
SYSCALL(gettid) { return thread_current()->id; }

SYSCALL(set_tid_address)
{
    user_current()->clear_child_tid = a;
    return thread_current()->id;
}

SYSCALL(set_robust_list)
{
    if (b != ROBUST_LIST_HEAD_SIZE)
        return -EINVAL;
    user_current()->robust_list = a;
    return 0;
}

static void keep_robust_list(struct thread *thread, void *list) { *(uint64_t *)list = thread->user->robust_list; }

SYSCALL(get_robust_list)
{
    const uint64_t size = ROBUST_LIST_HEAD_SIZE;
    uint64_t list;
    if (!thread_find((uint32_t)a ? (uint32_t)a : thread_current()->id, keep_robust_list, &list))
        return -ESRCH;
    int error = user_put(c, &size);
    return error ? error : user_put(b, &list);
}

SYSCALL(arch_prctl)
{
    enum { SET_GS = 0x1001, SET_FS, GET_FS };
    struct thread *self = thread_current();
    int error;
    switch ((uint32_t)a) {
    case SET_FS:
        error = set_fs_base(self, b);
        if (!error)
            cpu_set_fs_base(b);
        return error;
    case GET_FS:
        return user_put(b, &self->fs_base);
    default:
        return -EINVAL;
    }
}

SYSCALL(sched_yield)
{
    thread_yield();
    return 0;
}

SYSCALL(sched_getaffinity)
{
    uint64_t mask = 1;                   /* the one CPU that is started */
    uint32_t length = (uint32_t)b;
    if (length < CPU_MASK_BYTES || length & 7)
        return -EINVAL;
    if (!process_has_thread((int32_t)a))
        return -ESRCH;
    int error = user_put(c, &mask);
    return error ? error : CPU_MASK_BYTES;
}

SYSCALL(sched_setaffinity) { return process_has_thread((int32_t)a) ? 0 : -ESRCH; }

SYSCALL(getcpu)
{
    uint32_t zero = 0;
    int error = a ? user_put(a, &zero) : 0;
    return error || !b ? error : user_put(b, &zero);
}
