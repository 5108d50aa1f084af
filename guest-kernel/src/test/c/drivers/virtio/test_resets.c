/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that asks for a reset while it is at work, in good faith or for ever, one that comes back as another, and
 * one that is taken out of the machine: what it was given is done again or ends with an error, nothing waits for ever,
 * and the log says so in one line.
 */
#include <string.h>

#include "core/pages.h"
#include "core/random.h"
#include "drivers/device.h"
#include "drivers/virtio/network.h"
#include "host/host.h"
#include "lib/errno.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"

#define REQUESTS 8
#define SEGMENTS_MAX (1UL << 2)
#define MERGEABLE (1UL << 15)
#define HEADER ((uint32_t)sizeof(struct virtio_net_header))

static struct fake_device fake;

static unsigned lines_with(const char *log, const char *text)
{
    unsigned count = 0;
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* ---- Disks ---------------------------------------------------------------------------------------- */

static struct block_device *disk;
static struct block_request requests[REQUESTS];
static struct page *page;
static unsigned ended;
static int worst;

static void done(struct block_request *request, int error)
{
    (void)request;
    ended++;
    worst = error != 0 ? error : worst;
}

static void set_sectors(uint64_t sectors) { memcpy(fake.config, &sectors, sizeof(sectors)); }

static bool start_disk(void)
{
    uint32_t segments = 2; /* so that a request is two of the device's */
    unsigned disks = 0;
    while (block_device_at(disks) != NULL)
        disks++;
    fake_init(&fake, VIRTIO_BLOCK, SEGMENTS_MAX | VIRTIO_FEATURE_EVENT_INDEX, 128);
    set_sectors(1000);
    memcpy(fake.config + 12, &segments, sizeof(segments));
    if (virtio_block_start(&fake.device) != 0)
        return false;
    disk = block_device_at(disks);
    page = page_allocate_zeroed();
    (void)host_log();
    return disk != NULL;
}

static void submit_all(void)
{
    ended = 0;
    worst = 0;
    for (unsigned i = 0; i < REQUESTS; i++) {
        requests[i] = (struct block_request){
            .sector = i,
            .write = i % 2,
            .segment_count = 3,
            .done = done,
            .segments = { { page_address(page), 512 },
                          { page_address(page) + 512, 512 },
                          { page_address(page) + 1024, 512 } },
        };
        block_submit(disk, &requests[i]);
    }
}

static void serve(unsigned chains)
{
    struct fake_chain chain;
    while (chains-- > 0 && fake_take(&fake, 0, &chain)) {
        *(uint8_t *)phys_to_virt(chain.segments[chain.count - 1].address) = 0;
        fake_return_quietly(&fake, 0, chain.head, 1);
        fake_interrupt(&fake, 0);
    }
}

/* After `served` of the chains; more requests than the device takes at once are under way, one of them in part. */
static void disk_is_reset_after(unsigned served)
{
    struct fake_chain chain;
    CHECK(start_disk());
    submit_all();
    serve(served);
    CHECK(fake_take(&fake, 0, &chain)); /* and one that it had begun */
    fake_need_reset(&fake);
    CHECK_EQUAL(fake.status, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
    CHECK(fake_notified(&fake, 0));
    serve(UINT32_MAX);
    CHECK_EQUAL(ended, REQUESTS);
    CHECK_EQUAL(worst, 0);
    CHECK_EQUAL(lines_with(host_log(), "asked for a reset"), 1);
    submit_all();
    serve(UINT32_MAX);
    CHECK_EQUAL(ended, REQUESTS);
    CHECK_EQUAL(page->references, 1);
    page_put(page);
}

static void a_disk_is_reset(void)
{
    for (unsigned served = 0; served < 2 * REQUESTS; served++)
        disk_is_reset_after(served);
}

static void check_given_up(const char *why)
{
    CHECK_EQUAL(ended, REQUESTS);
    CHECK_EQUAL(worst, -EIO);
    CHECK_EQUAL(lines_with(host_log(), why), 1);
    submit_all();
    CHECK_EQUAL(ended, REQUESTS);
    CHECK_EQUAL(worst, -EIO);
    fake_changed(&fake);
    fake_interrupt(&fake, 0);
    disk->check(disk);
    CHECK_EQUAL(lines_with(host_log(), "virtio device"), 0);
    page_put(page);
}

static void a_disk_asks_again_and_again(void)
{
    CHECK(start_disk());
    submit_all();
    for (unsigned i = 0; i < VIRTIO_RESTARTS; i++)
        fake_need_reset(&fake);
    CHECK_EQUAL(ended, 0);
    serve(1); /* it does something, and may ask again */
    for (unsigned i = 0; i < VIRTIO_RESTARTS; i++)
        fake_need_reset(&fake);
    CHECK_EQUAL(ended, 0);
    fake_need_reset(&fake);
    check_given_up("asks for a reset again and again: all further requests to it fail");
}

static void a_disk_comes_back_as_another(void)
{
    for (unsigned i = 0; i < 4; i++) {
        CHECK(start_disk());
        submit_all();
        if (i == 0)
            set_sectors(999);
        if (i == 1)
            fake.offered = VIRTIO_FEATURE_VERSION_1;
        if (i == 2)
            fake.queue_size = 64;
        if (i == 3)
            fake.offered = 0;
        fake_need_reset(&fake);
        check_given_up("does not come up again after a reset");
    }
}

static void a_disk_is_taken_out(void)
{
    CHECK(start_disk());
    submit_all();
    serve(3);
    fake.gone = true;
    disk->check(disk);
    check_given_up("is gone: all further requests to it fail");
}

/* ---- NICs ----------------------------------------------------------------------------------------- */

static struct network_device *nic;
static unsigned packets, ready_calls;

static void receive(struct network_device *device, struct packet *packet)
{
    (void)device;
    packets++;
    packet_free(packet);
}

static void ready(struct network_device *device)
{
    (void)device;
    ready_calls++;
}

static bool start_nic(void)
{
    unsigned nics = 0;
    while (network_device_at(nics) != NULL)
        nics++;
    packets = ready_calls = 0;
    fake_init(&fake, VIRTIO_NETWORK, MERGEABLE | VIRTIO_FEATURE_EVENT_INDEX, 64);
    if (virtio_network_start(&fake.device) != 0)
        return false;
    nic = network_device_at(nics);
    nic->receive = receive;
    nic->transmit_ready = ready;
    (void)host_log();
    return true;
}

static void deliver(unsigned count)
{
    struct virtio_net_header header = { .buffers = 1 };
    struct fake_chain chain;
    while (count-- > 0 && fake_take(&fake, 0, &chain)) {
        fake_write(&chain, 0, &header, HEADER);
        fake_return_quietly(&fake, 0, chain.head, HEADER + 60);
        fake_interrupt(&fake, 0);
    }
}

static bool send(void)
{
    struct packet *packet = packet_allocate(54);
    packet->linear = packet->length = 54;
    return nic->transmit(nic, packet);
}

static void a_nic_is_reset(void)
{
    struct fake_chain chain;
    CHECK(start_nic());
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    deliver(10);
    while (send())
        continue;
    nic->flush(nic);
    CHECK(fake_take(&fake, 0, &chain)); /* a packet that the reset came before */
    fake_need_reset(&fake);
    CHECK_EQUAL(ready_calls, 1);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    CHECK_EQUAL(host_pages_in_use(), pages);
    deliver(200);
    CHECK_EQUAL(packets, 210);
    CHECK(send());
    nic->flush(nic);
    CHECK(fake_take(&fake, 1, &chain));
    fake_return(&fake, 1, chain.head, 0);
    CHECK(send());
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(lines_with(host_log(), "asked for a reset"), 1);
}

/* Nothing reports that it has gone: that is found when its queue is full, and nothing waits for it. */
static void a_nic_is_taken_out(void)
{
    CHECK(start_nic());
    fake.gone = true;
    for (unsigned i = 0; i < 500; i++)
        CHECK(send());
    nic->flush(nic);
    CHECK(nic->dropped > 400);
    fake_changed(&fake);
    fake_interrupt(&fake, 0);
    CHECK_EQUAL(lines_with(host_log(), "is gone"), 1);
}

static void a_nic_comes_back_as_another(void)
{
    CHECK(start_nic());
    while (send())
        continue;
    fake.offered &= ~MERGEABLE;
    fake_need_reset(&fake);
    CHECK_EQUAL(ready_calls, 1);
    CHECK(send());
    CHECK_EQUAL(lines_with(host_log(), "does not come up again after a reset"), 1);
}

/* ---- Entropy ---------------------------------------------------------------------------------------- */

static void entropy_is_asked_for_again(void)
{
    uint8_t seed[64];
    struct fake_chain chain;
    memset(seed, 0x5a, sizeof(seed));
    unsigned before = host_random_credited;
    fake_init(&fake, VIRTIO_ENTROPY, 0, 8);
    host_random_expected = 0;
    CHECK_EQUAL(virtio_entropy_start(&fake.device), 0);
    CHECK_EQUAL(host_random_expected, 1u << RANDOM_VIRTIO);
    CHECK(fake_take(&fake, 0, &chain));
    fake_need_reset(&fake);
    CHECK(fake_notified(&fake, 0));
    CHECK(fake_take(&fake, 0, &chain));
    fake_write(&chain, 0, seed, sizeof(seed));
    fake_return(&fake, 0, chain.head, sizeof(seed));
    CHECK_EQUAL(host_random_credited - before, 8 * sizeof(seed));
    fake_need_reset(&fake);
    CHECK(!fake_take(&fake, 0, &chain));
    fake.gone = true;
    fake_changed(&fake);
    fake_changed(&fake);
    CHECK_EQUAL(lines_with(host_log(), "is gone"), 1);
}

void test_resets(void)
{
    host_test("resets: a disk asks for one while it works", a_disk_is_reset);
    host_test("resets: a disk asks again and again", a_disk_asks_again_and_again);
    host_test("resets: a disk comes back as another", a_disk_comes_back_as_another);
    host_test("resets: a disk is taken out of the machine", a_disk_is_taken_out);
    host_test("resets: a NIC asks for one while it works", a_nic_is_reset);
    host_test("resets: a NIC is taken out of the machine", a_nic_is_taken_out);
    host_test("resets: a NIC comes back as another", a_nic_comes_back_as_another);
    host_test("resets: entropy is asked for again", entropy_is_asked_for_again);
}
