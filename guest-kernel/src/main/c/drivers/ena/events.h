/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: what the NIC says unasked, in a ring of memory (amzn-drivers: "AENQ"). They are taken in the interrupt
 * handler of management and in service(). Lock "events" of struct ena_events.
 */
#pragma once

#include "core/lock.h"
#include "lib/types.h"

struct ena_nic;

enum ena_event_group {
    ENA_EVENT_LINK = 0,
    ENA_EVENT_FATAL = 1,
    ENA_EVENT_WARNING = 2,
    ENA_EVENT_NOTIFICATION = 3,
    ENA_EVENT_KEEP_ALIVE = 4,
    ENA_EVENT_RESET = 7,
};
#define ENA_EVENTS_WANTED \
    (1u << ENA_EVENT_LINK | 1u << ENA_EVENT_FATAL | 1u << ENA_EVENT_WARNING | 1u << ENA_EVENT_NOTIFICATION | \
     1u << ENA_EVENT_KEEP_ALIVE | 1u << ENA_EVENT_RESET)

struct ena_event {
    uint16_t group;
    uint16_t syndrome;
    uint8_t flags; /* bit 0: phase */
    uint8_t reserved[3];
    uint32_t time[2];
    uint32_t data[12];
};
_Static_assert(sizeof(struct ena_event) == 64, "an entry of the ring");

struct ena_events {
    struct spinlock lock; /* guards the rest */
    struct ena_event *ring;
    uint16_t head;           /* counted on and on */
    bool started;            /* the NIC has the ring and may use it */
    bool link;               /* the NIC has a link */
    nanoseconds alive_at;    /* when the NIC last said so */
    uint64_t device_dropped; /* packets that the NIC said it had no room for */
    unsigned warnings;       /* that were logged */
};

/* Gives the ring to the NIC. */
void ena_events_start(struct ena_nic *nic);
/* Lets the NIC use all entries. */
void ena_events_open(struct ena_nic *nic);
/* The NIC is about to be reset: no event counts any more. */
void ena_events_stop(struct ena_nic *nic);
/* Takes what the NIC has said, a ring's length at most. Any context. */
void ena_events_take(struct ena_nic *nic);
/* The interrupt of management; `context` is the struct ena_nic. */
void ena_events_interrupt(void *context);
