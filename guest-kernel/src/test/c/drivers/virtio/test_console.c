/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's channel over a fake device: bytes both ways, more than there is room for, a device that lies, and a reset.
 * Called by test_virtio.c, on one thread; nothing is locked here.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"
#include "host/host.h"
#include "lib/errno.h"

#define RECEIVE 0
#define TRANSMIT 1

static struct fake_device fake;
static struct channel_device *channel;
static unsigned changes;

static void count_change(struct channel_device *device)
{
    (void)device;
    changes++;
}

/* The registry keeps the first one, so there is one device for all tests. */
static bool start(void)
{
    fake_init(&fake, VIRTIO_CONSOLE, VIRTIO_FEATURE_EVENT_INDEX, 64);
    if (virtio_console_start(&fake.device) != 0)
        return false;
    channel = channel_device_find();
    if (channel)
        channel->changed = count_change;
    return channel != NULL;
}

/* The host writes: as much of it as one buffer takes. */
static bool bring(const char *text, uint32_t claimed)
{
    struct fake_chain chain;
    if (!fake_take(&fake, RECEIVE, &chain))
        return false;
    fake_write(&chain, 0, text, (uint32_t)strlen(text));
    fake_return(&fake, RECEIVE, chain.head, claimed);
    return true;
}

static void what_comes_is_received_in_order(void)
{
    char text[16] = "";
    CHECK_EQUAL(channel->receive(channel, text, sizeof(text)), 0);
    CHECK(bring("one ", 4) && bring("two", 3));
    CHECK(changes > 0);
    CHECK_EQUAL(channel->receive(channel, text, 2), 2);
    CHECK_EQUAL(channel->receive(channel, text + 2, sizeof(text) - 2), 5);
    CHECK_EQUAL(memcmp(text, "one two", 7), 0);
}

static void buffers_come_back(void)
{
    char byte;
    for (unsigned i = 0; i < 1000; i++) {
        CHECK(bring("x", 1));
        CHECK_EQUAL(channel->receive(channel, &byte, 1), 1);
    }
}

/* Nobody reads: the device gets no more buffers, and what it wrote stays. */
static void what_is_not_read_waits(void)
{
    char byte;
    unsigned brought = 0;
    while (bring("y", 1))
        brought++;
    CHECK(brought > 0);
    for (unsigned i = 0; i < brought; i++)
        CHECK_EQUAL(channel->receive(channel, &byte, 1), 1);
    CHECK_EQUAL(channel->receive(channel, &byte, 1), 0);
}

static void more_than_a_page_is_believed_of_no_device(void)
{
    static char text[3 * PAGE_SIZE];
    CHECK(bring("z", 1U << 30));
    CHECK_EQUAL(channel->receive(channel, text, sizeof(text)), PAGE_SIZE);
    CHECK(bring("", 0));
    CHECK_EQUAL(channel->receive(channel, text, sizeof(text)), 0);
}

static void what_is_sent_arrives_and_makes_room(void)
{
    static char text[64 * PAGE_SIZE], byte;
    struct fake_chain chain;
    memset(text, 'a', sizeof(text));
    size_t sent = channel->send(channel, text, sizeof(text));
    CHECK(sent >= PAGE_SIZE && sent < sizeof(text));
    CHECK_EQUAL(channel->send(channel, text, 1), 0);
    CHECK(fake_notified(&fake, TRANSMIT));
    changes = 0;
    size_t arrived = 0;
    while (fake_take(&fake, TRANSMIT, &chain)) {
        CHECK(fake_read(&chain, 0, &byte, 1) == 1 && byte == 'a');
        arrived += chain.segments[0].length;
        fake_return(&fake, TRANSMIT, chain.head, 0);
    }
    CHECK_EQUAL(arrived, sent);
    CHECK(changes > 0);
    CHECK_EQUAL(channel->send(channel, text, 1), 1);
    CHECK(fake_take(&fake, TRANSMIT, &chain));
    fake_return(&fake, TRANSMIT, chain.head, 0);
}

static void a_reset_keeps_it_going(void)
{
    char text[8];
    CHECK_EQUAL(channel->send(channel, "lost", 4), 4);
    fake_need_reset(&fake);
    CHECK_EQUAL(fake.status, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
    CHECK(bring("on", 2));
    CHECK_EQUAL(channel->receive(channel, text, sizeof(text)), 2);
    what_is_sent_arrives_and_makes_room();
    what_is_not_read_waits();
}

static void a_device_that_lies_is_not_used_any_more(void)
{
    char byte;
    fake_return(&fake, RECEIVE, 60000, 1);
    CHECK_EQUAL(channel->receive(channel, &byte, 1), 0);
    fake.gone = true;
    fake_changed(&fake);
    CHECK_EQUAL(channel->send(channel, "x", 1), 0);
}

void test_consoles(void)
{
    CHECK(channel_device_find() == NULL);
    CHECK(start());
    what_comes_is_received_in_order();
    buffers_come_back();
    what_is_not_read_waits();
    more_than_a_page_is_believed_of_no_device();
    what_is_sent_arrives_and_makes_room();
    a_reset_keeps_it_going();
    a_device_that_lies_is_not_used_any_more();
}
