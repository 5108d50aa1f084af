/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands to the NIC: one at a time, waited for. For ena_start(), service() and ena_shut_down(), of which one runs at
 * a time. Opcodes, structures and features are those of amzn-drivers' ena_admin_defs.h.
 */
#pragma once

#include "lib/types.h"

struct ena_nic;

/* A physical address of 48 bits. */
struct ena_address {
    uint32_t low;
    uint16_t high;
    uint16_t reserved;
};
struct ena_address ena_address_of(const void *memory);

enum ena_opcode {
    ENA_CREATE_SUBMISSIONS = 1,
    ENA_DESTROY_SUBMISSIONS = 2,
    ENA_CREATE_COMPLETIONS = 3,
    ENA_DESTROY_COMPLETIONS = 4,
    ENA_GET_FEATURE = 8,
    ENA_SET_FEATURE = 9,
};

enum ena_feature {
    ENA_FEATURE_ATTRIBUTES = 1,
    ENA_FEATURE_QUEUES = 2,
    ENA_FEATURE_HINTS = 3,
    ENA_FEATURE_PUSH = 4, /* "LLQ" */
    ENA_FEATURE_QUEUES_EXTENDED = 7,
    ENA_FEATURE_HASH = 10, /* "RSS", as is the table */
    ENA_FEATURE_OFFLOADS = 11,
    ENA_FEATURE_TABLE = 12,
    ENA_FEATURE_MTU = 14,
    ENA_FEATURE_MODERATION = 20,
    ENA_FEATURE_EVENTS = 26,
    ENA_FEATURE_HOST = 28,
};

#define ENA_DIRECTION_SEND (1u << 5)
#define ENA_DIRECTION_RECEIVE (2u << 5)

struct ena_create_completions {
    uint8_t mode; /* bit 5: interrupts */
    uint8_t entry_words;
    uint16_t depth;
    uint32_t vector; /* entry of the interrupt table */
    struct ena_address ring;
    uint8_t zero[44];
};
struct ena_create_submissions {
    uint8_t direction;
    uint8_t reserved;
    uint8_t placement; /* 1: in memory, 3: in the NIC */
    uint8_t contiguous;
    uint16_t completions; /* index */
    uint16_t depth;
    struct ena_address ring;
    struct ena_address head_copy;
    uint8_t zero[36];
};
struct ena_destroy {
    uint16_t index;
    uint8_t direction; /* of submissions only */
    uint8_t zero[57];
};
struct ena_of_feature {
    uint32_t buffer_length;
    struct ena_address buffer;
    uint8_t select;
    uint8_t feature;
    uint8_t version;
    uint8_t zero;
    uint32_t payload[11];
};
/* Feature 1. */
struct ena_attributes {
    uint32_t implementation, version, supported, capabilities, address_bits, virtual_bits;
    uint8_t mac[6];
    uint16_t flow_rules;
    uint32_t max_mtu;
};
#define ENA_CAPABILITY_REASONS (1u << 3) /* of resets, 16 and above */
#define ENA_CAPABILITY_ZEROS (1u << 4)   /* bits that must be zero in completions are */
/* Feature 2: submission queues, their depth, and so on; and 7, which has all of it for each direction. */
struct ena_queues {
    uint32_t submissions, submission_depth, completions, completion_depth, pushed, pushed_depth, header_max;
    uint16_t send_descriptors, receive_descriptors; /* of a packet */
};
struct ena_queues_extended {
    uint8_t version;
    uint8_t reserved[3];
    uint32_t send_submissions, send_completions, receive_submissions, receive_completions;
    uint32_t send_depth, send_completion_depth, receive_depth, receive_completion_depth, header_max;
    uint16_t send_descriptors, receive_descriptors;
};
/* Feature 3. Milliseconds; 0: as the driver thinks best, ENA_NEVER. */
struct ena_hints {
    uint16_t read, keep_alive, sent, sent_missing, admin, watchdog, send_buffers, receive_buffers;
};
#define ENA_NEVER UINT16_MAX
/* Feature 4: what is supported in the order and bits that amzn-drivers gives, and what is in use. */
struct ena_push {
    uint32_t queues, depth;
    uint16_t headers, headers_used;
    uint16_t entry_sizes, entry_size_used;
    uint16_t descriptors, descriptors_used; /* before a header */
    uint16_t strides, stride_used;
    uint8_t version, entry_size_best;
    uint16_t wide_depth;
    uint16_t accelerations;
    uint16_t burst; /* bytes between two doorbells */
    uint32_t reserved;
};
/* Feature 10: bits of functions; and what goes with it in memory. */
struct ena_hash {
    uint32_t supported, used, initial;
};
#define ENA_KEY_LENGTH 40
struct ena_hash_key {
    uint32_t words, reserved;
    uint8_t bytes[ENA_KEY_LENGTH];
};
/* Feature 12, sizes being logarithms; and an entry in memory. */
struct ena_table {
    uint16_t size_min, size_max, size;
    uint8_t flags, reserved;
    uint32_t index; /* of a single entry; ENA_TABLE_WHOLE */
    uint32_t entry;
};
#define ENA_TABLE_WHOLE UINT32_MAX
struct ena_table_entry {
    uint16_t queue; /* of submissions, by which the NIC knows it */
    uint16_t reserved;
};
/* Feature 20. */
struct ena_moderation {
    uint16_t resolution; /* us */
    uint16_t reserved;
};
/* Feature 11. */
struct ena_offloads {
    uint32_t send, receive, receive_used;
};
/* Feature 26. */
struct ena_event_groups {
    uint32_t supported, enabled;
};
/* Feature 28. */
struct ena_host {
    struct ena_address information;
    struct ena_address debug;
    uint32_t debug_length;
};

/* The parts of the union are as long as it: what an initializer of one does not name is zero, but bytes of the union
 * after it need not be. */
struct ena_command {
    uint16_t id;
    uint8_t opcode;
    uint8_t flags;
    union {
        struct ena_create_completions create_completions;
        struct ena_create_submissions create_submissions;
        struct ena_destroy destroy;
        struct ena_of_feature feature;
    };
};
_Static_assert(sizeof(struct ena_command) == 64, "an entry of the ring");
_Static_assert(sizeof(struct ena_create_completions) == 60 && sizeof(struct ena_create_submissions) == 60 &&
                   sizeof(struct ena_destroy) == 60 && sizeof(struct ena_of_feature) == 60,
               "nothing is left out");
_Static_assert(offsetof(struct ena_command, create_completions.ring) == 12, "as the next ones: amzn-drivers");
_Static_assert(offsetof(struct ena_command, create_submissions.completions) == 8, "");
_Static_assert(offsetof(struct ena_command, create_submissions.ring) == 12, "");
_Static_assert(offsetof(struct ena_command, feature.select) == 16, "");
_Static_assert(offsetof(struct ena_command, feature.payload) == 20, "");

struct ena_completions_created {
    uint16_t index, depth;
    uint32_t node_register, head_doorbell, unmask; /* offsets of registers */
};
struct ena_submissions_created {
    uint16_t index, reserved;
    uint32_t doorbell;         /* offset of a register */
    uint32_t entries, headers; /* offsets in the NIC's memory */
};

struct ena_answer {
    uint16_t id;
    uint8_t status;
    uint8_t flags;
    uint16_t extended_status;
    uint16_t head;
    union {
        struct ena_completions_created completions;
        struct ena_submissions_created submissions;
        struct ena_attributes attributes;
        struct ena_queues queues;
        struct ena_queues_extended queues_extended;
        struct ena_hints hints;
        struct ena_push push;
        struct ena_hash hash;
        struct ena_table table;
        struct ena_moderation moderation;
        struct ena_offloads offloads;
        struct ena_event_groups events;
        uint32_t payload[14];
    };
};
_Static_assert(sizeof(struct ena_answer) == 64, "an entry of the ring");
_Static_assert(offsetof(struct ena_answer, attributes.max_mtu) == 40, "as the next ones: amzn-drivers");
_Static_assert(offsetof(struct ena_answer, queues.send_descriptors) == 36, "");
_Static_assert(offsetof(struct ena_answer, queues_extended.send_descriptors) == 48, "");
_Static_assert(offsetof(struct ena_answer, push.burst) == 38, "");

struct ena_admin {
    struct ena_command *commands;
    struct ena_answer *answers;
    uint16_t tail, head;  /* counted on and on */
    nanoseconds patience; /* 0: as the driver thinks best */
    bool silent;          /* it has left a command without its answer, and is not asked again before a reset */
};

/* Gives the rings to the NIC, which has been reset and is ready. 0 or -ENODEV. */
must_check int ena_admin_start(struct ena_nic *nic);
/* Does a command; its id and phase are filled in. 0; -ETIMEDOUT if the NIC is silent, which has been noted as a fault;
 * -ENOSPC if it lacks resources; -EOPNOTSUPP if it does not know this; -EINVAL; -EIO for the rest. */
int ena_admin(struct ena_nic *nic, struct ena_command *command, struct ena_answer *answer);
/* Whether the NIC has the feature. */
bool ena_has_feature(const struct ena_nic *nic, enum ena_feature feature);
must_check int ena_get_feature(struct ena_nic *nic, enum ena_feature feature, uint8_t version,
                               struct ena_answer *answer);
/* `length` bytes of payload, a multiple of 4. */
must_check int ena_set_feature(struct ena_nic *nic, enum ena_feature feature, const void *payload, size_t length);
/* The same for a feature with `buffer_length` bytes more in memory. */
must_check int ena_set_feature_with(struct ena_nic *nic, enum ena_feature feature, const void *payload, size_t length,
                                    const void *buffer, size_t buffer_length);
