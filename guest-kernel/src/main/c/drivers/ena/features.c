/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's description for the NIC, what the NIC can do, and which of its features are used. Nothing that it says
 * is used before it has been compared with what the driver can do: depths become powers of two, counts are cut to the
 * driver's own. A NIC without a valid address or enough queues is refused, as is one that has another address after a
 * reset. There is no lock: nic.h says who calls.
 */
#include "core/log.h"
#include "drivers/ena/nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"

#define ETHERNET_MTU 1500
#define ETHERNET_LENGTH 18 /* of a header with a VLAN tag */
#define LARGEST_MTU (65535 - ETHERNET_LENGTH)
#define SMALLEST_MTU 576 /* less is no use to the stack: net/ip.h */

#define OFFLOAD_CHECKSUM (1u << 1) /* of TCP and UDP over IPv4, from a sum of the pseudo-header */
#define OFFLOAD_CHECKSUM_IPV6 (1u << 3)
#define OFFLOAD_SEGMENTATION (1u << 5)
#define OFFLOAD_SEGMENTATION_IPV6 (1u << 6)

/* Feature 4. */
#define PUSH_INLINE 1
#define PUSH_ENTRY_128 1
#define PUSH_ENTRY_256 4
#define PUSH_TWO_DESCRIPTORS 2
#define PUSH_SEVERAL 2
#define PUSH_ACCELERATIONS 3
#define PUSH_BURST_LIMITED 2
#define PUSH_VERSION 1

/* ---- Who we are (amzn-drivers: struct ena_admin_host_info) ---- */

struct host_information {
    uint32_t system;
    char system_name[128];
    uint32_t distribution;
    char kernel_name[32];
    uint32_t kernel;
    uint32_t driver;
    uint32_t network_features[2];
    uint16_t specification;
    uint16_t place;
    uint16_t cpus;
    uint16_t reserved;
    uint32_t driver_features;
};
_Static_assert(offsetof(struct host_information, driver) == 172, "amzn-drivers");
_Static_assert(offsetof(struct host_information, driver_features) == 192, "amzn-drivers");

#define SYSTEM_IPXE 5  /* there is no number for us; iPXE's driver does as little as this one, on all NICs */
#define DRIVER_MAJOR 2 /* with less, some NICs fail to create queues */
#define DRIVER_MODERATES (1u << 2)
#define DRIVER_SETS_HASH (1u << 4)
#define SPECIFICATION 0x0200

static int introduce(struct ena_nic *nic)
{
    const struct pci_function *function = &nic->function;
    struct host_information *host = nic->host_page;
    struct ena_answer answer;
    struct ena_command command = { .opcode = ENA_SET_FEATURE, .feature = { .feature = ENA_FEATURE_HOST } };
    *host = (struct host_information){
        .system = SYSTEM_IPXE,
        .system_name = "java-unikernel",
        .kernel_name = "java-unikernel",
        .driver = DRIVER_MAJOR,
        .specification = SPECIFICATION,
        .place = (uint16_t)(function->bus << 8 | function->device << 3 | function->function),
        .cpus = (uint16_t)platform.cpus,
        .driver_features = DRIVER_MODERATES | DRIVER_SETS_HASH,
    };
    const struct ena_host payload = { .information = ena_address_of(host) };
    memcpy(command.feature.payload, &payload, sizeof(payload));
    /* A NIC may not want to know. */
    int error = ena_admin(nic, &command, &answer);
    return error == -ETIMEDOUT ? error : 0;
}

/* ---- Attributes ---- */

static bool address_valid(const uint8_t *mac)
{
    static const uint8_t none[6];
    return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}

static int read_attributes(struct ena_nic *nic, bool first)
{
    struct ena_answer answer;
    int error = ena_get_feature(nic, ENA_FEATURE_ATTRIBUTES, 0, &answer);
    if (error != 0)
        return error;
    const struct ena_attributes *attributes = &answer.attributes;
    struct network_device *network = &nic->network;
    if (!address_valid(attributes->mac) || attributes->max_mtu < SMALLEST_MTU)
        return -EINVAL;
    if (first)
        memcpy(network->mac, attributes->mac, sizeof(network->mac));
    else if (memcmp(network->mac, attributes->mac, sizeof(network->mac)) != 0)
        return -ENXIO;
    nic->supported = attributes->supported;
    nic->capabilities = attributes->capabilities;
    nic->limits.max_mtu = min_of(attributes->max_mtu, (uint32_t)LARGEST_MTU);
    return 0;
}

/* ---- Queues ---- */

static uint32_t power_below(uint32_t limit, uint32_t most)
{
    uint32_t depth = most;
    while (depth > limit)
        depth /= 2;
    return depth;
}

static int choose_queues(struct ena_nic *nic, const struct ena_queues_extended *offered)
{
    struct ena_limits *limits = &nic->limits;
    limits->pairs = min_of(min_of(offered->send_submissions, offered->send_completions),
                           min_of(offered->receive_submissions, offered->receive_completions));
    limits->send_depth = power_below(min_of(offered->send_depth, offered->send_completion_depth), ENA_SEND_DEPTH);
    limits->receive_depth = power_below(min_of(offered->receive_depth, offered->receive_completion_depth),
                                        ENA_RECEIVE_DEPTH);
    /* Before the buffers of a packet there may be a descriptor that says more about it. */
    limits->send_buffers = min_of(max_of(offered->send_descriptors, 1u) - 1u, ENA_SEND_BUFFERS + 0u);
    limits->receive_buffers = min_of(offered->receive_descriptors, ENA_RECEIVE_BUFFERS + 0u);
    limits->header_max = offered->header_max;
    bool enough = limits->send_depth >= ENA_DEPTH_MIN && limits->receive_depth >= ENA_DEPTH_MIN &&
                  limits->send_buffers > 0 && limits->receive_buffers > 0;
    return enough ? 0 : -EOPNOTSUPP;
}

static int read_queues(struct ena_nic *nic)
{
    struct ena_answer answer;
    bool extended = ena_has_feature(nic, ENA_FEATURE_QUEUES_EXTENDED);
    int error = ena_get_feature(nic, extended ? ENA_FEATURE_QUEUES_EXTENDED : ENA_FEATURE_QUEUES, extended, &answer);
    if (error != 0 || extended)
        return error != 0 ? error : choose_queues(nic, &answer.queues_extended);
    const struct ena_queues *queues = &answer.queues;
    const struct ena_queues_extended both = {
        .send_submissions = queues->submissions,
        .send_completions = queues->completions,
        .receive_submissions = queues->submissions,
        .receive_completions = queues->completions,
        .send_depth = queues->submission_depth,
        .send_completion_depth = queues->completion_depth,
        .receive_depth = queues->submission_depth,
        .receive_completion_depth = queues->completion_depth,
        .header_max = queues->header_max,
        .send_descriptors = queues->send_descriptors,
        .receive_descriptors = queues->receive_descriptors,
    };
    return choose_queues(nic, &both);
}

/* ---- Events, hints, offloads ---- */

/* Only a silent NIC is an error in what may be missing. */
static int optional(int error) { return error == -ETIMEDOUT ? error : 0; }

static int choose_events(struct ena_nic *nic)
{
    struct ena_answer answer;
    nic->limits.events = 0;
    if (!ena_has_feature(nic, ENA_FEATURE_EVENTS))
        return -EOPNOTSUPP; /* whether there is a link is known from them only */
    int error = ena_get_feature(nic, ENA_FEATURE_EVENTS, 0, &answer);
    if (error != 0)
        return error;
    const struct ena_event_groups groups = { .enabled = answer.events.supported & ENA_EVENTS_WANTED };
    nic->limits.events = groups.enabled;
    return ena_set_feature(nic, ENA_FEATURE_EVENTS, &groups, sizeof(groups));
}

static int read_hints(struct ena_nic *nic)
{
    struct ena_answer answer;
    memset(&nic->hints, 0, sizeof(nic->hints));
    if (!ena_has_feature(nic, ENA_FEATURE_HINTS))
        return 0;
    int error = ena_get_feature(nic, ENA_FEATURE_HINTS, 0, &answer);
    if (error == 0)
        nic->hints = answer.hints;
    return optional(error);
}

static int read_moderation(struct ena_nic *nic)
{
    struct ena_answer answer;
    nic->limits.moderation = 0;
    if (!ena_has_feature(nic, ENA_FEATURE_MODERATION))
        return 0;
    int error = ena_get_feature(nic, ENA_FEATURE_MODERATION, 0, &answer);
    if (error == 0)
        nic->limits.moderation = answer.moderation.resolution;
    return optional(error);
}

static int read_offloads(struct ena_nic *nic)
{
    struct ena_answer answer;
    nic->limits.checksums = nic->limits.segmentation = false;
    nic->limits.checksums_ipv6 = nic->limits.segmentation_ipv6 = false;
    if (!ena_has_feature(nic, ENA_FEATURE_OFFLOADS))
        return 0;
    int error = ena_get_feature(nic, ENA_FEATURE_OFFLOADS, 0, &answer);
    if (error != 0)
        return optional(error);
    nic->limits.checksums = answer.offloads.send & OFFLOAD_CHECKSUM;
    nic->limits.segmentation = nic->limits.checksums && (answer.offloads.send & OFFLOAD_SEGMENTATION);
    nic->limits.checksums_ipv6 = answer.offloads.send & OFFLOAD_CHECKSUM_IPV6;
    nic->limits.segmentation_ipv6 = nic->limits.checksums_ipv6 && (answer.offloads.send & OFFLOAD_SEGMENTATION_IPV6);
    return 0;
}

/* ---- Pushing ---- */

static bool pushes_acceptable(const struct ena_push *offered)
{
    return offered->headers & PUSH_INLINE && offered->entry_sizes & PUSH_ENTRY_128 &&
           offered->descriptors & PUSH_TWO_DESCRIPTORS && offered->strides & PUSH_SEVERAL && offered->queues > 0;
}

static void choose_push(struct ena_limits *limits, const struct ena_push *offered)
{
    bool wide = offered->entry_size_best == PUSH_ENTRY_256 && offered->entry_sizes & PUSH_ENTRY_256;
    uint32_t depth = offered->depth;
    if (wide)
        depth = offered->wide_depth != 0 ? offered->wide_depth : depth / 2;
    limits->push_entry_size = wide ? 256 : 128;
    limits->push_depth = power_below(depth, limits->send_depth);
    limits->push_burst = offered->accelerations & PUSH_BURST_LIMITED
                             ? max_of(offered->burst / limits->push_entry_size, 1u)
                             : limits->push_depth;
}

/* Entries go into the ring in memory where the NIC cannot take them pushed. */
static int settle_push(struct ena_nic *nic)
{
    struct ena_limits *limits = &nic->limits;
    struct ena_answer answer;
    limits->push_entry_size = 0;
    if (!nic->memory.base || !ena_has_feature(nic, ENA_FEATURE_PUSH))
        return 0;
    int error = ena_get_feature(nic, ENA_FEATURE_PUSH, PUSH_VERSION, &answer);
    if (error != 0 || !pushes_acceptable(&answer.push))
        return optional(error);
    choose_push(limits, &answer.push);
    if (limits->push_depth < ENA_DEPTH_MIN) {
        limits->push_entry_size = 0;
        return 0;
    }
    const struct ena_push used = {
        .headers_used = PUSH_INLINE,
        .entry_size_used = limits->push_entry_size == 256 ? PUSH_ENTRY_256 : PUSH_ENTRY_128,
        .descriptors_used = PUSH_TWO_DESCRIPTORS,
        .stride_used = PUSH_SEVERAL,
        .accelerations = PUSH_ACCELERATIONS,
    };
    error = ena_set_feature(nic, ENA_FEATURE_PUSH, &used, sizeof(used));
    if (error != 0)
        limits->push_entry_size = 0;
    return optional(error);
}

/* ---- All of it ---- */

static void describe(struct ena_nic *nic)
{
    struct network_device *network = &nic->network;
    network->max_mtu = (uint16_t)nic->limits.max_mtu;
    network->mtu = min_of(network->max_mtu, (uint16_t)ETHERNET_MTU);
    network->checksum_offload = nic->limits.checksums;
    network->segmentation_offload = nic->limits.segmentation;
    network->checksum_offload_ipv6 = nic->limits.checksums_ipv6;
    network->segmentation_offload_ipv6 = nic->limits.segmentation_ipv6;
}

/* Buffers are pages. A NIC that does not take the size keeps to the usual one. */
int ena_features_set_mtu(struct ena_nic *nic)
{
    struct ena_limits *limits = &nic->limits;
    limits->max_mtu = min_of(limits->max_mtu, (unsigned)(limits->receive_buffers * PAGE_SIZE - ETHERNET_LENGTH));
    const uint32_t mtu = limits->max_mtu;
    int error = ena_set_feature(nic, ENA_FEATURE_MTU, &mtu, sizeof(mtu));
    if (error != 0)
        limits->max_mtu = min_of(mtu, (uint32_t)ETHERNET_MTU);
    describe(nic);
    return optional(error);
}

int ena_features_settle(struct ena_nic *nic, bool first)
{
    int error = introduce(nic);
    if (error == 0)
        error = read_attributes(nic, first);
    if (error == 0)
        error = read_queues(nic);
    if (error == 0)
        error = ena_spread_settle(nic, first);
    if (error == 0)
        error = read_offloads(nic);
    if (error == 0)
        error = read_moderation(nic);
    if (error == 0)
        error = read_hints(nic);
    if (error == 0)
        error = choose_events(nic);
    if (error == 0)
        error = settle_push(nic);
    return error;
}
