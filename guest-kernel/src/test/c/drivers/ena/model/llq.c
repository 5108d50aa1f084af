/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's memory for transmit entries (LLQ), BAR 2: one part for each queue. What is written is kept, and how far
 * each ring has been written, which is in order; the doorbell says when entries count.
 */
#include "drivers/ena/model/internal.h"

uint32_t llq_entry_bytes(const struct model *m) { return 64u * (m->llq_size_code == 4 ? 4u : m->llq_size_code + 1u); }

uint32_t llq_header_at(const struct model *m) { return 16u * m->llq_before_header; }

static struct model_submission_queue *queue_at(struct model *m, uint32_t offset)
{
    struct model_submission_queue *sq = &m->submission_queues[offset / (MODEL_BAR2 / MODEL_QUEUES) % MODEL_QUEUES];
    return sq->exists && sq->llq && offset - sq->base < sq->depth * sq->entry_bytes ? sq : NULL;
}

void llq_write(struct model *m, uint32_t offset, uint64_t value, unsigned length)
{
    struct model_submission_queue *sq = queue_at(m, offset);
    bool sound = length == 8 && offset % 8 == 0 && offset < MODEL_BAR2 && sq != NULL;
    if (!rule(m, sound, RULE_LLQ_ACCESS))
        return;
    memcpy(m->memory + offset, &value, length);
    uint32_t ring = sq->depth * sq->entry_bytes;
    if (!rule(m, offset - sq->base == sq->written % ring, RULE_LLQ_ORDER))
        return;
    sq->written += length;
    uint64_t ahead = (sq->written + sq->entry_bytes - 1) / sq->entry_bytes - sq->tail;
    uint32_t burst = m->variant.burst_bytes / sq->entry_bytes;
    rule(m, burst == 0 || ahead <= burst, RULE_LLQ_BURST);
    rule(m, sq->in_use + (sq->tail - sq->head) + ahead < sq->depth, RULE_SLOT_FREE);
}
