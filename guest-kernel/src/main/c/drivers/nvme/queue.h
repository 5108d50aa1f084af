/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of queues (NVM Express 1.4; section numbers refer to it): commands go to the controller in one ring,
 * completions come back in the other. The owner serialises the calls for one pair, gives each command an identifier
 * that no other one under way has, and never has more than size - 1 of them under way, so the ring of commands cannot
 * be full.
 */
#pragma once

#include "lib/types.h"

/* Submission queue entry (4.2). */
struct nvme_command {
    uint8_t opcode;
    uint8_t flags; /* 0: not fused, data described by PRPs */
    uint16_t id;
    uint32_t namespace;
    uint64_t reserved;
    uint64_t metadata;
    uint64_t data[2];      /* PRP entries 1 and 2 (4.3) */
    uint32_t arguments[6]; /* command dwords 10 to 15 */
};
_Static_assert(sizeof(struct nvme_command) == 64, "4.2");

/* Completion queue entry (4.6). */
struct nvme_completion {
    uint32_t result;
    uint32_t reserved;
    uint16_t head;
    uint16_t queue;
    uint16_t id;
    uint16_t status; /* bit 0: phase; the rest as below */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "4.6");
#define NVME_STATUS(status) ((status) >> 1 & 0x7ff) /* type and code; 0: success */
#define NVME_STATUS_FINAL 0x8000                    /* "do not retry" */

/* A page of commands has this many. */
#define NVME_QUEUE_SIZE_MAX 64

struct nvme_queue {
    uint16_t id;                 /* of both queues; 0: administration */
    uint16_t size;               /* entries of each */
    uint16_t tail, notified;     /* of the commands: next entry to be written; as the controller knows it */
    uint16_t head, acknowledged; /* of the completions: next entry to be read; as the controller knows it */
    uint16_t phase;              /* of the completions that are new */
    struct nvme_command *commands;
    struct nvme_completion *completions;
    volatile uint8_t *tail_doorbell, *head_doorbell;
};

/* Makes a pair with `size` <= NVME_QUEUE_SIZE_MAX entries, whose doorbells (3.1.16, 3.1.17) are there.
 * The controller does not learn of it here. 0 or -ENOMEM. */
must_check int nvme_queue_init(struct nvme_queue *queue, uint16_t id, uint16_t size, volatile uint8_t *tail_doorbell,
                               volatile uint8_t *head_doorbell);
/* Frees the memory, which the controller must not use any more. */
void nvme_queue_release(struct nvme_queue *queue);
/* Adds a command; the controller looks at it after nvme_queue_notify(). */
void nvme_queue_add(struct nvme_queue *queue, const struct nvme_command *command);
void nvme_queue_notify(struct nvme_queue *queue);
/* Copies the next completion, whose `queue` and `id` are as the controller wrote them; false: there is none. */
bool nvme_queue_take(struct nvme_queue *queue, struct nvme_completion *completion);
/* Lets the controller use the entries of those taken again. */
void nvme_queue_acknowledge(struct nvme_queue *queue);
