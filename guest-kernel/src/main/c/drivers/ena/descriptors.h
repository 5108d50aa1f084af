/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What describes to the NIC a packet that it is to send, except for its place in the ring. Layouts and bits are those
 * of amzn-drivers' ena_eth_io_defs.h: struct ena_eth_io_tx_desc and struct ena_eth_io_tx_meta_desc.
 */
#pragma once

#include "drivers/ena/queue.h"

struct ena_descriptor {
    uint32_t words[4];
};
_Static_assert(sizeof(struct ena_descriptor) == 16, "amzn-drivers");

/* Set later than the rest. In word 0 of each: */
#define ENA_PHASE_BIT(phase) ((uint32_t)(phase) << 24)
/* In words 0 and 1 of the first that is of data: */
#define ENA_ID_HIGH(id) ((uint32_t)(id) >> 10 << 16)
#define ENA_ID_LOW(id) (((uint32_t)(id)&0x3ff) << 22)

/* Where the packet's beginning lies in the first of its entries in the NIC's memory. */
#define ENA_HEADER_AT (2 * sizeof(struct ena_descriptor))

/* A packet's descriptors, but for their phases. */
struct ena_chain {
    struct ena_descriptor descriptors[1 + ENA_SEND_BUFFERS];
    unsigned count;
    unsigned first_data; /* the index of the first that is of data: 0, or 1 after the one that says more */
    unsigned data_max;   /* descriptors of data */
    uint32_t pushed;     /* bytes of the packet that go into the entry themselves */
    bool too_long;       /* it needs more descriptors of data */
};

/* With the lock of the pair. Fills the chain. False: the NIC cannot send the packet; if chain->too_long, it can when
 * the packet is in fewer pieces. */
must_check bool ena_describe(const struct ena_pair *pair, const struct packet *packet, struct ena_chain *chain);
