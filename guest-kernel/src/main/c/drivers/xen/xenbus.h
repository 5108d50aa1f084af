/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xenstore over its shared ring (xen/io/xs_wire.h). Requests go out in order of submission without
 * waiting for answers, and are served in that order. Boot code uses the calls that wait; everything after boot runs in
 * interrupt context and submits requests with a callback. Nothing the daemon sends is trusted:
 * a violated protocol ends the connection and every request with -EIO.
 *
 * No lock of its own: all users have the kernel lock (core/kernel_lock.h), and events masked.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

#define XENBUS_PATH_MAX 160
/* Longest message body in either direction (XENSTORE_PAYLOAD_MAX). */
#define XENBUS_BODY_MAX 4096

/* `ring` is the page shared with the daemon and `port` its event channel; a boot loader may
 * have used both. */
void xenbus_init(void *ring, uint32_t port);

/* Waits until no request is under way (cpu_wait()). */
void xenbus_settle(void);
/* After a restore, and xenbus_init(): registers all watches again, but those that have no path now. */
void xenbus_watch_again(void);

/* ---- Calls that wait for the reply (cpu_wait()): while devices start, and for the boot thread ------- */

/* The value, NUL-terminated. Its length, or -ENOENT, -EOVERFLOW when size is too small, ... */
must_check int xenbus_read(const char *path, char *value, size_t size);
/* The value as a decimal number. 0, or -EPROTO if it is not one. */
must_check int xenbus_read_number(const char *path, uint64_t *value);
/* 0 or a negative errno. */
must_check int xenbus_write(const char *path, const char *value);
/* The names in a directory, each ended by a NUL, one after the other; the bytes used. */
must_check int xenbus_directory(const char *path, char *names, size_t size);

/* A node below some directory: several are read or written for little more than the time of one. */
struct xenbus_node {
    const char *name;
    char value[128]; /* NUL-terminated */
    int result;      /* of reading: length or a negative errno; the value is then "" */
};
/* 0, or the first error other than -ENOENT. */
must_check int xenbus_read_nodes(const char *directory, struct xenbus_node *nodes, unsigned count);
/* In this order. 0, or the first error. */
must_check int xenbus_write_nodes(const char *directory, struct xenbus_node *nodes, unsigned count);
/* The decimal number in a node that was read, or `absent` where there is none. */
uint64_t xenbus_number(const struct xenbus_node *node, uint64_t absent);

/* ---- Any context ---------------------------------------------------------------------------- */

enum xenbus_operation { /* xs_wire.h: enum xsd_sockmsg_type */
                        XENBUS_DIRECTORY = 1,
                        XENBUS_READ = 2,
                        XENBUS_WATCH = 4,
                        XENBUS_WRITE = 11,
};

struct xenbus_request {
    enum xenbus_operation operation;
    char path[XENBUS_PATH_MAX];
    const char *value; /* written, or the watch token; stays until done */
    size_t value_length;
    char *reply; /* where the reply goes, or NULL */
    size_t reply_size;
    /* result: reply length or negative errno; the request may be submitted again. */
    void (*done)(struct xenbus_request *request);
    void *context; /* the submitter's */
    int result;
    bool finished;
    struct list link; /* xenbus.c's from here */
    uint32_t id;
    bool sent;
};
void xenbus_submit(struct xenbus_request *request);

/* Several nodes below a directory, read or written in this order without waiting. The structure, the nodes and the
 * names stay until done, which is called once, perhaps from within; `result` as of xenbus_read_nodes() and
 * xenbus_write_nodes(). One at a time in each structure. */
#define XENBUS_BATCH_MAX 12
struct xenbus_batch {
    struct xenbus_node *nodes;
    unsigned count; /* 1..XENBUS_BATCH_MAX */
    void (*done)(struct xenbus_batch *batch, int result);
    void *context;       /* the submitter's */
    unsigned unfinished; /* xenbus.c's from here */
    struct xenbus_request requests[XENBUS_BATCH_MAX];
};
void xenbus_submit_nodes(struct xenbus_batch *batch, enum xenbus_operation operation, const char *directory);

/* Calls `changed` in interrupt context whenever something at or below path may have changed,
 * and once soon after registering. `path` must stay. */
struct xenbus_watch {
    const char *path;
    void (*changed)(struct xenbus_watch *watch);
    void *context;
    struct xenbus_request request; /* xenbus.c's from here */
    char token[16];
    struct list link;
};
void xenbus_watch(struct xenbus_watch *watch);
/* Watches another path as well with a watch that was registered; not while it is being registered (its request is not
 * finished): false. */
must_check bool xenbus_watch_too(struct xenbus_watch *watch, const char *path);
