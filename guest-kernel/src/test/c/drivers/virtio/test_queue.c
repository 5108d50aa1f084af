/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of virtio, without a driver: tokens, limits, indices that wrap around, notifications, and devices that lie
 * about what they have used. Called by test_virtio.c; run by make test-virtio.
 */
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio/queue.h"
#include "host/host.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"

static struct fake_device fake;
static struct virtqueue queue;
static unsigned handled;

static void handler(struct virtqueue *unused)
{
    (void)unused;
    handled++;
}

static bool start(uint64_t features, unsigned size)
{
    handled = 0;
    fake_init(&fake, VIRTIO_BLOCK, features, size);
    return virtio_negotiate(&fake.device, 0) == 0 && virtqueue_init(&queue, &fake.device, 0, 256, handler, NULL) == 0;
}

static struct virtqueue_segment segment(unsigned number)
{
    return (struct virtqueue_segment){ 0x1000 * (number + 1), 512, false };
}

static bool add(unsigned count, void *token)
{
    struct virtqueue_segment segments[8];
    for (unsigned i = 0; i < count; i++)
        segments[i] = segment(i);
    return virtqueue_add(&queue, segments, count, token);
}

static void returns_tokens_in_any_order(void)
{
    CHECK(start(VIRTIO_FEATURE_EVENT_INDEX, 8));
    int tokens[3];
    CHECK(add(2, &tokens[0]) && add(3, &tokens[1]) && add(1, &tokens[2]));
    CHECK_EQUAL(queue.free_count, 2);
    struct fake_chain chains[3];
    for (unsigned i = 0; i < 3; i++)
        CHECK(fake_take(&fake, 0, &chains[i]));
    CHECK_EQUAL(chains[1].count, 3);
    CHECK_EQUAL(chains[1].segments[2].address, 0x3000);
    fake_return_quietly(&fake, 0, chains[2].head, 7);
    fake_return_quietly(&fake, 0, chains[0].head, 8);
    uint32_t written;
    CHECK(virtqueue_take(&queue, &written) == &tokens[2]);
    CHECK_EQUAL(written, 7);
    CHECK(virtqueue_take(&queue, &written) == &tokens[0]);
    CHECK_EQUAL(written, 8);
    CHECK(virtqueue_take(&queue, &written) == NULL);
    CHECK_EQUAL(queue.free_count, 5);
}

static void refuses_what_does_not_fit(void)
{
    CHECK(start(0, 8));
    int token;
    CHECK(add(7, &token));
    CHECK(!add(2, &token));
    CHECK(add(1, &token));
    CHECK(!add(1, &token));
}

static void size_is_a_power_of_two_within_limits(void)
{
    CHECK(start(0, 100));
    CHECK_EQUAL(queue.size, 64);
    CHECK(start(0, 1024));
    CHECK_EQUAL(queue.size, 256);
}

static void goes_round_the_indices(void)
{
    CHECK(start(VIRTIO_FEATURE_EVENT_INDEX, 4));
    int token;
    for (unsigned i = 0; i < 70000; i++) {
        struct fake_chain chain;
        uint32_t written;
        CHECK(add(1 + i % 4, &token));
        virtqueue_flush(&queue);
        CHECK(fake_notified(&fake, 0));
        CHECK(fake_take(&fake, 0, &chain));
        CHECK_EQUAL(chain.count, 1 + i % 4);
        fake_return(&fake, 0, chain.head, i);
        CHECK(virtqueue_take(&queue, &written) == &token);
        CHECK_EQUAL(written, i);
    }
    CHECK_EQUAL(queue.free_count, 4);
}

static void notifies_once_for_a_batch(void)
{
    CHECK(start(VIRTIO_FEATURE_EVENT_INDEX, 64));
    int token;
    for (unsigned i = 0; i < 10; i++)
        CHECK(add(1, &token));
    CHECK(!fake_notified(&fake, 0));
    virtqueue_flush(&queue);
    CHECK(fake_notified(&fake, 0));
    virtqueue_flush(&queue);
    CHECK(!fake_notified(&fake, 0));
    /* The device still works on the first batch and wants no notification. */
    CHECK(add(1, &token));
    virtqueue_flush(&queue);
    CHECK(!fake_notified(&fake, 0));
}

static void interrupts_only_when_asked(uint64_t features)
{
    CHECK(start(features, 16));
    int token;
    struct fake_chain chains[4];
    for (unsigned i = 0; i < 4; i++)
        CHECK(add(1, &token) && fake_take(&fake, 0, &chains[i]));
    fake_return(&fake, 0, chains[0].head, 0);
    CHECK_EQUAL(handled, 0);
    CHECK(virtqueue_enable_interrupt(&queue));
    uint32_t written;
    CHECK(virtqueue_take(&queue, &written) == &token);
    CHECK(!virtqueue_enable_interrupt(&queue));
    fake_return(&fake, 0, chains[1].head, 0);
    CHECK_EQUAL(handled, 1);
    virtqueue_disable_interrupt(&queue);
    fake_return(&fake, 0, chains[2].head, 0);
    CHECK_EQUAL(handled, 1);
}

static void interrupts_with_event_index(void) { interrupts_only_when_asked(VIRTIO_FEATURE_EVENT_INDEX); }
static void interrupts_with_flags(void) { interrupts_only_when_asked(0); }

static uint16_t *available_event(void) { return (uint16_t *)((uint8_t *)queue.used + 4 + 8 * queue.size); }

static uint16_t used_event(void) { return ((uint16_t *)queue.available)[2 + queue.size]; }

/* Honest apart from that. */
static bool exchange(unsigned count)
{
    struct fake_chain chain;
    uint32_t written;
    for (unsigned i = 0; i < count; i++) {
        if (!fake_take(&fake, 0, &chain))
            return false;
        fake_return_quietly(&fake, 0, chain.head, i);
    }
    for (unsigned i = 0; i < count; i++)
        if (virtqueue_take(&queue, &written) == NULL || written != i)
            return false;
    return virtqueue_take(&queue, &written) == NULL && queue.free_count == queue.size;
}

/* Whatever the device claims to wait for, it is notified once if that is among the new chains, and else not at all. */
static void any_event_is_borne(void)
{
    CHECK(start(VIRTIO_FEATURE_EVENT_INDEX, 64));
    int token;
    uint16_t old = 0;
    for (unsigned event = 0; event <= UINT16_MAX; event++, old += 3) {
        for (unsigned i = 0; i < 3; i++)
            CHECK(add(1, &token));
        *available_event() = (uint16_t)event;
        virtqueue_flush(&queue);
        CHECK_EQUAL(fake_notified(&fake, 0), (uint16_t)(event - old) < 3);
        virtqueue_flush(&queue);
        CHECK(!fake_notified(&fake, 0));
        CHECK(exchange(3) && !queue.broken);
    }
}

/* The device can write to the driver's side of the rings as well, which the driver never believes. */
static void own_side_is_not_read(void)
{
    static const uint8_t bytes[] = { 0x00, 0xff, 0x80, 0x7f };
    int token;
    for (unsigned i = 0; i < 4 * array_size(bytes); i++) {
        struct fake_chain chains[3];
        uint32_t written;
        CHECK(start(i % 2 ? VIRTIO_FEATURE_EVENT_INDEX : 0, 64));
        for (unsigned j = 0; j < array_size(chains); j++)
            CHECK(add(2, &token) && fake_take(&fake, 0, &chains[j]));
        memset(queue.available, bytes[i / 4], 2 * (3 + queue.size));
        memset(queue.descriptors, bytes[i / 4], 16 * queue.size);
        for (unsigned j = 0; j < array_size(chains); j++)
            fake_return_quietly(&fake, 0, chains[j].head, j);
        CHECK(virtqueue_enable_interrupt(&queue));
        for (unsigned j = 0; j < array_size(chains); j++)
            CHECK(virtqueue_take(&queue, &written) == &token && written == j);
        CHECK(!virtqueue_enable_interrupt(&queue) && queue.free_count == queue.size);
        CHECK(!queue.event_index || used_event() == 3);
        CHECK(add(2, &token) && exchange(1) && !queue.broken);
    }
}

static void breaks(uint32_t id, const char *why)
{
    uint32_t written;
    fake_return_quietly(&fake, 0, id, 0);
    if (virtqueue_take(&queue, &written) != NULL || !queue.broken)
        host_fail(__FILE__, __LINE__, "%s: not noticed", why);
    if (add(1, &fake))
        host_fail(__FILE__, __LINE__, "%s: still accepts buffers", why);
}

static void survives_wrong_ids(void)
{
    int token;
    CHECK(start(0, 8));
    CHECK(add(3, &token));
    breaks(8, "an id beyond the end");
    CHECK(start(0, 8));
    breaks(0xffffffff, "the largest id");
    CHECK(start(0, 8) && add(3, &token));
    breaks(1, "an id in the middle of a chain");
    CHECK(start(0, 8) && add(1, &token));
    uint32_t written;
    fake_return_quietly(&fake, 0, 0, 0);
    CHECK(virtqueue_take(&queue, &written) == &token);
    breaks(0, "a buffer twice");
}

static void survives_a_jumping_index(void)
{
    int token;
    CHECK(start(0, 8) && add(2, &token) && add(2, &token));
    fake_jump(&fake, 0, 30000);
    uint32_t written;
    unsigned taken = 0;
    while (virtqueue_take(&queue, &written) != NULL)
        taken++;
    CHECK(taken <= 2);
    CHECK(queue.broken);
}

static void survives_random_devices(void)
{
    srandom(1);
    for (unsigned round = 0; round < 1000; round++) {
        int tokens[8];
        CHECK(start(round & 1 ? VIRTIO_FEATURE_EVENT_INDEX : 0, 8));
        unsigned added = 0, taken = 0;
        for (unsigned step = 0; step < 30; step++) {
            uint32_t written;
            if (random() % 2)
                added += add(1 + (unsigned)random() % 3, &tokens[random() % 8]);
            if (random() % 3 == 0)
                fake_return_quietly(&fake, 0, (uint32_t)random() % 10, (uint32_t)random());
            if (random() % 50 == 0)
                fake_jump(&fake, 0, (uint16_t)random());
            virtqueue_flush(&queue);
            while (virtqueue_take(&queue, &written) != NULL)
                taken++;
            CHECK(taken <= added);
            CHECK(queue.free_count <= queue.size);
            if (queue.broken)
                break;
        }
    }
}

static void refuses_legacy_devices(void)
{
    fake_init(&fake, VIRTIO_BLOCK, 0, 8);
    fake.offered = 0;
    CHECK(virtio_negotiate(&fake.device, 0) < 0);
}

void test_queues(void)
{
    host_test("queue: tokens in any order", returns_tokens_in_any_order);
    host_test("queue: refuses what does not fit", refuses_what_does_not_fit);
    host_test("queue: size", size_is_a_power_of_two_within_limits);
    host_test("queue: indices go round", goes_round_the_indices);
    host_test("queue: one notification for a batch", notifies_once_for_a_batch);
    host_test("queue: interrupts by event index", interrupts_with_event_index);
    host_test("queue: any event of the device's is borne", any_event_is_borne);
    host_test("queue: its own side is not read", own_side_is_not_read);
    host_test("queue: interrupts by flags", interrupts_with_flags);
    host_test("queue: wrong ids from the device", survives_wrong_ids);
    host_test("queue: an index that jumps", survives_a_jumping_index);
    host_test("queue: random devices", survives_random_devices);
    host_test("device: legacy is refused", refuses_legacy_devices);
}
