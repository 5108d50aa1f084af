/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SNTP messages to structs and back, for sntp.c. There is no state here, no clock and no lock, and nothing sleeps.
 *
 * A question holds nothing but a random number, so it reveals neither our time nor what we are; an answer that does not
 * repeat it is not one (RFC 8633 4.1, RFC 9769). An answer counts only if the server is synchronised and less than
 * DISTANCE_LIMIT off.
 */
#include "lib/string.h"
#include "net/bytes.h"
#include "net/sntp.h"

#define VERSION 4u
#define MODE_CLIENT 3u /* RFC 5905 7.3, figure 10 */
#define MODE_SERVER 4u
#define LEAP_INSERT 1u                    /* RFC 5905 7.3, figure 9: the month's last minute has 61 seconds, ... */
#define LEAP_DELETE 2u                    /* ... 59, ... */
#define LEAP_UNKNOWN 3u                   /* ... or the server's clock is not synchronised */
#define STRATUM_MOST 15u                  /* 16: unsynchronised; 0: a kiss code */
#define UNIX_EPOCH 2208988800u            /* 1970 in seconds since 1900 */
#define DISTANCE_LIMIT (1500 * NS_PER_MS) /* MAXDIST: RFC 5905 14 */

struct message {
    uint8_t leap_version_mode, stratum, poll, precision;
    be32 root_delay, root_dispersion; /* seconds, 16 bits of them a fraction */
    uint8_t reference[4];
    be32 reference_time[2], origin[2], received[2], sent[2]; /* seconds since 1900, and a fraction of 2^-32 */
};
_Static_assert(sizeof(struct message) == SNTP_MESSAGE_SIZE, "RFC 5905 7.3");

static uint64_t read_stamp(const be32 stamp[2]) { return (uint64_t)be32_get(stamp[0]) << 32 | be32_get(stamp[1]); }

/* Seconds without the highest bit are of the era that begins in 2036 (RFC 4330 3). */
static nanoseconds time_of(uint64_t stamp)
{
    uint64_t seconds = stamp >> 32, fraction = stamp & UINT32_MAX;
    if (!(seconds & 1u << 31))
        seconds += 1UL << 32;
    return (seconds - UNIX_EPOCH) * NS_PER_SECOND + (fraction * NS_PER_SECOND >> 32);
}

static nanoseconds short_time_of(be32 value) { return (uint64_t)be32_get(value) * NS_PER_SECOND >> 16; }

void sntp_make(uint8_t to[SNTP_MESSAGE_SIZE], uint64_t nonce)
{
    struct message message = {
        .leap_version_mode = VERSION << 3 | MODE_CLIENT,
        .sent = { be32_of((uint32_t)(nonce >> 32)), be32_of((uint32_t)nonce) },
    };
    memcpy(to, &message, sizeof(message));
}

/* RFC 5905 7.4: codes other than these ask for nothing. */
static enum sntp_kind kiss_of(const uint8_t code[4])
{
    if (!memcmp(code, "RATE", 4))
        return SNTP_RATE;
    return !memcmp(code, "DENY", 4) || !memcmp(code, "RSTR", 4) ? SNTP_DENIED : SNTP_INVALID;
}

enum sntp_kind sntp_read(const uint8_t *message, size_t length, uint64_t nonce, struct sntp_answer *out)
{
    struct message answer;
    if (length < sizeof(answer))
        return SNTP_INVALID;
    memcpy(&answer, message, sizeof(answer));
    unsigned mode = answer.leap_version_mode & 7u, version = answer.leap_version_mode >> 3 & 7u;
    unsigned leap = answer.leap_version_mode >> 6;
    if (mode != MODE_SERVER || version == 0 || version > VERSION || read_stamp(answer.origin) != nonce)
        return SNTP_INVALID;
    if (answer.stratum == 0)
        return kiss_of(answer.reference);
    *out = (struct sntp_answer){
        .received = time_of(read_stamp(answer.received)),
        .sent = time_of(read_stamp(answer.sent)),
        .distance = short_time_of(answer.root_delay) / 2 + short_time_of(answer.root_dispersion),
        .leap = (leap == LEAP_INSERT) - (leap == LEAP_DELETE),
    };
    bool synchronised = leap != LEAP_UNKNOWN && answer.stratum <= STRATUM_MOST;
    bool complete = read_stamp(answer.received) != 0 && read_stamp(answer.sent) != 0 && out->sent >= out->received;
    return synchronised && complete && out->distance < DISTANCE_LIMIT ? SNTP_TIME : SNTP_INVALID;
}
