/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers of time servers mean for the wall clock, for sntp.c. There is no lock and no clock here: times are
 * given, and the state is the caller's struct sntp_clock.
 *
 * The wall clock jumps at most once, at the first sample, and only if that is more than STEP_LIMIT off. From then on it
 * runs faster or slower, by no more than GAIN_LIMIT on either side, so it never goes back. Its gain has two parts. The
 * correction works off the offset until the period's end. The drift makes up for our oscillator: what is left at the
 * next sample, beyond what should be, is its error since the last one.
 *
 * A sample proves only that the offset lies within its error from what it shows. The time that the way there and back
 * took beyond the shortest one seen of that server counts against it, so that a queue on the way does not move the
 * clock.
 */
#include "net/sntp.h"

#define DELAY_LIMIT NS_PER_SECOND
#define STEP_LIMIT (128 * NS_PER_MS) /* STEPT: RFC 5905 11.3 */
#define UNIT (1L << 32)
#define GAIN_LIMIT (500 * UNIT / 1000000) /* 500 parts in a million, as Linux and ntpd */
#define SETTLING (192 * NS_PER_SECOND)    /* samples this far apart move the drift by half of what they show */

static int64_t clamp(int64_t value, int64_t limit) { return value > limit ? limit : value < -limit ? -limit : value; }

static nanoseconds distance_of(int64_t value) { return (nanoseconds)(value < 0 ? -value : value); }

struct sntp_sample sntp_sample_of(nanoseconds asked, nanoseconds answered, const struct sntp_answer *answer)
{
    int64_t there = (int64_t)(answer->received - asked), back = (int64_t)(answered - answer->sent);
    int64_t delay = there + back;
    struct sntp_sample sample = { .offset = (there - back) / 2 };
    sample.usable = delay >= 0 && (nanoseconds)delay < DELAY_LIMIT;
    sample.delay = sample.usable ? (nanoseconds)delay : DELAY_LIMIT;
    sample.shortest = sample.delay;
    sample.error = sample.delay / 2 + answer->distance;
    return sample;
}

static bool agree(const struct sntp_sample *a, const struct sntp_sample *b)
{
    return distance_of(a->offset - b->offset) <= a->error + b->error;
}

int sntp_choose(const struct sntp_sample *samples, unsigned count)
{
    int best = -1;
    unsigned usable = 0;
    for (unsigned i = 0; i < count; i++)
        usable += samples[i].usable;
    for (unsigned i = 0; i < count; i++) {
        unsigned with = 0;
        for (unsigned j = 0; j < count; j++)
            with += samples[j].usable && agree(&samples[i], &samples[j]);
        if (samples[i].usable && 2 * with > usable && (best < 0 || samples[i].error < samples[best].error))
            best = (int)i;
    }
    return best;
}

/* The offset that the sample proves: nearer to 0 by what the delay may have hidden. */
static int64_t proven(const struct sntp_sample *sample)
{
    int64_t doubt = (int64_t)(sample->delay - sample->shortest) / 2;
    if ((int64_t)distance_of(sample->offset) <= doubt)
        return 0;
    return sample->offset > 0 ? sample->offset - doubt : sample->offset + doubt;
}

/* `ns` in `period`, as a gain. A second is more than GAIN_LIMIT makes up for in any period. */
static int64_t gain_of(int64_t ns, nanoseconds period) { return clamp(ns, NS_PER_SECOND) * UNIT / (int64_t)period; }

/* What the correction has worked off by now, in ns. */
static int64_t worked_off(const struct sntp_clock *clock, nanoseconds now)
{
    return (int64_t)((__int128)clock->correction * (int64_t)(now - clock->since) >> 32);
}

static void learn_drift(struct sntp_clock *clock, nanoseconds now, int64_t offset)
{
    nanoseconds passed = now - clock->since;
    int64_t left = clock->expected - worked_off(clock, now);
    clock->drift = clamp(clock->drift + gain_of(offset - left, passed + SETTLING), GAIN_LIMIT);
}

static struct wall_time go_on(struct sntp_clock *clock, nanoseconds wall, nanoseconds now)
{
    clock->since = now;
    return (struct wall_time){ .monotonic = now, .wall = wall, .gain = clock->drift + clock->correction };
}

struct wall_time sntp_follow(struct sntp_clock *clock, const struct wall_time *time, nanoseconds now,
                             const struct sntp_sample *sample, nanoseconds period, bool *stepped)
{
    nanoseconds wall = wall_time_at(time, now);
    int64_t offset = proven(sample);
    *stepped = !clock->met && distance_of(offset) > STEP_LIMIT;
    if (*stepped) {
        wall += (nanoseconds)offset;
        offset = 0;
    } else if (clock->met) {
        learn_drift(clock, now, offset);
    }
    clock->met = true;
    clock->expected = offset;
    clock->correction = clamp(gain_of(offset, period), GAIN_LIMIT);
    return go_on(clock, wall, now);
}

struct wall_time sntp_coast(struct sntp_clock *clock, const struct wall_time *time, nanoseconds now)
{
    clock->expected -= worked_off(clock, now);
    clock->correction = 0;
    return go_on(clock, wall_time_at(time, now), now);
}
