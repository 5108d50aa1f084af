/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel heap: size classes from 16 to 2048 bytes carved from pages, larger blocks as whole
 * pages up to 4 MiB. Any context; lock "heap" taken inside. Blocks are aligned to 16 bytes.
 */
#pragma once

#include "core/pages.h"
#include "lib/types.h"

/* No block is larger; one of this size does not fit in a kernel built for tests, which puts guards around it. */
#define HEAP_BLOCK_MAX (PAGE_SIZE << PAGES_MAX_ORDER)

/* NULL when memory is exhausted, at PAGES_KEPT (core/pages.h). */
void *heap_allocate(size_t size) __attribute__((malloc));
void *heap_allocate_zeroed(size_t size) __attribute__((malloc));
/* The same at another level. */
void *heap_allocate_at(size_t size, enum pages_level level) __attribute__((malloc));
void *heap_allocate_zeroed_at(size_t size, enum pages_level level) __attribute__((malloc));
/* NULL is allowed. */
void heap_free(void *block);
