/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the image has in a writable directory: on Linux they lie in a plain directory, in the guest in /image,
 * which the configuration makes writable (src/it/run makes both). Each test has a copy of its own: numbers (20,000
 * lines), lib/one (3,000 lines), lib/two ("two"), deep/er/file ("deep"), link to lib/two, and many, with 300 empty
 * files.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define NUMBERS 108894 /* bytes of 20,000 lines */
#define THREADS 4
#define ROUNDS 40

static char expected[NUMBERS + 1], found[2 * NUMBERS];

/* Goes to the test's own copy and makes what `numbers` consists of. */
static void enter(const char *name)
{
    static char home[512];
    char path[600];
    if (home[0] == 0 && getcwd(home, sizeof(home)) == NULL)
        home[0] = 0;
    snprintf(path, sizeof(path), "%s/%s", in_guest() ? "/image" : "image", name);
    CHECK_EQUAL(chdir(home), 0);
    CHECK_EQUAL(chdir(path), 0);
    size_t length = 0;
    for (int i = 1; i <= 20000; i++)
        length += (size_t)sprintf(expected + length, "%d\n", i);
    CHECK_EQUAL(length, NUMBERS);
}

static ssize_t read_whole(const char *path)
{
    int file = open(path, O_RDONLY);
    ssize_t total = 0, n = 0;
    while (file >= 0 && (n = read(file, found + total, sizeof(found) - (size_t)total)) > 0)
        total += n;
    if (file < 0 || n < 0)
        total = -1;
    close(file);
    return total;
}

static bool contains(const char *path, const char *text)
{
    return read_whole(path) == (ssize_t)strlen(text) && memcmp(found, text, strlen(text)) == 0;
}

static bool is_as_expected(void) { return read_whole("numbers") == NUMBERS && memcmp(found, expected, NUMBERS) == 0; }

static void write_text(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, text, strlen(text)), strlen(text));
    CHECK_EQUAL(close(file), 0);
}

static void files_are_there(void)
{
    struct stat status;
    struct statvfs sizes;
    enter("there");
    CHECK(is_as_expected());
    CHECK(contains("link", "two"));
    CHECK(contains("deep/er/file", "deep"));
    CHECK_EQUAL(count_names("."), 7);
    CHECK_EQUAL(count_names("many"), 302);
    CHECK_EQUAL(stat("numbers", &status), 0);
    CHECK_EQUAL(status.st_size, NUMBERS);
    CHECK_EQUAL(status.st_nlink, 1);
    CHECK(status.st_blocks * 512 >= NUMBERS);
    CHECK_EQUAL(access("numbers", R_OK | W_OK), 0);
    CHECK_EQUAL(access("deep", R_OK | W_OK | X_OK), 0);
    CHECK_EQUAL(statvfs(".", &sizes), 0);
    CHECK((sizes.f_flag & ST_RDONLY) == 0);
    CHECK(sizes.f_bavail * sizes.f_frsize > 10 << 20);
    CHECK(sizes.f_bavail <= sizes.f_blocks);
}

static void errors_are_the_same(void)
{
    enter("there");
    CHECK_ERROR(open("numbers", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERROR(open("absent", O_RDWR), ENOENT);
    CHECK_ERROR(open("numbers/x", O_RDWR | O_CREAT, 0600), ENOTDIR);
    CHECK_ERROR(open("deep", O_RDWR), EISDIR);
    CHECK_ERROR(mkdir("deep", 0700), EEXIST);
    CHECK_ERROR(mkdir("absent/x", 0700), ENOENT);
    CHECK_ERROR(rmdir("deep"), ENOTEMPTY);
    CHECK_ERROR(rmdir("numbers"), ENOTDIR);
    CHECK_ERROR(unlink("deep"), EISDIR);
    CHECK_ERROR(rename("numbers", "deep"), EISDIR);
    CHECK_ERROR(rename("deep", "numbers"), ENOTDIR);
    CHECK_ERROR(rename("lib", "deep"), ENOTEMPTY);
    CHECK_ERROR(rename("deep", "deep/er/x"), EINVAL);
    CHECK_ERROR(link("deep", "x"), EPERM);
    CHECK_ERROR(symlink("x", "link"), EEXIST);
    CHECK(is_as_expected());
}

static void written_in_the_middle(void)
{
    struct stat before, after;
    enter("written");
    int reader = open("numbers", O_RDONLY), file = open("numbers", O_RDWR);
    CHECK(reader >= 0 && file >= 0);
    CHECK_EQUAL(fstat(reader, &before), 0);
    CHECK_EQUAL(pwrite(file, "MIDDLE", 6, 2 * PAGE - 3), 6);
    CHECK_EQUAL(pwrite(file, "END", 3, NUMBERS), 3);
    memcpy(expected + 2 * PAGE - 3, "MIDDLE", 6);
    CHECK_EQUAL(read(reader, found, sizeof(found)), NUMBERS + 3);
    CHECK(memcmp(found, expected, NUMBERS) == 0 && memcmp(found + NUMBERS, "END", 3) == 0);
    CHECK_EQUAL(fstat(file, &after), 0);
    CHECK(after.st_ino == before.st_ino && after.st_dev == before.st_dev && after.st_size == NUMBERS + 3);
    close(file);
    close(reader);
    file = open("lib/two", O_WRONLY | O_APPEND);
    CHECK_EQUAL(write(file, "three", 5), 5);
    close(file);
    CHECK(contains("link", "twothree"));
    write_text("lib/one", "new");
    CHECK(contains("lib/one", "new"));
    CHECK_EQUAL(count_names("."), 7);
}

static void mappings_see_writes(void)
{
    enter("mapped");
    int reader = open("numbers", O_RDONLY);
    char *shared = mmap(NULL, NUMBERS, PROT_READ, MAP_SHARED, reader, 0);
    char *own = mmap(NULL, NUMBERS, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0);
    CHECK(shared != MAP_FAILED && own != MAP_FAILED);
    CHECK(memcmp(shared, expected, NUMBERS) == 0 && memcmp(own, expected, NUMBERS) == 0);
    memset(own + PAGE, 'p', 10);
    int file = open("numbers", O_RDWR);
    CHECK_EQUAL(pwrite(file, "WRITTEN", 7, PAGE + 100), 7);
    CHECK(memcmp(shared + PAGE + 100, "WRITTEN", 7) == 0);
    CHECK(memcmp(own + PAGE, "pppppppppp", 10) == 0);
    CHECK(memcmp(own + PAGE + 100, expected + PAGE + 100, 7) == 0);
    char *writable = mmap(NULL, NUMBERS, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(writable != MAP_FAILED);
    memcpy(writable + 5 * PAGE, "MAPPED", 6);
    CHECK(memcmp(shared + 5 * PAGE, "MAPPED", 6) == 0);
    memcpy(expected + PAGE + 100, "WRITTEN", 7);
    memcpy(expected + 5 * PAGE, "MAPPED", 6);
    CHECK_EQUAL(msync(writable, NUMBERS, MS_SYNC), 0);
    CHECK(is_as_expected());
    CHECK(memcmp(shared, expected, NUMBERS) == 0);
    munmap(writable, NUMBERS);
    munmap(shared, NUMBERS);
    munmap(own, NUMBERS);
    close(file);
    close(reader);
}

static void mapping_is_cut(void)
{
    enter("cut");
    int reader = open("numbers", O_RDONLY);
    char *shared = mmap(NULL, NUMBERS, PROT_READ, MAP_SHARED, reader, 0);
    CHECK(memcmp(shared, expected, NUMBERS) == 0);
    CHECK_EQUAL(truncate("numbers", PAGE + 10), 0);
    CHECK(memcmp(shared, expected, PAGE + 10) == 0);
    CHECK_EQUAL(shared[PAGE + 10], 0);
    CHECK_FAULT(touch_read, shared + 2 * PAGE, SIGBUS, BUS_ADRERR);
    CHECK_EQUAL(truncate("numbers", 3 * PAGE), 0);
    CHECK_EQUAL(shared[PAGE + 11], 0);
    CHECK_EQUAL(shared[2 * PAGE], 0);
    CHECK_EQUAL(close(open("numbers", O_WRONLY | O_TRUNC)), 0);
    CHECK_FAULT(touch_read, shared, SIGBUS, BUS_ADRERR);
    munmap(shared, NUMBERS);
    close(reader);
    int file = open("lib/one", O_RDWR);
    CHECK_EQUAL(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 6000), 0);
    CHECK_EQUAL(pread(file, found, 13893, 0), 13893);
    CHECK(memcmp(found, expected, 1000) == 0 && memcmp(found + 7000, expected + 7000, 6893) == 0);
    for (int i = 1000; i < 7000; i++)
        CHECK_EQUAL(found[i], 0);
    close(file);
}

static void names_move(void)
{
    struct stat before, after;
    enter("moved");
    CHECK_EQUAL(stat("numbers", &before), 0);
    CHECK_EQUAL(rename("numbers", "deep/er/moved"), 0);
    CHECK_EQUAL(stat("deep/er/moved", &after), 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK_ERROR(stat("numbers", &after), ENOENT);
    CHECK_EQUAL(rename("deep", "lib/deeper"), 0);
    CHECK(contains("lib/deeper/er/file", "deep"));
    CHECK_EQUAL(rename("lib/deeper/er/moved", "numbers"), 0);
    CHECK(is_as_expected());
    CHECK_ERROR(open("deep/er/file", O_RDONLY), ENOENT);
    CHECK_EQUAL(rename("lib", "library"), 0);
    CHECK(contains("library/two", "two"));
    CHECK_ERROR(open("link", O_RDONLY), ENOENT);
    CHECK_EQUAL(mkdir("lib", 0755), 0);
    CHECK_EQUAL(count_names("lib"), 2);
    write_text("lib/two", "other");
    CHECK(contains("link", "other"));
    CHECK_EQUAL(rename("library/two", "lib/two"), 0);
    CHECK(contains("link", "two"));
    CHECK_EQUAL(link("lib/two", "second"), 0);
    CHECK_EQUAL(stat("lib/two", &after), 0);
    CHECK_EQUAL(after.st_nlink, 2);
    CHECK_EQUAL(rename("link", "second"), 0);
    CHECK_EQUAL(readlink("second", found, sizeof(found)), 7);
    CHECK_EQUAL(count_names("library"), 4);
    CHECK_EQUAL(count_names("."), 7);
}

static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) {
        char below[600];
        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            remove_tree(below);
        else
            CHECK_EQUAL(unlink(below), 0);
    }
    closedir(directory);
    CHECK_EQUAL(rmdir(path), 0);
}

static void trees_are_removed(void)
{
    enter("removed");
    int file = open("numbers", O_RDONLY);
    char path[4096];
    CHECK(getcwd(path, sizeof(path)) != NULL);
    CHECK_EQUAL(chdir(".."), 0);
    remove_tree("removed");
    CHECK_ERROR(open("removed/numbers", O_RDONLY), ENOENT);
    CHECK_EQUAL(read(file, found, sizeof(found)), NUMBERS);
    CHECK(memcmp(found, expected, NUMBERS) == 0);
    close(file);
    CHECK_EQUAL(mkdir("removed", 0755), 0);
    CHECK_EQUAL(count_names("removed"), 2);
    CHECK_ERROR(open("removed/lib/two", O_RDONLY), ENOENT);
}

/* Looks at more names than are remembered for those who do not use them. */
static void look_elsewhere(void)
{
    struct stat status;
    char path[64];
    for (int i = 0; i < 2500; i++) {
        snprintf(path, sizeof(path), "../there/absent-%d", i);
        CHECK_ERROR(stat(path, &status), ENOENT);
    }
}

static void attributes_stay(void)
{
    struct stat status;
    struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 2000, .tv_nsec = 5 } };
    enter("attributes");
    CHECK_EQUAL(chmod("deep/er/file", 0741), 0);
    CHECK_EQUAL(utimensat(AT_FDCWD, "lib/one", times, 0), 0);
    CHECK_EQUAL(chmod("many", 0700), 0);
    look_elsewhere();
    CHECK_EQUAL(stat("deep/er/file", &status), 0);
    CHECK_EQUAL(status.st_mode, S_IFREG | 0741);
    CHECK_EQUAL(stat("many", &status), 0);
    CHECK_EQUAL(status.st_mode, S_IFDIR | 0700);
    CHECK_EQUAL(stat("lib/one", &status), 0);
    CHECK(status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 5);
    CHECK(contains("deep/er/file", "deep"));
    CHECK_EQUAL(count_names("many"), 302);
}

static void watches_stay(void)
{
    enter("attributes");
    int watcher = inotify_init1(IN_NONBLOCK);
    CHECK(inotify_add_watch(watcher, "deep/er", IN_MODIFY | IN_CREATE) > 0);
    look_elsewhere();
    struct pollfd ready = { .fd = watcher, .events = POLLIN };
    CHECK_EQUAL(poll(&ready, 1, 0), 0);
    int file = open("deep/er/file", O_WRONLY);
    CHECK_EQUAL(write(file, "x", 1), 1);
    close(file);
    CHECK_EQUAL(poll(&ready, 1, 0), 1);
    close(watcher);
}

static void one_page_for_one_byte(void)
{
    struct stat status;
    enter("sparse");
    int file = open("sparse", O_RDWR | O_CREAT, 0600);
    CHECK_EQUAL(ftruncate(file, 64 << 20), 0);
    CHECK_EQUAL(pwrite(file, "x", 1, 10 << 20), 1);
    CHECK_EQUAL(fsync(file), 0);
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK(status.st_blocks <= 16);
    close(file);
    CHECK_EQUAL(unlink("sparse"), 0);
}

/* ---- Several threads ---- */

static const char *volatile failed;

static void expect(bool right, const char *what)
{
    if (!right)
        failed = what;
}

/* Each thread has one file that only it changes, in directories that all change. */
static void change_files(unsigned number)
{
    char path[64], moved[64], text[32];
    for (int round = 0; round < ROUNDS && failed == NULL; round++) {
        int length = snprintf(text, sizeof(text), "%u in round %d", number, round);
        snprintf(path, sizeof(path), "many/file-%u", number);
        snprintf(moved, sizeof(moved), "deep/er/file-%u-%d", number, round);
        int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        expect(file >= 0 && write(file, text, (size_t)length) == length, "a file is written");
        expect(rename(path, moved) == 0, "a file is moved");
        char back[32];
        expect(pread(file, back, sizeof(back), 0) == length, "it has a length");
        expect(memcmp(back, text, (size_t)length) == 0, "it has its text");
        close(file);
        expect(unlink(moved) == 0, "it is removed");
        snprintf(path, sizeof(path), "many/entry-%d", (int)number * ROUNDS + round);
        expect(unlink(path) == 0, "a file of the image is removed once");
        file = open("numbers", O_RDWR);
        expect(pwrite(file, text, (size_t)length, (off_t)(number * 5 * PAGE + 50)) == length, "all write one file");
        expect(pread(file, back, sizeof(back), (off_t)(number * 5 * PAGE + 50)) >= length, "it can be read");
        expect(memcmp(back, text, (size_t)length) == 0, "each has its part of it");
        close(file);
    }
}

static void *change_in_thread(void *number)
{
    change_files((unsigned)(uintptr_t)number);
    return NULL;
}

static void threads_change_it(void)
{
    pthread_t threads[THREADS];
    enter("threads");
    failed = NULL;
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, change_in_thread, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (failed != NULL)
        test_failed(__FILE__, __LINE__, "not true: %s", failed);
    CHECK_EQUAL(count_names("many"), 302 - THREADS * ROUNDS);
    CHECK_EQUAL(count_names("deep/er"), 3);
    for (unsigned i = 0; i < THREADS; i++) {
        int length = sprintf(found, "%u in round %d", i, ROUNDS - 1);
        memcpy(expected + i * 5 * PAGE + 50, found, (size_t)length);
    }
    CHECK(is_as_expected());
}

static void names_of_the_image_are_exchanged(void)
{
    enter("exchanged");
    CHECK_EQUAL(renameat2(AT_FDCWD, "lib", AT_FDCWD, "deep/er", RENAME_EXCHANGE), 0);
    CHECK(contains("lib/file", "deep"));
    CHECK(contains("deep/er/two", "two"));
    CHECK_EQUAL(renameat2(AT_FDCWD, "lib/file", AT_FDCWD, "numbers", RENAME_EXCHANGE), 0);
    CHECK(contains("numbers", "deep"));
    CHECK_EQUAL(read_whole("lib/file"), NUMBERS);
    CHECK(memcmp(found, expected, NUMBERS) == 0);
    CHECK_EQUAL(renameat2(AT_FDCWD, "link", AT_FDCWD, "many", RENAME_EXCHANGE), 0);
    CHECK_EQUAL(access("link/entry-299", F_OK), 0);
    CHECK_ERROR(renameat2(AT_FDCWD, "link/entry-1", AT_FDCWD, "link/entry-2", RENAME_NOREPLACE), EEXIST);
    CHECK_EQUAL(mkfifo("link/fifo", 0600), 0);
    CHECK_EQUAL(renameat2(AT_FDCWD, "link/fifo", AT_FDCWD, "deep/er/one", RENAME_EXCHANGE), 0);
    int both = open("deep/er/one", O_RDWR);
    CHECK_EQUAL(write(both, "x", 1), 1);
    CHECK_EQUAL(read(both, found, 2), 1);
    close(both);
}

SUITE(writable, TEST(files_are_there), TEST(errors_are_the_same), TEST(written_in_the_middle),
      TEST(mappings_see_writes), TEST(mapping_is_cut), TEST(names_move), TEST(trees_are_removed), TEST(attributes_stay),
      TEST(watches_stay), TEST(one_page_for_one_byte), TEST(threads_change_it), TEST(names_of_the_image_are_exchanged));
