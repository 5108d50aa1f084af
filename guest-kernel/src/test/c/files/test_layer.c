/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory file system over a directory of the image: single properties, and then random changes of one and of a plain
 * copy of the same files in memory, after which both must look the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "files/ext2/ext2.h"
#include "files/inotify.h"
#include "files/support.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PLAIN "/tmp/plain"
#define JAR_SIZE 300000

static char buffer[1 << 19], other[1 << 19];

static bool contains(const char *path, const char *text)
{
    ssize_type n = test_read_file(path, buffer, sizeof(buffer));
    return n == (ssize_type)strlen(text) && memcmp(buffer, text, (size_t)n) == 0;
}

static struct file *opened(const char *path, uint32_t flags)
{
    struct file *file = NULL;
    return file_open(NULL, path, flags, 0600, &file) ? NULL : file;
}

static int exists(const char *path)
{
    struct dentry *dentry;
    int error = path_find(NULL, path, 0, &dentry);
    if (!error)
        dentry_put(dentry);
    return error;
}

static struct file_status status_of(const char *path)
{
    struct file_status status = { 0 };
    struct dentry *dentry;
    if (!path_find(NULL, path, 0, &dentry)) {
        inode_status(dentry->inode, &status);
        dentry_put(dentry);
    }
    return status;
}

static ssize_type write_at(struct file *file, const void *data, size_t length, uint64_t offset)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)data, length);
    return file_write_at(file, &transfer, offset);
}

/* ---- Listings ---- */

struct names {
    struct listing listing;
    unsigned count, limit;
    char names[2100][NAME_LIMIT + 1];
    uint64_t inodes[2100];
};

static bool take_name(struct listing *listing, const struct listed_name *name)
{
    struct names *names = container_of(listing, struct names, listing);
    if (names->count == names->limit)
        return false;
    memcpy(names->names[names->count], name->name, name->length);
    names->names[names->count][name->length] = 0;
    names->inodes[names->count++] = name->inode;
    return true;
}

static struct names *names_new(void)
{
    struct names *names = calloc(1, sizeof(*names));
    names->listing.take = take_name;
    names->limit = array_size(names->names);
    return names;
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

/* Sorted, without the dots. */
static unsigned list_sorted(const char *path, struct names *names)
{
    struct file *directory = opened(path, O_RDONLY | O_DIRECTORY);
    names->count = 0;
    if (directory) {
        file_list(directory, &names->listing);
        file_put(directory);
    }
    qsort(names->names, names->count, sizeof(names->names[0]), by_name);
    return names->count;
}

/* ---- Copies and comparisons ---- */

static void copy_tree(const char *from, const char *to)
{
    struct names *names = names_new();
    unsigned count = list_sorted(from, names);
    name_make(NULL, to, S_IFDIR | 0755, NULL);
    for (unsigned i = 0; i < count; i++) {
        char a[600], b[600], hard[600];
        if (!strcmp(names->names[i], ".") || !strcmp(names->names[i], ".."))
            continue;
        format(a, sizeof(a), "%s/%s", from, names->names[i]);
        format(b, sizeof(b), "%s/%s", to, names->names[i]);
        format(hard, sizeof(hard), "%s/config/hard", PLAIN);
        struct dentry *dentry, *first;
        if (path_find(NULL, a, 0, &dentry))
            panic("no %s", a);
        if (is_type(dentry->inode, S_IFDIR)) {
            copy_tree(a, b);
        } else if (is_type(dentry->inode, S_IFLNK)) {
            name_make(NULL, b, S_IFLNK | 0777, "config/a.properties");
        } else if (dentry->inode->links == 2 && !path_find(NULL, hard, 0, &first)) {
            name_link(first->inode, first, NULL, b);
            dentry_put(first);
        } else {
            ssize_type n = test_read_file(a, buffer, sizeof(buffer));
            file_write_kernel(b, buffer, (size_t)n);
        }
        dentry_put(dentry);
    }
    free(names);
}

/* The first path at which the trees differ, or NULL. */
static const char *differ(const char *a, const char *b, bool all)
{
    static char where[600];
    struct names *in_a = names_new(), *in_b = names_new();
    unsigned count = list_sorted(a, in_a);
    const char *found = list_sorted(b, in_b) == count ? NULL : a;
    for (unsigned i = 0; i < count && !found; i++) {
        char path_a[600], path_b[600];
        const char *name = in_a->names[i];
        format(path_a, sizeof(path_a), "%s/%s", a, name);
        format(path_b, sizeof(path_b), "%s/%s", b, name);
        struct file_status x = status_of(path_a), y = status_of(path_b);
        bool same = !strcmp(name, in_b->names[i]);
        bool dots = name[0] == '.';
        if (same && !dots)
            same = (x.mode & S_IFMT) == (y.mode & S_IFMT) && x.links == y.links &&
                   (x.size == y.size || (x.mode & S_IFMT) == S_IFDIR);
        if (same && (x.mode & S_IFMT) == S_IFREG) {
            ssize_type n = test_read_file(path_a, buffer, sizeof(buffer));
            same = n == test_read_file(path_b, other, sizeof(other)) && (n <= 0 || !memcmp(buffer, other, (size_t)n));
        }
        if (!same) {
            string_copy(where, path_a, sizeof(where));
            found = where;
        } else if (!dots && (x.mode & S_IFMT) == S_IFDIR && (all || strcmp(name, "many"))) {
            found = differ(path_a, path_b, all);
        }
    }
    free(in_a);
    free(in_b);
    return found;
}

/* ---- Properties ---- */

static void reading_costs_nothing(void)
{
    struct file_system_statistics before, after;
    struct file *file = opened("/app/app.jar", O_RDONLY);
    CHECK(file);
    struct file_system *fs = file->inode->fs;
    fs->statistics(fs, &before);
    CHECK(!fs->read_only);
    CHECK_EQUAL(file_read_kernel(file, buffer, sizeof(buffer), 0), JAR_SIZE);
    CHECK_EQUAL(file->inode->pages.page_count, 0);
    CHECK(file->operations->pages(file) == &file->inode->below->pages);
    fs->statistics(fs, &after);
    CHECK_EQUAL(after.files_free, before.files_free);
    CHECK_EQUAL(test_read_file(PLAIN "/app.jar", other, sizeof(other)), JAR_SIZE);
    CHECK(!memcmp(buffer, other, JAR_SIZE));
    file_put(file);
    CHECK(contains("/app/link", "a=b\n"));
    CHECK_EQUAL(exists("/app/none"), -ENOENT);
    CHECK(differ("/app", PLAIN, true) == NULL);
}

static void sizes(void)
{
    struct file *file = opened("/app/app.jar", O_RDONLY);
    struct file_system_statistics statistics;
    file->inode->fs->statistics(file->inode->fs, &statistics);
    CHECK_EQUAL(statistics.blocks, pages_total_count() / 2);
    CHECK(statistics.blocks_free > statistics.blocks / 2 && statistics.blocks_free <= statistics.blocks);
    CHECK_EQUAL(status_of("/app/app.jar").blocks_512, (JAR_SIZE + 4095) / 4096 * 8);
    file_put(file);
}

static void root_stays(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/x", O_RDWR | O_CREAT, 0600, &file), -EROFS);
    CHECK_EQUAL(files_make_writable("/", 0), 0);
    CHECK_EQUAL(name_make(NULL, "/x", S_IFDIR | 0700, NULL), -EROFS);
    CHECK_EQUAL(name_rename(NULL, "/app", NULL, "/application", 0), -EBUSY);
}

static void one_page_is_copied(void)
{
    uint64_t pages = host_pages_in_use();
    struct file *reader = opened("/app/app.jar", O_RDONLY), *file = opened("/app/app.jar", O_RDWR);
    CHECK(file && reader);
    uint64_t inode = file->inode->number;
    CHECK_EQUAL(write_at(file, "XYZ", 3, 5000), 3);
    CHECK_EQUAL(file->inode->pages.page_count, 1);
    CHECK(host_pages_in_use() <= pages + 80);
    CHECK_EQUAL(file_read_kernel(reader, buffer, sizeof(buffer), 0), JAR_SIZE);
    CHECK_EQUAL(test_read_file(PLAIN "/app.jar", other, sizeof(other)), JAR_SIZE);
    CHECK(!memcmp(buffer + 5000, "XYZ", 3));
    memcpy(other + 5000, "XYZ", 3);
    CHECK(!memcmp(buffer, other, JAR_SIZE));
    file_put(file);
    file_put(reader);
    CHECK_EQUAL(status_of("/app/app.jar").inode, inode);
    file = opened(PLAIN "/app.jar", O_RDWR);
    CHECK_EQUAL(write_at(file, "XYZ", 3, 5000), 3);
    file_put(file);
    CHECK(differ("/app", PLAIN, true) == NULL);
}

static void cut_and_extended(void)
{
    static const char *const paths[] = { "/app/lib/one.jar", PLAIN "/lib/one.jar" };
    for (unsigned i = 0; i < 2; i++) {
        struct file *file = opened(paths[i], O_RDWR);
        CHECK(file);
        CHECK_EQUAL(inode_resize(file->inode, 10001), 0);
        CHECK_EQUAL(inode_resize(file->inode, 60000), 0);
        CHECK_EQUAL(test_allocate(file->inode, 3000, 2500, true, true), 0);
        CHECK_EQUAL(write_at(file, "tail", 4, 65000), 4);
        CHECK_EQUAL(file_read_kernel(file, buffer, sizeof(buffer), 0), 65004);
        CHECK(buffer[2999] && !buffer[3000] && !buffer[5499] && buffer[5500] && buffer[10000] && !buffer[10001]);
        CHECK(!buffer[59999] && !buffer[64999] && buffer[65000] == 't');
        file_put(file);
    }
    CHECK(differ("/app", PLAIN, true) == NULL);
}

/* A listing that was begun goes on when names change meanwhile: none twice, and all that stayed. */
static void listing_goes_on(void)
{
    struct names *names = names_new();
    struct file *directory = opened("/app/many", O_RDONLY | O_DIRECTORY);
    CHECK(directory);
    names->limit = 700;
    CHECK_EQUAL(file_list(directory, &names->listing), 0);
    CHECK_EQUAL(names->count, 700);
    CHECK(is_untouched(directory->inode));
    char path[300];
    format(path, sizeof(path), "/app/many/%s", names->names[600]);
    CHECK_EQUAL(names->inodes[600], status_of(path).inode);
    CHECK_EQUAL(name_unlink(NULL, path), 0);
    CHECK(!is_untouched(directory->inode));
    names->limit = array_size(names->names);
    CHECK_EQUAL(file_list(directory, &names->listing), 0);
    CHECK_EQUAL(names->count, 2002);
    CHECK(exists(path) == -ENOENT);
    qsort(names->names, names->count, sizeof(names->names[0]), by_name);
    for (unsigned i = 1; i < names->count; i++)
        CHECK(strcmp(names->names[i - 1], names->names[i]));
    file_put(directory);
    free(names);
}

/* Everything below a directory goes while it is listed, as programs that delete trees do. */
static void deleting_while_listing(void)
{
    struct names *names = names_new();
    struct file *directory = opened("/app/many", O_RDONLY | O_DIRECTORY);
    names->limit = 37;
    unsigned deleted = 0;
    do {
        names->count = 0;
        CHECK_EQUAL(file_list(directory, &names->listing), 0);
        for (unsigned i = 0; i < names->count; i++) {
            char path[300];
            format(path, sizeof(path), "/app/many/%s", names->names[i]);
            deleted += names->names[i][0] != '.' && name_unlink(NULL, path) == 0;
        }
    } while (names->count);
    CHECK_EQUAL(deleted, 1999);
    file_put(directory);
    free(names);
    CHECK_EQUAL(name_remove_directory(NULL, "/app/many"), 0);
    CHECK_EQUAL(exists("/app/many"), -ENOENT);
    CHECK_EQUAL(exists("/app/many/entry-1"), -ENOENT);
    CHECK_EQUAL(name_make(NULL, "/app/many", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(exists("/app/many/entry-1"), -ENOENT);
}

static void attributes_last(void)
{
    struct dentry *dentry;
    CHECK_EQUAL(path_find(NULL, "/app/config/a.properties", 0, &dentry), 0);
    CHECK_EQUAL(dentry_settle(dentry), 0);
    dentry->inode->mode = S_IFREG | 0400;
    CHECK(is_untouched(dentry->inode));
    dentry_put(dentry);
    /* More names than are remembered of what nobody uses. */
    for (unsigned i = 0; i < 3000; i++) {
        char path[100];
        format(path, sizeof(path), "/home/absent-%u", i);
        CHECK_EQUAL(exists(path), -ENOENT);
    }
    CHECK_EQUAL(status_of("/app/config/a.properties").mode, S_IFREG | 0400);
}

static void watches_last(void)
{
    struct dentry *dentry;
    struct file *file = inotify_create(O_NONBLOCK);
    CHECK_EQUAL(path_find(NULL, "/app/static/deep/deeper", 0, &dentry), 0);
    CHECK_EQUAL(dentry_settle(dentry), 0);
    CHECK(inotify_add(file, dentry->inode, IN_MODIFY | IN_CREATE) > 0);
    dentry_put(dentry);
    for (unsigned i = 0; i < 3000; i++) {
        char path[100];
        format(path, sizeof(path), "/home/absent-%u", i);
        exists(path);
    }
    CHECK_EQUAL(file_poll(file), 0);
    CHECK_EQUAL(test_write_file("/app/static/deep/deeper/file", "x"), 0);
    CHECK_EQUAL(file_poll(file), POLLIN);
    CHECK_EQUAL(test_write_file(PLAIN "/static/deep/deeper/file", "x"), 0);
    file_put(file);
}

/* ---- Random changes ---- */

static uint64_t random_state = 88172645463325252UL;
static unsigned pick(unsigned count)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 20) % count);
}

static const char *const places[] = {
    "app.jar",
    "lib",
    "lib/one.jar",
    "lib/two.jar",
    "config",
    "config/a.properties",
    "config/hard",
    "static",
    "static/hard",
    "static/deep",
    "static/deep/deeper",
    "static/deep/deeper/file",
    "link",
    "empty",
    "empty/x",
    "new",
    "new/one.jar",
    "lib/deep",
    "lib/deep/deeper/file",
    "config/",
    "new/deeper",
    "static/new",
    "renamed",
};

static const char *const roots[] = { "/app", PLAIN };

static const char *place(unsigned root, unsigned which, char *to)
{
    format(to, 200, "%s/%s", roots[root], places[which]);
    return to;
}

static int change_contents(const char *path, unsigned how, unsigned at, unsigned length)
{
    static const uint32_t flags[] = {
        O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND, O_RDWR | O_CREAT | O_EXCL,
    };
    struct file *file;
    int error = file_open(NULL, path, flags[how % 5], 0644, &file);
    if (error)
        return error;
    struct inode *inode = file->inode;
    if (how / 5 == 0)
        error = inode_resize(inode, at);
    else if (how / 5 == 1)
        error = test_allocate(inode, at, length + 1, length & 1, (length & 3) == 1);
    else
        error = (int)write_at(file, other, length, at);
    file_put(file);
    return error;
}

static int change(unsigned root, const unsigned *choice)
{
    char first[200], second[200];
    const char *a = place(root, choice[1], first), *b = place(root, choice[2], second);
    struct dentry *dentry;
    int error;
    switch (choice[0]) {
    case 0:
        return name_rename(NULL, a, NULL, b, choice[3] % 4 == 0 ? RENAME_NOREPLACE : 0);
    case 1:
        return name_unlink(NULL, a);
    case 2:
        return name_remove_directory(NULL, a);
    case 3:
        return name_make(NULL, a, S_IFDIR | 0755, NULL);
    case 4:
        error = path_find(NULL, a, 0, &dentry);
        if (!error) {
            error = name_link(dentry->inode, dentry, NULL, b);
            dentry_put(dentry);
        }
        return error;
    case 5:
        error = path_find(NULL, a, WALK_FOLLOW, &dentry);
        if (!error) {
            error = dentry_prepare_write(dentry);
            if (!error)
                error = inode_resize(dentry->inode, choice[4]);
            dentry_put(dentry);
        }
        return error;
    default:
        return change_contents(a, choice[3] % 15, choice[4], choice[5]);
    }
}

static void random_changes(void)
{
    for (unsigned i = 0; i < sizeof(other); i++)
        other[i] = (char)(i * 31 + 7);
    for (unsigned round = 0; round < 10000; round++) {
        unsigned choice[] = { pick(12),   pick(array_size(places)), pick(array_size(places)), pick(60), pick(100000),
                              pick(20000) };
        int here = change(0, choice), there = change(1, choice);
        if (here != there)
            host_fail(__FILE__, __LINE__, "round %u, change %u of %s and %s: %d, not %d", round, choice[0],
                      places[choice[1]], places[choice[2]], here, there);
        const char *where = round % 64 == 0 ? differ("/app", PLAIN, false) : NULL;
        if (where)
            host_fail(__FILE__, __LINE__, "after round %u, change %u of %s and %s: %s differs", round, choice[0],
                      places[choice[1]], places[choice[2]], where);
        if (here != there || where)
            return;
    }
}

/* Everything goes: nothing of it is counted any more. */
static void remove_tree(const char *path)
{
    struct names *names = names_new();
    unsigned count = list_sorted(path, names);
    for (unsigned i = 0; i < count; i++) {
        char below[600];
        if (!strcmp(names->names[i], ".") || !strcmp(names->names[i], ".."))
            continue;
        format(below, sizeof(below), "%s/%s", path, names->names[i]);
        if ((status_of(below).mode & S_IFMT) == S_IFDIR)
            remove_tree(below);
        else
            name_unlink(NULL, below);
    }
    name_remove_directory(NULL, path);
    free(names);
}

static void all_is_given_back(void)
{
    struct dentry *root;
    struct file_system_statistics statistics;
    CHECK_EQUAL(path_find(NULL, "/app", 0, &root), 0);
    remove_tree("/app");
    for (unsigned i = 0; i < 3000; i++) {
        char path[100];
        format(path, sizeof(path), "/home/absent-%u", i);
        exists(path);
    }
    struct names *names = names_new();
    CHECK_EQUAL(list_sorted("/app", names), 2);
    free(names);
    root->inode->fs->statistics(root->inode->fs, &statistics);
    /* The file that had two names in the image is kept. */
    CHECK(statistics.files_free >= statistics.files - 1);
    dentry_put(root);
}

/* Memory that runs out at any place gives an error, after which everything is as before. */
static void out_of_memory(void)
{
    for (uint64_t n = 1; n < 60; n++) {
        host_fail_allocation(n);
        int error = name_make(NULL, "/home/made", S_IFDIR | 0700, NULL);
        if (!error)
            error = test_write_file("/home/made/file", "text");
        host_fail_allocation(0);
        CHECK(error == 0 || error == -ENOMEM || error == -ENOSPC);
        if (!error)
            CHECK(contains("/home/made/file", "text"));
        name_unlink(NULL, "/home/made/file");
        name_remove_directory(NULL, "/home/made");
        CHECK_EQUAL(exists("/home/made"), -ENOENT);
    }
}

static void out_of_memory_over_names(void)
{
    unsigned failures = 0;
    for (uint64_t n = 1; n < 400; n++) {
        struct file *directory = opened("/app/lib", O_RDONLY | O_DIRECTORY);
        if (!directory)
            break;
        host_fail_allocation(n);
        int error = test_write_file("/app/lib/two.jar", "changed");
        host_fail_allocation(0);
        file_put(directory);
        failures += error != 0;
        CHECK(error == 0 || error == -ENOMEM || error == -ENOSPC);
        CHECK(contains("/app/lib/two.jar", error ? "two" : "changed") || contains("/app/lib/two.jar", ""));
        if (!error)
            break;
    }
    CHECK(failures > 3);
    CHECK_EQUAL(test_write_file("/app/lib/two.jar", "two"), 0);
    CHECK_EQUAL(test_write_file(PLAIN "/lib/two.jar", "two"), 0);
    CHECK(differ("/app", PLAIN, true) == NULL);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: test_layer IMAGE\n");
        return 2;
    }
    host_init();
    page_cache_init();
    struct file_system *fs;
    if (ext2_open(test_disk(arguments[1]), false, &fs) || mount_at("/", fs) || files_mount_memory("/tmp", 0))
        panic("cannot mount %s", arguments[1]);
    copy_tree("/app", PLAIN);
    if (files_make_writable("/app", 0) || files_make_writable("/home", 0))
        panic("cannot make /app writable");
    host_test("layer: reading costs nothing", reading_costs_nothing);
    host_test("layer: sizes", sizes);
    host_test("layer: the root stays read-only", root_stays);
    host_test("layer: out of memory", out_of_memory);
    host_test("layer: out of memory while names are taken over", out_of_memory_over_names);
    host_test("layer: one page is copied", one_page_is_copied);
    host_test("layer: cut and extended", cut_and_extended);
    host_test("layer: a listing goes on", listing_goes_on);
    host_test("layer: deleting while listing", deleting_while_listing);
    host_test("layer: attributes last", attributes_last);
    host_test("layer: watches last", watches_last);
    remove_tree(PLAIN "/many");
    name_make(NULL, PLAIN "/many", S_IFDIR | 0755, NULL);
    host_test("layer: random changes", random_changes);
    host_test("layer: all is given back", all_is_given_back);
    return host_result();
}
