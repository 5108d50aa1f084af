/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device of the stack under test that is a TAP interface of Linux, in a network name space
 * the test process made for itself: it ends with the process. Linux is 10.9.0.1, the stack
 * 10.9.0.2. On the way frames can be lost, doubled, reordered and delayed.
 */
#pragma once

#include "net/support.h"

#define LINUX_ADDRESS 0x0a090001u
#define STACK_ADDRESS 0x0a090002u
#define NOBODY_ADDRESS 0x0a0900c8u

struct impairments {
    double loss, duplication, reordering; /* probabilities for each frame, both ways */
    nanoseconds delay;                    /* each way; reordered frames are not delayed */
    uint64_t rate;                        /* bytes a second each way, 0: no limit; up to 50 ms are queued */
};
extern struct impairments tap_impairments;
extern bool tap_offload;              /* segmentation and checksums as the device announces them */
extern unsigned tap_largest;          /* longest frame seen from the stack; to see segmentation at work */
extern unsigned tap_largest_received; /* and from Linux */

/* Makes the name space and the device, starts and configures the stack. False: not permitted here. */
bool tap_start(void);
/* The same line between two Linux: in place of the stack there is one, with STACK_ADDRESS, in a name space of its
 * own. */
bool tap_start_between(void);
/* From now on the thread's new sockets are of the Linux in the stack's place, or of the other one. */
void tap_enter(bool in_place_of_stack);
/* Another sequence of chances for the line. */
void tap_seed(uint64_t seed);
/* Applies tap_offload to the device. */
void tap_update(void);
/* Sets the MTU on both sides, up to 9001. */
void tap_mtu(unsigned mtu);
/* Injects a frame as if it had come from Linux. */
void tap_inject(const void *frame, size_t length);
/* Runs the stack until `done` or until `time` is over; false: time over. */
bool tap_run(bool (*done)(void *context), void *context, nanoseconds time);
void tap_idle(nanoseconds time);
/* host_test() with the device alive while the test sleeps. */
void tap_test(const char *name, void (*test)(void));
