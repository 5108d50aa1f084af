/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ext2 against images that mke2fs made from a directory with known contents: IMAGE LARGEST_INDIRECTION.
 *
 * images.sh makes the images, with several block sizes and both revisions, and decides what is in them.
 * LARGEST_INDIRECTION is the offset of the last byte of /sparse, which only triple indirect blocks reach. Run by make
 * test-files-ext2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "files/ext2/ext2.h"
#include "files/support.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/page_cache.h"

static uint64_t sparse_end; /* offset of the last byte of /sparse */
static char buffer[1 << 20];

/* What images.sh writes to byte i of /pattern. */
static char pattern(uint64_t i) { return (char)(' ' + (i / 64 + i % 64) % 90); }

static void small_file(void)
{
    ssize_type n = test_read_file("/dir/hello", buffer, sizeof(buffer));
    CHECK_EQUAL(n, 6);
    CHECK(memcmp(buffer, "hello\n", 6) == 0);
}

static void big_file(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/pattern", O_RDONLY, 0, &file), 0);
    uint64_t offset = 0;
    for (;;) {
        ssize_type n = file_read_kernel(file, buffer, sizeof(buffer), offset);
        CHECK(n >= 0);
        for (ssize_type i = 0; i < n; i++)
            CHECK(buffer[i] == pattern(offset + (uint64_t)i));
        offset += (uint64_t)n;
        if (n == 0)
            break;
    }
    CHECK_EQUAL(offset, file->inode->size);
    CHECK_EQUAL(offset, 9000001);
    file_put(file);
}

static void large_requests(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/pattern", O_RDONLY, 0, &file), 0);
    page_cache_drop(&file->inode->pages, 0, PAGE_CACHE_END);
    unsigned requests = test_disk_requests, segments = test_disk_segments;
    CHECK_EQUAL(file_read_kernel(file, buffer, sizeof(buffer), 0), sizeof(buffer));
    requests = test_disk_requests - requests;
    segments = test_disk_segments - segments;
    CHECK(segments >= sizeof(buffer) / PAGE_SIZE);
    CHECK(requests <= segments / 5);
    file_put(file);
}

/* Several requests in flight, answered in the wrong order. */
static void requests_in_flight(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/pattern", O_RDONLY, 0, &file), 0);
    page_cache_drop(&file->inode->pages, 0, PAGE_CACHE_END);
    test_disk_deferred = true;
    host_idle = test_disk_serve_last;
    ssize_type n = file_read_kernel(file, buffer, sizeof(buffer), 4096);
    test_disk_deferred = false;
    CHECK_EQUAL(n, sizeof(buffer));
    for (size_t i = 0; i < sizeof(buffer); i++)
        CHECK(buffer[i] == pattern(4096 + i));
    CHECK(test_disk_most_waiting >= 3);
    page_cache_drop(&file->inode->pages, 0, PAGE_CACHE_END);
    test_disk_deferred = test_disk_fails = true;
    n = file_read_kernel(file, buffer, 100, 0);
    test_disk_deferred = test_disk_fails = false;
    CHECK_EQUAL(n, -EIO);
    file_put(file);
}

static void sparse_file(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/sparse", O_RDONLY, 0, &file), 0);
    CHECK_EQUAL(file->inode->size, sparse_end + 1);
    CHECK_EQUAL(file_read_kernel(file, buffer, 4, sparse_end - 1), 2);
    CHECK(buffer[0] == 0 && buffer[1] == 'E');
    CHECK_EQUAL(file_read_kernel(file, buffer, 3, 0), 3);
    CHECK(memcmp(buffer, "B\0\0", 3) == 0);
    CHECK_EQUAL(file_read_kernel(file, buffer, sizeof(buffer), sparse_end / 2), sizeof(buffer));
    for (size_t i = 0; i < sizeof(buffer); i++)
        CHECK(buffer[i] == 0);
    file_put(file);
}

static void symbolic_links(void)
{
    CHECK_EQUAL(test_read_file("/links/short", buffer, 100), 6);
    CHECK_EQUAL(test_read_file("/links/long", buffer, 100), 6);
    CHECK_EQUAL(test_read_file("/links/absolute", buffer, 100), 6);
    CHECK_EQUAL(test_read_file("/links/chain40", buffer, 100), 6);
    CHECK_EQUAL(test_read_file("/links/chain41", buffer, 100), -ELOOP);
    CHECK_EQUAL(test_read_file("/links/loop", buffer, 100), -ELOOP);
    CHECK_EQUAL(test_read_file("/links/dangling", buffer, 100), -ENOENT);
    CHECK_EQUAL(test_read_file("/links/todir/hello", buffer, 100), 6);
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/links/short", O_RDONLY | O_NOFOLLOW, 0, &file), -ELOOP);
    CHECK_EQUAL(file_open(NULL, "/links/todir", O_RDONLY | O_NOFOLLOW | O_DIRECTORY, 0, &file), -ELOOP);
    struct dentry *link;
    CHECK_EQUAL(path_find(NULL, "/links/short", 0, &link), 0);
    CHECK(is_type(link->inode, S_IFLNK));
    CHECK_EQUAL(link->inode->operations->read_link(link->inode, buffer, 100), 12);
    CHECK(memcmp(buffer, "../dir/hello", 12) == 0);
    dentry_put(link);
}

static void paths(void)
{
    struct dentry *found;
    CHECK_EQUAL(path_find(NULL, "", 0, &found), -ENOENT);
    CHECK_EQUAL(path_find(NULL, "/dir/../dir/./hello", 0, &found), 0);
    char path[64];
    CHECK_EQUAL(dentry_path(found, path, sizeof(path)), 10);
    CHECK(strcmp(path, "/dir/hello") == 0);
    dentry_put(found);
    CHECK_EQUAL(path_find(NULL, "/..//../dir//", 0, &found), 0);
    dentry_put(found);
    CHECK_EQUAL(path_find(NULL, "/dir/hello/", 0, &found), -ENOTDIR);
    CHECK_EQUAL(path_find(NULL, "/dir/hello/x", 0, &found), -ENOTDIR);
    CHECK_EQUAL(path_find(NULL, "/dir/hello/..", 0, &found), -ENOTDIR);
    CHECK_EQUAL(path_find(NULL, "/nope/x", 0, &found), -ENOENT);
    CHECK_EQUAL(path_find(NULL, "/dir/nope", 0, &found), -ENOENT);
    CHECK_EQUAL(path_find(NULL, "/dir/nope", 0, &found), -ENOENT);
    memset(buffer, 'n', 300);
    buffer[0] = '/';
    buffer[256] = 0;
    CHECK_EQUAL(path_find(NULL, buffer, 0, &found), -ENOENT);
    buffer[256] = 'n';
    buffer[257] = 0;
    CHECK_EQUAL(path_find(NULL, buffer, 0, &found), -ENAMETOOLONG);
}

static void long_name(void)
{
    memset(buffer, 'L', 256);
    memcpy(buffer, "/dir/", 5);
    memset(buffer + 5, 'L', 255);
    buffer[260] = 0;
    struct dentry *found;
    CHECK_EQUAL(path_find(NULL, buffer, 0, &found), 0);
    dentry_put(found);
}

struct counter {
    struct listing listing;
    unsigned count, stop_after;
    uint64_t sum;
};

static bool count_name(struct listing *listing, const struct listed_name *name)
{
    struct counter *counter = container_of(listing, struct counter, listing);
    if (counter->stop_after && counter->count == counter->stop_after)
        return false;
    char text[NAME_LIMIT + 1];
    uint64_t number;
    memcpy(text, name->name, name->length);
    text[name->length] = 0;
    if (strncmp(text, "entry-", 6) == 0 && parse_decimal(text + 6, &number))
        counter->sum += number;
    counter->count++;
    return true;
}

static void thousands_of_names(void)
{
    struct file *directory;
    struct counter counter = { .listing.take = count_name };
    CHECK_EQUAL(file_open(NULL, "/many", O_RDONLY | O_DIRECTORY, 0, &directory), 0);
    CHECK_EQUAL(file_list(directory, &counter.listing), 0);
    CHECK_EQUAL(counter.count, 3002);
    CHECK_EQUAL(counter.sum, 3000 * 2999 / 2);
    CHECK_EQUAL(file_list(directory, &counter.listing), 0);
    CHECK_EQUAL(counter.count, 3002);
    /* In pieces of 7, with a seek back to where it was. */
    CHECK_EQUAL(file_seek(directory, 0, 0), 0);
    counter.count = 0;
    counter.sum = 0;
    do {
        counter.stop_after = counter.count + 7;
        CHECK_EQUAL(file_seek(directory, 0, 1), (int64_t)directory->offset);
        CHECK_EQUAL(file_list(directory, &counter.listing), 0);
    } while (counter.count == counter.stop_after);
    CHECK_EQUAL(counter.count, 3002);
    CHECK_EQUAL(counter.sum, 3000 * 2999 / 2);
    file_put(directory);
    char name[40];
    for (unsigned i = 0; i < 3000; i++) {
        struct dentry *found;
        format(name, sizeof(name), "/many/entry-%u", i);
        CHECK_EQUAL(path_find(NULL, name, 0, &found), 0);
        dentry_put(found);
        format(name, sizeof(name), "/many/entry+%u", i);
        CHECK_EQUAL(path_find(NULL, name, 0, &found), -ENOENT);
    }
}

static void status(void)
{
    struct file *file;
    struct file_status status, other;
    CHECK_EQUAL(file_open(NULL, "/dir/hello", O_RDONLY, 0, &file), 0);
    CHECK_EQUAL(file_status(file, &status), 0);
    CHECK_EQUAL(status.mode, S_IFREG | 0640);
    CHECK_EQUAL(status.links, 2);
    CHECK_EQUAL(status.size, 6);
    CHECK_EQUAL(status.modified, 1600000000 * NS_PER_SECOND);
    file_put(file);
    CHECK_EQUAL(file_open(NULL, "/dir/hard", O_RDONLY, 0, &file), 0);
    CHECK_EQUAL(file_status(file, &other), 0);
    CHECK_EQUAL(status.inode, other.inode);
    file_put(file);
}

static void read_only(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/dir/hello", O_RDWR, 0, &file), -EROFS);
    CHECK_EQUAL(file_open(NULL, "/dir/new", O_RDWR | O_CREAT, 0600, &file), -EROFS);
    CHECK_EQUAL(file_open(NULL, "/dir/hello", O_RDONLY | O_CREAT | O_EXCL, 0600, &file), -EEXIST);
    CHECK_EQUAL(file_open(NULL, "/dir", O_RDWR, 0, &file), -EISDIR);
    CHECK_EQUAL(name_make(NULL, "/dir/new", S_IFDIR | 0755, NULL), -EROFS);
    CHECK_EQUAL(name_make(NULL, "/dir", S_IFDIR | 0755, NULL), -EEXIST);
    CHECK_EQUAL(name_unlink(NULL, "/dir/hello"), -EROFS);
    CHECK_EQUAL(name_remove_directory(NULL, "/dir"), -EROFS);
    CHECK_EQUAL(name_rename(NULL, "/dir/hello", NULL, "/dir/other", 0), -EROFS);
}

static void disk_errors(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/pattern", O_RDONLY, 0, &file), 0);
    page_cache_drop(&file->inode->pages, 0, PAGE_CACHE_END);
    test_disk_fails = true;
    ssize_type n = file_read_kernel(file, buffer, 4096, 0);
    test_disk_fails = false;
    CHECK_EQUAL(n, -EIO);
    CHECK_EQUAL(file_read_kernel(file, buffer, 4096, 0), 4096);
    file_put(file);
}

static struct block_device *device;
static struct file_system *mounted;

static void larger_blocks_of_the_disk(void)
{
    struct file_system *fs;
    struct file_system_statistics statistics;
    mounted->statistics(mounted, &statistics);
    device->block_size = 2 * (uint32_t)statistics.block_size;
    (void)host_log();
    CHECK_EQUAL(ext2_open(device, false, &fs), -EINVAL);
    CHECK(strstr(host_log(), "its blocks are smaller than those of the disk") != NULL);
    device->block_size = 0;
}

/* Names and inodes beyond what is kept are given back. */
static void bounded_cache(void)
{
    uint64_t before = host_heap_blocks();
    char name[40];
    for (unsigned i = 0; i < 5000; i++) {
        struct dentry *found;
        format(name, sizeof(name), "/absent-%u", i);
        CHECK_EQUAL(path_find(NULL, name, 0, &found), -ENOENT);
    }
    CHECK(host_heap_blocks() < before + 1200);
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: test_ext2 IMAGE SPARSE_END\n");
        return 2;
    }
    host_init();
    page_cache_init();
    device = test_disk(arguments[1]);
    sparse_end = strtoul(arguments[2], NULL, 10);
    if (ext2_open(device, false, &mounted) || mount_at("/", mounted))
        panic("cannot mount %s", arguments[1]);
    host_test("ext2 small file", small_file);
    host_test("ext2 big file", big_file);
    host_test("ext2 large requests", large_requests);
    host_test("ext2 requests in flight", requests_in_flight);
    host_test("ext2 sparse file", sparse_file);
    host_test("ext2 symbolic links", symbolic_links);
    host_test("ext2 paths", paths);
    host_test("ext2 long name", long_name);
    host_test("ext2 thousands of names", thousands_of_names);
    host_test("ext2 status", status);
    host_test("ext2 read only", read_only);
    host_test("ext2 disk errors", disk_errors);
    host_test("ext2 larger blocks of the disk", larger_blocks_of_the_disk);
    host_test("ext2 bounded cache", bounded_cache);
    return host_result();
}
