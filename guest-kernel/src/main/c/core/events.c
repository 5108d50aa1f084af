/* SPDX-License-Identifier: Apache-2.0 */
#include "core/events.h"
#include "core/cycles.h"
#include "core/dump.h"
#include "core/log.h"

#define EVENTS 64

static struct event {
    const char *what;
    uint64_t a, b;
    uint64_t cycles;
} ring[EVENTS];
static uint32_t next;

DUMP_ADDRESS("events", ring);
DUMP_VALUE("events.count", EVENTS);
DUMP_ADDRESS("events.next", next);
DUMP_VALUE("event.size", sizeof(struct event));
DUMP_OFFSET(event, what);
DUMP_OFFSET(event, a);
DUMP_OFFSET(event, b);

void event_record(const char *what, uint64_t a, uint64_t b)
{
    uint32_t at = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % EVENTS;
    ring[at] = (struct event){ what, a, b, cycles_now() };
}

void events_print(void)
{
    for (uint32_t i = 0; i < EVENTS; i++) {
        const struct event *event = &ring[(next + i) % EVENTS];
        if (event->what)
            log_always("event %lu %s %lx %lx", cycles_time(event->cycles) / NS_PER_US, event->what, event->a, event->b);
    }
}
