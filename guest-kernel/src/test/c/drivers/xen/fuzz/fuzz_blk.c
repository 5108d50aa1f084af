/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Xen disk whose backend does what the input says, and comes and goes; every request ends once, at the latest when
 * the disk is taken away, and every page and grant comes back but those that the backend keeps.
 */
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/fuzz/driver.h"
#include "drivers/fuzz/requests.h"
#include "drivers/xen/fake_xen.h"
#include "drivers/xen/blkfront.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/ring.h"
#include "host/host.h"

#define SLOTS 32
#define SLOT_SIZE 112

static struct block_device *disk;

static void respond(struct ring_header *ring, struct fuzz_input *input)
{
    struct {
        uint64_t id;
        uint8_t operation;
        int16_t status;
    } response = { .id = fuzz_8(input) };
    if (response.id >= 0xf0)
        (void)fuzz_bytes(input, &response, sizeof(response));
    memcpy((uint8_t *)(ring + 1) + ring->responses_produced++ % SLOTS * SLOT_SIZE, &response, sizeof(response));
}

static void scribble(struct ring_header *ring, struct fuzz_input *input)
{
    uint16_t at = fuzz_16(input);
    ((uint8_t *)ring)[at % PAGE_SIZE] = fuzz_8(input);
}

static void come_and_go(uint8_t how)
{
    if (how & 1) {
        fake_disk_leave();
    } else {
        fake_disk_detach();
        fake_run();
        fake_attach_again();
    }
    fake_run();
}

static void act(struct fuzz_input *input)
{
    struct ring_header *ring = fake_disk_ring();
    uint8_t what = fuzz_8(input);
    switch (what & 7) {
    case 0:
        respond(ring, input);
        break;
    case 1:
        ring->responses_produced += what & 8 ? fuzz_32(input) : 1;
        break;
    case 2:
        scribble(ring, input);
        break;
    case 3:
        fake_raise(fake_disk_port());
        fake_run();
        break;
    case 4:
        if (what & 8)
            fake_map_grants();
        else
            fake_unmap_grants();
        break;
    case 5:
        if ((what & 0x38) == 0x38)
            come_and_go(what >> 6);
        break;
    default:
        fuzz_submit(disk, input);
        break;
    }
}

/* The disk is attached with a grant table of its own for each input. */
static void attach(void)
{
    FUZZ_CHECK(grants_init(BLKFRONT_GRANTS) == 0);
    fake_attach_again();
    fake_run();
}

static void detach(void)
{
    fake_disk_detach();
    fake_run();
    fake_unmap_grants();
    fake_forget_kept_pages();
}

static void start(void)
{
    fake_start(0);
    fake_add_disk(51713, 2, "w");
    FUZZ_CHECK(grants_init(BLKFRONT_GRANTS) == 0 && blkfront_start("device/vbd/51713", 51713) == 0);
    disk = block_device_at(0);
    fuzz_requests_start();
    fake_backends_asleep = true;
    detach();
}

static void end(void)
{
    detach();
    FUZZ_CHECK(fuzz_requests_ended());
}

const struct fuzz_driver fuzz_driver = { start, attach, act, end };
