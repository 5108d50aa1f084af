/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what a stranger on the link may send of IPv6: neighbour discovery, routers' advertisements, ICMPv6, queries
 * about groups, extension headers and fragments, to a stack with a listener and a UDP socket of both families. Each
 * input is a row of packets: 2 bytes length, a byte of choices, and what follows the addresses. Lengths and checksums
 * are made right unless a choice says otherwise, or nothing would get past them. Afterwards nothing may be kept that a
 * peer can make grow.
 */
#include <string.h>

#include "lib/checksum.h"
#include "net/ip6.h"
#include "net/mld.h"
#include "net/neighbour.h"
#include "net/wire.h"

#define HEADERS 54u

enum { TO_GROUP = 1, AS_STRANGER = 2, AS_IT_IS = 4, FROM_NOBODY = 8, LATER = 16, AS_QUERY = 32 };

static struct file *listener, *datagrams;
static unsigned neighbours;

static void name_servers_changed(void) {}

static struct file *open_any(int type)
{
    struct socket_address any = { .family = AF_INET6, .in = { IP6_ANY, 7 } };
    struct file *file;
    if (socket_create(AF_INET6, type, 0, 0, &file) < 0 || socket_of(file)->operations->bind(socket_of(file), &any) < 0)
        __builtin_trap();
    stack_nonblocking(file);
    return file;
}

static void write_address(uint8_t *to, uint64_t high, uint64_t low)
{
    struct ip6_bytes bytes = ip6_bytes_of(ip6_address(high, low));
    memcpy(to, &bytes, sizeof(bytes));
}

/* The header around what the input gave; its first byte says what follows the header. */
static void make_header(uint8_t *frame, uint32_t length, uint8_t choices, uint8_t stranger)
{
    uint64_t local = 0xfe80000000000000u;
    memcpy(frame, choices & TO_GROUP ? "\x33\x33\0\0\0\1" : "\2\0\0\0\0\2", 6);
    write_be16(frame + 12, 0x86dd);
    frame[14] = 0x60;
    write_be16(frame + 18, (uint16_t)(length - HEADERS));
    frame[21] = 255;
    if (!(choices & FROM_NOBODY))
        write_address(frame + 22, local, choices & AS_STRANGER ? stranger : 1);
    if (choices & TO_GROUP)
        write_address(frame + 38, 0xff02000000000000u, 1);
    else
        write_address(frame + 38, local, 0x000000fffe000002u);
}

static void make_checksum(uint8_t *frame, uint32_t length)
{
    static const struct {
        uint8_t protocol;
        uint32_t field;
    } kinds[] = { { IP6_PROTOCOL_ICMP, 2 }, { IP_PROTOCOL_UDP, 6 }, { IP_PROTOCOL_TCP, 16 } };
    struct ip6_bytes from, to;
    memcpy(&from, frame + 22, 16);
    memcpy(&to, frame + 38, 16);
    for (unsigned i = 0; i < array_size(kinds); i++) {
        uint8_t *field = frame + HEADERS + kinds[i].field;
        if (frame[20] != kinds[i].protocol || length < HEADERS + kinds[i].field + 2)
            continue;
        uint64_t sum = checksum_pseudo(ip6_read(from), ip6_read(to), frame[20], length - HEADERS);
        write_be16(field, 0);
        write_be16(field, checksum_finish(checksum_add(sum, frame + HEADERS, length - HEADERS)));
    }
}

/* A query about groups, of what follows its checksum; its length. Nothing else gets to mld.c. */
static uint32_t make_query(uint8_t *frame, uint32_t length)
{
    static const uint8_t alert[] = { IP6_PROTOCOL_ICMP, 0, IP6_ROUTER_ALERT, 2, 0, 0, 1, 0 };
    uint8_t *message = frame + HEADERS + sizeof(alert);
    uint32_t rest = min_of(length - HEADERS, (uint32_t)(WIRE_FRAME - HEADERS - sizeof(alert) - 4));
    struct ip6_bytes from, to;
    memmove(message + 4, frame + HEADERS, rest);
    memcpy(frame + HEADERS, alert, sizeof(alert));
    memcpy(message, (uint8_t[4]){ MLD_QUERY }, 4);
    frame[20] = IP6_PROTOCOL_HOP_BY_HOP;
    frame[21] = 1;
    write_be16(frame + 18, (uint16_t)(sizeof(alert) + 4 + rest));
    memcpy(&from, frame + 22, 16);
    memcpy(&to, frame + 38, 16);
    uint64_t sum = checksum_pseudo(ip6_read(from), ip6_read(to), IP6_PROTOCOL_ICMP, 4 + rest);
    write_be16(message + 2, checksum_finish(checksum_add(sum, message, 4 + rest)));
    return HEADERS + (uint32_t)sizeof(alert) + 4 + rest;
}

/* The UDP socket is in a group, with a filter. */
static void join(void)
{
    uint8_t value[264] = { 2 };
    value[8] = value[136] = AF_INET6;
    write_address(value + 16, 0xff02000000000000u, 0x77);
    write_address(value + 144, 0xfe80000000000000u, 1);
    if (socket_set_option(socket_of(datagrams), IPPROTO_IPV6, 46, value, sizeof(value)) <
        0) /* MCAST_JOIN_SOURCE_GROUP */
        __builtin_trap();
}

static void inject(const uint8_t *data, uint32_t length, uint8_t choices)
{
    uint8_t frame[WIRE_FRAME] = { 0 };
    uint32_t whole = HEADERS + length - 1;
    frame[20] = data[0];
    memcpy(frame + HEADERS, data + 1, length - 1);
    make_header(frame, whole, choices, data[0]);
    if (choices & AS_QUERY) {
        whole = make_query(frame, whole);
        choices |= AS_IT_IS;
    }
    if (!(choices & AS_IT_IS))
        make_checksum(frame, whole);
    wire_inject(frame, whole);
}

static bool count(const struct neighbour_entry *entry, void *context)
{
    (void)entry;
    (void)context;
    neighbours++;
    return true;
}

/* What waits has a time, and all of it is given back. */
static void finish(void)
{
    struct file *waiting;
    while (stack_accept(listener, &waiting) == 0)
        file_put(waiting);
    file_put(listener);
    file_put(datagrams);
    host_advance(2000 * NS_PER_SECOND);
    wire_drop_all();
    neighbours = 0;
    net_lock();
    neighbour_for_each(count, NULL);
    net_unlock();
    if (net_memory_charged() != 0 || host_pages_in_use() != 0 || neighbours > 256)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        host_init();
        wire_start();
        wire_configure();
        net_start_ipv6(&(struct net_ipv6){ 0 }, name_servers_changed);
        host_advance(2 * NS_PER_SECOND);
        started = true;
    }
    listener = open_any(SOCK_STREAM);
    stack_listen(listener, 4);
    datagrams = open_any(SOCK_DGRAM);
    join();
    for (unsigned i = 0; size > 3 && i < 40; i++) {
        uint32_t length = min_of((uint32_t)(data[0] | (data[1] & 7) << 8), (uint32_t)size - 3);
        length = min_of(length, (uint32_t)WIRE_FRAME - HEADERS);
        if (data[2] & LATER)
            host_advance(data[2] * NS_PER_SECOND / 32);
        if (length > 0)
            inject(data + 3, length, data[2]);
        data += 3 + length;
        size -= 3 + length;
    }
    finish();
    return 0;
}
