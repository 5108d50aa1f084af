/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller of fake_controller.h. Registers are mapped by the byte, so that the sanitizer sees an access outside
 * of what was mapped; doorbells and registers act when they are written. Each look at the status lets a millisecond
 * pass, for a driver that waits. Rules are those of NVM Express 1.4.
 */
#include "drivers/nvme/fake_controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "drivers/nvme/nvme.h"
#include "drivers/pci/mappings.h"
#include "host/host.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/platform.h"

#define DOORBELLS 0x1000

struct fake_controller fake;

static uint8_t disks[FAKE_NAMESPACES][FAKE_DISK_BYTES];

void fake_rule(bool kept, const char *what)
{
    if (!kept && fake.violation == NULL)
        fake.violation = what;
}

/* The offset of a register in the window; of one of an earlier controller, UINT32_MAX. */
static uint32_t offset_of(const volatile void *p)
{
    phys_t address = mapping_address(p);
    return address ? (uint32_t)(address - FAKE_WINDOW) : UINT32_MAX;
}

/* ---- Completions ---- */

static void post(unsigned index, struct nvme_completion completion)
{
    struct fake_queue *queue = &fake.queues[index];
    struct nvme_completion *ring = phys_to_virt(queue->completions);
    uint16_t phase = queue->posted / queue->completion_entries % 2 == 0;
    completion.head = (uint16_t)queue->head;
    completion.status = (uint16_t)((completion.status & ~1) | phase);
    ring[queue->posted++ % queue->completion_entries] = completion;
}

void fake_post(uint16_t id, uint16_t queue, uint16_t status)
{
    post(fake.pair, (struct nvme_completion){ .id = id, .queue = queue, .status = status });
}

void fake_interrupt(void)
{
    unsigned entry = fake.queues[fake.pair].vector, cpu = this_cpu()->id;
    if (entry >= FAKE_VECTORS || !fake.connected[entry])
        return;
    this_cpu()->id = fake.routes[entry];
    fake.handler(fake.context);
    this_cpu()->id = cpu;
}

void fake_complete(const struct nvme_command *command, uint16_t status)
{
    struct fake_queue *queue = &fake.queues[fake.pair];
    fake_rule(queue->posted - queue->acknowledged < queue->completion_entries - 1, "there is no room for completions");
    queue->under_way[command->id / 32] &= ~(1u << command->id % 32);
    queue->count_under_way--;
    fake_post(command->id, (uint16_t)fake.pair, status);
    fake_interrupt();
}

/* ---- Commands ---- */

static bool fetch(unsigned index, struct nvme_command *command)
{
    struct fake_queue *queue = &fake.queues[index];
    if (!queue->commands_exist || queue->head == queue->tail)
        return false;
    memcpy(command, (struct nvme_command *)phys_to_virt(queue->commands) + queue->head, sizeof(*command));
    queue->head = (queue->head + 1) % queue->command_entries;
    fake_rule(command->flags == 0 && command->reserved == 0 && command->metadata == 0, "reserved fields are used");
    return true;
}

static struct fake_namespace *namespace_of(uint32_t id)
{
    for (unsigned i = 0; i < FAKE_NAMESPACES; i++)
        if (fake.namespaces[i].id == id && id != 0)
            return &fake.namespaces[i];
    return NULL;
}

static unsigned shift_of(const struct fake_namespace *namespace)
{
    return namespace->identity[128 + 4 * (namespace->identity[26] & 15) + 2];
}

static uint64_t block_of(const struct nvme_command *command)
{
    return (uint64_t)command->arguments[1] << 32 | command->arguments[0];
}

static uint32_t bytes_of(const struct nvme_command *command)
{
    return ((command->arguments[2] & 0xffff) + 1) << shift_of(namespace_of(command->namespace));
}

bool fake_take(struct nvme_command *command)
{
    struct fake_queue *queue = &fake.queues[fake.pair];
    if (!fetch(fake.pair, command))
        return false;
    struct fake_namespace *namespace = namespace_of(command->namespace);
    fake_rule(namespace != NULL, "a namespace that does not exist");
    fake_rule(command->id < 256 && !(queue->under_way[command->id / 32] & 1u << command->id % 32),
              "an identifier that is in use");
    queue->under_way[command->id / 32] |= 1u << command->id % 32;
    queue->count_under_way++;
    fake_rule(queue->count_under_way < queue->command_entries, "more commands than the queue takes");
    fake_rule(command->opcode <= NVME_READ, "an unknown command");
    if (namespace == NULL || command->opcode == NVME_FLUSH)
        return true;
    uint64_t blocks;
    memcpy(&blocks, namespace->identity, sizeof(blocks));
    uint64_t limit = fake.identity[77] == 0 ? UINT64_MAX : 4096UL << fake.identity[77];
    fake_rule(block_of(command) + (command->arguments[2] & 0xffff) < blocks, "blocks that the disk does not have");
    fake_rule(bytes_of(command) <= limit, "more data than the controller takes");
    fake_rule((command->arguments[2] & ~0xffffu) == 0, "options of a transfer");
    return true;
}

/* Where byte `at` of a command's data is and, in *length, how many follow it there (4.3). */
static uint8_t *locate(const struct nvme_command *command, uint32_t at, uint32_t total, uint32_t *length)
{
    uint64_t first = command->data[0], second = command->data[1];
    uint32_t in_first = (uint32_t)(PAGE_SIZE - (first & PAGE_MASK));
    fake_rule(first % 4 == 0, "data that is not aligned to 4 bytes");
    fake_rule(total > in_first || second == 0, "a second PRP that is not needed");
    if (at < in_first) {
        *length = min_of(in_first - at, total - at);
        return (uint8_t *)phys_to_virt(first) + at;
    }
    uint32_t rest = at - in_first;
    uint64_t page = second;
    if (total > in_first + PAGE_SIZE) {
        const uint64_t *list = phys_to_virt(second);
        uint32_t entries = (uint32_t)((total - in_first + PAGE_SIZE - 1) / PAGE_SIZE);
        fake_rule(second % 8 == 0 && (second & PAGE_MASK) + entries * 8 <= PAGE_SIZE,
                  "a PRP list that leaves its page");
        page = list[rest / PAGE_SIZE];
    }
    fake_rule(page % PAGE_SIZE == 0 && page != 0, "a PRP that is not a page");
    *length = (uint32_t)min_of(PAGE_SIZE - rest % PAGE_SIZE, (uint64_t)total - at);
    return (uint8_t *)phys_to_virt(page) + rest % PAGE_SIZE;
}

void fake_transfer(const struct nvme_command *command)
{
    struct fake_namespace *namespace = namespace_of(command->namespace);
    if (command->opcode == NVME_FLUSH || fake.violation != NULL)
        return;
    uint32_t total = bytes_of(command), length;
    uint8_t *data = namespace->data + (block_of(command) << shift_of(namespace));
    for (uint32_t at = 0; at < total && fake.violation == NULL; at += length) {
        uint8_t *memory = locate(command, at, total, &length);
        if (command->opcode == NVME_READ)
            memcpy(memory, data + at, length);
        else
            memcpy(data + at, memory, length);
    }
}

unsigned fake_serve(void)
{
    struct nvme_command command;
    unsigned count = 0, pair = fake.pair;
    for (fake.pair = 1; fake.pair < FAKE_QUEUES; fake.pair++) {
        while (fake_take(&command)) {
            fake_transfer(&command);
            fake_complete(&command, 0);
            count++;
        }
    }
    fake.pair = pair;
    return count;
}

/* ---- Administrative commands ---- */

static void identify(const struct nvme_command *command)
{
    uint8_t *to = phys_to_virt(command->data[0]);
    uint32_t ids[1024] = { 0 };
    fake_rule(command->data[0] % PAGE_SIZE == 0 && command->data[1] == 0, "a place for Identify that is not a page");
    struct fake_namespace *namespace = namespace_of(command->namespace);
    switch (command->arguments[0]) {
    case 0:
        if (namespace != NULL)
            memcpy(to, namespace->identity, 4096);
        break;
    case 1:
        memcpy(to, fake.identity, 4096);
        break;
    case 2:
        fake_rule(fake.version >= 0x10100, "a list that this version does not have");
        for (unsigned i = 0, n = 0; i < FAKE_NAMESPACES; i++)
            if (fake.namespaces[i].id != 0)
                ids[n++] = fake.namespaces[i].id;
        memcpy(to, fake.list != NULL ? fake.list : ids, 4096);
        break;
    default:
        fake_rule(false, "an unknown structure");
    }
}

static void create_queue(const struct nvme_command *command)
{
    bool of_commands = command->opcode == NVME_CREATE_SUBMISSION_QUEUE;
    uint32_t id = command->arguments[0] & 0xffff, entries = (command->arguments[0] >> 16) + 1;
    struct fake_queue *queue = &fake.queues[id < FAKE_QUEUES ? id : 0];
    fake_rule(id > 0 && id < FAKE_QUEUES && command->arguments[1] & 1, "a queue that cannot be, or not in one piece");
    fake_rule(id <= (fake.granted & 0xffff) + 1 && id <= (fake.granted >> 16) + 1, "a queue that was not granted");
    fake_rule(!(of_commands ? queue->commands_exist : queue->completions_exist), "a queue is created twice");
    fake_rule(entries >= 2 && entries - 1 <= (fake.capabilities & 0xffff), "a length that queues cannot have");
    fake_rule(command->data[0] % PAGE_SIZE == 0 && command->data[1] == 0, "a queue that is not a page");
    if (of_commands) {
        fake_rule(queue->completions_exist && command->arguments[1] >> 16 == id, "commands without completions");
        queue->commands_exist = true;
        queue->commands = command->data[0];
        queue->command_entries = entries;
        return;
    }
    fake_rule(command->arguments[1] & 2, "completions without interrupts");
    queue->vector = command->arguments[1] >> 16;
    fake_rule(queue->vector < fake.vectors, "an interrupt that does not exist");
    queue->completions_exist = true;
    queue->completions = command->data[0];
    queue->completion_entries = entries;
}

static void administer(const struct nvme_command *command)
{
    uint16_t status = ++fake.commands_answered == fake.fails_at ? 0x4002 : 0;
    uint32_t result = command->opcode == NVME_SET_FEATURES ? fake.granted : 0;
    if (fake.commands_answered == fake.silent_at)
        return;
    if (command->opcode == NVME_SET_FEATURES)
        fake.asked = command->arguments[1];
    if (status == 0 && command->opcode == NVME_IDENTIFY)
        identify(command);
    else if (status == 0 &&
             (command->opcode == NVME_CREATE_SUBMISSION_QUEUE || command->opcode == NVME_CREATE_COMPLETION_QUEUE))
        create_queue(command);
    else
        fake_rule(status != 0 || (command->opcode == NVME_SET_FEATURES && command->arguments[0] == 7),
                  "an unknown administrative command");
    post(0,
         (struct nvme_completion){ .result = result, .id = (uint16_t)(command->id + fake.wrong_id), .status = status });
}

/* ---- Registers ---- */

static void start_admin_queue(void)
{
    fake_rule(fake.admin_commands % PAGE_SIZE == 0 && fake.admin_completions % PAGE_SIZE == 0,
              "administrative queues that are not pages");
    fake.queues[0] = (struct fake_queue){
        .commands_exist = true,
        .completions_exist = true,
        .commands = fake.admin_commands,
        .completions = fake.admin_completions,
        .command_entries = (fake.admin_sizes & 0xfff) + 1,
        .completion_entries = (fake.admin_sizes >> 16 & 0xfff) + 1,
    };
    fake_rule(fake.queues[0].command_entries >= 2 && fake.queues[0].completion_entries >= 2,
              "an administrative queue of 1");
}

static void configure(uint32_t value)
{
    bool was = fake.configuration & 1, is = value & 1;
    fake.configuration = value;
    if (is && !was) {
        fake_rule(!(fake.status & 1), "turned on before it has stopped");
        fake_rule((value >> 16 & 15) == 6 && (value >> 20 & 15) == 4 && (value >> 4 & 0x7f) == 0,
                  "sizes of entries or pages");
        start_admin_queue();
        fake.status = fake.fatal ? 2 : !fake.never_ready;
    }
    if (!is && !fake.never_stops) {
        fake.status = 0;
        memset(fake.queues, 0, sizeof(fake.queues));
    }
}

/* 3.1.5: a shutdown is asked for by bits 15:14 alone. */
static void begin_shutdown(uint32_t value)
{
    fake_rule(((value ^ fake.configuration) & ~0xc000u) == 0 && (value & 0xc001) == 0x4001, "a shutdown not in form");
    fake.shutdowns++;
    fake.shutdown_ends = clock_monotonic() + fake.shutdown_takes;
}

static uint32_t status(void)
{
    uint32_t shutdown = fake.shutdowns == 0 ? 0 : clock_monotonic() < fake.shutdown_ends ? 1 : 2;
    return fake.status | (fake.fatal ? 2 : 0) | shutdown << 2;
}

static void ring_doorbell(unsigned number, uint32_t value)
{
    struct fake_queue *queue = &fake.queues[number / 2];
    bool exists = number % 2 == 0 ? queue->commands_exist : queue->completions_exist;
    uint32_t entries = number % 2 == 0 ? queue->command_entries : queue->completion_entries;
    fake_rule(exists && value < entries, "a doorbell of a queue that does not exist, or beyond its end");
    if (fake.violation != NULL)
        return;
    if (number % 2 == 1) {
        uint32_t taken = (value + entries - queue->acknowledged % entries) % entries;
        fake_rule(taken > 0 && taken <= queue->posted - queue->acknowledged, "completions that do not exist are taken");
        queue->acknowledged += taken;
        return;
    }
    queue->tail = value;
    struct nvme_command command;
    while (number == 0 && fetch(0, &command))
        administer(&command);
}

static uint32_t register_read(uint32_t offset)
{
    if (++fake.steps > FAKE_STEPS_MAX) {
        fprintf(stderr, "the driver does not come to an end\n");
        abort();
    }
    if (offset == 0x1c)
        host_advance(NS_PER_MS);
    if (fake.gone || offset == UINT32_MAX)
        return UINT32_MAX;
    switch (offset) {
    case 0x00:
        return (uint32_t)fake.capabilities;
    case 0x04:
        return (uint32_t)(fake.capabilities >> 32);
    case 0x08:
        return fake.version;
    case 0x14:
        return fake.configuration;
    case 0x1c:
        return status();
    default:
        fake_rule(false, "an unknown register is read");
        return 0;
    }
}

static void register_written(uint32_t offset, uint32_t value)
{
    uint32_t stride = 4u << (fake.capabilities >> 32 & 15);
    if (fake.gone || offset == UINT32_MAX)
        return;
    fake_rule(offset == 0x14 || offset >= DOORBELLS || !(fake.configuration & 1), "changed while it runs");
    switch (offset) {
    case 0x14:
        if (value & 0xc000)
            begin_shutdown(value);
        configure(value);
        return;
    case 0x24:
        fake.admin_sizes = value;
        return;
    case 0x28:
        fake.admin_commands = value | (fake.admin_commands & ~0xffffffffUL);
        return;
    case 0x2c:
        fake.admin_commands = (fake.admin_commands & 0xffffffff) | (uint64_t)value << 32;
        return;
    case 0x30:
        fake.admin_completions = value | (fake.admin_completions & ~0xffffffffUL);
        return;
    case 0x34:
        fake.admin_completions = (fake.admin_completions & 0xffffffff) | (uint64_t)value << 32;
        return;
    default:
        break;
    }
    fake_rule(offset >= DOORBELLS && (offset - DOORBELLS) % stride == 0, "an unknown register is written");
    if (fake.violation == NULL && (offset - DOORBELLS) / stride < 2 * FAKE_QUEUES)
        ring_doorbell((offset - DOORBELLS) / stride, value);
}

uint32_t mmio_read32(const volatile void *p)
{
    (void)*(const volatile uint32_t *)p;
    return register_read(offset_of(p));
}

void mmio_write32(volatile void *p, uint32_t value)
{
    *(volatile uint32_t *)p = value;
    register_written(offset_of(p), value);
}

/* ---- Start ---- */

static void put_text(unsigned offset, const char *text, unsigned length)
{
    memset(fake.identity + offset, ' ', length);
    memcpy(fake.identity + offset, text, strlen(text));
}

void fake_add_namespace(unsigned place, uint32_t id, uint8_t shift)
{
    struct fake_namespace *namespace = &fake.namespaces[place];
    uint64_t blocks = FAKE_DISK_BYTES >> shift;
    memset(namespace, 0, sizeof(*namespace));
    namespace->id = id;
    namespace->data = disks[place];
    memcpy(namespace->identity, &blocks, sizeof(blocks));
    namespace->identity[26] = 2; /* its third format */
    namespace->identity[128 + 4 * 2 + 2] = shift;
    for (unsigned i = 0; i < FAKE_DISK_BYTES; i++)
    namespace->data[i] = (uint8_t)(i / 512 * 7 + i + place);
}

void fake_init(void)
{
    mappings_clear(); /* the last controller is gone */
    uint32_t namespaces = 3;
    fake = (struct fake_controller){
        .capabilities = 1UL << 37 | 20UL << 24 | 1023,
        .version = 0x10400,
        .vectors = 3,
        .window_length = 0x4000,
        .granted = 0x3f003f,
        .pair = 1,
    };
    fake.identity[0] = 0x0f;
    fake.identity[1] = 0x1d;
    put_text(4, "vol0123456789abcdef0", 20);
    put_text(24, "Amazon Elastic Block Store", 40);
    put_text(3072, "/dev/sdf", 32);
    fake.identity[512] = 0x66;
    fake.identity[513] = 0x44;
    memcpy(fake.identity + 516, &namespaces, sizeof(namespaces));
    fake_add_namespace(0, 1, 9);
}

bool fake_find(void)
{
    struct pci_function function = { .device = 4, .vendor = 0x1d0f, .id = 0x8061, .class = 0x010802 };
    return nvme_start(&function);
}
