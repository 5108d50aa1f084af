/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose first, second, ... allocation fails, alone or with all that follow, until the call succeeds. After a
 * failure all memory is back and everything is as before: so the same call then works.
 */
#include "core/log.h"
#include "files/attributes.h"
#include "files/epoll.h"
#include "files/flock.h"
#include "files/inotify.h"
#include "files/streams.h"
#include "files/support.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/page_cache.h"

#define MOST 200 /* allocations that one call makes */
#define LONG_NAME "a-name-that-is-much-too-long-to-be-kept-inside-of-a-directory-entry-and-so-takes-memory-of-its-own"

static struct file *one, *two; /* what an operation acts on or has made */
static char bytes[3 * PAGE_SIZE];
static int descriptor;

struct operation {
    const char *name;
    bool (*before)(void); /* makes what it needs; NULL: nothing */
    int64_t (*act)(void); /* 0 or more, or -errno */
    void (*undo)(void);   /* what act() has done; NULL: nothing */
    void (*after)(void);  /* what before() has made; NULL: nothing */
};

static int64_t made(struct file *file)
{
    one = file;
    return file ? 0 : -ENOMEM;
}

static void put_one(void) { file_put(one); }
static void put_both(void)
{
    file_put(one);
    file_put(two);
}

static ssize_type put(struct file *file, const void *data, size_t length)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)data, length);
    return file_write(file, &transfer);
}

/* ---- Streams ---- */

static int64_t make_pipe(void) { return pipe_create(O_NONBLOCK, &one, &two); }
static bool has_pipe(void) { return make_pipe() == 0; }

/* Part of it may be written: that is what the pipe then holds. */
static int64_t write_pipe(void)
{
    static char back[sizeof(bytes)];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i % 251);
    ssize_type written = put(two, bytes, sizeof(bytes));
    if (written < 0)
        return written;
    struct transfer transfer;
    transfer_init_kernel(&transfer, back, sizeof(back));
    if (file_read(one, &transfer) != written || memcmp(back, bytes, (size_t)written))
        return -EIO;
    return written == sizeof(bytes) ? 0 : -ENOMEM;
}

static int64_t make_eventfd(void) { return made(eventfd_create(0, false, 0)); }
static int64_t make_timerfd(void) { return made(timerfd_create(false, 0)); }
static int64_t make_epoll(void) { return made(epoll_create(0)); }
static int64_t make_inotify(void) { return made(inotify_create(O_NONBLOCK)); }

static bool has_epoll(void)
{
    two = eventfd_create(0, false, 0);
    return make_epoll() == 0 && two;
}

static int64_t control_epoll(int operation)
{
    struct epoll_event event = { .events = POLLIN };
    return epoll_control(one, operation, 5, two, &event);
}

static int64_t add_interest(void) { return control_epoll(EPOLL_CTL_ADD); }
static void remove_interest(void) { (void)control_epoll(EPOLL_CTL_DEL); }

/* ---- Descriptors ---- */

static bool has_file(void) { return make_eventfd() == 0; }

static int64_t add_descriptor(void)
{
    descriptor = descriptor_add(one, false, (int)(2 * descriptor_table_size()));
    if (descriptor >= 0)
        file_get(one);
    return descriptor;
}

static void close_descriptor(void) { (void)descriptor_close(descriptor); }

static bool has_descriptor(void)
{
    descriptor = has_file() ? descriptor_add(one, false, 0) : -1;
    return descriptor >= 0;
}

static int64_t duplicate(void) { return descriptor_duplicate(descriptor, (int)(2 * descriptor_table_size()), false); }
static void close_all(void) { (void)descriptor_close_range(0, UINT32_MAX, false); }

/* ---- Files of memory ---- */

#define PATH "/tmp/" LONG_NAME

/* As it is after a call that failed to make the name: a directory entry says so. */
static void remember_absence(const char *path)
{
    struct dentry *found;
    if (path_find(NULL, path, 0, &found) == 0)
        dentry_put(found);
}

static int64_t create_file(void) { return file_open(NULL, PATH, O_RDWR | O_CREAT | O_EXCL, 0600, &one); }
static void remove_file(void)
{
    file_put(one);
    (void)name_unlink(NULL, PATH);
    remember_absence(PATH);
}
static bool has_memory_file(void) { return create_file() == 0; }
static int64_t make_directory(void) { return name_make(NULL, PATH, S_IFDIR | 0700, NULL); }
static void remove_directory(void)
{
    (void)name_remove_directory(NULL, PATH);
    remember_absence(PATH);
}

static int64_t make_link(void) { return name_make(NULL, PATH, S_IFLNK | 0777, LONG_NAME); }
static void remove_name(void)
{
    (void)name_unlink(NULL, PATH);
    remember_absence(PATH);
}

static int64_t link_file(void) { return name_link(one->inode, one->dentry, NULL, PATH "-2"); }

static void remove_second(void)
{
    (void)name_unlink(NULL, PATH "-2");
    remember_absence(PATH "-2");
}

static int64_t rename_file(void) { return name_rename(NULL, PATH, NULL, PATH "-2", 0); }
static void rename_back(void)
{
    (void)name_rename(NULL, PATH "-2", NULL, PATH, 0);
    remember_absence(PATH "-2");
}

static int64_t make_memory_file(void) { return made(tmpfs_memory_file(O_RDWR)); }

static void cut_file(void)
{
    one->offset = 0;
    (void)inode_resize(one->inode, 0);
}

static int64_t write_file(void)
{
    ssize_type written = put(one, bytes, sizeof(bytes));
    if (one->inode->size != (uint64_t)max_of(written, (ssize_type)0))
        return -EIO;
    if (written == sizeof(bytes))
        return 0;
    cut_file();
    return written < 0 ? written : -ENOMEM;
}

static int64_t allocate_file(void)
{
    struct inode *inode = one->inode;
    int error = test_allocate(inode, 0, sizeof(bytes), false, false);
    return error ? error : inode->size == sizeof(bytes) ? 0 : -EIO;
}

static int64_t set_attribute(void) { return attribute_set(one->inode, "user.name", "value", 5, 0); }
static void remove_attribute(void) { (void)attribute_remove(one->inode, "user.name"); }
static int64_t lock_file(void) { return flock_file(one, FLOCK_EXCLUSIVE); }
static void unlock_file(void) { (void)flock_file(one, FLOCK_UNLOCK); }

static bool has_inotify(void)
{
    bool made_file = has_memory_file();
    two = inotify_create(O_NONBLOCK);
    return made_file && two;
}

static int64_t watch_file(void) { return descriptor = inotify_add(two, one->inode, IN_MODIFY); }
static void unwatch(void)
{
    char drained[1000];
    struct transfer transfer;
    (void)inotify_remove(two, descriptor);
    transfer_init_kernel(&transfer, drained, sizeof(drained));
    (void)file_read(two, &transfer);
}
static void remove_watched(void)
{
    file_put(two);
    remove_file();
}

struct read_event {
    int32_t watch;
    uint32_t events, cookie, length;
};

static bool next_event(struct read_event *event)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, event, sizeof(*event));
    return file_read(two, &transfer) == sizeof(*event);
}

static bool next_is(int32_t watch, uint32_t events)
{
    struct read_event event;
    return next_event(&event) && event.watch == watch && event.events == events;
}

/* Events that are lost for want of memory are one overflow event, which stands where they would have. */
static void events_without_memory(void)
{
    CHECK(has_inotify());
    CHECK((descriptor = inotify_add(two, one->inode, IN_MODIFY | IN_ATTRIB)) > 0);
    for (unsigned round = 0; round < 2; round++) {
        inotify_file(one->inode, NULL, IN_MODIFY);
        host_fail_allocation(1);
        inotify_file(one->inode, NULL, IN_ATTRIB);
        inotify_file(one->inode, NULL, IN_MODIFY);
        host_fail_allocation(0);
        inotify_file(one->inode, NULL, IN_ATTRIB);
        CHECK(next_is(descriptor, IN_MODIFY));
        CHECK(next_is(-1, IN_Q_OVERFLOW));
        CHECK(next_is(descriptor, IN_ATTRIB));
        CHECK_EQUAL(file_poll(two), 0);
    }
    remove_watched();
}

/* As on Linux, the overflow event comes after max_queued_events others. */
static void more_events_than_are_kept(void)
{
    struct read_event event = { 0 };
    unsigned count = 0;
    CHECK(has_inotify());
    CHECK((descriptor = inotify_add(two, one->inode, IN_MODIFY | IN_ATTRIB)) > 0);
    for (unsigned i = 0; i < 16384 + 10; i++)
        inotify_file(one->inode, NULL, i % 2 ? IN_MODIFY : IN_ATTRIB);
    while (next_event(&event) && event.watch == descriptor)
        count++;
    CHECK_EQUAL(count, 16384);
    CHECK(event.watch == -1 && event.events == IN_Q_OVERFLOW);
    CHECK_EQUAL(file_poll(two), 0);
    inotify_file(one->inode, NULL, IN_MODIFY); /* left in the queue */
    remove_watched();
}

/* ---- All of them ---- */

static const struct operation operations[] = {
    { "pipe", NULL, make_pipe, put_both, NULL },
    { "write to a pipe", has_pipe, write_pipe, NULL, put_both },
    { "eventfd", NULL, make_eventfd, put_one, NULL },
    { "timerfd_create", NULL, make_timerfd, put_one, NULL },
    { "epoll_create", NULL, make_epoll, put_one, NULL },
    { "epoll_ctl", has_epoll, add_interest, remove_interest, put_both },
    { "inotify_init", NULL, make_inotify, put_one, NULL },
    { "inotify_add_watch", has_inotify, watch_file, unwatch, remove_watched },
    { "fcntl(F_DUPFD)", has_file, add_descriptor, close_descriptor, put_one },
    { "dup2", has_descriptor, duplicate, NULL, close_all },
    { "open(O_CREAT | O_EXCL)", NULL, create_file, remove_file, NULL },
    { "mkdir", NULL, make_directory, remove_directory, NULL },
    { "symlink", NULL, make_link, remove_name, NULL },
    { "link", has_memory_file, link_file, remove_second, remove_file },
    { "rename", has_memory_file, rename_file, rename_back, remove_file },
    { "memfd_create", NULL, make_memory_file, put_one, NULL },
    { "write to a file", has_memory_file, write_file, cut_file, remove_file },
    { "fallocate", has_memory_file, allocate_file, cut_file, remove_file },
    { "setxattr", has_memory_file, set_attribute, remove_attribute, remove_file },
    { "flock", has_memory_file, lock_file, unlock_file, remove_file },
};
static const struct operation *operation;

static bool is_want_of_memory(int64_t result) { return result == -ENOMEM || result == -ENOSPC || result == -EAGAIN; }

static void undo(void)
{
    if (operation->undo)
        operation->undo();
}

/* `fail` is given the number of the allocation that fails first. */
static void fail_until_done(void (*fail)(uint64_t n))
{
    int64_t result = -ENOMEM;
    for (uint64_t n = 1; result < 0; n++) {
        uint64_t blocks = host_heap_blocks(), pages = host_pages_in_use();
        CHECK(n < MOST);
        fail(n);
        result = operation->act();
        host_fail_allocation(0);
        CHECK(result >= 0 || is_want_of_memory(result));
        if (result >= 0)
            undo();
        CHECK_EQUAL(host_heap_blocks(), blocks);
        CHECK_EQUAL(host_pages_in_use(), pages);
    }
}

static void test_operation(void)
{
    CHECK(!operation->before || operation->before());
    CHECK(operation->act() >= 0); /* what is cached from now on is no leak */
    undo();
    fail_until_done(host_fail_one_allocation);
    fail_until_done(host_fail_allocation);
    if (operation->after)
        operation->after();
}

int main(void)
{
    host_init();
    page_cache_init();
    test_memory_root(64UL << 20);
    for (unsigned i = 0; i < array_size(operations); i++) {
        char name[100];
        operation = &operations[i];
        format(name, sizeof(name), "%s fails as a whole", operation->name);
        host_test(name, test_operation);
    }
    host_test("events without memory are an overflow event", events_without_memory);
    host_test("events beyond the limit are an overflow event", more_events_than_are_kept);
    return host_result();
}
