/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk backend, a network backend that sends every packet back, and that of a console, whose ring the test reads and
 * writes: all well behaved.
 *
 * Each connects by the states in the fake store, as the front end does, and reads and writes the pages that the front
 * end granted. Both act in fake_run() (fake_xen.c) and do nothing while fake_backends_asleep is set. There is one disk
 * and one card, which sends a packet back by the queue that it came by. Tests that need a hostile backend write to the
 * shared pages themselves.
 */
#include "drivers/xen/fake_xen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/xen/netfront_nic.h"

#define STATE_PATH "%s/state"

/* The backend's view of a ring. */
struct back_ring {
    struct ring_header *shared;
    uint32_t slots, slot_size, consumed, produced;
};

static struct {
    char front[64], back[64];
    struct back_ring ring;
    uint32_t port;
    bool connected;
} disk;
struct nic_back_queue {
    struct back_ring transmit, receive;
    uint32_t port;
};
static struct {
    char front[64], back[64];
    struct nic_back_queue queues[NETFRONT_QUEUES];
    unsigned count;
    bool connected, several_slots;
} nic;
static struct {
    char front[64], back[64];
    uint32_t port;
    void *ring;
} channel;
uint8_t fake_disk[FAKE_DISK_SECTORS * 512];
bool fake_backends_asleep, fake_backends_silent, fake_backends_let_go;
int16_t fake_disk_status;
uint32_t fake_nic_piece;
unsigned fake_nic_packets, fake_nic_segmented, fake_nic_segments_type;
unsigned fake_nic_queue, fake_nic_queues_taken;
uint8_t fake_nic_data[65536];
uint32_t fake_nic_length;

void *fake_disk_ring(void) { return disk.ring.shared; }
void *fake_transmit_ring(unsigned queue) { return nic.queues[queue].transmit.shared; }
void *fake_receive_ring(unsigned queue) { return nic.queues[queue].receive.shared; }
uint32_t fake_disk_port(void) { return disk.port; }
void *fake_channel_ring(void) { return channel.ring; }
uint32_t fake_channel_port(void) { return channel.port; }
uint32_t fake_nic_port(unsigned queue) { return nic.queues[queue].port; }
unsigned fake_nic_queues(void) { return nic.connected ? nic.count : 0; }

static void put(const char *directory, const char *name, const char *value)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fake_store_write(path, value);
}

static uint32_t get(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    const char *value = fake_store_read(path);
    return value == NULL ? 0 : (uint32_t)strtoul(value, NULL, 10);
}

static struct back_ring attach(uint32_t reference, uint32_t slots, uint32_t slot_size)
{
    return (struct back_ring){ .shared = fake_grant(reference, true), .slots = slots, .slot_size = slot_size };
}

static bool take(struct back_ring *ring, void *request)
{
    if (ring->consumed == ring->shared->requests_produced)
        return false;
    memcpy(request, (uint8_t *)(ring->shared + 1) + ring->consumed++ % ring->slots * ring->slot_size, ring->slot_size);
    ring->shared->request_event = ring->consumed + 1;
    return true;
}

static void answer(struct back_ring *ring, uint32_t port, const void *response, uint32_t length)
{
    memcpy((uint8_t *)(ring->shared + 1) + ring->produced++ % ring->slots * ring->slot_size, response, length);
    uint32_t before = ring->shared->responses_produced;
    ring->shared->responses_produced = ring->produced;
    if (ring->produced - ring->shared->response_event < ring->produced - before)
        fake_raise(port);
}

/* ---- Disk ------------------------------------------------------------------------------------ */

struct disk_request {
    uint8_t operation, count;
    uint16_t handle;
    uint64_t id, sector;
    struct {
        uint32_t grant;
        uint8_t first, last;
    } segments[11];
};

static int16_t disk_serve(const struct disk_request *request)
{
    uint64_t sector = request->sector;
    if (fake_disk_status != 0) {
        int16_t status = fake_disk_status;
        fake_disk_status = 0;
        return status;
    }
    for (unsigned i = 0; i < request->count; i++) {
        uint8_t *page = fake_grant(request->segments[i].grant, request->operation == 0);
        if (page == NULL)
            return -1;
        for (unsigned at = request->segments[i].first; at <= request->segments[i].last; at++, sector++) {
            if (request->operation == 0)
                memcpy(page + at * 512, fake_disk + sector * 512, 512);
            else
                memcpy(fake_disk + sector * 512, page + at * 512, 512);
        }
    }
    return 0;
}

bool fake_disk_step(void)
{
    struct disk_request request;
    if (!disk.connected || fake_backends_asleep || !take(&disk.ring, &request))
        return false;
    struct {
        uint64_t id;
        uint8_t operation;
        int16_t status;
    } response = { request.id, request.operation, disk_serve(&request) };
    answer(&disk.ring, disk.port, &response, sizeof(response));
    return true;
}

/* ---- NIC ------------------------------------------------------------------------------------ */

static void give_back(struct nic_back_queue *queue, uint16_t gso_size, uint8_t gso_type)
{
    uint32_t done = 0;
    while (done < fake_nic_length) {
        struct rx_request request;
        if (!take(&queue->receive, &request))
            return; /* dropped: no room */
        uint32_t length = min_of(fake_nic_length - done, min_of(fake_nic_piece, 4096U));
        memcpy(fake_grant(request.grant, true), fake_nic_data + done, length);
        struct rx_response response = { .id = request.id, .status = (int16_t)length };
        bool extra = done == 0 && gso_size != 0;
        done += length;
        response.flags = RX_DATA_VALIDATED | (done < fake_nic_length ? RX_MORE_DATA : 0) | (extra ? RX_EXTRA_INFO : 0);
        memcpy((uint8_t *)(queue->receive.shared + 1) + queue->receive.produced++ % 256 * 8, &response, 8);
        if (extra) {
            take(&queue->receive, &request);
            struct extra_info info = { .type = EXTRA_TYPE_GSO, .gso_type = gso_type, .gso_size = gso_size };
            memcpy((uint8_t *)(queue->receive.shared + 1) + queue->receive.produced++ % 256 * 8, &info, 8);
        }
    }
    queue->receive.shared->responses_produced = queue->receive.produced;
    fake_raise(queue->port);
}

static bool queue_step(struct nic_back_queue *queue)
{
    struct tx_request request;
    struct extra_info extra = { 0 };
    uint16_t ids[32], count = 0;
    if (!take(&queue->transmit, &request))
        return false;
    uint32_t total = request.size, rest = request.size;
    bool with_extra = request.flags & TX_EXTRA_INFO, more;
    fake_nic_length = 0;
    if (with_extra && !take(&queue->transmit, &(struct tx_request){ 0 }))
        abort();
    if (with_extra)
        memcpy(&extra, (uint8_t *)(queue->transmit.shared + 1) + (queue->transmit.consumed - 1) % 256 * 12, 8);
    struct tx_request slots[32];
    slots[0] = request;
    for (more = request.flags & TX_MORE_DATA; more; more = slots[count].flags & TX_MORE_DATA) {
        if (!nic.several_slots || !take(&queue->transmit, &slots[++count]) || count > 17)
            abort();
        rest -= slots[count].size;
    }
    slots[0].size = (uint16_t)rest;
    for (unsigned i = 0; i <= count; i++) {
        if (slots[i].offset + slots[i].size > 4096)
            abort();
        memcpy(fake_nic_data + fake_nic_length, (uint8_t *)fake_grant(slots[i].grant, false) + slots[i].offset,
               slots[i].size);
        fake_nic_length += slots[i].size;
        ids[i] = slots[i].id;
    }
    if (fake_nic_length != total)
        abort();
    fake_nic_queue = (unsigned)(queue - nic.queues);
    fake_nic_packets++;
    fake_nic_segmented += with_extra;
    for (unsigned i = 0; i <= count; i++) {
        answer(&queue->transmit, queue->port, &(struct tx_response){ .id = ids[i] }, 4);
        if (i == 0 && with_extra)
            answer(&queue->transmit, queue->port, &(struct tx_response){ .status = RESPONSE_NULL }, 4);
    }
    fake_nic_segments_type = extra.gso_type;
    give_back(queue, extra.gso_size, extra.gso_type);
    return true;
}

bool fake_nic_step(void)
{
    bool any = false;
    for (unsigned i = 0; i < nic.count && nic.connected && !fake_backends_asleep; i++)
        any |= queue_step(&nic.queues[i]);
    return any;
}

/* ---- xenstore -------------------------------------------------------------------------------- */

void fake_backends_start(void)
{
    memset(&disk, 0, sizeof(disk));
    memset(&nic, 0, sizeof(nic));
    memset(&channel, 0, sizeof(channel));
    fake_backends_asleep = fake_store_hostile = false;
    fake_disk_status = 0;
    fake_nic_piece = 4096;
    fake_nic_packets = fake_nic_segmented = 0;
    fake_nic_queues_taken = NETFRONT_QUEUES;
}

void fake_add_disk(unsigned number, int backend_state, const char *mode)
{
    char text[16];
    snprintf(disk.front, sizeof(disk.front), "device/vbd/%u", number);
    snprintf(disk.back, sizeof(disk.back), "/local/domain/0/backend/vbd/1/%u", number);
    put(disk.front, "backend", disk.back);
    put(disk.front, "backend-id", "0");
    snprintf(text, sizeof(text), "%d", backend_state);
    put(disk.back, "state", text);
    put(disk.back, "dev", "xvda1");
    put(disk.back, "mode", mode);
}

void fake_add_nic(unsigned number, const char *feature_sg)
{
    snprintf(nic.front, sizeof(nic.front), "device/vif/%u", number);
    snprintf(nic.back, sizeof(nic.back), "/local/domain/0/backend/vif/1/%u", number);
    put(nic.front, "backend", nic.back);
    put(nic.front, "backend-id", "0");
    put(nic.front, "mac", "00:16:3e:0A:0b:0c");
    put(nic.back, "feature-rx-copy", "1");
    put(nic.back, "feature-sg", feature_sg);
    nic.several_slots = strcmp(feature_sg, "1") == 0;
    put(nic.back, "feature-gso-tcpv4", "1");
    put(nic.back, "feature-ipv6-csum-offload", feature_sg);
    put(nic.back, "feature-gso-tcpv6", "1");
    put(nic.back, "state", "2");
}

void fake_nic_mac(const char *mac) { put(nic.front, "mac", mac); }

void fake_add_channel(unsigned number, const char *name)
{
    snprintf(channel.front, sizeof(channel.front), "device/console/%u", number);
    snprintf(channel.back, sizeof(channel.back), "/local/domain/0/backend/console/1/%u", number);
    put(channel.front, "backend", channel.back);
    put(channel.front, "backend-id", "0");
    put(channel.front, "name", name);
    put(channel.back, "state", "2");
}

/* As QEMU's backend for consoles does. */
static void channel_state(uint32_t state)
{
    if (state == 1)
        put(channel.back, "state", "2");
    if (state >= 5) {
        channel.ring = NULL;
        put(channel.back, "state", state == 5 ? "5" : "6");
    }
    if (state != 3)
        return;
    channel.ring = fake_grant(get(channel.front, "ring-ref"), true);
    channel.port = get(channel.front, "port");
    put(channel.back, "state", "4");
}

void fake_channel_leave(void)
{
    channel.ring = NULL;
    put(channel.back, "state", "5");
}

static void disk_state(uint32_t state)
{
    char protocol[96];
    switch (state) {
    case 1:
        put(disk.back, "state", "2");
        break;
    case 3:
        disk.ring = attach(get(disk.front, "ring-ref"), 32, 112);
        disk.port = get(disk.front, "event-channel");
        snprintf(protocol, sizeof(protocol), "%s/protocol", disk.front);
        disk.connected = disk.ring.shared != NULL && fake_store_read(protocol) != NULL &&
                         strcmp(fake_store_read(protocol), "x86_64-abi") == 0;
        put(disk.back, "sectors", "4096");
        put(disk.back, "info", "0");
        put(disk.back, "state", "4");
        break;
    case 5:
        disk.connected = false;
        put(disk.back, "state", "5");
        break;
    case 6:
        disk.connected = false;
        if (fake_backends_let_go)
            fake_unmap_grants();
        put(disk.back, "state", "6");
        break;
    }
}

void fake_disk_leave(void)
{
    disk.connected = false;
    put(disk.back, "state", "5");
}

void fake_disk_detach(void)
{
    disk.connected = false;
    put(disk.back, "online", "0");
    put(disk.back, "state", "5");
}

void fake_nic_leave(void)
{
    nic.connected = false;
    put(nic.back, "state", "5");
}

void fake_nic_detach(void)
{
    nic.connected = false;
    put(nic.back, "online", "0");
    put(nic.back, "state", "5");
}

void fake_attach_again(void)
{
    const char *front = nic.front[0] != 0 ? nic.front : disk.front, *back = nic.front[0] != 0 ? nic.back : disk.back;
    put(back, "online", "1");
    put(back, "state", "2");
    put(front, "state", "1");
    put(front, "backend", back);
}

static bool attach_queue(unsigned number)
{
    char directory[96];
    struct nic_back_queue *queue = &nic.queues[number];
    snprintf(directory, sizeof(directory), "%s/queue-%u", nic.front, number);
    const char *front = nic.count == 1 ? nic.front : directory;
    queue->transmit = attach(get(front, "tx-ring-ref"), 256, 12);
    queue->receive = attach(get(front, "rx-ring-ref"), 256, 8);
    queue->port = get(front, "event-channel");
    return queue->transmit.shared != NULL && queue->receive.shared != NULL;
}

static void nic_state(uint32_t state)
{
    if (state == 1)
        put(nic.back, "state", "2");
    if (state >= 5) {
        nic.connected = false;
        put(nic.back, "state", state == 5 ? "5" : "6");
    }
    if (state != 4)
        return;
    nic.count = max_of(get(nic.front, "multi-queue-num-queues"), 1U);
    nic.connected = nic.count <= fake_nic_queues_taken;
    for (unsigned i = 0; i < nic.count && nic.connected; i++)
        nic.connected = attach_queue(i);
    put(nic.back, "state", nic.connected ? "4" : "5");
}

void fake_backends_written(const char *path)
{
    char state[128];
    if (fake_backends_silent)
        return;
    snprintf(state, sizeof(state), STATE_PATH, disk.front);
    if (strcmp(path, state) == 0)
        disk_state(get(disk.front, "state"));
    snprintf(state, sizeof(state), STATE_PATH, nic.front);
    if (strcmp(path, state) == 0)
        nic_state(get(nic.front, "state"));
    snprintf(state, sizeof(state), STATE_PATH, channel.front);
    if (strcmp(path, state) == 0)
        channel_state(get(channel.front, "state"));
}

/* The same devices for domain 2. */
static void move(char *front, char *back)
{
    if (front[0] == '\0')
        return;
    char *domain = strrchr(back, '/') - 1;
    char path[128];
    snprintf(path, sizeof(path), STATE_PATH, back);
    fake_store_remove(path);
    *domain = '2';
    put(front, "state", "1");
    put(front, "backend", back);
    put(back, "online", "1");
    put(back, "state", "2");
}

void fake_backends_resume(void)
{
    disk.connected = nic.connected = false;
    move(disk.front, disk.back);
    move(nic.front, nic.back);
    move(channel.front, channel.back);
    if (nic.front[0] != '\0') {
        put(nic.back, "feature-rx-copy", "1");
        put(nic.back, "feature-sg", "0");
    }
}
