/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console's two rings as a stream of bytes, which drivers/device.h offers to linux/host_channel.c.
 *
 * The backend may write anything to the page at any time. `consumed` and `produced` are our own indices, which it
 * cannot change; where its index is too far from ours, what is there is skipped or the ring counts as full. A backend
 * that goes away takes what was under way with it; the host notices that as an answer that does not come.
 *
 * Spinlock "channel" guards the rings and our indices. The page is made and given up by frontend.c's calls, with the
 * kernel lock; `changed` of the channel is called without the spinlock.
 */
#include "drivers/xen/channel.h"

#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/xen/console_ring.h"
#include "drivers/xen/frontend.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/events.h"

static struct {
    struct channel_device device;
    struct frontend frontend;
    struct spinlock lock;
    struct granted_page shared;
    struct console_ring *ring;   /* NULL: there is no backend */
    uint32_t consumed, produced; /* of input and output */
    uint32_t port;
} channel = { .lock = SPINLOCK(LOCK_CHANNEL), .shared.grant = GRANT_NONE };

/* ---- Bytes ---------------------------------------------------------------------------------------- */

static size_t take_input(struct console_ring *ring, uint8_t *to, size_t room)
{
    uint32_t produced = __atomic_load_n(&ring->input_produced, __ATOMIC_ACQUIRE);
    size_t done = 0;
    if (produced - channel.consumed > CONSOLE_INPUT_SIZE)
        channel.consumed = produced;
    while (done < room && channel.consumed != produced)
        to[done++] = (uint8_t)read_once(ring->input[channel.consumed++ % CONSOLE_INPUT_SIZE]);
    __atomic_store_n(&ring->input_consumed, channel.consumed, __ATOMIC_RELEASE);
    return done;
}

static size_t put_output(struct console_ring *ring, const uint8_t *from, size_t length)
{
    uint32_t pending = channel.produced - __atomic_load_n(&ring->output_consumed, __ATOMIC_ACQUIRE);
    size_t done = 0;
    if (pending > CONSOLE_OUTPUT_SIZE)
        return 0;
    for (; done < min_of(length, (size_t)(CONSOLE_OUTPUT_SIZE - pending)); done++)
        ring->output[channel.produced++ % CONSOLE_OUTPUT_SIZE] = (char)from[done];
    __atomic_store_n(&ring->output_produced, channel.produced, __ATOMIC_RELEASE);
    return done;
}

static size_t channel_receive(struct channel_device *device, void *to, size_t room)
{
    (void)device;
    spin_lock(&channel.lock);
    size_t done = channel.ring ? take_input(channel.ring, to, room) : 0;
    if (done > 0)
        event_notify(channel.port);
    spin_unlock(&channel.lock);
    return done;
}

static size_t channel_send(struct channel_device *device, const void *data, size_t length)
{
    (void)device;
    spin_lock(&channel.lock);
    size_t done = channel.ring ? put_output(channel.ring, data, length) : 0;
    if (done > 0)
        event_notify(channel.port);
    spin_unlock(&channel.lock);
    return done;
}

static void announce(void)
{
    if (channel.device.changed)
        channel.device.changed(&channel.device);
}

static void handle_event(uint32_t port, void *context)
{
    (void)port;
    (void)context;
    announce();
}

/* ---- The backend ------------------------------------------------------------------------------------ */

static int offer(struct frontend *frontend, struct frontend_setting *settings, unsigned *count)
{
    if (!frontend_share_page(frontend, &channel.shared))
        return -ENOMEM;
    int port = frontend_event_channel(frontend, handle_event, NULL);
    if (port < 0)
        return port;
    spin_lock(&channel.lock);
    channel.port = (uint32_t)port;
    channel.ring = page_data(channel.shared.page);
    channel.consumed = channel.produced = 0;
    spin_unlock(&channel.lock);
    settings[(*count)++] = (struct frontend_setting){ "ring-ref", channel.shared.grant, NULL };
    settings[(*count)++] = (struct frontend_setting){ "port", channel.port, NULL };
    return 0;
}

static int connected(struct frontend *frontend)
{
    (void)frontend;
    announce();
    return 0;
}

static void disconnected(struct frontend *frontend)
{
    (void)frontend;
    spin_lock(&channel.lock);
    bool had = channel.ring;
    channel.ring = NULL;
    spin_unlock(&channel.lock);
    if (had)
        event_close(channel.port);
    frontend_unshare_page(&channel.shared);
}

static void lost(struct frontend *frontend) { log_error("%s: the host's channel is gone", frontend->path); }

static const char *const nodes[] = { NULL };
static const struct frontend_operations operations = {
    .nodes = nodes,
    .offered = STATE_INITIALISED,
    .offer = offer,
    .connected = connected,
    .disconnected = disconnected,
    .lost = lost,
};

int xen_channel_start(const char *path, uint64_t number)
{
    (void)number;
    char name_path[XENBUS_PATH_MAX], name[16];
    format(name_path, sizeof(name_path), "%s/name", path);
    int length = xenbus_read(name_path, name, sizeof(name));
    if (length < 0 || strcmp(name, "unikernel"))
        return 0;
    if (channel_device_find())
        return -EBUSY;
    channel.device.send = channel_send;
    channel.device.receive = channel_receive;
    int error = frontend_connect(&channel.frontend, path, &operations);
    if (error == 0)
        channel_device_add(&channel.device);
    return error;
}
