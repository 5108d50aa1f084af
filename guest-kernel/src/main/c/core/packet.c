/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet is linear data followed by page fragments (core/packet.h). `length` is always the sum of both, linear
 * data lies within `head`, and each fragment has one reference to its page. All that reads a range goes through
 * packet_for_each_run().
 *
 * packet_pull() may move the linear data, so pointers into it do not survive it. Called by drivers and all over net/,
 * by the packet's owner, so there are no locks. Memory comes from the kernel's reserve, in any context.
 */
#include "core/packet.h"

#include "core/heap.h"
#include "core/pages.h"
#include "lib/checksum.h"
#include "lib/string.h"

#define SIZE_LIMIT (UINT32_MAX / 2)

/* Where the linear area is unless it has grown. */
static uint8_t *own_head(struct packet *packet) { return (uint8_t *)(packet->fragments + packet->fragment_limit); }

/* The linear area, if it has a block of its own. */
static void free_head(struct packet *packet)
{
    if (unlikely(packet->head != own_head(packet)))
        heap_free(packet->head);
}

static size_t size_without_head(unsigned fragments)
{
    return sizeof(struct packet) + fragments * sizeof(struct packet_fragment);
}

static struct packet *allocate(uint32_t size, uint16_t fragments)
{
    if (size > SIZE_LIMIT)
        return NULL;
    struct packet *packet = heap_allocate_at(size_without_head(fragments) + PACKET_HEADROOM + size, PAGES_RESERVED);
    if (!packet)
        return NULL;
    *packet =
        (struct packet){ .head_size = PACKET_HEADROOM + size, .start = PACKET_HEADROOM, .fragment_limit = fragments };
    packet->head = own_head(packet);
    list_init(&packet->link);
    return packet;
}

struct packet *packet_allocate(uint32_t size) { return allocate(size, 0); }
struct packet *packet_allocate_paged(uint32_t size) { return allocate(size, PACKET_MAX_FRAGMENTS); }

void packet_free(struct packet *packet)
{
    for (unsigned i = 0; i < packet->fragment_count; i++)
        page_put(packet->fragments[i].page);
    free_head(packet);
    heap_free(packet);
}

static uint8_t *fragment_data(const struct packet_fragment *fragment)
{
    return (uint8_t *)page_data(fragment->page) + fragment->offset;
}

void *packet_push(struct packet *packet, uint32_t length)
{
    if (packet->start < length)
        return NULL;
    packet->start -= length;
    packet->linear += length;
    packet->length += length;
    return packet_data(packet);
}

void *packet_put(struct packet *packet, uint32_t length)
{
    if (packet->fragment_count != 0 || packet->head_size - packet->start - packet->linear < length)
        return NULL;
    void *end = packet_data(packet) + packet->linear;
    packet->linear += length;
    packet->length += length;
    return end;
}

/* Makes room for `length` bytes of linear data. */
static bool grow_linear(struct packet *packet, uint32_t length)
{
    if (packet->head_size - packet->start >= length)
        return true;
    uint32_t size = PACKET_HEADROOM + length;
    uint8_t *head = heap_allocate_at(size, PAGES_RESERVED);
    if (!head)
        return false;
    memcpy(head + PACKET_HEADROOM, packet_data(packet), packet->linear);
    free_head(packet);
    packet->head = head;
    packet->head_size = size;
    packet->start = PACKET_HEADROOM;
    return true;
}

static void remove_first_fragment(struct packet *packet)
{
    page_put(packet->fragments[0].page);
    packet->fragment_count--;
    memmove(packet->fragments, packet->fragments + 1, packet->fragment_count * sizeof(packet->fragments[0]));
}

/* Takes bytes off the front of the fragments only. */
static void drop_from_fragments(struct packet *packet, uint32_t length)
{
    while (length > 0) {
        struct packet_fragment *first = &packet->fragments[0];
        if (first->length > length) {
            first->offset = (uint16_t)(first->offset + length);
            first->length = (uint16_t)(first->length - length);
            return;
        }
        length -= first->length;
        remove_first_fragment(packet);
    }
}

void *packet_pull_fragments(struct packet *packet, uint32_t length)
{
    if (length > packet->length || !grow_linear(packet, length))
        return NULL;
    uint32_t missing = length - packet->linear;
    packet_copy_out(packet, packet->linear, packet_data(packet) + packet->linear, missing);
    drop_from_fragments(packet, missing);
    packet->linear = length;
    return packet_data(packet);
}

void packet_drop_front(struct packet *packet, uint32_t length)
{
    uint32_t from_linear = min_of(length, packet->linear);
    packet->start += from_linear;
    packet->linear -= from_linear;
    packet->length -= length;
    drop_from_fragments(packet, length - from_linear);
}

void packet_trim(struct packet *packet, uint32_t length)
{
    while (packet->length > length && packet->fragment_count > 0) {
        struct packet_fragment *last = &packet->fragments[packet->fragment_count - 1];
        uint32_t excess = packet->length - length;
        if (last->length > excess) {
            last->length = (uint16_t)(last->length - excess);
            packet->length = length;
            return;
        }
        packet->length -= last->length;
        page_put(last->page);
        packet->fragment_count--;
    }
    if (packet->length > length)
        packet->length = packet->linear = length;
}

bool packet_add_fragment(struct packet *packet, struct page *page, uint32_t offset, uint32_t length)
{
    if (packet->fragment_count > 0) {
        struct packet_fragment *last = &packet->fragments[packet->fragment_count - 1];
        if (last->page == page && last->offset + (uint32_t)last->length == offset) {
            last->length = (uint16_t)(last->length + length);
            packet->length += length;
            return true;
        }
    }
    if (packet->fragment_count == packet->fragment_limit)
        return false;
    page_get(page);
    packet->fragments[packet->fragment_count++] =
        (struct packet_fragment){ .page = page, .offset = (uint16_t)offset, .length = (uint16_t)length };
    packet->length += length;
    return true;
}

void packet_for_each_run(const struct packet *packet, uint32_t offset, uint32_t length, packet_visit *visit,
                         void *context)
{
    if (offset < packet->linear && length > 0) {
        uint32_t run = min_of(packet->linear - offset, length);
        if (!visit(context, packet_data(packet) + offset, run))
            return;
        length -= run;
        offset = packet->linear;
    }
    offset -= packet->linear;
    for (unsigned i = 0; i < packet->fragment_count && length > 0; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        if (offset >= fragment->length) {
            offset -= fragment->length;
            continue;
        }
        uint32_t run = min_of(fragment->length - offset, length);
        if (!visit(context, fragment_data(fragment) + offset, run))
            return;
        length -= run;
        offset = 0;
    }
}

static bool copy_run(void *context, const uint8_t *data, uint32_t length)
{
    uint8_t **to = context;
    memcpy(*to, data, length);
    *to += length;
    return true;
}

void packet_copy_out(const struct packet *packet, uint32_t offset, void *to, uint32_t length)
{
    uint8_t *next = to;
    packet_for_each_run(packet, offset, length, copy_run, &next);
}

struct packet *packet_copy(const struct packet *packet, uint32_t offset, uint32_t length)
{
    struct packet *copy = packet_allocate(length);
    if (!copy)
        return NULL;
    packet_copy_out(packet, offset, packet_put(copy, length), length);
    return copy;
}

/* Adds a page with `length` bytes from `offset` of another packet. */
static bool copy_to_page(struct packet *copy, const struct packet *packet, uint32_t offset, uint32_t length)
{
    struct page *page = page_allocate_at(PAGES_RESERVED);
    if (!page)
        return false;
    uint8_t *data = page_data(page);
    packet_copy_out(packet, offset, data, length);
    memset(data + length, 0, PAGE_SIZE - length);
    bool added = packet_add_fragment(copy, page, 0, length);
    page_put(page);
    return added;
}

struct packet *packet_copy_paged(const struct packet *packet)
{
    struct packet *copy = packet_allocate_paged(0);
    if (!copy)
        return NULL;
    while (copy->length < packet->length) {
        uint32_t length = min_of(packet->length - copy->length, (uint32_t)PAGE_SIZE);
        if (!copy_to_page(copy, packet, copy->length, length)) {
            packet_free(copy);
            return NULL;
        }
    }
    return copy;
}

struct packet *packet_share(const struct packet *packet)
{
    struct packet *copy = allocate(packet->linear, packet->fragment_count);
    if (!copy)
        return NULL;
    memcpy(packet_put(copy, packet->linear), packet_data(packet), packet->linear);
    for (unsigned i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet->fragments[i];
        (void)packet_add_fragment(copy, fragment->page, fragment->offset, fragment->length); /* there is room */
    }
    return copy;
}

struct checksum_run {
    uint64_t sum;
    bool odd; /* an odd number of bytes was summed so far */
};

static bool checksum_one_run(void *context, const uint8_t *data, uint32_t length)
{
    struct checksum_run *run = context;
    uint64_t sum = checksum_add(0, data, length);
    uint16_t folded = __builtin_bswap16(checksum_fold(sum));
    run->sum += run->odd ? __builtin_bswap16(folded) : folded;
    run->odd ^= length & 1;
    return true;
}

uint64_t packet_checksum(const struct packet *packet, uint32_t offset, uint64_t sum)
{
    struct checksum_run run = { .sum = __builtin_bswap16(checksum_fold(sum)) };
    packet_for_each_run(packet, offset, packet->length - offset, checksum_one_run, &run);
    return run.sum;
}

/* The heap gives large blocks whole pages, a power of two of them (core/heap.c). */
static uint32_t block_memory(size_t size)
{
    uint32_t memory = size <= PAGE_SIZE / 2 ? (uint32_t)size : PAGE_SIZE;
    while (memory < size)
        memory *= 2;
    return memory;
}

uint32_t packet_memory(const struct packet *packet)
{
    size_t rest = size_without_head(packet->fragment_limit);
    uint32_t pages = packet->fragment_count * (uint32_t)PAGE_SIZE;
    return block_memory(rest + packet->head_size) + pages;
}

void packet_free_all(struct list *packets)
{
    for (struct list *node; (node = list_pop_front(packets));)
        packet_free(list_entry(node, struct packet, link));
}
