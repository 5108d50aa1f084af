/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that lies, field by field: in its configuration, in the used ring, in what it writes beside the data. After
 * each lie the device is dead or unharmed: every request has ended, every frame is accounted for, and nothing waits.
 */
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/virtio/network.h"
#include "host/host.h"
#include "lib/errno.h"
#include "drivers/virtio/fake_device.h"
#include "drivers/virtio/tests.h"

#define SEED 64
#define MTU (1UL << 3)
#define MERGEABLE (1UL << 15)
#define BLOCK_SEGMENTS_MAX (1UL << 2)
#define HEADER ((uint32_t)sizeof(struct virtio_net_header))

static struct fake_device fake;

/* ---- Entropy ---------------------------------------------------------------------------------- */

/* What is credited for a seed of `length` bytes, all of this value, that the device says is `claimed` long. */
static unsigned credit_for(uint32_t length, uint8_t value, uint32_t claimed)
{
    unsigned before = host_random_credited;
    struct fake_chain chain;
    uint8_t seed[SEED];
    memset(seed, value, sizeof(seed));
    fake_init(&fake, VIRTIO_ENTROPY, 0, 8);
    if (virtio_entropy_start(&fake.device) != 0 || !fake_take(&fake, 0, &chain))
        return UINT32_MAX;
    fake_write(&chain, 0, seed, length);
    fake_return(&fake, 0, chain.head, claimed);
    fake_interrupt(&fake, 0); /* and once more: nothing is counted twice */
    return host_random_credited - before;
}

static void entropy_that_was_not_written(void)
{
    CHECK_EQUAL(credit_for(SEED, 0x5a, SEED), 8 * SEED);
    CHECK_EQUAL(credit_for(16, 0x5a, 16), 8 * 16);
    (void)host_log();
    CHECK_EQUAL(credit_for(0, 0, SEED), 0);
    CHECK(strstr(host_log(), "virtio device fake answered but provided no entropy") != NULL);
    CHECK_EQUAL(credit_for(SEED, 0, SEED), 0);
    CHECK_EQUAL(credit_for(16, 0x5a, SEED), 8 * 16);
    CHECK_EQUAL(credit_for(SEED, 0x5a, 0), 0);
    CHECK_EQUAL(credit_for(SEED, 0x5a, SEED + 1), 8 * SEED);
    CHECK_EQUAL(credit_for(SEED, 0x5a, UINT32_MAX), 8 * SEED);
    CHECK_EQUAL(credit_for(0, 0, UINT32_MAX), 0);
}

/* ---- Configuration ------------------------------------------------------------------------------ */

static unsigned count_disks(void)
{
    unsigned count = 0;
    while (block_device_at(count) != NULL)
        count++;
    return count;
}

static struct network_device *newest_nic(void)
{
    unsigned count = 0;
    while (network_device_at(count) != NULL)
        count++;
    return network_device_at(count - 1);
}

static void capacities_that_cannot_be(void)
{
    static const struct {
        uint64_t sectors;
        int error;
    } capacities[] = { { 0, -ENXIO },         { UINT64_MAX, -ENXIO },          { UINT64_MAX / SECTOR_SIZE + 1, -ENXIO },
                       { 1UL << 63, -ENXIO }, { UINT64_MAX / SECTOR_SIZE, 0 }, { 1, 0 } };
    for (unsigned i = 0; i < array_size(capacities); i++) {
        unsigned disks = count_disks();
        uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
        fake_init(&fake, VIRTIO_BLOCK, 0, 64);
        memcpy(fake.config, &capacities[i].sectors, 8);
        (void)host_log();
        CHECK_EQUAL(virtio_block_start(&fake.device), capacities[i].error);
        CHECK_EQUAL(strstr(host_log(), "is not usable as a disk: it reports") != NULL, capacities[i].error != 0);
        CHECK_EQUAL(count_disks() - disks, capacities[i].error == 0);
        if (capacities[i].error == 0)
            continue;
        CHECK_EQUAL(host_pages_in_use(), pages);
        CHECK_EQUAL(host_heap_blocks(), blocks);
    }
}

static void sizes_of_packets_that_cannot_be(void)
{
    static const struct {
        uint16_t claimed, plain, joined; /* what the NIC has then, by whether buffers can be joined */
        bool said;
    } sizes[] = { { 0, 1500, 1500, true },      { 1, 1500, 1500, true },     { 67, 1500, 1500, true },
                  { 68, 68, 68, false },        { 1400, 1400, 1400, false }, { 9000, 1500, 9000, false },
                  { 65535, 1500, 65517, false } };
    for (unsigned i = 0; i < 2 * array_size(sizes); i++) {
        fake_init(&fake, VIRTIO_NETWORK, MTU | (i % 2 ? MERGEABLE : 0), 64);
        memcpy(fake.config + 10, &sizes[i / 2].claimed, 2);
        (void)host_log();
        CHECK_EQUAL(virtio_network_start(&fake.device), 0);
        CHECK_EQUAL(strstr(host_log(), "invalid MTU of") != NULL, sizes[i / 2].said);
        CHECK_EQUAL(newest_nic()->mtu, i % 2 ? sizes[i / 2].joined : sizes[i / 2].plain);
        CHECK(newest_nic()->max_mtu >= newest_nic()->mtu && newest_nic()->max_mtu <= 65517);
    }
}

/* ---- The used ring ------------------------------------------------------------------------------- */

enum field { ID, ID_OF_CHAIN, LENGTH, INDEX, TWICE, FLAGS, EVENT };
static const struct lie {
    enum field field;
    uint32_t value;
    bool deadly; /* there is no way but to give the device up */
} lies[] = {
    { ID, UINT32_MAX, true },
    { ID, 0x10000, true },
    { ID, 256, true },
    { ID, 128, false },
    { ID, 0x80000000, true },
    { ID_OF_CHAIN, 1, false },
    { ID_OF_CHAIN, UINT32_MAX, false },
    { ID_OF_CHAIN, 0x10000, true },
    { ID_OF_CHAIN, 50, false },
    { LENGTH, 0, false },
    { LENGTH, 1, false },
    { LENGTH, 11, false },
    { LENGTH, 12, false },
    { LENGTH, 4096, false },
    { LENGTH, 4097, false },
    { LENGTH, 0x10000, false },
    { LENGTH, 0x7fffffff, false },
    { LENGTH, UINT32_MAX, false },
    { INDEX, 1, false },
    { INDEX, 2, false },
    { INDEX, 128, true },
    { INDEX, 256, true },
    { INDEX, 257, true },
    { INDEX, 0x7fff, true },
    { INDEX, 0x8000, true },
    { INDEX, 0xfffe, true },
    { TWICE, 0, false },
    { FLAGS, 0xffff, false },
    { FLAGS, 1, false },
    { EVENT, 0, false },
    { EVENT, 0x8000, false },
    { EVENT, 0xffff, false },
};

/* Returns the chain as the lie has it, `written` bytes where it says nothing else, and raises the interrupt. */
static void tell(unsigned index, const struct lie *lie, const struct fake_chain *chain, uint32_t written)
{
    struct virtqueue *queue = fake.queues[index].queue;
    uint32_t id = chain->head, length = written;
    if (lie->field == ID)
        id = lie->value;
    if (lie->field == ID_OF_CHAIN)
        id += lie->value;
    if (lie->field == LENGTH)
        length = lie->value;
    fake_return_quietly(&fake, index, id, length);
    if (lie->field == TWICE)
        fake_return_quietly(&fake, index, id, length);
    if (lie->field == INDEX)
        fake_jump(&fake, index, (uint16_t)lie->value);
    if (lie->field == FLAGS)
        *(uint16_t *)queue->used = (uint16_t)lie->value;
    if (lie->field == EVENT)
        *(uint16_t *)((uint8_t *)queue->used + 4 + 8 * queue->size) = (uint16_t)lie->value;
    fake_interrupt(&fake, index);
}

static bool broken(unsigned index) { return fake.queues[index].queue->broken; }

/* ---- Disks ---------------------------------------------------------------------------------------- */

#define REQUESTS 8

static struct block_device *disk;
static struct block_request requests[REQUESTS + 1];
static unsigned ended[REQUESTS + 1];
static int results[REQUESTS + 1];

static void done(struct block_request *request, int error)
{
    ended[request - requests]++;
    results[request - requests] = error;
}

static void submit(unsigned number, struct page *page)
{
    requests[number] = (struct block_request){
        .sector = number,
        .write = number % 2,
        .segment_count = 3,
        .done = done,
        .segments = { { page_address(page), 512 },
                      { page_address(page) + 512, 512 },
                      { page_address(page) + 1024, 512 } },
    };
    block_submit(disk, &requests[number]);
}

static bool start_disk(void)
{
    uint64_t sectors = 1000;
    uint32_t segments = 2; /* so that a request is two of the device's */
    unsigned disks = count_disks();
    fake_init(&fake, VIRTIO_BLOCK, BLOCK_SEGMENTS_MAX | VIRTIO_FEATURE_EVENT_INDEX, 128);
    memcpy(fake.config, &sectors, sizeof(sectors));
    memcpy(fake.config + 12, &segments, sizeof(segments));
    memset(ended, 0, sizeof(ended));
    if (virtio_block_start(&fake.device) != 0)
        return false;
    disk = block_device_at(disks);
    return disk != NULL;
}

/* An honest answer to all that waits. */
static void serve_disk(void)
{
    struct fake_chain chain;
    while (!broken(0) && fake_take(&fake, 0, &chain)) {
        const struct virtqueue_segment *status = &chain.segments[chain.count - 1];
        *(uint8_t *)phys_to_virt(status->address) = 0;
        fake_return_quietly(&fake, 0, chain.head, 1);
        fake_interrupt(&fake, 0);
    }
}

static void disk_ends_all_requests(const struct lie *lie, int status)
{
    struct page *page = page_allocate_zeroed();
    struct fake_chain chain;
    CHECK(start_disk());
    uint64_t pages = host_pages_in_use();
    for (unsigned i = 0; i < REQUESTS; i++)
        submit(i, page);
    CHECK(fake_take(&fake, 0, &chain));
    if (status >= 0)
        *(uint8_t *)phys_to_virt(chain.segments[chain.count - 1].address) = (uint8_t)status;
    if (lie != NULL)
        tell(0, lie, &chain, 1);
    else
        fake_return(&fake, 0, chain.head, 1);
    CHECK(lie == NULL || !lie->deadly || broken(0));
    serve_disk();
    for (unsigned i = 0; i < REQUESTS; i++)
        CHECK_EQUAL(ended[i], 1);
    CHECK_EQUAL(results[0], status == 0 && !broken(0) ? 0 : -EIO);
    CHECK(broken(0) || results[REQUESTS - 1] == 0);
    CHECK_EQUAL(fake.status == VIRTIO_FAILED, broken(0));
    submit(REQUESTS, page);
    serve_disk();
    CHECK_EQUAL(ended[REQUESTS], 1);
    CHECK_EQUAL(results[REQUESTS], broken(0) ? -EIO : 0);
    CHECK_EQUAL(host_pages_in_use(), pages);
    page_put(page);
}

/* A lie about another chain than the first may be told in time for the first to end well. */
static void lies_of_a_disk(void)
{
    for (unsigned i = 0; i < array_size(lies); i++) {
        bool about_another = lies[i].field == ID_OF_CHAIN || lies[i].field == INDEX || lies[i].field == TWICE;
        disk_ends_all_requests(&lies[i], about_another ? -1 : 0);
    }
}

static void states_of_a_disk(void)
{
    static const int states[] = { 0, 1, 2, 3, 0x7f, 0x80, 0xff, -1 };
    for (unsigned i = 0; i < array_size(states); i++)
        disk_ends_all_requests(NULL, states[i]);
}

/* ---- NICs ----------------------------------------------------------------------------------------- */

static struct network_device *nic;
static unsigned packets, ready_calls;
static bool consistent;

static void receive(struct network_device *device, struct packet *packet)
{
    (void)device;
    uint32_t sum = packet->linear;
    for (unsigned i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        consistent &= fragment->length > 0 && fragment->offset + (uint32_t)fragment->length <= PAGE_SIZE;
        sum += fragment->length;
    }
    consistent &= sum == packet->length && packet->length > 0 && packet->start + packet->linear <= packet->head_size;
    if (packet->flags & PACKET_CHECKSUM_PARTIAL)
        consistent &= packet->checksum_start + (uint32_t)packet->checksum_offset + 2 <= packet->length;
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
    packets = ready_calls = 0;
    consistent = true;
    fake_init(&fake, VIRTIO_NETWORK, MERGEABLE | VIRTIO_FEATURE_EVENT_INDEX, 256);
    if (virtio_network_start(&fake.device) != 0)
        return false;
    nic = newest_nic();
    nic->receive = receive;
    nic->transmit_ready = ready;
    return true;
}

/* One packet of 60 bytes, as it should be; false if the device is out of buffers. */
static bool deliver(void)
{
    struct virtio_net_header header = { .buffers = 1 };
    struct fake_chain chain;
    if (!fake_take(&fake, 0, &chain))
        return false;
    fake_write(&chain, 0, &header, HEADER);
    fake_return_quietly(&fake, 0, chain.head, HEADER + 60);
    fake_interrupt(&fake, 0);
    return true;
}

static void receiving_bears(const struct lie *lie, const struct virtio_net_header *header)
{
    struct fake_chain chain;
    CHECK(start_nic());
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    CHECK(fake_take(&fake, 0, &chain));
    fake_write(&chain, 0, header, HEADER);
    tell(0, lie, &chain, HEADER + 60);
    CHECK(!lie->deadly || broken(0));
    for (unsigned i = 0; i < 600 && !broken(0); i++)
        CHECK(deliver());
    CHECK(consistent);
    CHECK(broken(0) || packets > 500);
    CHECK_EQUAL(host_heap_blocks(), blocks);
    CHECK(broken(0) ? host_pages_in_use() <= pages : host_pages_in_use() == pages);
}

static void lies_about_received_packets(void)
{
    struct virtio_net_header header = { .buffers = 1 };
    for (unsigned i = 0; i < array_size(lies); i++)
        receiving_bears(&lies[i], &header);
}

static void headers_of_received_packets(void)
{
    static const uint16_t values[] = { 0, 1, 2, 17, 18, 19, 255, 256, 0x7fff, 0x8000, 0xffff };
    static const struct lie none = { LENGTH, sizeof(struct virtio_net_header) + 60, false };
    for (unsigned field = 0; field < 7; field++) {
        for (unsigned i = 0; i < array_size(values); i++) {
            struct virtio_net_header header = { .buffers = 1, .flags = field == 4 || field == 5 ? 1 : 0 };
            if (field < 2)
                ((uint8_t *)&header)[field] = (uint8_t)values[i];
            else
                memcpy((uint8_t *)&header + 2 * (field - 1), &values[i], 2);
            receiving_bears(&none, &header);
        }
    }
}

static struct packet *make_packet(void)
{
    struct packet *packet = packet_allocate(54);
    packet->linear = packet->length = 54;
    return packet;
}

/* The queue is full when the device lies: the stack waits, and must be notified to go on. */
static void sending_bears(const struct lie *lie)
{
    struct fake_chain chain;
    CHECK(start_nic());
    while (nic->transmit(nic, make_packet()))
        continue;
    nic->flush(nic);
    CHECK(fake_take(&fake, 1, &chain));
    tell(1, lie, &chain, 0);
    CHECK(!lie->deadly || broken(1));
    while (!broken(1) && fake_take(&fake, 1, &chain)) {
        fake_return_quietly(&fake, 1, chain.head, 0);
        fake_interrupt(&fake, 1);
    }
    CHECK_EQUAL(ready_calls, 1);
    uint64_t blocks = host_heap_blocks(), dropped = nic->dropped;
    for (unsigned i = 0; i < 3; i++)
        CHECK(nic->transmit(nic, make_packet()));
    nic->flush(nic);
    CHECK_EQUAL(nic->dropped - dropped, broken(1) ? 3 : 0);
    CHECK(!broken(1) || host_heap_blocks() == blocks);
}

static void lies_about_sent_packets(void)
{
    for (unsigned i = 0; i < array_size(lies); i++)
        sending_bears(&lies[i]);
}

void test_lies(void)
{
    host_test("lies: entropy that was not written", entropy_that_was_not_written);
    host_test("lies: capacities that cannot be", capacities_that_cannot_be);
    host_test("lies: sizes of packets that cannot be", sizes_of_packets_that_cannot_be);
    host_test("lies: of a disk in the used ring", lies_of_a_disk);
    host_test("lies: states of a disk", states_of_a_disk);
    host_test("lies: about received packets", lies_about_received_packets);
    host_test("lies: headers of received packets", headers_of_received_packets);
    host_test("lies: about sent packets", lies_about_sent_packets);
}
