/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNTP client (RFC 4330, RFC 5905, RFC 8633): the wall clock follows time servers. sntp.c is the kernel thread that
 * asks them, sntp_servers.c knows whom to ask, sntp_message.c makes and reads messages, sntp_clock.c decides what an
 * answer means for the clock. The last two know nothing about sockets and threads.
 */
#pragma once

#include "lib/types.h"
#include "net/address.h"
#include "net/dns.h"
#include "platform/platform.h"

#define SNTP_SERVERS 4

/* A host name or an address as text, which stays the caller's, for ever; a name may stand for several servers. */
struct sntp_source {
    const char *name; /* NULL: the address below */
    ipv4_t address;
};
/* Asks these servers from now on, at most SNTP_SERVERS sources and as many servers; none: the clock keeps its rate.
 * Starts the thread with the first ones. Any thread, without locks; sleeps for memory only. */
void sntp_use(const struct sntp_source *sources, unsigned count);

/* The platform has set the wall clock, since the machine goes on from a snapshot: begins again, without what was known
 * about it. Any context. */
void sntp_restored(void);

/* ---- Messages (RFC 5905 7.3) ------------------------------------------------------------------------------ */

#define SNTP_MESSAGE_SIZE 48u

enum sntp_kind {
    SNTP_TIME,
    SNTP_RATE,    /* kiss of death: ask less often */
    SNTP_DENIED,  /* kiss of death: do not ask again */
    SNTP_INVALID, /* no answer to this question, or of a server that does not know the time itself */
};
struct sntp_answer {
    nanoseconds received, sent; /* by the server's clock, since 1970 */
    nanoseconds distance;       /* how far the server may be off: half its root delay, and its dispersion */
    int leap;                   /* 1: a second will be inserted at the month's end, -1: deleted, 0: neither */
};
/* A question whose transmit time is the random `nonce`, which reveals nothing about our clock and which the answer must
 * repeat. */
void sntp_make(uint8_t to[SNTP_MESSAGE_SIZE], uint64_t nonce);
enum sntp_kind sntp_read(const uint8_t *message, size_t length, uint64_t nonce, struct sntp_answer *out);

/* ---- The clock -------------------------------------------------------------------------------------------- */

/* What one exchange says: the server's clock is ahead of ours by `offset` ns, give or take `error`, of which the half
 * of the way there and back (`delay`) is the larger part. `shortest` is the smallest delay seen of this server. */
struct sntp_sample {
    int64_t offset;
    nanoseconds delay, shortest, error;
    nanoseconds time; /* the server's, as it answered */
    int leap;         /* announced, as in struct sntp_answer */
    bool usable;      /* false: out of bounds */
};
/* `asked` and `answered` are wall times of ours; `shortest` is this delay. */
struct sntp_sample sntp_sample_of(nanoseconds asked, nanoseconds answered, const struct sntp_answer *answer);
/* The sample to follow: of those that agree with most of the others, the one with the smallest error. -1: they
 * contradict each other. */
int sntp_choose(const struct sntp_sample *samples, unsigned count);
/* The leap second that most of those announce that agree with the chosen one. */
int sntp_leap_of(const struct sntp_sample *samples, unsigned count, unsigned chosen);

struct sntp_clock {
    bool met;            /* a sample has come */
    int64_t drift;       /* the gain that makes up for our oscillator, in 2^-32 */
    int64_t correction;  /* the gain, besides, that works off the offset */
    int64_t expected;    /* ns: the offset that was left at `since`, if `drift` is right */
    nanoseconds since;   /* monotonic: when `expected` and the gains were set */
    nanoseconds sampled; /* monotonic: the last sample */
    int leap;            /* a leap second to come, as in struct sntp_answer */
    nanoseconds leap_at; /* wall: when it comes, or came last; 0: none */
};
/*
 * Takes a sample at monotonic time `now`, when the wall clock is `time`, and returns the wall clock to set, which works
 * off the offset within `period`, or as fast as it may. *stepped: the first sample was too far off to wait for that,
 * and the clock jumps by its offset.
 */
struct wall_time sntp_follow(struct sntp_clock *clock, const struct wall_time *time, nanoseconds now,
                             const struct sntp_sample *sample, nanoseconds period, bool *stepped);
/* A period or sntp_leap_due() is over, with or without an answer: works off what is left, in the same way. */
struct wall_time sntp_coast(struct sntp_clock *clock, const struct wall_time *time, nanoseconds now,
                            nanoseconds period);
/* About when, in monotonic time, the announced leap second comes, and sntp_coast() has to be called; it may be called
 * earlier or later. NO_DEADLINE: none is announced. */
nanoseconds sntp_leap_due(const struct sntp_clock *clock, const struct wall_time *time, nanoseconds now);
/* A leap second comes or came within seconds of this wall time: servers' answers mean little. */
bool sntp_leap_is_near(const struct sntp_clock *clock, nanoseconds wall);

/* ---- Whom to ask ------------------------------------------------------------------------------------------ */

struct sntp_origin {
    const char *name; /* NULL: an address was given */
    struct dns_addresses addresses;
    nanoseconds due; /* monotonic: when the name is looked up again */
    bool failure_reported;
};
struct sntp_server {
    ipv4_t address;
    bool denied;          /* it does not want to be asked any more */
    unsigned missed;      /* rounds in a row in which it did not give the time */
    nanoseconds shortest; /* the smallest delay seen; 0: none yet */
};
/* Of one thread. */
struct sntp_servers {
    struct sntp_origin origins[SNTP_SERVERS];
    unsigned origin_count;
    struct sntp_server items[SNTP_SERVERS]; /* all different */
    unsigned count;
};
/* These sources, none of which is looked up yet; at most SNTP_SERVERS. */
void sntp_servers_begin(struct sntp_servers *servers, const struct sntp_source *sources, unsigned count);
/* Before each round, at monotonic time `now`: looks up the names for which it is time, as dns_resolve() does, and
 * reports once when that fails. Sleeps. */
void sntp_servers_look_up(struct sntp_servers *servers, nanoseconds now);
/* It has given the time: the sample gets `shortest`. */
void sntp_server_answered(struct sntp_server *server, struct sntp_sample *sample);
