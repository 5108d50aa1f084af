/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting a network device to its backend, and its events. netfront_start() is called by drivers/xen/devices.c at
 * boot; from then on frontend.c calls `operations` (frontend.h says when and in which context), and Xen's events
 * handle_event(), in interrupt context. Sending and receiving are in netfront_transmit.c and netfront_receive.c.
 *
 * What the backend can do is read for each offer, so offloads and the largest MTU may change with each connection; the
 * stack is notified by link_changed(). device.running is true from connected() to disconnected(). The device stays
 * allocated, even if it does not come up, since the watch and perhaps the backend refer to it.
 *
 * Queues are made once, and the first of them offered to each backend, as many as it takes; each has its event channel,
 * which interrupts the CPU of its number. The backend has a flow's packets come by one queue (xen/io/netif.h), and they
 * are sent by one, which may be another. A backend that turns several queues down is offered one.
 *
 * No lock is held here: "nic transmit" and "nic receive" guard the two directions and are taken in their files.
 */
#include "drivers/xen/netfront.h"

#include "core/heap.h"
#include "core/log.h"
#include "core/random.h"
#include "drivers/flow.h"
#include "drivers/xen/netfront_nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/xen/events.h"

#define DEFAULT_MTU 1500
#define ETHERNET_HEADER 18 /* with a VLAN tag, which a bridge may add */
/* A queue has 1 MiB of pages on offer at most. */
#define MEMORY_PER_QUEUE (32UL << 20)

static unsigned queue_limit = 1;

unsigned netfront_limit_queues(unsigned nics, unsigned grants)
{
    uint64_t by_memory = platform.memory_bytes / MEMORY_PER_QUEUE;
    unsigned by_grants = nics > 0 ? grants / (nics * NETFRONT_GRANTS) : 1;
    unsigned limit = min_of(min_of(platform.cpus, by_grants), NETFRONT_QUEUES);
    queue_limit = (unsigned)max_of(min_of((uint64_t)limit, by_memory), 1UL);
    return queue_limit;
}

struct nic_queue *netfront_queue_for(struct nic *nic, const struct packet *packet)
{
    return nic->queues[flow_place(&nic->key, packet, nic->queue_count)];
}

static void handle_event(uint32_t port, void *context)
{
    struct nic_queue *queue = context;
    (void)port;
    netfront_transmit_event(queue);
    netfront_receive_event(queue);
    network_device_interrupt(&queue->nic->device);
}

/* "00:16:3e:01:02:03"; anything else leaves `mac` as it is. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    uint8_t parsed[6];
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++, text += 3) {
        int high = hex_digit(text[0]), low = hex_digit(text[1]);
        if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
            return false;
        parsed[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(mac, parsed, sizeof(parsed));
    return true;
}

static struct nic *nic_of_frontend(struct frontend *frontend) { return container_of(frontend, struct nic, frontend); }

/* A domain that was restored may have been given another address. */
static int attached(struct frontend *frontend, const char *mac)
{
    return parse_mac(mac, nic_of_frontend(frontend)->device.mac) ? 0 : -EPROTO;
}

static const char *const nodes[] = {
    "feature-rx-copy",   "feature-no-csum-offload", "feature-sg", "feature-gso-tcpv4", "feature-ipv6-csum-offload",
    "feature-gso-tcpv6", "multi-queue-max-queues",  NULL
};
#define FEATURES 6u /* the first of them */
#define NODE_QUEUES 6u

/* What the backend can do with packets of ours. Receiving by copy is the only way we know. */
static int read_features(struct nic *nic)
{
    uint64_t feature[FEATURES];
    for (unsigned i = 0; i < array_size(feature); i++)
        feature[i] = xenbus_number(frontend_node(&nic->frontend, i), 0);
    /* Packets in several slots, so in several pages (xen/io/netif.h: feature-sg). */
    bool several = feature[2] != 0;
    nic->slots_per_packet = several ? NET_SLOTS_PER_PACKET : 1;
    nic->device.mtu = DEFAULT_MTU;
    nic->device.max_mtu = several ? NET_PACKET_MAX - ETHERNET_HEADER : DEFAULT_MTU;
    nic->device.checksum_offload = feature[1] == 0;
    nic->device.segmentation_offload = nic->device.checksum_offload && several && feature[3] != 0;
    nic->device.checksum_offload_ipv6 = feature[4] != 0;
    nic->device.segmentation_offload_ipv6 = nic->device.checksum_offload_ipv6 && several && feature[5] != 0;
    return feature[0] != 0 ? 0 : -EOPNOTSUPP;
}

static void link_changed(struct nic *nic, bool up)
{
    if (nic->device.running == up)
        return;
    nic->device.running = up;
    if (nic->device.link_changed)
        nic->device.link_changed(&nic->device);
}

static bool stop(struct nic_queue *queue)
{
    if (queue->port != 0)
        event_close(queue->port);
    queue->port = 0;
    bool waited_for = netfront_transmit_stop(queue);
    netfront_receive_stop(queue);
    return waited_for;
}

/* The stack is called when no queue is left to which it could send. */
static void disconnected(struct frontend *frontend)
{
    struct nic *nic = nic_of_frontend(frontend);
    bool waited_for = false;
    for (unsigned i = 0; i < nic->queue_limit; i++)
        waited_for |= stop(nic->queues[i]);
    if (waited_for && nic->device.transmit_ready)
        nic->device.transmit_ready(&nic->device);
    link_changed(nic, false);
}

/* 0 or a negative errno; what there is of the queue is then stopped by disconnected(). */
static int offer_queue(struct nic *nic, unsigned number)
{
    struct nic_queue *queue = nic->queues[number];
    int result = netfront_transmit_offer(queue);
    if (result == 0)
        result = netfront_receive_offer(queue);
    if (result != 0)
        return result;
    int port = frontend_event_channel(&nic->frontend, handle_event, queue);
    if (port < 0)
        return port;
    queue->port = (uint32_t)port;
    event_prefer(queue->port, number);
    return 0;
}

/* As many queues as the backend says that it takes; one if it has just turned several down. */
static unsigned queues_wanted(const struct nic *nic)
{
    uint64_t most = xenbus_number(frontend_node(&nic->frontend, NODE_QUEUES), 1);
    if (nic->frontend.attempts > 1) {
        if (nic->queue_count > 1)
            log_error("network device %s: the backend rejects %u queues, though it offers them; using one. See the log "
                      "of the host's backend",
                      nic->device.name, nic->queue_count);
        return 1;
    }
    return (unsigned)max_of(min_of(most, (uint64_t)nic->queue_limit), 1UL);
}

/* The first queues, until there is no memory or event channel for another. 0 or a negative errno with none. */
static int offer_queues(struct nic *nic)
{
    unsigned wanted = queues_wanted(nic), count = 0;
    int result = 0;
    while (result == 0 && count < wanted) {
        result = offer_queue(nic, count);
        count += result == 0;
    }
    if (count == 0)
        return result;
    if (count < wanted)
        (void)stop(nic->queues[count]); /* nothing has been sent by it */
    nic->queue_count = count;
    return 0;
}

static unsigned describe_queue(struct frontend *frontend, unsigned number, struct frontend_setting *settings)
{
    const struct nic_queue *queue = nic_of_frontend(frontend)->queues[number];
    settings[0] = (struct frontend_setting){ "tx-ring-ref", queue->transmitter.ring_page.grant, NULL };
    settings[1] = (struct frontend_setting){ "rx-ring-ref", queue->receiver.ring_page.grant, NULL };
    settings[2] = (struct frontend_setting){ "event-channel", queue->port, NULL };
    return 3;
}

/* One queue is described in our own directory, for backends that know no others. */
static int offer(struct frontend *frontend, struct frontend_setting *settings, unsigned *count)
{
    struct nic *nic = nic_of_frontend(frontend);
    int result = read_features(nic);
    if (result == 0)
        result = offer_queues(nic);
    if (result != 0)
        return result;
    const struct frontend_setting offered[] = {
        { "multi-queue-num-queues", nic->queue_count, NULL }, /* also 1: another front end may have written more */
        { "request-rx-copy", 1, NULL },
        { "feature-rx-notify", 1, NULL },
        { "feature-sg", 1, NULL },
        { "feature-gso-tcpv4", 1, NULL },
        { "feature-gso-tcpv6", 1, NULL },
        { "feature-ipv6-csum-offload", 1, NULL },
    };
    _Static_assert(array_size(offered) + 3 <= FRONTEND_SETTINGS_MAX, "room for the settings, and those of a queue");
    memcpy(settings, offered, sizeof(offered));
    *count = array_size(offered);
    if (nic->queue_count > 1)
        frontend->queues = nic->queue_count;
    else
        *count += describe_queue(frontend, 0, settings + *count);
    return 0;
}

static int connected(struct frontend *frontend)
{
    struct nic *nic = nic_of_frontend(frontend);
    if (nic->was_up)
        log_info("network device %s: connected again", nic->device.name);
    nic->was_up = true;
    for (unsigned i = 0; i < nic->queue_count; i++) {
        netfront_transmit_start(nic->queues[i]);
        netfront_receive_start(nic->queues[i]);
    }
    link_changed(nic, true);
    for (unsigned i = 0; i < nic->queue_count; i++)
        handle_event(nic->queues[i]->port, nic->queues[i]); /* what came before we were ready for it */
    return 0;
}

static void lost(struct frontend *frontend)
{
    log_error("network device %s: its backend is gone; nothing is sent or received until it is attached again",
              nic_of_frontend(frontend)->device.name);
}

static const struct frontend_operations operations = {
    .nodes = nodes,
    .offered = STATE_CONNECTED,
    .own_node = "mac",
    .attached = attached,
    .offer = offer,
    .describe_queue = describe_queue,
    .connected = connected,
    .disconnected = disconnected,
    .lost = lost,
};

/* As many as there is memory for; false without any. */
static bool make_queues(struct nic *nic)
{
    while (nic->queue_limit < queue_limit) {
        struct nic_queue *queue = heap_allocate_zeroed(sizeof(*queue));
        if (!queue)
            break;
        queue->nic = nic;
        spinlock_init(&queue->transmitter.lock, LOCK_NIC_TRANSMIT);
        spinlock_init(&queue->receiver.lock, LOCK_NIC_RECEIVE);
        queue->transmitter.dead = queue->receiver.dead = true;
        nic->queues[nic->queue_limit++] = queue;
    }
    return nic->queue_limit > 0;
}

int netfront_start(const char *path, uint64_t number)
{
    struct nic *nic = heap_allocate_zeroed(sizeof(*nic));
    if (!nic || !make_queues(nic)) {
        heap_free(nic);
        return -ENOMEM;
    }
    nic->queue_count = 1;
    random_bytes(&nic->key, sizeof(nic->key));
    format(nic->device.name, sizeof(nic->device.name), "eth%lu", (unsigned long)number);
    nic->device.transmit = netfront_transmit;
    nic->device.flush = netfront_flush;
    nic->device.receive_round = netfront_receive_round;
    /* On failure the memory stays: the watch and perhaps the backend refer to it. */
    int result = frontend_connect(&nic->frontend, path, &operations);
    if (result != 0)
        return result;
    network_device_add(&nic->device);
    log_info("network device %s: checksum offload %s, segmentation offload %s, queues: %u", nic->device.name,
             nic->device.checksum_offload ? "yes" : "no", nic->device.segmentation_offload ? "yes" : "no",
             nic->queue_count);
    return 0;
}
