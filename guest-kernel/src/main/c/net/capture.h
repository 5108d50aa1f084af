/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture of packets: with `capture=BYTES` on the kernel's command line the first BYTES of each frame that a network
 * device sends or receives are printed, as lines of the log that tools/capture turns into a file for Wireshark:
 *
 *   capture SECONDS.MICROSECONDS LENGTH OFFSET HEXADECIMAL
 *
 * SECONDS are those of the monotonic clock, LENGTH is that of the whole frame, and a frame that is longer than
 * CAPTURE_LINE has several lines, in order. As in any capture on the machine itself, a frame that the device is to
 * segment or to complete with its checksum is seen as the device gets it. The console is slower than a network: lines
 * for which it has no room are dropped, and a line says how many.
 */
#pragma once

#include "core/packet.h"

#define CAPTURE_LINE 192u   /* bytes of a frame in one line */
#define CAPTURE_MOST 65535u /* BYTES at most: the longest frame */

/* 0: nothing is captured, which costs a frame one test. Set at boot, and by the host's requests
 * (linux/host_channel.h). */
extern uint32_t capture_bytes;

/* `value` is what follows capture=, a number from 0 to CAPTURE_MOST; else false, and nothing changes. */
bool capture_parse(const char *value);
void capture_frame(const struct packet *frame);

/* A frame goes to a device or comes from one. Any context. */
static inline void capture(const struct packet *frame)
{
    if (unlikely(capture_bytes))
        capture_frame(frame);
}
