/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and ending threads, and what belongs to one: number, robust list, base of FS, affinity. Only clone(2) for a
 * thread is offered: there is no second process.
 *
 * A child belongs to create_thread() until thread_make_ready(); until then an error undoes everything; afterwards the
 * child may have ended already, and only its number may be used. A thread that ends first does what touches user memory
 * and may sleep, then asks whether it is the last. Its struct user_thread is freed after thread_forget_user(), when
 * no one can find it through the list of threads.
 *
 * Entered through the table of system calls (syscalls.c). No lock is held here; "threads", "run_queue" and those of
 * futexes and signals are taken by what is called.
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
_Static_assert(CPU_MASK_BYTES * 8 == CPUS_MAX, "a mask has a bit for each CPU");

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

/* Deviates: Only makes threads: without CLONE_VM, CLONE_SIGHAND and CLONE_THREAD it is ENOSYS. Threads share
 * descriptors and the working directory without CLONE_FILES and CLONE_FS too. Other flags than those of glibc's
 * pthread_create() change nothing. */
SYSCALL_DEFINE5(clone, uint64_t, flags, uintptr_t, stack, uintptr_t, parent_tid, uintptr_t, child_tid, uint64_t, tls)
{
    struct clone_arguments clone = { .flags = flags, .parent_tid = parent_tid, .child_tid = child_tid, .tls = tls };
    return create_thread(&clone, stack);
}

/* Deviates: As clone(2). What follows the member tls of the structure is not looked at. */
SYSCALL_DEFINE2(clone3, uintptr_t, cl_args, size_t, size)
{
    struct clone_arguments clone;
    if (size < sizeof(clone))
        return -EINVAL;
    int error = user_get(&clone, cl_args);
    if (error)
        return error;
    bool no_stack = !clone.stack && !clone.stack_size;
    if (!no_stack && (!clone.stack || !clone.stack_size || !user_range_ok(clone.stack, clone.stack_size)))
        return -EINVAL;
    return create_thread(&clone, clone.stack + clone.stack_size);
}

/* There is no second process: fork is a call this kernel does not have. */

SYSCALL_DEFINE1(exit, int, status)
{
    struct thread *self = thread_current();
    struct user_thread *user = self->user;
    futex_exit_robust(user->robust_list, self->id);
    if (user->clear_child_tid) {
        uint32_t zero = 0;
        if (user_put(user->clear_child_tid, &zero) == 0)
            futex_wake(user->clear_child_tid, 1, FUTEX_ALL_BITS);
    }
    /* Asked after the last step that may sleep: of two that end at the same time one must see that it is the last. */
    if (threads_user_count() == 1)
        process_exit(status & 0xff);
    thread_forget_user(self);
    user_thread_free(user);
    thread_exit();
}

SYSCALL_DEFINE1(exit_group, int, status) { process_exit(status & 0xff); }
SYSCALL_DEFINE0(gettid) { return thread_current()->id; }

SYSCALL_DEFINE1(set_tid_address, uintptr_t, tidptr)
{
    user_current()->clear_child_tid = tidptr;
    return thread_current()->id;
}

SYSCALL_DEFINE2(set_robust_list, uintptr_t, head, size_t, len)
{
    if (len != ROBUST_LIST_HEAD_SIZE)
        return -EINVAL;
    user_current()->robust_list = head;
    return 0;
}

static void keep_robust_list(struct thread *thread, void *list) { *(uint64_t *)list = thread->user->robust_list; }

SYSCALL_DEFINE3(get_robust_list, int, pid, uintptr_t, head_ptr, uintptr_t, len_ptr)
{
    const uint64_t size = ROBUST_LIST_HEAD_SIZE;
    uint64_t list;
    if (!thread_find(pid ? (uint32_t)pid : thread_current()->id, keep_robust_list, &list))
        return -ESRCH;
    int error = user_put(len_ptr, &size);
    return error ? error : user_put(head_ptr, &list);
}

/* Deviates: ARCH_SET_FS and ARCH_GET_FS are offered; all else is EINVAL. */
SYSCALL_DEFINE2(arch_prctl, uint32_t, op, uint64_t, addr)
{
    enum { SET_GS = 0x1001, SET_FS, GET_FS };
    struct thread *self = thread_current();
    int error;
    switch (op) {
    case SET_FS:
        error = set_fs_base(self, addr);
        if (!error)
            cpu_set_fs_base(addr);
        return error;
    case GET_FS:
        return user_put(addr, &self->fs_base);
    default:
        return -EINVAL;
    }
}

SYSCALL_DEFINE0(sched_yield)
{
    thread_yield();
    return 0;
}

SYSCALL_DEFINE3(sched_getaffinity, int, pid, unsigned, cpusetsize, uintptr_t, mask)
{
    if (cpusetsize < CPU_MASK_BYTES || cpusetsize & 7)
        return -EINVAL;
    uint64_t allowed = thread_affinity(pid ? (uint32_t)pid : thread_current()->id);
    if (!allowed)
        return -ESRCH;
    int error = user_put(mask, &allowed);
    return error ? error : CPU_MASK_BYTES;
}

SYSCALL_DEFINE3(sched_setaffinity, int, pid, unsigned, cpusetsize, uintptr_t, mask)
{
    uint64_t wanted = 0;
    int error = user_read(&wanted, mask, min_of(cpusetsize, (unsigned)CPU_MASK_BYTES));
    if (error)
        return error;
    if (!process_has_thread(pid))
        return -ESRCH;
    if (!(wanted & cpus_online_mask()))
        return -EINVAL;
    return thread_set_affinity(pid ? (uint32_t)pid : thread_current()->id, wanted) ? 0 : -ESRCH;
}

SYSCALL_DEFINE2(getcpu, uintptr_t, cpu, uintptr_t, node)
{
    uint32_t zero = 0, number = this_cpu()->id;
    int error = cpu ? user_put(cpu, &number) : 0;
    return error || !node ? error : user_put(node, &zero);
}
