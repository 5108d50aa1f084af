/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on a scratch disk: on Linux they lie in a plain directory, in the guest in /scratch, on a disk of 256 MiB that
 * src/it/run gives a machine of 64 MiB. So what is written here is larger than the guest's memory, and has been on the
 * disk when it is read.
 */
#define _GNU_SOURCE
#include "pages.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LARGE (96UL << 20) /* more than the guest's memory */
#define THREADS 4
#define ROUNDS 12

static void enter(void)
{
    const char *directory = in_guest() ? "/scratch" : "/tmp/unikernel-scratch";
    if (!in_guest())
        mkdir(directory, 0700);
    CHECK_EQUAL(chdir(directory), 0);
}

static int create(const char *name)
{
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    return file;
}

static void write_pages(int file, unsigned pattern, size_t from, size_t to)
{
    uint64_t pages[16 * PAGE / sizeof(uint64_t)];
    for (size_t i = from; i < to; i += 16) {
        size_t count = to - i < 16 ? to - i : 16;
        for (size_t j = 0; j < count; j++)
            fill(pages + j * (PAGE / sizeof(uint64_t)), pattern, i + j);
        CHECK_EQUAL(pwrite(file, pages, count * PAGE, (off_t)(i * PAGE)), count * PAGE);
    }
}

static size_t wrong_pages(int file, unsigned pattern, size_t from, size_t to)
{
    uint64_t page[PAGE / sizeof(uint64_t)];
    size_t wrong = 0;
    for (size_t i = from; i < to; i++)
        wrong += pread(file, page, PAGE, (off_t)(i * PAGE)) != PAGE || !holds(page, pattern, i);
    return wrong;
}

static uint64_t free_bytes(void)
{
    struct statvfs sizes;
    CHECK_EQUAL(statvfs(".", &sizes), 0);
    return (uint64_t)sizes.f_bfree * sizes.f_frsize;
}

/* Writes so much that nothing else stays in the page cache. */
static void displace(void)
{
    int file = create("displacing");
    write_pages(file, 99, 0, LARGE / PAGE);
    CHECK_EQUAL(wrong_pages(file, 99, 0, LARGE / PAGE), 0);
    close(file);
    CHECK_EQUAL(unlink("displacing"), 0);
}

static void larger_than_memory(void)
{
    enter();
    uint64_t before = free_bytes();
    int file = create("large");
    write_pages(file, 1, 0, LARGE / PAGE);
    struct stat status;
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_size, LARGE);
    CHECK_EQUAL(status.st_blocks * 512, LARGE);
    CHECK_EQUAL(wrong_pages(file, 1, 0, LARGE / PAGE), 0);
    if (in_guest())
        CHECK_EQUAL(before - free_bytes(), LARGE);
    for (size_t i = 0, at = 7; i < 500; i++, at = (at * 7919 + 13) % (LARGE / PAGE))
        CHECK_EQUAL(wrong_pages(file, 1, at, at + 1), 0);
    close(file);
    CHECK_EQUAL(unlink("large"), 0);
    if (in_guest())
        CHECK_EQUAL(free_bytes(), before);
}

static void overwritten_here_and_there(void)
{
    enter();
    int file = create("spots");
    write_pages(file, 2, 0, LARGE / PAGE);
    for (size_t i = 0, at = 3; i < 300; i++, at = (at + 79) % (LARGE / PAGE))
        write_pages(file, 3, at, at + 1);
    char byte = 'x';
    CHECK_EQUAL(pwrite(file, &byte, 1, 11 * PAGE + 5), 1); /* a part of one, which has to be read first */
    displace();
    for (size_t i = 0, at = 3; i < 300; i++, at = (at + 79) % (LARGE / PAGE))
        CHECK_EQUAL(wrong_pages(file, 3, at, at + 1), 0);
    CHECK_EQUAL(wrong_pages(file, 2, 4, 11), 0);
    uint64_t page[PAGE / sizeof(uint64_t)], wanted[PAGE / sizeof(uint64_t)];
    CHECK_EQUAL(pread(file, page, PAGE, 11 * PAGE), PAGE);
    fill(wanted, 2, 11);
    ((char *)wanted)[5] = 'x';
    CHECK(memcmp(page, wanted, PAGE) == 0);
    close(file);
    CHECK_EQUAL(unlink("spots"), 0);
}

static void written_through_a_mapping(void)
{
    enter();
    int file = create("mapped");
    CHECK_EQUAL(ftruncate(file, LARGE), 0);
    char *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t i = 0; i < LARGE / PAGE; i++)
        fill((uint64_t *)(memory + i * PAGE), 4, i);
    /* Read through the mapping, through the file, and after a second change. */
    for (size_t i = 0; i < LARGE / PAGE; i++)
        CHECK(holds((uint64_t *)(memory + i * PAGE), 4, i));
    for (size_t i = 0; i < LARGE / PAGE; i += 5)
        fill((uint64_t *)(memory + i * PAGE), 5, i);
    CHECK_EQUAL(msync(memory, LARGE, MS_SYNC), 0);
    for (size_t i = 0; i < LARGE / PAGE; i++)
        CHECK_EQUAL(wrong_pages(file, i % 5 ? 4 : 5, i, i + 1), 0);
    CHECK_EQUAL(munmap(memory, LARGE), 0);
    displace();
    for (size_t i = 0; i < LARGE / PAGE; i += 3)
        CHECK_EQUAL(wrong_pages(file, i % 5 ? 4 : 5, i, i + 1), 0);
    close(file);
    CHECK_EQUAL(unlink("mapped"), 0);
}

static void protection_changes(void)
{
    enter();
    int file = create("protected");
    write_pages(file, 6, 0, 64);
    displace();
    char *memory = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, file, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t i = 0; i < 64; i++)
        CHECK(holds((uint64_t *)(memory + i * PAGE), 6, i));
    CHECK_EQUAL(mprotect(memory, 64 * PAGE, PROT_READ | PROT_WRITE), 0);
    for (size_t i = 0; i < 64; i++)
        fill((uint64_t *)(memory + i * PAGE), 7, i);
    CHECK_EQUAL(munmap(memory, 64 * PAGE), 0);
    displace();
    CHECK_EQUAL(wrong_pages(file, 7, 0, 64), 0);
    char *own = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    CHECK(own != MAP_FAILED);
    memset(own, 'p', 64 * PAGE);
    CHECK_EQUAL(munmap(own, 64 * PAGE), 0);
    CHECK_EQUAL(wrong_pages(file, 7, 0, 64), 0);
    close(file);
    CHECK_EQUAL(unlink("protected"), 0);
}

static void cut_and_extended(void)
{
    enter();
    int file = create("cut");
    write_pages(file, 8, 0, 40);
    displace();
    CHECK_EQUAL(ftruncate(file, 10 * PAGE + 100), 0);
    CHECK_EQUAL(ftruncate(file, 20 * PAGE), 0);
    displace();
    uint64_t page[PAGE / sizeof(uint64_t)], wanted[PAGE / sizeof(uint64_t)];
    CHECK_EQUAL(wrong_pages(file, 8, 0, 10), 0);
    fill(wanted, 8, 10);
    memset((char *)wanted + 100, 0, PAGE - 100);
    CHECK_EQUAL(pread(file, page, PAGE, 10 * PAGE), PAGE);
    CHECK(memcmp(page, wanted, PAGE) == 0);
    memset(wanted, 0, PAGE);
    for (size_t i = 11; i < 20; i++) {
        CHECK_EQUAL(pread(file, page, PAGE, (off_t)(i * PAGE)), PAGE);
        CHECK(memcmp(page, wanted, PAGE) == 0);
    }
    struct stat status;
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK(status.st_blocks * 512 <= 12 * PAGE);
    close(file);
    CHECK_EQUAL(unlink("cut"), 0);
}

static void mapping_is_cut(void)
{
    enter();
    int file = create("cut-mapped");
    write_pages(file, 9, 0, 8);
    char *memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(memory != MAP_FAILED);
    memory[7 * PAGE] = 1;
    CHECK_EQUAL(ftruncate(file, PAGE), 0);
    CHECK_FAULT(touch_write, memory + 7 * PAGE, SIGBUS, BUS_ADRERR);
    CHECK_FAULT(touch_read, memory + PAGE, SIGBUS, BUS_ADRERR);
    CHECK(holds((uint64_t *)memory, 9, 0));
    munmap(memory, 8 * PAGE);
    close(file);
    CHECK_EQUAL(unlink("cut-mapped"), 0);
}

static void holes_take_no_room(void)
{
    enter();
    int file = create("sparse");
    CHECK_EQUAL(ftruncate(file, 1L << 36), 0);
    write_pages(file, 10, 1 << 20, (1 << 20) + 1);
    struct stat status;
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_blocks * 512, PAGE);
    char zeros[PAGE] = { 0 }, page[PAGE];
    CHECK_EQUAL(pread(file, page, PAGE, 1L << 35), PAGE);
    CHECK(memcmp(page, zeros, PAGE) == 0);
    displace();
    CHECK_EQUAL(wrong_pages(file, 10, 1 << 20, (1 << 20) + 1), 0);
    close(file);
    CHECK_EQUAL(unlink("sparse"), 0);
}

static atomic_uint thread_failures;

/* Files that grow, are cut, read and removed, several at a time. */
static void *use_files(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    uint64_t page[PAGE / sizeof(uint64_t)];
    char name[32];
    snprintf(name, sizeof(name), "thread-%u", number);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned pattern = 100 + number * ROUNDS + round;
        size_t pages = 500 + (number * 977 + round * 613) % 2000;
        int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
        for (size_t i = 0; i < pages; i++) {
            fill(page, pattern, i);
            thread_failures += pwrite(file, page, PAGE, (off_t)(i * PAGE)) != PAGE;
        }
        size_t kept = pages / 2;
        thread_failures += ftruncate(file, (off_t)(kept * PAGE)) != 0;
        for (size_t i = 0; i < kept; i++)
            thread_failures += pread(file, page, PAGE, (off_t)(i * PAGE)) != PAGE || !holds(page, pattern, i);
        close(file);
        if (round % 3 == 0)
            thread_failures += unlink(name) != 0;
    }
    unlink(name);
    return NULL;
}

static void several_threads(void)
{
    enter();
    uint64_t before = free_bytes();
    pthread_t threads[THREADS];
    thread_failures = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, use_files, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(thread_failures, 0);
    if (in_guest())
        CHECK_EQUAL(free_bytes(), before);
}

/* The guest's disk is full at 256 MiB; Linux's is not to be filled. */
static void full_disk(void)
{
    enter();
    if (!in_guest())
        return;
    uint64_t before = free_bytes(), page[PAGE / sizeof(uint64_t)];
    int file = create("full"), other = create("other");
    size_t pages = 0;
    for (;; pages++) {
        fill(page, 11, pages);
        ssize_t n = write(file, page, PAGE);
        if (n != PAGE) {
            CHECK_EQUAL(n, -1);
            CHECK_EQUAL(errno, ENOSPC);
            break;
        }
    }
    CHECK_EQUAL(pages, before / PAGE);
    CHECK_EQUAL(free_bytes(), 0);
    CHECK_ERROR(write(other, page, 1), ENOSPC);
    CHECK_EQUAL(ftruncate(other, PAGE), 0);
    char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_FAULT(touch_write, memory, SIGBUS, BUS_ADRERR);
    CHECK_EQUAL(memory[0], 0);
    CHECK_EQUAL(wrong_pages(file, 11, 0, pages), 0);
    CHECK_EQUAL(ftruncate(file, 0), 0);
    CHECK_EQUAL(free_bytes(), before);
    memory[0] = 'y';
    char byte;
    CHECK_EQUAL(pread(other, &byte, 1, 0), 1);
    CHECK_EQUAL(byte, 'y');
    munmap(memory, PAGE);
    close(file);
    close(other);
    CHECK_EQUAL(unlink("full"), 0);
    CHECK_EQUAL(unlink("other"), 0);
}

static void names_and_attributes(void)
{
    enter();
    CHECK_EQUAL(mkdir("directory", 0755), 0);
    int file = create("directory/file");
    write_fully(file, "abc", 3);
    CHECK_EQUAL(fsync(file), 0);
    CHECK_EQUAL(posix_fallocate(file, 0, 3 * PAGE), 0);
    struct stat status;
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_size, 3 * PAGE);
    CHECK_EQUAL(status.st_blocks * 512, 3 * PAGE);
    CHECK_EQUAL(rename("directory/file", "moved"), 0);
    CHECK_EQUAL(link("moved", "twin"), 0);
    CHECK_EQUAL(unlink("moved"), 0);
    char text[4] = "";
    CHECK_EQUAL(pread(file, text, 3, 0), 3);
    CHECK(strcmp(text, "abc") == 0);
    close(file);
    CHECK_EQUAL(unlink("twin"), 0);
    CHECK_EQUAL(rmdir("directory"), 0);
}

SUITE(scratch, TEST(names_and_attributes), TEST(holes_take_no_room), TEST(larger_than_memory),
      TEST(overwritten_here_and_there), TEST(written_through_a_mapping), TEST(protection_changes),
      TEST(cut_and_extended), TEST(mapping_is_cut), TEST(several_threads), TEST(full_disk));
