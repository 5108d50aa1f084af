/*
 * What every front end does: find its backend, bring both ends to a known state whatever ran
 * before, and follow the backend's state (xen/io/xenbus.h). During platform_start_devices() only, but
 * for the `closed` callback.
 */
#pragma once

#include "drivers/xen/grant.h"
#include "drivers/xen/xenbus.h"
#include "lib/types.h"

/* xen/io/xenbus.h: enum xenbus_state. */
enum frontend_state {
    STATE_UNKNOWN = 0, STATE_INITIALISING = 1, STATE_INIT_WAIT = 2, STATE_INITIALISED = 3,
    STATE_CONNECTED = 4, STATE_CLOSING = 5, STATE_CLOSED = 6,
};

struct frontend {
    char path[64];                   /* of our directory, "device/vbd/51713" */
    char backend[128];               /* of the backend's directory */
    uint16_t backend_domain;
    char state_path[136];
    struct xenbus_watch watch;
    bool changed;                    /* the backend's state may have, since last read */
};

/* Finds the backend of `path` and starts watching it. 0 or a negative errno. */
must_check int frontend_open(struct frontend *frontend, const char *path);
/* Disconnects whoever used the device before us (a boot loader); the backend then waits for a
 * new front end in STATE_INIT_WAIT. */
must_check int frontend_reset(struct frontend *frontend);
must_check int frontend_set_state(struct frontend *frontend, enum frontend_state state);
/* Writes the nodes, then the state, in one go: what the backend needs to connect. */
struct frontend_setting {
    const char *name;
    uint32_t value;
    const char *text;                /* instead of the value, unless NULL */
};
must_check int frontend_offer(struct frontend *frontend, const struct frontend_setting *settings, unsigned count,
                              enum frontend_state state);
/* Waits until the backend's state is one of the mask (1 << state). -ETIMEDOUT when it takes longer than
 * half a minute. */
must_check int frontend_wait(struct frontend *frontend, unsigned states);

/* A zeroed page shared with the backend. Its reference, or GRANT_NONE without memory. */
must_check grant_reference frontend_share_page(struct frontend *frontend, void **page);
/* An event channel for the backend: the port, or a negative errno. */
must_check int frontend_event_channel(struct frontend *frontend,
                                      void (*handler)(uint32_t port, void *context), void *context);
