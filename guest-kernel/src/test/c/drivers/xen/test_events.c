/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels that other domains raise as fast as they can. The program here works in pieces between two deliveries
 * of events; progress is counted in these.
 */
#include <string.h>

#include "host/host.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"

#define TIMER 3U
#define WAKE 70U /* of the second CPU */
#define CARD 80U /* and the ports after it, one for each queue */
#define CARD_QUEUES 4U
#define NOISY 64U /* and the ports after it */
#define NOISY_MOST 4U
#define HANDLER_TIME (20 * NS_PER_US)
#define PIECE (10 * NS_PER_US) /* of work of the program */

static struct shared_info shared;
static unsigned noisy; /* ports that are raised again at once */
static uint64_t handled[NOISY_MOST], timer_events;
static unsigned bound_to[EVENT_PORTS]; /* the CPU that Xen notifies */
static bool binding_fails;

static void raise(uint32_t port)
{
    shared.event_pending[port / 64] |= 1UL << port % 64;
    if (shared.event_mask[port / 64] & 1UL << port % 64)
        return;
    struct vcpu_info *vcpu = &shared.vcpu[bound_to[port]];
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
        bound_to[WAKE] = *(uint32_t *)argument;
        return 0;
    case EVENT_BIND_TO_CPU:
        if (binding_fails || !(shared.event_mask[port / 64] & 1UL << port % 64)) /* an event could be lost */
            return -EINVAL;
        bound_to[port] = ((uint32_t *)argument)[1];
        return 0;
    case EVENT_CLOSE:
        bound_to[port] = 0;
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

static unsigned served_by[CARD_QUEUES], served[CARD_QUEUES];

static void handle_card(uint32_t port, void *context)
{
    CHECK(context == &served[port - CARD]);
    served[port - CARD]++;
    served_by[port - CARD] = this_cpu()->id;
}

static void open_card(void)
{
    for (unsigned i = 0; i < CARD_QUEUES; i++) {
        served[i] = 0;
        event_bind(CARD + i, handle_card, &served[i]);
        event_unmask(CARD + i);
        event_prefer(CARD + i, i);
    }
}

/* Raises all of them, has all CPUs look, and says which CPU had each. */
static void serve_card(void)
{
    for (unsigned i = 0; i < CARD_QUEUES; i++)
        raise(CARD + i);
    for (unsigned cpu = 0; cpu < CARD_QUEUES; cpu++)
        deliver_on(cpu);
}

static void ports_interrupt_the_cpus_that_run(void)
{
    static const unsigned running[] = { 1, 2, 4, 64, 1, 3 };
    unsigned times = 0;
    open_card();
    for (unsigned round = 0; round < array_size(running); round++) {
        if (running[round] == 1)
            events_gather();
        else
            events_spread(running[round]);
        serve_card();
        times++;
        for (unsigned i = 0; i < CARD_QUEUES; i++) {
            CHECK_EQUAL(served[i], times);
            CHECK_EQUAL(served_by[i], i < running[round] ? i : 0);
        }
    }
    events_gather();
    CHECK_EQUAL(host_log()[0], 0);
}

/* What came for the CPU that has the port no more is served once, by the new one. */
static void no_event_is_lost_when_a_port_moves(void)
{
    open_card();
    for (unsigned round = 1; round <= 10; round++) {
        for (unsigned i = 0; i < CARD_QUEUES; i++)
            raise(CARD + i);
        if (round % 2)
            events_spread(CARD_QUEUES);
        else
            events_gather();
        for (unsigned cpu = CARD_QUEUES; cpu-- > 0;)
            deliver_on(cpu);
        for (unsigned i = 0; i < CARD_QUEUES; i++) {
            CHECK_EQUAL(served[i], round);
            CHECK_EQUAL(served_by[i], round % 2 ? i : 0);
        }
    }
}

static void a_new_port_goes_to_its_cpu_at_once(void)
{
    events_spread(2);
    open_card();
    serve_card();
    CHECK(served_by[0] == 0 && served_by[1] == 1 && served_by[2] == 0 && served_by[3] == 0);
    event_close(CARD + 1);
    event_bind(CARD + 1, handle_card, &served[1]);
    event_unmask(CARD + 1);
    serve_card();
    CHECK_EQUAL(served_by[1], 0); /* another device's */
    events_gather();
}

static void a_masked_port_stays_masked_when_it_moves(void)
{
    open_card();
    event_mask(CARD + 1);
    raise(CARD + 1);
    events_spread(CARD_QUEUES);
    deliver_on(0);
    deliver_on(1);
    CHECK_EQUAL(served[1], 0);
    event_unmask(CARD + 1);
    deliver_on(1);
    CHECK_EQUAL(served[1], 1);
    events_gather();
}

static void a_port_that_cannot_move_is_served_where_it_is(void)
{
    open_card();
    binding_fails = true;
    events_spread(CARD_QUEUES);
    binding_fails = false;
    CHECK(strstr(host_log(), "event channel 81 stays with CPU 0: EINVAL") != NULL);
    serve_card();
    for (unsigned i = 0; i < CARD_QUEUES; i++)
        CHECK(served[i] == 1 && served_by[i] == 0);
    events_gather();
}

/* A flood for one CPU takes nothing from the events of another, and its rest ends by the timer of any. */
static void each_cpu_has_a_rest_of_its_own(void)
{
    start(1);
    open_card();
    event_prefer(NOISY, 1);
    events_spread(2);
    noisy = 1;
    raise_noisy();
    deliver_on(1);
    noisy = 0;
    CHECK(shared.event_mask[NOISY / 64] & 1);
    raise(CARD);
    deliver_on(0);
    CHECK_EQUAL(served[0], 1);
    events_resume(); /* CPU 0 is idle; the rest is another's */
    CHECK(shared.event_mask[NOISY / 64] & 1);
    raise(CARD + 1);
    deliver_on(1);
    CHECK_EQUAL(served[1], 0);
    events_gather(); /* the rest goes on where the ports are now */
    host_advance(20 * NS_PER_MS);
    events_resume();
    CHECK(!(shared.event_mask[NOISY / 64] & 1));
    deliver_on(0);
    CHECK_EQUAL(served[1], 1);
    CHECK_EQUAL(served_by[1], 0);
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
    host_test("ports interrupt the CPUs that run", ports_interrupt_the_cpus_that_run);
    host_test("no event is lost when a port moves", no_event_is_lost_when_a_port_moves);
    host_test("a new port goes to its CPU at once", a_new_port_goes_to_its_cpu_at_once);
    host_test("a masked port stays masked when it moves", a_masked_port_stays_masked_when_it_moves);
    host_test("a port that cannot move is served where it is", a_port_that_cannot_move_is_served_where_it_is);
    host_test("each CPU has a rest of its own", each_cpu_has_a_rest_of_its_own);
    host_test("a channel that is closed while it rests stays closed", closed_port_stays_closed);
    return host_result();
}
