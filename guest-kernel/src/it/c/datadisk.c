/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on a data disk: on Linux they lie in the working directory, in the guest in /data, on a disk of 160 MiB that
 * src/it/run gives a machine of 64 MiB. The suite datadisk writes, and keptdisk, in the next boot, reads what the first
 * has left.
 */
#define _GNU_SOURCE
#include "pages.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define LARGE (96UL << 20) /* more than the guest's memory */
#define NAMES 3000

static void enter(void)
{
    if (in_guest())
        CHECK_EQUAL(chdir("/data"), 0);
}

static int open_file(const char *name, int flags)
{
    int file = open(name, flags, 0640);
    CHECK(file >= 0);
    return file;
}

static void write_pages(int file, unsigned pattern, size_t from, size_t to)
{
    uint64_t page[PAGE / sizeof(uint64_t)];
    for (size_t i = from; i < to; i++) {
        fill(page, pattern, i);
        CHECK_EQUAL(pwrite(file, page, PAGE, (off_t)(i * PAGE)), PAGE);
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

static void stored_with_fsync(void)
{
    enter();
    int file = open_file("stored", O_RDWR | O_CREAT);
    write_pages(file, 1, 0, 700);
    CHECK_EQUAL(fsync(file), 0);
    write_pages(file, 2, 5, 6);
    CHECK_EQUAL(fdatasync(file), 0);
    CHECK_EQUAL(close(file), 0);
    file = open_file("appended", O_WRONLY | O_CREAT | O_APPEND | O_DSYNC);
    for (unsigned i = 0; i < 50; i++)
        CHECK_EQUAL(write(file, "0123456789", 10), 10);
    struct iovec part = { .iov_base = "end", .iov_len = 3 };
    CHECK_EQUAL(pwritev2(file, &part, 1, -1, RWF_SYNC), 3);
    CHECK_EQUAL(close(file), 0);
}

static void larger_than_memory(void)
{
    enter();
    int file = open_file("large", O_RDWR | O_CREAT);
    write_pages(file, 3, 0, LARGE / PAGE);
    CHECK_EQUAL(wrong_pages(file, 3, 0, LARGE / PAGE), 0);
    CHECK_EQUAL(ftruncate(file, 4 << 20), 0);
    CHECK_EQUAL(close(file), 0);
}

static void with_holes(void)
{
    enter();
    int file = open_file("holes", O_RDWR | O_CREAT);
    write_pages(file, 4, 3000, 3001);
    struct stat status;
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_size, 3001 * PAGE);
    CHECK(status.st_blocks * 512 < 100 * PAGE);
    CHECK_EQUAL(ftruncate(file, 5000L * PAGE), 0);
    CHECK_EQUAL(close(file), 0);
}

static void names(void)
{
    enter();
    CHECK_EQUAL(mkdir("one", 0755), 0);
    CHECK_EQUAL(mkdir("one/two", 0700), 0);
    CHECK_EQUAL(close(open_file("one/two/file", O_WRONLY | O_CREAT)), 0);
    CHECK_EQUAL(mkdir("other", 0755), 0);
    CHECK_EQUAL(rename("one/two", "other/three"), 0);
    CHECK_EQUAL(link("other/three/file", "twin"), 0);
    CHECK_EQUAL(symlink("other/three/file", "short"), 0);
    CHECK_EQUAL(symlink("./././././././././././././././././././././././././././other/three/file", "long"), 0);
    CHECK_ERROR(rmdir("other"), ENOTEMPTY);
    CHECK_EQUAL(rmdir("one"), 0);
    CHECK_EQUAL(chmod("twin", 0600), 0);
    struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000001 } };
    CHECK_EQUAL(utimensat(AT_FDCWD, "twin", times, 0), 0);
    int file = open_file("new", O_WRONLY | O_CREAT);
    CHECK_EQUAL(write(file, "new", 3), 3);
    CHECK_EQUAL(close(file), 0);
    CHECK_EQUAL(close(open_file("replaced", O_WRONLY | O_CREAT)), 0);
    CHECK_EQUAL(rename("new", "replaced"), 0);
}

static void many_names(void)
{
    enter();
    char name[64];
    CHECK_EQUAL(mkdir("many", 0755), 0);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "many/a-name-of-some-length-%u", i);
        CHECK_EQUAL(close(open_file(name, O_WRONLY | O_CREAT | O_EXCL)), 0);
    }
    for (unsigned i = 0; i < NAMES; i += 2) {
        snprintf(name, sizeof(name), "many/a-name-of-some-length-%u", i);
        CHECK_EQUAL(unlink(name), 0);
    }
}

static void written_through_a_mapping(void)
{
    enter();
    int file = open_file("mapped", O_RDWR | O_CREAT);
    CHECK_EQUAL(ftruncate(file, 64 * PAGE), 0);
    char *memory = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t i = 0; i < 64; i += 3)
        fill((uint64_t *)(memory + i * PAGE), 5, i);
    CHECK_EQUAL(msync(memory, 64 * PAGE, MS_SYNC), 0);
    fill((uint64_t *)(memory + 63 * PAGE), 6, 63); /* without a call that stores it */
    CHECK_EQUAL(close(file), 0);
}

static void full_disk(void)
{
    enter();
    if (!in_guest())
        return; /* not to fill the builder's disk */
    int file = open_file("full", O_RDWR | O_CREAT);
    static char block[64 * PAGE];
    ssize_t n;
    off_t size = 0;
    while ((n = write(file, block, sizeof(block))) > 0)
        size += n;
    CHECK(n == -1 && errno == ENOSPC);
    CHECK(size > (20 << 20));
    CHECK_EQUAL(fsync(file), 0);
    CHECK_EQUAL(unlink("full"), 0);
    CHECK_EQUAL(close(file), 0);
    file = open_file("after", O_RDWR | O_CREAT);
    write_pages(file, 7, 0, (20 << 20) / PAGE);
    CHECK_EQUAL(close(file), 0);
    CHECK_EQUAL(unlink("after"), 0);
}

/* Its blocks are free again in the next boot: e2fsck says so. */
static void left_open_without_a_name(void)
{
    enter();
    int file = open_file("nameless", O_RDWR | O_CREAT);
    write_pages(file, 8, 0, 300);
    CHECK_EQUAL(fsync(file), 0);
    CHECK_EQUAL(unlink("nameless"), 0);
}

SUITE(datadisk, TEST(stored_with_fsync), TEST(larger_than_memory), TEST(with_holes), TEST(names), TEST(many_names),
      TEST(written_through_a_mapping), TEST(full_disk), TEST(left_open_without_a_name));

/* ---- The next boot ---- */

static void contents_are_kept(void)
{
    enter();
    int file = open_file("stored", O_RDONLY);
    CHECK_EQUAL(wrong_pages(file, 1, 0, 5), 0);
    CHECK_EQUAL(wrong_pages(file, 2, 5, 6), 0);
    CHECK_EQUAL(wrong_pages(file, 1, 6, 700), 0);
    close(file);
    struct stat status;
    CHECK_EQUAL(stat("appended", &status), 0);
    CHECK_EQUAL(status.st_size, 503);
    file = open_file("large", O_RDONLY);
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_size, 4 << 20);
    CHECK_EQUAL(wrong_pages(file, 3, 0, 1024), 0);
    close(file);
}

static void holes_are_kept(void)
{
    enter();
    char zeros[PAGE] = "", page[PAGE];
    int file = open_file("holes", O_RDONLY);
    struct stat status;
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_size, 5000L * PAGE);
    CHECK_EQUAL(wrong_pages(file, 4, 3000, 3001), 0);
    CHECK_EQUAL(pread(file, page, PAGE, 4000L * PAGE), PAGE);
    CHECK(!memcmp(page, zeros, PAGE));
    close(file);
}

static void names_are_kept(void)
{
    enter();
    struct stat status, same;
    CHECK_EQUAL(stat("long", &status), 0);
    CHECK_EQUAL(stat("short", &same), 0);
    CHECK_EQUAL(status.st_ino, same.st_ino);
    CHECK_EQUAL(status.st_nlink, 2);
    CHECK_EQUAL(status.st_mode & 0777, 0600);
    CHECK_EQUAL(status.st_mtime, 1000000001);
    CHECK_ERROR(stat("one", &status), ENOENT);
    CHECK_EQUAL(stat("replaced", &status), 0);
    CHECK_EQUAL(status.st_size, 3);
    CHECK_EQUAL(count_names("many"), NAMES / 2 + 2);
    CHECK_EQUAL(stat("many/a-name-of-some-length-2999", &status), 0);
    CHECK_ERROR(stat("many/a-name-of-some-length-2998", &status), ENOENT);
}

static void mappings_are_kept(void)
{
    enter();
    int file = open_file("mapped", O_RDONLY);
    for (size_t i = 0; i < 63; i += 3)
        CHECK_EQUAL(wrong_pages(file, 5, i, i + 1), 0);
    CHECK_EQUAL(wrong_pages(file, 6, 63, 64), 0);
    close(file);
    struct stat status;
    CHECK_ERROR(stat("nameless", &status), ENOENT);
}

SUITE(keptdisk, TEST(contents_are_kept), TEST(holes_are_kept), TEST(names_are_kept), TEST(mappings_are_kept));
