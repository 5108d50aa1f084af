/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Xen NIC whose backend does what the input says, and comes and goes; packets that come out of it are whole,
 * and every page and packet comes back but those that the backend keeps.
 */
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/packets.h"
#include "drivers/xen/fake_xen.h"
#include "drivers/xen/netfront.h"
#include "drivers/xen/netfront_nic.h"
#include "host/host.h"

static struct network_device *device;

static void receive(struct network_device *from, struct packet *packet)
{
    (void)from;
    FUZZ_CHECK(packet->length <= NET_PACKET_MAX);
    fuzz_packet(packet);
}

static void *response_slot(struct ring_header *ring, uint32_t slot_size)
{
    return (uint8_t *)(ring + 1) + ring->responses_produced++ % NET_SLOTS * slot_size;
}

static void respond_sent(struct ring_header *ring, struct fuzz_input *input)
{
    struct tx_response response = { .id = fuzz_8(input) };
    uint8_t status = fuzz_8(input);
    if (status >= 0xf0)
        response.id = fuzz_16(input);
    response.status = status >= 0xe0 ? RESPONSE_NULL : (int16_t) - (status & 1);
    memcpy(response_slot(ring, sizeof(struct tx_request)), &response, sizeof(response));
}

/* In its place, with the fields of the input. */
static void respond_received(struct ring_header *ring, struct fuzz_input *input)
{
    uint8_t how = fuzz_8(input);
    struct rx_response response = {
        .id = (uint16_t)(ring->responses_produced % NET_SLOTS),
        .flags = how & 15,
        .status = 1000,
    };
    if (how & 0x10)
        response.status = (int16_t)fuzz_16(input);
    if (how & 0x20)
        response.offset = fuzz_16(input);
    if ((how & 0xc0) == 0xc0)
        response.id = fuzz_16(input);
    memcpy(response_slot(ring, sizeof(response)), &response, sizeof(response));
}

static void respond_extra(struct ring_header *ring, struct fuzz_input *input)
{
    struct extra_info info = { .type = fuzz_8(input), .flags = fuzz_8(input), .gso_size = fuzz_16(input) };
    info.gso_type = info.flags >> 1;
    memcpy(response_slot(ring, sizeof(struct rx_response)), &info, sizeof(info));
}

static void scribble(struct ring_header *ring, struct fuzz_input *input)
{
    uint16_t at = fuzz_16(input);
    ((uint8_t *)ring)[at % PAGE_SIZE] = fuzz_8(input);
}

static void come_and_go(uint8_t how)
{
    if (how & 1) {
        fake_nic_leave();
    } else {
        fake_nic_detach();
        fake_run();
        fake_attach_again();
    }
    fake_run();
}

static void interfere(struct ring_header *ring, uint8_t what, struct fuzz_input *input)
{
    switch (what & 7) {
    case 0:
        ring->responses_produced += what & 8 ? fuzz_32(input) : 1;
        break;
    case 1:
        scribble(ring, input);
        break;
    case 2:
        fake_map_grants();
        break;
    case 3:
        fake_unmap_grants();
        break;
    case 4:
        host_fail_allocation(what >> 3);
        break;
    case 5:
        host_fail_allocation(0);
        break;
    case 6:
        host_fail_allocation(0);
        if ((what & 0x38) == 0x38)
            come_and_go(what >> 6);
        break;
    default:
        device->receive_round(device);
        break;
    }
}

static void act(struct fuzz_input *input)
{
    uint8_t what = fuzz_8(input);
    switch (what & 7) {
    case 0:
        respond_sent(fake_transmit_ring(0), input);
        break;
    case 1:
    case 2:
        respond_received(fake_receive_ring(0), input);
        break;
    case 3:
        respond_extra(fake_receive_ring(0), input);
        break;
    case 4:
        fake_raise(fake_nic_port(0));
        fake_run();
        break;
    case 5:
        interfere(what & 8 ? fake_transmit_ring(0) : fake_receive_ring(0), fuzz_8(input), input);
        break;
    default:
        fuzz_transmit(device, input);
        break;
    }
}

/* The NIC is attached with a grant table of its own for each input. */
static void attach(void)
{
    FUZZ_CHECK(grants_init(NETFRONT_GRANTS) == 0);
    fake_attach_again();
    fake_run();
    FUZZ_CHECK(device == NULL || device->running);
}

static void detach(void)
{
    fake_nic_detach();
    fake_run();
    fake_unmap_grants();
    fake_forget_kept_pages();
}

static void start(void)
{
    fake_start(0);
    fake_add_nic(0, "1");
    FUZZ_CHECK(grants_init(NETFRONT_GRANTS) == 0 && netfront_start("device/vif/0", 0) == 0);
    device = network_device_at(0);
    device->receive = receive;
    fake_backends_asleep = true;
    detach();
}

static void end(void)
{
    host_fail_allocation(0);
    detach();
}

const struct fuzz_driver fuzz_driver = { start, attach, act, end };
