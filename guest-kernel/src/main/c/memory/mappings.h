/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to memory/: what the calls share that change mappings (mappings.c, protection.c, remap.c). With the
 * address_space mutex, but for what is pure.
 */
#pragma once

#include "memory/areas.h"
#include "memory/user.h"

/* Whole pages of the program's half that a call may name. Pure. */
static inline bool mapping_range_valid(uintptr_t start, size_t length)
{
    return !(start & PAGE_MASK) && length && start >= USER_LOWEST && user_range_ok(start, length);
}

/* `bytes` more than `used` are within a limit of setrlimit(2). Pure. */
static inline bool mapping_within(uint64_t limit, uint64_t used, size_t bytes)
{
    return limit == UINT64_MAX || bytes == 0 || (used <= limit && bytes <= limit - used);
}

/* An area with these flags (AREA_*) counts as committed with this protection, and did not before. Pure. */
static inline bool mapping_commits(unsigned flags, unsigned protection)
{
    return (protection & MMU_WRITE) && !(flags & (AREA_SHARED | AREA_NO_RESERVE | AREA_COMMITTED));
}

/* Memory that is the program's alone and belongs to no file. Pure. */
static inline bool mapping_is_private(const struct area *area)
{
    return !area->object && !area->fixed_pages && !(area->flags & (AREA_SHARED | AREA_KEPT));
}

/* Bytes of a thread's stack that are promised: more than a Java thread touches that does little (92 KiB with OpenJDK
 * 17, 80 of them the pages that HotSpot touches ahead of calls). */
#define STACK_COMMITTED (256UL << 10)

/* Bytes that must be there for `bytes` of an area with these flags (AREA_*) to become writable. Pure. */
static inline size_t mapping_promise(unsigned flags, size_t bytes)
{
    return flags & AREA_THREAD_STACK ? min_of(bytes, STACK_COMMITTED) : bytes;
}

/* Between the steps of a walk over areas, which stay as they are. `steps` counts them from 0. */
void mapping_step_locked(unsigned *steps);
/*
 * It is better to refuse memory with an error than to promise what is not there: private memory that becomes writable
 * for the first time must fit into what is available. Promises are not added up: a JVM makes more memory accessible
 * than it touches. Needs no lock.
 */
bool mapping_may_commit(size_t bytes);
/* RLIMIT_AS and RLIMIT_DATA allow so many bytes more of such an area. */
bool mapping_may_grow(size_t bytes, unsigned flags, unsigned protection);
/* Joins equal areas in and around [start, end). */
void mapping_merge_range(uintptr_t start, uintptr_t end);
/* All of [start, end) lies in areas. */
bool mapping_is_covered(uintptr_t start, uintptr_t end);
/* Nothing of [start, start + length) lies in an area. */
bool mapping_is_free(uintptr_t start, size_t length);
/* Inserts an area without its pages, and returns its address, or an error; then what was there is still there. */
int64_t mapping_insert(const struct map_request *request);
/* 0 or -ENOMEM. Whole pages. */
int mapping_unmap_locked(uintptr_t start, uintptr_t end);
