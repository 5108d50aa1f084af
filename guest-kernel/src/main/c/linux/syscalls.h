/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux x86-64 system-call ABI: linux/ turns calls into calls of the layers below and
 * knows the ABI's structure layouts; nothing else does. Every call is a function sys_NAME() of six registers that
 * returns a value >= 0, a pointer, or a negative errno; those of one topic are in sys_TOPIC.c.
 *
 * Functions and the formats of their arguments are declared weak, so that the table in syscalls.c holds NULL for each
 * call that is not offered: those answer -ENOSYS and are logged once by name.
 */
#pragma once

#include "lib/errno.h"
#include "lib/types.h"

typedef int64_t system_call(uint64_t r0, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);

/* CALL_NAME is the number of a call. */
#define SYSTEM_CALL(number, name) \
    enum { CALL_##name = number }; \
    system_call sys_##name __attribute__((weak)); \
    extern const char sys_##name##_arguments[] __attribute__((weak));
#include "linux/syscall_names.h"
#undef SYSTEM_CALL

/*
 * A definition names each argument and gives it the type that it has on Linux, in section 2 of the manual or in the
 * kernel:
 *
 *     SYSCALL_DEFINE3(read, int, fd, uintptr_t, buffer, size_t, count)
 *     {
 *         return move_buffer(fd, READ, buffer, count, NO_OFFSET);
 *     }
 *
 * This defines sys_read(), which cuts each register to the type of its argument (src/it/c/truncation.c), and
 * sys_read_arguments[], "fd=%d, buffer=0x%lx, count=%lu", with which trace= prints the registers. Arguments may stay
 * unused. The types are those of the list below: uintptr_t is an address of the program, and what consists of bits is
 * uint32_t or uint64_t, even where Linux has int or long, so that it is printed in hexadecimal.
 */
#define FORMAT_OF_int "%d"
#define FORMAT_OF_unsigned "%u"
#define FORMAT_OF_int64_t "%ld"
#define FORMAT_OF_size_t "%lu"
#define FORMAT_OF_uint32_t "0x%x"
#define FORMAT_OF_uint64_t "0x%lx"
#define FORMAT_OF_uintptr_t "0x%lx"

#define UNUSED __attribute__((unused))
#define SHOWN(type, name) #name "=" FORMAT_OF_##type
#define TYPED(type, name) type name UNUSED

/* clang-format off */
#define SYSCALL_FUNCTIONS(call, format, parameters, values)                                                            \
    const char sys_##call##_arguments[] = format;                                                                      \
    static inline __attribute__((always_inline)) int64_t call_##call parameters;                                       \
    int64_t sys_##call(uint64_t r0 UNUSED, uint64_t r1 UNUSED, uint64_t r2 UNUSED, uint64_t r3 UNUSED,                 \
                       uint64_t r4 UNUSED, uint64_t r5 UNUSED)                                                         \
    {                                                                                                                  \
        return call_##call values;                                                                                     \
    }                                                                                                                  \
    static int64_t call_##call parameters

#define SYSCALL_DEFINE0(call) SYSCALL_FUNCTIONS(call, "", (void), ())
#define SYSCALL_DEFINE1(call, t0, n0)                                                                                  \
    SYSCALL_FUNCTIONS(call, SHOWN(t0, n0), (TYPED(t0, n0)), ((t0)r0))
#define SYSCALL_DEFINE2(call, t0, n0, t1, n1)                                                                          \
    SYSCALL_FUNCTIONS(call, SHOWN(t0, n0) ", " SHOWN(t1, n1), (TYPED(t0, n0), TYPED(t1, n1)), ((t0)r0, (t1)r1))
#define SYSCALL_DEFINE3(call, t0, n0, t1, n1, t2, n2)                                                                  \
    SYSCALL_FUNCTIONS(call,                                                                                            \
        SHOWN(t0, n0) ", " SHOWN(t1, n1) ", " SHOWN(t2, n2),                                                           \
        (TYPED(t0, n0), TYPED(t1, n1), TYPED(t2, n2)),                                                                 \
        ((t0)r0, (t1)r1, (t2)r2))
#define SYSCALL_DEFINE4(call, t0, n0, t1, n1, t2, n2, t3, n3)                                                          \
    SYSCALL_FUNCTIONS(call,                                                                                            \
        SHOWN(t0, n0) ", " SHOWN(t1, n1) ", " SHOWN(t2, n2) ", " SHOWN(t3, n3),                                        \
        (TYPED(t0, n0), TYPED(t1, n1), TYPED(t2, n2), TYPED(t3, n3)),                                                  \
        ((t0)r0, (t1)r1, (t2)r2, (t3)r3))
#define SYSCALL_DEFINE5(call, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                                                  \
    SYSCALL_FUNCTIONS(call,                                                                                            \
        SHOWN(t0, n0) ", " SHOWN(t1, n1) ", " SHOWN(t2, n2) ", " SHOWN(t3, n3) ", " SHOWN(t4, n4),                     \
        (TYPED(t0, n0), TYPED(t1, n1), TYPED(t2, n2), TYPED(t3, n3), TYPED(t4, n4)),                                   \
        ((t0)r0, (t1)r1, (t2)r2, (t3)r3, (t4)r4))
#define SYSCALL_DEFINE6(call, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                                          \
    SYSCALL_FUNCTIONS(call,                                                                                            \
        SHOWN(t0, n0) ", " SHOWN(t1, n1) ", " SHOWN(t2, n2) ", " SHOWN(t3, n3) ", " SHOWN(t4, n4) ", " SHOWN(t5, n5),  \
        (TYPED(t0, n0), TYPED(t1, n1), TYPED(t2, n2), TYPED(t3, n3), TYPED(t4, n4), TYPED(t5, n5)),                    \
        ((t0)r0, (t1)r1, (t2)r2, (t3)r3, (t4)r4, (t5)r5))
/* clang-format on */

/* Selects the calls to trace in place of those before: "all", "none" or a comma-separated list of names of calls, and
 * of errors with which calls that are traced fail. Logs each that is unknown, and returns false if there was one. One
 * thread at a time. */
bool system_calls_trace(const char *names);
