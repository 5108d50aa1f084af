/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of TCP. Everything here is called under the net lock, but for what says otherwise.
 *
 *   tcp_segment.c     headers and options, both ways; resets
 *   tcp_table.c       the table of connections by address pair, initial sequence numbers, ports
 *   tcp_input.c       an incoming segment: finding its owner; the state machine of RFC 9293 3.10.7
 *   tcp_ack.c         what an acknowledgement does: RTT, window, queue, recovery
 *   tcp_receive.c     incoming data: order, window, delayed acknowledgement
 *   tcp_urgent.c      the byte out of band
 *   tcp_out_of_order.c   incoming data that came before what precedes it
 *   tcp_send_queue.c  outgoing data until it is acknowledged
 *   tcp_output.c      what to send now, and sending it
 *   tcp_sent.c        what is in flight, delivered or lost: the scoreboard
 *   tcp_rack.c        finding losses by time, and at the tail (RACK-TLP, RFC 8985)
 *   tcp_recovery.c    what a loss does to the rate (PRR, RFC 6937), and undoing it (RFC 4015)
 *   tcp_congestion.c  CUBIC (RFC 9438)
 *   tcp_slow_start.c  slow start and its end (HyStart++, RFC 9406)
 *   tcp_timer.c       retransmission (RFC 6298), zero-window probes, keep-alive, dead ends
 *   tcp_listen.c      half-open connections and SYN cookies
 *   tcp_time_wait.c   closed connections whose segments may still be around
 *   tcp_connection.c  birth and death of connections
 *   tcp_memory.c      whom to give up when memory is short
 *   tcp_shutdown.c    the end of all of them
 *   tcp_socket.c, tcp_stream.c, tcp_socket_options.c   the socket side
 *
 * A connection is counted: by the table, by its socket or its listener's queue, and by each active timer.
 */
#pragma once

#include "lib/hash.h"
#include "lib/tree.h"
#include "net/socket.h"
#include "net/tcp.h"
#include "platform/platform.h"
#include "threads/timer.h"

/* ---- Sequence numbers (RFC 9293 3.4) -------------------------------------------------------- */

static inline bool seq_before(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool seq_up_to(uint32_t a, uint32_t b) { return (int32_t)(a - b) <= 0; }
static inline uint32_t seq_max(uint32_t a, uint32_t b) { return seq_before(a, b) ? b : a; }
static inline uint32_t seq_min(uint32_t a, uint32_t b) { return seq_before(a, b) ? a : b; }

/* ---- Segments ------------------------------------------------------------------------------------ */

#define TCP_FIN 0x01u /* RFC 9293 3.1 */
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

#define TCP_HEADER_LENGTH 20u
#define TCP_TIMESTAMP_LENGTH 12u /* the option with its padding (RFC 7323 appendix A) */
#define TCP_DEFAULT_MSS 536u     /* without an MSS option: RFC 9293 3.7.1 */
#define TCP_MINIMUM_MSS 88u      /* smaller ones are raised: tiny segments would cost us more than the peer */
#define TCP_MAXIMUM_SHIFT 14u    /* RFC 7323 2.3 */
#define TCP_SACK_BLOCKS 4        /* at most in one segment (RFC 2018 3) */

struct tcp_range {
    uint32_t start, end; /* [start, end) */
};
struct tcp_options {
    uint16_t mss; /* 0: absent */
    bool window_scale_present, sack_permitted, timestamp_present;
    uint8_t window_scale;
    uint32_t timestamp, timestamp_echo;
    unsigned sack_count;
    struct tcp_range sack[TCP_SACK_BLOCKS];
};
struct tcp_segment { /* a received one; its packet starts with the payload */
    const struct ip_info *ip;
    struct endpoint local, remote;
    uint32_t sequence, acknowledgement;
    uint32_t length; /* of the payload */
    uint16_t window; /* as in the header, unscaled */
    uint16_t urgent; /* with TCP_URG: the urgent pointer */
    uint8_t flags;
    struct tcp_options options;
};
/* What SYN and FIN add to the length of the data. */
static inline uint32_t tcp_segment_end(const struct tcp_segment *s)
{
    return s->sequence + s->length + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

struct tcp_header_fields { /* one to be sent */
    struct endpoint local, remote;
    uint32_t sequence, acknowledgement;
    uint8_t flags, type_of_service, time_to_live;
    uint16_t window, urgent;
    struct tcp_options options;
    uint16_t segment_size; /* split the payload into segments of this many bytes; 0: no */
};
/* Without the net lock, once. */
void tcp_segment_init(void);
/* Puts header and options before the payload and sends it; takes the packet. */
void tcp_transmit(struct packet *payload, const struct tcp_header_fields *header);
/* The same without payload; drops it silently without memory. */
void tcp_transmit_bare(const struct tcp_header_fields *header);
/* The same for the reset of a connection that ends here, after which nothing would send it again: some packets are kept
 * for it in case there is no memory. */
void tcp_transmit_reset(const struct tcp_header_fields *header);
/* Parses header and options and drops them from the packet; false: malformed or damaged. */
bool tcp_parse(const struct ip_info *info, struct packet *packet, struct tcp_segment *out);
/* Without the net lock too. */
void tcp_parse_options(const uint8_t *option, uint32_t length, struct tcp_options *out);
/* Answers a segment that belongs to no connection (RFC 9293 3.10.7.1). */
void tcp_refuse(const struct tcp_segment *segment);

/* ---- The table ------------------------------------------------------------------------------- */

enum tcp_entry_kind { TCP_ENTRY_CONNECTION, TCP_ENTRY_REQUEST, TCP_ENTRY_TIME_WAIT };
struct tcp_entry {
    struct list link;
    enum tcp_entry_kind kind;
    struct endpoint local, remote;
};
/* Without the net lock, once. */
void tcp_table_init(void);
/* The machine goes on from a snapshot: other secrets for sequence numbers, ports, timestamps and cookies. */
void tcp_table_restored(void);
void tcp_table_add(struct tcp_entry *entry);
void tcp_table_remove(struct tcp_entry *entry);
struct tcp_entry *tcp_table_find(struct endpoint local, struct endpoint remote);
/* Visits every entry; the visitor may remove the one it is given. */
void tcp_table_for_each(void (*visit)(struct tcp_entry *entry, void *context), void *context);
uint32_t tcp_initial_sequence(struct endpoint local, struct endpoint remote); /* RFC 6528 */
uint32_t tcp_timestamp_offset(struct endpoint local, struct endpoint remote); /* RFC 7323 5.4 */
/* A keyed hash for cookies: (addresses, ports, a, b). */
uint64_t tcp_secret_hash(struct endpoint local, struct endpoint remote, uint32_t a, uint32_t b);
/* A free local port for this pair (RFC 6056 algorithms 4 and 5), 0: none. */
uint16_t tcp_pick_port(struct ip_address local, struct endpoint remote);
static inline uint32_t tcp_clock_ms(void) { return (uint32_t)(net_now() / NS_PER_MS); }
extern struct port_table tcp_ports;

/* ---- Connections --------------------------------------------------------------------------------- */

/* Since boot, of all connections; only for whoever shows them (net/metrics_text.c, net/counters_listing.c):
 * tcpActiveOpens and others of RFC 4022. */
struct tcp_counts {
    uint64_t active_opens, passive_opens;
    uint64_t failed_attempts;                            /* tcpAttemptFails */
    uint64_t established_resets;                         /* tcpEstabResets */
    uint64_t retransmits;                                /* segments sent again */
    uint64_t in_segments, in_errors, in_checksum_errors; /* each includes what follows */
    uint64_t out_segments;                               /* all, those sent again and resets included */
    uint64_t out_resets;
};
extern struct tcp_counts tcp_counts;

enum tcp_state { /* numbered as TCP_INFO reports them (linux/tcp.h) */
                 TCP_ESTABLISHED = 1,
                 TCP_SYN_SENT = 2,
                 TCP_SYN_RECEIVED = 3,
                 TCP_FIN_WAIT_1 = 4,
                 TCP_FIN_WAIT_2 = 5,
                 TCP_TIME_WAIT = 6,
                 TCP_CLOSED = 7,
                 TCP_CLOSE_WAIT = 8,
                 TCP_LAST_ACK = 9,
                 TCP_LISTEN = 10,
                 TCP_CLOSING = 11,
};
/* The byte out of band: not announced, announced but not here yet, here, or read out of band and still in the stream */
enum tcp_urgent { TCP_URGENT_NONE, TCP_URGENT_AWAITED, TCP_URGENT_HERE, TCP_URGENT_READ };
enum tcp_recovery { TCP_OPEN, TCP_RECOVERY, TCP_LOSS };
/* Only one can be needed: a retransmission (RFC 6298), a look for losses or a probe of the tail (RFC 8985), or a probe
 * of a window that is shut. */
enum tcp_deadline { TCP_DEADLINE_RETRANSMIT, TCP_DEADLINE_REORDERED, TCP_DEADLINE_TAIL, TCP_DEADLINE_WINDOW };

/* One transmission that is not acknowledged: tcp_sent.c. */
enum tcp_sent_state { TCP_SENT_IN_FLIGHT, TCP_SENT_LOST, TCP_SENT_DELIVERED };
struct tcp_sent {
    struct tree_node node;
    struct list link;
    uint32_t start, end;     /* [start, end) */
    nanoseconds when;        /* it was last sent */
    struct tcp_chunk *chunk; /* that holds its first byte; NULL: there is only a FIN */
    enum tcp_sent_state state;
    bool retransmitted;
};

/* What one acknowledgement says. */
struct tcp_delivery {
    uint32_t bytes;   /* delivered, and not known to be before */
    nanoseconds rtt;  /* the shortest round trip of what was sent once; 0: there is none */
    uint32_t highest; /* sequence number after all that was delivered before it */
    bool echo_present;
    uint32_t echo;  /* its timestamp */
    bool duplicate; /* it reports a duplicate (RFC 2883) */
};

/* RFC 8985: the latest of the transmissions that were delivered, and how far the network changes their order. */
struct tcp_rack {
    nanoseconds when, rtt;  /* RACK.xmit_ts (0: none yet), RACK.rtt */
    nanoseconds deadline;   /* when something will be lost if it is not delivered before; 0: nothing */
    uint32_t end, highest;  /* RACK.end_seq, RACK.fack */
    nanoseconds widened;    /* when the window grew last; 0: never */
    uint32_t probe_end;     /* TLP.end_seq, while `probed` */
    uint8_t steps, persist; /* RACK.reo_wnd_mult, RACK.reo_wnd_persist */
    bool reordering_seen;
    bool probed, probe_repeats; /* repeats: TLP.is_retrans */
};

struct tcp_congestion {
    uint32_t window, slow_start_threshold; /* bytes */
    bool limited;                          /* the window, not the application, held sending back */
    /* CUBIC, RFC 9438 4.1; windows in bytes. */
    uint32_t window_max, window_estimate, window_prior;
    nanoseconds epoch; /* 0: none yet */
    nanoseconds k;
    uint32_t acked_fraction; /* bytes acknowledged towards the next growth */
};

/* Slow start by rounds of one round trip each, RFC 9406 4.2. Times in microseconds; 0: not known. */
struct tcp_slow_start {
    uint32_t round_end;                 /* the round is over when this is acknowledged */
    uint32_t round_rtt, last_round_rtt; /* the shortest of each round */
    uint32_t baseline_rtt;              /* not 0: in conservative slow start, begun with this */
    uint8_t samples, rounds;            /* in this round; of conservative slow start */
};

/* What a recovery may do: RFC 6937 2. Bytes. */
struct tcp_reduction {
    uint32_t flight;          /* RecoverFS */
    uint32_t delivered, sent; /* prr_delivered, prr_out */
};

/* How to take a reduction back when it turns out that nothing was lost. */
struct tcp_undo {
    bool possible;
    bool retransmitted;  /* something was sent again, for the first time at `stamp` */
    uint32_t stamp;      /* timestamp, as tcp_stamp() */
    uint32_t unreported; /* bytes sent again that were not reported as duplicates */
    uint32_t start;      /* send_unacknowledged when it began */
    struct tcp_congestion before;
};

/* In packet->layer of received data. */
struct tcp_piece {
    uint32_t sequence; /* of the packet's first byte */
    uint32_t consumed; /* bytes at the front that were read */
    uint32_t memory;   /* charged for it */
    uint32_t arrived;  /* tcp_clock_ms() */
    bool fin;
};
static inline struct tcp_piece *tcp_piece(struct packet *packet) { return (struct tcp_piece *)packet->layer; }
/* The sequence number after the last one it takes. */
static inline uint32_t tcp_piece_end(struct packet *packet)
{
    return tcp_piece(packet)->sequence + packet->length + tcp_piece(packet)->fin;
}
/* Drops its first `count` sequence numbers. */
static inline void tcp_piece_cut(struct packet *packet, uint32_t count)
{
    tcp_piece(packet)->sequence += count;
    packet_drop_front(packet, min_of(count, packet->length));
}

/* Options of level IPPROTO_TCP, as set; a connection has a copy. Nanoseconds 0, and other numbers 0: the default. */
struct tcp_kept {
    bool no_delay, cork;
    bool delayed_acks; /* TCP_QUICKACK was cleared before there was a connection; to be read back */
    nanoseconds keep_idle, keep_interval, user_timeout;
    uint32_t keep_count;
    uint32_t max_segment;  /* bytes */
    uint32_t syn_retries;  /* TCP_SYNCNT */
    int32_t fin_wait;      /* TCP_LINGER2: seconds; -1: no wait for the peer's FIN after close() */
    uint32_t defer_accept; /* answers to a SYN, sent before a connection without data is accepted */
    uint32_t window_clamp; /* bytes */
    uint32_t not_sent_low; /* TCP_NOTSENT_LOWAT: bytes waiting to be sent from which on nothing is writable */
    /* Kept and given back: without a cookie, which we never have, TCP Fast Open is an ordinary handshake. */
    uint32_t fast_open_queue;
    bool thin_timeouts, fast_open_connect, fast_open_without_cookie;
};

struct tcp_chunk;
struct tcp_socket;

struct tcp {
    struct tcp_entry entry;
    uint32_t references;
    enum tcp_state state;
    struct tcp_socket *socket;   /* NULL: not accepted yet, or closed by the application */
    struct tcp_socket *listener; /* while in its accept queue */
    struct list accept_link;     /* in the listener's queue; an orphan's: among all orphans, by age */
    int error;                   /* positive; for SO_ERROR and the next call */
    int soft_error;              /* what ICMP said, reported only if the connection times out */
    bool accepted_side;          /* opened by the peer, to the program */
    bool shut_read;
    bool being_read; /* a reader copies from `received` without the lock: leave it alone */

    /* Sending (RFC 9293 3.3.1). send_end: after the last byte queued; a FIN has that number. */
    uint32_t send_unacknowledged, send_next, send_end;
    uint32_t send_window, send_window_max;
    uint32_t window_sequence, window_acknowledgement; /* SND.WL1, SND.WL2 */
    uint32_t small_end; /* after the last short segment sent: Nagle with Minshall's change */
    uint32_t push_end;  /* what is queued up to here goes even if it is short and corked */
    uint32_t urgent_end;
    bool urgent, fin_queued;
    bool more; /* MSG_MORE: as `cork`, while the writer's bytes are queued */
    uint8_t send_shift, receive_shift;
    bool scaling, timestamps, sack; /* agreed on */
    uint16_t mss;                   /* bytes of payload in a full segment, options deducted */
    uint16_t peer_mss, announced_mss;
    uint16_t path_mtu;            /* what ICMP reported; 0: only the interface's counts */
    struct list chunks;           /* struct tcp_chunk, ascending */
    struct tcp_chunk *send_chunk; /* from which new data was sent last, or NULL */
    struct page *send_page;       /* partly filled by the last write, or NULL */
    uint32_t send_page_used;
    uint32_t send_limit;  /* bytes the application may queue */
    uint32_t send_memory; /* charged for what is queued */
    bool writer_waits;    /* wake it when there is room */

    struct tcp_congestion congestion;
    struct tcp_slow_start slow_start;
    struct tree sent;            /* struct tcp_sent, by sequence */
    struct list in_flight, lost; /* of those */
    uint32_t flight, delivered;  /* bytes in flight, and that the peer has though they are not acknowledged */
    struct tcp_rack rack;
    enum tcp_recovery recovery;
    uint32_t recover; /* recovery ends when this is acknowledged */
    struct tcp_reduction reduction;
    struct tcp_undo undo;
    nanoseconds smoothed_rtt, rtt_variation, rto; /* 0: no sample yet (RFC 6298) */
    unsigned backoffs;                            /* timeouts in a row */
    unsigned probes;                              /* zero-window or keep-alive probes unanswered */
    nanoseconds first_timeout;                    /* of the current row, for TCP_USER_TIMEOUT */
    uint32_t total_retransmits;
    uint32_t orphan_mark; /* send_unacknowledged when the orphan's timer started */
    nanoseconds last_sent, last_received;

    /* Receiving. */
    uint32_t receive_next, receive_edge; /* the edge: receive_next + window as last sent */
    uint32_t last_ack_sent;
    uint32_t timestamp_recent, timestamp_offset;
    enum tcp_deadline deadline; /* what the retransmit timer is for */
    nanoseconds timestamp_recent_time;
    uint16_t receive_mss; /* the peer's segments, estimated */
    bool keep_alive;      /* options of its socket */
    uint8_t type_of_service, time_to_live;
    struct list received;             /* packets in order, for the reader */
    struct tree out_of_order;         /* runs of packets that came too early: tcp_out_of_order.c */
    struct tcp_range duplicate;       /* came again, for the next acknowledgement (RFC 2883); empty: none */
    uint32_t recent[TCP_SACK_BLOCKS]; /* a sequence number of each run that grew last, the latest first */
    unsigned recent_count;
    uint32_t received_bytes;      /* unread payload in `received` */
    uint32_t received_memory;     /* charged for both queues */
    uint32_t out_of_order_memory; /* of that, for packets that came too early */
    uint32_t receive_limit;       /* bytes of payload we let the peer send ahead */
    bool fin_received;
    enum tcp_urgent urgent_state;
    uint32_t urgent_sequence; /* of the byte, unless TCP_URGENT_NONE */
    uint8_t urgent_byte;
    bool ack_now, ack_delayed;
    unsigned quick_acks; /* acknowledge this many segments without delay */
    uint32_t copied;     /* by the reader in this round trip: window tuning */
    nanoseconds copied_since;
    uint32_t receive_rtt, shortest_rtt; /* ms, of data that came: the last round's and this one's; 0: none */
    nanoseconds last_challenge;

    struct timer retransmit_timer;
    nanoseconds retransmit_deadline; /* the timer may run earlier and finds this; 0: off */
    struct timer ack_timer;
    struct timer keep_timer; /* keep-alive; after close: the end of waiting for the peer */
    /* Options. */
    struct tcp_kept kept;
};

struct tcp_socket {
    struct socket socket;
    struct port_binding binding;
    struct tcp *connection;     /* one reference; NULL before connect() */
    bool listening, connecting; /* connecting: the result of connect() was not collected */
    bool shut;                  /* shutdown() of a listener */
    nanoseconds cookie_sent;    /* the last time a SYN was answered with a cookie; 0: never */
    unsigned backlog, waiting_count, request_count;
    struct list waiting;  /* struct tcp, accept_link: to be accepted */
    struct list requests; /* half-open */
    struct tcp_kept kept; /* for connections to come, too */
};
static inline struct tcp_socket *tcp_socket_of(struct socket *s) { return container_of(s, struct tcp_socket, socket); }

/* tcp_connection.c */
struct tcp *tcp_create(struct endpoint local, struct endpoint remote); /* one reference; NULL: no memory */
/* Everything that keeps a connection over a stretch without the net lock has a reference of its own. */
static inline struct tcp *tcp_get(struct tcp *tcp)
{
    tcp->references++;
    return tcp;
}
void tcp_put(struct tcp *tcp);
void tcp_take_options(struct tcp *tcp, const struct tcp_socket *socket);
/* Agreements of the handshake: what both sides' SYNs said. */
void tcp_negotiate(struct tcp *tcp, const struct tcp_options *peer);
void tcp_update_mss(struct tcp *tcp);
/* The connection is over: `error` (positive, 0: orderly) is reported to the application. */
void tcp_close(struct tcp *tcp, int error);
/* Sends a reset and closes. */
void tcp_abort(struct tcp *tcp, int error);
/* Enters TIME_WAIT: the connection's place in the table is taken by a small record. */
void tcp_enter_time_wait(struct tcp *tcp);
/* The application has closed its socket: finish in order without it, or reset. Done once: the second call does
 * nothing. */
void tcp_orphan(struct tcp *tcp, bool reset);
/* How many wait for their peer without a socket. */
unsigned tcp_orphans(void);
void tcp_wake(struct tcp *tcp, unsigned events);
/* Frees what was received and not read, unless a reader is just copying it. */
void tcp_free_received(struct tcp *tcp);
uint32_t tcp_receive_limit_initial(uint32_t wanted);
/* The window of a segment with SYN. */
uint16_t tcp_first_window(uint32_t limit, const struct tcp_kept *kept);
/* Without the net lock too. */
uint8_t tcp_receive_shift(uint32_t wanted);
uint16_t tcp_mss_for(const struct ip_route *route);

/* tcp_ack.c, tcp_receive.c, tcp_input.c */
bool tcp_process_ack(struct tcp *tcp, const struct tcp_segment *segment); /* false: drop the segment */
void tcp_sample_rtt(struct tcp *tcp, nanoseconds sample);
/* Takes the packet: its data is in the window, cut to it. */
void tcp_receive_data(struct tcp *tcp, const struct tcp_segment *segment, struct packet *packet);
/* Drops the next byte that would be read; there is one, and no reader is copying. */
void tcp_skip_byte(struct tcp *tcp);
uint32_t tcp_window_to_announce(const struct tcp *tcp);
void tcp_window_opened(struct tcp *tcp, uint32_t copied);
void tcp_connection_input(struct tcp *tcp, struct tcp_segment *segment, struct packet *packet);
void tcp_challenge(struct tcp *tcp);

/* tcp_urgent.c */
/* Looks at a segment that was accepted, before it is cut: its pointer, and the byte if it is in this packet. */
void tcp_urgent_input(struct tcp *tcp, const struct tcp_segment *segment, const struct packet *packet);
/* The sequence number of the next byte to be read. */
uint32_t tcp_read_sequence(const struct tcp *tcp);
/* The next byte to be read is the urgent one: sockatmark(3). */
bool tcp_at_mark(const struct tcp *tcp);
/* The same, and it is not to be read in line. */
bool tcp_mark_skipped(const struct tcp *tcp);
/* Bytes that a reader would get before the end of what is here, and before the mark. */
uint32_t tcp_readable(const struct tcp *tcp);
/* SO_RCVLOWAT: bytes worth a reader's while; never more than half of what may come ahead of it. */
uint32_t tcp_receive_low(const struct tcp *tcp);
/* Bytes up to the mark, for FIONREAD. */
uint32_t tcp_readable_to_mark(const struct tcp *tcp);
/* The reader went on: forgets an urgent byte it has passed. */
void tcp_urgent_passed(struct tcp *tcp);
/* recv() with MSG_OOB: 1 with the byte, 0 at the end, -EINVAL (none, or read in line), -EAGAIN. */
int tcp_urgent_take(struct tcp *tcp, bool peek, uint8_t *byte);

/* tcp_out_of_order.c */
void tcp_out_of_order_init(struct tcp *tcp);
/* Takes a packet that starts after receive_next; keeps what is new of it, or drops it when there is no room. */
void tcp_out_of_order_add(struct tcp *tcp, struct packet *packet);
/* The next packet that goes on at receive_next, cut to it, still charged to received_memory; NULL: none. */
struct packet *tcp_out_of_order_take(struct tcp *tcp);
void tcp_out_of_order_clear(struct tcp *tcp);
/* When the first packet there came, by tcp_clock_ms(); false: there is none. */
bool tcp_out_of_order_oldest(const struct tcp *tcp, uint32_t *since);
/* What to report as received, the latest first (RFC 2018 4). Returns how many. */
unsigned tcp_sack_blocks(const struct tcp *tcp, struct tcp_range *out, unsigned limit);

/* tcp_send_queue.c */
struct tcp_chunk {
    struct list link;
    struct page *page; /* one reference; NULL: the bytes are its own */
    uint32_t offset, length, sequence;
    uint32_t queued; /* tcp_clock_ms() of its first byte */
    uint32_t memory; /* what it holds */
    uint8_t own[];
};
#define TCP_SMALL_WRITE 1440u /* bytes: about a segment, and less to copy than the rest of a page is to clear */
void tcp_queue_init(struct tcp *tcp);
/* A chunk of no connection yet, with room for `size` bytes of its own; heap_free() frees it. NULL: no memory. Without
 * the net lock, too. */
struct tcp_chunk *tcp_chunk_small(uint32_t size);
/* Appends one with `length` bytes of its own. Nothing else may be queued. */
void tcp_queue_append_small(struct tcp *tcp, struct tcp_chunk *chunk, uint32_t length);
/* Appends bytes of a page; takes over one reference to it. False: no memory. */
bool tcp_queue_append(struct tcp *tcp, struct page *page, uint32_t offset, uint32_t length);
void tcp_queue_acknowledged(struct tcp *tcp, uint32_t up_to);
void tcp_queue_clear(struct tcp *tcp);
/* A packet with up to *length bytes from `sequence` on; *length becomes how many it has. NULL: no memory. *chunk: where
 * to look first, or NULL; becomes the one that holds the first byte. */
struct packet *tcp_queue_packet(struct tcp *tcp, struct tcp_chunk **chunk, uint32_t sequence, uint32_t *length);
/* When the oldest byte was queued, by tcp_clock_ms(); false: there is none. */
bool tcp_queue_oldest(const struct tcp *tcp, uint32_t *since);
uint32_t tcp_queue_room(const struct tcp *tcp);
bool tcp_writable(const struct tcp *tcp);
/* Wakes a writer that waits for room if there is some. */
void tcp_wake_writer(struct tcp *tcp);

/* tcp_output.c */
void tcp_output(struct tcp *tcp);
void tcp_send_ack(struct tcp *tcp);
void tcp_send_syn(struct tcp *tcp);
void tcp_send_probe(struct tcp *tcp);
/* True if the window is open for all that waits; then only a cork can hold it back. */
bool tcp_held_by_cork(const struct tcp *tcp);
/* Overrides a cork, and silly window avoidance after a while (RFC 9293 3.8.6.2.1). */
void tcp_send_into_small_window(struct tcp *tcp);
void tcp_send_reset(struct tcp *tcp);
/* Probes the tail (RFC 8985 7.3) with a new segment, or the last one again. */
void tcp_send_tail_probe(struct tcp *tcp);

/* tcp_sent.c */
void tcp_sent_init(struct tcp *tcp);
void tcp_sent_clear(struct tcp *tcp);
/* An empty record, which belongs to the caller; NULL: no memory. */
struct tcp_sent *tcp_sent_new(struct tcp *tcp);
void tcp_sent_free(struct tcp *tcp, struct tcp_sent *sent); /* one that was not added */
/* The record is sent for the first time; start, end and chunk are set. */
void tcp_sent_add(struct tcp *tcp, struct tcp_sent *sent, nanoseconds now);
void tcp_sent_again(struct tcp *tcp, struct tcp_sent *sent, nanoseconds now);
/* Cuts it in two at a sequence number inside; false: no memory. */
bool tcp_sent_split(struct tcp *tcp, struct tcp_sent *sent, uint32_t at);
/* The first and the last by sequence, the one in flight that was sent first, the one to be sent again next; or NULL. */
struct tcp_sent *tcp_sent_first(const struct tcp *tcp);
struct tcp_sent *tcp_sent_last(const struct tcp *tcp);
struct tcp_sent *tcp_sent_oldest(const struct tcp *tcp);
struct tcp_sent *tcp_sent_lost(const struct tcp *tcp);
/* One that is in flight is lost; `first`: to be sent again before all others. */
void tcp_sent_lose(struct tcp *tcp, struct tcp_sent *sent, bool first);
void tcp_sent_lose_all(struct tcp *tcp);
void tcp_sent_lost_nothing(struct tcp *tcp);
void tcp_sent_disown_first(struct tcp *tcp);
/* The peer has this range, which lies between send_unacknowledged and send_next. */
void tcp_sent_deliver(struct tcp *tcp, const struct tcp_range *range, struct tcp_delivery *delivery);
/* The peer has a segment, and not the first: all that a duplicate acknowledgement says without SACK. */
void tcp_sent_deliver_any(struct tcp *tcp, struct tcp_delivery *delivery);
void tcp_sent_acknowledged(struct tcp *tcp, uint32_t up_to, struct tcp_delivery *delivery);

/* tcp_rack.c */
void tcp_rack_init(struct tcp *tcp);
/* The record is delivered up to `end`. */
void tcp_rack_delivered(struct tcp *tcp, const struct tcp_sent *sent, uint32_t end, struct tcp_delivery *delivery);
/* Finds what is lost and sets rack.deadline. */
void tcp_rack_detect(struct tcp *tcp);
void tcp_rack_timeout(struct tcp *tcp); /* what is lost when the retransmission timer expires */
void tcp_rack_widen(struct tcp *tcp);   /* something was taken for lost that was only late */
void tcp_rack_recovered(struct tcp *tcp);
/* Finds out whether the tail's probe was needed. */
void tcp_rack_tail_acknowledged(struct tcp *tcp, const struct tcp_segment *segment,
                                const struct tcp_delivery *delivery);
bool tcp_rack_may_probe(const struct tcp *tcp);
void tcp_rack_probed(struct tcp *tcp, bool repeats); /* the tail was */

/* tcp_recovery.c */
/* After an acknowledgement; `advanced`: it moved send_unacknowledged. */
void tcp_recovery_progress(struct tcp *tcp, const struct tcp_delivery *delivery, bool advanced);
void tcp_recovery_timeout(struct tcp *tcp);
void tcp_recovery_sent(struct tcp *tcp, uint32_t bytes); /* new data */
void tcp_recovery_sent_again(struct tcp *tcp, uint32_t bytes);
void tcp_recovery_duplicate(struct tcp *tcp, const struct tcp_range *range); /* the peer reports one */

/* tcp_congestion.c, tcp_slow_start.c */
#define TCP_CONGESTION_MAXIMUM (64u << 20) /* bytes */
void tcp_congestion_init(struct tcp *tcp);
void tcp_congestion_acked(struct tcp *tcp, uint32_t bytes, nanoseconds rtt);
void tcp_congestion_loss(struct tcp *tcp); /* lowers the threshold */
void tcp_congestion_idle(struct tcp *tcp);
void tcp_slow_start_acked(struct tcp *tcp, uint32_t bytes, nanoseconds rtt);

/* tcp_timer.c */
void tcp_timers_init(struct tcp *tcp);
void tcp_timers_stop(struct tcp *tcp);
/* (Re)starts for what is needed next while something is in flight: usually at now + rto, backed off. */
void tcp_retransmit_start(struct tcp *tcp);
void tcp_retransmit_stop(struct tcp *tcp);
void tcp_probe_start(struct tcp *tcp);
void tcp_ack_delay(struct tcp *tcp);
void tcp_ack_sent(struct tcp *tcp);
void tcp_keep_alive_start(struct tcp *tcp);
/* The application has closed its socket: without progress in TCP_FIN_TIMEOUT the connection is dropped. */
void tcp_orphan_timer_start(struct tcp *tcp);
/* It is dropped as soon as timers run. */
void tcp_orphan_timer_expire(struct tcp *tcp);
#define TCP_CORK_TIME (200 * NS_PER_MS)         /* tcp(7): a corked segment waits no longer */
#define TCP_RTO_INITIAL NS_PER_SECOND           /* RFC 6298 2.1 */
#define TCP_RTO_MINIMUM (200 * NS_PER_MS)       /* as Linux; RFC 6298's second punishes fast paths */
#define TCP_RTO_MAXIMUM (60 * NS_PER_SECOND)    /* RFC 6298 2.5 */
#define TCP_SYN_RETRIES 6u                      /* tcp_syn_retries of Linux: about two minutes */
#define TCP_FIN_TIMEOUT (60 * NS_PER_SECOND)    /* a closed socket's wait for the peer's FIN */
#define TCP_TIME_WAIT_TIME (60 * NS_PER_SECOND) /* 2 MSL, as Linux */
/* For each connection: RFC 5961 7 asks for a limit, and a shared one would reveal others' connections (CVE-2016-5696).
 * */
#define TCP_CHALLENGE_INTERVAL (500 * NS_PER_MS)

/* tcp_listen.c */
struct tcp_request;
/* Of several with SO_REUSEPORT, the one for connections from `remote`. */
struct tcp_socket *tcp_find_listener(struct endpoint local, struct endpoint remote);
void tcp_listener_input(struct tcp_socket *listener, struct tcp_segment *segment, struct packet *packet);
void tcp_request_input(struct tcp_entry *entry, struct tcp_segment *segment, struct packet *packet);
void tcp_listener_close(struct tcp_socket *listener);
#define TCP_BACKLOG_MAXIMUM 4096u /* net.core.somaxconn */

/* tcp_time_wait.c */
/* Without the net lock, once. */
void tcp_time_wait_init(void);
bool tcp_time_wait_add(const struct tcp *tcp); /* false: no memory */
/* True: the record was removed and the segment may open a new connection. */
bool tcp_time_wait_input(struct tcp_entry *entry, const struct tcp_segment *segment);
/* Frees the record if a new outgoing connection may take its place (RFC 6191). */
bool tcp_time_wait_reuse(struct tcp_entry *entry);

/* tcp_memory.c */
/* Without the net lock, once. */
void tcp_memory_init(void);
/* net_charge() for what peers cause: begins to look for whom to give up when memory becomes short. */
void tcp_memory_charge(uint32_t bytes);

/* tcp_socket_options.c */
/* Without the net lock: nothing else knows the socket yet. */
void tcp_socket_init(struct tcp_socket *socket);
int tcp_socket_set_option(struct socket *socket, int name, const void *value, uint32_t length);
int tcp_socket_get_option(struct socket *socket, int name, void *value);
void tcp_socket_options_changed(struct socket *socket);

/* tcp_stream.c; struct socket_operations */
/* Without the net lock. */
ssize_type tcp_stream_send(struct socket *socket, struct socket_message *message);
/* Without the net lock. */
ssize_type tcp_stream_receive(struct socket *socket, struct socket_message *message);
