/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was sent and is not acknowledged: the scoreboard of RFC 6675 and the times that RACK (RFC 8985) needs.
 *
 * There is a record for each transmission. All are in tcp->sent, by sequence; they do not overlap and cover
 * [send_unacknowledged, send_next). Besides, a record is in one list or in none:
 *
 *   in flight    tcp->in_flight, by the time it was last sent; its bytes are counted in tcp->flight
 *   lost         tcp->lost, in the order in which it is to be sent again
 *   delivered    the peer has it (RFC 2018), counted in tcp->delivered; neighbours are joined
 *
 * So the cost of an acknowledgement does not grow with what is in flight: each SACK block is found in a time that grows
 * with the logarithm of the number of records, and a record is delivered or lost once for each time it is sent. Blocks
 * count in whole segments from a record's start, or tiny ones would cut records to pieces. The peer's records are
 * charged like what it makes us hold. Net lock.
 */
#include "core/heap.h"
#include "net/tcp_private.h"

static struct tcp_sent *sent_of(struct tree_node *node)
{
    return node ? tree_entry(node, struct tcp_sent, node) : NULL;
}
static struct tcp_sent *at_link(struct list *node) { return list_entry(node, struct tcp_sent, link); }
static uint32_t length_of(const struct tcp_sent *sent) { return sent->end - sent->start; }

static bool starts_before(const struct tree_node *a, const struct tree_node *b)
{
    return seq_before(tree_entry(a, struct tcp_sent, node)->start, tree_entry(b, struct tcp_sent, node)->start);
}

void tcp_sent_init(struct tcp *tcp)
{
    must_hold_net();
    tree_init(&tcp->sent, starts_before);
    list_init(&tcp->in_flight);
    list_init(&tcp->lost);
}

/* ---- Records ------------------------------------------------------------------------------------------ */

struct tcp_sent *tcp_sent_new(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_sent *sent = heap_allocate_zeroed_at(sizeof(*sent), PAGES_NEEDED);
    if (!sent)
        return NULL;
    list_init(&sent->link);
    tcp->send_memory += sizeof(*sent);
    tcp_memory_charge(sizeof(*sent));
    return sent;
}

void tcp_sent_free(struct tcp *tcp, struct tcp_sent *sent)
{
    must_hold_net();
    tcp->send_memory -= sizeof(*sent);
    net_uncharge(sizeof(*sent));
    heap_free(sent);
}

/* Counts `bytes` of a record of this state in, or with a minus out. */
static void count(struct tcp *tcp, enum tcp_sent_state state, uint32_t bytes)
{
    if (state == TCP_SENT_IN_FLIGHT)
        tcp->flight += bytes;
    else if (state == TCP_SENT_DELIVERED)
        tcp->delivered += bytes;
}

static void change(struct tcp *tcp, struct tcp_sent *sent, enum tcp_sent_state state)
{
    list_remove(&sent->link);
    count(tcp, sent->state, -length_of(sent));
    sent->state = state;
    count(tcp, state, length_of(sent));
}

static void drop(struct tcp *tcp, struct tcp_sent *sent)
{
    count(tcp, sent->state, -length_of(sent));
    list_remove(&sent->link);
    tree_remove(&tcp->sent, &sent->node);
    tcp_sent_free(tcp, sent);
}

void tcp_sent_clear(struct tcp *tcp)
{
    must_hold_net();
    for (struct tree_node *node; (node = tree_first(&tcp->sent));)
        drop(tcp, sent_of(node));
}

/* The chunk in which a later sequence number of a record lies. */
static struct tcp_chunk *chunk_from(const struct tcp *tcp, struct tcp_chunk *chunk, uint32_t sequence)
{
    while (chunk && !seq_before(sequence, chunk->sequence + chunk->length))
        chunk = chunk->link.next != &tcp->chunks ? list_entry(chunk->link.next, struct tcp_chunk, link) : NULL;
    return chunk;
}

bool tcp_sent_split(struct tcp *tcp, struct tcp_sent *sent, uint32_t at)
{
    must_hold_net();
    struct tcp_sent *rest = tcp_sent_new(tcp);
    if (!rest)
        return false;
    rest->start = at;
    rest->end = sent->end;
    rest->when = sent->when;
    rest->state = sent->state;
    rest->retransmitted = sent->retransmitted;
    rest->chunk = chunk_from(tcp, sent->chunk, at);
    sent->end = at;
    tree_insert(&tcp->sent, &rest->node);
    if (sent->state != TCP_SENT_DELIVERED)
        list_insert_after(&sent->link, &rest->link);
    return true;
}

/* The first record that ends after `sequence`, or NULL. */
static struct tcp_sent *find(const struct tcp *tcp, uint32_t sequence)
{
    struct tcp_sent *best = NULL;
    for (struct tree_node *node = tcp->sent.root; node;) {
        struct tcp_sent *sent = sent_of(node);
        bool left = seq_before(sequence, sent->end);
        best = left ? sent : best;
        node = left ? node->left : node->right;
    }
    return best;
}

struct tcp_sent *tcp_sent_first(const struct tcp *tcp)
{
    must_hold_net();
    return sent_of(tree_first(&tcp->sent));
}
struct tcp_sent *tcp_sent_last(const struct tcp *tcp)
{
    must_hold_net();
    return sent_of(tree_last(&tcp->sent));
}

struct tcp_sent *tcp_sent_oldest(const struct tcp *tcp)
{
    must_hold_net();
    return list_empty(&tcp->in_flight) ? NULL : at_link(tcp->in_flight.next);
}

struct tcp_sent *tcp_sent_lost(const struct tcp *tcp)
{
    must_hold_net();
    return list_empty(&tcp->lost) ? NULL : at_link(tcp->lost.next);
}

/* ---- Sending ------------------------------------------------------------------------------------------ */

void tcp_sent_add(struct tcp *tcp, struct tcp_sent *sent, nanoseconds now)
{
    must_hold_net();
    sent->when = now;
    sent->state = TCP_SENT_IN_FLIGHT;
    tree_insert(&tcp->sent, &sent->node);
    list_push_back(&tcp->in_flight, &sent->link);
    count(tcp, sent->state, length_of(sent));
}

void tcp_sent_again(struct tcp *tcp, struct tcp_sent *sent, nanoseconds now)
{
    must_hold_net();
    change(tcp, sent, TCP_SENT_IN_FLIGHT);
    sent->when = now;
    sent->retransmitted = true;
    list_push_back(&tcp->in_flight, &sent->link);
}

/* ---- Loss --------------------------------------------------------------------------------------------- */

void tcp_sent_lose(struct tcp *tcp, struct tcp_sent *sent, bool first)
{
    must_hold_net();
    change(tcp, sent, TCP_SENT_LOST);
    list_insert_after(first ? &tcp->lost : tcp->lost.prev, &sent->link);
}

void tcp_sent_lose_all(struct tcp *tcp)
{
    must_hold_net();
    while (!list_empty(&tcp->in_flight))
        tcp_sent_lose(tcp, at_link(tcp->in_flight.next), false);
}

/* What is lost was sent before all that is in flight: it goes back to the front, the oldest first. */
void tcp_sent_lost_nothing(struct tcp *tcp)
{
    must_hold_net();
    while (!list_empty(&tcp->lost)) {
        struct tcp_sent *sent = at_link(tcp->lost.prev);
        change(tcp, sent, TCP_SENT_IN_FLIGHT);
        list_push_front(&tcp->in_flight, &sent->link);
    }
}

/* The peer never had, or threw away, the first bytes of what it seemed to have (RFC 2018 8): they are lost. */
void tcp_sent_disown_first(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_sent *first = tcp_sent_first(tcp);
    if (!first || first->state != TCP_SENT_DELIVERED)
        return;
    if (length_of(first) > tcp->mss)
        (void)tcp_sent_split(tcp, first, first->start + tcp->mss); /* without memory, all of it is sent again */
    tcp_sent_lose(tcp, first, true);
}

/* ---- Delivery ----------------------------------------------------------------------------------------- */

/* Joins a delivered record with the delivered ones that it touches; returns what became of it. */
static struct tcp_sent *join(struct tcp *tcp, struct tcp_sent *sent)
{
    struct tcp_sent *next = sent_of(tree_next(&sent->node)), *previous = sent_of(tree_previous(&sent->node));
    if (next && next->state == TCP_SENT_DELIVERED) {
        tcp->delivered += length_of(next);
        sent->end = next->end;
        drop(tcp, next);
    }
    if (!previous || previous->state != TCP_SENT_DELIVERED)
        return sent;
    tcp->delivered += length_of(sent);
    previous->end = sent->end;
    drop(tcp, sent);
    return previous;
}

/* Cuts a record to the whole segments of it that lie in the range; NULL: there are none, or no memory. */
static struct tcp_sent *cut_to_range(struct tcp *tcp, struct tcp_sent *sent, const struct tcp_range *range)
{
    if (seq_before(sent->start, range->start)) {
        uint32_t skip = (range->start - sent->start + tcp->mss - 1) / tcp->mss * tcp->mss;
        if (skip >= length_of(sent) || !tcp_sent_split(tcp, sent, sent->start + skip))
            return NULL;
        sent = sent_of(tree_next(&sent->node));
    }
    if (!seq_before(range->end, sent->end))
        return sent;
    if (seq_up_to(range->end, sent->start))
        return NULL;
    uint32_t whole = (range->end - sent->start) / tcp->mss * tcp->mss;
    return whole > 0 && tcp_sent_split(tcp, sent, sent->start + whole) ? sent : NULL;
}

void tcp_sent_deliver(struct tcp *tcp, const struct tcp_range *range, struct tcp_delivery *delivery)
{
    must_hold_net();
    struct tcp_sent *next;
    for (struct tcp_sent *sent = find(tcp, range->start); sent && seq_before(sent->start, range->end); sent = next) {
        next = sent_of(tree_next(&sent->node));
        if (sent->state == TCP_SENT_DELIVERED)
            continue;
        sent = cut_to_range(tcp, sent, range);
        if (!sent)
            continue;
        tcp_rack_delivered(tcp, sent, sent->end, delivery);
        change(tcp, sent, TCP_SENT_DELIVERED);
        next = sent_of(tree_next(&join(tcp, sent)->node));
    }
}

void tcp_sent_deliver_any(struct tcp *tcp, struct tcp_delivery *delivery)
{
    must_hold_net();
    const struct tcp_sent *first = tcp_sent_first(tcp);
    list_for_each (node, &tcp->in_flight) {
        struct tcp_sent *sent = at_link(node);
        uint32_t skip = sent == first ? tcp->mss : 0;
        if (skip >= length_of(sent))
            continue;
        uint32_t start = sent->start + skip;
        tcp_sent_deliver(tcp, &(struct tcp_range){ start, seq_min(start + tcp->mss, sent->end) }, delivery);
        return;
    }
}

/* The first `count` sequence numbers of a record are acknowledged, and not the rest. */
static void cut_front(struct tcp *tcp, struct tcp_sent *sent, uint32_t cut)
{
    count(tcp, sent->state, -cut);
    sent->start += cut;
    sent->chunk = chunk_from(tcp, sent->chunk, sent->start);
}

void tcp_sent_acknowledged(struct tcp *tcp, uint32_t up_to, struct tcp_delivery *delivery)
{
    must_hold_net();
    struct tcp_sent *first;
    while ((first = tcp_sent_first(tcp)) && seq_before(first->start, up_to)) {
        uint32_t end = seq_min(first->end, up_to);
        if (first->state != TCP_SENT_DELIVERED)
            tcp_rack_delivered(tcp, first, end, delivery);
        if (seq_before(end, first->end))
            cut_front(tcp, first, end - first->start);
        else
            drop(tcp, first);
    }
}
