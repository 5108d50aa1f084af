/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Switching between kernel stacks, the same on every x86-64 platform. A suspended thread's
 * callee-saved registers (System V ABI 3.2.1) lie on its own kernel stack below the saved
 * stack pointer.
 */
#pragma once

#include "lib/types.h"

/* Saves the running context in *from and continues the one in `to`. */
void context_switch(uint64_t *from, uint64_t to);
/* Prepares a stack so that switching to the result calls kernel_thread_switched() and then entry(argument), which never
 * returns. */
uint64_t context_create(void *stack_top, void (*entry)(void *), void *argument);
