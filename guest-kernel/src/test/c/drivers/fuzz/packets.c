/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/fuzz/packets.h"

#include "core/pages.h"

void fuzz_packet(struct packet *packet)
{
    uint32_t sum = packet->linear;
    for (unsigned i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        FUZZ_CHECK(fragment->length > 0 && fragment->offset + (uint32_t)fragment->length <= PAGE_SIZE);
        sum += fragment->length;
    }
    FUZZ_CHECK(sum == packet->length && packet->start + packet->linear <= packet->head_size);
    packet_free(packet);
}

void fuzz_transmit(struct network_device *device, struct fuzz_input *input)
{
    struct packet *packet = packet_allocate_paged(64);
    uint8_t shape = fuzz_8(input);
    if (packet == NULL)
        return;
    packet->linear = packet->length = 1 + shape % 64;
    packet->segment_size = shape & 0x40 ? 1448 : 0;
    for (unsigned i = 0; i < shape % (PACKET_MAX_FRAGMENTS + 1); i++) {
        struct page *page = page_allocate_zeroed();
        if (page == NULL)
            break;
        packet->fragments[packet->fragment_count++] = (struct packet_fragment){ page, 5, 2000 };
        packet->length += 2000;
    }
    (void)device->transmit(device, packet);
    if (shape & 0x80)
        device->flush(device);
}
