/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ENA device that does what the input says: completions and events of any content, any bytes in the rings it writes,
 * commands answered badly, faults of all kinds. Packets that the driver passes on are sound, it breaks no rule that it
 * can keep on such a device, and when the input is over it resets the device, which then works, and has lost no memory.
 * There is one device for all inputs.
 */
#include <string.h>

#include "drivers/ena/fake_pci.h"
#include "drivers/fuzz/packets.h"
#include "host/fuzz.h"
#include "host/host.h"
#include "platform/native/native.h"

#define STEPS 200
#define MOMENT (10 * NS_PER_MS)

struct platform_information platform = { .name = "host", .memory_bytes = 64UL << 20, .cpus = 2 };
struct memory_range native_memory[] = { { 0, 64UL << 20, MEMORY_RAM } };
unsigned native_memory_count = 1;

size_t platform_entropy(void *to, size_t length)
{
    (void)to, (void)length;
    return 0;
}

static struct network_device *nic;
static nanoseconds due;
static bool wanted;
static unsigned received;

static void receive(struct network_device *device, struct packet *packet)
{
    (void)device;
    received++;
    fuzz_packet(packet);
}

static void want_service(struct network_device *device) { (void)device, wanted = true; }
static void receive_more(struct network_device *device) { device->polled = true; }
static void rest(void) { fake_advance(NS_PER_MS); }

static void moment(void)
{
    fake_advance(MOMENT);
    while (nic->polled)
        nic->polled = nic->receive_round(nic);
    if (!wanted && clock_monotonic() < due)
        return;
    wanted = false;
    due = nic->service(nic, rest);
}

/* A completion that is counterfeit breaks these, since the driver cannot know better: it gives away what the device
 * still has. And fuzz_transmit() sends packets that are larger than those of a stack. */
static void forgive(void)
{
    static const enum model_rule rules[] = { RULE_SLOT_FREE, RULE_RX_ID,        RULE_TX_ID,       RULE_RX_FILLED,
                                             RULE_AENQ_HEAD, RULE_RESET_PHASES, RULE_DMA_ADDRESS, RULE_TX_MTU };
    for (unsigned i = 0; i < array_size(rules); i++)
        fake.model.forgiven[rules[i]] = true;
}

static void start(void)
{
    struct model_variant v = model_usual();
    v.llq_sizes = 1;
    v.no_meta_caching = true;
    v.rss_log2 = 7;
    v.hash_functions = MODEL_TOEPLITZ;
    v.capabilities |= 1u << 4;
    host_init();
    fake_init(v);
    forgive();
    FUZZ_CHECK(fake_find());
    nic = network_device_at(0);
    nic->receive = receive;
    nic->receive_more = receive_more;
    nic->want_service = want_service;
    for (unsigned i = 0; i < 200; i++)
        moment();
    FUZZ_CHECK(nic->running);
}

/* ---- What the device does ---- */

static void post_sent(struct fuzz_input *input)
{
    uint8_t entry[8];
    (void)fuzz_bytes(input, entry, sizeof(entry));
    if (entry[3] & 0x10)
        entry[1] = 0;
    model_post_sent(&fake.model, entry[2] & 1, entry);
}

static void post_received(struct fuzz_input *input)
{
    uint8_t entry[16];
    (void)fuzz_bytes(input, entry, sizeof(entry));
    if (!(entry[14] & 0x80)) { /* likelier ones */
        entry[3] &= 0x0c;
        entry[5] &= 0x0f;
        entry[6] &= 0x3f;
        entry[7] = entry[14] = 0;
    }
    model_post_received(&fake.model, entry[13] & 1, entry);
}

static void event(struct fuzz_input *input)
{
    uint8_t data[48];
    uint8_t group = fuzz_8(input), syndrome = fuzz_8(input);
    (void)fuzz_bytes(input, data, sizeof(data));
    (void)model_event(&fake.model, group % 16, syndrome, data, sizeof(data));
}

/* Bytes anywhere in one of the rings that the device writes. */
static void scribble(struct fuzz_input *input)
{
    const struct model *m = &fake.model;
    const uint64_t rings[] = { m->completion_base, m->event_base, m->completion_queues[0].base,
                               m->completion_queues[1].base };
    uint64_t ring = rings[fuzz_8(input) % array_size(rings)];
    uint16_t at = fuzz_16(input) % 1024;
    if (ring != 0)
        *((uint8_t *)phys_to_virt(ring) + at) = fuzz_8(input);
}

static void fail(struct fuzz_input *input)
{
    uint8_t which = fuzz_8(input);
    fake.model.faults = (struct model_faults){ .admin_number = 1 + which % 16,
                                               .admin = 1 + which / 16 % ADMIN_TWICE,
                                               .admin_status = fuzz_8(input),
                                               .no_keep_alive = which & 1,
                                               .no_interrupts = which & 2,
                                               .packets_lost = which & 4,
                                               .readless_elsewhere = which > 250,
                                               .reset_ignored = which > 240 };
}

static void arrive(struct fuzz_input *input)
{
    uint8_t frame[200];
    size_t length = 14 + fuzz_8(input) % 186;
    (void)fuzz_bytes(input, frame, length);
    (void)model_receive(&fake.model, frame, length);
}

static void step(struct fuzz_input *input)
{
    static void (*const steps[])(struct fuzz_input * input) = { post_sent, post_received, post_received, event,
                                                                scribble,  fail,          arrive };
    uint8_t what = fuzz_8(input) % 16;
    if (what < array_size(steps))
        steps[what](input);
    else if (what == 7)
        fake.model.hold = !fake.model.hold;
    else if (what == 8)
        (void)model_complete(&fake.model, 0, fuzz_8(input));
    else if (what < 12)
        fake_interrupts();
    else if (what < 14)
        moment();
    else
        fuzz_transmit(nic, input);
}

/* ---- What must follow ---- */

/* Everything is as it was, after a reset. */
static void settle(void)
{
    unsigned resets = fake.model.resets;
    fake.model.faults = (struct model_faults){ 0 };
    fake.model.hold = false;
    for (unsigned i = 0; i < 4000 && (fake.model.resets == resets || !nic->running); i++) {
        if (i % 100 == 0)
            model_break(&fake.model);
        moment();
    }
    for (unsigned i = 0; i < 300; i++)
        moment();
    FUZZ_CHECK(nic->running && fake.model.resets > resets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static uint64_t pages, blocks;
    struct fuzz_input input = { data, size };
    if (!started) {
        start();
        settle();
        pages = host_pages_in_use();
        blocks = host_heap_blocks();
    }
    started = true;
    for (unsigned i = 0; i < STEPS && input.left > 0; i++)
        step(&input);
    settle();
    unsigned before = received;
    const uint8_t frame[60] = { 2 };
    FUZZ_CHECK(model_receive(&fake.model, frame, sizeof(frame)));
    moment();
    FUZZ_CHECK(received == before + 1);
    FUZZ_CHECK(host_pages_in_use() <= pages && host_heap_blocks() <= blocks);
    FUZZ_CHECK(fake.model.first_violation == NULL);
    return 0;
}
