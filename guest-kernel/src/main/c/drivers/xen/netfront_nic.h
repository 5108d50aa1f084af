/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of netfront share: a NIC and its queues, each with two directions. Each direction of a queue has a
 * lock, never held while calling the network stack: the stack may transmit from within receive().
 */
#pragma once

#include "core/lock.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/xen/frontend.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/netfront.h"
#include "drivers/xen/ring.h"
#include "lib/hash.h"

/* xen/io/netif.h */
#define NET_SLOTS 256U           /* per ring, by the size of the larger of request and response */
#define NET_SLOTS_PER_PACKET 18U /* with feature-sg every backend accepts so many: XEN_NETIF_NR_SLOTS_MIN */
#define NET_PACKET_MAX 65535U    /* XEN_NETIF_MAX_TX_SIZE */
#define TX_CHECKSUM_BLANK 1U
#define TX_DATA_VALIDATED 2U
#define TX_MORE_DATA 4U
#define TX_EXTRA_INFO 8U
#define RX_DATA_VALIDATED 1U
#define RX_CHECKSUM_BLANK 2U
#define RX_MORE_DATA 4U
#define RX_EXTRA_INFO 8U
#define EXTRA_TYPE_GSO 1U
#define EXTRA_FLAG_MORE 1U
#define GSO_TCPV4 1U
#define GSO_TCPV6 2U
#define RESPONSE_DROPPED (-2)
#define RESPONSE_NULL 1

struct tx_request {
    uint32_t grant;
    uint16_t offset;
    uint16_t flags;
    uint16_t id;
    uint16_t size; /* first slot: of the whole packet; others: of the slot */
};
struct tx_response {
    uint16_t id;
    int16_t status;
};
struct rx_request {
    uint16_t id;
    uint16_t padding;
    uint32_t grant;
};
struct rx_response {
    uint16_t id;
    uint16_t offset;
    uint16_t flags;
    int16_t status; /* bytes, or an error < 0 */
};
/* Takes the place of a request (tx) or response (rx) after one with *_EXTRA_INFO. */
struct extra_info {
    uint8_t type;
    uint8_t flags;
    uint16_t gso_size;
    uint8_t gso_type;
    uint8_t padding;
    uint16_t gso_features;
};
_Static_assert(sizeof(struct tx_request) == 12 && sizeof(struct rx_response) == 8 && sizeof(struct extra_info) == 8,
               "netif layout");

/* What a transmit id stands for. Ids are handed out from a free list. */
struct tx_slot {
    struct packet *packet; /* freed when all of its slots have been answered; NULL: the id is free */
    struct granted_page granted;
    bool copied; /* it is a frame of ours, not a fragment's page */
    uint16_t next_free;
};

struct transmitter {
    struct spinlock lock; /* guards the rest */
    struct ring ring;
    struct tx_slot slots[NET_SLOTS];
    uint16_t first_free;
    struct granted_page frames[NET_SLOTS]; /* for copied bytes, not in use; granted since their first use */
    unsigned frame_count;
    unsigned extras; /* extra infos that were not answered */
    bool full;       /* transmit() said false: the stack waits for notice */
    bool dead;       /* not connected, or the backend broke the protocol: packets are dropped */
    struct granted_page ring_page;
};

struct receiver {
    struct spinlock lock; /* guards the rest */
    struct ring ring;
    struct granted_page slots[NET_SLOTS]; /* on offer; rings are answered in order, so id and place agree */
    struct granted_page spare[NET_SLOTS]; /* pages still granted, to be offered again */
    unsigned spares;
    unsigned target; /* pages to keep on offer, adapted to the load */
    bool due;        /* its event came, and has not been asked for again */
    bool dead;       /* not connected, or the backend broke the protocol */
    struct granted_page ring_page;
};

struct nic;
struct nic_queue {
    struct nic *nic;
    uint32_t port; /* of its event channel, for both directions; 0: there is none */
    struct transmitter transmitter;
    struct receiver receiver;
};

struct nic {
    struct network_device device;
    struct frontend frontend;
    unsigned slots_per_packet; /* that the backend accepts, 1..NET_SLOTS_PER_PACKET */
    bool was_up;
    struct hash_key key;  /* by which flows are spread */
    unsigned turn;        /* the queue that is looked at first */
    unsigned queue_limit; /* queues that there are; all are stopped but the first queue_count */
    unsigned queue_count; /* that the backend was offered last, 1 before */
    struct nic_queue *queues[NETFRONT_QUEUES];
};

/* The same queue for all packets of a flow. */
struct nic_queue *netfront_queue_for(struct nic *nic, const struct packet *packet);

static inline struct nic *nic_of(struct network_device *device) { return container_of(device, struct nic, device); }

bool netfront_transmit(struct network_device *device, struct packet *packet);
void netfront_flush(struct network_device *device);
/* Frees what the backend has sent; notifies the stack when there is room again. */
void netfront_transmit_event(struct nic_queue *queue);
/* An empty ring for the backend. 0, or -ENOMEM. */
must_check int netfront_transmit_offer(struct nic_queue *queue);
/* Packets go out from now on. */
void netfront_transmit_start(struct nic_queue *queue);
/* Drops what is in flight, and everything until it is started again. Harmless if nothing was offered. True: the stack
 * waits for notice that it may go on. */
must_check bool netfront_transmit_stop(struct nic_queue *queue);

/* network_device.receive_round. */
bool netfront_receive_round(struct network_device *device);
/* The next round looks at this queue. */
void netfront_receive_event(struct nic_queue *queue);
/* A ring for the backend with pages on offer. 0, or -ENOMEM. */
must_check int netfront_receive_offer(struct nic_queue *queue);
/* Packets come in from now on. */
void netfront_receive_start(struct nic_queue *queue);
/* Takes all pages back. Harmless if nothing was offered. */
void netfront_receive_stop(struct nic_queue *queue);
