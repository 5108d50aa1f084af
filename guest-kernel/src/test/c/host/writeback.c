/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory/writeback.h for tests, which have one thread: nothing is written until a test calls page_cache_write_some(),
 * or memory runs out. Tests without a page cache have no dirty pages.
 */
#include "memory/writeback.h"

#include "memory/page_cache.h"

extern bool page_cache_write_some(void) __attribute__((weak));
extern void page_cache_write_source(struct page_source *source) __attribute__((weak));

void writeback_start(void) {}
void writeback_dirtied(void) {}
void writeback_source(struct page_source *source) { page_cache_write_source(source); }
void writeback_throttle(void) {}
bool writeback_make_room(void) { return page_cache_write_some && page_cache_write_some(); }
