#include "lib/heap.h"
#include "lib/string.h"
#include "net/tcp_private.h"

#define DUPLICATE_THRESHOLD 3u       /* RFC 6675 2, DupThresh */

static void remove_ranges(struct tcp_scoreboard *board, unsigned from, unsigned count)
{
    board->count -= count;
    memmove(board->ranges + from, board->ranges + from + count, (board->count - from) * sizeof(board->ranges[0]));
}

/* Adds a range, merging it with those it touches. True if it told anything new. */
static bool add_range(struct tcp_scoreboard *board, struct tcp_range new)
{
    unsigned at = 0;
    while (at < board->count && seq_before(board->ranges[at].end, new.start))
        at++;
    unsigned last = at;               /* [at, last) touch the new range */
    while (last < board->count && seq_up_to(board->ranges[last].start, new.end))
        last++;
    if (last - at == 1 && seq_up_to(board->ranges[at].start, new.start) && seq_up_to(new.end, board->ranges[at].end))
        return false;
    if (last > at) {
        new.start = seq_min(new.start, board->ranges[at].start);
        new.end = seq_max(new.end, board->ranges[last - 1].end);
        remove_ranges(board, at, last - at - 1);
    } else {
        if (board->count == TCP_SACK_RANGES)
            return false;             /* forgetting is safe: it will be sent again */
        memmove(board->ranges + at + 1, board->ranges + at, (board->count - at) * sizeof(board->ranges[0]));
        board->count++;
    }
    board->ranges[at] = new;
    return true;
}

/* Only what lies in what was sent and is not acknowledged; that leaves duplicate reports (RFC 2883) out. */
static bool acceptable(const struct tcp *tcp, const struct tcp_range *range)
{
    return seq_before(range->start, range->end) && seq_up_to(tcp->send_unacknowledged, range->start) &&
           seq_up_to(range->end, tcp->send_max);
}

bool tcp_sack_update(struct tcp *tcp, const struct tcp_segment *segment)
{
    bool news = false;
    if (!tcp->sack)
        return false;
    for (unsigned i = 0; i < segment->options.sack_count; i++) {
        const struct tcp_range *range = &segment->options.sack[i];
        if (!acceptable(tcp, range))
            continue;
        if (tcp->scoreboard == NULL)
            tcp->scoreboard = heap_allocate_zeroed_at(sizeof(*tcp->scoreboard), PAGES_NEEDED);
        if (tcp->scoreboard != NULL)
            news |= add_range(tcp->scoreboard, *range);
    }
    return news;
}

void tcp_sack_forget(struct tcp *tcp, uint32_t up_to)
{
    struct tcp_scoreboard *board = tcp->scoreboard;
    if (board == NULL)
        return;
    unsigned gone = 0;
    while (gone < board->count && seq_up_to(board->ranges[gone].end, up_to))
        gone++;
    remove_ranges(board, 0, gone);
    if (board->count > 0)
        board->ranges[0].start = seq_max(board->ranges[0].start, up_to);
    if (board->count == 0)
        tcp_sack_clear(tcp);
}

void tcp_sack_clear(struct tcp *tcp)
{
    heap_free(tcp->scoreboard);
    tcp->scoreboard = NULL;
}

uint32_t tcp_sack_bytes(const struct tcp *tcp)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; tcp->scoreboard != NULL && i < tcp->scoreboard->count; i++)
        bytes += tcp->scoreboard->ranges[i].end - tcp->scoreboard->ranges[i].start;
    return bytes;
}

/* RFC 6675 4 IsLost() for the hole before range `index`: enough was received behind it. */
static bool hole_lost(const struct tcp *tcp, unsigned index, uint32_t bytes_behind)
{
    return tcp->scoreboard->count - index >= DUPLICATE_THRESHOLD ||
           bytes_behind > (DUPLICATE_THRESHOLD - 1) * (uint32_t)tcp->mss;
}

bool tcp_sack_lost(const struct tcp *tcp, uint32_t sequence)
{
    const struct tcp_scoreboard *board = tcp->scoreboard;
    if (board == NULL)
        return false;
    uint32_t behind = tcp_sack_bytes(tcp);
    for (unsigned i = 0; i < board->count; i++) {
        if (seq_before(sequence, board->ranges[i].start))
            return hole_lost(tcp, i, behind);
        behind -= board->ranges[i].end - board->ranges[i].start;
    }
    return false;
}

/* The part of [start, end) below `limit`. */
static uint32_t below(uint32_t start, uint32_t end, uint32_t limit)
{
    return seq_before(start, limit) ? seq_min(end, limit) - start : 0;
}

/* RFC 6675 4 SetPipe(): what is not lost, and what was sent again. */
uint32_t tcp_sack_pipe(const struct tcp *tcp)
{
    const struct tcp_scoreboard *board = tcp->scoreboard;
    uint32_t pipe = 0, start = tcp->send_unacknowledged;
    uint32_t behind = tcp_sack_bytes(tcp);
    for (unsigned i = 0; board != NULL && i < board->count; i++) {
        uint32_t end = board->ranges[i].start;
        if (!hole_lost(tcp, i, behind))
            pipe += end - start;
        pipe += below(start, end, tcp->high_retransmitted);
        start = board->ranges[i].end;
        behind -= board->ranges[i].end - board->ranges[i].start;
    }
    return pipe + (tcp->send_max - start) + below(start, tcp->send_max, tcp->high_retransmitted);
}

/* RFC 6675 4 NextSeg() rule 1. */
bool tcp_sack_next_lost(const struct tcp *tcp, struct tcp_range *hole)
{
    const struct tcp_scoreboard *board = tcp->scoreboard;
    uint32_t start = seq_max(tcp->send_unacknowledged, tcp->high_retransmitted);
    uint32_t behind = tcp_sack_bytes(tcp);
    for (unsigned i = 0; board != NULL && i < board->count; i++) {
        if (seq_before(start, board->ranges[i].start)) {
            *hole = (struct tcp_range){ start, board->ranges[i].start };
            return hole_lost(tcp, i, behind);
        }
        start = seq_max(start, board->ranges[i].end);
        behind -= board->ranges[i].end - board->ranges[i].start;
    }
    return false;
}

void tcp_sack_skip(const struct tcp *tcp, uint32_t *sequence, uint32_t *length)
{
    const struct tcp_scoreboard *board = tcp->scoreboard;
    for (unsigned i = 0; board != NULL && i < board->count; i++) {
        if (seq_before(*sequence, board->ranges[i].start)) {
            *length = min_of(*length, board->ranges[i].start - *sequence);
            return;
        }
        if (seq_before(*sequence, board->ranges[i].end)) {
            uint32_t jump = board->ranges[i].end - *sequence;
            *sequence += jump;
            *length -= min_of(*length, jump);
        }
    }
}
