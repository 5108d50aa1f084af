/* SPDX-License-Identifier: Apache-2.0 */
#include "threads/stack.h"

#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "platform/platform.h"

/* Stacks that keep their memory for the next thread: servers start and end threads all the time. */
#define KEPT_STACKS 16

static struct spinlock lock = SPINLOCK(LOCK_STACKS);
static struct list kept = LIST_INIT(kept);   /* lock: with memory */
static unsigned kept_count;                  /* lock */
static struct list empty = LIST_INIT(empty); /* lock: without */
static uintptr_t next_slot = KERNEL_STACKS;  /* lock: never used from here on */

static uintptr_t lowest_address(const struct kernel_stack *stack) { return stack->top - KERNEL_STACK_SIZE; }

static void release_pages(struct kernel_stack *stack)
{
    for (unsigned i = 0; i < KERNEL_STACK_PAGES && stack->pages[i]; i++) {
        page_put(stack->pages[i]);
        stack->pages[i] = NULL;
    }
}

/* Under the lock. */
static bool fill(struct kernel_stack *stack)
{
    must_hold(&lock);
    for (unsigned i = 0; i < KERNEL_STACK_PAGES; i++) {
        stack->pages[i] = page_allocate();
        if (!stack->pages[i])
            return false;
    }
    return kernel_map(lowest_address(stack), stack->pages, KERNEL_STACK_PAGES) == 0;
}

/* A slot without memory. Under the lock. */
static struct kernel_stack *take_slot(void)
{
    must_hold(&lock);
    struct list *node = list_pop_front(&empty);
    if (node)
        return list_entry(node, struct kernel_stack, link);
    if (next_slot == KERNEL_STACKS + KERNEL_STACKS_SIZE)
        return NULL;
    struct kernel_stack *stack = heap_allocate_zeroed(sizeof(*stack));
    if (!stack)
        return NULL;
    next_slot += KERNEL_STACK_SLOT;
    stack->top = next_slot;
    return stack;
}

static struct kernel_stack *allocate_locked(void)
{
    must_hold(&lock);
    struct list *node = list_pop_front(&kept);
    if (node) {
        kept_count--;
        return list_entry(node, struct kernel_stack, link);
    }
    struct kernel_stack *stack = take_slot();
    if (!stack || fill(stack))
        return stack;
    release_pages(stack);
    list_push_front(&empty, &stack->link);
    return NULL;
}

struct kernel_stack *kernel_stack_allocate(void)
{
    spin_lock(&lock);
    struct kernel_stack *stack = allocate_locked();
    spin_unlock(&lock);
    return stack;
}

void kernel_stack_free(struct kernel_stack *stack)
{
    spin_lock(&lock);
    if (kept_count < KEPT_STACKS) {
        list_push_front(&kept, &stack->link);
        kept_count++;
    } else {
        kernel_unmap(lowest_address(stack), KERNEL_STACK_PAGES);
        release_pages(stack);
        list_push_front(&empty, &stack->link);
    }
    spin_unlock(&lock);
}
