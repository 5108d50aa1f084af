/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user half of the address space: areas (what mmap made), page faults, and what the Linux calls
 * do with them. Mutex "address_space" guards the areas and all user page tables; a page fault takes
 * it and may sleep for a file page.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "memory/mappable.h"
#include "platform/platform.h"
#include "threads/wait.h"

#define AREA_SHARED 1u        /* writes go to the source's pages */
#define AREA_STACK 2u         /* for /proc/self/maps only */
#define AREA_READ_ONLY 4u     /* never to become writable: a file open for reading only, pages of the kernel */
#define AREA_NO_RESERVE 8u    /* MAP_NORESERVE: memory is promised page by page */
#define AREA_KEPT 32u         /* anonymous and shared: its contents stay until it is unmapped */
#define AREA_COMMITTED 16u    /* private and has been writable: its memory was there when it became so */
#define AREA_THREAD_STACK 64u /* MAP_STACK: used from its end downwards, and rarely far */
#define AREA_LARGE 128u       /* MADV_HUGEPAGE: large pages, where memory is ample */

struct area {
    struct tree_node node;    /* by start */
    uintptr_t start, end;     /* bytes, page-aligned, [start, end) */
    unsigned protection;      /* MMU_*; 0: reserved, no access */
    unsigned flags;           /* AREA_* */
    struct mappable *object;  /* NULL: anonymous; one reference */
    uint64_t offset;          /* of start in the object, bytes, page-aligned */
    struct list source_link;  /* page_source.mappings, when it has an object */
    struct list reclaim_link; /* the areas to look through for idle pages, when these can be dropped */
    const char *name;         /* "[heap]", "[stack]", "[vdso]" or NULL */
    phys_t *fixed_pages;      /* vDSO and clock page: these frames, else NULL */
    size_t gap, largest_gap;  /* bytes free below it, and the most below any area of its subtree */
};

void address_space_init(void);
/* RLIMIT_AS and RLIMIT_DATA: what is mapped, and what of it is private and writable, does not grow beyond these bytes;
 * -ENOMEM. */
extern uint64_t address_space_limit, data_limit;
/* RLIMIT_STACK: bytes of the first thread's stack; what is in use stays. Set by address_space_set_stack_limit(), which
 * makes room for more, as far as there is any. */
extern uint64_t stack_limit;
void address_space_set_stack_limit(uint64_t bytes);

/* mmap(2) with kernel-checked arguments. `where` 0 or a hint; fixed replaces what is there unless
 * no_replace. The area takes its own reference to the object. Returns the address or -errno. */
struct map_request {
    uintptr_t where;
    size_t length;
    unsigned protection, flags;
    bool fixed, no_replace, populate;
    struct mappable *object; /* NULL: anonymous memory */
    uint64_t offset;
    const char *name;
    phys_t *fixed_pages;
};
int64_t address_space_map(const struct map_request *request);
int address_space_unmap(uintptr_t start, size_t length);
/* Pages that private memory may yet be promised, and MemAvailable: see mappings.c. */
uint64_t address_space_available(void);
int address_space_protect(uintptr_t start, size_t length, unsigned protection);
int64_t address_space_remap(uintptr_t start, size_t old_length, size_t new_length, bool may_move, bool fixed,
                            uintptr_t new_start);
/* Drops the pages; the next touch finds zeros or the file's contents. Areas that are AREA_KEPT keep them. */
int address_space_discard(uintptr_t start, size_t length);
/* From now on the first touch of private memory there maps large pages, where the platform has them and memory is ample
 * (large.c), or does so no longer; pages that are there stay as they are. -ENOMEM where there is a hole, with the
 * advice given for the rest, or without memory for areas. */
int address_space_advise_large(uintptr_t start, size_t length, bool large);
struct page_source;
/* The source has been cut to `pages` pages: takes those past it out of every mapping of it, so that touching
 * them raises SIGBUS. Sleeps; without the inode's lock. */
void address_space_cut_source(struct page_source *source, uint64_t pages);
/* From now on files that were mapped from the pages of `from` have pages of their own, `to`: sets *moved, which their
 * operations.pages() look at, and takes the pages of `from` out of every mapping. Sleeps. */
void address_space_move_source(struct page_source *from, struct page_source *to, bool *moved);
/* Brings pages in ahead of use; for_write breaks copy-on-write. -ENOMEM where there is a hole, as beyond the user
 * half; -EINVAL where the memory's protection forbids the access; -EFAULT beyond the end of a file. */
int address_space_populate(uintptr_t start, size_t length, bool for_write);
/* A mapping of the source is shared and can be or become writable. */
bool address_space_can_write(struct page_source *source);
/* 0, or -ENOMEM where the range has a hole. */
int address_space_check(uintptr_t start, size_t length);
/* The same, but first -EINVAL where a part of the range is shared or maps a file or pages of the kernel. */
int address_space_check_private(uintptr_t start, size_t length);
/* mincore(2): one byte a page, 1 if resident. -ENOMEM if the range has a hole. */
int address_space_residency(uintptr_t start, size_t pages, uint8_t *out);
uintptr_t address_space_break(uintptr_t wanted); /* brk(2) */
void address_space_set_break(uintptr_t start);

enum fault_result { FAULT_RESOLVED, FAULT_NO_AREA, FAULT_NO_ACCESS, FAULT_NO_MEMORY, FAULT_BEYOND_FILE, FAULT_IO };
/* Since the boot: page faults; those served by a large page, and those that would have been if there had been a free
 * block and enough memory besides. */
struct memory_events {
    uint64_t faults, large_served, large_missing;
};
extern struct memory_events memory_events;
/* `error` as the CPU gave it (FAULT_*). May sleep. */
enum fault_result address_space_fault(uintptr_t address, uint64_t error);

/* The next object that is mapped shared in [*at, end), all of which is mapped, with a reference; *at moves behind its
 * area. NULL: there is no more. */
struct mappable *address_space_shared_object(uintptr_t *at, uintptr_t end);
/* For /proc: visits areas in order under the mutex. */
void address_space_for_each(void (*visit)(const struct area *area, void *context), void *context);
struct area_pages {
    uint64_t resident, large; /* pages of PAGE_SIZE, and those among them that are parts of large pages */
};
/* For the visit of address_space_for_each(). Gives way. */
struct area_pages area_count_pages(const struct area *area);
struct address_space_usage {
    uint64_t reserved_bytes, resident_pages;
    uintptr_t code_start, stack_start, break_start, break_now;
};
/* Takes the mutex. */
void address_space_usage(struct address_space_usage *usage);
