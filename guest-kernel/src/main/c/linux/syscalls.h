/*
 * The Linux x86-64 system-call ABI: linux/ turns calls into calls of the layers below and
 * knows the ABI's structure layouts; nothing else does. Every call is a function
 * sys_NAME(a, b, c, d, e, f) that returns a value >= 0, a pointer, or a negative errno; those of one topic are in
 * sys_TOPIC.c.
 *
 * Declared weak, so that the table in syscalls.c holds NULL for each call nobody wrote: those
 * answer -ENOSYS and are logged once by name.
 */
#pragma once

#include "lib/errno.h"
#include "lib/types.h"

typedef int64_t system_call(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

#define SYSTEM_CALL(number, name) system_call sys_##name __attribute__((weak));
#include "linux/syscall_names.h"
#undef SYSTEM_CALL

/* For definitions: SYSCALL(getpid) { return 1; } - unused arguments need no mention. An argument comes as the whole
 * register: cut it to the type that Linux gives it before looking at it (src/it/c/truncation.c). */
#define SYSCALL(name)                                                                             \
    int64_t sys_##name(uint64_t a __attribute__((unused)), uint64_t b __attribute__((unused)),    \
                       uint64_t c __attribute__((unused)), uint64_t d __attribute__((unused)),    \
                       uint64_t e __attribute__((unused)), uint64_t f __attribute__((unused)))

/* Selects the calls to trace: "all" or a comma-separated list of names; false if one is unknown. */
bool system_calls_trace(const char *names);
