/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model does with packets, by hand: frames that leave are complete and right, those that arrive are described
 * as they are, interrupts are masked when they are raised, and a reset forgets everything.
 */
#include <string.h>

#include "drivers/ena/model/internal.h"
#include "drivers/ena/script.h"
#include "drivers/ena/tests.h"
#include "host/host.h"
#include "lib/checksum.h"

#define NO_VIOLATION() CHECK(script.model.first_violation == NULL)

static uint16_t big16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

/* Both checksums of a TCP packet of IPv4 with the kernel's own sums, not the model's. */
static bool checksums_are_right(const uint8_t *frame, uint32_t length)
{
    uint32_t l4 = length - 34;
    uint8_t rest[4] = { 0, 6, (uint8_t)(l4 >> 8), (uint8_t)l4 };
    uint64_t sum = checksum_add(checksum_add(0, frame + 26, 8), rest, 4);
    return checksum_finish(checksum_add(0, frame + 14, 20)) == 0 &&
           checksum_finish(checksum_add(sum, frame + 34, l4)) == 0;
}

static bool payload_is_right(const uint8_t *bytes, uint32_t from, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != (uint8_t)((from + i) * 7 + (from + i) / 256))
            return false;
    return true;
}

static void start(uint16_t llq_sizes, bool no_cache)
{
    struct model_variant v = model_usual();
    v.llq_sizes = llq_sizes;
    v.llq_recommended = llq_sizes & 4 ? 4 : 0;
    v.no_meta_caching = no_cache;
    script_start(v, (struct change){ 0 });
}

static void finishes_checksums(void)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        start(kind == 0 ? 0 : kind == 3 ? 1 | 4 : 1, kind > 1);
        for (unsigned pieces = 1; pieces < 5; pieces++) {
            unsigned at = script.frames;
            script_send_simple(701, pieces);
            NO_VIOLATION();
            CHECK_EQUAL(script.frames, at + 1);
            CHECK_EQUAL(script.lengths[at], 755);
            CHECK(checksums_are_right(script.sent[at], 755) && payload_is_right(script.sent[at] + 54, 0, 701));
        }
        CHECK_EQUAL(script.model.completion_queues[0].posted, 4);
        CHECK_EQUAL(script.model.submission_queues[0].in_use, 0);
    }
}

static void divides_packets(void)
{
    start(0, false);
    uint32_t length = script_packet(5000);
    uint32_t offload = L3_IPV4 | L4_TCP << 8 | OFFLOAD_DF | OFFLOAD_L3 | OFFLOAD_L4 | OFFLOAD_TSO;
    script.memory[AT_DATA + 47] |= 0x89; /* CWR, PSH, FIN */
    struct script_descriptor d[] = { script_meta(1448, 5), script_data(0, length, D_LAST | D_COMPLETION, offload) };
    d[1].word[3] = 54u << 24;
    script_send(d, 2, 0);
    NO_VIOLATION();
    CHECK_EQUAL(script.frames, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const uint8_t *frame = script.sent[i];
        uint32_t payload = i < 3 ? 1448 : 5000 - 3 * 1448;
        CHECK_EQUAL(script.lengths[i], 54 + payload);
        CHECK(checksums_are_right(frame, 54 + payload) && payload_is_right(frame + 54, i * 1448, payload));
        CHECK_EQUAL(big16(frame + 16), 40 + payload);
        CHECK_EQUAL(big16(frame + 18), 7 + i);
        CHECK_EQUAL(big16(frame + 40), 0x100 + i * 1448);
        CHECK_EQUAL(frame[47] & 0x89, i == 0 ? 0x80 : i < 3 ? 0 : 0x09);
    }
}

static const uint8_t *completion(unsigned n) { return script.memory + AT_RX_COMPLETIONS + n % SCRIPT_DEPTH * 16; }

static void describes_what_arrives(void)
{
    start(0, false);
    uint8_t frame[3000];
    script_send_simple(1000, 1);
    memcpy(frame, script.sent[0], 1054);
    CHECK(model_receive(&script.model, frame, 1054));
    CHECK_EQUAL(get32(completion(0)), 8 | 12 << 8 | 1 << 16 | 1 << 24 | 3 << 26 | 1 << 30);
    CHECK_EQUAL(get16(completion(0) + 4), 1054);
    CHECK_EQUAL(get16(completion(0) + 6), 0);
    CHECK(memcmp(script.memory + AT_BUFFERS, frame, 1054) == 0);
    frame[600] ^= 1;
    CHECK(model_receive(&script.model, frame, 1054));
    CHECK_EQUAL(get32(completion(1)) >> 13 & 15, 2 | 8);
    frame[25] ^= 1;
    CHECK(model_receive(&script.model, frame, 1054));
    CHECK_EQUAL(get32(completion(2)) >> 13 & 15, 1 | 2 | 8);
    frame[20] |= 0x20;
    CHECK(model_receive(&script.model, frame, 1054));
    CHECK_EQUAL(get32(completion(3)) >> 8 & 31, 0);
    CHECK_EQUAL(get32(completion(3)) >> 13 & 15, 1 | 4);
    memset(frame + 12, 0, sizeof(frame) - 12);
    CHECK(model_receive(&script.model, frame, 3000));
    CHECK_EQUAL(get32(completion(4)), 1 << 24 | 1 << 26 | 1 << 30);
    CHECK_EQUAL(get32(completion(5)), 1 << 24 | 1 << 27 | 1 << 30);
    CHECK_EQUAL(get16(completion(4) + 4), 2048);
    CHECK_EQUAL(get16(completion(5) + 4), 3000 - 2048);
    CHECK_EQUAL(model_buffers(&script.model, 0), SCRIPT_DEPTH - 1 - 6);
    NO_VIOLATION();
}

static void drops_without_buffers(void)
{
    static const uint8_t frame[2000] = { 1 };
    start(0, false);
    for (unsigned i = 0; i < SCRIPT_DEPTH - 1; i++)
        CHECK(model_receive(&script.model, frame, sizeof(frame)));
    CHECK(!model_receive(&script.model, frame, sizeof(frame)));
    CHECK_EQUAL(script.model.rx_dropped, 1);
    script_post(3, true);
    CHECK(model_receive(&script.model, frame, sizeof(frame)));
    CHECK_EQUAL(get16(completion(SCRIPT_DEPTH - 1) + 6), 3);
    CHECK_EQUAL(get32(completion(SCRIPT_DEPTH - 1)) >> 24 & 1, 1);
    script_post(4, true);
    CHECK(model_receive(&script.model, frame, sizeof(frame)));
    CHECK_EQUAL(get32(completion(SCRIPT_DEPTH)) >> 24 & 1, 0);
    NO_VIOLATION();
}

static void interrupts_once(void)
{
    static const uint8_t frame[60] = { 1 };
    start(0, false);
    CHECK_EQUAL(script.interrupts[1], 0);
    CHECK(model_receive(&script.model, frame, sizeof(frame)));
    CHECK(model_receive(&script.model, frame, sizeof(frame)));
    CHECK_EQUAL(script.interrupts[1], 1);
    script_write(script.tx_unmask, 1u << 30);
    CHECK_EQUAL(script.interrupts[1], 1);
    CHECK(model_receive(&script.model, frame, sizeof(frame)));
    CHECK_EQUAL(script.interrupts[1], 2);
    script_write(script.rx_unmask, 1u << 30);
    script.model.hold = true;
    script_send_simple(10, 1);
    CHECK_EQUAL(script.interrupts[1], 2);
    CHECK_EQUAL(model_complete(&script.model, 0, 5), 1);
    CHECK_EQUAL(script.interrupts[1], 3);
    NO_VIOLATION();
}

static void reports_events(void)
{
    start(0, false);
    const uint8_t *events = script.memory + AT_EVENTS;
    CHECK_EQUAL(get16(events), GROUP_LINK);
    CHECK_EQUAL(get32(events + 16), 1);
    CHECK_EQUAL(events[4], 1);
    script.interrupts[0] = 0;
    for (unsigned i = 1; i < 20; i++)
        model_advance(&script.model, script.model.now + 1000000000u);
    CHECK_EQUAL(script.model.events_posted, 16);
    CHECK_EQUAL(script.model.events_lost, 4);
    CHECK_EQUAL(get16(events + 64), GROUP_KEEP_ALIVE);
    script_write(REG_AENQ_HEAD, 32);
    model_link(&script.model, false);
    CHECK_EQUAL(get16(events), GROUP_LINK);
    CHECK_EQUAL(get32(events + 16), 0);
    CHECK_EQUAL(events[4], 0);
    CHECK_EQUAL(script.interrupts[0], 16);
    NO_VIOLATION();
}

static void a_reset_forgets(void)
{
    start(1, true);
    script_send_simple(10, 1);
    model_break(&script.model);
    CHECK_EQUAL(script_read(REG_DEV_STS) & (STATUS_READY | STATUS_FATAL), STATUS_READY | STATUS_FATAL);
    script_bring_up();
    CHECK_EQUAL(script_read(REG_DEV_STS), STATUS_READY);
    CHECK_EQUAL(script.model.resets, 2);
    script_send_simple(20, 1);
    CHECK_EQUAL(script.frames, 2);
    CHECK_EQUAL(script.lengths[1], 74);
    NO_VIOLATION();
    script_reset(5);
    CHECK_EQUAL(script.model.reset_reason, 5);
    script_write(script.tx_doorbell, 1);
    CHECK_EQUAL(script.model.broken[RULE_DOORBELL_UNKNOWN], 1);
}

void test_packets(void)
{
    host_test("ena model: finishes checksums", finishes_checksums);
    host_test("ena model: divides packets", divides_packets);
    host_test("ena model: describes what arrives", describes_what_arrives);
    host_test("ena model: drops without buffers", drops_without_buffers);
    host_test("ena model: interrupts once", interrupts_once);
    host_test("ena model: reports events", reports_events);
    host_test("ena model: a reset forgets", a_reset_forgets);
}
