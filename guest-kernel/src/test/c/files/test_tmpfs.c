/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory file system: names, contents, limits, and what stays alive.
 *
 * All tests share one root of 64 MiB. inotify and flock are tested here too. Run by make test-files-tmpfs.
 */
#include "core/log.h"
#include "files/epoll.h"
#include "files/flock.h"
#include "files/inotify.h"
#include "files/support.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"

static char buffer[1 << 16];

static ssize_type write_text(struct file *file, const char *text)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)text, strlen(text));
    return file_write(file, &transfer);
}

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

static void create_and_read(void)
{
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0640, &file), 0);
    CHECK_EQUAL(write_text(file, "hello"), 5);
    CHECK_EQUAL(file->inode->mode, S_IFREG | 0640);
    file_put(file);
    CHECK(contains("/tmp/a", "hello"));
    CHECK_EQUAL(file_open(NULL, "/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0640, &file), -EEXIST);
    CHECK_EQUAL(file_open(NULL, "/tmp/none/a", O_RDWR | O_CREAT, 0640, &file), -ENOENT);
    CHECK_EQUAL(file_open(NULL, "/tmp/new/", O_RDWR | O_CREAT, 0640, &file), -EISDIR);
    CHECK_EQUAL(test_write_file("/tmp/a", "other"), 0);
    CHECK(contains("/tmp/a", "other"));
    CHECK_EQUAL(name_unlink(NULL, "/tmp/a"), 0);
    CHECK_EQUAL(file_open(NULL, "/tmp/a", O_RDONLY, 0, &file), -ENOENT);
}

static void append(void)
{
    CHECK_EQUAL(test_write_file("/tmp/a", "one"), 0);
    struct file *file = opened("/tmp/a", O_WRONLY | O_APPEND);
    CHECK(file);
    CHECK_EQUAL(write_text(file, "two"), 3);
    CHECK_EQUAL(file_seek(file, 0, 0), 0);
    CHECK_EQUAL(write_text(file, "three"), 5);
    CHECK_EQUAL(file->offset, 11);
    struct transfer transfer;
    transfer_init_kernel(&transfer, buffer, 1);
    CHECK_EQUAL(file_read(file, &transfer), -EBADF);
    file_put(file);
    CHECK(contains("/tmp/a", "onetwothree"));
    name_unlink(NULL, "/tmp/a");
}

static void holes(void)
{
    struct file *file = opened("/tmp/h", O_RDWR | O_CREAT);
    CHECK(file);
    uint64_t pages = host_pages_in_use();
    CHECK_EQUAL(file_seek(file, 10 << 20, 0), 10 << 20);
    CHECK_EQUAL(write_text(file, "end"), 3);
    CHECK_EQUAL(file->inode->size, (10 << 20) + 3);
    CHECK_EQUAL(file_read_kernel(file, buffer, 4096, 5 << 20), 4096);
    for (unsigned i = 0; i < 4096; i++)
        CHECK(buffer[i] == 0);
    CHECK_EQUAL(host_pages_in_use(), pages + 1);
    CHECK_EQUAL(file_seek(file, -3, 2), 10 << 20);
    CHECK_EQUAL(file_seek(file, -1, 0), -EINVAL);
    file_put(file);
    name_unlink(NULL, "/tmp/h");
    CHECK_EQUAL(host_pages_in_use(), pages);
}

static void truncation(void)
{
    CHECK_EQUAL(test_write_file("/tmp/t", "0123456789"), 0);
    struct file *file = opened("/tmp/t", O_RDWR);
    CHECK_EQUAL(inode_resize(file->inode, 4), 0);
    CHECK(contains("/tmp/t", "0123"));
    CHECK_EQUAL(inode_resize(file->inode, 8), 0);
    CHECK_EQUAL(file_read_kernel(file, buffer, 100, 0), 8);
    CHECK(memcmp(buffer, "0123\0\0\0\0", 8) == 0);
    uint64_t pages = host_pages_in_use();
    CHECK_EQUAL(inode_resize(file->inode, 1UL << 30), 0);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(inode_resize(file->inode, 0), 0);
    CHECK_EQUAL(host_pages_in_use(), pages - 1);
    CHECK_EQUAL(test_allocate(file->inode, 0, 3 * PAGE_SIZE, false, false), 0);
    CHECK_EQUAL(host_pages_in_use(), pages + 2);
    CHECK_EQUAL(file->inode->size, 3 * PAGE_SIZE);
    CHECK_EQUAL(write_text(file, "abcdef"), 6);
    CHECK_EQUAL(test_allocate(file->inode, 1, 3, true, true), 0);
    CHECK_EQUAL(file_read_kernel(file, buffer, 6, 0), 6);
    CHECK(memcmp(buffer, "a\0\0\0ef", 6) == 0);
    file_put(file);
    name_unlink(NULL, "/tmp/t");
}

static void unlinked_but_open(void)
{
    uint64_t blocks = host_heap_blocks(), pages = host_pages_in_use();
    CHECK_EQUAL(test_write_file("/tmp/u", "alive"), 0);
    struct file *file = opened("/tmp/u", O_RDWR);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/u"), 0);
    CHECK_EQUAL(file->inode->links, 0);
    CHECK_EQUAL(file_read_kernel(file, buffer, 100, 0), 5);
    char path[64];
    CHECK_EQUAL(file_path(file, path, sizeof(path)), 16);
    CHECK(strcmp(path, "/tmp/u (deleted)") == 0);
    CHECK_EQUAL(test_write_file("/tmp/u", "other"), 0);
    CHECK_EQUAL(file_read_kernel(file, buffer, 100, 0), 5);
    CHECK(memcmp(buffer, "alive", 5) == 0);
    file_put(file);
    CHECK(contains("/tmp/u", "other"));
    CHECK_EQUAL(name_unlink(NULL, "/tmp/u"), 0);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK(host_heap_blocks() <= blocks + 4); /* names that are now known not to exist */
}

static void directories(void)
{
    struct dentry *found;
    CHECK_EQUAL(name_make(NULL, "/tmp/d/", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(name_make(NULL, "/tmp/d", S_IFDIR | 0755, NULL), -EEXIST);
    CHECK_EQUAL(name_make(NULL, "/tmp/d/e", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(path_find(NULL, "/tmp/d", 0, &found), 0);
    CHECK_EQUAL(found->inode->links, 3);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/d"), -ENOTEMPTY);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/d"), -EISDIR);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/d/e/."), -EINVAL);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/d/e"), 0);
    CHECK_EQUAL(found->inode->links, 2);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/d"), 0);
    CHECK_EQUAL(name_make(found, "x", S_IFDIR | 0755, NULL), -ENOENT);
    dentry_put(found);
    CHECK_EQUAL(name_remove_directory(NULL, "/"), -EBUSY);
    CHECK_EQUAL(test_write_file("/tmp/f", ""), 0);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/f"), -ENOTDIR);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/f"), 0);
}

static void renaming(void)
{
    CHECK_EQUAL(test_write_file("/tmp/a", "A"), 0);
    CHECK_EQUAL(test_write_file("/tmp/b", "B"), 0);
    CHECK_EQUAL(name_rename(NULL, "/tmp/a", NULL, "/tmp/b", RENAME_NOREPLACE), -EEXIST);
    CHECK_EQUAL(name_rename(NULL, "/tmp/a", NULL, "/tmp/b", 0), 0);
    CHECK(contains("/tmp/b", "A"));
    CHECK_EQUAL(test_read_file("/tmp/a", buffer, 1), -ENOENT);
    CHECK_EQUAL(name_rename(NULL, "/tmp/a", NULL, "/tmp/c", 0), -ENOENT);
    CHECK_EQUAL(name_make(NULL, "/tmp/x", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(name_make(NULL, "/tmp/x/y", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(name_rename(NULL, "/tmp/x", NULL, "/tmp/x/y/z", 0), -EINVAL);
    CHECK_EQUAL(name_rename(NULL, "/tmp/b", NULL, "/tmp/x", 0), -EISDIR);
    CHECK_EQUAL(name_rename(NULL, "/tmp/x", NULL, "/tmp/b", 0), -ENOTDIR);
    const char *long_name = "/tmp/a-name-that-does-not-fit-into-the-short-name-of-a-dentry";
    CHECK_EQUAL(name_rename(NULL, "/tmp/b", NULL, "/tmp/x/y/b", 0), 0);
    CHECK_EQUAL(name_rename(NULL, "/tmp/x", NULL, long_name, 0), 0);
    format(buffer, 200, "%s/y/b", long_name);
    struct dentry *found;
    char path[200];
    CHECK_EQUAL(path_find(NULL, buffer, 0, &found), 0);
    CHECK(dentry_path(found, path, sizeof(path)) > 0);
    CHECK(strcmp(path, buffer) == 0);
    CHECK_EQUAL(name_rename(NULL, path, NULL, path, 0), 0);
    CHECK_EQUAL(name_unlink(NULL, path), 0);
    dentry_put(found);
    CHECK_EQUAL(name_rename(NULL, long_name, NULL, "/tmp/x", 0), 0);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/x/y"), 0);
    CHECK_EQUAL(name_make(NULL, "/tmp/empty", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(name_rename(NULL, "/tmp/x", NULL, "/tmp/empty", 0), 0);
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/empty"), 0);
}

static void links(void)
{
    CHECK_EQUAL(test_write_file("/tmp/one", "text"), 0);
    struct dentry *one;
    CHECK_EQUAL(path_find(NULL, "/tmp/one", 0, &one), 0);
    CHECK_EQUAL(name_link(one->inode, one, NULL, "/tmp/two"), 0);
    CHECK_EQUAL(name_link(one->inode, one, NULL, "/tmp/two"), -EEXIST);
    CHECK_EQUAL(one->inode->links, 2);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/one"), 0);
    CHECK_EQUAL(one->inode->links, 1);
    dentry_put(one);
    CHECK(contains("/tmp/two", "text"));
    CHECK_EQUAL(name_make(NULL, "/tmp/s", S_IFLNK | 0777, "two"), 0);
    CHECK(contains("/tmp/s", "text"));
    struct file *file;
    CHECK_EQUAL(file_open(NULL, "/tmp/s", O_RDONLY | O_NOFOLLOW, 0, &file), -ELOOP);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/two"), 0);
    CHECK_EQUAL(test_write_file("/tmp/s", "through"), 0);
    CHECK(contains("/tmp/two", "through"));
    CHECK_EQUAL(name_unlink(NULL, "/tmp/s"), 0);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/two"), 0);
}

struct names {
    struct listing listing;
    char text[256];
};

static bool take_name(struct listing *listing, const struct listed_name *name)
{
    struct names *names = container_of(listing, struct names, listing);
    size_t length = strlen(names->text);
    format(names->text + length, sizeof(names->text) - length, "%.*s ", (int)name->length, name->name);
    return true;
}

static void listing(void)
{
    struct names names = { .listing.take = take_name };
    CHECK_EQUAL(name_make(NULL, "/tmp/l", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(test_write_file("/tmp/l/a", ""), 0);
    CHECK_EQUAL(test_write_file("/tmp/l/b", ""), 0);
    CHECK_EQUAL(test_write_file("/tmp/l/c", ""), 0);
    CHECK_EQUAL(test_read_file("/tmp/l/nothing", buffer, 1), -ENOENT);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/l/b"), 0);
    struct file *directory = opened("/tmp/l", O_RDONLY | O_DIRECTORY);
    CHECK_EQUAL(file_list(directory, &names.listing), 0);
    CHECK(strcmp(names.text, ". .. a c ") == 0);
    CHECK_EQUAL(test_write_file("/tmp/l/d", ""), 0);
    names.text[0] = 0;
    CHECK_EQUAL(file_list(directory, &names.listing), 0);
    CHECK(strcmp(names.text, "d ") == 0);
    file_put(directory);
    name_unlink(NULL, "/tmp/l/a");
    name_unlink(NULL, "/tmp/l/c");
    name_unlink(NULL, "/tmp/l/d");
    CHECK_EQUAL(name_remove_directory(NULL, "/tmp/l"), 0);
}

static void limit(void)
{
    CHECK_EQUAL(name_make(NULL, "/small", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(mount_at("/small", tmpfs_create(4 * PAGE_SIZE, 0755)), 0);
    struct file *file = opened("/small/f", O_RDWR | O_CREAT);
    struct transfer transfer;
    memset(buffer, 'x', sizeof(buffer));
    transfer_init_kernel(&transfer, buffer, 6 * PAGE_SIZE);
    CHECK_EQUAL(file_write(file, &transfer), 4 * PAGE_SIZE);
    CHECK_EQUAL(file_write(file, &transfer), -ENOSPC);
    CHECK_EQUAL(file->inode->size, 4 * PAGE_SIZE);
    struct file_system_statistics statistics;
    file->inode->fs->statistics(file->inode->fs, &statistics);
    CHECK_EQUAL(statistics.blocks, 4);
    CHECK_EQUAL(statistics.blocks_free, 0);
    CHECK_EQUAL(inode_resize(file->inode, PAGE_SIZE + 1), 0);
    file->inode->fs->statistics(file->inode->fs, &statistics);
    CHECK_EQUAL(statistics.blocks_free, 2);
    CHECK_EQUAL(test_allocate(file->inode, 0, 5 * PAGE_SIZE, false, false), -ENOSPC);
    CHECK_EQUAL(file->inode->size, PAGE_SIZE + 1);
    file_put(file);
    CHECK_EQUAL(name_rename(NULL, "/small/f", NULL, "/tmp/f", 0), -EXDEV);
    CHECK_EQUAL(name_unlink(NULL, "/small"), -EISDIR);
    CHECK_EQUAL(name_unlink(NULL, "/small/f"), 0);
}

static struct file_system_statistics statistics_of(const char *path)
{
    struct file_system_statistics statistics;
    struct file *file = opened(path, O_RDONLY);
    file->inode->fs->statistics(file->inode->fs, &statistics);
    file_put(file);
    return statistics;
}

static const char *numbered(unsigned i)
{
    static char path[] = "/nodes/00000";
    for (unsigned digit = 0; digit < 5; digit++, i /= 10)
        path[sizeof(path) - 2 - digit] = (char)('0' + i % 10);
    return path;
}

/* Inodes and names end, and come back. */
static void node_limit(void)
{
    CHECK_EQUAL(name_make(NULL, "/nodes", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(mount_at("/nodes", tmpfs_create(4 * PAGE_SIZE, 0755)), 0);
    struct file_system_statistics at_first = statistics_of("/nodes");
    CHECK_EQUAL(at_first.files, pages_total_count() / 2);
    CHECK_EQUAL(at_first.files_free, at_first.files - 1);
    unsigned made = 0;
    int error = 0;
    struct file *file = opened(numbered(made++), O_RDWR | O_CREAT);
    while (made < at_first.files_free / 2)
        CHECK_EQUAL(name_make(NULL, numbered(made++), S_IFREG | 0600, NULL), 0);
    while ((error = name_link(file->inode, file->dentry, NULL, numbered(made))) == 0)
        made++;
    CHECK_EQUAL(error, -ENOSPC);
    CHECK_EQUAL(made, at_first.files_free);
    CHECK_EQUAL(name_make(NULL, numbered(made), S_IFDIR | 0700, NULL), -ENOSPC);
    CHECK_EQUAL(name_make(NULL, numbered(made), S_IFLNK | 0777, "x"), -ENOSPC);
    CHECK_EQUAL(statistics_of("/nodes").files_free, 0);
    CHECK_EQUAL(name_unlink(NULL, numbered(made - 1)), 0);
    CHECK_EQUAL(statistics_of("/nodes").files_free, 1);
    CHECK_EQUAL(name_make(NULL, numbered(made - 1), S_IFLNK | 0777, "x"), 0);
    file_put(file);
    while (made-- > 0)
        CHECK_EQUAL(name_unlink(NULL, numbered(made)), 0);
    CHECK_EQUAL(statistics_of("/nodes").files_free, at_first.files_free);
}

/* Two file systems, each with room for three quarters of what all together may take. */
static void common_budget(void)
{
    uint64_t budget = pages_total_count() / 2, share = budget / 4 * 3;
    CHECK_EQUAL(name_make(NULL, "/one", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(name_make(NULL, "/two", S_IFDIR | 0755, NULL), 0);
    CHECK_EQUAL(mount_at("/one", tmpfs_create(share * PAGE_SIZE, 0755)), 0);
    CHECK_EQUAL(mount_at("/two", tmpfs_create(share * PAGE_SIZE, 0755)), 0);
    struct file *one = opened("/one/f", O_RDWR | O_CREAT), *two = opened("/two/f", O_RDWR | O_CREAT);
    CHECK_EQUAL(test_allocate(one->inode, 0, share * PAGE_SIZE, false, false), 0);
    uint64_t left = statistics_of("/two").blocks_free;
    CHECK(left < budget - share && left > budget - share - 64);
    CHECK_EQUAL(test_allocate(two->inode, 0, (left + 2) * PAGE_SIZE, false, false), -ENOSPC);
    CHECK_EQUAL(test_allocate(two->inode, 0, left * PAGE_SIZE, false, false), 0);
    CHECK_EQUAL(statistics_of("/one").blocks_free, 0);
    file_put(one);
    CHECK_EQUAL(name_unlink(NULL, "/one/f"), 0);
    CHECK_EQUAL(statistics_of("/two").blocks_free, share - left);
    file_put(two);
    CHECK_EQUAL(name_unlink(NULL, "/two/f"), 0);
}

static void bad_user_memory(void)
{
    struct file *file = opened("/tmp/bad", O_RDWR | O_CREAT);
    struct transfer transfer;
    uint64_t pages = host_pages_in_use();
    host_fault_range((uintptr_t)buffer, (uintptr_t)buffer + 10);
    transfer_init_user(&transfer, (uintptr_t)buffer, 10);
    CHECK_EQUAL(file_write(file, &transfer), -EFAULT);
    CHECK_EQUAL(file->inode->size, 0);
    CHECK_EQUAL(host_pages_in_use(), pages);
    host_fault_range(0, 0);
    file_put(file);
    name_unlink(NULL, "/tmp/bad");
}

static void out_of_memory(void)
{
    for (uint64_t n = 1; n < 12; n++) {
        struct file *file = NULL;
        host_fail_allocation(n);
        int error = file_open(NULL, "/tmp/oom", O_RDWR | O_CREAT, 0600, &file);
        CHECK(error == 0 || error == -ENOMEM || error == -ENOSPC);
        if (!error)
            CHECK(write_text(file, "x") == 1 || file->inode->size == 0);
        host_fail_allocation(0);
        if (file)
            file_put(file);
        name_unlink(NULL, "/tmp/oom");
    }
}

static void memory_file(void)
{
    uint64_t pages = host_pages_in_use();
    struct file *file = tmpfs_memory_file(O_RDWR);
    CHECK(file);
    CHECK_EQUAL(write_text(file, "memfd"), 5);
    CHECK_EQUAL(file_read_kernel(file, buffer, 10, 0), 5);
    CHECK_EQUAL(inode_resize(file->inode, 100), 0);
    CHECK(file->operations->pages(file) == &file->inode->pages);
    file_put(file);
    CHECK_EQUAL(host_pages_in_use(), pages);
}

static void watching(void)
{
    struct {
        int32_t watch;
        uint32_t events, cookie, length;
        char name[16];
    } event;
    struct dentry *tmp;
    struct file *file = inotify_create(O_NONBLOCK);
    CHECK_EQUAL(path_find(NULL, "/tmp", 0, &tmp), 0);
    int watch = inotify_add(file, tmp->inode,
                            IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE);
    CHECK(watch > 0);
    CHECK_EQUAL(
        inotify_add(file, tmp->inode, IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE),
        watch);
    dentry_put(tmp);
    CHECK_EQUAL(file_poll(file), 0);
    CHECK_EQUAL(test_write_file("/tmp/w", "x"), 0);
    CHECK_EQUAL(file_poll(file), POLLIN);
    CHECK_EQUAL(name_rename(NULL, "/tmp/w", NULL, "/tmp/v", 0), 0);
    CHECK_EQUAL(name_unlink(NULL, "/tmp/v"), 0);
    static const struct {
        uint32_t events;
        char name;
    } expected[] = {
        { IN_CREATE, 'w' },     { IN_MODIFY, 'w' },   { IN_CLOSE_WRITE, 'w' },
        { IN_MOVED_FROM, 'w' }, { IN_MOVED_TO, 'v' }, { IN_DELETE, 'v' },
    };
    uint32_t cookie = 0;
    for (unsigned i = 0; i < array_size(expected); i++) {
        struct transfer transfer;
        transfer_init_kernel(&transfer, &event, sizeof(event));
        CHECK_EQUAL(file_read(file, &transfer), sizeof(event));
        CHECK_EQUAL(event.watch, watch);
        CHECK_EQUAL(event.events, expected[i].events);
        CHECK_EQUAL(event.length, 16);
        CHECK(event.name[0] == expected[i].name && event.name[1] == 0);
        if (event.events == IN_MOVED_FROM)
            cookie = event.cookie;
        if (event.events == IN_MOVED_TO)
            CHECK(cookie && event.cookie == cookie);
    }
    struct transfer transfer;
    transfer_init_kernel(&transfer, &event, sizeof(event));
    CHECK_EQUAL(file_read(file, &transfer), -EAGAIN);
    CHECK_EQUAL(inotify_remove(file, watch), 0);
    CHECK_EQUAL(inotify_remove(file, watch), -EINVAL);
    CHECK_EQUAL(file_read(file, &transfer), 16);
    CHECK_EQUAL(event.events, IN_IGNORED);
    file_put(file);
}

static void file_locks(void)
{
    struct file *a = opened("/tmp/lock", O_RDWR | O_CREAT), *b = opened("/tmp/lock", O_RDWR);
    CHECK_EQUAL(flock_file(a, FLOCK_EXCLUSIVE | FLOCK_NONBLOCK), 0);
    CHECK_EQUAL(flock_file(b, FLOCK_SHARED | FLOCK_NONBLOCK), -EAGAIN);
    CHECK_EQUAL(flock_file(a, FLOCK_SHARED), 0);
    CHECK_EQUAL(flock_file(b, FLOCK_SHARED | FLOCK_NONBLOCK), 0);
    CHECK_EQUAL(flock_file(b, FLOCK_EXCLUSIVE | FLOCK_NONBLOCK), -EAGAIN);
    file_put(a);
    CHECK_EQUAL(flock_file(b, FLOCK_EXCLUSIVE | FLOCK_NONBLOCK), 0);
    file_put(b);
    name_unlink(NULL, "/tmp/lock");
}

int main(void)
{
    host_init();
    page_cache_init();
    test_memory_root(64 << 20);
    host_test("tmpfs create and read", create_and_read);
    host_test("tmpfs append", append);
    host_test("tmpfs holes", holes);
    host_test("tmpfs truncation", truncation);
    host_test("tmpfs unlinked but open", unlinked_but_open);
    host_test("tmpfs directories", directories);
    host_test("tmpfs renaming", renaming);
    host_test("tmpfs links", links);
    host_test("tmpfs listing", listing);
    host_test("tmpfs limit", limit);
    host_test("tmpfs limit of inodes and names", node_limit);
    host_test("tmpfs common budget", common_budget);
    host_test("tmpfs bad user memory", bad_user_memory);
    host_test("tmpfs out of memory", out_of_memory);
    host_test("memory files", memory_file);
    host_test("inotify", watching);
    host_test("flock", file_locks);
    return host_result();
}
