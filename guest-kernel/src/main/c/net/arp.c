/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of neighbours. An entry is asked for, known, or known and asked for again because what is known is old or
 * another host disputes it. Only one that is not known yet has packets that wait. While any is asked for, one timer
 * repeats all questions once a second; after ARP_TRIES an entry is given up, and the senders of its packets get an
 * error.
 *
 * There are at most ARP_ENTRIES entries, and pending_total, the sum of all pending_count, is at most ARP_PENDING_TOTAL.
 * believed() decides which claims count: no host takes over an address whose owner answers. One address at a time is
 * probed (RFC 5227).
 *
 * Called by ethernet.c (input), ip_output.c, interface.c, rtnetlink.c, net.c and, for probes, dhcp.c. Net lock; the
 * timer's callback takes it, and arp_probe_met(), which sleeps, is called without it.
 */
#include "net/arp.h"

#include "core/heap.h"
#include "core/log.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/bytes.h"
#include "net/ethernet.h"
#include "net/icmp.h"
#include "net/ip.h"
#include "platform/platform.h"
#include "threads/timer.h"
#include "threads/wait.h"

#define ARP_BUCKETS 16
#define ARP_ENTRIES 256       /* neighbours known at once; the least useful one is dropped first */
#define ARP_PENDING 16        /* packets that wait for one answer */
#define ARP_PENDING_TOTAL 256 /* and for all of them */
#define ARP_TRIES 3
#define ARP_RETRY NS_PER_SECOND        /* RFC 1122 2.3.2.1: at most one request a second */
#define ARP_FRESH (60 * NS_PER_SECOND) /* RFC 1122 2.3.2.1: a timeout on the order of a minute */

#define ARP_LOCK NS_PER_SECOND /* after an answer no other claim is looked into; Linux's locktime */

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

struct neighbour {
    struct list link; /* bucket */
    struct interface *interface;
    ipv4_t address;
    uint8_t mac[6];
    bool known;  /* mac is valid */
    bool asking; /* requests are being sent */
    unsigned tries;
    nanoseconds confirmed;
    nanoseconds used; /* when something was last sent there; 0: never */
    struct list pending;
    unsigned pending_count;
};

static struct list buckets[ARP_BUCKETS];
static unsigned entries;
static unsigned pending_total;
static struct timer retry_timer;

static struct {
    struct interface *interface;
    ipv4_t address; /* IPV4_ANY: nothing is probed */
    bool met;
    struct wait_queue queue;
} probe;

static struct list *bucket_of(ipv4_t address) { return &buckets[hash_mix(address) % ARP_BUCKETS]; }

static struct neighbour *find(struct interface *interface, ipv4_t address)
{
    list_for_each (node, bucket_of(address)) {
        struct neighbour *n = list_entry(node, struct neighbour, link);
        if (n->address == address && n->interface == interface)
            return n;
    }
    return NULL;
}

static void forget(struct neighbour *n)
{
    list_remove(&n->link);
    pending_total -= n->pending_count;
    packet_free_all(&n->pending);
    heap_free(n);
    entries--;
}

/* A neighbour that never answered, or was never sent anything, is less useful than the others, so floods of made-up
 * addresses do not push out the gateway. */
static bool less_useful(const struct neighbour *a, const struct neighbour *b)
{
    nanoseconds used_a = a->known ? a->used : 0, used_b = b->known ? b->used : 0;
    return used_a != used_b ? used_a < used_b : a->confirmed < b->confirmed;
}

static void forget_least_useful(void)
{
    struct neighbour *least = NULL;
    for (unsigned i = 0; i < ARP_BUCKETS; i++) {
        list_for_each (node, &buckets[i]) {
            struct neighbour *n = list_entry(node, struct neighbour, link);
            if (!least || less_useful(n, least))
                least = n;
        }
    }
    forget(least);
}

static struct neighbour *create(struct interface *interface, ipv4_t address)
{
    if (entries == ARP_ENTRIES)
        forget_least_useful();
    struct neighbour *n = heap_allocate_zeroed_at(sizeof(*n), PAGES_RESERVED);
    if (!n)
        return NULL;
    n->interface = interface;
    n->address = address;
    n->confirmed = net_now();
    list_init(&n->pending);
    list_push_front(bucket_of(address), &n->link);
    entries++;
    return n;
}

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

/* A known neighbour is asked alone first: only if it does not answer may another one have the address (RFC 1122
 * 2.3.2.1). */
static void ask(struct neighbour *n)
{
    n->asking = true;
    n->tries++;
    bool alone = n->known && n->tries == 1;
    send(n->interface, ARP_REQUEST, n->interface->configuration.address, NULL, n->address,
         alone ? n->mac : ethernet_broadcast);
    if (!retry_timer.active)
        timer_start(&retry_timer, net_now() + ARP_RETRY);
}

static void give_up(struct neighbour *n)
{
    pending_total -= n->pending_count;
    n->pending_count = 0;
    for (struct list *node; (node = list_pop_front(&n->pending));) {
        struct packet *packet = list_entry(node, struct packet, link);
        icmp_local_unreachable(packet);
        packet_free(packet);
    }
    forget(n);
}

static void retry(struct timer *timer)
{
    bool more = false;
    net_lock();
    for (unsigned i = 0; i < ARP_BUCKETS; i++) {
        list_for_each_safe (node, &buckets[i]) {
            struct neighbour *n = list_entry(node, struct neighbour, link);
            if (!n->asking)
                continue;
            if (n->tries >= ARP_TRIES) {
                give_up(n);
                continue;
            }
            ask(n);
            more = true;
        }
    }
    if (more)
        timer_start(timer, net_now() + ARP_RETRY);
    net_unlock();
}

void arp_for_each(bool (*visit)(const struct arp_entry *entry, void *context), void *context)
{
    must_hold_net();
    for (unsigned i = 0; i < ARP_BUCKETS; i++) {
        list_for_each (node, &buckets[i]) {
            const struct neighbour *n = list_entry(node, struct neighbour, link);
            struct arp_entry entry = { n->interface, n->address, n->known ? n->mac : NULL };
            if (!visit(&entry, context))
                return;
        }
    }
}

void arp_init(void)
{
    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        list_init(&buckets[i]);
    timer_init(&retry_timer, retry);
    wait_queue_init(&probe.queue);
}

static void learn(struct neighbour *n, const uint8_t mac[6])
{
    memcpy(n->mac, mac, 6);
    n->known = true;
    n->asking = false;
    n->tries = 0;
    n->confirmed = net_now();
    pending_total -= n->pending_count;
    for (struct list *node; (node = list_pop_front(&n->pending));)
        ethernet_output(n->interface, list_entry(node, struct packet, link), n->mac, ETHERNET_TYPE_IPV4);
    n->pending_count = 0;
}

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

/*
 * What a packet says about a neighbour is believed when it changes nothing, or answers a question that went to all. Any
 * other claim makes us ask the known owner, and then, if it is silent for a second, all hosts: so an address that moves
 * to another machine is followed, and one that another machine claims as well stays with its owner.
 */
static bool believed(const struct neighbour *n, const struct arp_header *arp)
{
    bool answer = be16_get(arp->operation) == ARP_REPLY &&
                  be32_get(arp->target_address) == n->interface->configuration.address;
    return !n->known || memcmp(n->mac, arp->sender_mac, 6) == 0 || (n->asking && n->tries > 1 && answer);
}

static void hear(struct neighbour *n, const struct arp_header *arp)
{
    if (believed(n, arp))
        learn(n, arp->sender_mac);
    else if (!n->asking && net_now() - n->confirmed >= ARP_LOCK)
        ask(n);
}

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
    /* Only a host that asks for us is entered without having been asked: it is about to talk to us (RFC 826). */
    struct neighbour *n = on_link ? find(interface, sender) : NULL;
    if (!n && on_link && request_for_us)
        n = create(interface, sender);
    if (n)
        hear(n, arp);
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

static void wait_for_answer(struct neighbour *n, struct packet *packet)
{
    if (n->pending_count == ARP_PENDING || (pending_total == ARP_PENDING_TOTAL && n->pending_count > 0)) {
        packet_free(list_entry(list_pop_front(&n->pending), struct packet, link));
        n->pending_count--;
        pending_total--;
    }
    if (pending_total == ARP_PENDING_TOTAL) {
        packet_free(packet); /* the question is asked all the same: what is sent next may find the answer */
    } else {
        list_push_back(&n->pending, &packet->link);
        n->pending_count++;
        pending_total++;
    }
    if (!n->asking)
        ask(n);
}

void arp_output(struct interface *interface, struct packet *packet, ipv4_t neighbour)
{
    must_hold_net();
    struct neighbour *n = find(interface, neighbour);
    if (!n)
        n = create(interface, neighbour);
    if (!n) {
        packet_free(packet);
        return;
    }
    n->used = net_now();
    if (!n->known) {
        wait_for_answer(n, packet);
        return;
    }
    if (!n->asking && n->used - n->confirmed > ARP_FRESH)
        ask(n);
    ethernet_output(interface, packet, n->mac, ETHERNET_TYPE_IPV4);
}

bool arp_anything_waiting(void)
{
    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        list_for_each (node, &buckets[i])
            if (list_entry(node, struct neighbour, link)->pending_count > 0)
                return true;
    return false;
}

void arp_announce(struct interface *interface)
{
    must_hold_net();
    ipv4_t own = interface->configuration.address;
    send(interface, ARP_REQUEST, own, NULL, own, ethernet_broadcast);
}

void arp_forget(struct interface *interface)
{
    must_hold_net();
    for (unsigned i = 0; i < ARP_BUCKETS; i++) {
        list_for_each_safe (node, &buckets[i]) {
            struct neighbour *n = list_entry(node, struct neighbour, link);
            if (n->interface == interface)
                forget(n);
        }
    }
}
