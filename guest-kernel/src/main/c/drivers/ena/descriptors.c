/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptors of a packet: one that says more about it (amzn-drivers: "meta"), and one for each run of its bytes.
 * The former is there when the packet has an offload, and always when it is pushed into the NIC's memory, since some
 * NICs need that. What the stack asks for is compared with what the NIC can do now, which may be less than before a
 * reset. Nothing is changed here but the chain; the caller has the lock of the pair.
 */
#include "drivers/ena/descriptors.h"

#include "core/debug.h"
#include "core/packet.h"
#include "drivers/ena/nic.h"
#include "platform/platform.h"

/* Word 0; the same bits in both kinds of descriptor, as far as they have them. */
#define LENGTH_MAX 0xffffu
#define META_EXTENDED (1u << 14 | 1u << 20) /* "valid", and which kind */
#define META_SEGMENT_HIGH(size) ((uint32_t)(size) >> 10 << 16)
#define META_STORE (1u << 21)
#define META (1u << 23)
#define FIRST (1u << 26)
#define LAST (1u << 27)
#define COMPLETION (1u << 28)
/* Word 1. */
#define PROTOCOL_IPV4 8u
#define PROTOCOL_IPV6 11u
#define DONT_FRAGMENT (1u << 4)
#define SEGMENTED (1u << 7)
#define PROTOCOL_TCP (12u << 8)
#define PROTOCOL_UDP (13u << 8)
#define CHECKSUM_IP (1u << 13)
#define CHECKSUM_TRANSPORT (1u << 14)
#define CHECKSUM_PARTIAL (1u << 17)
/* Word 2 of the one that says more. */
#define META_IP_LENGTH(bytes) ((uint32_t)(bytes))
#define META_IP_OFFSET(bytes) ((uint32_t)(bytes) << 8)
#define META_TCP_WORDS(words) ((uint32_t)(words) << 16)
#define META_SEGMENT_LOW(size) (((uint32_t)(size)&0x3ff) << 22)
/* Word 3. */
#define HEADER_LENGTH(bytes) ((uint32_t)(bytes) << 24)
#define HEADER_LENGTH_MAX 255u

#define ETHERNET_HEADER 14u
#define ETHERTYPE_AT 12
#define IP_FLAGS_AT 6
#define IP_DONT_FRAGMENT 0x40
#define IP_HEADER_MIN 20u
#define IP_HEADER_MAX 60u
#define IPV6_HEADER 40u /* without extension headers, for which the NIC does not look */
#define TCP_HEADER_MIN 20u
#define TCP_HEADER_MAX 60u
#define TCP_CHECKSUM_AT 16
#define UDP_CHECKSUM_AT 6

/* ---- What is said about a packet ---- */

/* PROTOCOL_IPV4, PROTOCOL_IPV6, or 0 for others, of a packet with an Ethernet header. */
static uint32_t network_of(const struct packet *packet)
{
    const uint8_t *data = packet_data(packet);
    switch (data[ETHERTYPE_AT] << 8 | data[ETHERTYPE_AT + 1]) {
    case 0x0800:
        return PROTOCOL_IPV4;
    case 0x86dd:
        return PROTOCOL_IPV6;
    default:
        return 0;
    }
}

/* Where the checksum is says which protocol it is of. 0: of none that the NIC knows. */
static uint32_t transport_of(const struct packet *packet)
{
    switch (packet->checksum_offset) {
    case TCP_CHECKSUM_AT:
        return PROTOCOL_TCP;
    case UDP_CHECKSUM_AT:
        return PROTOCOL_UDP;
    default:
        return 0;
    }
}

static bool has_checksums(const struct ena_limits *limits, uint32_t network)
{
    return network == PROTOCOL_IPV6 ? limits->checksums_ipv6 : network == PROTOCOL_IPV4 && limits->checksums;
}

static bool has_segmentation(const struct ena_limits *limits, uint32_t network)
{
    return network == PROTOCOL_IPV6 ? limits->segmentation_ipv6 : limits->segmentation;
}

static bool ip_length_fits(uint32_t network, uint32_t length)
{
    return network == PROTOCOL_IPV6 ? length == IPV6_HEADER : length >= IP_HEADER_MIN && length <= IP_HEADER_MAX;
}

/* The NIC must get what it says that it does; what the stack has ready from before a reset may be for another one. */
static bool offload_possible(const struct ena_nic *nic, const struct packet *packet)
{
    if (!(packet->flags & PACKET_CHECKSUM_PARTIAL) || packet->linear < ETHERNET_HEADER + IP_HEADER_MIN)
        return false;
    uint32_t network = network_of(packet), transport = transport_of(packet);
    uint32_t tcp_length = (uint32_t)packet->header_length - packet->checksum_start;
    if (!has_checksums(&nic->limits, network) || transport == 0 ||
        !ip_length_fits(network, packet->checksum_start - ETHERNET_HEADER))
        return false;
    return packet->segment_size == 0 ||
           (has_segmentation(&nic->limits, network) && transport == PROTOCOL_TCP && tcp_length >= TCP_HEADER_MIN &&
            tcp_length <= TCP_HEADER_MAX && packet->header_length <= packet->length);
}

static void describe_offload(const struct packet *packet, struct ena_descriptor *meta, uint32_t *word1)
{
    uint32_t ip_length = packet->checksum_start - ETHERNET_HEADER;
    bool ipv4 = network_of(packet) == PROTOCOL_IPV4;
    meta->words[2] = META_IP_LENGTH(ip_length) | META_IP_OFFSET(ETHERNET_HEADER);
    *word1 = network_of(packet) | transport_of(packet) | CHECKSUM_TRANSPORT;
    if (ipv4 && packet_data(packet)[ETHERNET_HEADER + IP_FLAGS_AT] & IP_DONT_FRAGMENT)
        *word1 |= DONT_FRAGMENT;
    if (packet->segment_size == 0) {
        *word1 |= CHECKSUM_PARTIAL;
        return;
    }
    *word1 |= SEGMENTED | (ipv4 ? CHECKSUM_IP : 0);
    meta->words[0] |= META_SEGMENT_HIGH(packet->segment_size);
    meta->words[2] |= META_TCP_WORDS((uint32_t)(packet->header_length - packet->checksum_start) / 4) |
                      META_SEGMENT_LOW(packet->segment_size);
}

/* ---- Its descriptors ---- */

static bool add_buffer(struct ena_chain *chain, const uint8_t *data, uint32_t length)
{
    chain->too_long = chain->count - chain->first_data == chain->data_max;
    if (chain->too_long)
        return false;
    phys_t address = virt_to_phys(data);
    chain->descriptors[chain->count++] = (struct ena_descriptor){
        .words = { length, 0, (uint32_t)address, (uint32_t)(address >> 32) },
    };
    return true;
}

static bool add_run(void *context, const uint8_t *data, uint32_t length)
{
    uint32_t part;
    for (; length > 0; data += part, length -= part) {
        part = min_of(length, LENGTH_MAX);
        if (!add_buffer(context, data, part))
            return false;
    }
    return true;
}

/* A packet that was pushed as a whole has a descriptor of no data. */
static void add_data(struct ena_chain *chain, const struct packet *packet)
{
    packet_for_each_run(packet, chain->pushed, packet->length - chain->pushed, add_run, chain);
    if (chain->count == chain->first_data)
        chain->descriptors[chain->count++] = (struct ena_descriptor){ 0 };
}

/* How much of the packet's beginning goes into the entry, or is to be fetched first. */
static uint32_t header_of(const struct ena_pair *pair, const struct packet *packet)
{
    const struct ena_sender *send = &pair->send;
    uint32_t limit = pair->nic->limits.header_max != 0 ? pair->nic->limits.header_max : HEADER_LENGTH_MAX;
    limit = min_of(limit, send->pushes ? send->entry_size - (uint32_t)ENA_HEADER_AT : HEADER_LENGTH_MAX);
    return min_of(limit, send->pushes ? packet->length : packet->linear);
}

bool ena_describe(const struct ena_pair *pair, const struct packet *packet, struct ena_chain *chain)
{
    must_hold(&pair->lock);
    const struct ena_sender *send = &pair->send;
    struct ena_descriptor meta = { .words = { META | META_EXTENDED | META_STORE } };
    bool offload = packet->segment_size != 0 || packet->flags & PACKET_CHECKSUM_PARTIAL;
    uint32_t word1 = 0, header = header_of(pair, packet);
    *chain = (struct ena_chain){ .data_max = send->buffers_max, .pushed = send->pushes ? header : 0 };
    if (offload && !offload_possible(pair->nic, packet))
        return false;
    if (packet->segment_size != 0 && packet->header_length > header)
        return false;
    if (offload)
        describe_offload(packet, &meta, &word1);
    if (offload || send->pushes)
        chain->descriptors[chain->count++] = meta;
    chain->first_data = chain->count;
    add_data(chain, packet);
    struct ena_descriptor *first = &chain->descriptors[chain->first_data];
    first->words[0] |= COMPLETION;
    first->words[1] |= word1;
    first->words[3] |= HEADER_LENGTH(header);
    chain->descriptors[0].words[0] |= FIRST;
    chain->descriptors[chain->count - 1].words[0] |= LAST;
    return !chain->too_long;
}
