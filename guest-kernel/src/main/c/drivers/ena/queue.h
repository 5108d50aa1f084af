/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of queues: one to send, one to receive, each of a ring of submissions and a ring of completions. A ring's
 * counter goes on and on; its low bits are the entry and the next one the lap, from which the phase follows.
 */
#pragma once

#include "core/lock.h"
#include "core/packet.h"
#include "drivers/ena/registers.h"
#include "lib/types.h"

struct ena_nic;
struct network_device;

/* Entries of a ring: powers of two. */
#define ENA_DEPTH_MIN 32u
#define ENA_SEND_DEPTH 512u
#define ENA_RECEIVE_DEPTH 1024u

/* Buffers of one packet. */
#define ENA_SEND_BUFFERS (1 + PACKET_MAX_FRAGMENTS)
#define ENA_RECEIVE_BUFFERS PACKET_MAX_FRAGMENTS

/* 1 in the first lap, 0 in the second, and so on. */
static inline uint8_t ena_phase(uint16_t counter, unsigned depth) { return !(counter & depth); }

struct ena_completions {
    void *ring;
    uint16_t index; /* by which the NIC knows it */
    uint16_t depth;
    uint16_t limit; /* at most so many may be outstanding */
    uint16_t head;  /* the next one to be taken */
    bool created;
};
struct ena_submissions {
    void *ring;
    uint16_t index; /* by which the NIC knows it */
    uint16_t depth;
    uint16_t tail, notified; /* the next one to be written; as the NIC knows it */
    bool created;
    volatile uint8_t *doorbell;
};

/* A packet that was given to the NIC, by its request id; or a free id. */
struct ena_sent {
    struct packet *packet; /* NULL: free */
    nanoseconds at;
    uint16_t entries;
    uint16_t next_free;
};
struct ena_sender {
    struct ena_submissions submissions;
    struct ena_completions completions;
    struct ena_sent *sent;
    uint16_t first_free;
    uint16_t in_flight;   /* packets */
    uint16_t used;        /* entries */
    uint16_t packet_max;  /* entries of the largest packet */
    uint16_t buffers_max; /* of a packet */
    bool full;            /* transmit() said false: the stack waits for notice */
    /* The NIC's memory, into which entries are written; NULL: they go into the ring. */
    volatile uint8_t *pushes;
    unsigned entry_size; /* bytes of an entry there */
    unsigned burst;      /* entries between two doorbells at most */
};

/* A packet as the NIC left it, perhaps not yet all of it. */
struct ena_gathered {
    struct page *pages[ENA_RECEIVE_BUFFERS];
    uint16_t lengths[ENA_RECEIVE_BUFFERS];
    unsigned count;
    uint32_t length;
    uint32_t status; /* of the last */
};
struct ena_receiver {
    struct ena_submissions submissions;
    struct ena_completions completions;
    struct page **posted; /* by request id; NULL: not posted */
    uint16_t *free_ids;   /* as many as are not posted */
    uint16_t free_count;
    unsigned buffers_max;    /* of a packet */
    struct ena_gathered got; /* what has come of a packet that is not complete */
};

struct ena_pair {
    struct ena_nic *nic;
    unsigned number;
    unsigned receive_capacity; /* entries that there is memory for */
    struct spinlock lock;      /* guards the rest, while the pair is up; else it is service()'s */
    bool up;                   /* the NIC uses it */
    bool due;                  /* its interrupt came, and has not been asked for again */
    volatile uint8_t *unmask;
    struct ena_sender send;
    struct ena_receiver receive;
    unsigned interrupts, watched; /* that came; at the last look of service() */
    unsigned stalled;             /* looks at which completions waited without an interrupt */
};

/* ---- queue.c ---- */

/* The memory of all pairs, or of fewer of them. 0, or -ENOMEM with none. */
must_check int ena_pairs_init(struct ena_nic *nic);
/* Frees what there is of it, with the buffers. The NIC must not use it any more. */
void ena_pair_release(struct ena_pair *pair);
/* Makes the queues of all pairs in the NIC, with shorter rings if it has no room, or of one. 0 or a negative errno. */
must_check int ena_pairs_create(struct ena_nic *nic);
void ena_pairs_destroy(struct ena_nic *nic);
/* Of a NIC that was reset: it knows of no queue any more. */
void ena_pair_forget(struct ena_pair *pair);
/* The submissions up to the tail are the NIC's. Guarded as the ring is. */
void ena_notify(struct ena_submissions *submissions);
/* With the lock: the pair is of no use any more before a reset. */
void ena_pair_fault(struct ena_pair *pair, enum ena_reason reason);

/* ---- transmit.c ---- */

/* network_device.transmit and .flush. */
bool ena_transmit(struct network_device *network, struct packet *packet);
void ena_flush(struct network_device *network);
/* With the lock. Of a new queue: all ids are free. */
void ena_send_start(struct ena_pair *pair);
/* With the lock: frees what was sent. True if the stack waits and may go on, which the caller reports. */
must_check bool ena_reclaim(struct ena_pair *pair);
/* Of a pair that is not up: frees what was given to the NIC, as lost. */
void ena_send_forget(struct ena_pair *pair);
bool ena_send_pending(const struct ena_pair *pair);
/* With the lock: packets that were given to the NIC before that time. */
unsigned ena_sent_before(const struct ena_pair *pair, nanoseconds time);

/* ---- receive.c ---- */

/* With the lock. Of a new queue: no buffer is posted. */
void ena_receive_start(struct ena_pair *pair);
/* With the lock: posts buffers until the ring is full. False without memory for all of them. */
bool ena_receive_fill(struct ena_pair *pair);
/* With the lock: the next packet; NULL if it was dropped, and counted. False: there is none. */
must_check bool ena_receive(struct ena_pair *pair, struct packet **packet);
bool ena_receive_pending(const struct ena_pair *pair);
/* When the pair is not up: frees all buffers. */
void ena_receive_forget(struct ena_pair *pair);
