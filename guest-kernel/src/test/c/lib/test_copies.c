/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memcpy() and memset() of lib/memory.S, and the copies of platform/x86/user_copy.S, for every length up to beyond
 * LONG_RUN words: whole at every offset, and with a page fault at every byte of them.
 *
 * The pages around an area cannot be reached; the signal for a fault does what kernel_page_fault() does for one that
 * cannot be served. Run by make test-lib.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "host/host.h"
#include "lib/runs.h"
#include "platform/platform.h"

void *kernel_memcpy(void *to, const void *from, size_t n);
void *kernel_memset(void *to, int byte, size_t n);

#define LENGTHS (8 * LONG_RUN + 24)
#define OFFSETS 16
#define AREA (2 * PAGE_SIZE)
#define UNTOUCHED 0xee

static uint8_t *area;       /* AREA bytes between pages that cannot be reached */
static uint8_t other[AREA]; /* the other end of a copy */
static unsigned faults;

static void serve_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    (void)signal, (void)info;
    if (*rip < (greg_t)user_copy_begin || *rip >= (greg_t)user_copy_end)
        abort();
    *rip = (greg_t)user_copy_fixup;
    faults++;
}

static uint8_t value(size_t i) { return (uint8_t)(i * 7 + 1); }

static void fill(uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = value(i);
}

static bool holds(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != value(i))
            return false;
    return true;
}

static bool all(const uint8_t *at, size_t n, uint8_t byte)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != byte)
            return false;
    return true;
}

static bool copies_whole(size_t n, size_t from, size_t to)
{
    memset(area, UNTOUCHED, n + 2 * OFFSETS);
    fill(other + from, n);
    bool right = kernel_memcpy(area + to, other + from, n) == area + to && holds(area + to, n);
    memset(area + to, UNTOUCHED, n);
    right = right && user_copy_raw(area + to, other + from, n) == 0 && holds(area + to, n);
    return right && all(area, to, UNTOUCHED) && all(area + to + n, OFFSETS, UNTOUCHED);
}

static bool fills_whole(size_t n, size_t to)
{
    memset(area, UNTOUCHED, n + 2 * OFFSETS);
    bool right = kernel_memset(area + to, 0x1a5, n) == area + to && all(area + to, n, 0xa5);
    right = right && user_clear_raw(area + to, n) == 0 && all(area + to, n, 0);
    return right && all(area, to, UNTOUCHED) && all(area + to + n, OFFSETS, UNTOUCHED);
}

static void test_whole(void)
{
    bool copied = true, filled = true;
    for (size_t n = 0; n <= LENGTHS; n++) {
        for (size_t to = 0; to < OFFSETS; to++) {
            filled = filled && fills_whole(n, to);
            for (size_t from = 0; from < OFFSETS; from++)
                copied = copied && copies_whole(n, from, to);
        }
    }
    CHECK(copied);
    CHECK(filled);
}

/* To lower addresses in the same memory, at every distance: what memmove() relies on. */
static void test_overlap(void)
{
    bool right = true;
    for (size_t n = 0; n <= LENGTHS; n++) {
        for (size_t distance = 1; distance < OFFSETS; distance++) {
            fill(other + distance, n);
            kernel_memcpy(other, other + distance, n);
            right = right && holds(other, n);
        }
    }
    CHECK(right);
}

/* Of n bytes the first `there` can be reached. */
static bool stops_reading(size_t n, size_t there, size_t to)
{
    uint8_t *from = area + AREA - there;
    memset(other, UNTOUCHED, n + 2 * OFFSETS);
    fill(from, there);
    return user_copy_raw(other + to, from, n) == n - there && holds(other + to, there) && all(other, to, UNTOUCHED) &&
           all(other + to + there, n - there + OFFSETS, UNTOUCHED);
}

static bool stops_writing(size_t n, size_t there, size_t from)
{
    uint8_t *to = area + AREA - there;
    memset(to - OFFSETS, UNTOUCHED, there + OFFSETS);
    fill(other + from, n);
    bool right = user_copy_raw(to, other + from, n) == n - there && holds(to, there);
    right = right && user_clear_raw(to, n) == n - there && all(to, there, 0);
    return right && all(to - OFFSETS, OFFSETS, UNTOUCHED);
}

static void test_faults(void)
{
    bool reads = true, writes = true;
    unsigned before = faults;
    for (size_t n = 1; n <= LENGTHS; n++) {
        for (size_t there = 0; there < n; there++) {
            reads = reads && stops_reading(n, there, n % 8);
            writes = writes && stops_writing(n, there, there % 8);
        }
    }
    for (size_t there = PAGE_SIZE - 9; there <= PAGE_SIZE + 9; there++) {
        reads = reads && stops_reading(PAGE_SIZE + 99, there, there % 8);
        writes = writes && stops_writing(PAGE_SIZE + 99, there, 1);
    }
    CHECK(reads);
    CHECK(writes);
    CHECK(faults - before >= 3 * (LENGTHS * (LENGTHS + 1) / 2 + 19));
}

static void test_first_byte(void)
{
    CHECK(user_copy_raw(other, NULL, 100) == 100);
    CHECK(user_clear_raw(NULL, 100) == 100);
}

static void make_area(void)
{
    struct sigaction action = { .sa_sigaction = serve_fault, .sa_flags = SA_SIGINFO };
    uint8_t *map = mmap(NULL, AREA + 2 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + PAGE_SIZE, AREA, PROT_READ | PROT_WRITE) != 0 ||
        sigaction(SIGSEGV, &action, NULL) != 0) {
        perror("test_copies");
        exit(2);
    }
    area = map + PAGE_SIZE;
}

int main(void)
{
    host_init();
    make_area();
    host_test("every length is copied and filled at every offset", test_whole);
    host_test("a copy to lower addresses may overlap", test_overlap);
    host_test("what a fault leaves is exact to the byte", test_faults);
    host_test("nothing is moved from or to address 0", test_first_byte);
    return host_result();
}
