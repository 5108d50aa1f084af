/*
 * Connecting a network card to its backend, and its events. netfront_start() is called by drivers/xen/devices.c at
 * boot; from then on frontend.c calls `operations` (frontend.h says when and in which context), and Xen's events
 * handle_event(), in interrupt context. Sending and receiving are in netfront_transmit.c and netfront_receive.c.
 *
 * What the backend can do is read for each offer, so offloads and the largest MTU may change with each connection; the
 * stack hears of it by link_changed(). device.running is true from connected() to disconnected(). The card stays
 * allocated for ever, even if it does not come up, since the watch and perhaps the backend refer to it.
 *
 * No lock is held here: "card transmit" and "card receive" guard the two directions and are taken in their files.
 */
#include "drivers/xen/netfront.h"

#include "drivers/xen/netfront_card.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/print.h"
#include "lib/string.h"
#include "platform/xen/events.h"

#define DEFAULT_MTU 1500
#define ETHERNET_HEADER 18           /* with a VLAN tag, which a bridge may add */

static void handle_event(uint32_t port, void *context)
{
    struct card *card = context;
    (void)port;
    netfront_transmit_event(card);
    network_device_interrupt(&card->device);
}

/* "00:16:3e:01:02:03" */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++, text += 3) {
        int high = hex_digit(text[0]), low = hex_digit(text[1]);
        if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int read_mac(struct card *card, const char *path)
{
    struct xenbus_node mac = { .name = "mac" };
    int result = xenbus_read_nodes(path, &mac, 1);
    if (result != 0)
        return result;
    return parse_mac(mac.value, card->device.mac) ? 0 : -EPROTO;
}

static struct card *card_of_frontend(struct frontend *frontend) { return container_of(frontend, struct card, frontend); }

static const char *const nodes[] = { "feature-rx-copy", "feature-no-csum-offload", "feature-sg", "feature-gso-tcpv4", NULL };

/* What the backend can do with packets of ours. Receiving by copy is the only way we know. */
static int read_features(struct card *card)
{
    uint64_t feature[array_size(nodes) - 1];
    for (unsigned i = 0; i < array_size(feature); i++)
        feature[i] = xenbus_number(frontend_node(&card->frontend, i), 0);
    /* Packets in several slots, so in several pages (xen/io/netif.h: feature-sg). */
    bool several = feature[2] != 0;
    card->transmitter.slots_per_packet = several ? NET_SLOTS_PER_PACKET : 1;
    card->device.mtu = DEFAULT_MTU;
    card->device.max_mtu = several ? NET_PACKET_MAX - ETHERNET_HEADER : DEFAULT_MTU;
    card->device.checksum_offload = feature[1] == 0;
    card->device.segmentation_offload = card->device.checksum_offload && several && feature[3] != 0;
    return feature[0] != 0 ? 0 : -EOPNOTSUPP;
}

static void link_changed(struct card *card, bool up)
{
    if (card->device.running == up)
        return;
    card->device.running = up;
    if (card->device.link_changed != NULL)
        card->device.link_changed(&card->device);
}

static void disconnected(struct frontend *frontend)
{
    struct card *card = card_of_frontend(frontend);
    if (card->port != 0)
        event_close(card->port);
    card->port = 0;
    netfront_transmit_stop(card);
    netfront_receive_stop(card);
    link_changed(card, false);
}

static int offer(struct frontend *frontend, struct frontend_setting *settings, unsigned *count)
{
    struct card *card = card_of_frontend(frontend);
    int result = read_features(card);
    if (result == 0)
        result = netfront_transmit_offer(card);
    if (result == 0)
        result = netfront_receive_offer(card);
    if (result != 0)
        return result;
    int port = frontend_event_channel(frontend, handle_event, card);
    if (port < 0)
        return port;
    card->port = (uint32_t)port;
    const struct frontend_setting offered[] = {
        { "tx-ring-ref", card->transmitter.ring_page.grant, NULL },
        { "rx-ring-ref", card->receiver.ring_page.grant, NULL },
        { "event-channel", card->port, NULL }, { "request-rx-copy", 1, NULL }, { "feature-rx-notify", 1, NULL },
        { "feature-sg", 1, NULL }, { "feature-gso-tcpv4", 1, NULL },
    };
    _Static_assert(array_size(offered) <= FRONTEND_SETTINGS_MAX, "room for the settings");
    memcpy(settings, offered, sizeof(offered));
    *count = array_size(offered);
    return 0;
}

static int connected(struct frontend *frontend)
{
    struct card *card = card_of_frontend(frontend);
    if (card->was_up)
        log_info("network card %s: connected again", card->device.name);
    card->was_up = true;
    netfront_transmit_start(card);
    netfront_receive_start(card);
    link_changed(card, true);
    handle_event(card->port, card);  /* what came before we were ready for it */
    return 0;
}

static void lost(struct frontend *frontend)
{
    log_error("network card %s: its backend is gone; nothing is sent or received until it is attached again",
              card_of_frontend(frontend)->device.name);
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
    struct card *card = heap_allocate_zeroed(sizeof(*card));
    if (card == NULL)
        return -ENOMEM;
    spinlock_init(&card->transmitter.lock, LOCK_CARD_TRANSMIT);
    spinlock_init(&card->receiver.lock, LOCK_CARD_RECEIVE);
    card->transmitter.dead = card->receiver.dead = true;
    format(card->device.name, sizeof(card->device.name), "eth%lu", (unsigned long)number);
    card->device.transmit = netfront_transmit;
    card->device.flush = netfront_flush;
    card->device.receive_round = netfront_receive_round;
    /* On failure the memory stays: the watch and perhaps the backend refer to it. */
    int result = read_mac(card, path);
    if (result == 0)
        result = frontend_connect(&card->frontend, path, &operations);
    if (result != 0)
        return result;
    network_device_add(&card->device);
    log_info("network card %s: checksum offload %s, segmentation offload %s", card->device.name,
             card->device.checksum_offload ? "yes" : "no", card->device.segmentation_offload ? "yes" : "no");
    return 0;
}
