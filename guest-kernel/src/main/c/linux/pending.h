/*
 * Signals that were sent and not taken yet: one of each standard signal, a queue of real-time ones
 * in order of arrival (signal(7)). Lock "signals" (linux/signals.h) guards every set.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

#define SIGNAL_REALTIME_FIRST 32

struct signal_info;

struct pending_signals {
    uint64_t set;                        /* signal_bit() of each number that waits */
    unsigned count;                      /* entries in the queue */
    struct list queue;                   /* their infos; a signal without one lacked memory for it */
};

void pending_init(struct pending_signals *pending);
/* A second standard signal of one number is dropped unless it is a timer's, as are real-time ones beyond a bound. True if
 * its info waits. */
bool pending_add(struct pending_signals *pending, const struct signal_info *info);
/* Takes the lowest number of `wanted`, oldest first. False if there is none. */
bool pending_take(struct pending_signals *pending, uint64_t wanted, struct signal_info *info);
/* Forgets all signals of a number. */
void pending_discard(struct pending_signals *pending, int number);
/* Forgets what a timer of timer_create(2) has sent. */
void pending_discard_timer(struct pending_signals *pending, uint32_t timer);
/* Forgets all and frees what they take. */
void pending_clear(struct pending_signals *pending);
