/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attacks. Each sends frame after frame for as long as it goes on; who paces them is the caller.
 */
#include "attacks.h"

#include <string.h>

volatile uint16_t client_ports[CLIENTS];

static uint32_t any_host(void) { return 0xc6120000u | random_below(1u << 17); } /* 198.18.0.0/15, RFC 2544 */
static uint16_t client_port(void) { return client_ports[random_below(CLIENTS)]; }
static uint16_t any_port(void) { return (uint16_t)(1 + random_below(65535)); }

/* ---- Without a connection -------------------------------------------------------------------------------- */

/* From everywhere; whoever is answered does not exist. */
static void syn_flood(uint64_t number)
{
    static const uint8_t options[20] = { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 1, 1, 0, 0, 0, 0, 1, 3, 3, 7 };
    struct segment syn = { .from = any_host(),
                           .from_port = any_port(),
                           .to_port = TARGET_PORT,
                           .sequence = random32(),
                           .window = 65535,
                           .flags = SYN };
    (void)number;
    wire_send_tcp(&syn, options, sizeof(options), NULL);
}

static struct segment blind(uint8_t flags, uint32_t length)
{
    return (struct segment){ .from = ADDRESS_LINUX,
                             .from_port = client_port(),
                             .to_port = TARGET_PORT,
                             .sequence = random32(),
                             .acknowledgement = random32(),
                             .length = length,
                             .window = (uint16_t)random32(),
                             .flags = flags };
}

/* In the well-behaved client's name, with sequence numbers that are guesses. */
static void reset_flood(uint64_t number)
{
    struct segment reset = blind(number % 2 == 0 ? RST : RST | ACK, 0);
    wire_send_tcp(&reset, NULL, 0, NULL);
}

static void blind_segments(uint64_t number)
{
    uint8_t data[512];
    struct segment segment = blind((uint8_t)random32(), random_below(sizeof(data)));
    (void)number;
    random_fill(data, segment.length);
    wire_send_tcp(&segment, NULL, 0, data);
}

/* Any flags, ports, options and lengths. */
static void any_segments(uint64_t number)
{
    uint8_t data[1400], options[40];
    uint16_t to = number % 4 == 0 ? any_port() : TARGET_PORT;
    struct segment segment = { .from = any_host(),
                               .from_port = (uint16_t)random32(),
                               .to_port = to,
                               .sequence = random32(),
                               .acknowledgement = random32(),
                               .length = random_below(sizeof(data)),
                               .window = (uint16_t)random32(),
                               .flags = (uint8_t)random32() };
    random_fill(data, segment.length);
    random_fill(options, sizeof(options));
    wire_send_tcp(&segment, options, random_below(11) * 4, data);
}

/* Beginnings, middles and ends of datagrams that never become whole; tiny and overlapping ones among them. */
static void fragments(uint64_t number)
{
    uint8_t data[1480];
    bool tiny = number % 2 == 0;
    uint32_t length = 8 * (1 + random_below(tiny ? 2 : 180)), offset = random_below(tiny ? 16 : 8000);
    uint32_t from = number % 8 == 0 ? ADDRESS_LINUX : any_host() & ~0xffu;
    struct ip_fields ip = { from, number % 3 == 0 ? 6 : 17, (uint16_t)random_below(256),
                            (uint16_t)(offset | (random_below(8) != 0 ? 0x2000 : 0)) };
    random_fill(data, length);
    wire_send_ip(&ip, data, length);
}

/* Says that every address is at a place where no one is: the client's, the gateway's, the target's own, and any
 * other. */
static void arp_spoofing(uint64_t number)
{
    static const uint32_t claimed[] = { ADDRESS_LINUX, ADDRESS_GATEWAY, ADDRESS_TARGET };
    uint8_t mac[6] = { 2, 0xbb };
    random_fill(mac + 2, 4);
    uint32_t sender = number % 4 < 3 ? claimed[number % 4] : 0x0a090000u | random_below(256);
    uint32_t target = random_below(4) == 0 ? sender : ADDRESS_TARGET;
    wire_send_arp((uint16_t)(1 + random_below(2)), sender, mac, target);
}

static void icmp_echo(uint8_t *icmp, size_t length)
{
    icmp[0] = 8;
    random_fill(icmp + 4, length - 4);
}

/* An error about a segment that the target may have sent to the client. */
static void icmp_error(uint8_t *icmp)
{
    static const uint8_t kinds[][2] = { { 3, 1 }, { 3, 3 }, { 3, 4 },  { 3, 13 },
                                        { 4, 0 }, { 5, 1 }, { 11, 0 }, { 12, 0 } };
    const uint8_t *kind = kinds[random_below(8)];
    memset(icmp, 0, 36);
    icmp[0] = kind[0];
    icmp[1] = kind[1];
    put32(icmp + 4, kind[0] == 5 ? ADDRESS_GATEWAY - 1 : 68 + random_below(500));
    icmp[8] = 0x45;
    put16(icmp + 10, 1500);
    icmp[16] = 64;
    icmp[17] = 6;
    put32(icmp + 20, ADDRESS_TARGET);
    put32(icmp + 24, ADDRESS_LINUX);
    put16(icmp + 28, TARGET_PORT);
    put16(icmp + 30, client_port());
    put32(icmp + 32, random32());
}

static void icmp_spoofing(uint64_t number)
{
    uint8_t icmp[1000] = { 0 };
    size_t length = number % 2 == 0 ? 36 : 8 + random_below(900);
    if (number % 2 == 0)
        icmp_error(icmp);
    else
        icmp_echo(icmp, length);
    put16(icmp + 2, 0);
    put16(icmp + 2, wire_checksum(wire_sum(0, icmp, length)));
    wire_send_ip(&(struct ip_fields){ any_host(), 1, (uint16_t)number, 0 }, icmp, length);
}

/* Offers, ACKs and NAKs that no one asked for, with options of any kind. */
static void dhcp_lies(uint64_t number)
{
    static const uint8_t types[] = { 2, 5, 6 };
    uint8_t answer[548];
    random_fill(answer, sizeof(answer));
    answer[0] = 2;
    answer[1] = 1;
    answer[2] = 6;
    put32(answer + 16, 0x0a090000u | random_below(256));
    put32(answer + 236, 0x63825363);
    answer[240] = 53;
    answer[241] = 1;
    answer[242] = types[number % 3];
    wire_send_udp(number % 2 == 0 ? ADDRESS_GATEWAY : any_host(), 67, 68, answer, 240 + random_below(308));
}

static void closed_ports(uint64_t number)
{
    uint8_t data[1400];
    size_t length = random_below(sizeof(data));
    (void)number;
    random_fill(data, length);
    wire_send_udp(any_host(), any_port(), (uint16_t)(1024 + random_below(64000)), data, length);
}

/* Frames that are almost right: one field of the headers is anything. */
static void broken_frames(uint64_t number)
{
    uint8_t frame[FRAME_MAX] = { 0 };
    size_t at = wire_ethernet(frame, 0x0800), length = 60 + random_below(1400);
    frame[at] = 0x45;
    put16(frame + at + 2, (uint16_t)(length - at));
    frame[at + 8] = 64;
    frame[at + 9] = number % 2 == 0 ? 6 : 17;
    put32(frame + at + 12, any_host());
    put32(frame + at + 16, ADDRESS_TARGET);
    frame[12 + random_below(22)] = (uint8_t)random32();
    if (number % 4 < 2)
        put16(frame + at + 10, wire_checksum(wire_sum(0, frame + at, 20)));
    random_fill(frame + at + 20, length - at - 20);
    wire_send(frame, length);
}

/* ---- With connections ------------------------------------------------------------------------------------- */

/* Acknowledges the handshake, asks for nothing. */
static void only_open(const struct segment *segment)
{
    struct hand *hand = hand_of(segment);
    if (hand != NULL && hand_follow(hand, segment))
        hand_send(hand, ACK, 65535, NULL, 0);
}

/* Opens connections and resets them again when all are open. */
static void connection_flood(uint64_t number)
{
    struct hand *hand = hand_at((unsigned)(number % HANDS));
    if (hand->state == HAND_CLOSED)
        hand_open(hand, 65535);
    else
        hand_reset(hand);
}

#define BIG_REQUEST "g100000\n" /* 1 MiB */
#define LARGE_ENOUGH 64u        /* peers that ask for so much hold more than the network's memory */

static void ask_for_much(struct hand *hand, uint16_t window)
{
    hand_send(hand, ACK | PSH, window, BIG_REQUEST, 8);
    hand->sequence += 8;
}

/* Opens or goes on: what the attacks that read have in common. */
static struct hand *reader(uint64_t number, uint16_t window)
{
    struct hand *hand = hand_at((unsigned)(number % LARGE_ENOUGH));
    if (hand->state == HAND_CLOSED) {
        hand_open(hand, window);
        return NULL;
    }
    return hand->state == HAND_OPEN ? hand : NULL;
}

static void reader_heard(const struct segment *segment)
{
    struct hand *hand = hand_of(segment);
    bool opening = hand != NULL && hand->state == HAND_OPENING;
    if (hand != NULL && hand_follow(hand, segment) && opening)
        ask_for_much(hand, 1000);
}

/* Lets the target send a hundred bytes at a time. */
static void slow_readers(uint64_t number)
{
    struct hand *hand = reader(number, 100);
    if (hand != NULL)
        hand_send(hand, ACK, 100, NULL, 0);
}

/* Asks for much and shuts the window, for ever, but answers when asked whether it is still there. */
static void zero_windows(uint64_t number)
{
    struct hand *hand = reader(number, 1000);
    if (hand != NULL)
        hand_send(hand, ACK, 0, NULL, 0);
}

/* Requests byte by byte, each in a segment of its own. */
static void slow_writers(uint64_t number)
{
    static const char request[] = "g000001\n";
    struct hand *hand = hand_at((unsigned)(number % 200));
    if (hand->state == HAND_CLOSED)
        hand_open(hand, 65535);
    if (hand->state != HAND_OPEN)
        return;
    hand_send(hand, ACK | PSH, 65535, &request[hand->count++ % 8], 1);
    hand->sequence++;
}

/* Pieces of a few bytes anywhere in the window, over and over, but never the first: nothing can be read. */
static void overlapping_pieces(uint64_t number)
{
    uint8_t data[9];
    struct hand *hand = hand_at((unsigned)(number % 200));
    if (hand->state == HAND_CLOSED)
        hand_open(hand, 65535);
    if (hand->state != HAND_OPEN)
        return;
    random_fill(data, sizeof(data));
    hand_send_at(hand, hand->sequence + 1 + random_below(60000), ACK, 65535, data, 1 + random_below(8));
}

const struct attack attacks[] = {
    { "syn-flood", "SYNs from 131,072 addresses", syn_flood, NULL, true },
    { "connections", "handshakes without a request, reset again", connection_flood, only_open, false },
    { "resets", "RSTs in the client's name", reset_flood, NULL, false },
    { "blind-segments", "any segments in the client's name", blind_segments, NULL, false },
    { "any-segments", "any flags, options and ports", any_segments, NULL, true },
    { "slow-readers", "1 MiB asked for, windows of 100 bytes", slow_readers, reader_heard, false },
    { "zero-windows", "1 MiB asked for, windows shut", zero_windows, reader_heard, false },
    { "slow-writers", "requests byte by byte", slow_writers, only_open, false },
    { "pieces", "overlapping pieces of 1 to 8 bytes", overlapping_pieces, only_open, false },
    { "fragments", "tiny and overlapping fragments", fragments, NULL, false },
    { "arp", "claims of every address", arp_spoofing, NULL, false },
    { "icmp", "echoes, and errors about the client", icmp_spoofing, NULL, false },
    { "dhcp", "offers, ACKs and NAKs of any content", dhcp_lies, NULL, false },
    { "udp", "datagrams to closed ports", closed_ports, NULL, false },
    { "broken-frames", "headers with a wrong field", broken_frames, NULL, false },
};
const unsigned attack_count = sizeof(attacks) / sizeof(attacks[0]);
