/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels that other domains raise as fast as they can. The program here works in pieces between two deliveries
 * of events; progress is counted in these.
 */
#include <string.h>

#include "host/host.h"
#include "platform/platform.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"

#define TIMER 3U
#define WAKE 70U  /* of the second CPU */
#define NOISY 64U /* and the ports after it */
#define NOISY_MOST 4U
#define HANDLER_TIME (20 * NS_PER_US)
#define PIECE (10 * NS_PER_US) /* of work of the program */

static struct shared_info shared;
static unsigned noisy; /* ports that are raised again at once */
static uint64_t handled[NOISY_MOST], timer_events;

static void raise(uint32_t port)
{
    shared.event_pending[port / 64] |= 1UL << port % 64;
    if (shared.event_mask[port / 64] & 1UL << port % 64)
        return;
    struct vcpu_info *vcpu = &shared.vcpu[port == WAKE];
    vcpu->pending_words |= 1UL << port / 64;
    vcpu->upcall_pending = 1;
}

int64_t hypercall_event(unsigned command, void *argument)
{
    uint32_t port = *(uint32_t *)argument;
    switch (command) {
    case EVENT_UNMASK:
        shared.event_mask[port / 64] &= ~(1UL << port % 64);
        if (shared.event_pending[port / 64] & 1UL << port % 64)
            raise(port);
        return 0;
    case EVENT_BIND_VIRTUAL_INTERRUPT:
        ((uint32_t *)argument)[2] = TIMER;
        return 0;
    case EVENT_BIND_BETWEEN_CPUS:
        ((uint32_t *)argument)[1] = WAKE;
        return 0;
    default:
        return 0;
    }
}

void platform_resume_interrupts(void) { events_resume(); }

static void raise_noisy(void)
{
    for (unsigned i = 0; i < noisy; i++)
        raise(NOISY + i);
}

static void handle_noise(uint32_t port, void *context)
{
    (void)context;
    handled[port - NOISY]++;
    host_advance(HANDLER_TIME);
    raise_noisy();
}

static void handle_timer(uint32_t port, void *context)
{
    (void)port, (void)context;
    timer_events++;
}

static void start(unsigned count)
{
    noisy = count;
    shared.event_mask[NOISY / 64] = shared.event_mask[0] = UINT64_MAX;
    for (unsigned i = 0; i < NOISY_MOST; i++) {
        handled[i] = 0;
        event_bind(NOISY + i, handle_noise, NULL);
        event_unmask(NOISY + i);
    }
    CHECK_EQUAL(event_bind_virtual(0, 0), TIMER);
    event_bind(TIMER, handle_timer, NULL);
    event_unmask(TIMER);
}

/* Pieces of work that the program does in this time, with events delivered between two of them. */
static uint64_t work(nanoseconds time)
{
    uint64_t pieces = 0;
    for (nanoseconds end = clock_monotonic() + time; clock_monotonic() < end; pieces++) {
        raise_noisy();
        events_dispatch(&shared.vcpu[this_cpu()->id]);
        host_advance(PIECE);
    }
    return pieces;
}

static void storm(unsigned ports)
{
    start(ports);
    uint64_t pieces = work(NS_PER_SECOND), events = 0;
    for (unsigned i = 0; i < ports; i++) {
        CHECK(handled[i] > 0);
        events += handled[i];
    }
    CHECK(pieces * PIECE >= NS_PER_SECOND * 45 / 100);
    CHECK(events * HANDLER_TIME >= NS_PER_SECOND * 35 / 100);
    noisy = 0;
    (void)work(10 * NS_PER_MS);
}

static void storm_of_one(void)
{
    storm(1);
    const char *said = strstr(host_log(), "events take half of the CPU, most recently on channel 64");
    CHECK(said != NULL && strstr(said + 1, "events take") == NULL);
}

static void storm_of_four(void) { storm(4); }

/* Handlers that find nothing to do: nearly all of the time goes into getting to them and back, and a new event is there
 * before the program has done more than a little. */
static void find_nothing(uint32_t port, void *context)
{
    (void)context;
    handled[port - NOISY]++;
}

static void storm_of_cheap_ones(void)
{
    enum { WAY = 2 * NS_PER_US, LITTLE = 100 };
    nanoseconds worked = 0, end = clock_monotonic() + 100 * NS_PER_MS;
    start(0);
    event_bind(NOISY, find_nothing, NULL);
    while (clock_monotonic() < end) {
        raise(NOISY);
        if (shared.vcpu[0].upcall_pending)
            host_advance(WAY);
        events_dispatch(&shared.vcpu[0]);
        host_advance(LITTLE);
        worked += LITTLE;
    }
    CHECK(worked >= 45 * NS_PER_MS);
    CHECK(handled[0] * WAY >= 35 * NS_PER_MS);
    (void)work(10 * NS_PER_MS);
}

static void few_events_never_rest(void)
{
    start(0);
    for (unsigned i = 0; i < 1000; i++) {
        raise(NOISY);
        events_dispatch(&shared.vcpu[this_cpu()->id]);
        CHECK_EQUAL(handled[0], i + 1);
        host_advance(2 * HANDLER_TIME);
    }
}

/* Stops in the middle of a rest. */
static void rest_begins(void)
{
    start(1);
    raise_noisy();
    events_dispatch(&shared.vcpu[this_cpu()->id]);
    CHECK(shared.event_mask[NOISY / 64] & 1);
    noisy = 0;
}

static void timer_does_not_rest(void)
{
    rest_begins();
    uint64_t before = timer_events;
    raise(TIMER);
    events_dispatch(&shared.vcpu[this_cpu()->id]);
    CHECK_EQUAL(timer_events, before + 1);
    CHECK(shared.event_mask[NOISY / 64] & 1);
    host_advance(2 * NS_PER_MS);
    CHECK(!(shared.event_mask[NOISY / 64] & 1));
    events_dispatch(&shared.vcpu[this_cpu()->id]);
}

static void idle_cpu_serves_at_once(void)
{
    rest_begins();
    uint64_t before = handled[0];
    for (unsigned i = 0; i < 100; i++) {
        events_resume();
        events_dispatch(&shared.vcpu[this_cpu()->id]);
        CHECK_EQUAL(handled[0], ++before);
        noisy = 1;
        raise_noisy();
        events_dispatch(&shared.vcpu[this_cpu()->id]);
        noisy = 0;
        before = handled[0];
    }
    CHECK_EQUAL(host_log()[0], 0); /* nothing is wrong with that */
    host_advance(20 * NS_PER_MS);
    events_dispatch(&shared.vcpu[this_cpu()->id]);
    before = handled[0];
    host_advance(2 * NS_PER_MS);
    CHECK_EQUAL(handled[0], before);
}

static void closed_port_stays_closed(void)
{
    rest_begins();
    event_close(NOISY);
    host_advance(2 * NS_PER_MS);
    CHECK(shared.event_mask[NOISY / 64] & 1);
}

static unsigned wakes;

static void handle_wake(uint32_t port, void *context)
{
    (void)port, (void)context;
    wakes++;
}

static void deliver_on(unsigned cpu)
{
    this_cpu()->id = cpu;
    events_dispatch(&shared.vcpu[cpu]);
    this_cpu()->id = 0;
}

/* Both ports are in one word of the bitmaps. */
static void each_cpu_serves_its_own(void)
{
    start(0);
    CHECK_EQUAL(event_bind_between_cpus(1), WAKE);
    event_bind(WAKE, handle_wake, NULL);
    event_unmask(WAKE);
    raise(NOISY);
    raise(WAKE);
    deliver_on(1);
    CHECK_EQUAL(wakes, 1);
    CHECK_EQUAL(handled[0], 0);
    raise(WAKE);
    deliver_on(0);
    CHECK_EQUAL(wakes, 1);
    CHECK_EQUAL(handled[0], 1);
    deliver_on(1);
    CHECK_EQUAL(wakes, 2);
}

/* Only the CPU that the events interrupt is idle when it is. */
static void another_cpu_does_not_end_the_rest(void)
{
    rest_begins();
    this_cpu()->id = 1;
    events_resume();
    this_cpu()->id = 0;
    CHECK(shared.event_mask[NOISY / 64] & 1);
    host_advance(2 * NS_PER_MS);
    CHECK(!(shared.event_mask[NOISY / 64] & 1));
}

int main(void)
{
    host_init();
    events_init(&shared);
    host_test("a channel that is always up leaves the program half of the CPU", storm_of_one);
    host_test("so do four of them, and each is served", storm_of_four);
    host_test("and of events that find nothing to do", storm_of_cheap_ones);
    host_test("channels that come now and then are served at once", few_events_never_rest);
    host_test("the timer does not rest", timer_does_not_rest);
    host_test("an idle CPU ends the rest", idle_cpu_serves_at_once);
    host_test("each CPU serves its own channels", each_cpu_serves_its_own);
    host_test("an idle CPU ends no rest of another one's", another_cpu_does_not_end_the_rest);
    host_test("a channel that is closed while it rests stays closed", closed_port_stays_closed);
    return host_result();
}
