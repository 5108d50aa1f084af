/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network interfaces: a device (or loopback) with its configuration and the queue of packets
 * that wait for a full device. Guarded by the net lock.
 */
#pragma once

#include "core/packet.h"
#include "drivers/device.h"
#include "net/net.h"

#define IP6_ADDRESSES 8 /* of one interface, its link-local one included */
#define IP6_PREFIXES 8  /* whose hosts are neighbours */
#define IP6_ROUTERS 4

/* Times are monotonic; NO_DEADLINE: for ever. A record whose valid_until has passed is free. */
struct ip6_own {
    struct ip_address address;
    unsigned prefix;           /* its length, bits */
    bool tentative, duplicate; /* not to be used: nobody may have it; another host has it */
    nanoseconds probed;        /* when nd.c began to look for another host */
    nanoseconds preferred_until, valid_until;
};
struct ip6_prefix {
    struct ip_address address;
    unsigned length;
    bool configured; /* not by a router, and not to be changed by one */
    nanoseconds valid_until;
};
struct ip6_router {
    struct ip_address address;
    nanoseconds valid_until;
};
struct ip6_interface {
    uint16_t mtu; /* as a router says; 0: that of the interface */
    struct ip6_own own[IP6_ADDRESSES];
    struct ip6_prefix prefixes[IP6_PREFIXES];
    struct ip6_router routers[IP6_ROUTERS];
};

#define INTERFACE_LIMIT 5         /* loopback and four devices */
#define INTERFACE_QUEUE_LIMIT 512 /* packets that wait for a full device; more are dropped */

struct interface {
    char name[16]; /* "lo", "eth0" */
    int index;     /* as SIOCGIFINDEX reports it: 1 is loopback */
    bool loopback;
    uint8_t mac[6];
    uint16_t mtu;
    nanoseconds defended;          /* when our address was last defended against another's use; 0: never */
    struct network_device *device; /* NULL for loopback */
    struct net_configuration configuration;
    struct ip6_interface ip6;

    struct list looped;                    /* copies of what was sent: interface_loop() */
    struct list received;                  /* from the device, until receive_done() */
    nanoseconds reception_began;           /* of the round that goes on */
    nanoseconds window_began, window_used; /* how much of the CPU reception had lately */
    struct list waiting;                   /* to the device, while it is full */
    unsigned waiting_count;
    bool device_full, flush_needed;
};

void interfaces_init(void);
/* Starts the thread that receives when interrupt handlers have done their share. Without the lock. */
void interfaces_start(void);
/* A round for each device that is the thread's; for callers that do not let threads run. Without the lock. */
void interfaces_poll(void);
unsigned interface_count(void);
struct interface *interface_at(unsigned position); /* 0 is loopback */
struct interface *interface_by_name(const char *name);
/* The first with a device, which the configuration is for; NULL: none. */
struct interface *interface_first_device(void);
/* The interface whose own address this is (all of 127/8 belongs to loopback); NULL: none. */
struct interface *interface_of_address(struct ip_address address);
/* Applies a configuration and announces the address by ARP. */
void interface_configure(struct interface *interface, const struct net_configuration *configuration);

/* Other machines know it no more, and it does not know them: asks again, announces its address by ARP, reports its
 * groups, and starts over with IPv6 (ip6_restored()). */
void interface_restored(struct interface *interface);

static inline ipv4_t interface_netmask(const struct interface *i) { return ipv4_mask(i->configuration.prefix); }
static inline ipv4_t interface_broadcast(const struct interface *i)
{
    return i->configuration.address | ~interface_netmask(i);
}

/* Sends a complete frame (an IP packet on loopback); takes the packet. */
void interface_transmit(struct interface *interface, struct packet *packet);
/* Has a copy of an IP packet that is sent come in over the interface. */
void interface_loop(struct interface *interface, const struct packet *packet);
/* Receives what loopback queued and notifies devices; called by net_unlock(). */
void interfaces_finish_now(void);
extern bool interfaces_unfinished; /* something was sent since then */
static inline void interfaces_finish(void)
{
    if (interfaces_unfinished)
        interfaces_finish_now();
}
