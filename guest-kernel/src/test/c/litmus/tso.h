/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All executions of two or three threads on x86's memory model (TSO: each CPU has a queue of stores that memory does
 * not have yet, and reads its own from there; Sewell et al. 2010, "x86-TSO"). A test includes a source of the kernel
 * after this file, whose macros take the place of its atomic accesses. tso_check() runs the threads once for each order
 * of their accesses and of the stores' arrivals in memory.
 *
 * Each barrier can be left out: a fence, or the fence in a sequentially consistent store. So a test says not only that
 * the code is right, but which barriers that takes. What is not atomic in the source is local to a thread here, and no
 * compiler reorders anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TSO_THREADS 3
#define TSO_NEEDED 4

struct tso_scenario {
    const char *name;
    void (*reset)(void); /* the state before each execution */
    void (*threads[TSO_THREADS])(void);
    bool (*good)(void);             /* after all threads have ended; NULL: that they do is enough */
    const char *needed[TSO_NEEDED]; /* the functions that have a barrier without which it goes wrong */
};

/* Prints, and returns, whether all executions of the scenario are good, and whether without one barrier some are not,
 * in just those functions that are named. */
bool tso_check(const struct tso_scenario *scenario);
/* The number of the running thread. */
unsigned tso_self(void);
/* Sleeps until the flag is set in memory, and clears it: an interrupt that is pending counts. */
void tso_sleep(bool *flag);

uint64_t tso_load(const void *address, size_t size);
void tso_store(void *address, size_t size, uint64_t value);
void tso_barrier(const char *function, unsigned line);
uint64_t tso_exchange(void *address, size_t size, uint64_t value);
uint64_t tso_add(void *address, size_t size, uint64_t value); /* the value before */
bool tso_compare_exchange(void *address, size_t size, void *expected, uint64_t value);

#ifdef TSO_TESTED_SOURCE
#include "lib/types.h"
#undef read_once
#undef write_once
#define TSO_VALUE(v) ((uint64_t)(uintptr_t)(v))
#define read_once(x) ((__typeof__(x))tso_load(&(x), sizeof(x)))
#define write_once(x, v) tso_store((void *)&(x), sizeof(x), TSO_VALUE(v))
#define __atomic_load_n(p, order) ((__typeof__(*(p)))tso_load((p), sizeof(*(p))))
#define __atomic_store_n(p, v, order) \
    (tso_store((void *)(p), sizeof(*(p)), TSO_VALUE(v)), \
     (order) == __ATOMIC_SEQ_CST ? tso_barrier(__func__, __LINE__) : (void)0)
#define __atomic_thread_fence(order) tso_barrier(__func__, __LINE__)
#define __atomic_exchange_n(p, v, order) ((__typeof__(*(p)))tso_exchange((void *)(p), sizeof(*(p)), TSO_VALUE(v)))
#define __atomic_fetch_add(p, v, order) tso_add((p), sizeof(*(p)), (uint64_t)(v))
#define __atomic_fetch_sub(p, v, order) tso_add((p), sizeof(*(p)), -(uint64_t)(v))
#define __atomic_compare_exchange_n(p, expected, v, weak, good, bad) \
    tso_compare_exchange((void *)(p), sizeof(*(p)), (expected), TSO_VALUE(v))
#endif
