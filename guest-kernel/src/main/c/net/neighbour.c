/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of neighbours. An entry is asked for, known, or known and asked for again because what is known is old or
 * another host disputes it. Only one that is not known yet has packets that wait. While any is asked for, one timer
 * repeats all questions once a second; after TRIES an entry is given up, and the senders of its packets get an error.
 *
 * There are at most NEIGHBOURS entries, and pending_total, the sum of all pending_count, is at most PENDING_TOTAL.
 * believed() decides which claims count: no host takes over an address whose owner answers.
 *
 * Called by arp.c, nd.c, ip_output.c, ip6_output.c, interface.c, rtnetlink.c and net.c. Net lock; the timer's callback
 * takes it.
 */
#include "net/neighbour.h"

#include "core/heap.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/arp.h"
#include "net/ethernet.h"
#include "net/icmp.h"
#include "net/icmp6.h"
#include "net/nd.h"
#include "threads/timer.h"

#define BUCKETS 16
#define NEIGHBOURS 256             /* known at once; the least useful one is dropped first */
#define PENDING 16                 /* packets that wait for one answer */
#define PENDING_TOTAL 256          /* and for all of them */
#define TRIES 3                    /* also MAX_MULTICAST_SOLICIT of RFC 4861 10 */
#define RETRY NS_PER_SECOND        /* RFC 1122 2.3.2.1: at most one request a second; RETRANS_TIMER of RFC 4861 10 */
#define FRESH (60 * NS_PER_SECOND) /* RFC 1122 2.3.2.1: a timeout on the order of a minute */
#define LOCKED NS_PER_SECOND       /* after an answer no other claim is looked into; Linux's locktime */

struct neighbour {
    struct list link; /* bucket */
    struct interface *interface;
    struct ip_address address;
    uint8_t mac[6];
    bool known;  /* mac is valid */
    bool asking; /* requests are being sent */
    unsigned tries;
    nanoseconds confirmed;
    nanoseconds used; /* when something was last sent there; 0: never */
    struct list pending;
    unsigned pending_count;
};

static struct list buckets[BUCKETS];
static unsigned entries;
static unsigned pending_total;
static struct timer retry_timer;

static struct list *bucket_of(struct ip_address address)
{
    return &buckets[hash_mix(address.high ^ address.low) % BUCKETS];
}

static struct neighbour *find(struct interface *interface, struct ip_address address)
{
    list_for_each (node, bucket_of(address)) {
        struct neighbour *n = list_entry(node, struct neighbour, link);
        if (ip_same(n->address, address) && n->interface == interface)
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
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_for_each (node, &buckets[i]) {
            struct neighbour *n = list_entry(node, struct neighbour, link);
            if (!least || less_useful(n, least))
                least = n;
        }
    }
    forget(least);
}

static struct neighbour *create(struct interface *interface, struct ip_address address)
{
    if (entries == NEIGHBOURS)
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

/* A known neighbour is asked alone first: only if it does not answer may another one have the address (RFC 1122
 * 2.3.2.1). */
static void ask(struct neighbour *n)
{
    n->asking = true;
    n->tries++;
    bool alone = n->known && n->tries == 1;
    if (ip_is_ipv4(n->address))
        arp_ask(n->interface, ipv4_of(n->address), alone ? n->mac : NULL);
    else
        nd_ask(n->interface, n->address, alone);
    if (!retry_timer.active)
        timer_start(&retry_timer, net_now() + RETRY);
}

static void give_up(struct neighbour *n)
{
    pending_total -= n->pending_count;
    n->pending_count = 0;
    for (struct list *node; (node = list_pop_front(&n->pending));) {
        struct packet *packet = list_entry(node, struct packet, link);
        if (ip_is_ipv4(n->address))
            icmp_local_unreachable(packet);
        else
            icmp6_local_unreachable(packet);
        packet_free(packet);
    }
    forget(n);
}

static void retry(struct timer *timer)
{
    bool more = false;
    net_lock();
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_for_each_safe (node, &buckets[i]) {
            struct neighbour *n = list_entry(node, struct neighbour, link);
            if (!n->asking)
                continue;
            if (n->tries >= TRIES) {
                give_up(n);
                continue;
            }
            ask(n);
            more = true;
        }
    }
    if (more)
        timer_start(timer, net_now() + RETRY);
    net_unlock();
}

void neighbour_for_each(bool (*visit)(const struct neighbour_entry *entry, void *context), void *context)
{
    must_hold_net();
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_for_each (node, &buckets[i]) {
            const struct neighbour *n = list_entry(node, struct neighbour, link);
            struct neighbour_entry entry = { n->interface, n->address, n->known ? n->mac : NULL };
            if (!visit(&entry, context))
                return;
        }
    }
}

void neighbour_init(void)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&buckets[i]);
    timer_init(&retry_timer, retry);
}

static void transmit(const struct neighbour *n, struct packet *packet)
{
    ethernet_output(n->interface, packet, n->mac, ip_is_ipv4(n->address) ? ETHERNET_TYPE_IPV4 : ETHERNET_TYPE_IPV6);
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
        transmit(n, list_entry(node, struct packet, link));
    n->pending_count = 0;
}

/*
 * What a packet says about a neighbour is believed when it changes nothing, or answers a question that went to all. Any
 * other claim makes us ask the known owner, and then, if it is silent for a second, all hosts: so an address that moves
 * to another machine is followed, and one that another machine claims as well stays with its owner.
 */
static bool believed(const struct neighbour *n, const uint8_t mac[6], bool answer)
{
    return !n->known || memcmp(n->mac, mac, 6) == 0 || (n->asking && n->tries > 1 && answer);
}

void neighbour_heard(struct interface *interface, struct ip_address address, const uint8_t mac[6], bool answer,
                     bool new)
{
    must_hold_net();
    struct neighbour *n = find(interface, address);
    if (!n && new)
        n = create(interface, address);
    if (!n)
        return;
    if (believed(n, mac, answer))
        learn(n, mac);
    else if (!n->asking && net_now() - n->confirmed >= LOCKED)
        ask(n);
}

bool neighbour_may_be_there(struct interface *interface, struct ip_address address)
{
    must_hold_net();
    const struct neighbour *n = find(interface, address);
    return !n || !n->asking || n->tries <= 1;
}

static void wait_for_answer(struct neighbour *n, struct packet *packet)
{
    if (n->pending_count == PENDING || (pending_total == PENDING_TOTAL && n->pending_count > 0)) {
        packet_free(list_entry(list_pop_front(&n->pending), struct packet, link));
        n->pending_count--;
        pending_total--;
    }
    if (pending_total == PENDING_TOTAL) {
        packet_free(packet); /* the question is asked all the same: what is sent next may find the answer */
    } else {
        list_push_back(&n->pending, &packet->link);
        n->pending_count++;
        pending_total++;
    }
    if (!n->asking)
        ask(n);
}

void neighbour_output(struct interface *interface, struct packet *packet, struct ip_address address)
{
    must_hold_net();
    struct neighbour *n = find(interface, address);
    if (!n)
        n = create(interface, address);
    if (!n) {
        packet_free(packet);
        return;
    }
    n->used = net_now();
    if (!n->known) {
        wait_for_answer(n, packet);
        return;
    }
    if (!n->asking && n->used - n->confirmed > FRESH)
        ask(n);
    transmit(n, packet);
}

bool neighbour_anything_waiting(void)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        list_for_each (node, &buckets[i])
            if (list_entry(node, struct neighbour, link)->pending_count > 0)
                return true;
    return false;
}

void neighbour_forget(struct interface *interface, bool ipv4)
{
    must_hold_net();
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_for_each_safe (node, &buckets[i]) {
            struct neighbour *n = list_entry(node, struct neighbour, link);
            if (n->interface == interface && ip_is_ipv4(n->address) == ipv4)
                forget(n);
        }
    }
}
