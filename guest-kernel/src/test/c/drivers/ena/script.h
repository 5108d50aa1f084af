/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest driver there can be, for tests of the model: it brings a device up with one pair of queues and sends and
 * receives by hand, right in everything, except for what a test changes on the way.
 */
#pragma once

#include "drivers/ena/model/model.h"

#define SCRIPT_MEMORY (512u << 10)
#define SCRIPT_BASE 0x100000u /* the physical address of its memory */
#define SCRIPT_DEPTH 16u
#define SCRIPT_FRAMES 64

/* Where things lie in its memory. */
#define AT_COMMANDS 0x0000u
#define AT_ANSWERS 0x1000u
#define AT_EVENTS 0x2000u
#define AT_RESPONSE 0x3000u
#define AT_HOST 0x4000u
#define AT_TABLE 0x5000u
#define AT_TX_COMPLETIONS 0x6000u
#define AT_TX 0x7000u
#define AT_RX_COMPLETIONS 0x8000u
#define AT_RX 0x9000u
#define AT_BUFFERS 0x10000u /* 16 of 2048 bytes, by identifier */
#define AT_DATA 0x20000u    /* what is sent */

/* One thing that is changed: bits of a register's value, of a command, of a descriptor, of the host's page. */
enum change_kind {
    CHANGE_NOTHING,
    CHANGE_REGISTER,
    OMIT_REGISTER,
    CHANGE_COMMAND,
    OMIT_COMMAND,
    CHANGE_HOST,
    CHANGE_BUFFER,
    OMIT_BUFFER,
    CHANGE_SENT,
    CHANGE_ENTRY
};
struct change {
    enum change_kind kind;
    unsigned which; /* the register; opcode << 8 | feature; descriptor, from 0 */
    unsigned at;    /* the byte; of a descriptor that is sent, the word */
    uint32_t bits;  /* that are inverted */
};

struct script {
    struct model model;
    struct change change;
    uint8_t memory[SCRIPT_MEMORY];
    uint16_t request, command_tail, tx_tail, rx_tail, tx_id;
    uint8_t answer[64]; /* to the last command */
    uint32_t tx_doorbell, rx_doorbell, tx_unmask, rx_unmask, llq_at;
    uint16_t tx_sq, rx_sq, tx_cq, rx_cq;
    bool llq;
    /* What left, and which vectors were raised. */
    unsigned frames, interrupts[64];
    uint32_t lengths[SCRIPT_FRAMES];
    uint8_t sent[SCRIPT_FRAMES][2048];
};
extern struct script script;

/* Power on, with a change that happens on the way; then the device works if nothing is wrong. */
void script_start(struct model_variant variant, struct change change);

uint32_t script_read(uint32_t offset);
void script_write(uint32_t offset, uint32_t value);
/* The same after the first time: a reset, and everything again. */
void script_bring_up(void);
/* A reset in both phases. */
void script_reset(unsigned reason);
/* A command with these bytes from byte 4 on; its status. */
uint8_t script_command(unsigned opcode, const void *bytes, size_t length);
uint8_t script_feature(unsigned opcode, unsigned feature, unsigned version, const void *bytes, size_t length);

/* A TCP packet of IPv4 with `payload` bytes at AT_DATA; its length. The checksum field has the pseudo-header's sum. */
uint32_t script_packet(uint32_t payload);
/* Words of a descriptor; marks for them are in word 0. */
struct script_descriptor {
    uint32_t word[4];
};
#define D_META (1u << 23)
#define D_FIRST (1u << 26)
#define D_LAST (1u << 27)
#define D_COMPLETION (1u << 28)
struct script_descriptor script_meta(unsigned segment_size, unsigned l4_words);
/* Data from byte `at` of AT_DATA on; `offload` is word 1 without the identifier. */
struct script_descriptor script_data(uint32_t at, uint32_t length, uint32_t marks, uint32_t offload);
/* Writes descriptors with their phases (LLQ: with `header` pushed bytes), and rings the doorbell. */
void script_send(struct script_descriptor *descriptors, unsigned count, unsigned header);
/* A packet in `pieces` pieces after a meta descriptor, with a partial checksum. */
void script_send_simple(uint32_t payload, unsigned pieces);
/* Posts a buffer with this identifier, and rings the doorbell if so told. */
void script_post(unsigned id, bool doorbell);
