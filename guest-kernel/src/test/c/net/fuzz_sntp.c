/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of time servers, and what the clock makes of several in a row: it never goes back after the first. */
#include <stdlib.h>
#include <string.h>

#include "host/fuzz.h"
#include "net/sntp.h"

#define PERIOD (64 * NS_PER_SECOND)

/* Until the period ends, or a leap second comes. */
static nanoseconds coast(struct sntp_clock *clock, struct wall_time *wall, nanoseconds now)
{
    nanoseconds then = min_of(sntp_leap_due(clock, wall, now), now + PERIOD), before = wall_time_at(wall, now);
    if (then < now || wall_time_at(wall, then) < before)
        abort();
    *wall = sntp_coast(clock, wall, then, PERIOD);
    if (wall_time_at(wall, then) < before)
        abort();
    return then;
}

static void follow(struct sntp_clock *clock, struct wall_time *wall, nanoseconds now, const struct sntp_answer *answer)
{
    bool first = !clock->met, stepped;
    nanoseconds before = wall_time_at(wall, now);
    struct sntp_sample sample = sntp_sample_of(before, before + 1000, answer);
    if (sntp_choose(&sample, 1) != 0)
        return;
    *wall = sntp_follow(clock, wall, now, &sample, PERIOD, &stepped);
    if (!first && (stepped || wall_time_at(wall, now) < before))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sntp_clock clock = { 0 };
    struct wall_time wall = { .wall = 1700000000 * NS_PER_SECOND };
    nanoseconds now = NS_PER_SECOND;
    for (; size >= SNTP_MESSAGE_SIZE; data += SNTP_MESSAGE_SIZE, size -= SNTP_MESSAGE_SIZE) {
        uint64_t nonce;
        struct sntp_answer answer;
        uint8_t *exact = malloc(SNTP_MESSAGE_SIZE);
        memcpy(exact, data, SNTP_MESSAGE_SIZE);
        memcpy(&nonce, data + 24, sizeof(nonce));
        if (sntp_read(exact, SNTP_MESSAGE_SIZE, __builtin_bswap64(nonce), &answer) == SNTP_TIME)
            follow(&clock, &wall, now, &answer);
        now = coast(&clock, &wall, now);
        free(exact);
    }
    return 0;
}
