/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of the order of lib/lock_class.h, in a kernel built for tests: each time that a lock is taken lock_taking()
 * panics where the order is violated, with the place at which the other lock was taken, whether or not a second thread
 * is about to hang.
 */
#pragma once

#include "lib/lock_class.h"

const char *lock_name(enum lock_class class);

#ifdef KERNEL_DEBUG
/* Whether locks of the class are only taken with the kernel lock, when there is one (docs/cpus.md). */
bool lock_needs_kernel(enum lock_class class);
/* A lock is about to be taken: panics where one that is held forbids it, or where it needs the kernel lock. */
void lock_taking(const struct held_locks *held, enum lock_class class, const void *lock);
/* It was taken, or given back. */
void lock_taken(struct held_locks *held, enum lock_class class, const void *lock);
void lock_given_back(struct held_locks *held, const void *lock);
bool lock_is_held(const struct held_locks *held, const void *lock);
#else
#define lock_taking(held, class, lock) ((void)0)
#define lock_taken(held, class, lock) ((void)0)
#define lock_given_back(held, lock) ((void)0)
#endif
