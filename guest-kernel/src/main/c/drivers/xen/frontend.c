/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of both ends are the machine's: each time the backend's nodes were read, step() decides by them, by our
 * phase and by the state we wrote last whether something is to be written; when that is done, they are read again.
 *
 * A backend that is closing uses what it was given until it has closed: only then has it let go of our pages, and
 * answered all that it will answer. So before that nothing changes here, except that we write that we have closed.
 *
 * `busy` is true from the submission of a batch to its end, so there is one at a time and no change is missed: what
 * happens meanwhile sets `again`.
 *
 * frontend_connect() is called by the drivers at boot, all else by xenbus.c in interrupt context, on the CPU that gets
 * the store's events. The kernel lock is held, and no other, also where it calls the driver's operations.
 */
#include "drivers/xen/frontend.h"

#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/xen/events.h"

/* For how long a backend may do nothing before its device is left out: what Linux gives to disks and network devices,
 * 30 + 270 s. Backends of a host that is overloaded do come, but slowly. */
#define IDLE_TIME (300 * NS_PER_SECOND)
#define REPORT_TIME (10 * NS_PER_SECOND)
/* Offers that a backend may turn down in a row. */
#define ATTEMPTS_MAX 5

static struct list frontends = LIST_INIT(frontends);

static void look(struct frontend *frontend);
static void step(struct frontend *frontend);

/* ---- Reading and writing the store --------------------------------------------------------------- */

static void submit(struct frontend *frontend, enum xenbus_operation operation, struct xenbus_node *nodes,
                   unsigned count, const char *directory, void (*done)(struct xenbus_batch *, int))
{
    frontend->busy = true;
    frontend->batch.nodes = nodes;
    frontend->batch.count = count;
    frontend->batch.done = done;
    frontend->batch.context = frontend;
    xenbus_submit_nodes(&frontend->batch, operation, directory);
}

static void batch_ended(struct frontend *frontend)
{
    if (frontend->again && !frontend->busy)
        look(frontend);
}

static void backend_read(struct xenbus_batch *batch, int result)
{
    struct frontend *frontend = batch->context;
    frontend->busy = false;
    if (result == 0)
        step(frontend);
    else
        log_error("%s cannot be read: %s; the device %s is left as it is", frontend->backend, errno_name(result),
                  frontend->path);
    batch_ended(frontend);
}

/* Reads the backend's nodes and decides by them; if a batch is under way, then after it. */
static void look(struct frontend *frontend)
{
    frontend->again = frontend->busy;
    if (frontend->busy)
        return;
    unsigned count = 0;
    frontend->nodes[count++].name = "state";
    frontend->nodes[count++].name = "online";
    for (const char *const *name = frontend->operations->nodes; *name; name++)
        frontend->nodes[count++].name = *name;
    submit(frontend, XENBUS_READ, frontend->nodes, count, frontend->backend, backend_read);
}

static void ours_written(struct xenbus_batch *batch, int result)
{
    struct frontend *frontend = batch->context;
    frontend->busy = false;
    /* The directory may have been taken away with the device. */
    if (result == 0)
        frontend->again = true;
    batch_ended(frontend);
}

/* The nodes for the settings; the one after them. */
static struct xenbus_node *put_settings(struct frontend *frontend, const struct frontend_setting *settings,
                                        unsigned count)
{
    struct xenbus_node *node = frontend->ours;
    for (unsigned i = 0; i < count; i++, node++) {
        node->name = settings[i].name;
        if (settings[i].text)
            string_copy(node->value, settings[i].text, sizeof(node->value));
        else
            format(node->value, sizeof(node->value), "%u", settings[i].value);
    }
    return node;
}

/* Writes the settings and then our state. */
static void write_ours(struct frontend *frontend, const struct frontend_setting *settings, unsigned count,
                       enum frontend_state state)
{
    struct xenbus_node *node = put_settings(frontend, settings, count);
    node->name = "state";
    format(node->value, sizeof(node->value), "%d", (int)state);
    frontend->written = state;
    submit(frontend, XENBUS_WRITE, frontend->ours, count + 1, frontend->path, ours_written);
}

static void write_state(struct frontend *frontend, enum frontend_state state)
{
    if (frontend->written != state)
        write_ours(frontend, NULL, 0, state);
}

/* Each queue, one after the other, and then our state. */
static void settings_written(struct xenbus_batch *batch, int result)
{
    struct frontend *frontend = batch->context;
    if (result != 0 || frontend->described == frontend->queues) {
        frontend->busy = false;
        if (result == 0)
            write_state(frontend, frontend->operations->offered);
        batch_ended(frontend);
        return;
    }
    struct frontend_setting settings[FRONTEND_SETTINGS_MAX];
    char directory[sizeof(frontend->path) + sizeof("/queue-4294967295")];
    format(directory, sizeof(directory), "%s/queue-%u", frontend->path, frontend->described);
    unsigned count = frontend->operations->describe_queue(frontend, frontend->described++, settings);
    put_settings(frontend, settings, count);
    submit(frontend, XENBUS_WRITE, frontend->ours, count, directory, settings_written);
}

static void write_offer(struct frontend *frontend, const struct frontend_setting *settings, unsigned count)
{
    frontend->described = 0;
    if (frontend->queues == 0) {
        write_ours(frontend, settings, count, frontend->operations->offered);
        return;
    }
    put_settings(frontend, settings, count);
    submit(frontend, XENBUS_WRITE, frontend->ours, count, frontend->path, settings_written);
}

/* ---- The states ------------------------------------------------------------------------------------ */

static void lose(struct frontend *frontend, int error)
{
    frontend->operations->disconnected(frontend);
    frontend->phase = PHASE_LOST;
    frontend->error = error;
    frontend->operations->lost(frontend);
    write_state(frontend, STATE_CLOSED);
}

static void make_offer(struct frontend *frontend)
{
    struct frontend_setting settings[FRONTEND_SETTINGS_MAX];
    unsigned count = 0;
    if (frontend->attempts++ == ATTEMPTS_MAX) {
        log_error("device %s: its backend rejected %d connection attempts; see the log of the host's backend",
                  frontend->path, ATTEMPTS_MAX);
        lose(frontend, -ECONNREFUSED);
        return;
    }
    frontend->operations->disconnected(frontend);
    frontend->queues = 0;
    int error = frontend->operations->offer(frontend, settings, &count);
    if (error != 0) {
        log_error("device %s: cannot set up a connection to its backend: %s", frontend->path, errno_name(error));
        lose(frontend, error);
        return;
    }
    frontend->phase = PHASE_OFFERED;
    write_offer(frontend, settings, count);
}

/* An earlier front end, of a boot loader or our own, is closed first; the backend then waits for a new one in
 * STATE_INIT_WAIT. */
static void reset(struct frontend *frontend, enum frontend_state backend)
{
    bool left = frontend->written == STATE_CLOSING || frontend->written == STATE_CLOSED;
    switch (backend) {
    case STATE_INITIALISED:
    case STATE_CONNECTED:
        if (!left)
            write_state(frontend, STATE_CLOSING);
        break;
    case STATE_CLOSING:
        write_state(frontend, STATE_CLOSED);
        break;
    case STATE_INIT_WAIT:
        if (frontend->written == STATE_UNKNOWN || frontend->written == STATE_INITIALISING)
            make_offer(frontend);
        else
            write_state(frontend, left ? STATE_INITIALISING : STATE_CLOSED);
        break;
    default:
        write_state(frontend, STATE_INITIALISING);
    }
}

static void came_up(struct frontend *frontend)
{
    int error = frontend->operations->connected(frontend);
    if (error != 0) {
        log_error("device %s cannot be used: %s", frontend->path, errno_name(error));
        lose(frontend, error);
        return;
    }
    frontend->phase = PHASE_UP;
    frontend->attempts = 0;
    write_state(frontend, STATE_CONNECTED);
}

static enum frontend_state backend_state(const struct frontend *frontend)
{
    uint64_t state = xenbus_number(&frontend->nodes[0], STATE_UNKNOWN);
    return state > STATE_CLOSED ? STATE_UNKNOWN : (enum frontend_state)state;
}

/* The backend's directory is gone, or the toolstack takes the device away (libxl: online, then state). */
static bool taken_away(const struct frontend *frontend, enum frontend_state backend)
{
    return frontend->nodes[0].result == -ENOENT ||
           (xenbus_number(&frontend->nodes[1], 1) == 0 && (backend >= STATE_CLOSING || backend == STATE_UNKNOWN));
}

static void step(struct frontend *frontend)
{
    enum frontend_state backend = backend_state(frontend);
    frontend->steps += backend != frontend->seen;
    frontend->seen = backend;
    if (frontend->phase >= PHASE_LOST)
        return;
    if (frontend->phase == PHASE_UP && backend == STATE_CLOSING) {
        write_state(frontend, STATE_CLOSED);
        return;
    }
    if (taken_away(frontend, backend)) {
        lose(frontend, -ENODEV);
        return;
    }
    if (frontend->phase == PHASE_UP && (backend != STATE_CONNECTED || frontend->written == STATE_CLOSED)) {
        log_error("device %s: its backend has closed (state %d); waiting for it to come back", frontend->path,
                  (int)backend);
        frontend->operations->disconnected(frontend);
        frontend->phase = PHASE_RESETTING;
    }
    if (frontend->phase == PHASE_OFFERED && backend == STATE_CONNECTED)
        came_up(frontend);
    else if (frontend->phase == PHASE_OFFERED && backend >= STATE_CLOSING)
        frontend->phase = PHASE_RESETTING;
    if (frontend->phase == PHASE_RESETTING)
        reset(frontend, backend);
}

/* ---- Attaching --------------------------------------------------------------------------------------- */

/* Names what our directory says of the device; how many nodes that is. */
static unsigned name_own_nodes(struct frontend *frontend)
{
    frontend->ours[0].name = "backend";
    frontend->ours[1].name = "backend-id";
    frontend->ours[2].name = frontend->operations->own_node;
    return frontend->operations->own_node ? 3 : 2;
}

/* Takes the backend's name from our directory; 0 or a negative errno. */
static int find_backend(struct frontend *frontend)
{
    const struct xenbus_node *nodes = frontend->ours;
    uint64_t domain = xenbus_number(&nodes[1], UINT64_MAX);
    if (nodes[0].result <= 0 || domain > UINT16_MAX)
        return -EPROTO;
    int error = frontend->operations->own_node ? frontend->operations->attached(frontend, nodes[2].value) : 0;
    if (error != 0)
        return error;
    string_copy(frontend->backend, nodes[0].value, sizeof(frontend->backend));
    frontend->backend_domain = (uint16_t)domain;
    frontend->written = STATE_UNKNOWN;
    frontend->attempts = 0;
    frontend->phase = PHASE_RESETTING;
    return 0;
}

static void state_changed(struct xenbus_watch *watch)
{
    struct frontend *frontend = watch->context;
    if (frontend->phase < PHASE_LOST)
        look(frontend);
}

static void set_state_path(struct frontend *frontend)
{
    format(frontend->state_path, sizeof(frontend->state_path), "%s/state", frontend->backend);
}

static void attached(struct xenbus_batch *batch, int result)
{
    struct frontend *frontend = batch->context;
    frontend->busy = false;
    if (result != 0 || find_backend(frontend) != 0) {
        batch_ended(frontend); /* taken away, not attached */
        return;
    }
    char before[sizeof(frontend->state_path)];
    string_copy(before, frontend->state_path, sizeof(before));
    set_state_path(frontend);
    if (strcmp(before, frontend->state_path) != 0 && !xenbus_watch_too(&frontend->state_watch, frontend->state_path))
        log_error("device %s: its new backend cannot be watched; attach it again", frontend->path);
    look(frontend);
}

/* Our directory came or went. */
static void attachment_changed(struct xenbus_watch *watch)
{
    struct frontend *frontend = watch->context;
    if (frontend->phase != PHASE_LOST || frontend->busy)
        return;
    submit(frontend, XENBUS_READ, frontend->ours, name_own_nodes(frontend), frontend->path, attached);
}

static void watch(struct frontend *frontend, struct xenbus_watch *watch, const char *path,
                  void (*changed)(struct xenbus_watch *))
{
    watch->path = path;
    watch->changed = changed;
    watch->context = frontend;
    xenbus_watch(watch);
}

static int open(struct frontend *frontend, const char *path)
{
    if (string_copy(frontend->path, path, sizeof(frontend->path)) >= sizeof(frontend->path))
        return -ENAMETOOLONG;
    int result = xenbus_read_nodes(path, frontend->ours, name_own_nodes(frontend));
    if (result == 0)
        result = find_backend(frontend);
    if (result != 0)
        return result;
    set_state_path(frontend);
    format(frontend->attach_path, sizeof(frontend->attach_path), "%s/backend", path);
    watch(frontend, &frontend->state_watch, frontend->state_path, state_changed);
    watch(frontend, &frontend->attach_watch, frontend->attach_path, attachment_changed);
    look(frontend);
    return 0;
}

/* The path of the state is another one, since the domain's number is. */
void frontends_disconnect(void)
{
    list_for_each (link, &frontends) {
        struct frontend *frontend = list_entry(link, struct frontend, link);
        if (frontend->phase < PHASE_LOST)
            frontend->operations->disconnected(frontend);
        frontend->state_path[0] = frontend->state_watch.request.path[0] = '\0';
        frontend->again = false;
    }
}

void frontends_attach(void)
{
    list_for_each (link, &frontends) {
        struct frontend *frontend = list_entry(link, struct frontend, link);
        if (frontend->phase == PHASE_ABANDONED)
            continue;
        frontend->phase = PHASE_LOST;
        attachment_changed(&frontend->attach_watch);
    }
}

/* Waits until the device is up, for as long as its backend does something. 0 or a negative errno. */
static int await_backend(struct frontend *frontend)
{
    nanoseconds began = clock_monotonic(), moved = began, report = began + REPORT_TIME;
    unsigned steps = read_once(frontend->steps);
    while (read_once(frontend->phase) != PHASE_UP) {
        nanoseconds now = clock_monotonic();
        if (frontend->phase == PHASE_LOST)
            return frontend->error;
        if (read_once(frontend->steps) != steps) {
            steps = frontend->steps;
            moved = now;
        }
        if (now >= moved + IDLE_TIME)
            return -ETIMEDOUT;
        if (now >= report) {
            log_info("device %s: has waited %lu s for its backend (state %d), and goes on", frontend->path,
                     (unsigned long)((now - began) / NS_PER_SECOND), (int)frontend->seen);
            report = now + REPORT_TIME;
        }
        kernel_cpu_wait(min_of(report, moved + IDLE_TIME));
    }
    return 0;
}

int frontend_connect(struct frontend *frontend, const char *path, const struct frontend_operations *operations)
{
    frontend->operations = operations;
    list_push_back(&frontends, &frontend->link);
    int result = open(frontend, path);
    if (result == 0)
        result = await_backend(frontend);
    if (result != 0)
        frontend->phase = PHASE_ABANDONED;
    return result;
}

/* ---- What is shared with the backend ------------------------------------------------------------------- */

bool frontend_share_page(struct frontend *frontend, struct granted_page *shared)
{
    shared->grant = GRANT_NONE;
    shared->page = page_allocate_zeroed();
    if (!shared->page)
        return false;
    shared->grant = grant_page(frontend->backend_domain, shared->page, false);
    if (shared->grant == GRANT_NONE)
        page_put(shared->page);
    return shared->grant != GRANT_NONE;
}

void frontend_unshare_page(struct granted_page *shared)
{
    if (shared->grant != GRANT_NONE)
        grant_end(shared->grant, shared->page);
    shared->grant = GRANT_NONE;
}

int frontend_event_channel(struct frontend *frontend, void (*handler)(uint32_t port, void *context), void *context)
{
    int port = event_allocate_unbound(frontend->backend_domain);
    if (port < 0)
        return port;
    event_bind((uint32_t)port, handler, context);
    event_unmask((uint32_t)port);
    return port;
}
