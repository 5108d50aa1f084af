/* SPDX-License-Identifier: Apache-2.0 */
/* mmap(2) and its relatives, and what touching memory wrongly gives. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t length, int protection)
{
    char *at = mmap(NULL, length, protection, ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static bool all_bytes(const char *at, size_t length, char byte)
{
    for (size_t i = 0; i < length; i++)
        if (at[i] != byte)
            return false;
    return true;
}

static void anonymous_pages_are_zero(void)
{
    char *at = map(64 * PAGE, READ_WRITE);
    CHECK(all_bytes(at, 64 * PAGE, 0));
    memset(at, 7, 64 * PAGE);
    CHECK(all_bytes(at, 64 * PAGE, 7));
    CHECK_EQUAL(munmap(at, 64 * PAGE), 0);
    CHECK_FAULT(touch_read, at, SIGSEGV, SEGV_MAPERR);
}

static void fault_tells_address_and_reason(void)
{
    char *at = map(3 * PAGE, READ_WRITE);
    CHECK_EQUAL(mprotect(at + PAGE, PAGE, PROT_READ), 0);
    struct fault fault = fault_of(touch_write, at + PAGE + 123);
    CHECK_EQUAL(fault.signal, SIGSEGV);
    CHECK_EQUAL(fault.code, SEGV_ACCERR);
    CHECK(fault.address == at + PAGE + 123);
    CHECK_EQUAL(munmap(at + PAGE, PAGE), 0);
    fault = fault_of(touch_read, at + PAGE + 5);
    CHECK_EQUAL(fault.code, SEGV_MAPERR);
    CHECK(fault.address == at + PAGE + 5);
    at[0] = at[2 * PAGE] = 1;
    munmap(at, 3 * PAGE);
}

static void protect_changes_what_is_allowed(void)
{
    char *at = map(4 * PAGE, PROT_NONE);
    CHECK_FAULT(touch_read, at, SIGSEGV, SEGV_ACCERR);
    CHECK_EQUAL(mprotect(at, 2 * PAGE, READ_WRITE), 0);
    at[PAGE] = 42;
    CHECK_EQUAL(mprotect(at, 2 * PAGE, PROT_NONE), 0);
    CHECK_FAULT(touch_read, at + PAGE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQUAL(mprotect(at, 4 * PAGE, PROT_READ), 0);
    CHECK_EQUAL(at[PAGE], 42);
    CHECK_FAULT(touch_write, at + PAGE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQUAL(mprotect(at, 4 * PAGE, READ_WRITE), 0);
    at[3 * PAGE] = 1;
    munmap(at + PAGE, PAGE);
    CHECK_ERROR(mprotect(at, 4 * PAGE, PROT_READ), ENOMEM);
    CHECK_ERROR(mprotect(at + 1, PAGE, PROT_READ), EINVAL);
    munmap(at, 4 * PAGE);
}

static void fixed_mapping_replaces(void)
{
    char *at = map(4 * PAGE, READ_WRITE);
    memset(at, 3, 4 * PAGE);
    CHECK(mmap(at + PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
    CHECK_EQUAL(at[PAGE], 0);
    CHECK_EQUAL(at[2 * PAGE], 3);
    CHECK_ERROR((intptr_t)mmap(at, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    munmap(at, 4 * PAGE);
}

static void bad_arguments_are_refused(void)
{
    CHECK_ERROR((intptr_t)mmap(NULL, 0, PROT_READ, ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERROR((intptr_t)mmap((void *)1, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERROR((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_ERROR((intptr_t)mmap(NULL, 1UL << 50, READ_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0), ENOMEM);
    CHECK_ERROR(munmap((void *)1, PAGE), EINVAL);
}

static void large_reservation_costs_nothing(void)
{
    size_t length = 1UL << 36;
    char *at = mmap(NULL, length, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(at != MAP_FAILED);
    CHECK(mmap(at + length / 2, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) == at + length / 2);
    at[length / 2] = 1;
    CHECK_EQUAL(munmap(at, length), 0);
}

static void remap_grows_moves_and_keeps(void)
{
    char *at = map(2 * PAGE, READ_WRITE);
    memset(at, 5, 2 * PAGE);
    char *larger = mremap(at, 2 * PAGE, 300 * PAGE, MREMAP_MAYMOVE);
    CHECK(larger != MAP_FAILED);
    CHECK(all_bytes(larger, 2 * PAGE, 5));
    CHECK(all_bytes(larger + 2 * PAGE, 298 * PAGE, 0));
    larger = mremap(larger, 300 * PAGE, PAGE, 0);
    CHECK(larger != MAP_FAILED);
    CHECK_EQUAL(larger[0], 5);
    CHECK_FAULT(touch_read, larger + PAGE, SIGSEGV, SEGV_MAPERR);
    munmap(larger, PAGE);
}

static void discard_gives_zeros(void)
{
    char *at = map(8 * PAGE, READ_WRITE);
    memset(at, 9, 8 * PAGE);
    CHECK_EQUAL(madvise(at + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
    CHECK_EQUAL(at[0], 9);
    CHECK(all_bytes(at + PAGE, 2 * PAGE, 0));
    CHECK_EQUAL(at[3 * PAGE], 9);
    CHECK_ERROR(madvise(at + 1, PAGE, MADV_DONTNEED), EINVAL);
    munmap(at, 8 * PAGE);
}

static void residency_follows_touch(void)
{
    unsigned char resident[4];
    char *at = map(4 * PAGE, READ_WRITE);
    CHECK_EQUAL(mincore(at, 4 * PAGE, resident), 0);
    CHECK_EQUAL(resident[1] & 1, 0);
    at[PAGE] = 1;
    CHECK_EQUAL(mincore(at, 4 * PAGE, resident), 0);
    CHECK_EQUAL(resident[1] & 1, 1);
    munmap(at, 4 * PAGE);
    CHECK_ERROR(mincore(at, 4 * PAGE, resident), ENOMEM);
}

static void break_grows_and_shrinks(void)
{
    char *start = sbrk(0);
    CHECK(sbrk(16 * PAGE) == start);
    memset(start, 1, 16 * PAGE);
    CHECK(sbrk(-(intptr_t)(8 * PAGE)) == start + 16 * PAGE);
    CHECK(sbrk(8 * PAGE) == start + 8 * PAGE);
    CHECK(all_bytes(start + 9 * PAGE, 7 * PAGE, 0));
    CHECK(sbrk(-(intptr_t)(16 * PAGE)) == start + 16 * PAGE);
}

/* A file with this content that keeps its name. */
static int scratch_copy(const char *text)
{
    int file = open("memory-test", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, text, strlen(text)), strlen(text));
    return file;
}

static int scratch_file(size_t length)
{
    int file = scratch_copy("");
    CHECK_EQUAL(unlink("memory-test"), 0);
    CHECK_EQUAL(ftruncate(file, (off_t)length), 0);
    return file;
}

static void shared_file_mapping_and_file_agree(void)
{
    char byte = 0;
    int file = scratch_file(3 * PAGE);
    char *shared = mmap(NULL, 3 * PAGE, READ_WRITE, MAP_SHARED, file, 0);
    char *other = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, PAGE);
    CHECK(shared != MAP_FAILED && other != MAP_FAILED);
    shared[PAGE + 1] = 'x';
    CHECK_EQUAL(pread(file, &byte, 1, PAGE + 1), 1);
    CHECK_EQUAL(byte, 'x');
    CHECK_EQUAL(other[1], 'x');
    CHECK_EQUAL(pwrite(file, "y", 1, PAGE + 2), 1);
    CHECK_EQUAL(shared[PAGE + 2], 'y');
    CHECK_EQUAL(msync(shared, 3 * PAGE, MS_SYNC), 0);
    munmap(shared, 3 * PAGE);
    munmap(other, PAGE);
    close(file);
}

static void private_file_mapping_copies_on_write(void)
{
    char byte = 0;
    int file = scratch_file(PAGE);
    CHECK_EQUAL(pwrite(file, "abc", 3, 0), 3);
    char *copy = mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE, file, 0);
    CHECK(copy != MAP_FAILED);
    CHECK_EQUAL(copy[1], 'b');
    copy[1] = 'B';
    CHECK_EQUAL(pread(file, &byte, 1, 1), 1);
    CHECK_EQUAL(byte, 'b');
    CHECK_EQUAL(copy[1], 'B');
    munmap(copy, PAGE);
    close(file);
}

/* A file opened for reading is not written to through a mapping, however its protection came about. */
static void shared_mapping_of_a_read_only_file_stays_so(void)
{
    close(scratch_copy("abc"));
    int file = open("memory-test", O_RDONLY);
    CHECK(file >= 0);
    CHECK_ERROR((intptr_t)mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, file, 0), EACCES);
    char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    char *own = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    CHECK(shared != MAP_FAILED && own != MAP_FAILED);
    CHECK_EQUAL(shared[0], 'a');
    CHECK_EQUAL(own[0], 'a');
    CHECK_ERROR(mprotect(shared, PAGE, READ_WRITE), EACCES);
    CHECK_EQUAL(mprotect(shared, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_FAULT(touch_write, shared, SIGSEGV, SEGV_ACCERR);
    CHECK_EQUAL(mprotect(own, PAGE, READ_WRITE), 0);
    own[0] = 'x';
    CHECK_EQUAL(shared[0], 'a');
    munmap(shared, PAGE);
    munmap(own, PAGE);
    close(file);
    CHECK_EQUAL(unlink("memory-test"), 0);
}

/* Where a page number of 32 bits would begin again; a file system may refuse the mapping itself. */
static void far_behind_the_end_of_a_file_is_a_bus_error(void)
{
    int file = scratch_file(PAGE);
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 1L << 44);
    if (at == MAP_FAILED)
        CHECK_EQUAL(errno, EOVERFLOW);
    else
        CHECK_FAULT(touch_read, at, SIGBUS, BUS_ADRERR);
    CHECK_ERROR((intptr_t)mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, -(off_t)PAGE), EOVERFLOW);
    close(file);
}

static void behind_the_end_of_a_file_is_a_bus_error(void)
{
    int file = scratch_file(100);
    char *at = mmap(NULL, 2 * PAGE, READ_WRITE, MAP_SHARED, file, 0);
    CHECK(at != MAP_FAILED);
    CHECK_EQUAL(at[200], 0);
    CHECK_FAULT(touch_read, at + PAGE, SIGBUS, BUS_ADRERR);
    CHECK_EQUAL(ftruncate(file, 2 * PAGE), 0);
    at[PAGE] = 1;
    CHECK_EQUAL(ftruncate(file, 10), 0);
    CHECK_FAULT(touch_read, at + PAGE, SIGBUS, BUS_ADRERR);
    munmap(at, 2 * PAGE);
    close(file);
}

static void program_file_can_be_mapped(void)
{
    int file = open("/proc/self/exe", O_RDONLY);
    CHECK(file >= 0);
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    CHECK(at != MAP_FAILED);
    CHECK(memcmp(at, "\177ELF", 4) == 0);
    CHECK_ERROR((intptr_t)mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, file, 0), EACCES);
    munmap(at, PAGE);
    close(file);
}

static void code_written_can_be_run_when_asked_for(void)
{
    static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
    char *at = map(PAGE, READ_WRITE);
    memcpy(at, code, sizeof(code));
    CHECK_EQUAL(mprotect(at, PAGE, PROT_READ | PROT_EXEC), 0);
    CHECK_EQUAL(((int (*)(void))(uintptr_t)at)(), 42);
    CHECK_FAULT(touch_write, at, SIGSEGV, SEGV_ACCERR);
    munmap(at, PAGE);
}

static void many_small_areas(void)
{
    enum { AREAS = 2000 };
    char *at = map(2 * AREAS * PAGE, PROT_NONE);
    for (unsigned i = 0; i < AREAS; i++) {
        CHECK_EQUAL(mprotect(at + 2 * i * PAGE, PAGE, READ_WRITE), 0);
        at[2 * i * PAGE] = (char)i;
    }
    for (unsigned i = 0; i < AREAS; i++)
        CHECK_EQUAL(at[2 * i * PAGE], (char)i);
    CHECK_EQUAL(munmap(at, 2 * AREAS * PAGE), 0);
}

/* Bytes around those at which the kernel copies in another way. */
static const size_t copied_lengths[] = {
    1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 119, 120, 127, 128, 129, 135, 136, 137, 200
};
#define COPIED_LENGTHS (sizeof(copied_lengths) / sizeof(copied_lengths[0]))
#define COPIED_MAX 200

/* A pipe with so many bytes in it. */
static int filled_pipe(const char *bytes, size_t length)
{
    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(write(ends[1], bytes, length), length);
    close(ends[1]);
    return ends[0];
}

static void fill_pattern(char *bytes)
{
    for (unsigned i = 0; i < COPIED_MAX; i++)
        bytes[i] = (char)(i + 1);
}

/* Both pages are fresh each time, so the kernel meets a page fault in the middle of its copy, and serves it. */
static void copies_cross_into_fresh_pages(void)
{
    char *at = map(2 * PAGE, READ_WRITE), bytes[COPIED_MAX];
    fill_pattern(bytes);
    for (unsigned i = 0; i < COPIED_LENGTHS; i++) {
        size_t length = copied_lengths[i];
        for (size_t before = 0; before <= length; before++) {
            char *to = at + PAGE - before;
            int from = filled_pipe(bytes, length);
            CHECK_EQUAL(madvise(at, 2 * PAGE, MADV_DONTNEED), 0);
            CHECK_EQUAL(read(from, to, length), length);
            CHECK(memcmp(to, bytes, length) == 0);
            CHECK(all_bytes(at, PAGE - before, 0) && all_bytes(to + length, PAGE + before - length, 0));
            close(from);
        }
    }
    munmap(at, 2 * PAGE);
}

/* What fits before a page that cannot be reached is copied to the last byte. */
static void copies_end_at_a_page_out_of_reach(void)
{
    char *at = map(2 * PAGE, READ_WRITE), bytes[COPIED_MAX];
    fill_pattern(bytes);
    CHECK_EQUAL(mprotect(at + PAGE, PAGE, PROT_NONE), 0);
    for (unsigned i = 0; i < COPIED_LENGTHS; i++) {
        size_t length = copied_lengths[i];
        for (size_t before = 0; before < length; before++) {
            char *to = at + PAGE - before;
            int from = filled_pipe(bytes, length);
            CHECK_EQUAL(madvise(at, PAGE, MADV_DONTNEED), 0);
            CHECK_ERROR(read(from, to, length), EFAULT);
            CHECK(all_bytes(at, PAGE - before, 0) && memcmp(to, bytes, before) == 0);
            close(from);
        }
    }
    munmap(at, 2 * PAGE);
}

/* ---- Large pages: memory for which there was MADV_HUGEPAGE -------------------------------------------- */

#define LARGE (2UL << 20)
#define LARGE_PIECES 3UL

/* Aligned to LARGE, LARGE_PIECES of it, untouched. */
static char *map_for_large_pages(void)
{
    char *at = map((LARGE_PIECES + 1) * LARGE, READ_WRITE);
    char *aligned = (char *)(((uintptr_t)at + LARGE - 1) & ~(LARGE - 1));
    if (aligned > at)
        CHECK_EQUAL(munmap(at, (size_t)(aligned - at)), 0);
    CHECK_EQUAL(munmap(aligned + LARGE_PIECES * LARGE, LARGE - (size_t)(aligned - at)), 0);
    CHECK_EQUAL(madvise(aligned, LARGE_PIECES * LARGE, MADV_HUGEPAGE), 0);
    return aligned;
}

static char mark_of(size_t page) { return (char)(page % 251 + 1); }

static void mark(char *at, size_t bytes)
{
    for (size_t page = 0; page < bytes / PAGE; page++)
        at[page * PAGE] = at[page * PAGE + PAGE - 1] = mark_of(page);
}

/* The pages [from, to) of what was marked. */
static bool is_marked(const char *at, size_t from, size_t to)
{
    for (size_t page = from; page < to; page++)
        if (at[page * PAGE] != mark_of(page) || at[page * PAGE + PAGE - 1] != mark_of(page))
            return false;
    return true;
}

static void parts_of_large_pages_change(void)
{
    const size_t pages = LARGE_PIECES * LARGE / PAGE;
    char *at = map_for_large_pages();
    mark(at, pages * PAGE);
    CHECK_EQUAL(mprotect(at + 5 * PAGE, PAGE, PROT_READ), 0);
    CHECK_FAULT(touch_write, at + 5 * PAGE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQUAL(mprotect(at + 7 * PAGE, PAGE, PROT_NONE), 0);
    CHECK_FAULT(touch_read, at + 7 * PAGE, SIGSEGV, SEGV_ACCERR);
    CHECK_EQUAL(mprotect(at + 5 * PAGE, 3 * PAGE, READ_WRITE), 0);
    CHECK(is_marked(at, 0, pages));
    CHECK_EQUAL(madvise(at + LARGE + 9 * PAGE, PAGE, MADV_DONTNEED), 0);
    CHECK(all_bytes(at + LARGE + 9 * PAGE, PAGE, 0));
    CHECK(is_marked(at, 0, LARGE / PAGE + 9) && is_marked(at, LARGE / PAGE + 10, pages));
    CHECK_EQUAL(munmap(at + 2 * LARGE, PAGE), 0);
    CHECK_FAULT(touch_read, at + 2 * LARGE, SIGSEGV, SEGV_MAPERR);
    CHECK(is_marked(at, 2 * LARGE / PAGE + 1, pages));
    munmap(at, LARGE_PIECES * LARGE);
}

static void large_pages_move_and_shrink(void)
{
    const size_t pages = LARGE_PIECES * LARGE / PAGE;
    char *at = map_for_large_pages(), *to = map(2 * LARGE, PROT_NONE);
    mark(at, pages * PAGE);
    CHECK(mremap(at + LARGE - 8 * PAGE, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    for (size_t page = 0; page < 16; page++)
        CHECK_EQUAL(to[page * PAGE], mark_of(LARGE / PAGE - 8 + page));
    CHECK_FAULT(touch_read, at + LARGE, SIGSEGV, SEGV_MAPERR);
    CHECK(is_marked(at, 0, LARGE / PAGE - 8) && is_marked(at, LARGE / PAGE + 8, pages));
    CHECK(mremap(at + 2 * LARGE, LARGE, LARGE / 2, 0) == at + 2 * LARGE);
    CHECK(is_marked(at, LARGE / PAGE + 8, 2 * LARGE / PAGE + LARGE / 2 / PAGE));
    munmap(at, LARGE_PIECES * LARGE);
    munmap(to, 2 * LARGE);
}

/* A page beside those that the other thread changes, in a large page that is made and split all the time. */
static volatile char *counted;
static volatile bool counting_ends;

static void *count_beside(void *wrong)
{
    for (unsigned i = 0; !counting_ends; i++) {
        char value = (char)(i % 255 + 1);
        *counted = value;
        char found = *counted;
        if (found != value && found != 0) /* the page may have been discarded between */
            *(bool *)wrong = true;
    }
    return NULL;
}

static void large_pages_are_split_while_they_are_used(void)
{
    char *at = map_for_large_pages();
    bool wrong = false;
    pthread_t thread;
    counting_ends = false;
    counted = at + LARGE + 100 * PAGE;
    CHECK_EQUAL(pthread_create(&thread, NULL, count_beside, &wrong), 0);
    for (unsigned round = 0; round < 200; round++) {
        char *changed = at + LARGE + (round % 2 ? 99 : 101) * PAGE;
        mark(changed, PAGE);
        CHECK_EQUAL(madvise(changed, PAGE, MADV_DONTNEED), 0);
        CHECK(all_bytes(changed, PAGE, 0));
        CHECK_EQUAL(mprotect(changed, PAGE, PROT_NONE), 0);
        CHECK_EQUAL(mprotect(changed, PAGE, READ_WRITE), 0);
        if (round % 8 == 0)
            CHECK_EQUAL(madvise(at, LARGE_PIECES * LARGE, MADV_DONTNEED), 0);
        else
            mark(at + 2 * LARGE, LARGE);
    }
    counting_ends = true;
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    munmap(at, LARGE_PIECES * LARGE);
    CHECK(!wrong);
}

/* The number after `name` in a file of /proc, or -1. */
static long number_in(const char *path, const char *name)
{
    char line[256];
    long number = -1;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            number = strtol(line + strlen(name), NULL, 10);
    fclose(file);
    return number;
}

static bool has_large_pages(void)
{
    char text[64] = "";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    bool read = file && fgets(text, sizeof(text), file);
    if (file)
        fclose(file);
    return read && strstr(text, "[never]") == NULL;
}

/* In the guest; Linux may have its memory in pieces. */
static void advice_saves_faults(void)
{
    char *at = map_for_large_pages();
    long mapped = number_in("/proc/meminfo", "AnonHugePages:");
    long faults = number_in("/proc/vmstat", "pgfault ");
    mark(at, LARGE_PIECES * LARGE);
    long more_mapped = number_in("/proc/meminfo", "AnonHugePages:") - mapped;
    long more_faults = number_in("/proc/vmstat", "pgfault ") - faults;
    if (in_guest() && has_large_pages()) {
        CHECK_EQUAL(more_mapped, LARGE_PIECES * LARGE / 1024);
        CHECK(more_faults < (long)(LARGE_PIECES * LARGE / PAGE / 16));
        CHECK_EQUAL(munmap(at + PAGE, PAGE), 0);
        CHECK_EQUAL(number_in("/proc/meminfo", "AnonHugePages:") - mapped, (LARGE_PIECES - 1) * LARGE / 1024);
    }
    munmap(at, LARGE_PIECES * LARGE);
}

SUITE(memory, TEST(anonymous_pages_are_zero), TEST(fault_tells_address_and_reason),
      TEST(protect_changes_what_is_allowed), TEST(fixed_mapping_replaces), TEST(bad_arguments_are_refused),
      TEST(large_reservation_costs_nothing), TEST(remap_grows_moves_and_keeps), TEST(discard_gives_zeros),
      TEST(residency_follows_touch), TEST(break_grows_and_shrinks), TEST(shared_file_mapping_and_file_agree),
      TEST(private_file_mapping_copies_on_write), TEST(behind_the_end_of_a_file_is_a_bus_error),
      TEST(far_behind_the_end_of_a_file_is_a_bus_error), TEST(shared_mapping_of_a_read_only_file_stays_so),
      TEST(program_file_can_be_mapped), TEST(code_written_can_be_run_when_asked_for), TEST(many_small_areas),
      TEST(copies_cross_into_fresh_pages), TEST(copies_end_at_a_page_out_of_reach), TEST(parts_of_large_pages_change),
      TEST(large_pages_move_and_shrink), TEST(large_pages_are_split_while_they_are_used), TEST(advice_saves_faults));
