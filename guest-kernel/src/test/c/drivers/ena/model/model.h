/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amazon's ENA network device as its driver sees it: registers, administrative queue, events, queues of packets with
 * their descriptors in memory or in the device (LLQ), offloads, interrupts. It does what a driver asks for, checks
 * each rule of rules.h meanwhile, and can be made to fail. Needs nothing of the kernel: whoever uses it gives memory,
 * interrupts, the wire and the time by callbacks. One thread; a callback must not call the model.
 *
 * Offsets, values and rules are those of the public headers of amzn/amzn-drivers (kernel/linux/common/ena_com:
 * ena_regs_defs.h, ena_admin_defs.h, ena_eth_io_defs.h), and of what their users and iPXE do.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/ena/model/rules.h"

#define MODEL_BAR0 0x4000u
#define MODEL_BAR2 0x100000u
#define MODEL_QUEUES 8        /* of each kind and direction, at most */
#define MODEL_DEPTH_MAX 1024u /* of rings */
#define MODEL_FRAME_MAX 66000u
#define MODEL_TOEPLITZ (1u << 1)
#define MODEL_CRC32 (1u << 2)
#define MODEL_KEY 40u       /* bytes */
#define MODEL_PIECES_MAX 32 /* descriptors of one packet */

/* What the device is; set before model_start(). Zero is the least of everything. */
struct model_variant {
    bool direct_reads;       /* revision bit 0 */
    uint16_t llq_sizes;      /* entry sizes offered: 1 is 128 bytes, 4 is 256; 0: no LLQ */
    uint8_t llq_recommended; /* 0, or one of them */
    bool no_meta_caching;    /* each packet needs a meta descriptor; with LLQ only */
    uint16_t burst_bytes;    /* between doorbells, 0: no limit */
    bool extended_queues;    /* feature 7 instead of 2 */
    uint32_t queues;         /* of each direction, up to MODEL_QUEUES */
    uint32_t tx_depth, rx_depth, llq_depth;
    uint32_t depth_granted;                        /* deeper rings fail for want of resources; 0: no limit */
    uint32_t queues_granted;                       /* so do more submission queues of a direction; 0: no limit */
    uint32_t completions_granted;                  /* entries of a completion queue that may be in flight; 0: all */
    uint16_t tx_pieces, rx_pieces;                 /* descriptors of one packet, with the meta descriptor */
    bool hints;                                    /* feature 3 */
    uint16_t keep_alive_ms, admin_ms, readless_ms; /* hints: 0 is the driver's own, 0xffff never */
    uint32_t tx_offloads, rx_offloads;             /* feature 11, none without both */
    uint32_t capabilities;
    uint32_t moderation_us;  /* feature 20, 0: none */
    unsigned rss_log2;       /* of the indirection table, feature 12; 0: none */
    uint32_t hash_functions; /* feature 10: MODEL_TOEPLITZ, MODEL_CRC32; 0: none */
    bool hash_fixed;         /* neither function nor key can be changed */
    bool key_reversed;       /* the key's last byte comes first */
    uint32_t event_groups;
    uint32_t max_mtu;
    uint8_t rx_offset; /* of data in the first buffer, for drivers that know of it */
    uint8_t mac[6];
    uint8_t address_bits;
    uint16_t place; /* bus 15:8, device 7:3, function 2:0 */
    unsigned vectors;
    bool needs_host_info; /* or completion queues cannot be made */
    bool link_down;
};

/* What it does wrong. May be changed at any time; those that strike once are cleared when they have. */
enum model_admin_fault { ADMIN_SILENT = 1, ADMIN_STATUS, ADMIN_WRONG_ID, ADMIN_WRONG_PHASE, ADMIN_TWICE };
struct model_faults {
    unsigned admin_number; /* strikes the n-th command from now on, once */
    enum model_admin_fault admin;
    uint8_t admin_status;
    bool admin_dead;                          /* no command is answered */
    bool readless_silent, readless_elsewhere; /* no answer; an answer for another register */
    bool never_ready, reset_ignored, reset_endless;
    bool no_keep_alive, no_interrupts;
    bool packets_lost; /* sent packets are not completed */
};

struct model_user {
    void *context;
    /* The bytes at a physical address, or NULL if the device cannot reach all of them. */
    void *(*memory)(void *context, uint64_t address, size_t length);
    void (*interrupt)(void *context, unsigned vector);
    /* A frame as it leaves: segmented, with all checksums. */
    void (*sent)(void *context, const uint8_t *frame, size_t length);
};

struct model_completion_queue {
    bool exists, used; /* by a submission queue */
    uint64_t base;
    uint32_t depth, entry_bytes, vector;
    uint32_t granted; /* entries that may be in flight */
    uint32_t posted;  /* entries, counted */
};

struct model_meta {
    bool valid;
    uint16_t segment_size;
    uint8_t l3_length, l3_offset, l4_words;
};

struct model_submission_queue {
    bool exists, receive, llq;
    unsigned completions; /* index of its completion queue */
    uint64_t base;        /* in memory, or offset in BAR 2 */
    uint32_t depth, entry_bytes;
    uint32_t head, tail;             /* entries taken and offered, counted */
    uint32_t in_use;                 /* slots of packets that are not completed */
    uint32_t under_way;              /* packets or buffers */
    uint16_t slots[MODEL_DEPTH_MAX]; /* by identifier: slots in use; 0: the identifier is free */
    uint64_t written;                /* LLQ: bytes, counted */
    struct model_meta meta;
    /* Reception: buffers by turn. Transmission: what is sent and waits for model_complete(). */
    uint16_t waiting[MODEL_DEPTH_MAX];
    uint32_t waiting_head, waiting_tail;
    struct {
        uint64_t address;
        uint32_t length;
    } buffers[MODEL_DEPTH_MAX]; /* by identifier */
    bool unmasked;              /* once */
};

struct model {
    struct model_variant variant;
    struct model_faults faults;
    struct model_user user;
    uint64_t now; /* ns */
    bool hold;    /* completions of transmission wait for model_complete() */
    bool reverse; /* buffers are used and packets completed in the other order */

    /* What was seen: packets and bytes both ways, resets, the last one's reason, broken rules. */
    uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes, rx_dropped;
    unsigned resets, reset_reason;
    unsigned commands; /* since the reset */
    unsigned events_lost;
    unsigned broken[RULE_COUNT], violations;
    const char *first_violation; /* "rule: ..." or NULL */
    bool forgiven[RULE_COUNT];   /* a test breaks these on purpose */

    /* Registers. */
    uint64_t response, admin_base, completion_base, event_base;
    uint32_t admin_caps, completion_caps, event_caps;
    uint32_t control, status;
    bool interrupt_masked, interrupt_mask_written, reset_seen, reset_over_seen;
    uint64_t reset_began;
    /* Administrative queue and events: entries, counted. */
    uint32_t admin_head, admin_posted, events_posted;
    uint16_t events_head;
    uint64_t admin_ids; /* in use, while the queue is read */
    bool host_info, rx_offset, llq_set, link_announced;
    uint16_t llq_size_code, llq_before_header;
    uint32_t groups, mtu;
    uint64_t keep_alive_due;
    uint16_t rss[256];
    bool rss_set;
    unsigned rss_size; /* logarithm */
    uint32_t hash_function;
    uint8_t key[MODEL_KEY];
    bool knows_moderation, knows_hash; /* the driver says so */

    struct model_completion_queue completion_queues[2 * MODEL_QUEUES];
    struct model_submission_queue submission_queues[2 * MODEL_QUEUES]; /* transmission, then reception */
    bool vector_armed[2 * MODEL_QUEUES + 1];
    uint32_t vector_delays[2 * MODEL_QUEUES + 1]; /* as they were unmasked: 14:0 of reception, 29:15 of transmission */
    uint64_t vector_due[2 * MODEL_QUEUES + 1];    /* an interrupt waits for this time; 0: none */
    uint8_t memory[MODEL_BAR2];
};

/* A common device of today: everything but LLQ; tests change what they are about. */
struct model_variant model_usual(void);
/* Power on. `model` may hold anything but `variant` and `user`, which are kept. */
void model_start(struct model *model);
/* The processor accesses a window; `bar` is 0 or 2, length 1, 2, 4 or 8. */
uint64_t model_read(struct model *model, unsigned bar, uint32_t offset, unsigned length);
void model_write(struct model *model, unsigned bar, uint32_t offset, uint64_t value, unsigned length);
/* Lets time pass up to `now`: resets go on, signs of life are given. */
void model_advance(struct model *model, uint64_t now);
/* Until when no time needs to pass for interrupts that wait; 0: none waits. */
uint64_t model_due(const struct model *model);
/* A frame arrives, up to MODEL_FRAME_MAX bytes. False: dropped, since there were not enough buffers. */
bool model_receive(struct model *model, const uint8_t *frame, size_t length);

/* ---- What tests make it do ---- */

/* Completes up to `count` packets that are held by `hold`, of transmission queue `queue`. How many. */
unsigned model_complete(struct model *model, unsigned queue, unsigned count);
/* Writes any completion to the queue's ring, and interrupts. Bit 0 of entry[3] says whether the phase is wrong. `queue`
 * counts those of transmission, or of reception, from 0. */
void model_post_sent(struct model *model, unsigned queue, const uint8_t entry[8]);
void model_post_received(struct model *model, unsigned queue, const uint8_t entry[16]);
/* Reports an event of any group, `length` <= 48 bytes of data, if the driver left room. */
bool model_event(struct model *model, unsigned group, unsigned syndrome, const void *data, size_t length);
void model_link(struct model *model, bool up);
/* Fatal: the status says so, and an event if there is room. */
void model_break(struct model *model);
/* How many packets were sent and not completed, and how many buffers for reception are posted. */
unsigned model_held(const struct model *model, unsigned queue);
unsigned model_buffers(const struct model *model, unsigned queue);
