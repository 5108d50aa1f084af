/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal frame on the user stack, in the ABI's layout (Linux: arch/x86 sigcontext, glibc
 * ucontext_t). HotSpot reads and changes the registers in it.
 */
#pragma once

#include "linux/signals.h"

#define SS_ONSTACK 1u
#define SS_DISABLE 2u
#define SS_AUTODISARM (1u << 31)
#define MINIMUM_SIGNAL_STACK 2048u

/* struct sigaction as rt_sigaction(2) passes it. */
struct signal_action {
    uintptr_t handler;
    uint64_t flags;
    uintptr_t restorer;
    uint64_t mask;
};

struct signal_stack {
    uintptr_t base;
    uint32_t flags, padding;
    size_t size;
};

/* What a frame takes of the stack at most, in bytes: AT_MINSIGSTKSZ. Fixed after boot. */
size_t signal_frame_size_max(void);
bool on_alt_stack(const struct user_thread *user, uintptr_t stack_pointer);
/* Pushes a frame and points the registers at the handler. 0 or -EFAULT. */
int signal_frame_push(struct registers *registers, struct user_thread *user, const struct signal_info *info,
                      const struct signal_action *action, uint64_t old_mask);
/* Restores the registers from the frame at the stack pointer, for rt_sigreturn, and says which signals the frame masks.
 * 0, or -EFAULT with nothing or all but the FPU restored. The way back to user mode makes any values harmless. */
int signal_frame_pop(struct registers *registers, struct user_thread *user, uint64_t *mask);
