/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCPv6 client, with the test as the router and as the server: one step of a story for each message of the client,
 * on the virtual clock; and the reader of answers.
 */
#include <setjmp.h>
#include <string.h>

#include "lib/checksum.h"
#include "net/dhcp6.h"
#include "net/ip6.h"
#include "net/name_servers.h"
#include "net/nd.h"
#include "net/wire.h"

#define HEADERS 54u
#define UDP 8u
#define LEASED ip6_address(0x20010db800090000u, 0x100)
#define SECOND ip6_address(0x20010db800090000u, 0x101)
#define NAME_SERVER ip6_address(0x20010db800090000u, 0x53)
#define STACK_LOCAL ip6_address(0xfe80000000000000u, 0x000000fffe000002u)
#define PEER_LOCAL ip6_address(0xfe80000000000000u, 0x000000fffe000001u)
#define FIRST_SERVER 1 /* the last byte of a server's identifier */
#define OTHER_SERVER 2

extern void (*thread_entry)(void *);
extern void *thread_argument;

static struct {
    jmp_buf end;
    uint8_t query[600];
    uint32_t query_length;
    unsigned step, conflicts;
    nanoseconds asked, declined, renewed, restored;
    const char *failure;
} story;

static const uint8_t stack_mac[6] = { 2, 0, 0, 0, 0, 2 };

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            story.failure = #condition; \
            longjmp(story.end, 1); \
        } \
    } while (0)

/* ---- Frames ------------------------------------------------------------------------------------------------- */

/* From the peer, with its checksum at this place of the payload. */
static void inject(uint8_t next, struct ip_address to, const void *payload, uint32_t length, uint32_t checksum_at)
{
    uint8_t frame[WIRE_FRAME] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60 };
    struct ip6_bytes from = ip6_bytes_of(PEER_LOCAL), destination = ip6_bytes_of(to);
    if (ip_is_multicast(to))
        memcpy(frame, "\x33\x33\0\0\0\1", 6);
    write_be16(frame + 18, (uint16_t)length);
    frame[20] = next;
    frame[21] = 255;
    memcpy(frame + 22, &from, 16);
    memcpy(frame + 38, &destination, 16);
    memcpy(frame + HEADERS, payload, length);
    uint64_t sum = checksum_pseudo(PEER_LOCAL, to, next, length);
    write_be16(frame + HEADERS + checksum_at, checksum_finish(checksum_add(sum, frame + HEADERS, length)));
    wire_inject(frame, HEADERS + length);
}

static void advertise_router(uint8_t flags)
{
    uint8_t message[16] = { ND_ROUTER_ADVERTISEMENT, 0, 0, 0, 64, flags, 7, 8 };
    inject(IP6_PROTOCOL_ICMP, IP6_ALL_NODES, message, sizeof(message), 2);
}

static void say_that_it_is_ours(struct ip_address address)
{
    uint8_t message[32] = { ND_NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, 0x20 };
    struct ip6_bytes bytes = ip6_bytes_of(address);
    memcpy(message + 8, &bytes, 16);
    memcpy(message + 24, "\2\1\2\0\0\0\0\1", 8);
    inject(IP6_PROTOCOL_ICMP, IP6_ALL_NODES, message, sizeof(message), 2);
}

/* The client's message is kept, and answered when it sleeps. */
static void sent(const uint8_t *frame, uint32_t length)
{
    struct ip6_bytes servers = ip6_bytes_of(ip6_address(0xff02000000000000u, 0x10002));
    struct ip6_bytes local = ip6_bytes_of(STACK_LOCAL);
    if (read_be16(frame + 12) != 0x86dd || frame[20] != IP_PROTOCOL_UDP)
        return;
    EXPECT(memcmp(frame + 22, &local, 16) == 0 && memcmp(frame + 38, &servers, 16) == 0);
    EXPECT(read_be16(frame + HEADERS) == 546 && read_be16(frame + HEADERS + 2) == 547);
    story.query_length = length - HEADERS - UDP;
    EXPECT(story.query_length <= sizeof(story.query));
    memcpy(story.query, frame + HEADERS + UDP, story.query_length);
}

/* ---- Messages ----------------------------------------------------------------------------------------------- */

static const uint8_t *option(uint16_t code, uint32_t *length)
{
    for (uint32_t i = 4; i + 4 <= story.query_length; i += 4u + read_be16(story.query + i + 2)) {
        *length = read_be16(story.query + i + 2);
        if (read_be16(story.query + i) == code)
            return story.query + i + 4;
    }
    return NULL;
}

static bool names_server(uint8_t server)
{
    uint32_t length;
    const uint8_t *bytes = option(2, &length);
    return server == 0 ? bytes == NULL : bytes != NULL && length == 3 && bytes[2] == server;
}

static bool is_about(struct ip_address address)
{
    uint32_t length;
    const uint8_t *association = option(3, &length);
    struct ip6_bytes bytes = ip6_bytes_of(address);
    if (association == NULL || ip_is_any(address))
        return association != NULL && length == 12;
    return length == 12 + 4 + 24 && read_be16(association + 12) == 5 && memcmp(association + 16, &bytes, 16) == 0;
}

struct answer {
    uint8_t type, server, preference;
    struct ip_address address; /* ::, the association has a status of failure */
    uint32_t renew, rebind, preferred, valid;
};

static uint8_t *put(uint8_t *p, uint16_t code, const void *data, uint16_t length)
{
    write_be16(p, code);
    write_be16(p + 2, length);
    memcpy(p + 4, data, length);
    return p + 4 + length;
}

/* The length of a message, which may be longer by 200 bytes for the tests of the reader. */
static uint32_t make(uint8_t *message, const struct answer *answer, const uint8_t *transaction)
{
    uint8_t client[10] = { 0, 3, 0, 1 }, server[3] = { 9, 9, answer->server }, association[60] = { 0 }, given[24];
    struct ip6_bytes bytes = ip6_bytes_of(answer->address), names = ip6_bytes_of(NAME_SERVER);
    memcpy(client + 4, stack_mac, 6);
    message[0] = answer->type;
    memcpy(message + 1, transaction, 3);
    write_be32(association + 4, answer->renew);
    write_be32(association + 8, answer->rebind);
    memcpy(given, &bytes, 16);
    write_be32(given + 16, answer->preferred);
    write_be32(given + 20, answer->valid);
    uint8_t *end = ip_is_any(answer->address) ? put(association + 12, 13, "\0\2no", 4)
                                              : put(association + 12, 5, given, sizeof(given));
    uint8_t *p = put(message + 4, 1, client, sizeof(client));
    p = put(p, 2, server, sizeof(server));
    p = put(p, 7, &answer->preference, 1);
    p = put(p, 3, association, (uint16_t)(end - association));
    return (uint32_t)(put(p, 23, &names, sizeof(names)) - message);
}

static void reply(const struct answer *answer)
{
    uint8_t udp[UDP + 600] = { 547 >> 8, 547 & 255, 546 >> 8, 546 & 255 };
    uint32_t length = UDP + make(udp + UDP, answer, story.query + 1);
    write_be16(udp + 4, (uint16_t)length);
    inject(IP_PROTOCOL_UDP, STACK_LOCAL, udp, length, 6);
}

static void give(uint8_t type, uint8_t server, struct ip_address address)
{
    reply(&(struct answer){ .type = type,
                            .server = server,
                            .address = address,
                            .renew = 100,
                            .rebind = 160,
                            .preferred = 200,
                            .valid = 300 });
}

/* ---- The story ---------------------------------------------------------------------------------------------- */

static struct ip6_own *own(struct ip_address address)
{
    net_lock();
    struct ip6_own *found = ip6_find_own(interface_first_device(), address);
    net_unlock();
    return found;
}

static void expect_type(uint8_t type, uint8_t server, struct ip_address address)
{
    EXPECT(story.query[0] == type);
    EXPECT(names_server(server));
    EXPECT(is_about(address));
}

/* Until there is a lease. */
static void serve_first(void)
{
    switch (story.step++) {
    case 0: /* lost */
        expect_type(DHCP6_SOLICIT, 0, IP6_ANY);
        return;
    case 1: /* an answer to somebody else does not count, and the better one of two does */
        expect_type(DHCP6_SOLICIT, 0, IP6_ANY);
        story.query[3] ^= 1;
        give(DHCP6_ADVERTISE, OTHER_SERVER, SECOND);
        story.query[3] ^= 1;
        give(DHCP6_ADVERTISE, OTHER_SERVER, SECOND);
        reply(&(struct answer){ .type = DHCP6_ADVERTISE,
                                .server = FIRST_SERVER,
                                .preference = 9,
                                .address = LEASED,
                                .preferred = 200,
                                .valid = 300 });
        return;
    case 2: /* another server's answer does not count */
        expect_type(DHCP6_REQUEST, FIRST_SERVER, LEASED);
        give(DHCP6_REPLY, OTHER_SERVER, SECOND);
        give(DHCP6_REPLY, FIRST_SERVER, LEASED);
        EXPECT(own(SECOND) == NULL);
        return;
    default: /* somebody has it */
        expect_type(DHCP6_DECLINE, FIRST_SERVER, LEASED);
        EXPECT(story.conflicts == 1);
        story.declined = clock_monotonic();
        return;
    }
}

static void serve_lease(void)
{
    switch (story.step++) {
    case 4: /* refused */
        expect_type(DHCP6_SOLICIT, 0, IP6_ANY);
        EXPECT(clock_monotonic() - story.declined >= 10 * NS_PER_SECOND && own(LEASED) == NULL);
        reply(&(struct answer){ .type = DHCP6_ADVERTISE,
                                .server = FIRST_SERVER,
                                .preference = 255,
                                .address = SECOND,
                                .preferred = 200,
                                .valid = 300 });
        return;
    case 5:
        expect_type(DHCP6_REQUEST, FIRST_SERVER, SECOND);
        give(DHCP6_REPLY, FIRST_SERVER, SECOND);
        story.renewed = clock_monotonic();
        return;
    case 6: /* renewed by our server after T1 */
        expect_type(DHCP6_RENEW, FIRST_SERVER, SECOND);
        EXPECT(own(SECOND) != NULL && !own(SECOND)->tentative && own(SECOND)->prefix == 128);
        EXPECT(clock_monotonic() - story.renewed >= 100 * NS_PER_SECOND);
        EXPECT(clock_monotonic() - story.renewed < 101 * NS_PER_SECOND);
        give(DHCP6_REPLY, FIRST_SERVER, SECOND);
        story.renewed = clock_monotonic();
        return;
    default: /* at once, and any server, since it may be another one */
        expect_type(DHCP6_REBIND, 0, SECOND);
        EXPECT(clock_monotonic() - story.restored < NS_PER_SECOND);
        give(DHCP6_REPLY, OTHER_SERVER, SECOND);
        story.renewed = clock_monotonic();
        return;
    }
}

static void serve_end(void)
{
    nanoseconds passed = clock_monotonic() - story.renewed;
    if (story.query[0] == DHCP6_RENEW) { /* the server is silent until T2 */
        expect_type(DHCP6_RENEW, OTHER_SERVER, SECOND);
        EXPECT(passed >= 100 * NS_PER_SECOND && passed < 160 * NS_PER_SECOND);
        return;
    }
    if (story.step == 8) {
        expect_type(DHCP6_REBIND, 0, SECOND);
        EXPECT(passed >= 160 * NS_PER_SECOND && passed < 300 * NS_PER_SECOND);
        dhcp6_release();
        expect_type(DHCP6_RELEASE, OTHER_SERVER, SECOND);
        story.step++;
        return;
    }
    if (story.query[0] == DHCP6_REBIND)
        return;
    /* The time is over, and with it the address and the name server. */
    struct ip_address servers[NET_MAX_DNS];
    EXPECT(story.query[0] == DHCP6_SOLICIT && passed >= 300 * NS_PER_SECOND);
    EXPECT(own(SECOND) == NULL && name_servers_current(servers) == 0);
    longjmp(story.end, 1);
}

static bool start_conflict(void)
{
    struct ip6_own *leased = own(LEASED);
    if (story.step != 3 || story.conflicts > 0 || leased == NULL || !leased->tentative)
        return false;
    struct ip_address servers[NET_MAX_DNS];
    EXPECT(name_servers_current(servers) == 1 && ip_same(servers[0], NAME_SERVER));
    story.conflicts++;
    say_that_it_is_ours(LEASED);
    return true;
}

static bool idle(void)
{
    if (story.asked == 0) { /* a router without DHCPv6 starts nothing */
        EXPECT(story.query_length == 0);
        advertise_router(0x80);
        story.asked = clock_monotonic();
        return true;
    }
    if (story.step == 7 && story.restored == 0 && story.query_length == 0) {
        story.restored = clock_monotonic();
        dhcp6_restored();
        return true;
    }
    if (story.query_length == 0)
        return start_conflict();
    if (story.step < 4)
        serve_first();
    else if (story.step < 8)
        serve_lease();
    else
        serve_end();
    story.query_length = 0;
    return true;
}

static void name_servers_changed(void) {}

/* The last test: the client's endless loop is left by a jump. */
static void life(void)
{
    net_start_ipv6(&(struct net_ipv6){ 0 }, name_servers_changed);
    host_advance(NS_PER_SECOND); /* the link-local address is ours */
    advertise_router(0);
    wire_sent = sent;
    host_idle = idle;
    if (setjmp(story.end) == 0)
        thread_entry(thread_argument);
    if (story.failure != NULL)
        host_fail(__FILE__, __LINE__, "step %u: %s", story.step - 1, story.failure);
    CHECK_EQUAL(story.step, 9);
}

/* ---- The reader --------------------------------------------------------------------------------------------- */

static bool reads(const uint8_t *message, size_t length, struct dhcp6_answer *out)
{
    return dhcp6_read(message, length, 0x010203, stack_mac, SECOND, out);
}

static void answers_are_read(void)
{
    static const uint8_t transaction[3] = { 1, 2, 3 }, other[3] = { 1, 2, 4 };
    struct answer good = { .type = DHCP6_REPLY, .server = 7, .address = LEASED, .preferred = 5, .valid = 6 };
    struct dhcp6_answer answer;
    uint8_t message[800];
    uint32_t length = make(message, &good, transaction);
    CHECK(reads(message, length, &answer) && ip_same(answer.address, LEASED));
    CHECK(answer.preferred == 5 && answer.valid == 6 && answer.name_server_count == 1 && answer.server.length == 3);
    /* Cut, it is none, but between the options after the server's identifier. */
    for (uint32_t i = 0; i < length; i++)
        CHECK_EQUAL(reads(message, i, &answer), i == 25 || i == 30 || i == length - 20);
    CHECK(!dhcp6_read(message, length, 0x010203, (const uint8_t *)"\2\0\0\0\0\3", SECOND, &answer));
    CHECK(!reads(message, make(message, &good, other), &answer));
    good.type = DHCP6_SOLICIT;
    CHECK(!reads(message, make(message, &good, transaction), &answer));
    good.type = DHCP6_REPLY;
    good.preferred = 7; /* longer than it is valid */
    CHECK(reads(message, make(message, &good, transaction), &answer) && ip_is_any(answer.address));
    good.preferred = 5;
    good.renew = 10, good.rebind = 9;
    CHECK(reads(message, make(message, &good, transaction), &answer) && ip_is_any(answer.address));
    good.rebind = 10;
    CHECK(reads(message, make(message, &good, transaction), &answer) && answer.renew == 10 && answer.rebind == 10);
    length = make(message, &good, transaction);
    uint8_t *end = put(message + length, 13, "\0\1bad", 5); /* a status of failure of all */
    CHECK(reads(message, (size_t)(end - message), &answer) && ip_is_any(answer.address));
}

static void impossible_addresses_are_not_taken(void)
{
    static const uint8_t transaction[3] = { 1, 2, 3 };
    const struct ip_address wrong[] = { IP6_ANY, IP6_LOOPBACK, IP6_ALL_NODES, STACK_LOCAL, ip_of_ipv4(WIRE_PEER) };
    for (unsigned i = 0; i < array_size(wrong); i++) {
        struct answer bad = { .type = DHCP6_REPLY, .server = 7, .address = wrong[i], .preferred = 5, .valid = 6 };
        struct dhcp6_answer answer;
        uint8_t message[800];
        CHECK(reads(message, make(message, &bad, transaction), &answer) && ip_is_any(answer.address));
    }
}

int main(void)
{
    host_init();
    wire_start();
    host_test("DHCPv6, answers are read", answers_are_read);
    host_test("DHCPv6, impossible addresses are not taken", impossible_addresses_are_not_taken);
    host_test("DHCPv6, the life of a lease", life);
    return host_result();
}
