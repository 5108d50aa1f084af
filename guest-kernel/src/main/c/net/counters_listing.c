/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net/snmp, snmp6 and netstat (proc(5)), with Linux's names in Linux's order. What this stack does not do, such
 * as forwarding, is 0; of netstat there is what concerns IP. Numbers are copied under the net lock and printed without.
 */
#include "core/heap.h"
#include "files/network_view.h"
#include "lib/format.h"
#include "net/counters.h"
#include "net/ip6.h"
#include "net/tcp_private.h"

struct net_counts net_counts[2];

/* A name of Linux's and what it shows; NET_COUNTERS: nothing that happens here. */
struct name {
    const char *name;
    enum net_counter counter;
};
#define NEVER NET_COUNTERS

static const struct name ip_names[] = {
    { "InReceives", IP_IN_RECEIVES },
    { "InHdrErrors", IP_IN_HEADER_ERRORS },
    { "InAddrErrors", IP_IN_ADDRESS_ERRORS },
    { "ForwDatagrams", NEVER },
    { "InUnknownProtos", IP_IN_UNKNOWN_PROTOCOLS },
    { "InDiscards", NEVER },
    { "InDelivers", IP_IN_DELIVERS },
    { "OutRequests", IP_OUT_REQUESTS },
    { "OutDiscards", IP_OUT_DISCARDS },
    { "OutNoRoutes", IP_OUT_NO_ROUTES },
    { "ReasmTimeout", IP_REASSEMBLY_TIMEOUT },
    { "ReasmReqds", IP_REASSEMBLY_REQUIRED },
    { "ReasmOKs", IP_REASSEMBLED },
    { "ReasmFails", IP_REASSEMBLY_FAILED },
    { "FragOKs", IP_FRAGMENTED },
    { "FragFails", IP_FRAGMENT_FAILED },
    { "FragCreates", IP_FRAGMENTS_CREATED },
};
static const struct name ip6_names[] = {
    { "Ip6InReceives", IP_IN_RECEIVES },
    { "Ip6InHdrErrors", IP_IN_HEADER_ERRORS },
    { "Ip6InTooBigErrors", NEVER },
    { "Ip6InNoRoutes", NEVER },
    { "Ip6InAddrErrors", IP_IN_ADDRESS_ERRORS },
    { "Ip6InUnknownProtos", IP_IN_UNKNOWN_PROTOCOLS },
    { "Ip6InTruncatedPkts", NEVER },
    { "Ip6InDiscards", NEVER },
    { "Ip6InDelivers", IP_IN_DELIVERS },
    { "Ip6OutForwDatagrams", NEVER },
    { "Ip6OutRequests", IP_OUT_REQUESTS },
    { "Ip6OutDiscards", IP_OUT_DISCARDS },
    { "Ip6OutNoRoutes", IP_OUT_NO_ROUTES },
    { "Ip6ReasmTimeout", IP_REASSEMBLY_TIMEOUT },
    { "Ip6ReasmReqds", IP_REASSEMBLY_REQUIRED },
    { "Ip6ReasmOKs", IP_REASSEMBLED },
    { "Ip6ReasmFails", IP_REASSEMBLY_FAILED },
    { "Ip6FragOKs", IP_FRAGMENTED },
    { "Ip6FragFails", IP_FRAGMENT_FAILED },
    { "Ip6FragCreates", IP_FRAGMENTS_CREATED },
    { "Ip6InMcastPkts", IP_IN_MULTICAST },
    { "Ip6OutMcastPkts", IP_OUT_MULTICAST },
    { "Ip6InOctets", IP_IN_OCTETS },
    { "Ip6OutOctets", IP_OUT_OCTETS },
    { "Icmp6InMsgs", ICMP_IN_MESSAGES },
    { "Icmp6InErrors", ICMP_IN_ERRORS },
    { "Icmp6OutMsgs", ICMP_OUT_MESSAGES },
    { "Icmp6OutErrors", NEVER },
    { "Icmp6InCsumErrors", ICMP_IN_CHECKSUM_ERRORS },
    { "Icmp6OutRateLimitHost", ICMP_OUT_LIMITED },
};
static const struct name udp6_names[] = {
    { "Udp6InDatagrams", UDP_IN_DATAGRAMS },
    { "Udp6NoPorts", UDP_NO_PORTS },
    { "Udp6InErrors", UDP_IN_ERRORS },
    { "Udp6OutDatagrams", UDP_OUT_DATAGRAMS },
    { "Udp6RcvbufErrors", UDP_RECEIVE_BUFFER_ERRORS },
    { "Udp6SndbufErrors", NEVER },
    { "Udp6InCsumErrors", UDP_IN_CHECKSUM_ERRORS },
};
static const struct name udp_names[] = {
    { "InDatagrams", UDP_IN_DATAGRAMS },
    { "NoPorts", UDP_NO_PORTS },
    { "InErrors", UDP_IN_ERRORS },
    { "OutDatagrams", UDP_OUT_DATAGRAMS },
    { "RcvbufErrors", UDP_RECEIVE_BUFFER_ERRORS },
    { "SndbufErrors", NEVER },
    { "InCsumErrors", UDP_IN_CHECKSUM_ERRORS },
    { "IgnoredMulti", NEVER },
    { "MemErrors", NEVER },
};
static const struct name extended_names[] = {
    { "InNoRoutes", NEVER },
    { "InTruncatedPkts", NEVER },
    { "InMcastPkts", IP_IN_MULTICAST },
    { "OutMcastPkts", IP_OUT_MULTICAST },
    { "InOctets", IP_IN_OCTETS },
    { "OutOctets", IP_OUT_OCTETS },
};

/* Types of ICMP (IANA), with the words that follow "In" and "Out" in Linux's names. */
struct type_name {
    const char *name;
    uint8_t type;
};
static const struct type_name icmp_types[] = {
    { "DestUnreachs", 3 },   { "TimeExcds", 11 }, { "ParmProbs", 12 },    { "SrcQuenchs", 4 },
    { "Redirects", 5 },      { "Echos", 8 },      { "EchoReps", 0 },      { "Timestamps", 13 },
    { "TimestampReps", 14 }, { "AddrMasks", 17 }, { "AddrMaskReps", 18 },
};
static const struct type_name icmp6_types[] = {
    { "DestUnreachs", 1 },
    { "PktTooBigs", 2 },
    { "TimeExcds", 3 },
    { "ParmProblems", 4 },
    { "Echos", 128 },
    { "EchoReplies", 129 },
    { "GroupMembQueries", 130 },
    { "GroupMembResponses", 131 },
    { "GroupMembReductions", 132 },
    { "RouterSolicits", 133 },
    { "RouterAdvertisements", 134 },
    { "NeighborSolicits", 135 },
    { "NeighborAdvertisements", 136 },
    { "Redirects", 137 },
    { "MLDv2Reports", 143 },
};

/* A copy as of one moment; NULL without memory, which is then an error of the file. */
static struct net_counts *copy_counts(struct text *out, bool is_ipv6)
{
    struct net_counts *copy = heap_allocate_at(sizeof(*copy), PAGES_NEEDED);
    if (!copy) {
        out->failed = true;
        return NULL;
    }
    net_lock();
    *copy = net_counts[is_ipv6];
    net_unlock();
    return copy;
}

static uint64_t value_of(const struct net_counts *counts, enum net_counter counter)
{
    return counter == NEVER ? 0 : counts->counters[counter];
}

/* The names on one line and the numbers on the next, each line after the prefix; `before` are the first of each. */
static void print_lines(struct text *out, const char *prefix, const char *const before[2],
                        const struct net_counts *counts, const struct name *names, unsigned count)
{
    text_print(out, "%s:%s", prefix, before[0]);
    for (unsigned i = 0; i < count; i++)
        text_print(out, " %s", names[i].name);
    text_print(out, "\n%s:%s", prefix, before[1]);
    for (unsigned i = 0; i < count; i++)
        text_print(out, " %lu", value_of(counts, names[i].counter));
    text_print(out, "\n");
}

static void print_icmp(struct text *out, const struct net_counts *counts)
{
    text_print(out, "Icmp: InMsgs InErrors InCsumErrors");
    for (unsigned i = 0; i < array_size(icmp_types); i++)
        text_print(out, " In%s", icmp_types[i].name);
    text_print(out, " OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost");
    for (unsigned i = 0; i < array_size(icmp_types); i++)
        text_print(out, " Out%s", icmp_types[i].name);
    text_print(out, "\nIcmp: %lu %lu %lu", counts->counters[ICMP_IN_MESSAGES], counts->counters[ICMP_IN_ERRORS],
               counts->counters[ICMP_IN_CHECKSUM_ERRORS]);
    for (unsigned i = 0; i < array_size(icmp_types); i++)
        text_print(out, " %lu", counts->icmp_in[icmp_types[i].type]);
    text_print(out, " %lu 0 0 %lu", counts->counters[ICMP_OUT_MESSAGES], counts->counters[ICMP_OUT_LIMITED]);
    for (unsigned i = 0; i < array_size(icmp_types); i++)
        text_print(out, " %lu", counts->icmp_out[icmp_types[i].type]);
    text_print(out, "\n");
}

static void count_established(struct tcp_entry *entry, void *context)
{
    uint64_t *established = context;
    if (entry->kind != TCP_ENTRY_CONNECTION)
        return;
    enum tcp_state state = container_of(entry, struct tcp, entry)->state;
    *established += state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT; /* RFC 4022: tcpCurrEstab */
}

/* Of both families. Sent segments are those that are not sent again only. */
static void print_tcp(struct text *out)
{
    uint64_t established = 0;
    net_lock();
    struct tcp_counts c = tcp_counts;
    tcp_table_for_each(count_established, &established);
    net_unlock();
    text_print(out,
               "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab "
               "InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
    text_print(out, "Tcp: 1 200 120000 -1 %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu\n", c.active_opens,
               c.passive_opens, c.failed_attempts, c.established_resets, established, c.in_segments,
               c.out_segments - c.retransmits, c.retransmits, c.in_errors, c.out_resets, c.in_checksum_errors);
}

static void show_counters(struct text *out)
{
    static const char *const ip[2] = { " Forwarding DefaultTTL", " 2 64" }, *const none[2] = { "", "" };
    struct net_counts *counts = copy_counts(out, false);
    if (!counts)
        return;
    print_lines(out, "Ip", ip, counts, ip_names, array_size(ip_names));
    print_icmp(out, counts);
    print_tcp(out);
    print_lines(out, "Udp", none, counts, udp_names, array_size(udp_names));
    heap_free(counts);
}

static void print_number(struct text *out, const char *name, uint64_t value)
{
    text_print(out, "%-32s\t%lu\n", name, value);
}

static void print_names(struct text *out, const struct net_counts *counts, const struct name *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        print_number(out, names[i].name, value_of(counts, names[i].counter));
}

static void print_types(struct text *out, const char *direction, const uint64_t *by_type)
{
    char name[48];
    for (unsigned i = 0; i < array_size(icmp6_types); i++) {
        format(name, sizeof(name), "Icmp6%s%s", direction, icmp6_types[i].name);
        print_number(out, name, by_type[icmp6_types[i].type]);
    }
}

static void show_counters6(struct text *out)
{
    struct net_counts *counts = ip6_is_on() ? copy_counts(out, true) : NULL;
    if (!counts)
        return;
    print_names(out, counts, ip6_names, array_size(ip6_names));
    print_types(out, "In", counts->icmp_in);
    print_types(out, "Out", counts->icmp_out);
    print_names(out, counts, udp6_names, array_size(udp6_names));
    heap_free(counts);
}

static void show_more_counters(struct text *out)
{
    static const char *const none[2] = { "", "" };
    struct net_counts *counts = copy_counts(out, false);
    if (!counts)
        return;
    print_lines(out, "IpExt", none, counts, extended_names, array_size(extended_names));
    heap_free(counts);
}

void counters_init(void)
{
    network_view.counters = show_counters;
    network_view.counters6 = show_counters6;
    network_view.more_counters = show_more_counters;
}
