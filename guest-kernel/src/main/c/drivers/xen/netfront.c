#include "drivers/xen/netfront.h"

#include "drivers/xen/netfront_card.h"
#include "lib/errno.h"
#include "lib/heap.h"
#include "lib/print.h"
#include "lib/string.h"

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

static int read_mac(struct card *card)
{
    struct xenbus_node mac = { .name = "mac" };
    int result = xenbus_read_nodes(card->frontend.path, &mac, 1);
    if (result != 0)
        return result;
    return parse_mac(mac.value, card->device.mac) ? 0 : -EPROTO;
}

/* What the backend can do with packets of ours. Receiving by copy is the only way we know. */
static int read_features(struct card *card)
{
    struct xenbus_node nodes[] = { { .name = "feature-rx-copy" }, { .name = "feature-no-csum-offload" },
                                   { .name = "feature-sg" }, { .name = "feature-gso-tcpv4" } };
    int result = xenbus_read_nodes(card->frontend.backend, nodes, array_size(nodes));
    if (result != 0)
        return result;
    /* Packets in several slots, so in several pages (xen/io/netif.h: feature-sg). */
    bool several = xenbus_number(&nodes[2], 0) != 0;
    card->transmitter.slots_per_packet = several ? NET_SLOTS_PER_PACKET : 1;
    card->device.mtu = DEFAULT_MTU;
    card->device.max_mtu = several ? NET_PACKET_MAX - ETHERNET_HEADER : DEFAULT_MTU;
    card->device.checksum_offload = xenbus_number(&nodes[1], 0) == 0;
    card->device.segmentation_offload = card->device.checksum_offload && several && xenbus_number(&nodes[3], 0) != 0;
    return xenbus_number(&nodes[0], 0) != 0 ? 0 : -EOPNOTSUPP;
}

static int offer_rings(struct card *card)
{
    struct frontend *frontend = &card->frontend;
    void *transmit_page, *receive_page;
    grant_reference transmit_ring = frontend_share_page(frontend, &transmit_page);
    grant_reference receive_ring = frontend_share_page(frontend, &receive_page);
    if (transmit_ring == GRANT_NONE || receive_ring == GRANT_NONE)
        return -ENOMEM;
    netfront_transmit_init(card, transmit_page);
    int result = netfront_receive_init(card, receive_page);
    if (result != 0)
        return result;
    int port = frontend_event_channel(frontend, handle_event, card);
    if (port < 0)
        return port;
    card->port = (uint32_t)port;
    const struct frontend_setting settings[] = {
        { "tx-ring-ref", transmit_ring, NULL }, { "rx-ring-ref", receive_ring, NULL },
        { "event-channel", card->port, NULL }, { "request-rx-copy", 1, NULL }, { "feature-rx-notify", 1, NULL },
        { "feature-sg", 1, NULL }, { "feature-gso-tcpv4", 1, NULL },
    };
    return frontend_offer(frontend, settings, array_size(settings), STATE_CONNECTED);
}

static int connect(struct card *card, const char *path)
{
    int result = frontend_open(&card->frontend, path);
    if (result == 0)
        result = read_mac(card);
    if (result == 0)
        result = frontend_reset(&card->frontend);
    if (result == 0)
        result = read_features(card);
    if (result == 0)
        result = offer_rings(card);
    return result != 0 ? result : frontend_wait(&card->frontend, 1u << STATE_CONNECTED);
}

int netfront_start(const char *path, uint64_t number)
{
    struct card *card = heap_allocate_zeroed(sizeof(*card));
    if (card == NULL)
        return -ENOMEM;
    format(card->device.name, sizeof(card->device.name), "eth%lu", (unsigned long)number);
    card->device.transmit = netfront_transmit;
    card->device.flush = netfront_flush;
    card->device.receive_round = netfront_receive_round;
    /* On failure the memory stays: the watch and perhaps the backend refer to it. */
    int result = connect(card, path);
    if (result != 0)
        return result;
    network_device_add(&card->device);
    log_info("network card %s: checksum offload %s, segmentation offload %s", card->device.name,
             card->device.checksum_offload ? "yes" : "no", card->device.segmentation_offload ? "yes" : "no");
    return 0;
}
