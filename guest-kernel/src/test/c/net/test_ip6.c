/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6: neighbour discovery and routers by frames that are made here, what a peer can and cannot make the stack do, and
 * sockets of both families over loopback.
 */
#include <string.h>

#include "host/host.h"
#include "lib/checksum.h"
#include "lib/errno.h"
#include "net/icmp6.h"
#include "net/metadata.h"
#include "net/nd.h"
#include "net/neighbour.h"
#include "net/wire.h"

#define ETHERNET 14u
#define HEADERS (ETHERNET + IP6_HEADER_LENGTH)
#define LEVEL_IPV6 41
#define OPTION_V6ONLY 26
#define OPTION_V6_PACKET_INFO 49

#define STACK_LOCAL ip6_address(0xfe80000000000000u, 0x000000fffe000002u) /* of 02:00:00:00:00:02 */
#define PEER_LOCAL ip6_address(0xfe80000000000000u, 0x000000fffe000001u)
#define PREFIX ip6_address(0x20010db800010000u, 0)
#define STACK_GLOBAL ip6_address(0x20010db800010000u, 0x000000fffe000002u)
#define PEER_GLOBAL ip6_address(0x20010db800010000u, 1)
#define CONFIGURED ip6_address(0x20010db800770000u, 7)
#define CONFIGURED_NEIGHBOUR ip6_address(0x20010db800770000u, 9)
#define FAR ip6_address(0x20010db8ffff0000u, 1)

static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

static struct ip_address inside(struct ip_address address) { return ip6_inside(address, 2); }

/* ---- Frames ------------------------------------------------------------------------------------------------ */

struct frame {
    uint8_t bytes[WIRE_FRAME];
    uint32_t length; /* with all headers */
};

static void start_frame(struct frame *frame, struct ip_address from, struct ip_address to, uint8_t next, uint8_t limit)
{
    static const uint8_t stack_mac[6] = { 2, 0, 0, 0, 0, 2 };
    memset(frame, 0, sizeof(*frame));
    struct ip6_bytes destination = ip6_bytes_of(to), source = ip6_bytes_of(from);
    memcpy(frame->bytes, stack_mac, 6);
    if (destination.bytes[0] == 0xff) {
        frame->bytes[0] = frame->bytes[1] = 0x33;
        memcpy(frame->bytes + 2, destination.bytes + 12, 4);
    }
    memcpy(frame->bytes + 6, peer_mac, 6);
    write_be16(frame->bytes + 12, 0x86dd);
    frame->bytes[14] = 0x60;
    frame->bytes[20] = next;
    frame->bytes[21] = limit;
    memcpy(frame->bytes + 22, &source, 16);
    memcpy(frame->bytes + 38, &destination, 16);
    frame->length = HEADERS;
}

static void add(struct frame *frame, const void *data, uint32_t length)
{
    memcpy(frame->bytes + frame->length, data, length);
    frame->length += length;
    write_be16(frame->bytes + 18, (uint16_t)(frame->length - HEADERS));
}

static void finish_icmp(struct frame *frame, uint32_t at)
{
    struct ip6_bytes from, to;
    memcpy(&from, frame->bytes + 22, 16);
    memcpy(&to, frame->bytes + 38, 16);
    uint32_t length = frame->length - at;
    uint64_t sum = checksum_pseudo(ip6_read(from), ip6_read(to), IP6_PROTOCOL_ICMP, length);
    write_be16(frame->bytes + at + 2, 0);
    write_be16(frame->bytes + at + 2, checksum_finish(checksum_add(sum, frame->bytes + at, length)));
}

static void inject(const struct frame *frame) { wire_inject(frame->bytes, frame->length); }

static void inject_icmp(struct frame *frame)
{
    finish_icmp(frame, HEADERS);
    inject(frame);
}

/* A message about a neighbour: its target, and the peer's MAC address as an option of this type, 0: none. */
static void make_neighbour(struct frame *frame, struct ip_address from, struct ip_address to, uint8_t type,
                           uint32_t flags, struct ip_address target, uint8_t option)
{
    struct icmp6_header icmp = { .type = type, .rest = be32_of(flags) };
    struct ip6_bytes bytes = ip6_bytes_of(target);
    uint8_t mac[8] = { option, 1, 2, 0, 0, 0, 0, 1 };
    start_frame(frame, from, to, IP6_PROTOCOL_ICMP, 255);
    add(frame, &icmp, sizeof(icmp));
    add(frame, &bytes, sizeof(bytes));
    if (option != 0)
        add(frame, mac, sizeof(mac));
}

static void inject_neighbour(struct ip_address from, struct ip_address to, uint8_t type, uint32_t flags,
                             struct ip_address target, uint8_t option)
{
    struct frame frame;
    make_neighbour(&frame, from, to, type, flags, target, option);
    inject_icmp(&frame);
}

static void start_router(struct frame *frame, struct ip_address from, uint16_t lifetime)
{
    uint8_t head[16] = { ND_ROUTER_ADVERTISEMENT, 0, 0, 0, 64 };
    write_be16(head + 6, lifetime);
    start_frame(frame, from, IP6_ALL_NODES, IP6_PROTOCOL_ICMP, 255);
    add(frame, head, sizeof(head));
}

static void add_prefix(struct frame *frame, struct ip_address prefix, uint8_t length, uint8_t flags, uint32_t valid,
                       uint32_t preferred)
{
    uint8_t option[32] = { ND_PREFIX, 4, length, flags };
    struct ip6_bytes bytes = ip6_bytes_of(prefix);
    write_be32(option + 4, valid);
    write_be32(option + 8, preferred);
    memcpy(option + 16, &bytes, 16);
    add(frame, option, sizeof(option));
}

static void inject_router(struct ip_address from, uint16_t lifetime, struct ip_address prefix, uint32_t valid)
{
    struct frame frame;
    uint8_t mac[8] = { ND_SOURCE_MAC, 1, 2, 0, 0, 0, 0, 1 };
    start_router(&frame, from, lifetime);
    add_prefix(&frame, prefix, 64, 0xc0, valid, valid);
    add(&frame, mac, sizeof(mac));
    inject_icmp(&frame);
}

/* The next frame of IPv6 that the stack sends, but for reports about groups; the ICMP type, or 0 for others; -1: there
 * is none. */
static int next_type(const struct wire_frame **out)
{
    const struct wire_frame *frame;
    while ((frame = wire_next()) &&
           (read_be16(frame->bytes + 12) != 0x86dd || frame->bytes[20] == IP6_PROTOCOL_HOP_BY_HOP))
        ;
    if (out)
        *out = frame;
    return !frame ? -1 : frame->bytes[20] == IP6_PROTOCOL_ICMP ? frame->bytes[HEADERS] : 0;
}

static bool is_at(const uint8_t *bytes, struct ip_address address)
{
    struct ip6_bytes wanted = ip6_bytes_of(address);
    return memcmp(bytes, &wanted, 16) == 0;
}

static struct ip_address read_at(const uint8_t *from)
{
    struct ip6_bytes bytes;
    memcpy(&bytes, from, sizeof(bytes));
    return ip6_read(bytes);
}

static bool checksum_right(const struct wire_frame *frame)
{
    struct ip6_bytes from, to;
    memcpy(&from, frame->bytes + 22, 16);
    memcpy(&to, frame->bytes + 38, 16);
    uint32_t length = read_be16(frame->bytes + 18);
    uint64_t sum = checksum_pseudo(ip6_read(from), ip6_read(to), frame->bytes[20], length);
    return checksum_fold(checksum_add(sum, frame->bytes + HEADERS, length)) == 0xffff;
}

static struct ip6_own *own(struct ip_address address)
{
    net_lock();
    struct ip6_own *found = ip6_find_own(interface_first_device(), inside(address));
    net_unlock();
    return found;
}

static bool usable(struct ip_address address)
{
    net_lock();
    bool result = ip6_interface_of(inside(address));
    net_unlock();
    return result;
}

static int route_to(struct ip_address address, struct ip_route *route)
{
    net_lock();
    int result = ip_route(inside(address), route);
    net_unlock();
    return result;
}

static unsigned neighbours;
static bool count_neighbour(const struct neighbour_entry *entry, void *context)
{
    (void)context;
    neighbours += !ip_is_ipv4(entry->address);
    return true;
}

static unsigned known_neighbours(void)
{
    neighbours = 0;
    net_lock();
    neighbour_for_each(count_neighbour, NULL);
    net_unlock();
    return neighbours;
}

/* ---- Text -------------------------------------------------------------------------------------------------- */

static void texts(void)
{
    static const struct {
        const char *text, *again; /* NULL: the same */
    } good[] = {
        { "::", NULL },
        { "::1", NULL },
        { "fe80::1", NULL },
        { "1::", NULL },
        { "1:2:3:4:5:6:7:8", NULL },
        { "2001:DB8::0:1", "2001:db8::1" },
        { "1::3:0:0:0:8", "1:0:0:3::8" },
        { "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
        { "0:1::", "0:1::" },
        { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
    };
    static const char *const bad[] = { "", ":", ":1", "1", "1:", "1:2", "1::2::3", "1:2:3:4:5:6:7", ":::" };
    char text[IP_TEXT];
    for (unsigned i = 0; i < array_size(good); i++) {
        struct ip_address address;
        const char *at = good[i].text;
        CHECK(ip6_parse(&at, &address));
        CHECK_EQUAL(*at, 0);
        CHECK(strcmp(ip_format(text, address), good[i].again ? good[i].again : good[i].text) == 0);
    }
    for (unsigned i = 0; i < array_size(bad); i++) {
        struct ip_address address;
        const char *at = bad[i];
        CHECK(!ip6_parse(&at, &address) || *at != 0);
    }
    CHECK(strcmp(ip_format(text, ip_of_ipv4(0x0a090002)), "10.9.0.2") == 0);
    CHECK(strcmp(ip_format(text, inside(STACK_LOCAL)), "fe80::ff:fe00:2") == 0);
}

/* ---- Addresses --------------------------------------------------------------------------------------------- */

static void off_at_first(void)
{
    struct file *file;
    struct frame frame;
    CHECK_EQUAL(socket_create(AF_INET6, SOCK_STREAM, 0, 0, &file), -EAFNOSUPPORT);
    make_neighbour(&frame, PEER_LOCAL, IP6_ALL_NODES, ND_NEIGHBOUR_SOLICITATION, 0, STACK_LOCAL, ND_SOURCE_MAC);
    inject_icmp(&frame);
    CHECK_EQUAL(next_type(NULL), -1);
}

static void name_servers_changed(void) {}

/* Nobody answers the probe of the link-local address, so that it is ours, and routers are asked for. */
static void first_address(void)
{
    const struct wire_frame *frame;
    struct net_ipv6 wanted;
    CHECK(net_parse_ipv6("2001:db8:77::7/64", &wanted));
    net_start_ipv6(&wanted, name_servers_changed);
    CHECK(own(STACK_LOCAL) && own(STACK_LOCAL)->tentative && !usable(STACK_LOCAL));
    CHECK_EQUAL(next_type(&frame), ND_NEIGHBOUR_SOLICITATION);
    CHECK(is_at(frame->bytes + 22, IP6_ANY) && is_at(frame->bytes + HEADERS + 8, STACK_LOCAL));
    CHECK(frame->bytes[0] == 0x33 && frame->bytes[2] == 0xff && frame->bytes[21] == 255 && checksum_right(frame));
    CHECK_EQUAL(frame->length, HEADERS + 24);
    CHECK_EQUAL(next_type(&frame), ND_NEIGHBOUR_SOLICITATION);
    CHECK(is_at(frame->bytes + HEADERS + 8, CONFIGURED));
    inject_neighbour(PEER_LOCAL, ip6_solicited_node(STACK_LOCAL, interface_first_device()), ND_NEIGHBOUR_SOLICITATION,
                     0, STACK_LOCAL, ND_SOURCE_MAC);
    CHECK_EQUAL(next_type(NULL), -1); /* not ours yet */
    host_advance(NS_PER_SECOND);
    CHECK(usable(STACK_LOCAL));
    CHECK_EQUAL(next_type(&frame), ND_ROUTER_SOLICITATION);
    CHECK(is_at(frame->bytes + 22, STACK_LOCAL) && is_at(frame->bytes + 38, IP6_ALL_ROUTERS) && checksum_right(frame));
    host_advance(4 * NS_PER_SECOND);
    CHECK_EQUAL(next_type(NULL), ND_ROUTER_SOLICITATION);
}

/* Routers do not change what is configured. */
static void a_configured_address(void)
{
    static const char *const wrong[] = { "",
                                         "yes",
                                         "::/64",
                                         "::1/128",
                                         "ff02::1/64",
                                         "fe80::1/64",
                                         "2001:db8::1",
                                         "2001:db8::1/0",
                                         "2001:db8::1/129",
                                         "2001:db8::1/64x",
                                         "::ffff:0:1/64" };
    struct net_ipv6 wanted;
    struct ip_route route;
    for (unsigned i = 0; i < array_size(wrong); i++)
        CHECK(!net_parse_ipv6(wrong[i], &wanted));
    CHECK(net_parse_ipv6("no", &wanted) && wanted.off);
    CHECK(net_parse_ipv6("random", &wanted) && wanted.random && !wanted.off && ip_is_any(wanted.address));
    for (unsigned i = 0; i < 2; i++) {
        CHECK(usable(CONFIGURED));
        CHECK_EQUAL(route_to(CONFIGURED_NEIGHBOUR, &route), 0);
        CHECK(ip_same(route.next_hop, CONFIGURED_NEIGHBOUR) && ip_same(route.source, CONFIGURED));
        inject_router(PEER_LOCAL, 0, ip6_address(0x20010db800770000u, 0), 0);
        host_advance(8000 * NS_PER_SECOND);
        wire_drop_all();
    }
}

static void answers_questions(void)
{
    const struct wire_frame *frame;
    inject_neighbour(PEER_LOCAL, ip6_solicited_node(STACK_LOCAL, interface_first_device()), ND_NEIGHBOUR_SOLICITATION,
                     0, STACK_LOCAL, ND_SOURCE_MAC);
    CHECK_EQUAL(next_type(&frame), ND_NEIGHBOUR_ADVERTISEMENT);
    CHECK(is_at(frame->bytes + 38, PEER_LOCAL) && memcmp(frame->bytes, peer_mac, 6) == 0 && checksum_right(frame));
    CHECK_EQUAL(read_be32(frame->bytes + HEADERS + 4), 0x60000000u);
    CHECK_EQUAL(known_neighbours(), 1);
    /* A probe is answered to all. */
    inject_neighbour(IP6_ANY, ip6_solicited_node(STACK_LOCAL, interface_first_device()), ND_NEIGHBOUR_SOLICITATION, 0,
                     STACK_LOCAL, 0);
    CHECK_EQUAL(next_type(&frame), ND_NEIGHBOUR_ADVERTISEMENT);
    CHECK(is_at(frame->bytes + 38, IP6_ALL_NODES));
    CHECK_EQUAL(read_be32(frame->bytes + HEADERS + 4), 0x20000000u);
    CHECK(usable(STACK_LOCAL)); /* who came first keeps it */
}

/* What is not exactly as RFC 4861 7.1 asks is neither answered nor believed. */
static void broken_questions(void)
{
    struct ip_address group = ip6_solicited_node(STACK_LOCAL, interface_first_device());
    for (unsigned broken = 0; broken < 8; broken++) {
        struct frame frame;
        struct ip_address from = broken == 7 ? IP6_ANY : PEER_LOCAL;
        make_neighbour(&frame, from, group, ND_NEIGHBOUR_SOLICITATION, 0, STACK_LOCAL, ND_SOURCE_MAC);
        frame.bytes[21] = broken == 0 ? 254 : 255;
        frame.bytes[HEADERS + 1] = broken == 1;
        if (broken == 2)
            frame.bytes[HEADERS + 25] = 0; /* an option without a length */
        if (broken == 3)
            frame.bytes[HEADERS + 25] = 2; /* one that is longer than the rest */
        if (broken == 4)
            frame.bytes[HEADERS + 8] = 0xff; /* about a group */
        if (broken == 5)
            frame.length -= 4, add(&frame, "", 0);
        finish_icmp(&frame, HEADERS);
        if (broken == 6)
            frame.bytes[HEADERS + 2] ^= 1;
        inject(&frame);
        CHECK_EQUAL(next_type(NULL), -1);
    }
}

/* ---- Routers ----------------------------------------------------------------------------------------------- */

static void router_gives_an_address(void)
{
    struct ip_route route;
    CHECK_EQUAL(route_to(FAR, &route), -ENETUNREACH);
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    CHECK_EQUAL(next_type(NULL), ND_NEIGHBOUR_SOLICITATION); /* the probe */
    host_advance(NS_PER_SECOND);
    CHECK(usable(STACK_GLOBAL));
    CHECK_EQUAL(route_to(FAR, &route), 0);
    CHECK(ip_same(route.next_hop, inside(PEER_LOCAL)) && ip_same(route.source, CONFIGURED));
    CHECK_EQUAL(route_to(PEER_GLOBAL, &route), 0);
    CHECK(ip_same(route.next_hop, PEER_GLOBAL) && ip_same(route.source, STACK_GLOBAL)); /* the closer one */
    CHECK_EQUAL(route_to(PEER_LOCAL, &route), 0);
    CHECK(ip_same(route.source, inside(STACK_LOCAL)));
    host_advance(100 * NS_PER_SECOND);
    CHECK_EQUAL(next_type(NULL), -1); /* routers are not asked for any more */
}

static void router_sets_the_mtu(void)
{
    static const struct {
        uint32_t says, mtu;
    } tries[] = { { 1279, 1500 }, { 9000, 1500 }, { 1280, 1280 }, { 1500, 1500 } };
    for (unsigned i = 0; i < array_size(tries); i++) {
        struct frame frame;
        struct ip_route route;
        uint8_t option[8] = { ND_MTU, 1 };
        write_be32(option + 4, tries[i].says);
        start_router(&frame, PEER_LOCAL, 1800);
        add(&frame, option, sizeof(option));
        inject_icmp(&frame);
        CHECK_EQUAL(route_to(FAR, &route), 0);
        CHECK_EQUAL(ip_mtu(&route), tries[i].mtu);
    }
}

/* A routers' name servers are there as long as it says, IPv4's before them, three in all. */
static void router_gives_name_servers(void)
{
    struct frame frame;
    struct net_configuration two = { .dns = { WIRE_PEER, WIRE_PEER + 1 }, .dns_count = 2 };
    struct net_configuration none = { 0 };
    struct ip6_bytes far = ip6_bytes_of(FAR), local = ip6_bytes_of(PEER_LOCAL), group = ip6_bytes_of(IP6_ALL_NODES);
    uint8_t option[8 + 48] = { ND_NAME_SERVERS, 7 };
    char text[200];
    memcpy(option + 8, &far, 16);
    memcpy(option + 24, &group, 16);
    memcpy(option + 40, &local, 16);
    write_be32(option + 4, 600);
    start_router(&frame, PEER_LOCAL, 0);
    add(&frame, option, sizeof(option));
    inject_icmp(&frame);
    CHECK_EQUAL(net_resolver_text(text, sizeof(text), &none), (int)strlen(text));
    CHECK(strcmp(text, "nameserver 2001:db8:ffff::1\nnameserver fe80::ff:fe00:1%eth0\n") == 0);
    CHECK_EQUAL(net_resolver_text(text, sizeof(text), &two), (int)strlen(text));
    CHECK(strcmp(text, "nameserver 10.9.0.1\nnameserver 10.9.0.2\nnameserver 2001:db8:ffff::1\n") == 0);
    write_be32(option + 4, 0); /* withdrawn */
    option[1] = 3;
    start_router(&frame, PEER_LOCAL, 0);
    add(&frame, option, 24);
    inject_icmp(&frame);
    (void)net_resolver_text(text, sizeof(text), &none);
    CHECK(strcmp(text, "nameserver fe80::ff:fe00:1%eth0\n") == 0);
    host_advance(601 * NS_PER_SECOND);
    CHECK_EQUAL(net_resolver_text(text, sizeof(text), &none), 0);
}

static void bad_advertisements(void)
{
    struct frame frame;
    struct ip_address other = ip6_address(0x20010db800020000u, 0);
    struct ip_address made = ip6_address(0x20010db800020000u, 0x000000fffe000002u);
    inject_router(PEER_GLOBAL, 1800, other, 7200); /* not from the link */
    CHECK(!own(made));
    start_router(&frame, PEER_LOCAL, 1800);
    add_prefix(&frame, other, 64, 0xc0, 100, 200); /* preferred for longer than it is valid */
    add_prefix(&frame, other, 63, 0x40, 7200, 7200);
    add_prefix(&frame, IP6_ALL_NODES, 64, 0xc0, 7200, 7200);
    add_prefix(&frame, ip6_address(0xfe80000000000000u, 0), 64, 0xc0, 7200, 7200);
    inject_icmp(&frame);
    CHECK(!own(made));
    CHECK_EQUAL(next_type(NULL), -1);
}

/* A host that says that the time of a prefix is over does not take its address away at once. */
static void short_lifetimes(void)
{
    struct ip_address prefix = ip6_address(0x20010db800030000u, 0);
    struct ip_address made = ip6_address(0x20010db800030000u, 0x000000fffe000002u);
    inject_router(PEER_LOCAL, 1800, prefix, 100000);
    inject_router(PEER_LOCAL, 1800, prefix, 0);
    host_advance(7199 * NS_PER_SECOND);
    CHECK(usable(made));
    host_advance(2 * NS_PER_SECOND);
    CHECK(!own(made));
    wire_drop_all();
}

/* Many routers, prefixes and neighbours: what was there first stays, and nothing grows. */
static void floods(void)
{
    struct ip_route route;
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    host_advance(2 * NS_PER_SECOND);
    for (uint64_t i = 0; i < 1000; i++) {
        struct ip_address liar = ip6_address(0xfe80000000000000u, 0x1000 + i);
        inject_router(liar, 9000, ip6_address(0x20010db900000000u + (i << 16), 0), 7200);
        inject_neighbour(liar, ip6_solicited_node(STACK_LOCAL, interface_first_device()), ND_NEIGHBOUR_SOLICITATION, 0,
                         STACK_LOCAL, ND_SOURCE_MAC);
        wire_drop_all();
    }
    CHECK(known_neighbours() <= 256);
    CHECK(usable(STACK_GLOBAL) && usable(STACK_LOCAL));
    CHECK_EQUAL(route_to(FAR, &route), 0);
    CHECK(ip_same(route.next_hop, inside(PEER_LOCAL)));
    host_advance(10000 * NS_PER_SECOND); /* all of it runs out */
    wire_drop_all();
    CHECK_EQUAL(route_to(FAR, &route), -ENETUNREACH);
    CHECK(usable(STACK_LOCAL) && !own(STACK_GLOBAL));
}

/* Another host has the address that a prefix would make. */
static void duplicate_address(void)
{
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    inject_neighbour(PEER_LOCAL, IP6_ALL_NODES, ND_NEIGHBOUR_ADVERTISEMENT, 0x20000000u, STACK_GLOBAL, ND_TARGET_MAC);
    host_advance(2 * NS_PER_SECOND);
    CHECK(own(STACK_GLOBAL) && own(STACK_GLOBAL)->duplicate && !usable(STACK_GLOBAL));
    host_advance(10000 * NS_PER_SECOND);
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200); /* the next time nobody has it */
    host_advance(2 * NS_PER_SECOND);
    CHECK(usable(STACK_GLOBAL));
    wire_drop_all();
}

/* ---- Packets ----------------------------------------------------------------------------------------------- */

/* Every address is probed again, and none is used meanwhile; routers and neighbours are forgotten. The link of the
 * snapshot's prefix is not there any more unless a router says so. */
static void after_a_restore(void)
{
    struct ip_route route;
    const struct wire_frame *frame;
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    host_advance(2 * NS_PER_SECOND);
    CHECK(usable(STACK_GLOBAL) && usable(STACK_LOCAL) && usable(CONFIGURED));
    CHECK_EQUAL(route_to(FAR, &route), 0);
    wire_drop_all();
    net_restored();
    CHECK_EQUAL(known_neighbours(), 0);
    CHECK(!usable(STACK_GLOBAL) && !usable(STACK_LOCAL) && !usable(CONFIGURED));
    CHECK_EQUAL(route_to(FAR, &route), -ENETUNREACH);
    unsigned probes = 0;
    for (int type; (type = next_type(&frame)) >= 0;)
        probes += type == ND_NEIGHBOUR_SOLICITATION && is_at(frame->bytes + 22, IP6_ANY);
    CHECK(probes >= 3);
    host_advance(NS_PER_SECOND + 1);
    CHECK(usable(STACK_GLOBAL) && usable(STACK_LOCAL) && usable(CONFIGURED));
    unsigned asked = 0;
    for (int type; (type = next_type(NULL)) >= 0;)
        asked += type == ND_ROUTER_SOLICITATION;
    CHECK_EQUAL(asked, 1);
    CHECK_EQUAL(route_to(CONFIGURED_NEIGHBOUR, &route), 0); /* its prefix is configured */
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    CHECK_EQUAL(route_to(FAR, &route), 0);
    host_advance(120 * NS_PER_SECOND);
    CHECK(usable(STACK_GLOBAL)); /* the prefix was announced again */
    net_restored();
    host_advance(59 * NS_PER_SECOND);
    CHECK(usable(STACK_GLOBAL));
    host_advance(2 * NS_PER_SECOND);
    CHECK(!usable(STACK_GLOBAL) && usable(STACK_LOCAL) && usable(CONFIGURED));
    net_restored();
    inject_neighbour(PEER_LOCAL, IP6_ALL_NODES, ND_NEIGHBOUR_ADVERTISEMENT, 0x20000000, CONFIGURED, ND_TARGET_MAC);
    host_advance(2 * NS_PER_SECOND);
    CHECK(!usable(CONFIGURED) && usable(STACK_LOCAL)); /* a machine of the new link has it */
    net_restored();
    host_advance(2 * NS_PER_SECOND);
    CHECK(usable(CONFIGURED));
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    host_advance(2 * NS_PER_SECOND);
    wire_drop_all();
}

/* The NIC is connected again: neighbours and the switch are told where the addresses are. */
static void after_the_link_was_down(void)
{
    const struct wire_frame *frame;
    unsigned told = 0;
    wire_drop_all();
    wire_device()->running = true;
    wire_device()->link_changed(wire_device());
    for (int type; (type = next_type(&frame)) >= 0;)
        told += type == ND_NEIGHBOUR_ADVERTISEMENT && is_at(frame->bytes + 38, IP6_ALL_NODES) &&
                checksum_right(frame) && is_at(frame->bytes + 22, read_at(frame->bytes + HEADERS + 8));
    CHECK(told >= 3);
    wire_drop_all();
}

/* Without IPv4 an address of IPv6 is enough, but only when IPv4 has had its time. */
static void waiting_for_an_address(void)
{
    struct net_configuration before, none = { 0 };
    nanoseconds started = clock_monotonic();
    net_current(&before);
    CHECK_EQUAL(net_wait_any(started + NS_PER_SECOND, started + 30 * NS_PER_SECOND), 0);
    CHECK_EQUAL(clock_monotonic(), started); /* no slower than before */
    CHECK_EQUAL(net_configure_static(&none), 0);
    CHECK(usable(CONFIGURED));
    CHECK_EQUAL(net_wait_any(started + 6 * NS_PER_SECOND, started + 30 * NS_PER_SECOND), 0);
    CHECK_EQUAL(clock_monotonic() - started, 6 * NS_PER_SECOND);
    net_restored(); /* they are tentative for a second */
    started = clock_monotonic();
    CHECK_EQUAL(net_wait_any(started, started + 30 * NS_PER_SECOND), 0);
    CHECK(clock_monotonic() - started >= NS_PER_SECOND && clock_monotonic() - started < 2 * NS_PER_SECOND);
    net_lock();
    interface_first_device()->ip6.own[1].duplicate = true; /* the configured one */
    for (unsigned i = 2; i < IP6_ADDRESSES; i++)
        interface_first_device()->ip6.own[i].valid_until = 0;
    net_unlock();
    started = clock_monotonic();
    CHECK(!usable(CONFIGURED) && usable(STACK_LOCAL));
    CHECK_EQUAL(net_wait_any(started, started + 30 * NS_PER_SECOND), -ETIMEDOUT);
    CHECK_EQUAL(clock_monotonic() - started, 30 * NS_PER_SECOND);
    CHECK_EQUAL(net_configure_static(&before), 0);
    net_restored();
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    host_advance(3 * NS_PER_SECOND);
    wire_configure();
    CHECK(usable(CONFIGURED) && usable(STACK_GLOBAL));
    wire_drop_all();
}

static void make_echo(struct frame *frame, struct ip_address from, struct ip_address to, uint8_t next)
{
    start_frame(frame, from, to, next, 64);
}

static void add_echo(struct frame *frame)
{
    static const uint8_t echo[16] = { ICMP6_ECHO_REQUEST, 0, 0, 0, 1, 2, 3, 4, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' };
    uint32_t at = frame->length;
    add(frame, echo, sizeof(echo));
    finish_icmp(frame, at);
}

static void echoes(void)
{
    struct frame frame;
    const struct wire_frame *answer;
    make_echo(&frame, PEER_LOCAL, STACK_LOCAL, IP6_PROTOCOL_ICMP);
    add_echo(&frame);
    inject(&frame);
    CHECK_EQUAL(next_type(&answer), ICMP6_ECHO_REPLY);
    CHECK(is_at(answer->bytes + 22, STACK_LOCAL) && checksum_right(answer));
    CHECK(memcmp(answer->bytes + HEADERS + 4, frame.bytes + HEADERS + 4, 12) == 0);
    make_echo(&frame, PEER_LOCAL, IP6_ALL_NODES, IP6_PROTOCOL_ICMP);
    add_echo(&frame);
    inject(&frame);
    CHECK_EQUAL(next_type(NULL), -1); /* no amplifier */
}

static void extension_headers(void)
{
    static const uint8_t padding[8] = { IP6_PROTOCOL_ICMP, 0, 1, 4 }, unknown[8] = { IP6_PROTOCOL_ICMP, 0, 0x80, 4 };
    static const uint8_t ignorable[8] = { IP6_PROTOCOL_ICMP, 0, 0x3e, 4 }, route[8] = { IP6_PROTOCOL_ICMP, 0, 0, 0 };
    static const uint8_t source_route[8] = { IP6_PROTOCOL_ICMP, 0, 0, 1 };
    static const uint8_t again[8] = { IP6_PROTOCOL_OPTIONS, 0, 1, 4 };
    static const struct {
        uint8_t next;
        const uint8_t *header;
        bool answered;
    } tries[] = {
        { IP6_PROTOCOL_OPTIONS, padding, true },   { IP6_PROTOCOL_OPTIONS, unknown, false },
        { IP6_PROTOCOL_OPTIONS, ignorable, true }, { IP6_PROTOCOL_HOP_BY_HOP, padding, true },
        { IP6_PROTOCOL_ROUTING, route, true },     { IP6_PROTOCOL_ROUTING, source_route, false },
    };
    struct frame frame;
    for (unsigned i = 0; i < array_size(tries); i++) {
        make_echo(&frame, PEER_LOCAL, STACK_LOCAL, tries[i].next);
        add(&frame, tries[i].header, 8);
        add_echo(&frame);
        inject(&frame);
        CHECK_EQUAL(next_type(NULL), tries[i].answered ? ICMP6_ECHO_REPLY : -1);
    }
    for (unsigned count = 8; count <= 9; count++) { /* as many as there may be, and one more */
        make_echo(&frame, PEER_LOCAL, STACK_LOCAL, IP6_PROTOCOL_OPTIONS);
        for (unsigned i = 1; i < count; i++)
            add(&frame, again, 8);
        add(&frame, padding, 8);
        add_echo(&frame);
        inject(&frame);
        CHECK_EQUAL(next_type(NULL), count == 8 ? ICMP6_ECHO_REPLY : -1);
    }
    make_echo(&frame, PEER_LOCAL, STACK_LOCAL, 200); /* nobody's protocol */
    add(&frame, padding, 8);
    inject(&frame);
    CHECK_EQUAL(next_type(NULL), ICMP6_PARAMETER_PROBLEM);
}

static void fragments(void)
{
    struct frame whole, frame;
    make_echo(&whole, PEER_LOCAL, STACK_LOCAL, IP6_PROTOCOL_ICMP);
    add_echo(&whole);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t header[8] = { IP6_PROTOCOL_ICMP };
        write_be16(header + 2, (uint16_t)(8 * i | (i == 0)));
        write_be32(header + 4, 0x12345678);
        start_frame(&frame, PEER_LOCAL, STACK_LOCAL, IP6_PROTOCOL_FRAGMENT, 64);
        add(&frame, header, sizeof(header));
        add(&frame, whole.bytes + HEADERS + 8 * i, 8);
        inject(&frame);
        CHECK_EQUAL(next_type(NULL), i == 0 ? -1 : ICMP6_ECHO_REPLY);
    }
    /* Neighbour discovery in fragments is not believed: RFC 6980. */
    uint8_t header[8] = { IP6_PROTOCOL_ICMP };
    make_neighbour(&whole, PEER_LOCAL, STACK_LOCAL, ND_NEIGHBOUR_SOLICITATION, 0, STACK_LOCAL, ND_SOURCE_MAC);
    finish_icmp(&whole, HEADERS);
    start_frame(&frame, PEER_LOCAL, STACK_LOCAL, IP6_PROTOCOL_FRAGMENT, 255);
    add(&frame, header, sizeof(header));
    add(&frame, whole.bytes + HEADERS, whole.length - HEADERS);
    inject(&frame);
    CHECK_EQUAL(next_type(NULL), -1);
}

/* Addresses that no packet on a link has. */
static void impossible_addresses(void)
{
    struct ip_address mapped = ip_of_ipv4(WIRE_PEER);
    const struct {
        struct ip_address from, to;
    } tries[] = {
        { mapped, STACK_LOCAL },       { PEER_LOCAL, ip_of_ipv4(WIRE_STACK) },
        { IP6_LOOPBACK, STACK_LOCAL }, { PEER_LOCAL, IP6_LOOPBACK },
        { STACK_LOCAL, STACK_LOCAL },  { IP6_ALL_NODES, STACK_LOCAL },
        { IP6_ANY, STACK_LOCAL },      { PEER_LOCAL, PEER_GLOBAL },
    };
    struct frame frame;
    for (unsigned i = 0; i < array_size(tries); i++) {
        make_echo(&frame, tries[i].from, tries[i].to, IP6_PROTOCOL_ICMP);
        add_echo(&frame);
        inject(&frame);
        CHECK_EQUAL(next_type(NULL), -1);
    }
    make_echo(&frame, PEER_LOCAL, STACK_LOCAL, IP6_PROTOCOL_ICMP);
    frame.bytes[25] = 2; /* as addresses of a link are inside of the kernel */
    add_echo(&frame);
    inject(&frame);
    CHECK_EQUAL(next_type(NULL), -1);
}

/* ---- Sockets ----------------------------------------------------------------------------------------------- */

static struct file *open6(int type)
{
    struct file *file;
    return socket_create(AF_INET6, type, 0, 0, &file) == 0 ? file : NULL;
}

static struct socket_address name6(struct ip_address address, uint16_t port)
{
    return (struct socket_address){ .family = AF_INET6, .in = { address, port } };
}

static int bind6(struct file *file, struct ip_address address, uint16_t port)
{
    struct socket_address name = name6(address, port);
    return socket_of(file)->operations->bind(socket_of(file), &name);
}

static int connect6(struct file *file, struct ip_address address, uint16_t port)
{
    struct socket_address name = name6(address, port);
    return socket_of(file)->operations->connect(socket_of(file), &name);
}

/* A listener of AF_INET6 takes connections of both families, unless it is told not to. */
static void dual_stack(void)
{
    struct file *listener = open6(SOCK_STREAM), *server;
    struct socket_address name;
    char text[4];
    CHECK_EQUAL(bind6(listener, IP6_ANY, 0), 0);
    CHECK_EQUAL(stack_set(listener, LEVEL_IPV6, OPTION_V6ONLY, 1), -EINVAL);
    CHECK_EQUAL(stack_listen(listener, 4), 0);
    uint16_t port = stack_port(listener);
    struct file *other = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_bind(other, IPV4_ANY, port), -EADDRINUSE);
    file_put(other);

    struct file *client = open6(SOCK_STREAM);
    CHECK_EQUAL(connect6(client, IP6_LOOPBACK, port), 0);
    CHECK_EQUAL(socket_of(listener)->operations->accept(socket_of(listener), 0, &server, &name), 0);
    CHECK(name.family == AF_INET6 && ip_same(name.in.address, IP6_LOOPBACK));
    CHECK_EQUAL(stack_send(client, "abc", 3, 0), 3);
    CHECK_EQUAL(stack_receive(server, text, sizeof(text), 0), 3);
    file_put(client);
    file_put(server);

    client = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_connect(client, IPV4_LOOPBACK, port), 0);
    CHECK_EQUAL(socket_of(listener)->operations->accept(socket_of(listener), 0, &server, &name), 0);
    CHECK(name.family == AF_INET6 && ip_same(name.in.address, ip_of_ipv4(IPV4_LOOPBACK)));
    file_put(client);
    file_put(server);
    file_put(listener);
}

static void v6_only(void)
{
    struct file *listener = open6(SOCK_STREAM), *client = open6(SOCK_STREAM), *other = stack_socket(SOCK_STREAM);
    CHECK_EQUAL(stack_set(listener, LEVEL_IPV6, OPTION_V6ONLY, 1), 0);
    CHECK_EQUAL(bind6(listener, ip_of_ipv4(IPV4_LOOPBACK), 0), -EINVAL);
    CHECK_EQUAL(bind6(listener, IP6_ANY, 0), 0);
    CHECK_EQUAL(stack_listen(listener, 4), 0);
    uint16_t port = stack_port(listener);
    CHECK_EQUAL(stack_bind(other, IPV4_ANY, port), 0);
    CHECK_EQUAL(connect6(client, ip_of_ipv4(IPV4_LOOPBACK), port), -ECONNREFUSED);
    CHECK_EQUAL(connect6(client, IP6_LOOPBACK, port), 0);
    file_put(client);
    file_put(other);
    file_put(listener);
}

static void datagrams(void)
{
    struct file *server = open6(SOCK_DGRAM), *client = open6(SOCK_DGRAM), *old = stack_socket(SOCK_DGRAM);
    struct socket_address from;
    char text[4];
    CHECK_EQUAL(bind6(server, IP6_ANY, 0), 0);
    uint16_t port = stack_port(server);
    CHECK_EQUAL(connect6(client, IP6_ANY, port), 0); /* this machine */
    CHECK_EQUAL(stack_send(client, "six", 3, 0), 3);
    CHECK_EQUAL(stack_receive_from(server, text, 4, &from), 3);
    CHECK(from.family == AF_INET6 && ip_same(from.in.address, IP6_LOOPBACK));
    CHECK_EQUAL(stack_send_to(old, "four", 4, IPV4_LOOPBACK, port), 4);
    CHECK_EQUAL(stack_receive_from(server, text, 4, &from), 4);
    CHECK(ip_same(from.in.address, ip_of_ipv4(IPV4_LOOPBACK)));
    CHECK_EQUAL(connect6(client, ip6_address(0xfe80000000000000u, 1), 53), -EINVAL); /* on which link? */
    file_put(server);
    CHECK_EQUAL(stack_send(client, "six", 3, 0), 3); /* to a closed port, which is reported */
    CHECK_EQUAL(stack_send(client, "six", 3, 0), -ECONNREFUSED);
    file_put(client);
    file_put(old);
}

/* instance-metadata no: neither by IPv4, in its form of IPv6, nor by IPv6. */
static void metadata_service_is_forbidden(void)
{
    struct file *file = open6(SOCK_STREAM);
    struct ip_route route;
    inject_router(PEER_LOCAL, 1800, PREFIX, 7200);
    host_advance(2 * NS_PER_SECOND);
    metadata_forbid();
    CHECK_EQUAL(route_to(ip6_address(0xfd000ec200000000u, 0x254), &route), -EACCES);
    CHECK_EQUAL(connect6(file, ip_of_ipv4(0xa9fea9feu), 80), -EACCES);
    CHECK_EQUAL(route_to(FAR, &route), 0);
    file_put(file);
    net_lock();
    ip_forbid(NULL, 0);
    net_unlock();
    CHECK_EQUAL(route_to(ip6_address(0xfd000ec200000000u, 0x254), &route), 0);
    wire_drop_all();
}

/* The one address that was made for this prefix, besides `known`; ::, there is not one. */
static struct ip_address made_for(struct ip_address prefix, struct ip_address known)
{
    const struct ip6_own *all = interface_first_device()->ip6.own;
    struct ip_address found = IP6_ANY;
    unsigned count = 0;
    for (unsigned i = 0; i < IP6_ADDRESSES; i++)
        if (all[i].valid_until > clock_monotonic() && ip6_common_bits(all[i].address, prefix) >= 64 &&
            !ip_same(all[i].address, known)) {
            found = all[i].address;
            count++;
        }
    return count == 1 ? found : IP6_ANY;
}

/* ipv6=random: the same for a prefix as long as the machine runs, and nothing in common between two, or two starts. */
static void the_mac_address_is_hidden(void)
{
    struct ip_address prefix = ip6_address(0x20010db800090000u, 0), other = ip6_address(0x20010db8000a0000u, 0);
    net_lock();
    ip6_hide_mac();
    net_unlock();
    for (unsigned i = 0; i < 3; i++)
        inject_router(PEER_LOCAL, 1800, prefix, 7200);
    inject_router(PEER_LOCAL, 1800, other, 7200);
    host_advance(2 * NS_PER_SECOND);
    struct ip_address first = made_for(prefix, IP6_ANY), second = made_for(other, IP6_ANY);
    CHECK(usable(first) && usable(second));
    CHECK(first.low != second.low && first.low != STACK_LOCAL.low && second.low != STACK_LOCAL.low);
    net_restored();
    inject_router(PEER_LOCAL, 1800, prefix, 7200);
    host_advance(2 * NS_PER_SECOND);
    struct ip_address third = made_for(prefix, first);
    CHECK(usable(third) && third.low != first.low && third.low != STACK_LOCAL.low);
    CHECK(usable(first)); /* connections of before */
    host_advance(60 * NS_PER_SECOND);
    CHECK(!usable(first) && usable(third));
    wire_drop_all();
}

int main(void)
{
    host_init();
    wire_start();
    wire_configure();
    host_test("IPv6, addresses as text", texts);
    host_test("IPv6, off until it is started", off_at_first);
    host_test("IPv6, the link-local address, and the search for routers", first_address);
    host_test("IPv6, a configured address", a_configured_address);
    host_test("IPv6, neighbours are answered", answers_questions);
    host_test("IPv6, broken questions are not", broken_questions);
    host_test("IPv6, a router gives an address, neighbours and a way", router_gives_an_address);
    host_test("IPv6, a router sets the MTU", router_sets_the_mtu);
    host_test("IPv6, a router gives name servers", router_gives_name_servers);
    host_test("IPv6, bad advertisements", bad_advertisements);
    host_test("IPv6, an address is not taken away at once", short_lifetimes);
    host_test("IPv6, floods of routers, prefixes and neighbours", floods);
    host_test("IPv6, an address that another host has", duplicate_address);
    host_test("IPv6, after a restore", after_a_restore);
    host_test("IPv6, waiting for an address", waiting_for_an_address);
    host_test("IPv6, after the link was down", after_the_link_was_down);
    host_test("IPv6, echoes", echoes);
    host_test("IPv6, extension headers", extension_headers);
    host_test("IPv6, fragments", fragments);
    host_test("IPv6, impossible addresses", impossible_addresses);
    host_test("IPv6, a socket of both families", dual_stack);
    host_test("IPv6, a socket of IPv6 only", v6_only);
    host_test("IPv6, datagrams", datagrams);
    host_test("IPv6, the metadata service is forbidden", metadata_service_is_forbidden);
    host_test("IPv6, the MAC address is hidden", the_mac_address_is_hidden);
    return host_result();
}
