/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to memory/: the tree of areas. All of it under the address_space mutex.
 */
#pragma once

#include "memory/address_space.h"

/* No area is split or merged by anyone but the holder of this mutex. */
extern struct mutex address_space_mutex;
extern uint64_t resident_pages, reserved_bytes;
extern uint64_t data_bytes; /* of areas that are data */
/* What RLIMIT_DATA counts: private memory that can be written, but for the stack. */
static inline bool is_data(unsigned flags, unsigned protection)
{
    return protection & MMU_WRITE && !(flags & (AREA_SHARED | AREA_KEPT | AREA_STACK));
}

/* Linux's vm.max_map_count: a program that makes areas without end gets ENOMEM. */
#define AREAS_MAX 65530

/* Translations taken out of the page tables at a time: as an array on the kernel stack. */
#define UNMAP_BATCH 64

/* The area that contains the address, or NULL. */
struct area *area_find(uintptr_t address);
/* The first area that ends above the address, or NULL. */
struct area *area_first_after(uintptr_t address);
struct area *area_first(void);
struct area *area_next(const struct area *area);
struct area *area_previous(const struct area *area);
/* For area_insert(), or for area_discard() if it is not needed after all. NULL without memory, or when there are
 * AREAS_MAX areas. */
struct area *area_create(void);
void area_discard(struct area *area);
/* Takes over the area and its reference to what it maps; nothing else lies in its range. */
void area_insert(struct area *area);
/* Its pages are unmapped already. Frees it. */
void area_remove(struct area *area);
/* The pages of what the area maps are those of another source from now on. */
void area_change_source(struct area *area, struct page_source *to);
/* Nothing lies between the old end and the new one. */
void area_set_end(struct area *area, uintptr_t end);
/* The area maps no object, and nothing lies between the new start and the old one. */
void area_set_start(struct area *area, uintptr_t start);
/* Of the area; not of its pages. */
void area_set_protection(struct area *area, unsigned protection);
/* A page fault with this error (FAULT_*) may be served. */
bool area_allows(const struct area *area, uint64_t error);
/* Makes an area boundary at `at` if one area spans it. 0 or -ENOMEM. */
int area_split_at(uintptr_t at);
/* The same at both ends, or, with -ENOMEM, at neither. */
int area_split_around(uintptr_t start, uintptr_t end);
/* Joins the area with equal neighbours on both sides: HotSpot commits its heap in many small steps. May free it. */
void area_merge_around(struct area *area);
/* Where the highest free range of `length` bytes below `limit` starts, or 0. O(log n). */
uintptr_t areas_highest_gap(size_t length, uintptr_t limit);
/* Removes the page translations of [start, end) and drops their references. Gives way (threads/thread.h). */
void area_release_pages(uintptr_t start, uintptr_t end);
/* The same until about `limit` pages are released; returns where it stopped. */
uintptr_t area_release_some(uintptr_t start, uintptr_t end, size_t limit);
/*
 * Unmaps up to `wanted` clean file pages and frees them; it goes on where the last call stopped. Without `used_too` it
 * takes pages that were not used since its last look, and looks at RECLAIM_LOOKS pages and areas at most, however many
 * there are; with `used_too` it ends when it has looked at all of them. Returns how many frames became free.
 */
uint64_t areas_reclaim(uint64_t wanted, bool used_too);
#define RECLAIM_LOOKS 256
/* Takes the page of a source out of every mapping of it, so that the next touch faults; copies stay. */
void areas_unmap_page(struct page_source *source, uint32_t index);
/* A translation has been entered, or taken out and the reference to its page is to be dropped. */
void area_page_mapped(phys_t physical);
void area_page_unmapped(phys_t physical);
