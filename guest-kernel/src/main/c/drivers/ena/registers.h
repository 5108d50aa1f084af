/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the NIC, all of 32 bits. Offsets, fields and the numbers of reasons are those of amzn-drivers'
 * ena_regs_defs.h. Reads are for ena_start(), service() and ena_shut_down(), of which one runs at a time: a NIC may
 * answer a read through memory, and only one of them can be under way. Writes are for any context.
 */
#pragma once

#include "lib/types.h"

struct ena_nic;

#define ENA_VERSION 0x00
#define ENA_CONTROLLER_VERSION 0x04
#define ENA_CAPABILITIES 0x08
#define ENA_COMMANDS 0x10 /* base, 64 bits in two registers, as all bases */
#define ENA_COMMANDS_SIZE 0x18
#define ENA_ANSWERS 0x20
#define ENA_ANSWERS_SIZE 0x28
#define ENA_COMMANDS_DOORBELL 0x2c
#define ENA_EVENTS_SIZE 0x34
#define ENA_EVENTS 0x38
#define ENA_EVENTS_DOORBELL 0x40
#define ENA_INTERRUPT_MASK 0x4c
#define ENA_CONTROL 0x54
#define ENA_STATUS 0x58
#define ENA_READ 0x5c
#define ENA_READ_ANSWER 0x60
#define ENA_REGISTERS_LENGTH 0x64

/* What a ..._SIZE register holds. */
#define ENA_RING_SIZE(entries, entry_size) ((uint32_t)(entries) | (uint32_t)(entry_size) << 16)

#define ENA_STATUS_READY 0x01u
#define ENA_STATUS_RESETTING 0x08u
#define ENA_STATUS_FATAL 0x20u

/* What is read where nothing answers. */
#define ENA_GONE UINT32_MAX

/* Why the NIC is reset. 0 is also "no reason" where a fault is remembered. */
enum ena_reason {
    ENA_NORMAL = 0,
    ENA_KEEP_ALIVE_LOST = 1,
    ENA_ADMIN_SILENT = 2,
    ENA_SENT_MISSING = 3,
    ENA_BAD_RECEIVE_ID = 4,
    ENA_BAD_SEND_ID = 5,
    ENA_TOO_MANY_BUFFERS = 6,
    ENA_START_FAILED = 7,
    ENA_SHUT_DOWN = 11,
    ENA_GENERIC = 13,
    ENA_INTERRUPT_MISSING = 14,
    ENA_RECEIVE_MALFORMED = 16,
    ENA_SEND_MALFORMED = 17,
    ENA_ASKED_FOR = 19,
};
#define ENA_REASONS_BASIC 16 /* those from here on are for NICs that know them */

/* ENA_GONE too when a NIC that is to answer through memory does not. */
uint32_t ena_read(struct ena_nic *nic, unsigned offset);
void ena_write(struct ena_nic *nic, unsigned offset, uint32_t value);
/* A base register and the one after it. */
void ena_write_address(struct ena_nic *nic, unsigned offset, const void *memory);
/* Where answers to reads go; lost in a reset. */
void ena_write_read_answer(struct ena_nic *nic);
/* Both phases of a reset. 0: the NIC uses no memory any more, and has forgotten all settings. -ENODEV, -EIO or
 * -ETIMEDOUT. */
must_check int ena_reset(struct ena_nic *nic, enum ena_reason reason);
/* What must hold of a NIC that was reset: versions, and addresses as wide as those of RAM. 0, -ENODEV, -EOPNOTSUPP. */
must_check int ena_check_versions(struct ena_nic *nic);

/* Waiting for the NIC. Spins for a moment; then, in service(), lets other threads run in between. */
struct ena_wait {
    nanoseconds limit, spin_until;
};
struct ena_wait ena_wait_begin(nanoseconds patience);
/* False when it has lasted for `patience`. */
bool ena_wait_more(struct ena_nic *nic, const struct ena_wait *wait);
