/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories in memory: in the working directory, which is /tmp in the guest. */
#define _GNU_SOURCE
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PLACE "files-test"

/* An empty PLACE. */
static void clean(void)
{
    static const char *const names[] = { "a", "b", "c", "link", "hard", "dir/x", "dir2/x" };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), PLACE "/%s", names[i]);
        unlink(path);
    }
    rmdir(PLACE "/dir");
    rmdir(PLACE "/dir2");
    rmdir(PLACE);
    CHECK_EQUAL(mkdir(PLACE, 0755), 0);
}

static int make(const char *path, const char *text)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, text, strlen(text)), strlen(text));
    return file;
}

static void check_contents(const char *path, const char *text)
{
    char buffer[256] = "";
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    CHECK_EQUAL(read(file, buffer, sizeof(buffer)), strlen(text));
    CHECK(memcmp(buffer, text, strlen(text)) == 0);
    close(file);
}

static void write_seek_read(void)
{
    char text[16] = "";
    clean();
    int file = make(PLACE "/a", "0123456789");
    CHECK_EQUAL(lseek(file, 3, SEEK_SET), 3);
    CHECK_EQUAL(read(file, text, 4), 4);
    CHECK(memcmp(text, "3456", 4) == 0);
    CHECK_EQUAL(lseek(file, -2, SEEK_CUR), 5);
    CHECK_EQUAL(lseek(file, -1, SEEK_END), 9);
    CHECK_EQUAL(read(file, text, 4), 1);
    CHECK_EQUAL(read(file, text, 4), 0);
    CHECK_EQUAL(pread(file, text, 2, 1), 2);
    CHECK(memcmp(text, "12", 2) == 0);
    CHECK_EQUAL(pwrite(file, "XY", 2, 12), 2);
    CHECK_EQUAL(pread(file, text, 16, 9), 5);
    CHECK(memcmp(text, "9\0\0XY", 5) == 0);
    CHECK_EQUAL(lseek(file, 0, SEEK_CUR), 10);
    CHECK_ERROR(lseek(file, -1, SEEK_SET), EINVAL);
    CHECK_ERROR(lseek(file, 0, 9), EINVAL);
    close(file);
}

static void open_flags_matter(void)
{
    clean();
    CHECK_ERROR(open(PLACE "/a", O_RDONLY), ENOENT);
    close(make(PLACE "/a", "old"));
    CHECK_ERROR(open(PLACE "/a", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERROR(open(PLACE "/a", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERROR(open(PLACE "/a/b", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open(PLACE, O_RDWR), EISDIR);
    int file = open(PLACE "/a", O_WRONLY | O_APPEND);
    CHECK_EQUAL(write(file, "+new", 4), 4);
    CHECK_ERROR(read(file, NULL, 0), EBADF);
    CHECK_EQUAL(lseek(file, 0, SEEK_SET), 0);
    CHECK_EQUAL(write(file, "!", 1), 1);
    close(file);
    check_contents(PLACE "/a", "old+new!");
    file = open(PLACE "/a", O_RDONLY);
    CHECK_ERROR(write(file, "x", 1), EBADF);
    close(file);
    file = open(PLACE "/a", O_WRONLY | O_TRUNC);
    close(file);
    check_contents(PLACE "/a", "");
    char longest[300];
    memset(longest, 'n', sizeof(longest));
    memcpy(longest, "/tmp/", 5);
    longest[299] = '\0';
    CHECK_ERROR(open(longest, O_RDONLY), ENAMETOOLONG);
    CHECK_ERROR(open("", O_RDONLY), ENOENT);
}

static void truncate_cuts_and_extends(void)
{
    struct stat status;
    char text[8] = "";
    clean();
    int file = make(PLACE "/a", "abcdef");
    CHECK_EQUAL(ftruncate(file, 3), 0);
    CHECK_EQUAL(ftruncate(file, 6), 0);
    CHECK_EQUAL(pread(file, text, 8, 0), 6);
    CHECK(memcmp(text, "abc\0\0\0", 6) == 0);
    CHECK_EQUAL(ftruncate(file, 1 << 20), 0);
    CHECK_EQUAL(fstat(file, &status), 0);
    CHECK_EQUAL(status.st_size, 1 << 20);
    CHECK(status.st_blocks < 64);
    CHECK_ERROR(ftruncate(file, -1), EINVAL);
    close(file);
}

static void status_tells_the_truth(void)
{
    struct stat status, link_status;
    clean();
    close(make(PLACE "/a", "12345"));
    CHECK_EQUAL(stat(PLACE "/a", &status), 0);
    CHECK_EQUAL(status.st_size, 5);
    CHECK(S_ISREG(status.st_mode));
    CHECK_EQUAL(status.st_mode & 07777, 0644);
    CHECK_EQUAL(status.st_nlink, 1);
    CHECK_EQUAL(link(PLACE "/a", PLACE "/hard"), 0);
    CHECK_EQUAL(stat(PLACE "/hard", &link_status), 0);
    CHECK_EQUAL(link_status.st_ino, status.st_ino);
    CHECK_EQUAL(link_status.st_nlink, 2);
    CHECK_EQUAL(chmod(PLACE "/a", 0600), 0);
    CHECK_EQUAL(stat(PLACE "/hard", &status), 0);
    CHECK_EQUAL(status.st_mode & 07777, 0600);
    CHECK_EQUAL(stat(PLACE, &status), 0);
    CHECK(S_ISDIR(status.st_mode));
    CHECK_ERROR(stat(PLACE "/none", &status), ENOENT);
    CHECK(status.st_mtime > 1700000000);
    CHECK_EQUAL(access(PLACE "/a", R_OK | W_OK), 0);
    CHECK_ERROR(access(PLACE "/none", F_OK), ENOENT);
}

static void symbolic_links_are_followed(void)
{
    struct stat status;
    char target[64] = "";
    clean();
    close(make(PLACE "/a", "linked"));
    CHECK_EQUAL(symlink("a", PLACE "/link"), 0);
    check_contents(PLACE "/link", "linked");
    CHECK_EQUAL(readlink(PLACE "/link", target, sizeof(target)), 1);
    CHECK_EQUAL(target[0], 'a');
    CHECK_ERROR(readlink(PLACE "/a", target, sizeof(target)), EINVAL);
    CHECK_EQUAL(lstat(PLACE "/link", &status), 0);
    CHECK(S_ISLNK(status.st_mode));
    CHECK_ERROR(open(PLACE "/link", O_RDONLY | O_NOFOLLOW), ELOOP);
    unlink(PLACE "/link");
    CHECK_EQUAL(symlink("link", PLACE "/link"), 0);
    CHECK_ERROR(open(PLACE "/link", O_RDONLY), ELOOP);
    CHECK_EQUAL(unlink(PLACE "/link"), 0);
}

static void rename_moves_and_replaces(void)
{
    struct stat status;
    clean();
    close(make(PLACE "/a", "first"));
    close(make(PLACE "/b", "second"));
    CHECK_EQUAL(rename(PLACE "/a", PLACE "/b"), 0);
    check_contents(PLACE "/b", "first");
    CHECK_ERROR(stat(PLACE "/a", &status), ENOENT);
    CHECK_EQUAL(mkdir(PLACE "/dir", 0755), 0);
    CHECK_EQUAL(rename(PLACE "/b", PLACE "/dir/x"), 0);
    CHECK_EQUAL(rename(PLACE "/dir", PLACE "/dir2"), 0);
    check_contents(PLACE "/dir2/x", "first");
    CHECK_ERROR(rename(PLACE "/none", PLACE "/a"), ENOENT);
    CHECK_ERROR(rename(PLACE, PLACE "/dir2/y"), EINVAL);
    CHECK_ERROR(rmdir(PLACE "/dir2"), ENOTEMPTY);
    CHECK_ERROR(rmdir(PLACE "/dir2/x"), ENOTDIR);
    CHECK_EQUAL(unlink(PLACE "/dir2/x"), 0);
    CHECK_EQUAL(rmdir(PLACE "/dir2"), 0);
    CHECK_ERROR(unlink(PLACE "/none"), ENOENT);
    CHECK_ERROR(unlink(PLACE), EISDIR);
    CHECK_ERROR(mkdir(PLACE, 0755), EEXIST);
}

static void unlinked_files_live_while_open(void)
{
    char text[8];
    clean();
    int file = make(PLACE "/a", "ghost");
    CHECK_EQUAL(unlink(PLACE "/a"), 0);
    CHECK_ERROR(open(PLACE "/a", O_RDONLY), ENOENT);
    CHECK_EQUAL(pread(file, text, 8, 0), 5);
    CHECK_EQUAL(pwrite(file, "more", 4, 5), 4);
    close(file);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void directories_are_listed(void)
{
    char *names[64], joined[256] = "";
    int count = 0;
    clean();
    close(make(PLACE "/a", ""));
    close(make(PLACE "/b", ""));
    mkdir(PLACE "/dir", 0755);
    DIR *directory = opendir(PLACE);
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < 64;) {
        CHECK_EQUAL(entry->d_type, entry->d_name[0] == '.' || entry->d_name[0] == 'd' ? DT_DIR : DT_REG);
        names[count++] = strdup(entry->d_name);
    }
    closedir(directory);
    qsort(names, (size_t)count, sizeof(names[0]), by_name);
    for (int i = 0; i < count; i++) {
        strcat(strcat(joined, names[i]), " ");
        free(names[i]);
    }
    CHECK(strcmp(joined, ". .. a b dir ") == 0);
}

static void many_entries_are_all_listed(void)
{
    enum { FILES = 500 };
    char path[64];
    clean();
    mkdir(PLACE "/dir", 0755);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), PLACE "/dir/entry-%04d", i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    unsigned count = count_names(PLACE "/dir");
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), PLACE "/dir/entry-%04d", i);
        CHECK_EQUAL(unlink(path), 0);
    }
    CHECK_EQUAL(count, FILES + 2);
    CHECK_EQUAL(rmdir(PLACE "/dir"), 0);
}

static void working_directory_changes(void)
{
    char before[256], path[300], expected[300];
    clean();
    mkdir(PLACE "/dir", 0755);
    CHECK(getcwd(before, sizeof(before)) == before);
    snprintf(expected, sizeof(expected), "%s/" PLACE "/dir", before);
    CHECK_EQUAL(chdir(PLACE "/dir"), 0);
    CHECK(strcmp(getcwd(path, sizeof(path)), expected) == 0);
    close(make("x", "relative"));
    check_contents("../dir/./x", "relative");
    int directory = open("..", O_RDONLY | O_DIRECTORY);
    CHECK_EQUAL(faccessat(directory, "dir/x", F_OK, 0), 0);
    CHECK_EQUAL(fchdir(directory), 0);
    check_contents("dir/x", "relative");
    close(directory);
    CHECK_EQUAL(chdir("/"), 0);
    CHECK_ERROR(syscall(SYS_getcwd, path, 1), ERANGE);
    CHECK_EQUAL(chdir(before), 0);
}

static void large_file_keeps_its_bytes(void)
{
    static unsigned char block[100000];
    clean();
    int file = open(PLACE "/a", O_RDWR | O_CREAT, 0600);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(block); i++)
            block[i] = (unsigned char)(i * 7 + (size_t)round);
        write_fully(file, block, sizeof(block));
    }
    for (int round = 19; round >= 0; round--) {
        CHECK_EQUAL(pread(file, block, sizeof(block), round * (off_t)sizeof(block)), sizeof(block));
        for (size_t i = 0; i < sizeof(block); i++)
            CHECK(block[i] == (unsigned char)(i * 7 + (size_t)round));
    }
    close(file);
    unlink(PLACE "/a");
}

static void file_system_is_described(void)
{
    struct statfs status;
    CHECK_EQUAL(statfs("/tmp", &status), 0);
    CHECK(status.f_bsize >= 512);
    CHECK(status.f_blocks > 0);
    CHECK_EQUAL(statfs("/", &status), 0);
    CHECK(status.f_blocks > 0);
}

static void devices_behave(void)
{
    char block[64], zeros[64] = "";
    int file = open("/dev/null", O_RDWR);
    CHECK_EQUAL(write(file, "gone", 4), 4);
    CHECK_EQUAL(read(file, block, 4), 0);
    close(file);
    file = open("/dev/zero", O_RDONLY);
    CHECK_EQUAL(read(file, block, 64), 64);
    CHECK(memcmp(block, zeros, 64) == 0);
    close(file);
    file = open("/dev/urandom", O_RDONLY);
    CHECK_EQUAL(read(file, block, 64), 64);
    CHECK(memcmp(block, zeros, 64) != 0);
    close(file);
}

/* A hint is of the file, however it was opened. */
static void hints_about_writes_are_kept(void)
{
    clean();
    uint64_t hint = RWH_WRITE_LIFE_LONG, kept = 99;
    int first = open(PLACE "/a", O_CREAT | O_RDWR, 0600), second = open(PLACE "/a", O_RDONLY);
    CHECK_EQUAL(fcntl(second, F_GET_RW_HINT, &kept), 0);
    CHECK_EQUAL(kept, RWH_WRITE_LIFE_NOT_SET);
    CHECK_EQUAL(fcntl(first, F_SET_RW_HINT, &hint), 0);
    CHECK_EQUAL(fcntl(second, F_GET_RW_HINT, &kept), 0);
    CHECK_EQUAL(kept, RWH_WRITE_LIFE_LONG);
    hint = RWH_WRITE_LIFE_EXTREME + 1;
    CHECK_ERROR(fcntl(first, F_SET_RW_HINT, &hint), EINVAL);
    CHECK_ERROR(fcntl(first, F_SET_RW_HINT, NULL), EFAULT);
    close(first);
    close(second);
    unlink(PLACE "/a");
}

SUITE(files, TEST(write_seek_read), TEST(open_flags_matter), TEST(truncate_cuts_and_extends),
      TEST(status_tells_the_truth), TEST(symbolic_links_are_followed), TEST(rename_moves_and_replaces),
      TEST(unlinked_files_live_while_open), TEST(directories_are_listed), TEST(many_entries_are_all_listed),
      TEST(working_directory_changes), TEST(large_file_keeps_its_bytes), TEST(file_system_is_described),
      TEST(devices_behave), TEST(hints_about_writes_are_kept));
