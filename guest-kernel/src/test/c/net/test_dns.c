/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DNS client: its questions, answers that are good, damaged or forged, and whom it asks, on the wire.
 *
 * Answers are built in `message` for the question in `question`, and read at their exact length, so that the sanitizer
 * sees what is read beyond it. Run by make test-net.
 */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/errno.h"
#include "net/dns.h"
#include "net/wire.h"

#define ID 0x1234
#define NAME "logs.example.com"
#define ADDRESS 0xc0000207u /* 192.0.2.7 */

static uint8_t question[DNS_QUESTION_MAX], message[2 * DNS_ANSWER_MAX];
static size_t question_length, length;
static struct dns_addresses found;

/* ---- Messages --------------------------------------------------------------------------------------------- */

static void put(const void *data, size_t size)
{
    memcpy(message + length, data, size);
    length += size;
}

static void put16(uint16_t value)
{
    write_be16(message + length, value);
    length += 2;
}

/* An answer to `question` without records. */
static void begin_answer(uint16_t flags, uint16_t records)
{
    length = 0;
    put(question, question_length);
    write_be16(message + 2, flags);
    write_be16(message + 6, records);
}

/* A record whose owner is the name that is at `owner` in the message. */
static void put_record(uint16_t owner, uint16_t type, const void *data, uint16_t size)
{
    static const uint8_t time[4] = { 0, 0, 0, 60 };
    put16(0xc000 | owner);
    put16(type);
    put16(1);
    put(time, sizeof(time));
    put16(size);
    put(data, size);
}

static void put_address(uint16_t owner, ipv4_t address)
{
    uint8_t data[4];
    write_be32(data, address);
    put_record(owner, 1, data, sizeof(data));
}

static int read_exactly(size_t size, ipv4_t *address)
{
    uint8_t *exact = malloc(size ? size : 1); /* the sanitizer sees every byte that is read beyond the end */
    memcpy(exact, message, size);
    int result = dns_read(exact, size, question, question_length, &found);
    free(exact);
    *address = found.items[0];
    return result;
}

static void ask(const char *name) { question_length = dns_make(question, name, ID); }

static void a_question_has_its_form(void)
{
    static const uint8_t expected[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\4logs\7example\3com\0\0\1\0\1";
    ask(NAME);
    CHECK_EQUAL(question_length, sizeof(expected) - 1);
    CHECK(memcmp(question, expected, sizeof(expected) - 1) == 0);
    ask(NAME ".");
    CHECK_EQUAL(question_length, sizeof(expected) - 1);
}

static void what_cannot_be_a_name_is_refused(void)
{
    static const char *const bad[] = { "", ".", "a..b", ".a", "a b", "a/b", "\xc3\xa4.de" };
    char label[65], name[300] = "";
    for (size_t i = 0; i < array_size(bad); i++)
        CHECK_EQUAL(dns_make(question, bad[i], ID), 0);
    memset(label, 'a', 64);
    label[64] = 0;
    CHECK_EQUAL(dns_make(question, label, ID), 0);
    CHECK(dns_make(question, label + 1, ID) > 0);
    while (strlen(name) < 252)
        strcat(name, "a.");
    CHECK_EQUAL(dns_make(question, name, ID), 12 + 253 + 4);
    strcat(name, "b");
    CHECK_EQUAL(dns_make(question, name, ID), 12 + 255 + 4);
    strcat(name, "c");
    CHECK_EQUAL(dns_make(question, name, ID), 0);
}

static void an_address_is_read(void)
{
    ipv4_t address = 0;
    ask("Logs.Example.com");
    begin_answer(0x8180, 1);
    put_address(12, ADDRESS);
    CHECK_EQUAL(read_exactly(length, &address), 0);
    CHECK_EQUAL(address, ADDRESS);
    for (size_t size = 0; size < length; size++)
        CHECK_EQUAL(read_exactly(size, &address), size < question_length ? -EAGAIN : -EBADMSG);
}

/* Records of other names, types and classes come before; aliases are followed, in letters of any size. */
static void aliases_are_followed(void)
{
    static const uint8_t alias[] = "\7COLLECT\xc0\x11", long_alias[] = "\1x\3net\0";
    ipv4_t address = 0;
    ask(NAME);
    begin_answer(0x8180, 5);
    put_address(17, 0x01010101); /* of example.com */
    put_record(12, 28, "0123456789abcdef", 16);
    put_record(12, 5, alias, sizeof(alias) - 1);
    size_t owner = length - (sizeof(alias) - 1);
    put_record((uint16_t)owner, 5, long_alias, sizeof(long_alias) - 1);
    put_address((uint16_t)(length - (sizeof(long_alias) - 1)), ADDRESS);
    CHECK_EQUAL(read_exactly(length, &address), 0);
    CHECK_EQUAL(address, ADDRESS);
}

/* Each address once, up to DNS_ADDRESSES, and what came before damage. */
static void all_addresses_are_read(void)
{
    ipv4_t address;
    ask(NAME);
    begin_answer(0x8180, 14);
    for (unsigned i = 0; i < 12; i++)
        put_address(12, ADDRESS + i / 2);
    put_address(17, 0x01010101); /* of example.com */
    put_address(12, ADDRESS + 6);
    CHECK_EQUAL(read_exactly(length, &address), 0);
    CHECK_EQUAL(found.count, 7);
    for (unsigned i = 0; i < 7; i++)
        CHECK_EQUAL(found.items[i], ADDRESS + i);
    CHECK_EQUAL(read_exactly(length - 1, &address), 0);
    CHECK_EQUAL(found.count, 6);
    begin_answer(0x8180, 20);
    for (unsigned i = 0; i < 20; i++)
        put_address(12, ADDRESS + i);
    CHECK_EQUAL(read_exactly(length, &address), 0);
    CHECK_EQUAL(found.count, DNS_ADDRESSES);
}

static void answers_without_an_address(void)
{
    ipv4_t address;
    ask(NAME);
    begin_answer(0x8183, 0);
    CHECK_EQUAL(read_exactly(length, &address), -ENOENT); /* no such name */
    begin_answer(0x8180, 0);
    CHECK_EQUAL(read_exactly(length, &address), -ENOENT); /* no record */
    begin_answer(0x8380, 0);
    CHECK_EQUAL(read_exactly(length, &address), -EMSGSIZE); /* cut */
    begin_answer(0x8380, 3);
    put_record(12, 5, "\1x\3net\0", 7);
    CHECK_EQUAL(read_exactly(length, &address), -EMSGSIZE);
    begin_answer(0x8182, 0);
    CHECK_EQUAL(read_exactly(length, &address), -EBADMSG); /* the server failed */
    begin_answer(0x8180, 1);
    put_record(12, 1, "12345", 5);
    CHECK_EQUAL(read_exactly(length, &address), -ENOENT); /* no address has five bytes */
}

static void answers_to_other_questions_do_not_count(void)
{
    ipv4_t address;
    static const size_t places[] = { 0, 1, 2, 5, 13, 28 };
    ask(NAME);
    for (size_t i = 0; i < array_size(places); i++) {
        begin_answer(0x8180, 1);
        put_address(12, ADDRESS);
        message[places[i]] ^= 0x88;
        CHECK_EQUAL(read_exactly(length, &address), -EAGAIN);
    }
}

/* Pointers that go on, to themselves, or in a circle; and a name that would become too long. */
static void damaged_names_end(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } names[] = { { "\xc0\xff", 2 }, { "\xc0\x22", 2 }, { "\1a\xc0\x22", 4 },
                  { "\x40", 1 },     { "\xc0", 1 },     { "\5ab", 3 } };
    ipv4_t address;
    ask(NAME);
    CHECK_EQUAL(question_length, 0x22);
    for (size_t i = 0; i < array_size(names); i++) {
        begin_answer(0x8180, 1);
        put(names[i].bytes, names[i].size);
        CHECK_EQUAL(read_exactly(length, &address), -EBADMSG);
    }
    begin_answer(0x8180, 1);
    for (unsigned i = 0; i < 6; i++)
        put("\x3f"
            "012345678901234567890123456789012345678901234567890123456789012",
            64);
    put("", 1);
    put_address(12, ADDRESS);
    CHECK_EQUAL(read_exactly(length, &address), -EBADMSG);
}

/* ---- On the wire --------------------------------------------------------------------------------------------- */

#define SECOND_SERVER 0x0a140005u /* beyond the gateway */
#define CUT 0x0200u

static struct {
    unsigned asked_first, asked_second;
    bool first_answers;
    uint16_t port, code;
    ipv4_t to;
    bool queued;
    /* Over TCP: */
    struct hand hand;
    uint8_t flags; /* of the stack's segment that is to be answered; 0: none */
    unsigned connections;
    bool damaged;
} story;

/* What the stack sends to port 53 over TCP: the question comes in one segment, after its length. */
static void story_segment(const uint8_t *frame)
{
    uint32_t header = 34 + (frame[46] >> 4) * 4u, end = 14u + read_be16(frame + 16);
    story.hand.address = read_be32(frame + 30) == WIRE_PEER ? IPV4_ANY : read_be32(frame + 30);
    story.hand.port = 53;
    story.hand.window = 60000;
    story.hand.stack_port = read_be16(frame + 34);
    story.hand.acknowledgement = read_be32(frame + 38) + (frame[47] & (HAND_SYN | HAND_FIN) ? 1 : end - header);
    if (end > header + 2 && read_be16(frame + header) == end - header - 2) {
        question_length = end - header - 2;
        memcpy(question, frame + header + 2, question_length);
        story.flags = HAND_PSH;
    } else if (frame[47] & (HAND_SYN | HAND_FIN)) {
        story.flags = frame[47] & (HAND_SYN | HAND_FIN);
    }
}

static void story_sent(const uint8_t *frame, uint32_t size)
{
    if (read_be16(frame + 12) == 0x0800 && frame[23] == 6 && read_be16(frame + 36) == 53)
        story_segment(frame);
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 17 || read_be16(frame + 36) != 53)
        return;
    question_length = size - 42;
    memcpy(question, frame + 42, question_length);
    story.to = read_be32(frame + 30);
    story.port = read_be16(frame + 34);
    story.queued = true;
}

static void inject_answer(ipv4_t from)
{
    uint8_t udp[8 + sizeof(message)] = { 0, 53 };
    write_be16(udp + 2, story.port);
    write_be16(udp + 4, (uint16_t)(8 + length));
    memcpy(udp + 8, message, length);
    wire_inject_ip(from, WIRE_STACK, 17, 0, 0, udp, (uint32_t)(8 + length));
}

/* An answer with 40 addresses of other names first, in segments of 100 bytes. */
static void send_by_stream(void)
{
    uint8_t stream[2 + sizeof(message)];
    begin_answer(0x8180, 41);
    for (unsigned i = 0; i < 40; i++)
        put_address(17, 0x06060606);
    put_address(12, ADDRESS);
    write_be16(stream, (uint16_t)(story.damaged ? length + 1 : length));
    memcpy(stream + 2, message, length);
    for (uint32_t at = 0; at < length + 2; at += 100) {
        uint32_t size = length + 2 - at < 100 ? (uint32_t)length + 2 - at : 100;
        hand_send_text(&story.hand, (const char *)stream + at, size);
        story.hand.sequence += size;
    }
    hand_send(&story.hand, HAND_FIN | HAND_ACK, 0);
    story.hand.sequence++;
}

static void answer_segment(void)
{
    uint8_t flags = story.flags;
    story.flags = 0;
    if (flags == HAND_PSH) {
        send_by_stream();
        return;
    }
    if (flags == HAND_SYN) {
        story.connections++;
        story.hand.sequence = 1000;
    }
    hand_send(&story.hand, (flags & HAND_SYN) | HAND_ACK, 0);
    story.hand.sequence += flags == HAND_SYN;
}

static bool story_idle(void)
{
    wire_answer_arp();
    if (story.flags != 0) {
        answer_segment();
        return true;
    }
    if (!story.queued)
        return false;
    story.queued = false;
    bool first = story.to == WIRE_PEER;
    *(first ? &story.asked_first : &story.asked_second) += 1;
    if (first && !story.first_answers)
        return true;
    begin_answer(0x8180 | story.code, 1);
    put_address(12, 0x06060606);
    message[0] ^= 1;
    inject_answer(story.to); /* of another question */
    message[0] ^= 1;
    inject_answer(0x0a140006); /* of another server */
    begin_answer(0x8180 | story.code, 1);
    if (!(story.code & CUT))
        put_address(12, ADDRESS);
    inject_answer(story.to);
    return true;
}

static bool damage;

static int resolve(const char *name, bool first_answers, uint16_t code, ipv4_t *address)
{
    memset(&story, 0, sizeof(story));
    story.first_answers = first_answers;
    story.code = code;
    story.damaged = damage;
    wire_sent = story_sent;
    host_idle = story_idle;
    int result = dns_resolve(name, &found);
    *address = found.items[0];
    return result;
}

static void servers_are_asked_in_order(void)
{
    struct net_configuration network = {
        .address = WIRE_STACK, .prefix = 24, .gateway = WIRE_PEER, .dns = { WIRE_PEER, SECOND_SERVER }, .dns_count = 2
    };
    ipv4_t address = 0;
    wire_configure();
    CHECK_EQUAL(dns_resolve(NAME, &found), -EDESTADDRREQ);
    net_configure_static(&network);
    CHECK_EQUAL(resolve(NAME, true, 0, &address), 0);
    CHECK_EQUAL(address, ADDRESS);
    CHECK_EQUAL(story.asked_second, 0);
    nanoseconds began = clock_monotonic();
    address = 0;
    CHECK_EQUAL(resolve(NAME, false, 0, &address), 0);
    CHECK_EQUAL(address, ADDRESS);
    CHECK_EQUAL(story.asked_first, 1);
    CHECK(clock_monotonic() - began >= 2 * NS_PER_SECOND && clock_monotonic() - began < 3 * NS_PER_SECOND);
    CHECK_EQUAL(resolve(NAME, true, 3, &address), -ENOENT);
    CHECK_EQUAL(story.asked_second, 0);
    CHECK_EQUAL(resolve("no name", true, 0, &address), -EINVAL);
    CHECK_EQUAL(resolve("192.0.2.9", true, 0, &address), 0);
    CHECK_EQUAL(address, 0xc0000209u);
    CHECK_EQUAL(story.asked_first, 0);
}

/* An answer that is cut is asked for again over TCP, from the same server. */
static void long_answers_come_by_tcp(void)
{
    ipv4_t address = 0;
    CHECK_EQUAL(resolve(NAME, true, CUT, &address), 0);
    CHECK_EQUAL(address, ADDRESS);
    CHECK_EQUAL(story.connections, 1);
    CHECK_EQUAL(story.asked_second, 0);
    CHECK(length > DNS_ANSWER_MAX);
    damage = true;
    CHECK(resolve(NAME, true, CUT, &address) < 0);
    damage = false;
    CHECK_EQUAL(story.connections, 2);
    CHECK_EQUAL(story.asked_second, 1);
    wire_drop_all();
}

int main(void)
{
    host_init();
    wire_start();
    host_test("dns: a question has its form", a_question_has_its_form);
    host_test("dns: what cannot be a name is refused", what_cannot_be_a_name_is_refused);
    host_test("dns: an address is read", an_address_is_read);
    host_test("dns: aliases are followed", aliases_are_followed);
    host_test("dns: all addresses are read", all_addresses_are_read);
    host_test("dns: answers without an address", answers_without_an_address);
    host_test("dns: answers to other questions do not count", answers_to_other_questions_do_not_count);
    host_test("dns: damaged names end", damaged_names_end);
    host_test("dns: servers are asked in order", servers_are_asked_in_order);
    host_test("dns: long answers come by TCP", long_answers_come_by_tcp);
    return host_result();
}
