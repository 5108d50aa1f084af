/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Basic types and the few macros every file uses. Fixed-width types come from the
 * compiler's freestanding headers, so host tests may mix these with libc.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t ssize_type;   /* bytes moved, or a negative errno */
typedef uint64_t phys_t;      /* physical address in bytes; on Xen PV a pseudo-physical one */
typedef uint64_t nanoseconds; /* a time or a duration; 2^64 ns is 584 years */

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (PAGE_SIZE - 1)

/* "No time limit" wherever a deadline in monotonic nanoseconds is asked for. */
#define NO_DEADLINE UINT64_MAX
#define NS_PER_SECOND 1000000000UL
#define NS_PER_MS 1000000UL
#define NS_PER_US 1000UL

#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define align_up(x, a) (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define align_down(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define min_of(a, b) \
    ({ \
        __typeof__(a) a_ = (a); \
        __typeof__(b) b_ = (b); \
        a_ < b_ ? a_ : b_; \
    })
#define max_of(a, b) \
    ({ \
        __typeof__(a) a_ = (a); \
        __typeof__(b) b_ = (b); \
        a_ > b_ ? a_ : b_; \
    })
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noreturn __attribute__((noreturn))
#define cold __attribute__((cold, noinline))
#define packed __attribute__((packed))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define must_check __attribute__((warn_unused_result))

/* Memory shared with a device, a hypervisor or another CPU is read and written once. */
#ifdef __SANITIZE_THREAD__ /* it takes volatile accesses for plain ones; for host tests */
#define read_once(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define write_once(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#else
#define read_once(x) (*(const volatile __typeof__(x) *)&(x))
#define write_once(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#endif
#define compiler_barrier() __asm__ volatile("" ::: "memory")
