/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the model. */
#pragma once

#include <string.h>

#include "drivers/ena/model/model.h"

/* Registers in BAR 0 (ena_regs_defs.h). */
enum {
    REG_VERSION = 0x00,
    REG_CONTROLLER = 0x04,
    REG_CAPS = 0x08,
    REG_CAPS_EXT = 0x0c,
    REG_AQ_BASE = 0x10,
    REG_AQ_CAPS = 0x18,
    REG_ACQ_BASE = 0x20,
    REG_ACQ_CAPS = 0x28,
    REG_AQ_DB = 0x2c,
    REG_ACQ_TAIL = 0x30,
    REG_AENQ_CAPS = 0x34,
    REG_AENQ_BASE = 0x38,
    REG_AENQ_HEAD = 0x40,
    REG_AENQ_TAIL = 0x44,
    REG_INTR_MASK = 0x4c,
    REG_DEV_CTL = 0x54,
    REG_DEV_STS = 0x58,
    REG_READ = 0x5c,
    REG_RESPONSE = 0x60,
    REG_RSS = 0x68,
};
/* Where this device has its queues' doorbells and unmask registers; drivers learn it from completions. */
#define DOORBELLS 0x800u
#define UNMASKS 0x1800u
#define DOORBELL_STRIDE 8u
#define UNMASK_STRIDE 16u
/* Numbers of queues on the device are not those of the driver. */
#define CQ_BASE 5u
#define SQ_BASE 9u

#define STATUS_READY 1u
#define STATUS_RESETTING 8u
#define STATUS_FATAL 0x20u

enum {
    ADMIN_OK,
    ADMIN_NO_RESOURCES,
    ADMIN_BAD_OPCODE,
    ADMIN_UNSUPPORTED,
    ADMIN_MALFORMED,
    ADMIN_ILLEGAL,
    ADMIN_UNKNOWN,
};

enum {
    FEATURE_ATTRIBUTES = 1,
    FEATURE_QUEUES = 2,
    FEATURE_HINTS = 3,
    FEATURE_LLQ = 4,
    FEATURE_QUEUES_EXT = 7,
    FEATURE_HASH = 10,
    FEATURE_OFFLOAD = 11,
    FEATURE_RSS_TABLE = 12,
    FEATURE_MTU = 14,
    FEATURE_MODERATION = 20,
    FEATURE_AENQ = 26,
    FEATURE_HOST = 28
};

enum { GROUP_LINK, GROUP_FATAL, GROUP_WARNING, GROUP_NOTIFICATION, GROUP_KEEP_ALIVE };

static inline uint16_t get16(const void *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}
static inline uint32_t get32(const void *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}
/* An address: the low word, and bits 47:32 in 16 bits after it. */
static inline uint64_t get_address(const void *from)
{
    return get32(from) | (uint64_t)get16((const uint8_t *)from + 4) << 32;
}
static inline void put16(void *to, uint16_t value) { memcpy(to, &value, sizeof(value)); }
static inline void put32(void *to, uint32_t value) { memcpy(to, &value, sizeof(value)); }
static inline uint16_t get_big16(const uint8_t *from) { return (uint16_t)(from[0] << 8 | from[1]); }
static inline uint32_t get_big32(const uint8_t *from) { return (uint32_t)get_big16(from) << 16 | get_big16(from + 2); }
static inline void put_big16(uint8_t *to, uint32_t value) { to[0] = (uint8_t)(value >> 8), to[1] = (uint8_t)value; }
static inline void put_big32(uint8_t *to, uint32_t value) { put_big16(to, value >> 16), put_big16(to + 2, value); }
static inline bool is_power(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }
static inline bool is_zero(const uint8_t *at, size_t length)
{
    while (length > 0)
        if (at[--length] != 0)
            return false;
    return true;
}
/* The phase of the n-th entry of a ring: 1 at first, the other one each time round. */
static inline unsigned phase_of(uint32_t counted, uint32_t depth) { return (counted / depth & 1) ^ 1; }

/* Notes a broken rule unless `kept`, and returns `kept`. */
bool rule(struct model *m, bool kept, enum model_rule which);
/* Memory that the driver named; NULL breaks DMA_ADDRESS. */
void *memory_at(struct model *m, uint64_t address, size_t length);
/* As memory_at(), for a ring that the device writes. */
void *zeroed_ring(struct model *m, uint64_t address, size_t length);
void raise_vector(struct model *m, unsigned vector);

void registers_reset(struct model *m);
uint32_t register_read(struct model *m, uint32_t offset, unsigned length);
void register_write(struct model *m, uint32_t offset, uint32_t value, unsigned length);
/* The driver rang the administrative doorbell. */
void admin_run(struct model *m, uint16_t tail);
void admin_form(struct model *m, uint64_t base, uint32_t caps, bool of_device);
uint8_t feature_get(struct model *m, const uint8_t *command, uint8_t *reply);
uint8_t feature_set(struct model *m, const uint8_t *command);
uint8_t queue_create_cq(struct model *m, const uint8_t *command, uint8_t *reply);
uint8_t queue_create_sq(struct model *m, const uint8_t *command, uint8_t *reply);
uint8_t queue_destroy_sq(struct model *m, const uint8_t *command);
uint8_t queue_destroy_cq(struct model *m, const uint8_t *command);
void queue_doorbell(struct model *m, uint32_t offset, uint32_t value);
void queue_unmask(struct model *m, uint32_t offset, uint32_t value);
/* Writes a completion, with the phase of its turn where bit 0 of entry[3] is 0, and the wrong one where it is 1. */
void queue_post(struct model *m, const struct model_submission_queue *sq, const uint8_t *entry);
/* A packet or buffer is under way, in so many slots; and is not any more. */
void queue_take(struct model *m, struct model_submission_queue *sq, uint32_t id, uint32_t slots);
void queue_give_back(struct model_submission_queue *sq, uint32_t id);
void queue_interrupt(struct model *m, const struct model_submission_queue *sq);
/* The LLQ entry size and where headers begin in it, as they were set. */
uint32_t llq_entry_bytes(const struct model *m);
uint32_t llq_header_at(const struct model *m);
void llq_write(struct model *m, uint32_t offset, uint64_t value, unsigned length);
void rss_reset(struct model *m);
void rss_describe_table(const struct model *m, uint8_t *to);
void rss_describe_hash(const struct model *m, uint8_t *to);
uint8_t rss_set_table(struct model *m, const uint8_t *command);
uint8_t rss_set_hash(struct model *m, const uint8_t *command);
void rss_entry_written(struct model *m, uint32_t value);
/* Of a frame; and the queue that it goes to, or NULL: there is none. */
uint32_t rss_hash(const struct model *m, const uint8_t *frame, uint32_t length);
struct model_submission_queue *rss_queue(struct model *m, uint32_t hash);
/* Interrupts that waited for their delay. */
void queue_advance(struct model *m);
void events_head_written(struct model *m, uint32_t value);
void events_link(struct model *m);
void transmit(struct model *m, struct model_submission_queue *sq);
void receive_buffers(struct model *m, struct model_submission_queue *sq);

/* A packet to send, put together. */
struct outgoing {
    uint8_t *frame;
    uint32_t length, header_length;
    uint32_t offload; /* word 1 of the first data descriptor */
    bool with_meta;
    struct model_meta meta;
};
#define OFFLOAD_DF 0x10u
#define OFFLOAD_TSO 0x80u
#define OFFLOAD_L3 0x2000u
#define OFFLOAD_L4 0x4000u
#define OFFLOAD_PARTIAL 0x20000u
#define L3_IPV4 8u
#define L3_IPV6 11u
#define L4_TCP 12u
#define L4_UDP 13u
/* Sends it as frames that are complete. */
void offload_send(struct model *m, const struct outgoing *packet);

/* What a frame is, for the flags of reception and for checks. */
struct headers {
    unsigned l3, l4; /* as in descriptors, 0: another one */
    uint32_t l3_at, l3_length, l4_at, l4_length;
    uint32_t end; /* of the IP packet */
    uint8_t protocol;
    bool fragment;
};
struct headers headers_of(const uint8_t *frame, uint32_t length);
/* The sum of the pseudo-header for `length` bytes from l4_at, folded; and of bytes, to be added up. */
uint64_t sum_of_pseudo(const uint8_t *frame, const struct headers *h, uint32_t length);
uint64_t sum_of(const uint8_t *at, uint32_t length);
uint16_t sum_fold(uint64_t sum);
/* From l4_at, where the checksum is. */
uint32_t checksum_offset(const struct headers *h);
