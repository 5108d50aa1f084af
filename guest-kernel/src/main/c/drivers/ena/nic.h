/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NIC, as the files of this directory share it. Who uses what:
 *  - ena_start(), service() and ena_shut_down(), of which one runs at a time, bring the NIC up and down. What no lock
 *    is named for is theirs; others read what is fixed while a pair is up.
 *  - Packets are sent and received in any context, with the lock of a pair, while the pair is up.
 *  - Events are taken in any context, with the lock of struct ena_events.
 * Locks of class "nic"; never two at a time. The stack is called without them.
 */
#pragma once

#include "drivers/device.h"
#include "drivers/ena/admin.h"
#include "drivers/ena/events.h"
#include "drivers/ena/queue.h"
#include "drivers/ena/registers.h"
#include "drivers/pci/pci.h"

/* Pairs of queues: one for each CPU, as far as the NIC and the memory go, and so many at most. */
#define ENA_PAIRS 8u

/* Memory of the NIC. */
struct ena_window {
    volatile uint8_t *base; /* NULL: there is none */
    uint64_t length;        /* bytes, a power of two */
};

/* What the NIC writes in answer to a read. */
struct ena_read_answer {
    uint16_t sequence;
    uint16_t offset;
    uint32_t value;
};

/* What the NIC can do, as it says after each reset, within what the driver can. */
struct ena_limits {
    uint32_t send_depth, receive_depth; /* powers of two */
    unsigned send_buffers, receive_buffers;
    unsigned header_max; /* bytes of a packet in a descriptor or an entry; 0: not said */
    unsigned max_mtu;
    unsigned pairs;
    unsigned table_size; /* logarithm of the entries by which it spreads packets over pairs; 0: it does not */
    unsigned moderation; /* us, the unit of delays of interrupts; 0: there are none */
    bool checksums, segmentation, checksums_ipv6, segmentation_ipv6;
    uint32_t events; /* groups in use */
    /* Entries that are written into the NIC's memory; entry_size 0: they are not. */
    unsigned push_entry_size, push_depth, push_burst;
};

struct ena_nic {
    struct network_device network;
    struct pci_function function;
    struct ena_window registers, memory;
    bool reads_directly;
    struct ena_read_answer *read_answer;
    uint16_t read_sequence;
    void (*rest)(void); /* while service() runs: its argument */
    struct ena_admin admin;
    struct ena_events events;
    struct ena_hints hints;           /* written by events too, a word at a time */
    uint32_t supported, capabilities; /* as the NIC says */
    struct ena_limits limits;
    void *host_page;
    void *spread_page; /* for the NIC to read during a command */
    uint8_t key[ENA_KEY_LENGTH];
    bool has_key;
    unsigned vectors[1 + ENA_PAIRS]; /* of management, then of the pairs; 0: not yet */
    bool up;                         /* it works; only then are there interrupts to handle */
    enum ena_reason fault;           /* why it is to be reset; any context, set once */
    nanoseconds retry_at;            /* if it is not up: when it is tried again */
    nanoseconds watch_at;            /* when it is looked at again */
    unsigned failures;               /* to come up again, one after the other */
    unsigned reports;                /* resets that were logged */
    struct pci_spread spread;        /* the pairs' entries of the interrupt table */
    unsigned pair_count;             /* in use; does not grow */
    unsigned pairs_made;             /* that there is memory for */
    unsigned turn;                   /* the pair that is looked at first */
    struct ena_pair pairs[ENA_PAIRS];
    struct list link;
};

/* A time that the NIC hints at, or the usual one. For waits: "never" is the usual one too. */
nanoseconds ena_hint_time(uint16_t milliseconds, nanoseconds usual);

/* ---- features.c ---- */

/* Describes the guest to the NIC, reads what the NIC can do, and chooses. `first`: else it must be the NIC it was,
 * with the same address. 0 or a negative errno. */
must_check int ena_features_settle(struct ena_nic *nic, bool first);

/* When there are queues: the largest packets that it is to take. 0, or -ETIMEDOUT if it is silent. */
must_check int ena_features_set_mtu(struct ena_nic *nic);

/* ---- nic.c ---- */

/* Resets the NIC and brings it up. 0: packets come and go once there is a link. */
must_check int ena_bring_up(struct ena_nic *nic, enum ena_reason reason, bool first);
/* Any context: the NIC needs a reset. The first reason counts. */
void ena_fault(struct ena_nic *nic, enum ena_reason reason);
/* Any context, without locks: reports to the stack whether packets come and go now. */
void ena_link_changed(struct ena_nic *nic);
/* network_device.receive_round. */
bool ena_receive_round(struct network_device *network);

/* ---- spread.c ---- */

/* How many pairs the NIC can spread packets over. `first`: the count of pairs is cut to that; else it must be possible
 * still. 0 or a negative errno. */
must_check int ena_spread_settle(struct ena_nic *nic, bool first);
/* When there are queues: says how it is to be done. 0, or -ETIMEDOUT if the NIC is silent. */
must_check int ena_spread_set(struct ena_nic *nic);
/* Through which pair a packet is sent. */
struct ena_pair *ena_pair_for(struct ena_nic *nic, const struct packet *packet);

/* ---- recovery.c ---- */

/* network_device.service. */
nanoseconds ena_service(struct network_device *network, void (*rest)(void));
