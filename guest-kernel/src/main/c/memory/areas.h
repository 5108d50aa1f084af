/*
 * Internal to memory/: the tree of areas. All of it under the address_space mutex.
 */
#pragma once

#include "memory/address_space.h"

extern struct mutex address_space_mutex;

/* The area that contains the address, or NULL. */
struct area *area_find(uintptr_t address);
/* The first area that ends above the address, or NULL. */
struct area *area_first_after(uintptr_t address);
struct area *area_next(const struct area *area);
/* Makes an area boundary at `at` if one area spans it. 0 or -ENOMEM. */
int area_split_at(uintptr_t at);
/* Removes the page translations of [start, end) and drops their references. */
void area_release_pages(uintptr_t start, uintptr_t end);
/* Unmaps clean file pages that were not used lately so that the page cache can free them.
 * Returns how many frames became free. */
uint64_t areas_reclaim(void);
extern uint64_t resident_pages;
