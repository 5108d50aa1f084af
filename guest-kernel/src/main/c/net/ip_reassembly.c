/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reassembly of fragmented datagrams (RFC 791, RFC 815 idea; overlaps are refused as RFC 5722 does for
 * IPv6, since only attackers make them).
 */
#include "core/heap.h"
#include "lib/string.h"
#include "net/counters.h"
#include "net/ip.h"
#include "platform/platform.h"
#include "threads/timer.h"

/* RFC 1122 3.3.2 asks for a fixed one of 60..120 s; 30 s is what today's hosts use against floods. */
#define REASSEMBLY_TIMEOUT (30 * NS_PER_SECOND)
#define REASSEMBLY_DATAGRAMS 32 /* in progress at once; the oldest one of the sender that has most is dropped first */
#define REASSEMBLY_SHARE 16     /* one part in this many of the network's memory */
#define REASSEMBLY_FRAGMENTS 64 /* of one datagram: 64 KiB in pieces of 1 KiB */

struct piece {
    uint32_t start, length; /* of the datagram's payload; in packet->layer */
};
/* A host with datagrams in progress, of which there are at most as many. */
struct sender {
    struct ip_address address;
    unsigned datagrams; /* 0: this place is free */
    uint64_t held;      /* bytes, by all of them */
};
struct datagram {
    struct list link; /* by age, oldest first */
    struct sender *sender;
    struct ip_address destination;
    uint32_t identification;
    uint8_t protocol;
    nanoseconds deadline;
    struct list pieces; /* packets, by start */
    unsigned count;
    uint32_t have;  /* bytes collected */
    uint32_t total; /* bytes in all; 0 until the last fragment came */
    uint64_t charged;
};

static struct sender senders[REASSEMBLY_DATAGRAMS];
static struct list datagrams = LIST_INIT(datagrams);
static unsigned datagram_count;
static uint64_t memory_held;
static struct timer expiry;

static struct piece *piece_of(struct packet *packet) { return (struct piece *)packet->layer; }

static bool is_ipv6(const struct datagram *d) { return !ip_is_ipv4(d->destination); }

static void forget(struct datagram *d)
{
    list_remove(&d->link);
    packet_free_all(&d->pieces);
    net_uncharge(d->charged);
    memory_held -= d->charged;
    d->sender->held -= d->charged + sizeof(*d);
    d->sender->datagrams--;
    heap_free(d);
    datagram_count--;
}

/* Without its packet having become whole. */
static void drop(struct datagram *d)
{
    net_count(is_ipv6(d), IP_REASSEMBLY_FAILED);
    forget(d);
}

static void expire(struct timer *timer)
{
    net_lock();
    nanoseconds now = net_now();
    list_for_each_safe (node, &datagrams) {
        struct datagram *d = list_entry(node, struct datagram, link);
        if (d->deadline > now) {
            timer_start(timer, d->deadline);
            break;
        }
        net_count(is_ipv6(d), IP_REASSEMBLY_TIMEOUT);
        drop(d);
    }
    net_unlock();
}

void ip_reassembly_init(void) { timer_init(&expiry, expire); }

void ip_reassembly_usage(bool of_ipv6, unsigned *count, uint64_t *memory)
{
    must_hold_net();
    list_for_each (node, &datagrams) {
        const struct datagram *d = list_entry(node, struct datagram, link);
        if (is_ipv6(d) != of_ipv6)
            continue;
        ++*count;
        *memory += d->charged;
    }
}

static struct datagram *find(const struct ip_info *info, uint32_t identification)
{
    list_for_each (node, &datagrams) {
        struct datagram *d = list_entry(node, struct datagram, link);
        if (d->identification == identification && d->protocol == info->protocol &&
            ip_same(d->sender->address, info->source) && ip_same(d->destination, info->destination))
            return d;
    }
    return NULL;
}

/* There is one, since there are fewer datagrams than places. */
static struct sender *sender_of(struct ip_address address)
{
    struct sender *vacant = NULL;
    for (unsigned i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        if (senders[i].datagrams == 0)
            vacant = &senders[i];
        else if (ip_same(senders[i].address, address))
            return &senders[i];
    }
    *vacant = (struct sender){ .address = address };
    return vacant;
}

/* A host that sends only first fragments pushes out its own, oldest first. */
static void forget_one_of_the_greediest(void)
{
    const struct sender *greediest = &senders[0];
    for (unsigned i = 1; i < REASSEMBLY_DATAGRAMS; i++)
        if (senders[i].held > greediest->held)
            greediest = &senders[i];
    list_for_each (node, &datagrams) {
        struct datagram *d = list_entry(node, struct datagram, link);
        if (d->sender == greediest) {
            drop(d);
            return;
        }
    }
}

static struct datagram *create(const struct ip_info *info, uint32_t identification)
{
    if (datagram_count == REASSEMBLY_DATAGRAMS)
        forget_one_of_the_greediest();
    if (net_memory() == NET_MEMORY_FULL)
        return NULL;
    struct datagram *d = heap_allocate_zeroed_at(sizeof(*d), PAGES_NEEDED);
    if (!d)
        return NULL;
    d->sender = sender_of(info->source);
    d->sender->datagrams++;
    d->sender->held += sizeof(*d);
    d->destination = info->destination;
    d->protocol = info->protocol;
    d->identification = identification;
    d->deadline = net_now() + REASSEMBLY_TIMEOUT;
    list_init(&d->pieces);
    list_push_back(&datagrams, &d->link);
    datagram_count++;
    if (!expiry.active)
        timer_start(&expiry, d->deadline);
    return d;
}

enum placement { PLACED, DUPLICATE, IMPOSSIBLE };

/* Finds the place of the piece among its neighbours and links it in. */
static enum placement place(struct datagram *d, struct packet *packet)
{
    struct piece *new = piece_of(packet);
    struct list *before = d->pieces.prev;
    while (before != &d->pieces && piece_of(list_entry(before, struct packet, link))->start > new->start)
        before = before->prev;
    if (before != &d->pieces) {
        struct piece *previous = piece_of(list_entry(before, struct packet, link));
        if (previous->start == new->start && previous->length == new->length)
            return DUPLICATE;
        if (previous->start + previous->length > new->start)
            return IMPOSSIBLE;
    }
    if (before->next != &d->pieces) {
        struct piece *following = piece_of(list_entry(before->next, struct packet, link));
        if (new->start + new->length > following->start)
            return IMPOSSIBLE;
    }
    list_insert_after(before, &packet->link);
    d->count++;
    d->have += new->length;
    d->charged += packet_memory(packet);
    d->sender->held += packet_memory(packet);
    memory_held += packet_memory(packet);
    net_charge(packet_memory(packet));
    return PLACED;
}

/* The last fragment says how long the datagram is; nothing may lie after it. */
static bool note_end(struct datagram *d, uint32_t end)
{
    if (d->total != 0 && d->total != end)
        return false;
    if (!list_empty(&d->pieces)) {
        struct piece *last = piece_of(list_entry(d->pieces.prev, struct packet, link));
        if (last->start + last->length > end)
            return false;
    }
    d->total = end;
    return true;
}

static struct packet *join(struct datagram *d)
{
    struct packet *whole = packet_allocate(d->total);
    if (whole) {
        list_for_each (node, &d->pieces) {
            struct packet *packet = list_entry(node, struct packet, link);
            packet_copy_out(packet, 0, packet_put(whole, packet->length), packet->length);
        }
    }
    net_count(is_ipv6(d), whole ? IP_REASSEMBLED : IP_REASSEMBLY_FAILED);
    forget(d);
    return whole;
}

struct packet *ip_reassemble(const struct ip_info *info, struct packet *packet, uint32_t identification,
                             uint16_t fragment)
{
    bool more = fragment & IP_MORE_FRAGMENTS;
    uint32_t start = (fragment & IP_OFFSET_MASK) * 8u;
    uint32_t end = start + packet->length;
    bool ipv6 = !ip_is_ipv4(info->destination);
    net_count(ipv6, IP_REASSEMBLY_REQUIRED);
    while (memory_held > net_memory_budget() / REASSEMBLY_SHARE)
        forget_one_of_the_greediest();
    bool possible = packet->length > 0 && end + IP_HEADER_LENGTH <= IP_MAXIMUM_LENGTH &&
                    (!more || packet->length % 8 == 0);
    struct datagram *d = possible ? find(info, identification) : NULL;
    if (!d && possible)
        d = create(info, identification);
    if (!d) {
        net_count(ipv6, IP_REASSEMBLY_FAILED);
        packet_free(packet);
        return NULL;
    }
    *piece_of(packet) = (struct piece){ .start = start, .length = packet->length };
    if ((!more && !note_end(d, end)) || (d->total != 0 && end > d->total) || d->count == REASSEMBLY_FRAGMENTS) {
        packet_free(packet);
        drop(d);
        return NULL;
    }
    switch (place(d, packet)) {
    case PLACED:
        break;
    case IMPOSSIBLE:
        drop(d);
        packet_free(packet);
        return NULL;
    case DUPLICATE:
        packet_free(packet);
        return NULL;
    }
    return d->total != 0 && d->have == d->total ? join(d) : NULL;
}
