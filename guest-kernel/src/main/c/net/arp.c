/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of ARP. What they say about neighbours goes to neighbour.c, which decides what to believe and has the
 * questions asked. One address at a time is probed before it becomes ours (RFC 5227), and ours is defended.
 *
 * Called by ethernet.c (input), neighbour.c (questions), interface.c and, for probes, dhcp.c. Net lock, but
 * arp_probe_met(), which sleeps, is called without it.
 */
#include "net/arp.h"

#include "core/log.h"
#include "lib/string.h"
#include "net/bytes.h"
#include "net/ethernet.h"
#include "net/neighbour.h"
#include "platform/platform.h"
#include "threads/wait.h"

#define DEFEND_INTERVAL (10 * NS_PER_SECOND) /* RFC 5227 1.1 */

#define ARP_REQUEST 1 /* RFC 826 */
#define ARP_REPLY 2
#define ARP_HARDWARE_ETHERNET 1

struct arp_header {
    be16 hardware, protocol;
    uint8_t hardware_length, protocol_length;
    be16 operation;
    uint8_t sender_mac[6];
    be32 sender_address;
    uint8_t target_mac[6];
    be32 target_address;
};

static struct {
    struct interface *interface;
    ipv4_t address; /* IPV4_ANY: nothing is probed */
    bool met;
    struct wait_queue queue;
} probe;

static void send(struct interface *interface, uint16_t operation, ipv4_t sender, const uint8_t *target_mac,
                 ipv4_t target, const uint8_t *to)
{
    struct packet *packet = packet_allocate(sizeof(struct arp_header));
    if (!packet)
        return;
    struct arp_header *arp = packet_put(packet, sizeof(*arp));
    arp->hardware = be16_of(ARP_HARDWARE_ETHERNET);
    arp->protocol = be16_of(ETHERNET_TYPE_IPV4);
    arp->hardware_length = 6;
    arp->protocol_length = 4;
    arp->operation = be16_of(operation);
    memcpy(arp->sender_mac, interface->mac, 6);
    arp->sender_address = be32_of(sender);
    memset(arp->target_mac, 0, 6);
    if (target_mac)
        memcpy(arp->target_mac, target_mac, 6);
    arp->target_address = be32_of(target);
    ethernet_output(interface, packet, to, ETHERNET_TYPE_ARP);
}

void arp_ask(struct interface *interface, ipv4_t address, const uint8_t *alone)
{
    must_hold_net();
    send(interface, ARP_REQUEST, interface->configuration.address, NULL, address, alone ? alone : ethernet_broadcast);
}

void arp_init(void) { wait_queue_init(&probe.queue); }

static bool valid(const struct arp_header *arp)
{
    return be16_get(arp->hardware) == ARP_HARDWARE_ETHERNET && be16_get(arp->protocol) == ETHERNET_TYPE_IPV4 &&
           arp->hardware_length == 6 && arp->protocol_length == 4 && !(arp->sender_mac[0] & 1);
}

/* ---- Conflicts (RFC 5227) ------------------------------------------------------------------------------- */

/* A host that sends from the probed address has it; one that also probes it wants it. */
static void look_for_probed(struct interface *interface, const struct arp_header *arp)
{
    ipv4_t sender = be32_get(arp->sender_address);
    bool probed_too = be16_get(arp->operation) == ARP_REQUEST && sender == IPV4_ANY &&
                      be32_get(arp->target_address) == probe.address;
    if (probe.address == IPV4_ANY || interface != probe.interface || (sender != probe.address && !probed_too))
        return;
    probe.met = true;
    wake(&probe.queue, 0);
}

/* Another host uses our address. Announces ours to the neighbours, but not so often that two defenders fill the
 * network. */
static void defend(struct interface *interface, const uint8_t mac[6])
{
    nanoseconds now = net_now();
    char address[IPV4_TEXT];
    if (interface->defended != 0 && now - interface->defended < DEFEND_INTERVAL)
        return;
    interface->defended = now;
    log_error("another machine, %02x:%02x:%02x:%02x:%02x:%02x, uses our address %s too; give one of the two another",
              mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], ipv4_format(address, interface->configuration.address));
    arp_announce(interface);
}

void arp_probe(struct interface *interface, ipv4_t address)
{
    probe.interface = interface;
    probe.address = address;
    probe.met = false;
    send(interface, ARP_REQUEST, IPV4_ANY, NULL, address, ethernet_broadcast);
}

bool arp_probe_met(nanoseconds deadline)
{
    (void)wait_until(&probe.queue, read_once(probe.met), deadline, SLEEP_UNINTERRUPTIBLE);
    net_lock();
    bool met = probe.met;
    probe.address = IPV4_ANY;
    net_unlock();
    return met;
}

/* ---- Receiving ------------------------------------------------------------------------------------------ */

static void handle(struct interface *interface, const struct arp_header *arp)
{
    ipv4_t own = interface->configuration.address;
    ipv4_t sender = be32_get(arp->sender_address);
    if (memcmp(arp->sender_mac, interface->mac, 6) == 0)
        return; /* a frame of ours that came round */
    look_for_probed(interface, arp);
    if (own == IPV4_ANY)
        return;
    if (sender == own) {
        defend(interface, arp->sender_mac);
        return;
    }
    bool request_for_us = be16_get(arp->operation) == ARP_REQUEST && be32_get(arp->target_address) == own;
    bool on_link = ((sender ^ own) & interface_netmask(interface)) == 0 && sender != IPV4_ANY &&
                   sender != interface_broadcast(interface);
    bool answer = be16_get(arp->operation) == ARP_REPLY && be32_get(arp->target_address) == own;
    /* Only a host that asks for us is entered without having been asked: it is about to talk to us (RFC 826). */
    if (on_link)
        neighbour_heard(interface, ip_of_ipv4(sender), arp->sender_mac, answer, request_for_us);
    if (request_for_us)
        send(interface, ARP_REPLY, own, arp->sender_mac, sender, arp->sender_mac);
}

void arp_input(struct interface *interface, struct packet *packet)
{
    must_hold_net();
    const struct arp_header *arp = packet_pull(packet, sizeof(*arp));
    if (arp && valid(arp))
        handle(interface, arp);
    packet_free(packet);
}

void arp_announce(struct interface *interface)
{
    must_hold_net();
    ipv4_t own = interface->configuration.address;
    send(interface, ARP_REQUEST, own, NULL, own, ethernet_broadcast);
}
