/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch over the NIC, and resets of every reason: the device comes up again with the same address, what was under
 * way is lost, counted and freed, and the stack sees a device that is not running meanwhile.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/driver.h"
#include "drivers/ena/events.h"
#include "drivers/ena/registers.h"
#include "host/host.h"

static uint8_t frame[2000];

static bool start(void)
{
    struct model_variant v = model_usual();
    v.llq_sizes = 1;
    (void)host_log();
    return driver_start(v);
}

/* As the stack makes it where the NIC completes no checksums. */
static struct packet *make_complete(uint32_t payload, uint8_t seed)
{
    struct packet *packet = packet_allocate(sizeof(frame));
    (void)packet_put(packet, make_frame(packet_data(packet), payload, seed));
    return packet;
}

/* Packets come and go. */
static bool works(void)
{
    unsigned frames = fake.frames;
    forget_received();
    bool sent = driver_send(stack.device->checksum_offload ? make_packet(700, 2, 4) : make_complete(700, 4));
    bool arrived = model_receive(&fake.model, frame, make_frame(frame, 800, 5));
    fake_interrupts();
    return sent && arrived && fake.frames == frames + 1 && left_as(frames, 700, 4) && stack.received_count == 1 &&
           received_as(0, 800, 5) && model_buffers(&fake.model, 0) == 63 && stack.device->running;
}

/* The NIC was reset for this reason, and works again. */
static void is_reset_for(enum ena_reason reason)
{
    NO_VIOLATION();
    CHECK_EQUAL(fake.model.resets, 2);
    CHECK_EQUAL(fake.model.reset_reason, reason);
    CHECK(strstr(host_log(), "the NIC is reset, for reason") != NULL);
    CHECK(works());
    NO_VIOLATION();
}

static void lives_on(void)
{
    CHECK(start());
    for (unsigned i = 0; i < 40; i++) {
        driver_run(NS_PER_SECOND);
        CHECK(works());
    }
    NO_VIOLATION();
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK_EQUAL(stack.link_changes, 0);
}

static void notices_a_lost_sign_of_life(void)
{
    CHECK(start());
    driver_run(10 * NS_PER_SECOND);
    fake.model.faults.no_keep_alive = true;
    driver_run(5 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    driver_run(3 * NS_PER_SECOND);
    fake.model.faults.no_keep_alive = false;
    is_reset_for(ENA_KEEP_ALIVE_LOST);
    CHECK_EQUAL(stack.link_changes, 2);
}

static void takes_hints(void)
{
    struct model_variant v = model_usual();
    v.hints = true;
    v.keep_alive_ms = 2500;
    CHECK(driver_start(v));
    fake.model.faults.no_keep_alive = true;
    driver_run(4 * NS_PER_SECOND);
    fake.model.faults.no_keep_alive = false;
    is_reset_for(ENA_KEEP_ALIVE_LOST);
    v.keep_alive_ms = UINT16_MAX;
    CHECK(driver_start(v));
    fake.model.faults.no_keep_alive = true;
    driver_run(60 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    const uint16_t hints[8] = { 0, 3000 };
    CHECK(model_event(&fake.model, ENA_EVENT_NOTIFICATION, 2, hints, sizeof(hints)));
    driver_run(5 * NS_PER_SECOND);
    fake.model.faults.no_keep_alive = false;
    is_reset_for(ENA_KEEP_ALIVE_LOST);
    v.event_groups &= ~(1u << ENA_EVENT_KEEP_ALIVE);
    v.keep_alive_ms = 0;
    CHECK(driver_start(v));
    driver_run(60 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    NO_VIOLATION();
}

static void notices_a_fatal_state(void)
{
    CHECK(start());
    model_break(&fake.model);
    driver_run(2 * NS_PER_SECOND);
    is_reset_for(ENA_GENERIC);
    CHECK(start());
    fake.model.status |= ENA_STATUS_FATAL; /* without an event */
    driver_run(3 * NS_PER_SECOND);
    is_reset_for(ENA_GENERIC);
}

static void does_as_the_nic_asks(void)
{
    CHECK(start());
    CHECK(model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0));
    driver_run(2 * NS_PER_SECOND);
    is_reset_for(ENA_ASKED_FOR);
    struct model_variant v = model_usual();
    v.capabilities = 0; /* it does not know this reason */
    CHECK(driver_start(v));
    CHECK(model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0));
    driver_run(2 * NS_PER_SECOND);
    is_reset_for(ENA_GENERIC);
}

static void passes_over_other_events(void)
{
    CHECK(start());
    for (unsigned group = 8; group < 60; group++) {
        (void)model_event(&fake.model, group % 2 ? group * 1000 : ENA_EVENT_WARNING, group, "", 0);
        driver_run(NS_PER_MS);
    }
    driver_run(2 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    const char *log = host_log();
    CHECK(strstr(log, "warns of 8") != NULL && strstr(log, "warns of 40") == NULL);
    CHECK(works());
    NO_VIOLATION();
}

/* What is under way when the NIC is reset is lost; the stack, which waits, goes on. */
static void loses_what_was_under_way(void)
{
    CHECK(start());
    uint64_t blocks = host_heap_blocks(), pages = host_pages_in_use();
    fake.model.hold = true;
    unsigned sent = 1;
    while (driver_send(make_packet(1000, 3, 1)))
        sent++;
    CHECK(model_receive(&fake.model, frame, make_frame(frame, 800, 5)));
    CHECK(model_event(&fake.model, ENA_EVENT_FATAL, 0, "", 0));
    fake.model.hold = false;
    fake.model.faults.reset_ignored = true;
    driver_run(NS_PER_SECOND);
    CHECK(!stack.device->running);
    CHECK_EQUAL(stack.ready, 1);
    CHECK_EQUAL(stack.link_changes, 1);
    CHECK(driver_send(make_packet(10, 1, 0)));
    CHECK_EQUAL(stack.device->dropped, 1);
    fake.model.faults.reset_ignored = false;
    driver_run(12 * NS_PER_SECOND);
    CHECK_EQUAL(stack.device->dropped, sent + 1);
    CHECK_EQUAL(stack.link_changes, 2);
    CHECK(works());
    forget_received();
    CHECK_EQUAL(host_heap_blocks(), blocks);
    CHECK_EQUAL(host_pages_in_use(), pages);
}

static void notices_missing_completions(void)
{
    CHECK(start());
    fake.model.faults.packets_lost = true;
    for (unsigned i = 0; i < 128; i++)
        CHECK(driver_send(make_packet(100, 0, 1)));
    driver_run(8 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK(driver_send(make_packet(100, 0, 1)));
    driver_run(4 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    fake.model.faults.packets_lost = false;
    driver_run(3 * NS_PER_SECOND);
    is_reset_for(ENA_SENT_MISSING);
    CHECK_EQUAL(stack.device->dropped, 129);
}

static void notices_missing_interrupts(void)
{
    CHECK(start());
    fake.model.faults.no_interrupts = true;
    CHECK(model_receive(&fake.model, frame, make_frame(frame, 800, 5)));
    driver_run(2 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    driver_run(3 * NS_PER_SECOND);
    fake.model.faults.no_interrupts = false;
    is_reset_for(ENA_INTERRUPT_MISSING);
}

/* ---- Resets that fail ---- */

static void fails_once(enum model_admin_fault fault, unsigned n)
{
    CHECK(start());
    CHECK(model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0));
    fake.model.faults.admin_number = n;
    fake.model.faults.admin = fault;
    fake.model.faults.admin_status = 6;
    driver_run(30 * NS_PER_SECOND);
    NO_VIOLATION();
    CHECK(fake.model.resets >= 2 && fake.model.resets <= 3);
    CHECK(works());
    NO_VIOLATION();
}

static void stands_each_failing_command(void)
{
    for (unsigned n = 1; n < 16; n++) {
        fails_once(ADMIN_SILENT, n);
        fails_once(ADMIN_STATUS, n);
        fails_once(ADMIN_WRONG_ID, n);
    }
}

/* It was silent: that is the reason of the next reset. */
static void names_a_silent_queue(void)
{
    CHECK(start());
    CHECK(model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0));
    fake.model.faults.admin_dead = true;
    driver_run(8 * NS_PER_SECOND);
    CHECK(!stack.device->running);
    CHECK(strstr(host_log(), "does not come up again: ETIMEDOUT") != NULL);
    fake.model.faults.admin_dead = false;
    driver_run(15 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 3);
    CHECK_EQUAL(fake.model.reset_reason, ENA_ADMIN_SILENT);
    CHECK(works());
}

static void comes_back(void)
{
    CHECK(start());
    fake.gone = true;
    driver_run(300 * NS_PER_SECOND);
    CHECK(!stack.device->running);
    const char *log = host_log();
    CHECK(strstr(log, "does not come up again: ENODEV") != NULL);
    CHECK(strstr(strstr(log, "come up again") + 1, "come up again") == NULL);
    fake.gone = false;
    driver_run(15 * NS_PER_SECOND);
    CHECK(works());
    NO_VIOLATION();
}

static void refuses_another_address(void)
{
    CHECK(start());
    CHECK(model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0));
    fake.model.variant.mac[5]++;
    driver_run(5 * NS_PER_SECOND);
    CHECK(!stack.device->running);
    CHECK(strstr(host_log(), "does not come up again: ENXIO") != NULL);
    fake.model.variant.mac[5]--;
    driver_run(15 * NS_PER_SECOND);
    CHECK(works());
    NO_VIOLATION();
}

/* After a reset it can do less. */
static void takes_a_nic_that_can_do_less(void)
{
    CHECK(start());
    CHECK(model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0));
    fake.model.variant.tx_depth = fake.model.variant.rx_depth = 64;
    fake.model.variant.tx_offloads = 0;
    fake.model.variant.llq_sizes = 0;
    fake.model.variant.max_mtu = 1500;
    driver_run(2 * NS_PER_SECOND);
    NO_VIOLATION();
    CHECK(stack.device->running);
    CHECK(!stack.device->checksum_offload && !stack.device->segmentation_offload);
    CHECK_EQUAL(stack.device->max_mtu, 1500);
    CHECK_EQUAL(fake.model.submission_queues[0].depth, 64);
    struct packet *packet = make_packet(100, 1, 0);
    uint64_t dropped = stack.device->dropped;
    CHECK(driver_send(packet)); /* of before, with a checksum to be completed */
    CHECK_EQUAL(stack.device->dropped, dropped + 1);
    packet = make_packet(100, 1, 0);
    packet->flags = 0;
    CHECK(driver_send(packet));
    CHECK_EQUAL(fake.frames, 1);
    NO_VIOLATION();
}

/* A NIC that asks all the time gets one reset a second, and few lines in the log. */
static void resets_once_a_second(void)
{
    CHECK(start());
    for (unsigned i = 0; i < 600; i++) {
        (void)model_event(&fake.model, ENA_EVENT_RESET, 0, "", 0);
        driver_run(100 * NS_PER_MS);
    }
    CHECK(fake.model.resets > 20 && fake.model.resets <= 62);
    unsigned lines = 0;
    for (const char *at = host_log(); (at = strchr(at, '\n')); at++)
        lines++;
    CHECK(lines <= 18);
    driver_run(2 * NS_PER_SECOND);
    CHECK(works());
    NO_VIOLATION();
}

void test_recovery(void)
{
    host_test("ena: a NIC that works is left alone", lives_on);
    host_test("ena: a lost sign of life", notices_a_lost_sign_of_life);
    host_test("ena: the NIC's hints of times", takes_hints);
    host_test("ena: a fatal state", notices_a_fatal_state);
    host_test("ena: a reset that the NIC asks for", does_as_the_nic_asks);
    host_test("ena: other events", passes_over_other_events);
    host_test("ena: what was under way is lost in a reset", loses_what_was_under_way);
    host_test("ena: missing completions", notices_missing_completions);
    host_test("ena: missing interrupts", notices_missing_interrupts);
    host_test("ena: each command may fail after a reset", stands_each_failing_command);
    host_test("ena: a silent queue of commands", names_a_silent_queue);
    host_test("ena: a NIC that is gone for a while", comes_back);
    host_test("ena: another address after a reset", refuses_another_address);
    host_test("ena: a NIC that can do less after a reset", takes_a_nic_that_can_do_less);
    host_test("ena: one reset a second at most", resets_once_a_second);
}
