/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning and end of threads, and finding one; scheduler.c has them run. A thread is in the list of all from its
 * making to its end. One that ended still stands on its stack, so the one that runs next on its CPU frees it.
 *
 * Spinlock "threads" guards the list and the counts; those of the run queues are taken inside. Entered by
 * linux/sys_threads.c and by code that needs a kernel thread, in thread context; thread_free() by the scheduler.
 */
#include "core/debug.h"
#include "core/dump.h"
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/string.h"
#include "platform/x86/context.h"
#include "threads/scheduler.h"
#include "threads/stack.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define THREADS_LEAST 20 /* of threads_limit(), as on Linux */

static struct spinlock lock = SPINLOCK(LOCK_THREADS);
/* All under the lock. */
static struct list all = LIST_INIT(all);
static unsigned count;
static unsigned user_count; /* threads of the process */
static uint32_t next_id = 1;

DUMP_ADDRESS("threads", all);
DUMP_OFFSET(thread, all_link);
DUMP_OFFSET(thread, stack_pointer);
DUMP_OFFSET(thread, stack);
DUMP_OFFSET(thread, fs_base);
DUMP_OFFSET(thread, fpu_area);
DUMP_OFFSET(thread, user);
DUMP_OFFSET(thread, state);
DUMP_OFFSET(thread, cpu_time);
DUMP_OFFSET(thread, id);
DUMP_OFFSET(thread, name);
DUMP_VALUE("thread.name_size", sizeof(((struct thread *)0)->name));
DUMP_OFFSET(kernel_stack, top);
DUMP_VALUE("kernel_stack.size", KERNEL_STACK_SIZE);

static struct thread *thread_allocate(const char *name)
{
    struct thread *thread = heap_allocate_zeroed(sizeof(*thread));
    if (!thread)
        return NULL;
    thread->stack = kernel_stack_allocate();
    if (!thread->stack) {
        heap_free(thread);
        return NULL;
    }
    scheduler_prepare(thread);
    thread->has_kernel = true;
    string_copy(thread->name, name, sizeof(thread->name));
    return thread;
}

static void enlist(struct thread *thread)
{
    spin_lock(&lock);
    if (thread->fpu_area) {
        thread->id = next_id++;
        user_count++;
    }
    list_push_back(&all, &thread->all_link);
    count++;
    spin_unlock(&lock);
}

struct thread *thread_start_kernel(const char *name, void (*entry)(void *), void *argument)
{
    struct thread *thread = thread_allocate(name);
    if (!thread)
        panic("no memory for the kernel thread %s", name);
    thread->stack_pointer = context_create((void *)thread->stack->top, entry, argument);
    enlist(thread);
    thread_make_ready(thread);
    return thread;
}

static void enter_user(void *registers)
{
    cpu_user_begins();
    cpu_enter_user(registers);
}

struct thread *thread_create_user(void)
{
    struct thread *thread = thread_allocate("");
    if (!thread)
        return NULL;
    /* The FPU area has a page of its own: it must be aligned to 64 bytes and may be most of a page. */
    struct page *area = page_allocate();
    if (!area) {
        kernel_stack_free(thread->stack);
        heap_free(thread);
        return NULL;
    }
    if (thread_current()->fpu_area)
        thread->affinity = scheduler_affinity(thread_current());
    thread->fpu_area = page_data(area);
    fpu_init_area(thread->fpu_area);
    thread->has_kernel = false; /* enter_user() does nothing that needs it */
    struct registers *registers = thread_registers(thread);
    memset(registers, 0, sizeof(*registers));
    thread->stack_pointer = context_create(registers, enter_user, registers);
    enlist(thread);
    return thread;
}

struct registers *thread_registers(struct thread *thread) { return (struct registers *)thread->stack->top - 1; }

void thread_free(struct thread *thread)
{
    assert(kernel_is_held());
    if (thread->fpu_area)
        page_put(page_of(virt_to_phys(thread->fpu_area)));
    kernel_stack_free(thread->stack);
    heap_free(thread);
}

/* Takes the thread off the list of all. Under the lock. */
static void delist(struct thread *thread)
{
    must_hold(&lock);
    list_remove(&thread->all_link);
    count--;
    if (thread->fpu_area)
        user_count--;
}

void thread_discard(struct thread *thread)
{
    spin_lock(&lock);
    delist(thread);
    spin_unlock(&lock);
    thread_free(thread);
}

void thread_forget_user(struct thread *thread)
{
    spin_lock(&lock);
    thread->user = NULL;
    spin_unlock(&lock);
}

void thread_exit(void)
{
    struct thread *self = thread_current();
    timer_stop(&self->sleep_timer);
    spin_lock(&lock);
    delist(self);
    spin_unlock(&lock);
    scheduler_leave();
}

void threads_for_each(void (*visit)(struct thread *, void *), void *context)
{
    spin_lock(&lock);
    list_for_each (node, &all)
        visit(list_entry(node, struct thread, all_link), context);
    spin_unlock(&lock);
}

bool thread_find(uint32_t id, void (*visit)(struct thread *, void *), void *context)
{
    bool found = false;
    spin_lock(&lock);
    list_for_each (node, &all) {
        struct thread *thread = list_entry(node, struct thread, all_link);
        found = thread->user && thread->id == id;
        if (!found)
            continue;
        if (visit)
            visit(thread, context);
        break;
    }
    spin_unlock(&lock);
    return found;
}

static void keep_time(struct thread *thread, void *time) { *(nanoseconds *)time = thread_cpu_time(thread); }

bool thread_find_cpu_time(uint32_t id, nanoseconds *time) { return thread_find(id, keep_time, time); }

unsigned threads_count(void) { return count; }
unsigned threads_user_count(void) { return read_once(user_count); }
unsigned threads_limit(void) { return (unsigned)max_of(pages_total_count() / 32, (uint64_t)THREADS_LEAST); }

static void keep_affinity(struct thread *thread, void *to)
{
    *(uint64_t *)to = scheduler_affinity(thread) & cpus_online_mask();
}

uint64_t thread_affinity(uint32_t id)
{
    uint64_t affinity = 0;
    (void)thread_find(id, keep_affinity, &affinity);
    return affinity;
}

static void change_affinity(struct thread *thread, void *affinity)
{
    scheduler_set_affinity(thread, *(const uint64_t *)affinity);
}

bool thread_set_affinity(uint32_t id, uint64_t affinity) { return thread_find(id, change_affinity, &affinity); }

void threads_begin_end(void)
{
    static bool called;
    bool first = !called;
    called = true;
    while (!first) {
        sleep_prepare();
        (void)sleep_until(NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    }
}

static void keep_off_cpus(struct thread *thread, void *caller)
{
    uint64_t nowhere = 0;
    if (thread->user && thread != caller)
        change_affinity(thread, &nowhere);
}

void threads_stop_others(void) { threads_for_each(keep_off_cpus, thread_current()); }

void thread_stay_on_boot_cpu(void)
{
    scheduler_set_affinity(thread_current(), 1);
    while (this_cpu() != cpus[0])
        thread_yield();
}

/* With the kernel lock, so that the others come to rest or wait for it, and none of them is stopped with a lock held.
 * */
void threads_keep_boot_cpu(void)
{
    if (!kernel_is_shared)
        return;
    thread_stay_on_boot_cpu();
    for (unsigned i = 1; i < cpus_online; i++)
        while (!kernel_lock_keeps_out(cpus[i]))
            __builtin_ia32_pause();
    cpus_stop();
    scheduler_adopt();
    timers_keep_here();
}
