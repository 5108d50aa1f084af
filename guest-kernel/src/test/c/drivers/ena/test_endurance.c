/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of device that the model can be, every fault of it while the driver works, at any moment, and many packets
 * in any order: packets flow both ways afterwards with the right contents, nothing leaks, and no rule is broken. What
 * the driver does in each case is for its other tests.
 */
#include <string.h>

#include "core/packet.h"
#include "drivers/ena/driver.h"
#include "host/host.h"

#define RX_FIRST 0x04
#define RX_LAST 0x08
#define DOWN_FOR (20 * NS_PER_SECOND)
#define UP_AFTER (30 * NS_PER_SECOND)

static uint8_t frame[9100];
static uint64_t pages, blocks;

/* Says which case of a list it was. */
static void fails(const char *name, const char *why)
{
    const char *first = fake.model.first_violation;
    host_fail(__FILE__, __LINE__, "%s: %s; reset %u times, at last for reason %u; %s", name, why, fake.model.resets,
              fake.model.reset_reason, first != NULL ? first : "no rule broken");
}

/* Packets both ways, compared. */
static bool works(void)
{
    static const uint32_t sizes[] = { 0, 1, 200, 1446 };
    forget_received();
    if (!stack.device->running)
        return false;
    for (unsigned i = 0; i < array_size(sizes); i++) {
        unsigned before = fake.frames;
        struct packet *packet = make_packet(sizes[i], sizes[i] > 100 ? 2 : 0, (uint8_t)i);
        if (!stack.device->checksum_offload) {
            packet_free(packet);
            packet = packet_allocate(2000);
            make_frame(packet_put(packet, 54 + sizes[i]), sizes[i], (uint8_t)i);
        }
        (void)driver_send(packet);
        fake_interrupts();
        bool came = model_receive(&fake.model, frame, make_frame(frame, sizes[i], (uint8_t)(i + 100)));
        fake_interrupts();
        if (fake.frames != before + 1 || !left_as(before, sizes[i], (uint8_t)i) || !came ||
            stack.received_count != i + 1 || !received_as(i, sizes[i], (uint8_t)(i + 100)))
            return false;
    }
    forget_received();
    return fake.model.first_violation == NULL;
}

static bool start(struct model_variant v)
{
    if (!driver_start(v))
        return false;
    driver_run(NS_PER_SECOND);
    pages = host_pages_in_use();
    blocks = host_heap_blocks();
    return works();
}

static bool leaks(void) { return host_pages_in_use() > pages || host_heap_blocks() > blocks; }

/* ---- Every kind ---- */

static void direct(struct model_variant *v) { v->direct_reads = true; }
static void llq(struct model_variant *v) { v->llq_sizes = 1; }
static void llq_wide_offered(struct model_variant *v) { v->llq_sizes = 1 | 4; }
static void llq_wide(struct model_variant *v) { v->llq_sizes = 1 | 4, v->llq_recommended = 4; }
static void llq_wide_only(struct model_variant *v) { v->llq_sizes = 4, v->llq_recommended = 4; }
static void llq_no_cache(struct model_variant *v) { v->llq_sizes = 1, v->no_meta_caching = true; }
static void llq_burst(struct model_variant *v) { v->llq_sizes = 1, v->burst_bytes = 512; }
static void llq_all(struct model_variant *v)
{
    llq_wide(v);
    v->no_meta_caching = v->direct_reads = true;
    v->burst_bytes = 1024;
}
static void old_queues(struct model_variant *v) { v->extended_queues = false; }
static void one_queue(struct model_variant *v) { v->queues = 1; }
static void many_queues(struct model_variant *v) { v->queues = MODEL_QUEUES; }
static void few_vectors(struct model_variant *v) { v->vectors = 2; }
static void small_rings(struct model_variant *v) { v->tx_depth = v->rx_depth = v->llq_depth = 32; }
static void small_llq(struct model_variant *v) { v->llq_sizes = 1, v->llq_depth = 64; }
static void large_rings(struct model_variant *v) { v->tx_depth = v->rx_depth = v->llq_depth = 1024; }
static void scarce(struct model_variant *v) { large_rings(v), v->depth_granted = 256; }
static void few_completions(struct model_variant *v) { v->completions_granted = 20; }
static void hints_never(struct model_variant *v)
{
    v->hints = true;
    v->keep_alive_ms = v->admin_ms = v->readless_ms = 0xffff;
}
static void no_offloads(struct model_variant *v) { v->tx_offloads = v->rx_offloads = 0; }
static void checksums_only(struct model_variant *v) { v->tx_offloads = 0x2; }
static void all_offloads(struct model_variant *v) { v->tx_offloads = 0xff, v->rx_offloads = 0xf; }
static void rx_offset(struct model_variant *v) { v->rx_offset = 16; }
static void moderation(struct model_variant *v) { v->moderation_us = 2; }
static void rss(struct model_variant *v) { v->rss_log2 = 7; }
static void rss_and_hash(struct model_variant *v) { rss(v), v->hash_functions = MODEL_TOEPLITZ | MODEL_CRC32; }
static void rss_pushed(struct model_variant *v) { rss_and_hash(v), llq_all(v), v->moderation_us = 1; }
static void no_extension(struct model_variant *v) { v->capabilities = 0; }
static void all_capabilities(struct model_variant *v) { v->capabilities = 0x1f; }
static void few_pieces(struct model_variant *v) { v->tx_pieces = 4, v->rx_pieces = 4; }
static void few_groups(struct model_variant *v) { v->event_groups = 1; }
static void plain_mtu(struct model_variant *v) { v->max_mtu = 1500; }
static void careless(struct model_variant *v) { v->needs_host_info = false; }

static const struct {
    const char *name;
    void (*change)(struct model_variant *v);
} kinds[] = {
#define KIND(name) \
    { \
#name, name \
    }
    KIND(direct),           KIND(llq),
    KIND(llq_wide_offered), KIND(llq_wide),
    KIND(llq_wide_only),    KIND(llq_no_cache),
    KIND(llq_burst),        KIND(llq_all),
    KIND(old_queues),       KIND(one_queue),
    KIND(many_queues),      KIND(few_vectors),
    KIND(small_rings),      KIND(small_llq),
    KIND(large_rings),      KIND(scarce),
    KIND(few_completions),  KIND(hints_never),
    KIND(no_offloads),      KIND(checksums_only),
    KIND(all_offloads),     KIND(rx_offset),
    KIND(moderation),       KIND(rss),
    KIND(no_extension),     KIND(all_capabilities),
    KIND(few_pieces),       KIND(few_groups),
    KIND(plain_mtu),        KIND(careless),
    KIND(rss_and_hash),     KIND(rss_pushed),
};

static void every_kind(void)
{
    for (unsigned i = 0; i < array_size(kinds); i++) {
        struct model_variant v = model_usual();
        kinds[i].change(&v);
        bool right = start(v);
        driver_run(10 * NS_PER_SECOND);
        for (unsigned n = 0; n < 300 && right; n++) /* round all rings, and the phases of 16 bits */
            right = works();
        if (!right || fake.model.resets != 1)
            return fails(kinds[i].name, "does not work");
        bool offers = v.tx_offloads & 2;
        if (stack.device->checksum_offload != offers || (stack.device->segmentation_offload && !(v.tx_offloads & 0x20)))
            return fails(kinds[i].name, "offloads are not those of the device");
    }
}

/* ---- Every fault ---- */

static void post_received(uint8_t marks, uint16_t id, uint16_t length, uint8_t offset)
{
    uint8_t entry[16] = { 0, 0, 0, marks };
    memcpy(entry + 4, &length, 2);
    memcpy(entry + 6, &id, 2);
    entry[14] = offset;
    model_post_received(&fake.model, 0, entry);
}

/* The identifier of a buffer that is posted, the n-th in line. */
static uint16_t posted(unsigned n)
{
    const struct model_submission_queue *sq = &fake.model.submission_queues[MODEL_QUEUES];
    return sq->waiting[(sq->waiting_head + n) % MODEL_DEPTH_MAX];
}

static void hold_some(unsigned count)
{
    fake.model.hold = true;
    for (unsigned i = 0; i < count; i++)
        (void)driver_send(make_packet(1000, 2, (uint8_t)i));
}

static void asks(void) { (void)model_event(&fake.model, 7, 0, "", 0); }
static void breaks(void) { model_break(&fake.model); }
static void silence(void) { fake.model.faults.no_keep_alive = true; }
static void loses_completions(void)
{
    fake.model.faults.packets_lost = true;
    hold_some(200);
}

static void sent_twice(void)
{
    const struct model_submission_queue *sq = &fake.model.submission_queues[0];
    hold_some(3);
    uint16_t id = sq->waiting[sq->waiting_head % MODEL_DEPTH_MAX];
    const uint8_t entry[8] = { (uint8_t)id, (uint8_t)(id >> 8) };
    model_post_sent(&fake.model, 0, entry);
    model_post_sent(&fake.model, 0, entry);
}

static void longer_than_buffer(void) { post_received(RX_FIRST | RX_LAST, posted(0), 0xffff, 0); }
static void offset_beyond_buffer(void) { post_received(RX_FIRST | RX_LAST, posted(0), 4000, 255); }
static void nothing_received(void) { post_received(RX_FIRST | RX_LAST, posted(0), 0, 0); }
static void first_missing(void) { post_received(RX_LAST, posted(0), 100, 0); }
static void last_missing(void)
{
    post_received(RX_FIRST, posted(0), 100, 0);
    asks();
}

static void no_interrupts(void)
{
    fake.model.faults.no_interrupts = true;
    (void)model_receive(&fake.model, frame, make_frame(frame, 100, 1));
}

static void dead_registers(void)
{
    asks();
    fake.model.faults.readless_silent = true;
}

static void answers_for_others(void)
{
    asks();
    fake.model.faults.readless_elsewhere = true;
}

static void reset_that_does_not_begin(void)
{
    asks();
    fake.model.faults.reset_ignored = true;
}

static void reset_that_does_not_end(void)
{
    asks();
    fake.model.faults.reset_endless = true;
}

static void dead_commands(void)
{
    asks();
    fake.model.faults.admin_dead = true;
}

static void unready(void)
{
    asks();
    fake.model.faults.never_ready = true;
}

static const struct {
    const char *name;
    void (*strike)(void);
} faults[] = {
#define FAULT(name) \
    { \
#name, name \
    }
    FAULT(asks),
    FAULT(breaks),
    FAULT(silence),
    FAULT(loses_completions),
    FAULT(sent_twice),
    FAULT(longer_than_buffer),
    FAULT(offset_beyond_buffer),
    FAULT(nothing_received),
    FAULT(first_missing),
    FAULT(last_missing),
    FAULT(no_interrupts),
    FAULT(dead_registers),
    FAULT(answers_for_others),
    FAULT(reset_that_does_not_begin),
    FAULT(reset_that_does_not_end),
    FAULT(dead_commands),
    FAULT(unready),
};

/* The fault lasts for `time`; true if the driver works after it as before. */
static bool recovers(nanoseconds time)
{
    driver_run(time);
    fake.model.faults = (struct model_faults){ 0 };
    fake.model.hold = false;
    model_complete(&fake.model, 0, MODEL_DEPTH_MAX);
    driver_run(UP_AFTER);
    return works();
}

static void every_fault(void)
{
    for (unsigned i = 0; i < 2 * array_size(faults); i++) {
        struct model_variant v = model_usual();
        v.llq_sizes = i % 2;
        v.no_meta_caching = i % 2;
        CHECK(start(v));
        faults[i / 2].strike();
        fake_interrupts();
        if (!recovers(DOWN_FOR))
            return fails(faults[i / 2].name, "does not work again");
        if (leaks())
            return fails(faults[i / 2].name, "leaks");
    }
}

static bool fails_at(enum model_admin_fault fault, unsigned n)
{
    asks();
    fake_interrupts();
    fake.model.faults =
        (struct model_faults){ .admin = fault, .admin_number = n, .admin_status = (uint8_t)(1 + n % 7) };
    return recovers(5 * NS_PER_SECOND) && !leaks(); /* there may be fewer buffers, after want of resources */
}

static void commands_fail_after_a_reset(void)
{
    for (enum model_admin_fault fault = ADMIN_SILENT; fault <= ADMIN_TWICE; fault++) {
        CHECK(start(model_usual()));
        for (unsigned n = 1; n < 20; n++) {
            if (!fails_at(fault, n))
                return fails("command", "does not work again, or leaks");
        }
    }
}

static void resets_at_any_moment(void)
{
    CHECK(start(model_usual()));
    for (unsigned i = 0; i < 60; i++) {
        hold_some(i % 40);
        if (i % 3 == 0)
            model_complete(&fake.model, 0, i / 2);
        (i % 2 == 0 ? asks : breaks)();
        struct packet *packet = make_packet(5000, 2, (uint8_t)i);
        packet->segment_size = 1448;
        (void)driver_send(packet);
        if (i % 4 == 0)
            fake_interrupts();
        (void)driver_send(make_packet(700, 1, (uint8_t)i));
        if (!recovers(NS_PER_SECOND) || leaks())
            return fails("any moment", "does not work again, or leaks");
    }
    CHECK_EQUAL(fake.model.resets, 61);
}

/* Without memory for the n-th allocation and those after it while the device starts: no rule is broken all the same. */
static void starts_with_little_memory(void)
{
    for (unsigned n = 1; n < 200; n++) {
        struct model_variant v = model_usual();
        host_fail_allocation(n);
        bool started = driver_start(v);
        host_fail_allocation(0);
        if (fake.model.first_violation != NULL && fake.model.violations != fake.model.broken[RULE_RX_FILLED])
            return fails("little memory", "breaks a rule");
        if (!started)
            continue;
        driver_run(2 * NS_PER_SECOND);
        CHECK(stack.device->running);
    }
}

/* ---- Many packets ---- */

static void in_another_order(void)
{
    struct model_variant v = model_usual();
    CHECK(start(v));
    fake.model.hold = fake.model.reverse = true;
    unsigned before = fake.frames;
    for (unsigned i = 0; i < 400; i++) {
        CHECK(driver_send(make_packet(1000 + i % 9, 2, (uint8_t)i)));
        CHECK(left_as(before + i, 1000 + i % 9, (uint8_t)i));
        CHECK(model_receive(&fake.model, frame, make_frame(frame, i, (uint8_t)i)));
        if (i % 7 == 6)
            model_complete(&fake.model, 0, 5 + i % 5);
        fake_interrupts();
        CHECK(stack.received_count == 1 && received_as(0, i, (uint8_t)i));
        forget_received();
    }
    model_complete(&fake.model, 0, MODEL_DEPTH_MAX);
    driver_run(NS_PER_SECOND);
    CHECK(!leaks());
    CHECK_EQUAL(fake.model.resets, 1);
    NO_VIOLATION();
}

static void many_packets(void)
{
    struct model_variant v = model_usual();
    v.llq_sizes = 1;
    v.no_meta_caching = true;
    CHECK(start(v));
    unsigned before = fake.frames;
    for (unsigned i = 0; i < 70000; i++) { /* the doorbells' 16 bits overflow */
        CHECK(driver_send(make_packet(i % 300, 0, (uint8_t)i)));
        CHECK(left_as(before + i, i % 300, (uint8_t)i));
        if (i % 16 == 0)
            fake_interrupts();
    }
    for (unsigned i = 0; i < 70000; i++) {
        CHECK(model_receive(&fake.model, frame, make_frame(frame, i % 300, (uint8_t)i)));
        fake_interrupts();
        CHECK(stack.received_count == 1 && received_as(0, i % 300, (uint8_t)i));
        forget_received();
    }
    driver_run(NS_PER_SECOND);
    CHECK(!leaks());
    CHECK_EQUAL(fake.model.resets, 1);
    CHECK_EQUAL(stack.device->dropped, 0);
    NO_VIOLATION();
}

void test_endurance(void)
{
    host_test("ena: every kind of device", every_kind);
    host_test("ena: every fault", every_fault);
    host_test("ena: commands fail after a reset, each in each way", commands_fail_after_a_reset);
    host_test("ena: resets at any moment", resets_at_any_moment);
    host_test("ena: no rule is broken for want of memory", starts_with_little_memory);
    host_test("ena: completions in another order", in_another_order);
    host_test("ena: many packets", many_packets);
}
