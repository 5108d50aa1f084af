/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data that came before what precedes it. It waits in runs: each run is a list of packets that touch and do not
 * overlap, the runs are in a tree by sequence, and no two of them touch. So a segment finds its place, and a SACK
 * block its range, in a time that grows with the logarithm of the number of holes, whatever a peer sends.
 *
 * Invariants (net lock): a run is not empty; run->start is its first packet's sequence and run->end its last packet's
 * end; out_of_order_memory is what the packets and the runs are charged with, which received_memory includes. Beyond
 * the limit, what lies furthest ahead is thrown away first, as RFC 2018 8 permits: the peer needs what is near first.
 */
#include "core/heap.h"
#include "lib/string.h"
#include "net/tcp_private.h"

/* Segments of full size hold up to twice their payload; more than that only floods of small ones need. */
#define MEMORY_FACTOR 2u

struct tcp_run {
    struct tree_node node;
    uint32_t start, end; /* [start, end) */
    struct list packets;
};

static struct tcp_run *run_of(struct tree_node *node) { return node ? tree_entry(node, struct tcp_run, node) : NULL; }
static struct packet *packet_at(struct list *node) { return list_entry(node, struct packet, link); }

static bool starts_before(const struct tree_node *a, const struct tree_node *b)
{
    return seq_before(tree_entry(a, struct tcp_run, node)->start, tree_entry(b, struct tcp_run, node)->start);
}

void tcp_out_of_order_init(struct tcp *tcp)
{
    must_hold_net();
    tree_init(&tcp->out_of_order, starts_before);
}

static void charge(struct tcp *tcp, uint32_t memory)
{
    tcp->out_of_order_memory += memory;
    tcp->received_memory += memory;
    tcp_memory_charge(memory);
}

static void uncharge(struct tcp *tcp, uint32_t memory)
{
    tcp->out_of_order_memory -= memory;
    tcp->received_memory -= memory;
    net_uncharge(memory);
}

/* ---- Runs ------------------------------------------------------------------------------------------- */

/* The last run that starts at or before `sequence`, or NULL. */
static struct tcp_run *run_before(const struct tcp *tcp, uint32_t sequence)
{
    struct tcp_run *best = NULL;
    for (struct tree_node *node = tcp->out_of_order.root; node;) {
        struct tcp_run *run = run_of(node);
        bool right = seq_up_to(run->start, sequence);
        best = right ? run : best;
        node = right ? node->right : node->left;
    }
    return best;
}

static struct tcp_run *run_with(const struct tcp *tcp, uint32_t sequence)
{
    struct tcp_run *run = run_before(tcp, sequence);
    return run && seq_before(sequence, run->end) ? run : NULL;
}

static struct tcp_run *add_run(struct tcp *tcp, uint32_t start)
{
    struct tcp_run *run = heap_allocate(sizeof(*run));
    if (!run)
        return NULL;
    run->start = run->end = start;
    list_init(&run->packets);
    tree_insert(&tcp->out_of_order, &run->node);
    charge(tcp, sizeof(*run));
    return run;
}

static void remove_run(struct tcp *tcp, struct tcp_run *run)
{
    tree_remove(&tcp->out_of_order, &run->node);
    heap_free(run);
    uncharge(tcp, sizeof(*run));
}

static void free_packet(struct tcp *tcp, struct packet *packet)
{
    list_remove(&packet->link);
    uncharge(tcp, tcp_piece(packet)->memory);
    packet_free(packet);
}

static void free_run(struct tcp *tcp, struct tcp_run *run)
{
    while (!list_empty(&run->packets))
        free_packet(tcp, packet_at(run->packets.next));
    remove_run(tcp, run);
}

void tcp_out_of_order_clear(struct tcp *tcp)
{
    must_hold_net();
    for (struct tree_node *node; (node = tree_first(&tcp->out_of_order));)
        free_run(tcp, run_of(node));
    tcp->recent_count = 0;
}

/* ---- Putting in ------------------------------------------------------------------------------------- */

/* Makes room for `memory` more by dropping what lies after `sequence`; false: there is none. */
static bool make_room(struct tcp *tcp, uint32_t sequence, uint32_t memory)
{
    uint64_t limit = (uint64_t)MEMORY_FACTOR * tcp->receive_limit;
    while (tcp->out_of_order_memory + (uint64_t)memory > limit) {
        struct tcp_run *last = run_of(tree_last(&tcp->out_of_order));
        if (!last || seq_up_to(tcp_piece(packet_at(last->packets.prev))->sequence, sequence))
            return false;
        last->end = tcp_piece(packet_at(last->packets.prev))->sequence;
        free_packet(tcp, packet_at(last->packets.prev));
        if (list_empty(&last->packets))
            remove_run(tcp, last);
    }
    return true;
}

/* The latest arrival's run comes first in acknowledgements (RFC 2018 4). */
static void note_recent(struct tcp *tcp, uint32_t sequence)
{
    const struct tcp_run *run = run_with(tcp, sequence);
    unsigned count = 1;
    uint32_t recent[TCP_SACK_BLOCKS] = { sequence };
    for (unsigned i = 0; i < tcp->recent_count && count < TCP_SACK_BLOCKS; i++) {
        bool same = run && seq_up_to(run->start, tcp->recent[i]) && seq_before(tcp->recent[i], run->end);
        if (!same)
            recent[count++] = tcp->recent[i];
    }
    memcpy(tcp->recent, recent, sizeof(recent));
    tcp->recent_count = count;
}

/* Cuts off what `run`, which starts at or before the packet, has already; false: that is all of it. */
static bool cut_known(struct packet *packet, const struct tcp_run *run)
{
    struct tcp_piece *piece = tcp_piece(packet);
    if (!run || !seq_before(piece->sequence, run->end))
        return true;
    if (seq_up_to(tcp_piece_end(packet), run->end))
        return false;
    tcp_piece_cut(packet, run->end - piece->sequence);
    return true;
}

/* Frees the runs the packet covers and cuts it off at the next one. That one, if they touch now, or NULL. */
static struct tcp_run *cut_to_next(struct tcp *tcp, struct packet *packet, struct tcp_run *before)
{
    uint32_t end = tcp_piece_end(packet);
    struct tcp_run *next;
    for (;;) {
        next = run_of(before ? tree_next(&before->node) : tree_first(&tcp->out_of_order));
        if (!next || seq_before(end, next->start))
            return NULL;
        if (seq_before(end, next->end))
            break;
        free_run(tcp, next);
    }
    if (seq_before(next->start, end)) {
        tcp_piece(packet)->fin = false;
        packet_trim(packet, next->start - tcp_piece(packet)->sequence);
    }
    return next;
}

static void join(struct tcp *tcp, struct tcp_run *run, struct tcp_run *next)
{
    list_splice_back(&run->packets, &next->packets);
    run->end = next->end;
    remove_run(tcp, next);
}

void tcp_out_of_order_add(struct tcp *tcp, struct packet *packet)
{
    must_hold_net();
    uint32_t memory = packet_memory(packet), sequence = tcp_piece(packet)->sequence;
    if (!make_room(tcp, sequence, memory + (uint32_t)sizeof(struct tcp_run))) {
        packet_free(packet);
        return;
    }
    struct tcp_run *run = run_before(tcp, sequence);
    if (!cut_known(packet, run)) {
        tcp->duplicate = (struct tcp_range){ sequence, sequence + packet->length };
        packet_free(packet);
        note_recent(tcp, sequence);
        return;
    }
    struct tcp_run *next = cut_to_next(tcp, packet, run);
    if (!run || run->end != tcp_piece(packet)->sequence)
        run = add_run(tcp, tcp_piece(packet)->sequence);
    if (!run) {
        packet_free(packet);
        return;
    }
    tcp_piece(packet)->memory = memory;
    charge(tcp, memory);
    list_push_back(&run->packets, &packet->link);
    run->end = tcp_piece_end(packet);
    if (next)
        join(tcp, run, next);
    note_recent(tcp, sequence);
}

/* ---- Taking out ------------------------------------------------------------------------------------- */

struct packet *tcp_out_of_order_take(struct tcp *tcp)
{
    must_hold_net();
    struct tcp_run *run;
    while ((run = run_of(tree_first(&tcp->out_of_order))) && seq_up_to(run->start, tcp->receive_next)) {
        struct packet *packet = packet_at(list_pop_front(&run->packets));
        run->start = tcp_piece_end(packet);
        if (list_empty(&run->packets))
            remove_run(tcp, run);
        tcp->out_of_order_memory -= tcp_piece(packet)->memory;
        if (seq_before(tcp->receive_next, tcp_piece_end(packet))) {
            tcp_piece_cut(packet, tcp->receive_next - tcp_piece(packet)->sequence);
            return packet;
        }
        tcp->received_memory -= tcp_piece(packet)->memory;
        net_uncharge(tcp_piece(packet)->memory);
        packet_free(packet);
    }
    return NULL;
}

bool tcp_out_of_order_oldest(const struct tcp *tcp, uint32_t *since)
{
    must_hold_net();
    const struct tcp_run *run = run_of(tree_first(&tcp->out_of_order));
    if (run)
        *since = tcp_piece(packet_at(run->packets.next))->arrived;
    return run;
}

unsigned tcp_sack_blocks(const struct tcp *tcp, struct tcp_range *out, unsigned limit)
{
    must_hold_net();
    unsigned count = 0;
    for (unsigned i = 0; i < tcp->recent_count && count < limit; i++) {
        const struct tcp_run *run = run_with(tcp, tcp->recent[i]);
        bool told = !run; /* taken in order, or dropped */
        for (unsigned j = 0; j < count && !told; j++)
            told = out[j].start == run->start;
        if (!told)
            out[count++] = (struct tcp_range){ run->start, run->end };
    }
    return count;
}
