/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is in `requests` from submission until it is finished; those that are sent come first. One message at a
 * time goes out (`outgoing`) and one comes in (`incoming`), each in as many pieces as the rings, which hold 1 KiB, make
 * necessary. The part of a body for which no caller waits or has room is read and dropped.
 *
 * Only a request that was sent completely can be answered, by its number. An index or a length that cannot be true ends
 * the connection for good (`broken`), and every request with -EIO, those submitted later too. done() may be called from
 * within xenbus_submit(), and may submit again.
 *
 * Entered by the store's events in interrupt context, and by the other files of this directory. There is no lock;
 * xenbus.h says why.
 */
#include "drivers/xen/xenbus.h"

#include "core/heap.h"
#include "core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/xen/events.h"

/* xen/io/xs_wire.h */
#define STORE_RING_SIZE 1024U
#define TYPE_WATCH_EVENT 15U
#define TYPE_ERROR 16U

/* xs_wire.h: struct xenstore_domain_interface. Indices run freely modulo 2^32. */
struct store_ring {
    char requests[STORE_RING_SIZE];
    char replies[STORE_RING_SIZE];
    uint32_t requests_consumed, requests_produced;
    uint32_t replies_consumed, replies_produced;
};

/* xs_wire.h: struct xsd_sockmsg. */
struct header {
    uint32_t type, id, transaction, length;
};

/* Request numbers start here, so that answers to a boot loader's requests are not taken for ours. */
#define FIRST_ID 0x756b0000U
/* Longest watch event looked at: one of our paths with what lies below it, and our token. */
#define WATCH_BODY_MAX 512
#define TOKEN_PREFIX "uk"

static struct store_ring *ring;
static uint32_t ring_port;
static bool broken;
static uint32_t next_id = FIRST_ID;
static unsigned watch_count;
static struct list requests = LIST_INIT(requests); /* not answered; those sent come first */
static struct list watches = LIST_INIT(watches);

/* The outgoing message: header, path with its NUL, value; how much of it is in the ring. */
static struct {
    struct xenbus_request *request; /* NULL: none is partly sent */
    struct header header;
    uint32_t sent;
} outgoing;

/* The incoming message. Of its body, what fits goes to `to`. */
static struct {
    struct header header;
    uint32_t received;         /* bytes, header included */
    char body[WATCH_BODY_MAX]; /* watch events, errors and answers that no request waits for */
    char *to;
    uint32_t room;
    struct xenbus_request *answered; /* whose answer this is, or NULL */
} incoming;

static void finish(struct xenbus_request *request, int result)
{
    list_remove(&request->link);
    request->result = result;
    request->finished = true;
    if (request->done)
        request->done(request);
}

/* ---- The rings as byte streams ------------------------------------------------------------ */

static void connection_failed(const char *why)
{
    if (broken)
        return;
    broken = true;
    log_error("xenstore violates its protocol (%s): devices and shutdown requests no longer work", why);
    outgoing.request = NULL;
    while (!list_empty(&requests))
        finish(list_entry(requests.next, struct xenbus_request, link), -EIO);
}

static uint32_t stream_write(const char *from, uint32_t length)
{
    uint32_t produced = ring->requests_produced;
    uint32_t pending = produced - read_once(ring->requests_consumed);
    if (pending > STORE_RING_SIZE) {
        connection_failed("request index");
        return 0;
    }
    uint32_t count = min_of(length, STORE_RING_SIZE - pending);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < count; i++)
        ring->requests[(produced + i) % STORE_RING_SIZE] = from[i];
    __atomic_store_n(&ring->requests_produced, produced + count, __ATOMIC_RELEASE);
    return count;
}

/* Takes up to `length` bytes; with `to` NULL they are thrown away. */
static uint32_t stream_read(char *to, uint32_t length)
{
    uint32_t consumed = ring->replies_consumed;
    uint32_t pending = __atomic_load_n(&ring->replies_produced, __ATOMIC_ACQUIRE) - consumed;
    if (pending > STORE_RING_SIZE) {
        connection_failed("reply index");
        return 0;
    }
    uint32_t count = min_of(length, pending);
    for (uint32_t i = 0; to && i < count; i++)
        to[i] = read_once(ring->replies[(consumed + i) % STORE_RING_SIZE]);
    __atomic_store_n(&ring->replies_consumed, consumed + count, __ATOMIC_RELEASE);
    return count;
}

/* ---- Sending ---------------------------------------------------------------------------------- */

/* Makes the first request that was not sent the outgoing one. False: there is none. */
static bool next_outgoing(void)
{
    list_for_each (link, &requests) {
        struct xenbus_request *request = list_entry(link, struct xenbus_request, link);
        if (request->sent)
            continue;
        request->id = next_id++;
        outgoing.request = request;
        outgoing.sent = 0;
        outgoing.header = (struct header){
            .type = request->operation,
            .id = request->id,
            .length = (uint32_t)(strlen(request->path) + 1 + request->value_length),
        };
        return true;
    }
    return false;
}

/* The part of the outgoing message that starts at byte `at`; NULL at its end. */
static const char *outgoing_part(const struct xenbus_request *request, uint32_t at, uint32_t *length)
{
    const struct {
        const void *data;
        uint32_t length;
    } parts[] = {
        { &outgoing.header, sizeof(outgoing.header) },
        { request->path, (uint32_t)strlen(request->path) + 1 },
        { request->value, (uint32_t)request->value_length },
    };
    for (unsigned i = 0; i < array_size(parts); i++) {
        if (at < parts[i].length) {
            *length = parts[i].length - at;
            return (const char *)parts[i].data + at;
        }
        at -= parts[i].length;
    }
    return NULL;
}

/* Sends as much as there is room for; the rest follows when the daemon has read some. */
static void pump_out(void)
{
    bool moved = false;
    while (!broken && (outgoing.request || next_outgoing())) {
        uint32_t length;
        const char *part = outgoing_part(outgoing.request, outgoing.sent, &length);
        if (!part) {
            outgoing.request->sent = true;
            outgoing.request = NULL;
            continue;
        }
        uint32_t written = stream_write(part, length);
        if (written == 0)
            break;
        outgoing.sent += written;
        moved = true;
    }
    if (moved)
        event_notify(ring_port);
}

void xenbus_submit(struct xenbus_request *request)
{
    request->finished = request->sent = false;
    list_push_back(&requests, &request->link);
    if (broken)
        finish(request, -EIO);
    else if (strlen(request->path) + 1 + request->value_length > XENBUS_BODY_MAX)
        finish(request, -E2BIG);
    else
        pump_out();
}

/* ---- Receiving -------------------------------------------------------------------------------- */

/* The daemon names errors by their C names (xs_wire.h: xsd_errors). */
static int error_of(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {
        { "EINVAL", EINVAL },       { "EACCES", EACCES },   { "EEXIST", EEXIST }, { "EISDIR", EISDIR },
        { "ENOENT", ENOENT },       { "ENOMEM", ENOMEM },   { "ENOSPC", ENOSPC }, { "EROFS", EROFS },
        { "EBUSY", EBUSY },         { "EAGAIN", EAGAIN },   { "ENOSYS", ENOSYS }, { "EPERM", EPERM },
        { "ENOTEMPTY", ENOTEMPTY }, { "EISCONN", EISCONN }, { "E2BIG", E2BIG },
    };
    for (unsigned i = 0; i < array_size(errors); i++)
        if (strcmp(name, errors[i].name) == 0)
            return -errors[i].error;
    return -EIO;
}

static void watch_event(uint32_t length)
{
    if (length > sizeof(incoming.body) - 1)
        return; /* not below any path of ours */
    incoming.body[length] = '\0';
    size_t path_length = strlen(incoming.body) + 1;
    if (path_length > length)
        return;
    const char *token = incoming.body + path_length;
    list_for_each_safe (link, &watches) {
        struct xenbus_watch *watch = list_entry(link, struct xenbus_watch, link);
        if (strcmp(token, watch->token) == 0) {
            watch->changed(watch);
            return;
        }
    }
}

/* The request that the incoming header answers, if it has been sent completely. */
static struct xenbus_request *answered_request(void)
{
    if (incoming.header.type == TYPE_WATCH_EVENT)
        return NULL;
    list_for_each (link, &requests) {
        struct xenbus_request *request = list_entry(link, struct xenbus_request, link);
        if (request->sent && request->id == incoming.header.id)
            return request;
    }
    return NULL;
}

static int answer_result(const struct xenbus_request *request)
{
    uint32_t length = incoming.header.length;
    if (incoming.header.type == TYPE_ERROR) {
        incoming.body[min_of(length, (uint32_t)sizeof(incoming.body) - 1)] = '\0';
        return error_of(incoming.body);
    }
    if (incoming.header.type != (uint32_t)request->operation)
        return -EPROTO;
    return request->reply && length > request->reply_size ? -EOVERFLOW : (int)length;
}

/* The header is complete: decides where the body goes. */
static void begin_body(void)
{
    struct xenbus_request *request = answered_request();
    incoming.answered = request;
    incoming.to = incoming.body;
    incoming.room = sizeof(incoming.body);
    if (request && incoming.header.type != TYPE_ERROR && request->reply) {
        incoming.to = request->reply;
        incoming.room = (uint32_t)min_of(request->reply_size, (size_t)XENBUS_BODY_MAX);
    }
}

static void end_message(void)
{
    incoming.received = 0;
    if (incoming.header.type == TYPE_WATCH_EVENT)
        watch_event(incoming.header.length);
    else if (incoming.answered)
        finish(incoming.answered, answer_result(incoming.answered));
}

/* Takes some bytes of the incoming message; false when there are none. */
static bool pump_in(void)
{
    uint32_t count;
    if (broken)
        return false;
    if (incoming.received < sizeof(struct header)) {
        count = stream_read((char *)&incoming.header + incoming.received, sizeof(struct header) - incoming.received);
        incoming.received += count;
        if (incoming.received < sizeof(struct header))
            return count > 0;
        if (incoming.header.length > XENBUS_BODY_MAX) {
            connection_failed("message length");
            return false;
        }
        begin_body();
        if (incoming.header.length == 0)
            end_message();
        return true;
    }
    uint32_t at = incoming.received - (uint32_t)sizeof(struct header);
    uint32_t left = incoming.header.length - at;
    if (at < incoming.room)
        count = stream_read(incoming.to + at, min_of(left, incoming.room - at));
    else
        count = stream_read(NULL, left);
    incoming.received += count;
    if (count > 0 && count == left)
        end_message();
    return count > 0;
}

static void handle_event(uint32_t port, void *context)
{
    (void)context;
    bool moved = false;
    while (pump_in())
        moved = true;
    if (moved)
        event_notify(port);
    pump_out();
}

void xenbus_init(void *shared, uint32_t port)
{
    ring = shared;
    ring_port = port;
    event_bind(port, handle_event, NULL);
    event_unmask(port);
}

void xenbus_watch(struct xenbus_watch *watch)
{
    format(watch->token, sizeof(watch->token), TOKEN_PREFIX "%u", watch_count++);
    list_push_back(&watches, &watch->link);
    struct xenbus_request *request = &watch->request;
    *request = (struct xenbus_request){
        .operation = XENBUS_WATCH,
        .value = watch->token,
        .value_length = strlen(watch->token) + 1,
    };
    string_copy(request->path, watch->path, sizeof(request->path));
    xenbus_submit(request);
}

bool xenbus_watch_too(struct xenbus_watch *watch, const char *path)
{
    struct xenbus_request *request = &watch->request;
    if (!request->finished)
        return false;
    string_copy(request->path, path, sizeof(request->path));
    xenbus_submit(request);
    return true;
}

void xenbus_watch_again(void)
{
    list_for_each (link, &watches) {
        struct xenbus_watch *watch = list_entry(link, struct xenbus_watch, link);
        if (watch->request.path[0] != '\0' && watch->request.finished)
            xenbus_submit(&watch->request);
    }
}

/* ---- Several nodes at a time ------------------------------------------------------------------- */

/* The first error; a node that is not there is one only for writing. */
static int batch_result(const struct xenbus_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        const struct xenbus_request *request = &batch->requests[i];
        bool absent = request->operation == XENBUS_READ && request->result == -ENOENT;
        if (request->result < 0 && !absent)
            return request->result;
    }
    return 0;
}

static void batch_request_done(struct xenbus_request *request)
{
    struct xenbus_batch *batch = request->context;
    if (request->operation == XENBUS_READ) {
        struct xenbus_node *node = &batch->nodes[request - batch->requests];
        node->result = request->result;
        node->value[max_of(request->result, 0)] = '\0';
    }
    if (--batch->unfinished == 0)
        batch->done(batch, batch_result(batch));
}

void xenbus_submit_nodes(struct xenbus_batch *batch, enum xenbus_operation operation, const char *directory)
{
    assert(batch->count > 0 && batch->count <= XENBUS_BATCH_MAX);
    batch->unfinished = batch->count;
    for (unsigned i = 0; i < batch->count; i++) {
        struct xenbus_request *request = &batch->requests[i];
        struct xenbus_node *node = &batch->nodes[i];
        *request = (struct xenbus_request){ .operation = operation, .done = batch_request_done, .context = batch };
        format(request->path, sizeof(request->path), "%s/%s", directory, node->name);
        if (operation == XENBUS_WRITE) {
            request->value = node->value;
            request->value_length = strlen(node->value);
        } else {
            request->reply = node->value;
            request->reply_size = sizeof(node->value) - 1;
        }
    }
    for (unsigned i = 0, count = batch->count; i < count; i++)
        xenbus_submit(&batch->requests[i]);
}

/* ---- Calls that wait ---------------------------------------------------------------------------- */

/* The store's events may come to another CPU than the one that waits. */
static void end_wait(const struct cpu *waiting)
{
    if (waiting != this_cpu())
        cpu_interrupt(waiting);
}

void xenbus_settle(void)
{
    while (!broken && (!list_empty(&requests) || incoming.received != 0))
        cpu_wait();
}

static void request_waited_for(struct xenbus_request *request) { end_wait(request->context); }

static int run(struct xenbus_request *request)
{
    request->context = this_cpu();
    request->done = request_waited_for;
    xenbus_submit(request);
    while (!read_once(request->finished))
        cpu_wait();
    return request->result;
}

static int read_into(enum xenbus_operation operation, const char *path, char *reply, size_t size)
{
    struct xenbus_request request = { .operation = operation, .reply = reply, .reply_size = size };
    if (string_copy(request.path, path, sizeof(request.path)) >= sizeof(request.path))
        return -ENAMETOOLONG;
    return run(&request);
}

int xenbus_read(const char *path, char *value, size_t size)
{
    int length = read_into(XENBUS_READ, path, value, size - 1);
    value[length < 0 ? 0 : length] = '\0';
    return length;
}

int xenbus_read_number(const char *path, uint64_t *value)
{
    char text[24];
    int length = xenbus_read(path, text, sizeof(text));
    if (length < 0)
        return length;
    return parse_decimal(text, value) ? 0 : -EPROTO;
}

int xenbus_write(const char *path, const char *value)
{
    struct xenbus_request request = {
        .operation = XENBUS_WRITE,
        .value = value,
        .value_length = strlen(value),
    };
    if (string_copy(request.path, path, sizeof(request.path)) >= sizeof(request.path))
        return -ENAMETOOLONG;
    int result = run(&request);
    return min_of(result, 0);
}

int xenbus_directory(const char *path, char *names, size_t size)
{
    int length = read_into(XENBUS_DIRECTORY, path, names, size);
    if (length > 0 && names[length - 1] != '\0')
        return -EPROTO;
    return length;
}

struct batch_wait {
    const struct cpu *cpu;
    int result; /* > 0: none yet */
};

static void batch_waited_for(struct xenbus_batch *batch, int result)
{
    struct batch_wait *wait = batch->context;
    wait->result = result;
    end_wait(wait->cpu);
}

/* Submits all, so that they travel together, and waits for all. */
static int run_all(enum xenbus_operation operation, const char *directory, struct xenbus_node *nodes, unsigned count)
{
    struct batch_wait wait = { .cpu = this_cpu(), .result = 1 };
    struct xenbus_batch *batch = heap_allocate_zeroed_at(sizeof(*batch), PAGES_RESERVED);
    if (!batch)
        return -ENOMEM;
    batch->nodes = nodes;
    batch->count = count;
    batch->done = batch_waited_for;
    batch->context = &wait;
    xenbus_submit_nodes(batch, operation, directory);
    while (read_once(wait.result) > 0)
        cpu_wait();
    heap_free(batch);
    return wait.result;
}

int xenbus_read_nodes(const char *directory, struct xenbus_node *nodes, unsigned count)
{
    return run_all(XENBUS_READ, directory, nodes, count);
}

int xenbus_write_nodes(const char *directory, struct xenbus_node *nodes, unsigned count)
{
    return run_all(XENBUS_WRITE, directory, nodes, count);
}

uint64_t xenbus_number(const struct xenbus_node *node, uint64_t absent)
{
    uint64_t value;
    return parse_decimal(node->value, &value) ? value : absent;
}
