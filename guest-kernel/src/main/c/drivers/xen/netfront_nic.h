/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of netfront share: a NIC and its two directions. Each direction has a lock, never
 * held while calling the network stack: the stack may transmit from within receive().
 */
#pragma once

#include "core/lock.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/xen/frontend.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/ring.h"

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
    unsigned extras;           /* extra infos that were not answered */
    unsigned slots_per_packet; /* that the backend accepts, 1..NET_SLOTS_PER_PACKET */
    bool full;                 /* transmit() said false: the stack waits for notice */
    bool dead;                 /* not connected, or the backend broke the protocol: packets are dropped */
    struct granted_page ring_page;
};

struct receiver {
    struct spinlock lock; /* guards the rest */
    struct ring ring;
    struct granted_page slots[NET_SLOTS]; /* on offer; rings are answered in order, so id and place agree */
    struct granted_page spare[NET_SLOTS]; /* pages still granted, to be offered again */
    unsigned spares;
    unsigned target; /* pages to keep on offer, adapted to the load */
    bool dead;       /* not connected, or the backend broke the protocol */
    struct granted_page ring_page;
};

struct nic {
    struct network_device device;
    struct frontend frontend;
    uint32_t port;
    bool was_up;
    struct transmitter transmitter;
    struct receiver receiver;
};

static inline struct nic *nic_of(struct network_device *device) { return container_of(device, struct nic, device); }

bool netfront_transmit(struct network_device *device, struct packet *packet);
void netfront_flush(struct network_device *device);
/* Frees what the backend has sent; notifies the stack when there is room again. */
void netfront_transmit_event(struct nic *nic);
/* An empty ring for the backend. 0, or -ENOMEM. */
must_check int netfront_transmit_offer(struct nic *nic);
/* Packets go out from now on. */
void netfront_transmit_start(struct nic *nic);
/* Drops what is in flight, and everything until it is started again. Harmless if nothing was offered. */
void netfront_transmit_stop(struct nic *nic);

/* Hands what came in to the stack and offers new pages. */
bool netfront_receive_round(struct network_device *device);
/* A ring for the backend with pages on offer. 0, or -ENOMEM. */
must_check int netfront_receive_offer(struct nic *nic);
/* Packets come in from now on. */
void netfront_receive_start(struct nic *nic);
/* Takes all pages back. Harmless if nothing was offered. */
void netfront_receive_stop(struct nic *nic);
/* Offers pages up to the target. */
void netfront_receive_refill(struct nic *nic);
