/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues in the NIC, and the memory of their rings, which a pair keeps over every reset. A queue is as deep as the
 * NIC and the memory allow; when the NIC has no room, all rings are halved, and then one pair has to do. Offsets that
 * the NIC answers with count only within its windows.
 *
 * No lock is taken here: pairs are made while they are not up. ena_pair_fault() and ena_notify() are called with that
 * of the pair.
 */
#include "core/debug.h"
#include "drivers/ena/queue.h"

#include "core/heap.h"
#include "core/pages.h"
#include "drivers/ena/nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/platform.h"

#define INTERRUPTS (1u << 5)
#define PLACE_MEMORY 1
#define PLACE_CARD 3
#define CONTIGUOUS 1

/* Bytes of an entry. */
#define SUBMISSION 16u
#define SENT 8u
#define RECEIVED 16u

/* As for virtio: one receive buffer of a pair for so much memory, and as many more as make a power of two. What one
 * connection sends at once comes by one pair. All pairs together have four times as much at most. */
#define MEMORY_PER_BUFFER (1UL << 20)
#define MEMORY_PER_BUFFER_OF_ALL (MEMORY_PER_BUFFER / 4)

/* ---- Memory ---- */

static unsigned order_of(size_t bytes)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < bytes)
        order++;
    return order;
}

static void *make_ring(unsigned depth, unsigned entry_size)
{
    struct page *first = pages_allocate_at(order_of(depth * entry_size), PAGES_RESERVED);
    return first ? page_data(first) : NULL;
}

static void free_ring(void *ring, unsigned depth, unsigned entry_size)
{
    if (ring)
        pages_free(page_of(virt_to_phys(ring)), order_of(depth * entry_size));
}

static int init_pair(struct ena_pair *pair, unsigned receive_depth)
{
    spinlock_init(&pair->lock, LOCK_NIC);
    pair->receive_capacity = receive_depth;
    pair->send.submissions.ring = make_ring(ENA_SEND_DEPTH, SUBMISSION);
    pair->send.completions.ring = make_ring(ENA_SEND_DEPTH, SENT);
    pair->send.sent = heap_allocate_zeroed(ENA_SEND_DEPTH * sizeof(*pair->send.sent));
    pair->receive.submissions.ring = make_ring(receive_depth, SUBMISSION);
    pair->receive.completions.ring = make_ring(receive_depth, RECEIVED);
    pair->receive.posted = heap_allocate_zeroed(receive_depth * sizeof(*pair->receive.posted));
    pair->receive.free_ids = heap_allocate_zeroed(receive_depth * sizeof(*pair->receive.free_ids));
    bool complete = pair->send.submissions.ring && pair->send.completions.ring && pair->send.sent &&
                    pair->receive.submissions.ring && pair->receive.completions.ring && pair->receive.posted &&
                    pair->receive.free_ids;
    return complete ? 0 : -ENOMEM;
}

static unsigned receive_depth(unsigned pairs)
{
    unsigned depth = ENA_RECEIVE_DEPTH;
    while (depth > ENA_DEPTH_MIN && (depth / 2 >= platform.memory_bytes / MEMORY_PER_BUFFER ||
                                     depth * pairs > platform.memory_bytes / MEMORY_PER_BUFFER_OF_ALL))
        depth /= 2;
    return depth;
}

int ena_pairs_init(struct ena_nic *nic)
{
    unsigned depth = receive_depth(nic->pair_count);
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct ena_pair *pair = &nic->pairs[i];
        pair->nic = nic;
        pair->number = i;
        if (init_pair(pair, depth) == 0)
            continue;
        ena_pair_release(pair);
        nic->pair_count = i;
    }
    nic->pairs_made = nic->pair_count;
    return nic->pair_count > 0 ? 0 : -ENOMEM;
}

void ena_pair_release(struct ena_pair *pair)
{
    if (pair->receive.posted)
        ena_receive_forget(pair);
    free_ring(pair->send.submissions.ring, ENA_SEND_DEPTH, SUBMISSION);
    free_ring(pair->send.completions.ring, ENA_SEND_DEPTH, SENT);
    free_ring(pair->receive.submissions.ring, pair->receive_capacity, SUBMISSION);
    free_ring(pair->receive.completions.ring, pair->receive_capacity, RECEIVED);
    heap_free(pair->send.sent);
    heap_free(pair->receive.posted);
    heap_free(pair->receive.free_ids);
}

/* ---- Making ---- */

static volatile uint8_t *register_at(struct ena_nic *nic, uint32_t offset)
{
    bool within = offset % 4 == 0 && offset >= ENA_REGISTERS_LENGTH && offset <= nic->registers.length - 4;
    return within ? nic->registers.base + offset : NULL;
}

static int create_completions(struct ena_pair *pair, struct ena_completions *queue, unsigned depth, unsigned entry_size)
{
    struct ena_answer answer;
    struct ena_command command = {
        .opcode = ENA_CREATE_COMPLETIONS,
        .create_completions = {
            .mode = INTERRUPTS,
            .entry_words = (uint8_t)(entry_size / 4),
            .depth = (uint16_t)depth,
            .vector = 1 + pair->number,
            .ring = ena_address_of(queue->ring),
        },
    };
    memset(queue->ring, 0, (size_t)depth * entry_size);
    int error = ena_admin(pair->nic, &command, &answer);
    if (error != 0)
        return error;
    const struct ena_completions_created *created = &answer.completions;
    queue->created = true;
    queue->index = created->index;
    queue->depth = (uint16_t)depth;
    queue->head = 0;
    queue->limit = created->depth > 0 && created->depth < depth ? created->depth : (uint16_t)(depth - 1);
    /* Both queues of a pair have one interrupt, and one register to ask for it again is enough: that of sending. */
    if (!pair->unmask)
        pair->unmask = register_at(pair->nic, created->unmask);
    return pair->unmask ? 0 : -EIO;
}

static int create_submissions(struct ena_pair *pair, struct ena_submissions *queue, unsigned depth, uint8_t direction,
                              uint16_t completions, struct ena_submissions_created *created)
{
    bool pushed = direction == ENA_DIRECTION_SEND && pair->nic->limits.push_entry_size != 0;
    struct ena_answer answer;
    struct ena_command command = {
        .opcode = ENA_CREATE_SUBMISSIONS,
        .create_submissions = {
            .direction = direction,
            .placement = pushed ? PLACE_CARD : PLACE_MEMORY,
            .contiguous = CONTIGUOUS,
            .completions = completions,
            .depth = (uint16_t)depth,
        },
    };
    if (!pushed)
        command.create_submissions.ring = ena_address_of(queue->ring);
    memset(queue->ring, 0, (size_t)depth * SUBMISSION);
    int error = ena_admin(pair->nic, &command, &answer);
    if (error != 0)
        return error;
    *created = answer.submissions;
    queue->created = true;
    queue->index = created->index;
    queue->depth = (uint16_t)depth;
    queue->tail = queue->notified = 0;
    queue->doorbell = register_at(pair->nic, created->doorbell);
    return queue->doorbell ? 0 : -EIO;
}

/* Where the NIC takes entries that are pushed. */
static int find_pushes(struct ena_pair *pair, uint32_t offset)
{
    const struct ena_nic *nic = pair->nic;
    struct ena_sender *send = &pair->send;
    send->pushes = NULL;
    send->entry_size = nic->limits.push_entry_size;
    send->burst = nic->limits.push_burst;
    if (send->entry_size == 0)
        return 0;
    uint64_t length = (uint64_t)send->submissions.depth * send->entry_size;
    if (offset % 8 != 0 || length > nic->memory.length || offset > nic->memory.length - length)
        return -EIO;
    send->pushes = nic->memory.base + offset;
    return 0;
}

static int create_sender(struct ena_pair *pair, unsigned depth)
{
    struct ena_submissions_created created;
    struct ena_sender *send = &pair->send;
    int error = create_completions(pair, &send->completions, depth, SENT);
    if (error == 0)
        error = create_submissions(pair, &send->submissions, depth, ENA_DIRECTION_SEND, send->completions.index,
                                   &created);
    return error == 0 ? find_pushes(pair, created.entries) : error;
}

static int create_receiver(struct ena_pair *pair, unsigned depth)
{
    struct ena_submissions_created created;
    struct ena_receiver *receive = &pair->receive;
    int error = create_completions(pair, &receive->completions, depth, RECEIVED);
    if (error == 0)
        error = create_submissions(pair, &receive->submissions, depth, ENA_DIRECTION_RECEIVE,
                                   receive->completions.index, &created);
    return error;
}

static int create_all(struct ena_nic *nic, unsigned send_depth, unsigned receive_depth)
{
    int error = 0;
    for (unsigned i = 0; i < nic->pair_count && error == 0; i++) {
        error = create_sender(&nic->pairs[i], send_depth);
        if (error == 0)
            error = create_receiver(&nic->pairs[i], receive_depth);
    }
    return error;
}

int ena_pairs_create(struct ena_nic *nic)
{
    const struct ena_limits *limits = &nic->limits;
    unsigned send = limits->push_entry_size != 0 ? limits->push_depth : limits->send_depth;
    unsigned receive = min_of(limits->receive_depth, nic->pairs[0].receive_capacity);
    for (;;) {
        int error = create_all(nic, send, receive);
        bool shortest = send == ENA_DEPTH_MIN && receive == ENA_DEPTH_MIN;
        if (error != -ENOSPC || (shortest && nic->pair_count == 1))
            return error;
        ena_pairs_destroy(nic);
        if (shortest)
            nic->pair_count = 1;
        send = max_of(send / 2, ENA_DEPTH_MIN);
        receive = max_of(receive / 2, ENA_DEPTH_MIN);
    }
}

/* ---- The end ---- */

/* What the NIC answers changes nothing: it is reset afterwards, or the queue is made again. */
static void destroy(struct ena_nic *nic, enum ena_opcode opcode, uint16_t index, uint8_t direction)
{
    struct ena_answer answer;
    struct ena_command command = {
        .opcode = (uint8_t)opcode,
        .destroy = { .index = index, .direction = direction },
    };
    (void)ena_admin(nic, &command, &answer);
}

static void destroy_submissions(struct ena_nic *nic, struct ena_submissions *queue, uint8_t direction)
{
    if (queue->created)
        destroy(nic, ENA_DESTROY_SUBMISSIONS, queue->index, direction);
    queue->created = false;
}

static void destroy_completions(struct ena_nic *nic, struct ena_completions *queue)
{
    if (queue->created)
        destroy(nic, ENA_DESTROY_COMPLETIONS, queue->index, 0);
    queue->created = false;
}

void ena_pairs_destroy(struct ena_nic *nic)
{
    for (unsigned i = 0; i < nic->pair_count; i++) {
        struct ena_pair *pair = &nic->pairs[i];
        destroy_submissions(nic, &pair->send.submissions, ENA_DIRECTION_SEND);
        destroy_submissions(nic, &pair->receive.submissions, ENA_DIRECTION_RECEIVE);
        destroy_completions(nic, &pair->send.completions);
        destroy_completions(nic, &pair->receive.completions);
        pair->unmask = NULL;
    }
}

void ena_pair_forget(struct ena_pair *pair)
{
    pair->send.submissions.created = pair->send.completions.created = false;
    pair->receive.submissions.created = pair->receive.completions.created = false;
    pair->unmask = NULL;
}

/* ---- Use ---- */

void ena_notify(struct ena_submissions *submissions)
{
    if (submissions->notified == submissions->tail)
        return;
    submissions->notified = submissions->tail;
    compiler_barrier();
    mmio_write32(submissions->doorbell, submissions->tail);
}

void ena_pair_fault(struct ena_pair *pair, enum ena_reason reason)
{
    must_hold(&pair->lock);
    pair->up = false;
    ena_fault(pair->nic, reason);
}
