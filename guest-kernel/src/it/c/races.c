/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several threads use one object while a call of one of them sleeps: what it checked before must not be taken for
 * true after.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* A path that the guest has not walked yet, so that binding to it waits for the disk: the runner made 16 such
 * directories. */
static struct sockaddr_un new_path(int round, char end)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char directory[64];
    snprintf(directory, sizeof(directory), "%sdeep%d", in_guest() ? "/test/" : "", round);
    if (!in_guest() && mkdir(directory, 0700) == 0) {
        strcat(directory, "/inner");
        mkdir(directory, 0700);
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%sdeep%d/inner/../../%sbound%d%c", in_guest() ? "/test/" : "",
             round, in_guest() ? "../tmp/" : "", round, end);
    return address;
}

struct binding {
    int socket, result;
    struct sockaddr_un address;
};

static void *bind_once(void *argument)
{
    struct binding *binding = argument;
    binding->result = bind(binding->socket, (struct sockaddr *)&binding->address, sizeof(binding->address)) == 0
                          ? 0
                          : errno;
    return NULL;
}

static void unix_sockets_get_one_name_from_two_threads(void)
{
    for (int round = 0; round < 16; round++) {
        int named = socket(AF_UNIX, SOCK_STREAM, 0);
        struct binding one = { named, 0, new_path(round, 'a') }, two = { named, 0, new_path(round, 'b') };
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, bind_once, &two), 0);
        bind_once(&one);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
        CHECK_EQUAL(one.result + two.result, EINVAL);
        CHECK(one.result == 0 || two.result == 0);
        CHECK_EQUAL(listen(named, 1), 0);
        close(named);
        /* Neither name leads to the socket that was. */
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQUAL(connect(client, (struct sockaddr *)&one.address, sizeof(one.address)), -1);
        CHECK_EQUAL(connect(client, (struct sockaddr *)&two.address, sizeof(two.address)), -1);
        close(client);
        unlink(one.address.sun_path);
        unlink(two.address.sun_path);
    }
}

static void unix_listeners_do_not_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0listener" };
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(listen(server, 1), 0);
    CHECK_ERROR(connect(server, (struct sockaddr *)&address, sizeof(address)), EINVAL);
    CHECK_EQUAL(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_ERROR(connect(client, (struct sockaddr *)&address, sizeof(address)), EISCONN);
    close(client);
    close(server);
}

/* Each ends with a store to a page that must be read from the disk first. When both have begun neither is the last
 * thread; when the second has finished there is none, and no thread to end the process if it was asked too early. */
static void *end_thread(void *word)
{
    syscall(SYS_set_tid_address, word);
    syscall(SYS_exit, 0);
    return NULL;
}

void end_with_two_threads(void)
{
    enum { BYTES = 1 << 20 };
    pthread_t other;
    int file = open("/test/unread", O_RDONLY);
    char *unread = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (unread == MAP_FAILED || pthread_create(&other, NULL, end_thread, unread + BYTES / 2) != 0)
        _exit(98);
    end_thread(unread);
    _exit(97);
}

SUITE(races, TEST(unix_sockets_get_one_name_from_two_threads), TEST(unix_listeners_do_not_connect));
