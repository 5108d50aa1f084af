/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NICs that complete what they were not given, or in the wrong form: each ends in a reset with the right reason, after
 * which packets come and go, and nothing of the driver's memory is lost. The sanitizers watch the accesses.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/ena/driver.h"
#include "drivers/ena/events.h"
#include "drivers/ena/registers.h"
#include "host/host.h"

#define FIRST 0x04
#define LAST 0x08

static uint8_t frame[9100];
static uint64_t pages, blocks;

static bool start(struct model_variant v)
{
    (void)host_log();
    if (!driver_start(v))
        return false;
    pages = host_pages_in_use();
    blocks = host_heap_blocks();
    return true;
}

static void is_reset_for(enum ena_reason reason)
{
    forget_received();
    driver_run(2 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 2);
    CHECK_EQUAL(fake.model.reset_reason, reason);
    CHECK(stack.device->running);
    CHECK(model_receive(&fake.model, frame, make_frame(frame, 800, 5)));
    fake_interrupts();
    CHECK(stack.received_count == 1 && received_as(0, 800, 5));
    forget_received();
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    NO_VIOLATION();
}

/* ---- Reception ---- */

static void post_received(uint16_t id, uint16_t length, uint8_t marks, uint8_t zeros)
{
    const uint8_t entry[16] = {
        zeros, 0, 0, marks, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)id, (uint8_t)(id >> 8)
    };
    model_post_received(&fake.model, 0, entry);
}

static void received_ids(void)
{
    static const uint16_t ids[] = { 63, 64, 1000, 0x7fff, 0xffff };
    for (unsigned i = 0; i < array_size(ids); i++) {
        CHECK(start(model_usual()));
        post_received(ids[i], 100, FIRST | LAST, 0);
        fake_interrupts();
        is_reset_for(ENA_BAD_RECEIVE_ID);
    }
    /* Twice the same, within a packet: after one its buffer is posted again. */
    CHECK(start(model_usual()));
    post_received(3, 100, FIRST, 0);
    post_received(3, 100, LAST, 0);
    fake_interrupts();
    is_reset_for(ENA_BAD_RECEIVE_ID);
}

static void received_lengths(void)
{
    CHECK(start(model_usual()));
    post_received(0, 4097, FIRST | LAST, 0);
    fake_interrupts();
    is_reset_for(ENA_RECEIVE_MALFORMED);
    CHECK(start(model_usual()));
    post_received(0, 0, FIRST | LAST, 0);
    post_received(1, 0, FIRST, 0);
    post_received(2, 0, LAST, 0);
    fake_interrupts();
    CHECK_EQUAL(stack.device->dropped, 2);
    CHECK_EQUAL(stack.received_count, 0);
    driver_run(2 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK(stack.device->running);
}

static void received_order(void)
{
    CHECK(start(model_usual()));
    post_received(0, 100, LAST, 0);
    fake_interrupts();
    is_reset_for(ENA_RECEIVE_MALFORMED);
    CHECK(start(model_usual()));
    post_received(0, 100, FIRST, 0);
    post_received(1, 100, FIRST | LAST, 0);
    fake_interrupts();
    is_reset_for(ENA_RECEIVE_MALFORMED);
}

static void received_too_many(void)
{
    CHECK(start(model_usual()));
    for (uint16_t i = 0; i < 9; i++)
        post_received(i, 10, i == 0 ? FIRST : 0, 0);
    fake_interrupts();
    is_reset_for(ENA_TOO_MANY_BUFFERS);
    struct model_variant v = model_usual();
    v.rx_pieces = 60;
    CHECK(start(v));
    for (uint16_t i = 0; i < 19; i++)
        post_received(i, 10, i == 0 ? FIRST : 0, 0);
    fake_interrupts();
    is_reset_for(ENA_TOO_MANY_BUFFERS);
}

/* A packet of as many buffers as there may be, and one whose rest comes later. */
static void received_in_parts(void)
{
    CHECK(start(model_usual()));
    for (uint16_t i = 0; i < 8; i++) {
        post_received(i, 4096, i == 0 ? FIRST : i == 7 ? LAST : 0, 0);
        fake_interrupts();
        CHECK_EQUAL(stack.received_count, i == 7);
    }
    CHECK_EQUAL(stack.received[0]->length, 8 * 4096);
    forget_received();
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void received_zeros(void)
{
    struct model_variant v = model_usual();
    v.capabilities |= 1u << 4;
    CHECK(start(v));
    post_received(0, 100, FIRST | LAST, 0x80);
    fake_interrupts();
    is_reset_for(ENA_RECEIVE_MALFORMED);
    CHECK(start(model_usual()));
    post_received(0, 100, FIRST | LAST, 0x80);
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, 1);
}

static void received_old_phase(void)
{
    CHECK(start(model_usual()));
    post_received(0, 100, FIRST | LAST | 1, 0);
    fake_interrupts();
    driver_run(2 * NS_PER_SECOND);
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK_EQUAL(stack.received_count, 0);
}

/* ---- Transmission ---- */

static void post_sent(uint16_t id, uint8_t flags)
{
    const uint8_t entry[8] = { (uint8_t)id, (uint8_t)(id >> 8), 0, flags };
    model_post_sent(&fake.model, 0, entry);
}

static void sent_ids(void)
{
    static const uint16_t ids[] = { 0, 255, 256, 512, 0x8000, 0xffff };
    for (unsigned i = 0; i < array_size(ids); i++) {
        CHECK(start(model_usual()));
        post_sent(ids[i], 0);
        fake_interrupts();
        is_reset_for(ENA_BAD_SEND_ID);
    }
    /* Twice the same, found by the next packet that is sent. */
    CHECK(start(model_usual()));
    fake.model.hold = true;
    CHECK(driver_send(make_packet(100, 1, 1)));
    CHECK(driver_send(make_packet(100, 1, 1)));
    post_sent(0, 0);
    post_sent(0, 0);
    CHECK(driver_send(make_packet(100, 1, 1)));
    CHECK_EQUAL(stack.device->dropped, 1);
    fake.model.hold = false;
    is_reset_for(ENA_BAD_SEND_ID);
    CHECK_EQUAL(stack.device->dropped, 2);
}

static void sent_zeros(void)
{
    struct model_variant v = model_usual();
    v.capabilities |= 1u << 4;
    CHECK(start(v));
    fake.model.hold = true;
    CHECK(driver_send(make_packet(100, 1, 1)));
    post_sent(0, 0x40);
    fake_interrupts();
    fake.model.hold = false;
    is_reset_for(ENA_SEND_MALFORMED);
}

/* ---- Everything at once ---- */

/* Entries that are anything, for a while: the driver resets the NIC as often as that, and works when it is over. */
static void anything(void)
{
    struct model_variant v = model_usual();
    v.llq_sizes = 1 | 4;
    v.llq_recommended = 4;
    CHECK(start(v));
    uint32_t random = 1;
    for (unsigned round = 0; round < 3000; round++) {
        uint8_t bytes[48];
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        bytes[1] = bytes[5] = bytes[7] = 0;
        bytes[3] &= 0xfe;
        if (round % 3 == 0 && fake.model.completion_queues[0].exists)
            model_post_sent(&fake.model, 0, bytes);
        if (round % 3 == 1 && fake.model.completion_queues[1].exists)
            model_post_received(&fake.model, 0, bytes);
        if (round % 3 == 2)
            (void)model_event(&fake.model, bytes[8] & 0xf, bytes[9] & 3, bytes, sizeof(bytes));
        (void)driver_send(make_packet(500, 2, 1));
        driver_run(20 * NS_PER_MS);
        forget_received();
    }
    CHECK(fake.model.resets > 10);
    model_link(&fake.model, true);
    driver_run(20 * NS_PER_SECOND);
    CHECK(stack.device->running);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

void test_hostile(void)
{
    host_test("ena: received ids that are not posted", received_ids);
    host_test("ena: received lengths", received_lengths);
    host_test("ena: received buffers out of order", received_order);
    host_test("ena: received packets of too many buffers", received_too_many);
    host_test("ena: received packets in parts", received_in_parts);
    host_test("ena: received bits that must be zero", received_zeros);
    host_test("ena: received completions of an earlier lap", received_old_phase);
    host_test("ena: sent ids that are not under way", sent_ids);
    host_test("ena: sent bits that must be zero", sent_zeros);
    host_test("ena: completions and events that are anything", anything);
}
