/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SNTP client's servers by name: which servers a name stands for, and when it is looked up again; the thread
 * against name servers and time servers on the wire, on the virtual clock.
 */
#include <setjmp.h>
#include <string.h>

#include "host/host.h"
#include "net/net.h"
#include "net/sntp.h"
#include "net/wire.h"

#define POOL "pool.example"
#define SERVER(number) (0x0a140000u + (number)) /* beyond the gateway */
#define UNIX_EPOCH 2208988800u
#define LIAR 2u
#define DAY (86400 * NS_PER_SECOND)

/* ---- Sources ------------------------------------------------------------------------------------------------ */

static struct sntp_servers servers;

static void begin(unsigned count, const char *const *names)
{
    struct sntp_source sources[SNTP_SERVERS] = { 0 };
    for (unsigned i = 0; i < count; i++)
        sources[i].name = names[i];
    (void)host_log();
    sntp_servers_begin(&servers, sources, count);
    sntp_servers_look_up(&servers, clock_monotonic());
}

static void addresses_are_servers(void)
{
    begin(3, (const char *const[]){ "10.0.0.7", "10.0.0.8", "10.0.0.7" });
    CHECK_EQUAL(servers.count, 2); /* one server has one vote */
    CHECK(servers.items[0].address == 0x0a000007 && servers.items[1].address == 0x0a000008);
    sntp_servers_begin(&servers, &(struct sntp_source){ .address = 0x0a000009 }, 1);
    sntp_servers_look_up(&servers, clock_monotonic());
    CHECK(servers.count == 1 && servers.items[0].address == 0x0a000009);
}

static void what_is_no_host_is_no_server(void)
{
    begin(4, (const char *const[]){ "127.0.0.1", "0.0.0.0", "224.0.1.1", "255.255.255.255" });
    CHECK_EQUAL(servers.count, 0);
    CHECK(strstr(host_log(), "the time server 127.0.0.1 cannot be looked up (EADDRNOTAVAIL)"));
}

static void a_server_keeps_its_shortest_delay(void)
{
    struct sntp_sample slow = { .delay = 900 }, fast = { .delay = 200 };
    begin(2, (const char *const[]){ "10.0.0.7", "10.0.0.8" });
    sntp_server_answered(&servers.items[0], &fast);
    sntp_server_answered(&servers.items[1], &slow);
    CHECK(fast.shortest == 200 && slow.shortest == 900);
    sntp_server_answered(&servers.items[0], &slow);
    CHECK_EQUAL(slow.shortest, 200);
}

/* ---- The thread --------------------------------------------------------------------------------------------- */

enum phase { FAILS, THREE, ONE_IS_SILENT, CHANGED, FORGED, END };

static struct {
    jmp_buf end;
    enum phase phase;
    const char *failure;
    unsigned lookups, rounds; /* in this phase */
    unsigned asked;           /* bits: the servers in this round */
    nanoseconds last_lookup;
    uint8_t frame[WIRE_FRAME];
    uint32_t length;
} story;

extern void (*thread_entry)(void *);
extern void *thread_argument;

#define EXPECT(condition) \
    do { \
        if (!(condition)) { \
            story.failure = #condition; \
            longjmp(story.end, 1); \
        } \
    } while (0)

static void next_phase(void)
{
    story.phase++;
    story.lookups = story.rounds = 0;
}

static void send_from(ipv4_t address, uint16_t port, const uint8_t *body, size_t size)
{
    uint8_t udp[8 + 512] = { 0 };
    write_be16(udp, port);
    write_be16(udp + 2, read_be16(story.frame + 34));
    write_be16(udp + 4, (uint16_t)(8 + size));
    memcpy(udp + 8, body, size);
    wire_inject_ip(address, WIRE_STACK, 17, 0, 0, udp, (uint32_t)(8 + size));
}

/* Answers the question for the name with these addresses; `forged`: those of another question. */
static void send_addresses(unsigned code, const ipv4_t *addresses, unsigned count, bool forged)
{
    uint8_t body[512];
    size_t at = story.length - 42;
    memcpy(body, story.frame + 42, at);
    body[1] ^= forged;
    write_be16(body + 2, (uint16_t)(0x8180 | code));
    write_be16(body + 6, (uint16_t)count);
    for (unsigned i = 0; i < count; i++, at += 16) {
        memcpy(body + at, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
        write_be32(body + at + 12, addresses[i]);
    }
    send_from(WIRE_PEER, 53, body, at);
}

static void look_up_again(void)
{
    static const ipv4_t wrong[] = { SERVER(9) };
    nanoseconds since = clock_monotonic() - story.last_lookup;
    if (story.lookups == 1) {
        EXPECT(since >= DAY && since < DAY + 200 * NS_PER_SECOND);
        send_addresses(0, wrong, 1, true);
        send_addresses(2, NULL, 0, false);
    } else {
        EXPECT(since < 80 * NS_PER_SECOND);
        next_phase();
    }
}

static void answer_lookup(void)
{
    static const ipv4_t first[] = { IPV4_LOOPBACK, SERVER(1), SERVER(2),      IPV4_ANY,
                                    SERVER(2),     SERVER(3), IPV4_BROADCAST, 0xe0000101 };
    static const ipv4_t second[] = { SERVER(1), SERVER(4), SERVER(5), SERVER(6), SERVER(7) };
    story.lookups++;
    EXPECT(story.phase != FAILS || story.asked == 0);
    story.asked = 0;
    switch (story.phase) {
    case FAILS:
        if (story.lookups <= 2) {
            send_addresses(3, NULL, 0, false);
            break;
        }
        send_addresses(0, first, array_size(first), false);
        next_phase();
        break;
    case ONE_IS_SILENT:
        EXPECT(story.rounds == 7); /* and the one that has just ended */
        send_addresses(0, second, array_size(second), false);
        next_phase();
        break;
    case CHANGED:
        next_phase();
        story.lookups = 1;
        look_up_again();
        break;
    case FORGED:
        look_up_again();
        break;
    default:
        EXPECT(!"looked up without a reason");
    }
    story.last_lookup = clock_monotonic();
}

static void put_stamp(uint8_t *to, nanoseconds time)
{
    write_be32(to, (uint32_t)(time / NS_PER_SECOND) + UNIX_EPOCH);
    write_be32(to + 4, (uint32_t)((time % NS_PER_SECOND << 32) / NS_PER_SECOND));
}

static nanoseconds true_time(void) { return 1700000005 * NS_PER_SECOND + clock_monotonic(); }

/* Server LIAR is an hour ahead of the others. */
static void answer_question(unsigned server)
{
    uint8_t body[SNTP_MESSAGE_SIZE] = { 4 << 3 | 4, 2 };
    nanoseconds time = true_time() + (server == LIAR ? 3600 * NS_PER_SECOND : 0);
    memcpy(body + 24, story.frame + 42 + 40, 8);
    put_stamp(body + 32, time);
    put_stamp(body + 40, time);
    send_from(SERVER(server), 123, body, sizeof(body));
}

/* A server is asked for a second time: there was a round before. */
static void end_round(void)
{
    EXPECT(story.asked == (story.phase <= ONE_IS_SILENT ? 0x0e : 0x72));
    story.asked = 0;
    story.rounds++;
    if (story.phase == THREE && story.rounds == 3)
        next_phase();
}

static void serve(void)
{
    unsigned server = read_be32(story.frame + 30) - SERVER(0);
    EXPECT(server < 8);
    if (server == 1 && story.asked != 0)
        end_round();
    story.asked |= 1u << server;
    if (story.phase != ONE_IS_SILENT || server != 3)
        answer_question(server);
}

static void story_sent(const uint8_t *frame, uint32_t length)
{
    if (read_be16(frame + 12) != 0x0800 || frame[23] != 17)
        return;
    memcpy(story.frame, frame, length);
    story.length = length;
}

static bool story_idle(void)
{
    wire_answer_arp();
    if (story.phase == END)
        longjmp(story.end, 1);
    if (story.length == 0)
        return false;
    if (read_be16(story.frame + 36) == 53)
        answer_lookup();
    else
        serve();
    story.length = 0;
    return true;
}

static unsigned times_in(const char *text, const char *what)
{
    unsigned times = 0;
    for (; (text = strstr(text, what)); text++)
        times++;
    return times;
}

/* Fails at first; then stands for three servers of which one lies and one stops answering; then for others, of which
 * those are asked for which there is room; and after a day its lookup gets a forged answer and a refusal. */
static void a_name_stands_for_its_servers(void)
{
    struct net_configuration network = {
        .address = WIRE_STACK, .prefix = 24, .gateway = WIRE_PEER, .dns = { WIRE_PEER }, .dns_count = 1
    };
    wire_configure();
    net_configure_static(&network);
    wire_sent = story_sent;
    host_idle = story_idle;
    (void)host_log();
    sntp_use(&(struct sntp_source){ .name = POOL }, 1);
    if (setjmp(story.end) == 0)
        thread_entry(thread_argument);
    if (story.failure)
        host_fail(__FILE__, __LINE__, "phase %d, lookup %u, round %u, asked %x, %lu s since the last lookup: %s",
                  story.phase, story.lookups, story.rounds, story.asked,
                  (unsigned long)((clock_monotonic() - story.last_lookup) / NS_PER_SECOND), story.failure);
    CHECK_EQUAL(story.phase, END);
    const char *log = host_log();
    CHECK_EQUAL(times_in(log, "the time server " POOL " cannot be looked up (ENOENT)"), 1);
    CHECK_EQUAL(times_in(log, "the time server " POOL " cannot be looked up (EBADMSG)"), 1);
    CHECK_EQUAL(times_in(log, "cannot be looked up"), 2);
    nanoseconds right = true_time(), wall = clock_wall();
    CHECK((right > wall ? right - wall : wall - right) < NS_PER_MS);
}

int main(void)
{
    host_init();
    wire_start();
    host_test("sntp: addresses are servers", addresses_are_servers);
    host_test("sntp: what is no host is no server", what_is_no_host_is_no_server);
    host_test("sntp: a server keeps its shortest delay", a_server_keeps_its_shortest_delay);
    host_test("sntp: a name stands for its servers", a_name_stands_for_its_servers);
    return host_result();
}
