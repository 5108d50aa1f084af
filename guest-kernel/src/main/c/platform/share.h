/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The share of a CPU that what others can raise without end gets: interrupts of devices (platform/native/share.c), and
 * events of other domains (platform/xen/events.c). It is half of the time at most while a thread wants the CPU: when
 * handlers have taken half of a window they rest for as long. How they are kept away, and what ends their rest, is the
 * caller's. The kernel lock; times are monotonic, in ns.
 */
#pragma once

#include "platform/platform.h"

#define SHARE_WINDOW (2 * NS_PER_MS)
#define SHARE_REST_MOST (10 * NS_PER_MS) /* also where handlers seemed long because the host gave the CPU to others */
#define SHARE_RESTS_SAID 50              /* one after the other, without an idle CPU in between */

struct share {
    nanoseconds window; /* when it began */
    nanoseconds used;   /* by handlers since then */
    bool resting;
    nanoseconds ends; /* of the rest */
    unsigned rests;   /* since the CPU was idle */
};

/* A handler has taken `used` since `began`, until `now`. True: a rest begins, after which
 * platform_resume_interrupts() is called; it is worth a line if share_is_said(). */
static inline bool share_charge(struct share *share, nanoseconds used, nanoseconds began, nanoseconds now)
{
    if (began - share->window >= SHARE_WINDOW) {
        share->window = began;
        share->used = 0;
    }
    share->used += used;
    if (share->used < SHARE_WINDOW / 2 || share->resting)
        return false;
    share->resting = true;
    share->ends = now + min_of(share->used, SHARE_REST_MOST);
    share->rests++;
    kernel_resume_interrupts_at(share->ends);
    return true;
}

static inline bool share_is_said(const struct share *share) { return share->rests == SHARE_RESTS_SAID; }

/* The rest is over, before its time if the CPU is idle. */
static inline void share_end_rest(struct share *share, nanoseconds now)
{
    share->resting = false;
    share->window = now;
    share->used = 0;
    if (now < share->ends)
        share->rests = 0;
}
