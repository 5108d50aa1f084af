/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was written and is not acknowledged: chunks, each some bytes of a page with one reference to it. They ascend
 * without holes, and while there are any they are [send_unacknowledged, send_end). Bytes that were queued do not
 * change, and packets share their pages, so sending again copies short payloads only. `send_chunk`, where to look
 * first, is NULL or a chunk of the queue.
 *
 * A short write to an empty queue, as an answer mostly is, has its bytes in the chunk itself, from where they are
 * copied into packets: it needs no page, of which the rest would have to be cleared. So such a chunk is the first.
 *
 * This file also decides how much a writer may queue (tcp_queue_room()), which is less when memory is short, and when
 * to wake one that waits. Called by tcp_stream.c, tcp_output.c, tcp_ack.c, tcp_connection.c, tcp_socket.c and
 * tcp_memory.c. Net lock; the writer fills pages without it and appends them under it.
 */
#include "core/heap.h"
#include "core/pages.h"
#include "lib/string.h"
#include "net/tcp_private.h"

#define COPY_LIMIT 512u      /* shorter payloads travel in the packet's head: one buffer for the device */
#define FRAGMENTS_LIMIT 16   /* one slot for the head and one to spare of netif's 18 (xen/io/netif.h) */
#define NOT_SENT_STEP 65536u /* below TCP_NOTSENT_LOWAT a writer may queue this much at a time, as on Linux */
#define CHUNK_COST (PAGE_SIZE + sizeof(struct tcp_chunk)) /* what each truly holds: next to none share a page */

void tcp_queue_init(struct tcp *tcp)
{
    must_hold_net();
    list_init(&tcp->chunks);
}

static struct tcp_chunk *chunk_of(struct list *node) { return list_entry(node, struct tcp_chunk, link); }

static void append(struct tcp *tcp, struct tcp_chunk *chunk, uint32_t length)
{
    must_hold_net();
    chunk->length = length;
    chunk->sequence = tcp->send_end;
    chunk->queued = tcp_clock_ms();
    list_push_back(&tcp->chunks, &chunk->link);
    tcp->send_memory += chunk->memory;
    tcp_memory_charge(chunk->memory);
}

struct tcp_chunk *tcp_chunk_small(uint32_t size)
{
    struct tcp_chunk *chunk = heap_allocate_at(sizeof(*chunk) + size, PAGES_NEEDED);
    if (chunk)
        *chunk = (struct tcp_chunk){ .memory = (uint32_t)sizeof(*chunk) + size };
    return chunk;
}

void tcp_queue_append_small(struct tcp *tcp, struct tcp_chunk *chunk, uint32_t length)
{
    must_hold_net();
    assert(list_empty(&tcp->chunks));
    append(tcp, chunk, length);
    tcp->send_end += length;
}

bool tcp_queue_append(struct tcp *tcp, struct page *page, uint32_t offset, uint32_t length)
{
    must_hold_net();
    struct tcp_chunk *last = list_empty(&tcp->chunks) ? NULL : chunk_of(tcp->chunks.prev);
    if (last && last->page == page && last->offset + last->length == offset) {
        last->length += length;
        page_put(page);
    } else {
        struct tcp_chunk *chunk = heap_allocate_at(sizeof(*chunk), PAGES_NEEDED);
        if (!chunk)
            return false;
        *chunk = (struct tcp_chunk){ .page = page, .offset = offset, .memory = CHUNK_COST };
        append(tcp, chunk, length);
    }
    tcp->send_end += length;
    return true;
}

static void free_chunk(struct tcp *tcp, struct tcp_chunk *chunk)
{
    if (tcp->send_chunk == chunk)
        tcp->send_chunk = NULL;
    list_remove(&chunk->link);
    tcp->send_memory -= chunk->memory;
    net_uncharge(chunk->memory);
    if (chunk->page)
        page_put(chunk->page);
    heap_free(chunk);
}

static void release_send_page(struct tcp *tcp)
{
    if (tcp->send_page)
        page_put(tcp->send_page);
    tcp->send_page = NULL;
}

void tcp_queue_acknowledged(struct tcp *tcp, uint32_t up_to)
{
    must_hold_net();
    while (!list_empty(&tcp->chunks)) {
        struct tcp_chunk *chunk = chunk_of(tcp->chunks.next);
        if (!seq_before(chunk->sequence, up_to))
            return;
        uint32_t acknowledged = up_to - chunk->sequence;
        if (acknowledged < chunk->length) {
            chunk->sequence += acknowledged;
            chunk->offset += acknowledged;
            chunk->length -= acknowledged;
            return;
        }
        free_chunk(tcp, chunk);
    }
    release_send_page(tcp); /* an idle connection holds no memory for sending */
}

void tcp_queue_clear(struct tcp *tcp)
{
    must_hold_net();
    while (!list_empty(&tcp->chunks))
        free_chunk(tcp, chunk_of(tcp->chunks.next));
    release_send_page(tcp);
}

/* The chunk that holds a sequence number; it is `from` or one after it. */
static struct tcp_chunk *find_chunk(struct tcp *tcp, struct tcp_chunk *from, uint32_t sequence)
{
    struct tcp_chunk *chunk = from ? from : chunk_of(tcp->chunks.next);
    while (!seq_before(sequence, chunk->sequence + chunk->length))
        chunk = chunk_of(chunk->link.next);
    return chunk;
}

static const uint8_t *bytes_of(const struct tcp_chunk *chunk)
{
    return (chunk->page ? (const uint8_t *)page_data(chunk->page) : chunk->own) + chunk->offset;
}

static void copy_bytes(struct tcp_chunk *chunk, uint32_t skip, uint8_t *to, uint32_t length)
{
    for (uint32_t done = 0; done < length;) {
        uint32_t run = min_of(chunk->length - skip, length - done);
        memcpy(to + done, bytes_of(chunk) + skip, run);
        done += run;
        skip = 0;
        chunk = chunk_of(chunk->link.next);
    }
}

/* Shares pages with the packet until its fragments run out. */
static uint32_t share_pages(struct tcp_chunk *chunk, uint32_t skip, struct packet *packet, uint32_t length)
{
    uint32_t done = 0;
    while (done < length) {
        uint32_t run = min_of(chunk->length - skip, length - done);
        if (packet->fragment_count >= FRAGMENTS_LIMIT ||
            !packet_add_fragment(packet, chunk->page, chunk->offset + skip, run))
            break;
        done += run;
        skip = 0;
        chunk = chunk_of(chunk->link.next);
    }
    return done;
}

/* How much of a payload that begins in this chunk travels in the packet's head: all of it, or what has no page. */
static uint32_t to_copy(const struct tcp_chunk *chunk, uint32_t skip, uint32_t length)
{
    if (length <= COPY_LIMIT)
        return length;
    return chunk->page ? 0 : min_of(chunk->length - skip, length);
}

struct packet *tcp_queue_packet(struct tcp *tcp, struct tcp_chunk **from, uint32_t sequence, uint32_t *length)
{
    must_hold_net();
    if (*length == 0)
        return packet_allocate(0);
    struct tcp_chunk *chunk = *from = find_chunk(tcp, *from, sequence);
    uint32_t skip = sequence - chunk->sequence, copied = to_copy(chunk, skip, *length);
    struct packet *packet = copied == *length ? packet_allocate(copied) : packet_allocate_paged(copied);
    if (!packet)
        return NULL;
    if (copied > 0)
        copy_bytes(chunk, skip, packet_put(packet, copied), copied);
    if (copied < *length) {
        struct tcp_chunk *rest = find_chunk(tcp, chunk, sequence + copied);
        *length = copied + share_pages(rest, sequence + copied - rest->sequence, packet, *length - copied);
    }
    return packet;
}

bool tcp_queue_oldest(const struct tcp *tcp, uint32_t *since)
{
    must_hold_net();
    if (list_empty(&tcp->chunks))
        return false;
    *since = chunk_of(tcp->chunks.next)->queued;
    return true;
}

static uint32_t not_sent(const struct tcp *tcp)
{
    return seq_before(tcp->send_next, tcp->send_end) ? tcp->send_end - tcp->send_next : 0;
}

uint32_t tcp_queue_room(const struct tcp *tcp)
{
    must_hold_net();
    bool waiting = seq_before(tcp->send_unacknowledged, tcp->send_end);
    uint32_t queued = waiting ? tcp->send_end - tcp->send_unacknowledged : 0;
    uint32_t limit = net_memory() == NET_MEMORY_PLENTY ? tcp->send_limit : SOCKET_BUFFER_MINIMUM;
    if (tcp->kept.not_sent_low != 0 && not_sent(tcp) >= tcp->kept.not_sent_low)
        return 0;
    if (tcp->kept.not_sent_low != 0)
        limit = min_of(limit, queued + NOT_SENT_STEP);
    return queued < limit ? limit - queued : 0;
}

/* At least a third free: short of that, waking a writer for a few bytes costs more than it moves. When
 * memory is short any room will do, or no writer would ever be woken. */
bool tcp_writable(const struct tcp *tcp)
{
    must_hold_net();
    uint32_t room = tcp_queue_room(tcp);
    if (tcp->kept.not_sent_low != 0)
        return room > 0 && 2 * (uint64_t)not_sent(tcp) < tcp->kept.not_sent_low;
    return net_memory() == NET_MEMORY_PLENTY ? room >= tcp->send_limit / 3 : room > 0;
}

void tcp_wake_writer(struct tcp *tcp)
{
    must_hold_net();
    if (!tcp->writer_waits || !tcp_writable(tcp))
        return;
    tcp->writer_waits = false;
    tcp_wake(tcp, POLLOUT);
}
