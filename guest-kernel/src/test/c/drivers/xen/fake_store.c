/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The xenstore daemon: a flat list of nodes, enough of the protocol for the front ends.
 *
 * It reads requests from the shared ring and queues its answers and the events of watches, of which as much goes into
 * the ring as there is room for; all in fake_store_step(), called by fake_run() (fake_xen.c). Tests and the fake
 * backends write nodes directly, which makes watches fire. With fake_store_hostile it answers with nonsense.
 */
#include "drivers/xen/fake_xen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/xen/xenbus.h"
#include "host/host.h"
#include "lib/string.h"

#define NODES 256
#define WATCHES 32

static struct store {
    char requests[1024], replies[1024];
    uint32_t requests_consumed, requests_produced, replies_consumed, replies_produced;
} store;
static struct {
    char path[256];
    char value[4096];
    bool used;
} nodes[NODES];
static struct {
    char path[256], token[32];
} watches[WATCHES];
static unsigned watch_count;
static char out[65536], in[8192];
static size_t out_length, in_length;
bool fake_store_hostile;

static int node_at(const char *path)
{
    for (int i = 0; i < NODES; i++)
        if (nodes[i].used && strcmp(nodes[i].path, path) == 0)
            return i;
    return -1;
}

const char *fake_store_read(const char *path)
{
    int node = node_at(path);
    return node < 0 ? NULL : nodes[node].value;
}

static void send(uint32_t type, uint32_t id, const void *body, uint32_t length)
{
    uint32_t header[4] = { type, id, 0, length };
    if (out_length + sizeof(header) + length > sizeof(out))
        abort();
    memcpy(out + out_length, header, sizeof(header));
    memcpy(out + out_length + sizeof(header), body, length);
    out_length += sizeof(header) + length;
}

static void send_watch(unsigned watch, const char *path)
{
    char body[600];
    int length = sprintf(body, "%s%c%s", path, 0, watches[watch].token) + 1;
    send(15, 0, body, (uint32_t)length);
}

void fake_store_write(const char *path, const char *value)
{
    int node = node_at(path);
    for (int i = 0; node < 0 && i < NODES; i++)
        if (!nodes[i].used)
            node = i;
    nodes[node].used = true;
    snprintf(nodes[node].path, sizeof(nodes[node].path), "%s", path);
    snprintf(nodes[node].value, sizeof(nodes[node].value), "%s", value);
    for (unsigned i = 0; i < watch_count; i++)
        if (strncmp(path, watches[i].path, strlen(watches[i].path)) == 0)
            send_watch(i, path);
}

void fake_store_remove(const char *path)
{
    int node = node_at(path);
    if (node >= 0)
        nodes[node].used = false;
}

static void directory(uint32_t id, const char *path)
{
    char names[4096];
    size_t length = 0, stem = strlen(path);
    for (int i = 0; i < NODES; i++) {
        if (!nodes[i].used || strncmp(nodes[i].path, path, stem) != 0 || nodes[i].path[stem] != '/')
            continue;
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(nodes[i].path + stem + 1, "/"), nodes[i].path + stem + 1);
        bool known = false;
        for (size_t at = 0; at < length; at += strlen(names + at) + 1)
            known |= strcmp(names + at, name) == 0;
        if (!known)
            length += (size_t)sprintf(names + length, "%s", name) + 1;
    }
    if (length == 0)
        send(16, id, "ENOENT", 7);
    else
        send(1, id, names, (uint32_t)length);
}

static void serve(const uint32_t *header, const char *body)
{
    const char *path = body;
    const char *value = body + strlen(path) + 1;
    uint32_t value_length = header[3] - (uint32_t)(value - body);
    char text[4096] = "";
    switch (header[0]) {
    case XENBUS_DIRECTORY:
        directory(header[1], path);
        break;
    case XENBUS_READ:
        if (fake_store_read(path) == NULL)
            send(16, header[1], "ENOENT", 7);
        else
            send(XENBUS_READ, header[1], fake_store_read(path), (uint32_t)strlen(fake_store_read(path)));
        break;
    case XENBUS_WRITE:
        memcpy(text, value, value_length);
        fake_store_write(path, text);
        send(XENBUS_WRITE, header[1], "OK", 3);
        fake_backends_written(path);
        break;
    case XENBUS_WATCH:
        string_copy(watches[watch_count].path, path, sizeof(watches[0].path));
        string_copy(watches[watch_count].token, value, sizeof(watches[0].token));
        send(XENBUS_WATCH, header[1], "OK", 3);
        send_watch(watch_count++, path);
        break;
    default:
        send(16, header[1], "ENOSYS", 7);
    }
}

static bool read_requests(void)
{
    bool any = store.requests_consumed != store.requests_produced;
    while (store.requests_consumed != store.requests_produced && in_length < sizeof(in))
        in[in_length++] = store.requests[store.requests_consumed++ % 1024];
    uint32_t header[4];
    while (in_length >= sizeof(header)) {
        memcpy(header, in, sizeof(header));
        if (in_length < sizeof(header) + header[3])
            break;
        char body[4097] = "";
        memcpy(body, in + sizeof(header), header[3]);
        in_length -= sizeof(header) + header[3];
        memmove(in, in + sizeof(header) + header[3], in_length);
        serve(header, body);
    }
    return any;
}

static bool write_replies(void)
{
    size_t sent = 0;
    while (sent < out_length && store.replies_produced - store.replies_consumed < 1024)
        store.replies[store.replies_produced++ % 1024] = out[sent++];
    memmove(out, out + sent, out_length - sent);
    out_length -= sent;
    return sent > 0;
}

static bool babble(void)
{
    store.replies_produced = (uint32_t)rand();
    for (unsigned i = 0; i < sizeof(store.replies); i++)
        store.replies[i] = (char)rand();
    fake_raise(FAKE_STORE_PORT);
    return true;
}

bool fake_store_step(void)
{
    if (fake_store_hostile)
        return fake_port_pending(FAKE_STORE_PORT) && babble();
    bool any = read_requests();
    any |= write_replies();
    if (any)
        fake_raise(FAKE_STORE_PORT);
    return any;
}

void fake_store_resume(void)
{
    watch_count = 0;
    CHECK(in_length == 0 && out_length == 0 && store.requests_consumed == store.requests_produced &&
          store.replies_consumed == store.replies_produced);
    xenbus_init(&store, FAKE_STORE_PORT);
}

void fake_store_start(uint32_t index)
{
    memset(&store, 0, sizeof(store));
    memset(nodes, 0, sizeof(nodes));
    watch_count = 0;
    in_length = out_length = 0;
    store.requests_consumed = store.requests_produced = index;
    store.replies_consumed = store.replies_produced = index;
    /* Left over from a boot loader: an answer to it and an event of a watch of its own. */
    send(XENBUS_READ, 7, "old", 3);
    send(15, 0, "device/vbd\0stale", 17);
    write_replies();
    xenbus_init(&store, FAKE_STORE_PORT);
    fake_raise(FAKE_STORE_PORT);
}
