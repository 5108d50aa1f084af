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
 * No lock is held here: "nic transmit" and "nic receive" guard the two directions and are taken in their files.
 */
#include "drivers/xen/netfront.h"

#include "core/heap.h"
#include "core/log.h"
#include "drivers/xen/netfront_nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/events.h"

#define DEFAULT_MTU 1500
#define ETHERNET_HEADER 18 /* with a VLAN tag, which a bridge may add */

static void handle_event(uint32_t port, void *context)
{
    struct nic *nic = context;
    (void)port;
    netfront_transmit_event(nic);
    network_device_interrupt(&nic->device);
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

static int read_mac(struct nic *nic, const char *path)
{
    struct xenbus_node mac = { .name = "mac" };
    int result = xenbus_read_nodes(path, &mac, 1);
    if (result != 0)
        return result;
    return parse_mac(mac.value, nic->device.mac) ? 0 : -EPROTO;
}

static struct nic *nic_of_frontend(struct frontend *frontend) { return container_of(frontend, struct nic, frontend); }

#define FEATURES 6u /* that come first in the list; then MAC */
static const char *const nodes[] = {
    "feature-rx-copy",           "feature-no-csum-offload", "feature-sg", "feature-gso-tcpv4",
    "feature-ipv6-csum-offload", "feature-gso-tcpv6",       "mac",        NULL
};

/* What the backend can do with packets of ours. Receiving by copy is the only way we know. */
static int read_features(struct nic *nic)
{
    uint64_t feature[FEATURES];
    for (unsigned i = 0; i < array_size(feature); i++)
        feature[i] = xenbus_number(frontend_node(&nic->frontend, i), 0);
    /* Packets in several slots, so in several pages (xen/io/netif.h: feature-sg). */
    bool several = feature[2] != 0;
    nic->transmitter.slots_per_packet = several ? NET_SLOTS_PER_PACKET : 1;
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

static void disconnected(struct frontend *frontend)
{
    struct nic *nic = nic_of_frontend(frontend);
    if (nic->port != 0)
        event_close(nic->port);
    nic->port = 0;
    netfront_transmit_stop(nic);
    netfront_receive_stop(nic);
    link_changed(nic, false);
}

static int offer(struct frontend *frontend, struct frontend_setting *settings, unsigned *count)
{
    struct nic *nic = nic_of_frontend(frontend);
    int result = read_features(nic);
    /* A domain that was restored may have been given another one, which backends by xl know, too. */
    (void)parse_mac(frontend_node(frontend, FEATURES)->value, nic->device.mac);
    if (result == 0)
        result = netfront_transmit_offer(nic);
    if (result == 0)
        result = netfront_receive_offer(nic);
    if (result != 0)
        return result;
    int port = frontend_event_channel(frontend, handle_event, nic);
    if (port < 0)
        return port;
    nic->port = (uint32_t)port;
    const struct frontend_setting offered[] = {
        { "tx-ring-ref", nic->transmitter.ring_page.grant, NULL },
        { "rx-ring-ref", nic->receiver.ring_page.grant, NULL },
        { "event-channel", nic->port, NULL },
        { "request-rx-copy", 1, NULL },
        { "feature-rx-notify", 1, NULL },
        { "feature-sg", 1, NULL },
        { "feature-gso-tcpv4", 1, NULL },
        { "feature-gso-tcpv6", 1, NULL },
        { "feature-ipv6-csum-offload", 1, NULL },
    };
    _Static_assert(array_size(offered) <= FRONTEND_SETTINGS_MAX, "room for the settings");
    memcpy(settings, offered, sizeof(offered));
    *count = array_size(offered);
    return 0;
}

static int connected(struct frontend *frontend)
{
    struct nic *nic = nic_of_frontend(frontend);
    if (nic->was_up)
        log_info("network device %s: connected again", nic->device.name);
    nic->was_up = true;
    netfront_transmit_start(nic);
    netfront_receive_start(nic);
    link_changed(nic, true);
    handle_event(nic->port, nic); /* what came before we were ready for it */
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
    .offer = offer,
    .connected = connected,
    .disconnected = disconnected,
    .lost = lost,
};

int netfront_start(const char *path, uint64_t number)
{
    struct nic *nic = heap_allocate_zeroed(sizeof(*nic));
    if (!nic)
        return -ENOMEM;
    spinlock_init(&nic->transmitter.lock, LOCK_NIC_TRANSMIT);
    spinlock_init(&nic->receiver.lock, LOCK_NIC_RECEIVE);
    nic->transmitter.dead = nic->receiver.dead = true;
    format(nic->device.name, sizeof(nic->device.name), "eth%lu", (unsigned long)number);
    nic->device.transmit = netfront_transmit;
    nic->device.flush = netfront_flush;
    nic->device.receive_round = netfront_receive_round;
    /* On failure the memory stays: the watch and perhaps the backend refer to it. */
    int result = read_mac(nic, path);
    if (result == 0)
        result = frontend_connect(&nic->frontend, path, &operations);
    if (result != 0)
        return result;
    network_device_add(&nic->device);
    log_info("network device %s: checksum offload %s, segmentation offload %s", nic->device.name,
             nic->device.checksum_offload ? "yes" : "no", nic->device.segmentation_offload ? "yes" : "no");
    return 0;
}
