/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking events. Each is copied once, and the copy is judged; events of unknown groups are skipped. An event that asks
 * for a reset only notes the fault (ena_fault()); the work is service()'s. A call takes a ring's length at most: the
 * NIC may fill entries as fast as they are given back, and then raises its interrupt again.
 *
 * Lock "events" is the one of struct ena_events; ena_fault() and ena_link_changed() are called without it.
 */
#include "drivers/ena/events.h"

#include "core/log.h"
#include "drivers/ena/nic.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/platform.h"

#define ENTRIES 16u
#define SYNDROME_HINTS 2
#define LINK_UP 1u
#define WARNINGS_MAX 8

void ena_events_start(struct ena_nic *nic)
{
    struct ena_events *events = &nic->events;
    spin_lock(&events->lock);
    memset(events->ring, 0, PAGE_SIZE);
    events->head = 0;
    events->link = false;
    events->device_dropped = 0;
    events->alive_at = clock_monotonic();
    events->started = true;
    ena_write_address(nic, ENA_EVENTS, events->ring);
    ena_write(nic, ENA_EVENTS_SIZE, ENA_RING_SIZE(ENTRIES, sizeof(struct ena_event)));
    spin_unlock(&events->lock);
}

void ena_events_open(struct ena_nic *nic)
{
    spin_lock(&nic->events.lock);
    ena_write(nic, ENA_EVENTS_DOORBELL, (uint32_t)nic->events.head + ENTRIES);
    spin_unlock(&nic->events.lock);
}

void ena_events_stop(struct ena_nic *nic)
{
    spin_lock(&nic->events.lock);
    nic->events.started = nic->events.link = false;
    spin_unlock(&nic->events.lock);
}

static bool take(struct ena_events *events, struct ena_event *event)
{
    const struct ena_event *entry = &events->ring[events->head % ENTRIES];
    if ((__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) & 1u) != ena_phase(events->head, ENTRIES))
        return false;
    memcpy(event, entry, sizeof(*event));
    compiler_barrier(); /* the NIC may change it: it is read once */
    events->head++;
    return true;
}

/* ---- What they mean ---- */

static uint64_t counter(const struct ena_event *event, unsigned index)
{
    return event->data[index] | (uint64_t)event->data[index + 1] << 32;
}

/* The NIC counts from its reset on. */
static void stay_alive(struct ena_nic *nic, const struct ena_event *event)
{
    uint64_t dropped = counter(event, 0) + counter(event, 2) + counter(event, 4);
    if (dropped > nic->events.device_dropped)
        nic->network.dropped += dropped - nic->events.device_dropped;
    nic->events.device_dropped = dropped;
    nic->events.alive_at = clock_monotonic();
}

static void notify(struct ena_nic *nic, const struct ena_event *event)
{
    if (event->syndrome == SYNDROME_HINTS)
        memcpy(&nic->hints, event->data, sizeof(nic->hints));
}

static void warn(struct ena_nic *nic, const struct ena_event *event)
{
    if (nic->events.warnings++ < WARNINGS_MAX)
        log_info("%s: the NIC warns of %u", nic->network.name, event->syndrome);
}

/* The reason for a reset that the event asks for, or ENA_NORMAL. */
static enum ena_reason handle(struct ena_nic *nic, const struct ena_event *event)
{
    switch (event->group) {
    case ENA_EVENT_LINK:
        nic->events.link = event->data[0] & LINK_UP;
        break;
    case ENA_EVENT_FATAL:
        return ENA_GENERIC;
    case ENA_EVENT_WARNING:
        warn(nic, event);
        break;
    case ENA_EVENT_NOTIFICATION:
        notify(nic, event);
        break;
    case ENA_EVENT_KEEP_ALIVE:
        stay_alive(nic, event);
        break;
    case ENA_EVENT_RESET:
        return ENA_ASKED_FOR;
    }
    return ENA_NORMAL;
}

static enum ena_reason take_all(struct ena_nic *nic)
{
    struct ena_events *events = &nic->events;
    struct ena_event event;
    enum ena_reason reason = ENA_NORMAL;
    unsigned taken = 0;
    while (events->started && taken < ENTRIES && take(events, &event)) {
        enum ena_reason asked = handle(nic, &event);
        reason = reason == ENA_NORMAL ? asked : reason;
        taken++;
    }
    compiler_barrier();
    if (taken > 0)
        ena_write(nic, ENA_EVENTS_DOORBELL, (uint16_t)(events->head + ENTRIES));
    return reason;
}

void ena_events_take(struct ena_nic *nic)
{
    spin_lock(&nic->events.lock);
    enum ena_reason reason = take_all(nic);
    spin_unlock(&nic->events.lock);
    if (reason != ENA_NORMAL)
        ena_fault(nic, reason);
    ena_link_changed(nic);
}

void ena_events_interrupt(void *context) { ena_events_take(context); }
