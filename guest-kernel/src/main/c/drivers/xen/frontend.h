/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every front end does: find its backend, bring both ends to a known state whatever ran before, connect, and
 * follow the backend's state for as long as the guest runs (xen/io/xenbus.h): a backend that closes and comes back, as
 * one does whose domain is restarted, is connected again; one that is taken away is lost, until the device is attached
 * again.
 *
 * All of it happens on the CPU that gets the store's events (xenbus.h), in interrupt context but for
 * frontend_connect(). Nothing the backend writes can make it loop: each step answers one change of the store.
 */
#pragma once

#include "drivers/xen/grant.h"
#include "drivers/xen/xenbus.h"
#include "lib/types.h"

/* xen/io/xenbus.h: enum xenbus_state. */
enum frontend_state {
    STATE_UNKNOWN = 0,
    STATE_INITIALISING = 1,
    STATE_INIT_WAIT = 2,
    STATE_INITIALISED = 3,
    STATE_CONNECTED = 4,
    STATE_CLOSING = 5,
    STATE_CLOSED = 6,
};

enum frontend_phase {
    PHASE_RESETTING, /* until the backend waits for a front end */
    PHASE_OFFERED,   /* until it is connected to what it was offered */
    PHASE_UP,
    PHASE_LOST,      /* taken away; until the device is attached again */
    PHASE_ABANDONED, /* it never came up: left alone */
};

struct frontend;

struct frontend_setting {
    const char *name;
    uint32_t value;
    const char *text; /* instead of the value, unless NULL */
};
#define FRONTEND_SETTINGS_MAX (XENBUS_BATCH_MAX - 1)
/* The backend's nodes that each front end looks at, in front of the driver's own. */
#define FRONTEND_OWN_NODES 2

struct frontend_operations {
    const char *const *nodes;    /* of the backend, that the driver wants to read; NULL at the end */
    enum frontend_state offered; /* our state once everything is offered */
    const char *own_node;        /* of our directory, that the driver wants to read; NULL: none */
    /* The device is attached, perhaps again, and this is the value of own_node, "" without one. Called before offer();
     * NULL without own_node. 0, or a negative errno: it counts as not attached. */
    int (*attached)(struct frontend *frontend, const char *value);
    /* Makes rings for frontend->backend_domain and event channels; what to write for the backend. The driver's nodes
     * are those of a backend that waits. 0, or a negative errno: the device is lost. */
    int (*offer)(struct frontend *frontend, struct frontend_setting *settings, unsigned *count);
    /* What to write of each of the frontend->queues queues in a directory of its own, "queue-<number>" in ours; how
     * many settings they are. NULL for a driver that never has any. */
    unsigned (*describe_queue)(struct frontend *frontend, unsigned number, struct frontend_setting *settings);
    /* The backend is connected, and the driver's nodes are those of one that is. 0, or a negative errno: the device is
     * lost. */
    int (*connected)(struct frontend *frontend);
    /* The backend is gone, perhaps to come back: rings and channel made by offer(), if there are any, are to be given
     * up, as far as the backend lets go of them. Called before each further offer(). */
    void (*disconnected)(struct frontend *frontend);
    /* It does not come back by itself; follows disconnected(). */
    void (*lost)(struct frontend *frontend);
};

struct frontend {
    char path[64];     /* of our directory, "device/vbd/51713" */
    char backend[128]; /* of the backend's directory */
    uint16_t backend_domain;
    const struct frontend_operations *operations;
    enum frontend_phase phase;
    int error;                   /* why it was lost before it was ever up */
    enum frontend_state written; /* our state as the store has it; STATE_UNKNOWN: as another one left it */
    enum frontend_state seen;    /* the backend's state as read last */
    unsigned steps;              /* changes of it */
    unsigned attempts;           /* offers since it was last up, this one included */
    unsigned queues;             /* set by offer(): those with a directory of their own; 0 before */
    unsigned described;          /* of these */
    struct xenbus_watch state_watch, attach_watch;
    char state_path[136], attach_path[80];
    bool busy, again;                           /* a batch is under way; look at the backend's state after it */
    struct xenbus_node nodes[XENBUS_BATCH_MAX]; /* as read last: state, online, the driver's */
    struct xenbus_node ours[XENBUS_BATCH_MAX];  /* being written, or read from our directory */
    struct xenbus_batch batch;
    struct list link; /* frontend.c's: of all front ends */
};

/* After a restore: all devices have lost their backends, whose event channels and grants are gone. */
void frontends_disconnect(void);
/* Then, with xenstore there again: looks for the new backends, in interrupt context. */
void frontends_attach(void);
/* Connects the device at `path`; waits for it, with a line every 10 s, until its backend has done nothing for 300 s.
 * 0 or a negative errno; the structure stays in use in any case. */
must_check int frontend_connect(struct frontend *frontend, const char *path,
                                const struct frontend_operations *operations);
/* What was read last of the driver's nodes, by their place in operations->nodes. */
static inline const struct xenbus_node *frontend_node(const struct frontend *frontend, unsigned place)
{
    return &frontend->nodes[FRONTEND_OWN_NODES + place];
}

/* A page and the reference by which the backend has it. */
struct granted_page {
    struct page *page;
    grant_reference grant; /* GRANT_NONE: there is none */
};
/* A zeroed page shared with the backend. False without memory. */
must_check bool frontend_share_page(struct frontend *frontend, struct granted_page *shared);
/* Ends it, if there is one. */
void frontend_unshare_page(struct granted_page *shared);
/* An event channel for the backend: the port, or a negative errno. */
must_check int frontend_event_channel(struct frontend *frontend, void (*handler)(uint32_t port, void *context),
                                      void *context);
