/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets where a call sleeps and another thread uses the same socket meanwhile: the functions that play the
 * file system play that thread too.
 */
#include <string.h>

#include "lib/errno.h"
#include "net/files_stub.h"
#include "net/support.h"

#define NAMES 4u

/* The file system: names that were made, each with its inode. */
static struct node {
    char path[UNIX_PATH_SIZE + 1];
    struct inode inode;
    struct dentry dentry;
} nodes[NAMES];
static unsigned node_count;

static int make_node(const char *path, struct inode **out)
{
    struct node *node = &nodes[node_count++];
    *node = (struct node){ .inode = { .references = 1, .mode = S_IFSOCK }, .dentry.inode = &node->inode };
    strcpy(node->path, path);
    *out = inode_get(&node->inode);
    return 0;
}

static struct dentry *find(const char *path)
{
    for (unsigned i = 0; i < node_count; i++)
        if (strcmp(nodes[i].path, path) == 0)
            return &nodes[i].dentry;
    return NULL;
}

static void prepare(void)
{
    node_count = 0;
    stub_make_node = make_node;
    stub_find = find;
}

static struct socket_address address_of(const char *path)
{
    struct socket_address address = { .family = AF_UNIX, .path_length = (uint8_t)strlen(path) };
    memcpy(address.path, path, strlen(path));
    return address;
}

static struct file *unix_socket(void)
{
    struct file *file;
    return socket_create(AF_UNIX, SOCK_STREAM, 0, O_NONBLOCK, &file) == 0 ? file : NULL;
}

static int bind_to(struct file *file, const char *path)
{
    struct socket_address address = address_of(path);
    return socket_of(file)->operations->bind(socket_of(file), &address);
}

static int connect_to(struct file *file, const char *path)
{
    struct socket_address address = address_of(path);
    return socket_of(file)->operations->connect(socket_of(file), &address);
}

/* ---- Two threads name one socket ---------------------------------------------------------------------------- */

static struct file *shared;
static const char *other_path;
static int other_result;

static int make_node_while_another_binds(const char *path, struct inode **out)
{
    stub_make_node = make_node;
    other_result = bind_to(shared, other_path);
    return make_node(path, out);
}

static void bind_against(const char *other, int other_expected)
{
    prepare();
    uint64_t blocks = host_heap_blocks();
    shared = unix_socket();
    stub_make_node = make_node_while_another_binds;
    other_path = other;
    CHECK_EQUAL(bind_to(shared, "/tmp/first"), 0);
    CHECK_EQUAL(other_result, other_expected);
    CHECK_EQUAL(socket_of(shared)->operations->listen(socket_of(shared), 5), 0);
    file_put(shared);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    /* No name leads to the socket that is gone, and nothing keeps its inodes. */
    struct file *client = unix_socket();
    CHECK_EQUAL(connect_to(client, "/tmp/first"), -ECONNREFUSED);
    CHECK(connect_to(client, other) < 0);
    file_put(client);
    for (unsigned i = 0; i < node_count; i++) {
        CHECK(nodes[i].inode.private == NULL);
        CHECK_EQUAL(nodes[i].inode.references, 1);
    }
}

static void two_paths(void) { bind_against("/tmp/second", -EINVAL); }

static void path_and_abstract_name(void)
{
    static const char name[] = { 0, 'a' };
    prepare();
    shared = unix_socket();
    struct socket_address address = { .family = AF_UNIX, .path_length = sizeof(name) };
    memcpy(address.path, name, sizeof(name));
    stub_make_node = make_node_while_another_binds;
    other_path = "/tmp/second";
    CHECK_EQUAL(bind_to(shared, "/tmp/first"), 0);
    CHECK_EQUAL(socket_of(shared)->operations->bind(socket_of(shared), &address), -EINVAL);
    file_put(shared);
}

static int make_nothing(const char *path, struct inode **out)
{
    (void)path;
    (void)out;
    return -ENOSPC;
}

/* A bind that failed leaves the socket free for another. */
static void after_a_failure(void)
{
    prepare();
    shared = unix_socket();
    stub_make_node = make_nothing;
    CHECK_EQUAL(bind_to(shared, "/tmp/first"), -ENOSPC);
    stub_make_node = make_node;
    CHECK_EQUAL(bind_to(shared, "/tmp/first"), 0);
    file_put(shared);
    CHECK(nodes[0].inode.private == NULL);
}

/* ---- What else a listener may be asked --------------------------------------------------------------------- */

static void listeners_do_not_connect(void)
{
    prepare();
    uint64_t blocks = host_heap_blocks();
    struct file *listener = unix_socket(), *other = unix_socket(), *client = unix_socket();
    CHECK_EQUAL(bind_to(listener, "/tmp/first"), 0);
    CHECK_EQUAL(bind_to(other, "/tmp/second"), 0);
    CHECK_EQUAL(socket_of(listener)->operations->listen(socket_of(listener), 5), 0);
    CHECK_EQUAL(socket_of(other)->operations->listen(socket_of(other), 5), 0);
    CHECK_EQUAL(connect_to(client, "/tmp/first"), 0);
    CHECK_EQUAL(connect_to(listener, "/tmp/second"), -EINVAL);
    CHECK_EQUAL(connect_to(listener, "/tmp/first"), -EINVAL);
    struct file *accepted;
    CHECK_EQUAL(socket_of(listener)->operations->accept(socket_of(listener), 0, &accepted, NULL), 0);
    CHECK_EQUAL(stack_send(client, "x", 1, 0), 1);
    char byte;
    CHECK_EQUAL(stack_receive(accepted, &byte, 1, 0), 1);
    file_put(accepted);
    file_put(client);
    file_put(other);
    file_put(listener);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

/* ---- Without memory ----------------------------------------------------------------------------------------- */

#define ALLOCATIONS 20u /* more than one connection makes */

static struct file *listening, *calling, *accepted;

static int64_t call(void)
{
    calling = calling ? calling : unix_socket();
    return calling ? connect_to(calling, "/tmp/first") : -ENOMEM;
}

static int64_t take_call(void)
{
    return socket_of(listening)->operations->accept(socket_of(listening), O_NONBLOCK, &accepted, NULL);
}

static int64_t say(void) { return stack_send(calling, "hello", 5, 0); }
static int64_t answer(void) { return stack_send(accepted, "world", 5, 0); }

/* A step that found no memory has done nothing: it works when there is some. */
static bool succeeds(int64_t (*step)(void), int64_t expected)
{
    int64_t result = step();
    if (result == -ENOMEM || result == -ENOBUFS) {
        host_fail_allocation(0);
        result = step();
    }
    return result == expected;
}

static void connect_with_failing(void (*fail)(uint64_t n), uint64_t n)
{
    char text[10];
    prepare();
    uint64_t blocks = host_heap_blocks();
    listening = unix_socket();
    calling = accepted = NULL;
    CHECK_EQUAL(bind_to(listening, "/tmp/first"), 0);
    CHECK_EQUAL(socket_of(listening)->operations->listen(socket_of(listening), 5), 0);
    fail(n);
    CHECK(succeeds(call, 0));
    CHECK(succeeds(take_call, 0));
    CHECK(succeeds(say, 5));
    CHECK(succeeds(answer, 5));
    host_fail_allocation(0);
    CHECK_EQUAL(take_call(), -EAGAIN); /* one connection was made */
    CHECK_EQUAL(stack_receive(accepted, text, sizeof(text), 0), 5);
    CHECK(memcmp(text, "hello", 5) == 0);
    CHECK_EQUAL(stack_receive(calling, text, sizeof(text), 0), 5);
    CHECK(memcmp(text, "world", 5) == 0);
    file_put(accepted);
    file_put(calling);
    file_put(listening);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void steps_fail_as_a_whole(void)
{
    for (uint64_t n = 1; n < ALLOCATIONS; n++) {
        connect_with_failing(host_fail_one_allocation, n);
        connect_with_failing(host_fail_allocation, n);
    }
}

int main(void)
{
    host_init();
    host_test("unix: two threads bind one socket to two paths", two_paths);
    host_test("unix: a path while the socket is being named", path_and_abstract_name);
    host_test("unix: binding again after a failure", after_a_failure);
    host_test("unix: listeners do not connect", listeners_do_not_connect);
    host_test("unix: what finds no memory has done nothing", steps_fail_as_a_whole);
    return host_result();
}
