/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that were sent and not taken yet: one of each standard signal, a queue of real-time ones
 * in order of arrival (signal(7)). Lock "signals" (linux/signals.h) guards every set.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

#define SIGNAL_REALTIME_FIRST 32
#define signal_bit(n) (1UL << ((n)-1))

/* siginfo_t, the parts a handler sees (sigaction(2)); 128 bytes. */
struct signal_info {
    int32_t number, error, code, padding;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            uint64_t value;
        } sender;
        struct {
            uint32_t number, overruns;
            uint64_t value;
        } timer; /* SI_TIMER */
        uint64_t address;
        uint8_t bytes[112];
    };
};
#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)

/* One signal that waits. On the heap, or kept by a sender whose signals must not be lost when memory is short. */
struct pending_entry {
    struct list link;
    struct signal_info info;
    bool waits; /* it is in a queue */
    bool kept;  /* it is not on the heap */
};

struct pending_signals {
    uint64_t set;      /* signal_bit() of each number that waits */
    unsigned count;    /* entries in the queue */
    struct list queue; /* their infos; a signal without one lacked memory for it */
};

void pending_init(struct pending_signals *pending);
enum pending_result {
    PENDING_WAITS,        /* with its info */
    PENDING_WITHOUT_INFO, /* it waits; its sender will not be known, or is that of an earlier one */
    PENDING_REFUSED,      /* not sent: real-time signals are counted, and there is no room for one
                                            more */
};
/* A second standard signal of one number is dropped unless it is a timer's. `entry` is used if it does not wait yet,
 * else one is allocated; it may be NULL. */
enum pending_result pending_add(struct pending_signals *pending, const struct signal_info *info,
                                struct pending_entry *entry);
/* Takes the lowest number of `wanted`, oldest first. False if there is none. */
bool pending_take(struct pending_signals *pending, uint64_t wanted, struct signal_info *info);
/* Forgets all signals of a number. */
void pending_discard(struct pending_signals *pending, int number);
/* Forgets what a timer of timer_create(2) has sent. */
void pending_discard_timer(struct pending_signals *pending, uint32_t timer);
/* Forgets all and frees what they take. */
void pending_clear(struct pending_signals *pending);
