/* SPDX-License-Identifier: Apache-2.0 */
/* Named pipes, the other kinds of mknod(2), and exchanging names. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int events_now(int file, short wanted)
{
    struct pollfd poll_file = { .fd = file, .events = wanted };
    CHECK(poll(&poll_file, 1, 0) >= 0);
    return poll_file.revents;
}

static void *open_to_write(void *path)
{
    int file = open(path, O_WRONLY);
    return (void *)(intptr_t)file;
}

static void *open_to_read(void *path)
{
    int file = open(path, O_RDONLY);
    return (void *)(intptr_t)file;
}

static int result_of(pthread_t thread)
{
    void *result;
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    return (int)(intptr_t)result;
}

static void ends_of_a_named_pipe_wait_for_each_other(void)
{
    pthread_t other;
    char bytes[8] = "";
    struct stat status, opened;
    CHECK_EQUAL(mkfifo("fifo", 0640), 0);
    CHECK_ERROR(mkfifo("fifo", 0640), EEXIST);
    CHECK_EQUAL(stat("fifo", &status), 0);
    CHECK_EQUAL(status.st_mode, S_IFIFO | (0640 & ~022));
    for (int round = 0; round < 20; round++) {
        CHECK_EQUAL(pthread_create(&other, NULL, round % 2 ? open_to_write : open_to_read, "fifo"), 0);
        int mine = open("fifo", round % 2 ? O_RDONLY : O_WRONLY), its = result_of(other);
        CHECK(mine >= 0 && its >= 0);
        int reader = round % 2 ? mine : its, writer = round % 2 ? its : mine;
        CHECK_EQUAL(fstat(reader, &opened), 0);
        CHECK(opened.st_ino == status.st_ino && opened.st_dev == status.st_dev);
        CHECK_EQUAL(write(writer, "hello", 5), 5);
        CHECK_EQUAL(events_now(reader, POLLIN), POLLIN);
        CHECK_EQUAL(read(reader, bytes, 8), 5);
        CHECK(memcmp(bytes, "hello", 5) == 0);
        CHECK_EQUAL(events_now(reader, POLLIN), 0);
        CHECK_ERROR(lseek(reader, 0, SEEK_SET), ESPIPE);
        CHECK_ERROR(pread(reader, bytes, 1, 0), ESPIPE);
        CHECK_ERROR(read(writer, bytes, 1), EBADF);
        CHECK_ERROR(write(reader, bytes, 1), EBADF);
        close(writer);
        CHECK_EQUAL(events_now(reader, POLLIN), POLLHUP);
        CHECK_EQUAL(read(reader, bytes, 8), 0);
        close(reader);
    }
    CHECK_EQUAL(unlink("fifo"), 0);
}

static void named_pipe_opens_without_waiting(void)
{
    char byte;
    CHECK_EQUAL(mknod("fifo", S_IFIFO | 0600, 0), 0);
    CHECK_ERROR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    CHECK(reader >= 0);
    CHECK_EQUAL(events_now(reader, POLLIN), 0); /* no writer has come yet: not the end */
    CHECK_EQUAL(read(reader, &byte, 1), 0);
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    CHECK(writer >= 0);
    CHECK_EQUAL(events_now(writer, POLLOUT), POLLOUT);
    CHECK_ERROR(read(reader, &byte, 1), EAGAIN);
    close(writer);
    CHECK_EQUAL(events_now(reader, POLLIN), POLLHUP);
    int late = open("fifo", O_RDONLY | O_NONBLOCK);
    CHECK_EQUAL(events_now(late, POLLIN), 0);
    close(late);
    writer = open("fifo", O_WRONLY);
    CHECK_EQUAL(events_now(reader, POLLIN), 0);
    close(reader);
    CHECK_EQUAL(events_now(writer, POLLOUT), POLLOUT | POLLERR);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERROR(write(writer, "x", 1), EPIPE);
    signal(SIGPIPE, SIG_DFL);
    close(writer);
    CHECK_EQUAL(unlink("fifo"), 0);
}

static void named_pipe_opened_for_both_keeps_its_bytes(void)
{
    char bytes[4];
    CHECK_EQUAL(mkfifo("fifo", 0600), 0);
    int both = open("fifo", O_RDWR);
    CHECK(both >= 0);
    CHECK_EQUAL(events_now(both, POLLIN | POLLOUT), POLLOUT);
    CHECK_EQUAL(write(both, "abc", 3), 3);
    CHECK_EQUAL(events_now(both, POLLIN | POLLOUT), POLLIN | POLLOUT);
    int second = open("fifo", O_RDONLY); /* a writer is there: does not wait */
    CHECK_EQUAL(unlink("fifo"), 0);
    CHECK_EQUAL(read(second, bytes, 1), 1);
    CHECK_EQUAL(bytes[0], 'a');
    close(second);
    CHECK_EQUAL(read(both, bytes, 4), 2);
    CHECK(memcmp(bytes, "bc", 2) == 0);
    CHECK_EQUAL(write(both, "lost", 4), 4);
    close(both);
    CHECK_EQUAL(mkfifo("fifo", 0600), 0);
    both = open("fifo", O_RDWR | O_NONBLOCK | O_TRUNC | O_APPEND);
    CHECK(both >= 0);
    CHECK_ERROR(read(both, bytes, 4), EAGAIN);
    CHECK_EQUAL(write(both, "gone", 4), 4);
    close(both);
    both = open("fifo", O_RDWR | O_NONBLOCK); /* bytes go with the last end, the name stays */
    CHECK_ERROR(read(both, bytes, 4), EAGAIN);
    close(both);
    CHECK_EQUAL(unlink("fifo"), 0);
}

static void named_pipe_wakes_epoll(void)
{
    struct epoll_event wanted = { .events = EPOLLIN }, found;
    pthread_t other;
    CHECK_EQUAL(mkfifo("fifo", 0600), 0);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK), epoll = epoll_create1(0);
    CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &wanted), 0);
    CHECK_EQUAL(epoll_wait(epoll, &found, 1, 0), 0);
    CHECK_EQUAL(pthread_create(&other, NULL, open_to_write, "fifo"), 0);
    int writer = result_of(other);
    CHECK_EQUAL(write(writer, "x", 1), 1);
    CHECK_EQUAL(epoll_wait(epoll, &found, 1, -1), 1);
    CHECK_EQUAL(found.events, EPOLLIN);
    close(writer);
    CHECK_EQUAL(epoll_wait(epoll, &found, 1, -1), 1);
    CHECK_EQUAL(found.events, EPOLLIN | EPOLLHUP);
    close(reader);
    close(epoll);
    CHECK_EQUAL(unlink("fifo"), 0);
}

static void handle(int signal) { (void)signal; }

static void *interrupt_often(void *thread)
{
    for (int i = 0; i < 2000; i++) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        usleep(100);
    }
    return NULL;
}

static void waiting_for_a_named_pipe_is_interrupted(void)
{
    struct sigaction action = { .sa_handler = handle };
    pthread_t self = pthread_self(), other;
    CHECK_EQUAL(mkfifo("fifo", 0600), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(pthread_create(&other, NULL, interrupt_often, &self), 0);
    CHECK_ERROR(open("fifo", O_RDONLY), EINTR);
    CHECK_EQUAL(pthread_join(other, NULL), 0);
    signal(SIGUSR1, SIG_DFL);
    CHECK_ERROR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO); /* the reader that gave up is none */
    CHECK_EQUAL(unlink("fifo"), 0);
}

static void nodes_of_other_kinds(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "node" };
    struct stat status;
    CHECK_ERROR(mknod("node", S_IFDIR | 0600, 0), EPERM);
    CHECK_ERROR(mknod("node", S_IFLNK | 0600, 0), EINVAL);
    CHECK_ERROR(mknod("none/node", S_IFIFO | 0600, 0), ENOENT);
    CHECK_ERROR(mkfifo("", 0600), ENOENT);
    CHECK_ERROR(mkfifo("node/", 0600), ENOENT);
    CHECK_EQUAL(mknod("node", S_IFSOCK | 0600, 0), 0);
    CHECK_EQUAL(stat("node", &status), 0);
    CHECK_EQUAL(status.st_mode, S_IFSOCK | 0600);
    CHECK_ERROR(open("node", O_RDWR), ENXIO);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(connect(client, (struct sockaddr *)&name, sizeof(name)), ECONNREFUSED);
    CHECK_ERROR(bind(client, (struct sockaddr *)&name, sizeof(name)), EADDRINUSE);
    close(client);
    CHECK_EQUAL(unlink("node"), 0);
}

/* ---- renameat2(2) ---- */

static int exchange(const char *a, const char *b) { return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); }

static ino_t number_of(const char *path)
{
    struct stat status;
    CHECK_EQUAL(lstat(path, &status), 0);
    return status.st_ino;
}

static nlink_t links_of(const char *path)
{
    struct stat status;
    CHECK_EQUAL(lstat(path, &status), 0);
    return status.st_nlink;
}

static void make_file(const char *path) { close(open(path, O_CREAT | O_WRONLY, 0600)); }

#define LONG "a-name-that-is-longer-than-what-fits-where-short-names-are-kept"

static void names_are_exchanged(void)
{
    CHECK_EQUAL(mkdir("a", 0700), 0);
    CHECK_EQUAL(mkdir("a/sub", 0700), 0);
    CHECK_EQUAL(mkdir("b", 0700), 0);
    make_file("a/sub/inner");
    make_file("b/" LONG);
    ino_t directory = number_of("a/sub"), file = number_of("b/" LONG);
    nlink_t links_a = links_of("a"), links_b = links_of("b");
    CHECK_EQUAL(exchange("a/sub", "b/" LONG), 0);
    CHECK(number_of("a/sub") == file && number_of("b/" LONG) == directory);
    CHECK_EQUAL(access("b/" LONG "/inner", F_OK), 0);
    CHECK(links_of("a") == links_a - 1 && links_of("b") == links_b + 1);
    CHECK_EQUAL(exchange("b/" LONG, "a/sub"), 0);
    CHECK(number_of("b/" LONG) == file && number_of("a/sub") == directory);
    CHECK(links_of("a") == links_a && links_of("b") == links_b);
    CHECK_EQUAL(symlink("b", "pointer"), 0);
    CHECK_EQUAL(exchange("pointer", "a"), 0);
    CHECK_EQUAL(access("pointer/sub/inner", F_OK), 0);
    CHECK_EQUAL(access("a/" LONG, F_OK), 0);
    CHECK_EQUAL(exchange("pointer", "a"), 0);
    CHECK_EQUAL(exchange("a", "a"), 0);
    CHECK_EQUAL(unlink("pointer"), 0);
    CHECK_EQUAL(unlink("b/" LONG), 0);
    CHECK_EQUAL(rmdir("b"), 0);
    CHECK_EQUAL(unlink("a/sub/inner"), 0);
    CHECK_EQUAL(rmdir("a/sub"), 0);
    CHECK_EQUAL(rmdir("a"), 0);
}

static void exchanges_that_cannot_be(void)
{
    CHECK_EQUAL(mkdir("a", 0700), 0);
    CHECK_EQUAL(mkdir("a/sub", 0700), 0);
    make_file("f");
    CHECK_ERROR(exchange("a", "none"), ENOENT);
    CHECK_ERROR(exchange("none", "a"), ENOENT);
    CHECK_ERROR(exchange("a", "a/sub"), EINVAL);
    CHECK_ERROR(exchange("a/sub", "a"), EINVAL);
    CHECK_ERROR(exchange("f/", "a"), ENOTDIR);
    CHECK_ERROR(exchange("a", "f/"), ENOTDIR);
    CHECK_EQUAL(exchange("a/", "f"), 0);
    CHECK_EQUAL(exchange("a", "f/"), 0);
    CHECK_ERROR(exchange("a/.", "f"), EBUSY);
    CHECK_ERROR(renameat2(AT_FDCWD, "a", AT_FDCWD, "f", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
    CHECK_ERROR(renameat2(AT_FDCWD, "a", AT_FDCWD, "f", RENAME_EXCHANGE | RENAME_WHITEOUT), EINVAL);
    CHECK_ERROR(renameat2(AT_FDCWD, "a", AT_FDCWD, "f", RENAME_NOREPLACE), EEXIST);
    CHECK_ERROR(renameat2(AT_FDCWD, "f", AT_FDCWD, "f", RENAME_NOREPLACE), EEXIST);
    CHECK_ERROR(renameat2(AT_FDCWD, "f", AT_FDCWD, "a/.", RENAME_NOREPLACE), EEXIST);
    CHECK_ERROR(renameat2(AT_FDCWD, "none", AT_FDCWD, "f", RENAME_NOREPLACE), ENOENT);
    CHECK_EQUAL(renameat2(AT_FDCWD, "f", AT_FDCWD, "g", RENAME_NOREPLACE), 0);
    CHECK_EQUAL(unlink("g"), 0);
    CHECK_EQUAL(rmdir("a/sub"), 0);
    CHECK_EQUAL(rmdir("a"), 0);
}

static void exchanges_are_watched(void)
{
    if (allocations_fail())
        return; /* events are lost, as on Linux, and IN_Q_OVERFLOW says so */
    _Alignas(struct inotify_event) char buffer[1024];
    char seen[256] = "";
    CHECK_EQUAL(mkdir("watched", 0700), 0);
    CHECK_EQUAL(mkdir("watched/a", 0700), 0);
    make_file("watched/b");
    int watch = inotify_init1(IN_NONBLOCK);
    CHECK(inotify_add_watch(watch, "watched", IN_MOVED_FROM | IN_MOVED_TO) >= 0);
    CHECK_EQUAL(exchange("watched/a", "watched/b"), 0);
    ssize_t length = read(watch, buffer, sizeof(buffer));
    uint32_t cookies[2][2] = { { 0 } }; /* of from and to, of the directory and the file */
    for (ssize_t at = 0; at < length;) {
        struct inotify_event *event = (void *)(buffer + at);
        bool to = event->mask & IN_MOVED_TO, directory = event->mask & IN_ISDIR;
        cookies[directory][to] = event->cookie;
        CHECK(strcmp(event->name, directory == to ? "b" : "a") == 0);
        strcat(seen, "x");
        at += (ssize_t)sizeof(*event) + event->len;
    }
    CHECK(strcmp(seen, "xxxx") == 0);
    CHECK(cookies[0][0] == cookies[0][1] && cookies[1][0] == cookies[1][1] && cookies[0][0] != cookies[1][0]);
    close(watch);
    CHECK_EQUAL(unlink("watched/a"), 0);
    CHECK_EQUAL(rmdir("watched/b"), 0);
    CHECK_EQUAL(rmdir("watched"), 0);
}

SUITE(nodes, TEST(ends_of_a_named_pipe_wait_for_each_other), TEST(named_pipe_opens_without_waiting),
      TEST(named_pipe_opened_for_both_keeps_its_bytes), TEST(named_pipe_wakes_epoll),
      TEST(waiting_for_a_named_pipe_is_interrupted), TEST(nodes_of_other_kinds), TEST(names_are_exchanged),
      TEST(exchanges_that_cannot_be), TEST(exchanges_are_watched));
