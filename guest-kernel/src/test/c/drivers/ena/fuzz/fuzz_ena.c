/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ENA card that answers, completes and reports what the input says. Where the model of ../model/ keeps to the rules,
 * this card keeps to none: it changes what it reads as registers, its answers to commands, and its rings. The card is
 * for ever, so there is one; after each input it behaves well again, must come up, and nothing of the driver's memory
 * may be lost.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/ena/admin.h"
#include "drivers/ena/ena.h"
#include "drivers/ena/events.h"
#include "drivers/ena/nic.h"
#include "drivers/ena/registers.h"
#include "host/fuzz.h"
#include "host/host.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

#define STEPS 300
#define LOOK (200 * NS_PER_US)
#define WINDOW 0xfe0000000UL
#define REGISTERS 0x4000u
#define MEMORY 0x100000u
#define DOORBELLS 0x1000u /* what other offsets the card names lie from here on */
#define RINGS 4
#define ADMIN_ENTRIES 32
#define EVENT_ENTRIES 16

struct platform_information platform = { .name = "host", .memory_bytes = 32UL << 20, .cpus = 2 };
struct memory_range native_memory[] = { { 0, 64UL << 20, MEMORY_RAM } };
unsigned native_memory_count = 1;

size_t platform_entropy(void *to, size_t length)
{
    (void)to, (void)length;
    return 0;
}

static uint8_t registers[REGISTERS], memory[MEMORY];
static struct fuzz_input *wild; /* NULL: it behaves well */
static bool resetting;
static phys_t read_answer, commands, answers, events;
static uint32_t command_head, event_tail, event_limit;
static struct ring {
    phys_t base;
    uint32_t depth, entry, tail;
} rings[RINGS];
static unsigned ring_count;
static interrupt_handler *handlers[8];
static void *contexts[8];
static int vectors;
static struct network_device *device;

/* ---- The card ---- */

/* Now and then another value than that of a good card. */
static uint32_t perhaps(uint32_t value) { return wild && fuzz_8(wild) >= 240 ? fuzz_32(wild) : value; }

static uint32_t register_value(unsigned offset)
{
    switch (offset) {
    case ENA_VERSION:
        return 10;
    case ENA_CONTROLLER_VERSION:
        return 0x100001;
    case ENA_CAPABILITIES:
        return 48u << 8 | 2u << 1;
    case ENA_STATUS:
        return ENA_STATUS_READY | (resetting ? ENA_STATUS_RESETTING : 0);
    default:
        return 0;
    }
}

static void answer_read(uint32_t asked)
{
    struct ena_read_answer *answer = phys_to_virt(read_answer);
    answer->offset = (uint16_t)perhaps(asked >> 16);
    answer->value = perhaps(register_value(asked >> 16));
    answer->sequence = (uint16_t)perhaps(asked & 0xffff);
}

static void fill_feature(uint8_t feature, struct ena_answer *answer)
{
    switch (feature) {
    case ENA_FEATURE_ATTRIBUTES:
        answer->attributes = (struct ena_attributes){
            .supported = UINT32_MAX, .capabilities = 0x18, .mac = { 2, 0, 0, 0, 0, 1 }, .max_mtu = 9001
        };
        break;
    case ENA_FEATURE_QUEUES_EXTENDED:
        answer->queues_extended = (struct ena_queues_extended){ 1, { 0 }, 2, 2, 2, 2, 64, 64, 64, 64, 128, 8, 4 };
        break;
    case ENA_FEATURE_QUEUES:
        answer->queues = (struct ena_queues){ 2, 64, 2, 64, 2, 64, 128, 8, 4 };
        break;
    case ENA_FEATURE_PUSH:
        answer->push = (struct ena_push){
            .queues = 1, .depth = 64, .headers = 1, .entry_sizes = 5, .descriptors = 2, .strides = 2
        };
        break;
    case ENA_FEATURE_OFFLOADS:
        answer->offloads = (struct ena_offloads){ 0x2b, 7, 7 };
        break;
    case ENA_FEATURE_EVENTS:
        answer->events.supported = 0x9f;
        break;
    }
}

static void create_completions(const struct ena_create_completions *create, struct ena_answer *answer)
{
    phys_t base = create->ring.low | (phys_t)create->ring.high << 32;
    rings[ring_count % RINGS] = (struct ring){ base, create->depth, create->entry_words * 4u, 0 };
    answer->completions.index = (uint16_t)(ring_count++ % RINGS);
    answer->completions.unmask = DOORBELLS;
}

static void answer_command(const struct ena_command *command, struct ena_answer *answer)
{
    if (command->opcode == ENA_GET_FEATURE)
        fill_feature(command->feature.feature, answer);
    if (command->opcode == ENA_CREATE_COMPLETIONS)
        create_completions(&command->create_completions, answer);
    if (command->opcode == ENA_CREATE_SUBMISSIONS)
        answer->submissions.doorbell = DOORBELLS + 4;
    for (unsigned changes = wild && fuzz_8(wild) >= 200 ? fuzz_8(wild) % 4 : 0; changes > 0; changes--) {
        uint8_t at = fuzz_8(wild) % sizeof(*answer);
        ((uint8_t *)answer)[at] = fuzz_8(wild);
    }
}

static void do_command(void)
{
    const struct ena_command *ring = phys_to_virt(commands);
    struct ena_answer *to = phys_to_virt(answers);
    struct ena_answer answer = { .id = ring[command_head % ADMIN_ENTRIES].id };
    answer_command(&ring[command_head % ADMIN_ENTRIES], &answer);
    if (!wild || fuzz_8(wild) < 250)
        answer.flags = (answer.flags & 0xfe) | ena_phase((uint16_t)command_head, ADMIN_ENTRIES);
    to[command_head++ % ADMIN_ENTRIES] = answer;
}

static void report(const struct ena_event *event)
{
    struct ena_event *ring = phys_to_virt(events);
    /* Into entries that it has been given: one that overruns its ring loses the place in it for good. */
    if (events == 0 || (uint16_t)(event_limit - event_tail) - 1u >= EVENT_ENTRIES)
        return;
    ring[event_tail % EVENT_ENTRIES] = *event;
    ring[event_tail % EVENT_ENTRIES].flags = ena_phase((uint16_t)event_tail, EVENT_ENTRIES);
    event_tail++;
}

static void control(uint32_t value)
{
    resetting = value & 1;
    if (!resetting)
        return;
    commands = answers = events = 0;
    command_head = event_tail = event_limit = ring_count = 0;
    memset(rings, 0, sizeof(rings));
}

static void write_register(unsigned offset, uint32_t value)
{
    static const struct base {
        unsigned offset;
        phys_t *address;
    } bases[] = {
        { ENA_COMMANDS, &commands },
        { ENA_ANSWERS, &answers },
        { ENA_EVENTS, &events },
        { ENA_READ_ANSWER, &read_answer },
    };
    for (const struct base *base = bases; base < bases + array_size(bases); base++) {
        if (offset == base->offset)
            *base->address = value;
        if (offset == base->offset + 4)
            *base->address |= (phys_t)value << 32;
    }
    if (offset == ENA_CONTROL)
        control(value);
    if (offset == ENA_READ && read_answer != 0)
        answer_read(value);
    if (offset == ENA_EVENTS_DOORBELL)
        event_limit = value;
    if (offset == ENA_COMMANDS_DOORBELL && commands != 0)
        do_command();
}

/* ---- The machine ---- */

static bool within(const volatile void *p, const uint8_t *window, size_t length, size_t width)
{
    uintptr_t at = (uintptr_t)p - (uintptr_t)window;
    return at < length && length - at >= width;
}

void mmio_write32(volatile void *p, uint32_t value)
{
    FUZZ_CHECK(within(p, registers, sizeof(registers), 4));
    write_register((unsigned)((uintptr_t)p - (uintptr_t)registers), value);
}

void mmio_write64(volatile void *p, uint64_t value)
{
    FUZZ_CHECK(within(p, memory, sizeof(memory), 8));
    *(volatile uint64_t *)p = value;
}

uint32_t mmio_read32(const volatile void *p)
{
    FUZZ_CHECK(within(p, registers, sizeof(registers), 4));
    return 0;
}

volatile void *mmio_map(phys_t address, size_t length)
{
    (void)length;
    return address == WINDOW ? registers : memory;
}

phys_t pci_whole_window(const struct pci_function *function, unsigned index, uint64_t *length)
{
    (void)function;
    *length = index == 0 ? REGISTERS : MEMORY;
    return index == 0 ? WINDOW : 2 * WINDOW;
}

int pci_msix_enable(struct pci_function *function)
{
    function->msix_vectors = 2;
    return 0;
}

int interrupt_allocate(interrupt_handler *handler, void *context)
{
    handlers[vectors] = handler;
    contexts[vectors] = context;
    return 1 + vectors++;
}

void pci_msix_route(struct pci_function *function, unsigned index, unsigned vector, unsigned cpu)
{
    (void)function, (void)index, (void)vector, (void)cpu;
}

void interrupt_raise(unsigned vector) { (void)vector; }

int pci_msix_set(struct pci_function *function, unsigned index, unsigned vector)
{
    (void)function, (void)index, (void)vector;
    return 0;
}

uint8_t pci_read8(const struct pci_function *function, unsigned offset)
{
    (void)function, (void)offset;
    return 0;
}

void pci_enable(const struct pci_function *function) { (void)function; }
void pci_disconnect(const struct pci_function *function) { (void)function; }

/* ---- The stack ---- */

static void receive(struct network_device *network, struct packet *packet)
{
    (void)network;
    uint64_t sum = packet_checksum(packet, 0, 0); /* every byte is there */
    FUZZ_CHECK(packet->length > 0 && sum + 1 != 0);
    packet_free(packet);
}

static void rest(void) { host_advance(NS_PER_MS); }

static void send(struct fuzz_input *input)
{
    uint16_t length = fuzz_16(input) % 4000;
    uint8_t kind = fuzz_8(input);
    struct packet *packet = packet_allocate_paged(54u + length);
    memset(packet_put(packet, 54u + length), kind, 54u + length);
    packet_data(packet)[12] = 8;
    packet_data(packet)[13] = 0;
    for (unsigned i = 0; i < kind % 12u; i++) {
        struct page *page = page_allocate_zeroed();
        (void)packet_add_fragment(packet, page, 8, 1000);
        page_put(page);
    }
    if (kind & 1)
        packet->flags = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = kind & 2 ? 34 : fuzz_16(input);
    packet->checksum_offset = kind & 4 ? 16 : 6;
    packet->segment_size = kind & 8 ? fuzz_16(input) : 0;
    packet->header_length = kind & 16 ? 54 : fuzz_16(input);
    (void)device->transmit(device, packet);
    device->flush(device);
}

/* ---- Inputs ---- */

static void post(struct fuzz_input *input)
{
    struct ring *ring = &rings[fuzz_8(input) % RINGS];
    uint8_t entry[16];
    (void)fuzz_bytes(input, entry, sizeof(entry));
    if (ring->base == 0 || ring->entry > sizeof(entry) || ring->depth == 0)
        return;
    entry[3] = (uint8_t)((entry[3] & 0xfe) | ena_phase((uint16_t)ring->tail, ring->depth));
    memcpy((uint8_t *)phys_to_virt(ring->base) + ring->tail++ % ring->depth * ring->entry, entry, ring->entry);
}

static void report_anything(struct fuzz_input *input)
{
    struct ena_event event = { .group = fuzz_8(input) % 9, .syndrome = fuzz_8(input) % 4 };
    (void)fuzz_bytes(input, event.data, 16);
    report(&event);
}

static void serve(nanoseconds time)
{
    host_advance(time);
    (void)device->service(device, rest);
}

static void step(struct fuzz_input *input)
{
    switch (fuzz_8(input) % 8) {
    case 0:
    case 1:
        send(input);
        break;
    case 2:
    case 3:
        post(input);
        break;
    case 4:
        report_anything(input);
        break;
    case 5:
        handlers[0](contexts[0]);
        break;
    case 6:
        handlers[1](contexts[1]);
        break;
    default:
        serve(fuzz_8(input) * 20 * NS_PER_MS);
    }
}

static void report_link(void)
{
    const struct ena_event event = { .group = ENA_EVENT_LINK, .data = { 1 } };
    report(&event);
}

/* From a reset on; at most 10 s after the last attempt there is another one. */
static void behave(void)
{
    const struct ena_event reset = { .group = ENA_EVENT_RESET };
    wild = NULL;
    if (events != 0)
        handlers[0](contexts[0]); /* so that there is room in its ring */
    report(&reset);
    serve(11 * NS_PER_SECOND);
    report(&reset);
    serve(11 * NS_PER_SECOND);
    report_link();
    handlers[0](contexts[0]);
}

static void start(void)
{
    const struct pci_function function = { .vendor = 0x1d0f, .id = 0xec20, .class = 0x020000 };
    host_init();
    host_clock_step = LOOK;
    FUZZ_CHECK(ena_start(&function));
    device = network_device_at(0);
    FUZZ_CHECK(device != NULL);
    device->receive = receive;
    behave();
    FUZZ_CHECK(device->running);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    if (!device)
        start();
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    wild = &input;
    for (unsigned i = 0; i < STEPS && input.left > 0; i++)
        step(&input);
    behave();
    FUZZ_CHECK(device->running && host_pages_in_use() == pages && host_heap_blocks() == blocks);
    return 0;
}
