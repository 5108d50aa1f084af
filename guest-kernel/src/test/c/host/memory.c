/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heap, page frames and user memory of the host shim.
 *
 * The heap is malloc(), filled with a pattern, so that AddressSanitizer sees every block. Frames lie in an arena at the
 * direct map's place and are poisoned while free. User memory is the process's own; host.h has what makes an allocation
 * or an access fail. One thread, no locks.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/debug.h"
#include "core/heap.h"
#include "core/pages.h"
#include "host/host.h"
#include "host/internal.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "platform/platform.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define poison(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n) ((void)(p))
#define unpoison(p, n) ((void)(p))
#endif

uint64_t (*pages_reclaim)(uint64_t wanted, enum pages_level level);

static uint64_t heap_blocks, pages_in_use, allocations_left;
static bool one_fails;
static uint8_t *arena;
static struct page descriptors[HOST_PAGES];
static uint64_t next_fit;
static uintptr_t fault_start, fault_end;

void host_memory_init(void)
{
    arena = mmap((void *)DIRECT_MAP, HOST_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (arena != (void *)DIRECT_MAP)
        abort();
    descriptors[0].references = 1; /* frame 0 is nobody's: 0 means "none" in the page cache */
    poison(arena, HOST_PAGES * PAGE_SIZE);
}

uint64_t host_heap_blocks(void) { return heap_blocks; }
uint64_t host_pages_in_use(void) { return pages_in_use; }

static void fail_from(uint64_t n, bool only_one)
{
    allocations_left = n;
    one_fails = only_one;
}

void host_fail_allocation(uint64_t n) { fail_from(n, false); }
void host_fail_one_allocation(uint64_t n) { fail_from(n, true); }

static bool must_fail(void)
{
    bool fails = allocations_left == 1;
    if (allocations_left > 1 || (fails && one_fails))
        allocations_left--;
    return fails;
}

void *heap_allocate_at(size_t size, enum pages_level level)
{
    (void)level;
    if (must_fail())
        return NULL;
    void *block = malloc(size ? size : 1);
    if (!block)
        abort();
    memset(block, 0xa5, size);
    heap_blocks++;
    return block;
}

void *heap_allocate_zeroed_at(size_t size, enum pages_level level)
{
    void *block = heap_allocate_at(size, level);
    if (block)
        memset(block, 0, size);
    return block;
}

void *heap_allocate(size_t size) { return heap_allocate_at(size, PAGES_KEPT); }
void *heap_allocate_zeroed(size_t size) { return heap_allocate_zeroed_at(size, PAGES_KEPT); }

void heap_free(void *block)
{
    if (!block)
        return;
    heap_blocks--;
    free(block);
}

struct page *page_of(phys_t address)
{
    uintptr_t offset = (uintptr_t)phys_to_virt(address) - (uintptr_t)arena;
    if (offset >= HOST_PAGES * PAGE_SIZE)
        abort();
    return &descriptors[offset >> PAGE_SHIFT];
}

phys_t page_address(const struct page *page) { return virt_to_phys(arena + (size_t)(page - descriptors) * PAGE_SIZE); }

static struct page *find_free(unsigned order)
{
    uint64_t count = 1UL << order;
    for (uint64_t tried = 0; tried < HOST_PAGES; tried += count, next_fit += count) {
        uint64_t first = align_up(next_fit, count) % HOST_PAGES, i;
        for (i = 0; i < count && descriptors[first + i].references == 0; i++)
            ;
        if (i < count)
            continue;
        for (i = 0; i < count; i++)
            descriptors[first + i] = (struct page){ .references = 1 };
        unpoison(arena + first * PAGE_SIZE, count * PAGE_SIZE);
        memset(arena + first * PAGE_SIZE, 0xa5, count * PAGE_SIZE);
        pages_in_use += count;
        next_fit = first + count;
        return &descriptors[first];
    }
    return NULL;
}

struct page *pages_allocate_at(unsigned order, enum pages_level level)
{
    (void)level;
    if (must_fail())
        return NULL;
    struct page *page = find_free(order);
    if (!page && pages_reclaim && pages_reclaim(64UL << order, PAGES_NEEDED))
        page = find_free(order);
    return page;
}

struct page *pages_allocate_leaving(unsigned order, uint64_t left)
{
    return pages_free_count() < (1UL << order) + left || must_fail() ? NULL : find_free(order);
}

struct page *pages_allocate(unsigned order) { return pages_allocate_at(order, PAGES_KEPT); }
struct page *page_allocate_at(enum pages_level level) { return pages_allocate_at(0, level); }
struct page *page_allocate(void) { return page_allocate_at(PAGES_KEPT); }

struct page *page_allocate_zeroed(void)
{
    struct page *page = page_allocate();
    if (page)
        memset(page_data(page), 0, PAGE_SIZE);
    return page;
}

void pages_free(struct page *first, unsigned order)
{
    for (uint64_t i = 0; i < 1UL << order; i++)
        first[i].references = 0;
    pages_in_use -= 1UL << order;
    poison(page_data(first), PAGE_SIZE << order);
}

void page_get(struct page *page)
{
    if (page->references++ == 0)
        abort();
}

void page_put(struct page *page)
{
    if (page->references == 0)
        abort();
    if (page->references == 1)
        pages_free(page, 0);
    else
        page->references--;
}

/* A platform without large pages, unless a test has page tables of its own with them. */
__attribute__((weak)) bool mmu_has_large_pages(void) { return false; }
__attribute__((weak)) int mmu_map_large(const struct mmu_entry *entry)
{
    (void)entry;
    return -ENOMEM;
}
__attribute__((weak)) struct mmu_large_counts mmu_large_counts(void) { return (struct mmu_large_counts){ 0 }; }

uint64_t host_pages_withheld, host_pages_total = HOST_PAGES;
uint64_t pages_free_count(void) { return HOST_PAGES - pages_in_use - host_pages_withheld; }
uint64_t pages_margin(void) { return 2 * PAGES_RESERVE; }
uint64_t pages_free_at(enum pages_level level)
{
    uint64_t free = pages_free_count(), left[] = { pages_margin(), PAGES_RESERVE, 0 };
    return free > left[level] ? free - left[level] : 0;
}
uint64_t pages_total_count(void) { return host_pages_total; }

void host_fault_range(uintptr_t start, uintptr_t end)
{
    fault_start = start;
    fault_end = end;
}

void (*host_user_access)(void);

static bool user_fails(uintptr_t start, size_t length)
{
    if (host_user_access != NULL)
        host_user_access();
    if (start < USER_LOWEST || start + length < start || start + length > USER_LIMIT)
        return true;
    return start < fault_end && start + length > fault_start;
}

int user_read(void *to, uintptr_t from, size_t length)
{
    may_sleep();
    if (length == 0)
        return 0;
    if (user_fails(from, length))
        return -EFAULT;
    memcpy(to, (const void *)from, length);
    return 0;
}

int user_write(uintptr_t to, const void *from, size_t length)
{
    may_sleep();
    if (length == 0)
        return 0;
    if (user_fails(to, length))
        return -EFAULT;
    memcpy((void *)to, from, length);
    return 0;
}

int user_clear(uintptr_t to, size_t length)
{
    may_sleep();
    if (length == 0)
        return 0;
    if (user_fails(to, length))
        return -EFAULT;
    memset((void *)to, 0, length);
    return 0;
}

ssize_type user_read_string(char *to, uintptr_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (user_fails(from + i, 1))
            return -EFAULT;
        to[i] = ((const char *)from)[i];
        if (!to[i])
            return (ssize_type)i;
    }
    return -ENAMETOOLONG;
}
