/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers of time servers mean for the wall clock, for sntp.c. There is no lock and no clock here: times are
 * given, and the state is the caller's struct sntp_clock.
 *
 * The wall clock jumps at most once, at the first sample, and only if that is more than STEP_LIMIT off. From then on it
 * runs faster or slower, so it never goes back. Its gain has two parts, each of at most GAIN_LIMIT. The correction
 * works off the offset until the period's end, or for several periods. The drift makes up for our oscillator: what is
 * left at the next sample, beyond what should be, is its error since the last one. More than an oscillator can be off
 * is a jump of the server's clock, which is followed, but from which no drift is learnt.
 *
 * A leap second is an offset of one second that comes when it was announced for. So the wall clock counts as POSIX
 * wants, without the leap second, and is up to a second off for the half hour in which that is worked off. It begins at
 * the leap second, not before, since servers withdraw announcements, and those that do not smear step then. Whatever
 * was announced, the next sample decides.
 *
 * A sample proves only that the offset lies within its error from what it shows. The time that the way there and back
 * took beyond the shortest one seen of that server counts against it, so that a queue on the way does not move the
 * clock.
 */
#include "lib/date.h"
#include "net/sntp.h"

#define DELAY_LIMIT NS_PER_SECOND
#define STEP_LIMIT (128 * NS_PER_MS) /* STEPT: RFC 5905 11.3 */
#define UNIT (1L << 32)
#define PPM_LIMIT 500 /* parts in a million: MAXFREQ in RFC 5905 11.3, and of Linux and chrony */
#define GAIN_LIMIT (PPM_LIMIT * UNIT / 1000000)
#define SETTLING (192 * NS_PER_SECOND) /* samples this far apart move the drift by half of what they show */
#define DAY (86400 * NS_PER_SECOND)
#define LEAP_NEAR (5 * NS_PER_SECOND) /* as chrony's LEAP_SECOND_CLOSE */

static int64_t clamp(int64_t value, int64_t limit) { return value > limit ? limit : value < -limit ? -limit : value; }

static nanoseconds distance_of(int64_t value) { return (nanoseconds)(value < 0 ? -value : value); }

struct sntp_sample sntp_sample_of(nanoseconds asked, nanoseconds answered, const struct sntp_answer *answer)
{
    int64_t there = (int64_t)(answer->received - asked), back = (int64_t)(answered - answer->sent);
    int64_t delay = there + back;
    struct sntp_sample sample = { .offset = (there - back) / 2, .time = answer->sent, .leap = answer->leap };
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

int sntp_leap_of(const struct sntp_sample *samples, unsigned count, unsigned chosen)
{
    int inserted = 0, deleted = 0, agreed = 0;
    for (unsigned i = 0; i < count; i++) {
        bool counts = samples[i].usable && agree(&samples[i], &samples[chosen]);
        agreed += counts;
        inserted += counts && samples[i].leap > 0;
        deleted += counts && samples[i].leap < 0;
    }
    return (2 * inserted > agreed) - (2 * deleted > agreed);
}

/* ---- Offsets ------------------------------------------------------------------------------------------------ */

/* How far the offset that the sample proves is from the expected one: nearer to it by what the delay may have
 * hidden. */
static int64_t unexpected(const struct sntp_clock *clock, const struct sntp_sample *sample)
{
    int64_t difference = sample->offset - clock->expected, doubt = (int64_t)(sample->delay - sample->shortest) / 2;
    if ((int64_t)distance_of(difference) <= doubt)
        return 0;
    return difference > 0 ? difference - doubt : difference + doubt;
}

/* `ns` in `period`, as a gain. A second is more than GAIN_LIMIT makes up for in any period. */
static int64_t gain_of(int64_t ns, nanoseconds period) { return clamp(ns, NS_PER_SECOND) * UNIT / (int64_t)period; }

/* What the correction has worked off by now, in ns. */
static int64_t worked_off(const struct sntp_clock *clock, nanoseconds now)
{
    return (int64_t)((__int128)clock->correction * (int64_t)(now - clock->since) >> 32);
}

/* Makes `expected` what it is now, when the wall clock shows `wall`. */
static void settle(struct sntp_clock *clock, nanoseconds wall, nanoseconds now)
{
    clock->expected -= worked_off(clock, now);
    clock->since = now;
    if (clock->leap != 0 && wall >= clock->leap_at) {
        clock->expected -= clock->leap * (int64_t)NS_PER_SECOND;
        clock->leap = 0;
    }
}

/* An oscillator is PPM_LIMIT off at most. What is more than that, or than STEP_LIMIT, which it does not come to while
 * its drift is nearly known, is a jump of the server's clock. */
static void learn_drift(struct sntp_clock *clock, nanoseconds now, int64_t error)
{
    nanoseconds passed = now - clock->sampled;
    if (distance_of(error) <= min_of(passed / (1000000 / PPM_LIMIT), (nanoseconds)STEP_LIMIT))
        clock->drift = clamp(clock->drift + gain_of(error, passed + SETTLING), GAIN_LIMIT);
}

/* ---- Leap seconds ------------------------------------------------------------------------------------------- */

/* When the leap second comes that was announced at this time of the server. 0: not on this day. Only the last day of a
 * month has one (RFC 5905 7.3, ITU-R TF.460-6), and earlier warnings of it may be withdrawn. The second that is deleted
 * is 23:59:59. */
static nanoseconds leap_after(nanoseconds time, int leap)
{
    nanoseconds midnight = (time / DAY + 1) * DAY;
    if (leap == 0 || date_of((unsigned)(midnight / DAY)).day != 1)
        return 0;
    return leap > 0 ? midnight : midnight - NS_PER_SECOND;
}

/* What the last sample announces counts, and nothing that was announced before it. */
static void heed_leap(struct sntp_clock *clock, nanoseconds wall, const struct sntp_sample *sample)
{
    clock->leap_at = leap_after(sample->time, sample->leap);
    clock->leap = wall < clock->leap_at ? sample->leap : 0;
}

nanoseconds sntp_leap_due(const struct sntp_clock *clock, const struct wall_time *time, nanoseconds now)
{
    nanoseconds wall = wall_time_at(time, now);
    if (clock->leap == 0)
        return NO_DEADLINE;
    return wall < clock->leap_at ? now + (clock->leap_at - wall) : now;
}

bool sntp_leap_is_near(const struct sntp_clock *clock, nanoseconds wall)
{
    return clock->leap_at != 0 && distance_of((int64_t)(wall - clock->leap_at)) < LEAP_NEAR;
}

/* ---- The clock ---------------------------------------------------------------------------------------------- */

static struct wall_time go_on(struct sntp_clock *clock, nanoseconds wall, nanoseconds now, nanoseconds period)
{
    clock->correction = clamp(gain_of(clock->expected, period), GAIN_LIMIT);
    return (struct wall_time){ .monotonic = now, .wall = wall, .gain = clock->drift + clock->correction };
}

struct wall_time sntp_follow(struct sntp_clock *clock, const struct wall_time *time, nanoseconds now,
                             const struct sntp_sample *sample, nanoseconds period, bool *stepped)
{
    nanoseconds wall = wall_time_at(time, now);
    settle(clock, wall, now);
    int64_t error = unexpected(clock, sample);
    if (clock->met)
        learn_drift(clock, now, error);
    clock->expected += error;
    *stepped = !clock->met && distance_of(clock->expected) > STEP_LIMIT;
    if (*stepped) {
        wall += (nanoseconds)clock->expected;
        clock->expected = 0;
    }
    clock->met = true;
    clock->sampled = now;
    heed_leap(clock, wall, sample);
    return go_on(clock, wall, now, period);
}

struct wall_time sntp_coast(struct sntp_clock *clock, const struct wall_time *time, nanoseconds now, nanoseconds period)
{
    nanoseconds wall = wall_time_at(time, now);
    settle(clock, wall, now);
    return go_on(clock, wall, now, period);
}
