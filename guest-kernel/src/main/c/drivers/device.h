/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What block, network and channel drivers offer and how they announce it. Drivers are below everything
 * but lib/ and platform/: they use pages, the heap and spinlocks, and answer by callbacks in
 * interrupt context; after platform_start_devices() they sleep in network_device.service only.
 */
#pragma once

#include "core/packet.h"
#include "lib/list.h"
#include "lib/types.h"

/* ---- Block ------------------------------------------------------------------------------- */

#define SECTOR_SIZE 512UL     /* the unit of block_request.sector on every device */
#define BLOCK_MAX_SEGMENTS 11 /* BLKIF_MAX_SEGMENTS_PER_REQUEST, xen/io/blkif.h */

struct block_segment {
    phys_t address;  /* sector-aligned, does not cross a page; the page is one of the page allocator's,
                                       and holds data of this disk and zeros only: its backend sees all of it */
    uint32_t length; /* bytes, multiple of SECTOR_SIZE, <= PAGE_SIZE */
};
#define BLOCK_PATIENCE (5 * NS_PER_SECOND)
struct block_device;
struct block_request {
    struct block_device *device; /* set by block_submit() */
    bool write;
    bool flush; /* moves nothing and has no segments: when it is done, what was written before it was submitted, and
                   done by then, outlives a loss of power */
    uint64_t sector;
    unsigned segment_count; /* 1..BLOCK_MAX_SEGMENTS */
    struct block_segment segments[BLOCK_MAX_SEGMENTS];
    /* Called once, in interrupt context or from submit(): 0 or a negative errno. */
    void (*done)(struct block_request *request, int error);
    void *context; /* the submitter's */
    /* The driver's, while submitted: a list it is in, and for drivers that make several commands of a request how far
     * they are. */
    struct list link;
    unsigned next_segment; /* which is sent next; segment_count: all are sent */
    uint64_t next_sector;
    unsigned under_way; /* commands */
    int error;          /* the first one */
};
struct block_device {
    char name[32];       /* "xvda1", "sda1", "vda", "nvme0n1" */
    uint64_t sectors;    /* of SECTOR_SIZE */
    uint32_t block_size; /* requests and their segments are multiples of it; a power of two from SECTOR_SIZE
                                       to PAGE_SIZE, 0: SECTOR_SIZE */
    bool read_only;
    bool flushes;          /* takes flush requests; else a write that is done outlives a loss of power */
    uint32_t major, minor; /* as stat(2) and /proc/diskstats show them (drivers/numbers.h) */
    uint32_t minors;       /* that it has from `minor` on: its own and those of its first partitions */
    /* Queues a request; if the device's ring is full it waits inside the driver and goes out
     * later. Requests complete in any order. Range and alignment were checked by block_submit(). */
    void (*submit)(struct block_device *device, struct block_request *request);
    /* NULL or: requests have been under way for BLOCK_PATIENCE. Ends them with an error if the device is gone. Any
     * context. */
    void (*check)(struct block_device *device);
    /* Of a partition (partition.h): the disk, and the partition's first sector on it. A disk has NULL and 0. */
    struct block_device *disk;
    uint64_t first;
    struct list link;
    uint64_t reads, writes, read_bytes, written_bytes; /* what was submitted */
    unsigned reported;                                 /* errors in the log; atomic */
};

/* For drivers: logs that a part of the request, at this sector, has failed, and what the device says of it. The first
 * few of a disk are logged, since a program may have bad blocks read again and again. Any context, with a driver's
 * locks held. */
void block_report(const struct block_request *request, uint64_t sector, const char *status);

/* ---- Memory ------------------------------------------------------------------------------ */

/* A cleared page that a device or its backend is to see, for the kernel's own progress (core/pages.h: PAGES_RESERVED);
 * NULL without memory. */
struct page *device_page(void);
/* The same, `count` of them or none: false without memory for all. */
must_check bool device_pages(struct page **pages, unsigned count);

/* ---- Network ----------------------------------------------------------------------------- */

/* Packets of one round: the interrupt handler does no more, or a flood would leave nothing to the threads. */
#define NETWORK_ROUND 64

struct network_device {
    char name[16]; /* "eth0" */
    uint8_t mac[6];
    uint16_t mtu;              /* of IP packets, without the Ethernet header, unless configured otherwise */
    uint16_t max_mtu;          /* the largest that may be configured */
    bool running;              /* packets come and go; false: those sent are dropped */
    bool checksum_offload;     /* may be given PACKET_CHECKSUM_PARTIAL */
    bool segmentation_offload; /* may be given segment_size for TCP over IPv4 */
    bool checksum_offload_ipv6, segmentation_offload_ipv6; /* the same for IPv6 */
    /* Takes the packet whatever happens. Returns false when its queue is now full: send no more
     * until transmit_ready(). Kicks the backend only in flush(), so a burst is one notification. */
    bool (*transmit)(struct network_device *device, struct packet *packet);
    void (*flush)(struct network_device *device);
    /* One round of reception: gives about NETWORK_ROUND packets to receive() and calls receive_done(). True: there are
     * more, no interrupt will come for them, and it must be called again. */
    bool (*receive_round)(struct network_device *device);
    /* Set by the network stack: it calls receive_round() from a thread, and interrupts leave reception alone. */
    bool polled;
    /* Set by the network stack: reception has had its share of the CPU, and goes on in a thread. */
    bool crowded;
    /* Set by the network stack, called in interrupt context: a round was not enough. */
    void (*receive_more)(struct network_device *device);
    /* Set by the network stack; called in interrupt context or by the thread that polls. The stack owns the packet. */
    void (*receive)(struct network_device *device, struct packet *packet);
    /* After a burst of receive() calls. */
    void (*receive_done)(struct network_device *device);
    void (*transmit_ready)(struct network_device *device);
    /* After `running` changed. The offloads and max_mtu may have changed too. */
    void (*link_changed)(struct network_device *device);
    /* NULL, or the driver's work that is not for interrupt context: the watch over its device, and bringing it up
     * again. The stack calls it from a thread, one call at a time: at once, then not later than the monotonic time that
     * it returned, and soon after want_service(). Wherever it waits for the device it calls rest(), with no lock held:
     * other threads run for about a millisecond. */
    nanoseconds (*service)(struct network_device *device, void (*rest)(void));
    /* Set by the network stack; any context. */
    void (*want_service)(struct network_device *device);
    void *stack; /* the network stack's */
    struct list link;
    uint64_t received_packets, received_bytes, sent_packets, sent_bytes, dropped;
};

/* ---- The host's channel -------------------------------------------------------------------- */

/* A stream of bytes to and from the program that started the machine. Both calls are for any context and do not
 * sleep. */
struct channel_device {
    /* Bytes taken, from the first on; fewer than `length`: there was no room for the rest. */
    size_t (*send)(struct channel_device *device, const void *data, size_t length);
    /* Bytes that came, at most `room`; 0: none yet. */
    size_t (*receive)(struct channel_device *device, void *to, size_t room);
    /* Set by the user, called in interrupt context: bytes came, or there is room for more. */
    void (*changed)(struct channel_device *device);
};

/* ---- Announcement ------------------------------------------------------------------------ */

/* Called by drivers once a device can be used; the structures stay valid. */
void block_device_add(struct block_device *device);
void network_device_add(struct network_device *device);
void channel_device_add(struct channel_device *device); /* the first one counts */
/* For drivers' interrupt handlers: receives a round, or leaves it to the stack's thread. */
void network_device_interrupt(struct network_device *device);
/* For drivers' receive_round(), without locks: counts a packet and gives it to the stack. Until the stack has set its
 * callbacks, packets are dropped. */
void network_device_received(struct network_device *device, struct packet *packet);
/* For receive_round() of drivers with `count` queues, without locks: has the driver serve one after the other, and
 * tells the stack. serve() gives the stack at most `most` packets of a queue that is due, returns how many they were,
 * and sets *ready if the stack may send again; dropped packets count too. *turn is the queue to begin with: the one
 * after that with which the last round ended, so that none is left out under load. */
bool network_device_round(struct network_device *device, unsigned count, unsigned *turn,
                          unsigned (*serve)(struct network_device *device, unsigned queue, unsigned most, bool *ready));
/* In order of announcement; NULL at the end. index from 0. */
struct block_device *block_device_at(unsigned index);
struct network_device *network_device_at(unsigned index);
/* NULL: the machine has none. */
struct channel_device *channel_device_find(void);
/* Checks range and alignment (done(-EINVAL/-EROFS) at once when wrong), then submits. */
void block_submit(struct block_device *device, struct block_request *request);
