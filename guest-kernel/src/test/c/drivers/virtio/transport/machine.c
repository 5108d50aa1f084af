/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine under the transports: ports, mapped registers, interrupts. Nothing in it checks what the driver does but
 * the bounds of what it mapped; an access that the test did not expect to take for ever ends at STEPS_MAX.
 */
#include "drivers/virtio/transport/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/pci/mappings.h"
#include "drivers/virtio/virtio.h"
#include "host/host.h"
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/platform.h"

#define FUNCTIONS 16
#define INTERRUPTS 256
#define STEPS_MAX 20000000UL

static struct placed {
    unsigned place;
    struct machine_function function;
} functions[FUNCTIONS];
static unsigned function_count;
struct machine_function *machine_everywhere;
enum machine_ports machine_ports;
unsigned machine_moved_while_decoding;
static uint32_t selected;
struct acpi_information acpi;

static struct {
    interrupt_handler *handler;
    void *context;
} interrupts[INTERRUPTS];
unsigned machine_interrupts;

struct machine_device machine_device;
unsigned long machine_steps;
struct memory_range native_memory[1] = { { 0x100000, 0x10000000, MEMORY_RAM } };
unsigned native_memory_count = 1;

static void step(void)
{
    if (++machine_steps < STEPS_MAX)
        return;
    fprintf(stderr, "a driver does not come to an end\n");
    abort();
}

/* ---- PCI -------------------------------------------------------------------------------------- */

static unsigned place_of(unsigned bus, unsigned device, unsigned function) { return bus << 8 | device << 3 | function; }

struct machine_function *machine_add(unsigned bus, unsigned device, unsigned function, uint16_t vendor, uint16_t id)
{
    if (function_count == FUNCTIONS)
        abort();
    struct placed *placed = &functions[function_count++];
    memset(placed, 0, sizeof(*placed));
    placed->place = place_of(bus, device, function);
    machine_put16(&placed->function, 0, vendor);
    machine_put16(&placed->function, 2, id);
    return &placed->function;
}

void machine_put16(struct machine_function *function, unsigned offset, uint16_t value)
{
    memcpy(function->config + offset, &value, sizeof(value));
}

void machine_put32(struct machine_function *function, unsigned offset, uint32_t value)
{
    memcpy(function->config + offset, &value, sizeof(value));
}

static void put_capability(struct machine_function *function, unsigned at, unsigned next, uint8_t type, uint32_t offset)
{
    function->config[at] = 9;
    function->config[at + 1] = (uint8_t)next;
    function->config[at + 3] = type;
    function->config[at + 4] = 4;
    machine_put32(function, at + 8, offset);
    machine_put32(function, at + 12, MACHINE_PART);
}

struct machine_function *machine_add_virtio(unsigned bus, unsigned device, unsigned type)
{
    struct machine_function *function = machine_add(bus, device, 0, 0x1af4, (uint16_t)(0x1040 + type));
    machine_put16(function, 6, 0x10);
    function->config[0x34] = MACHINE_CAPABILITY_COMMON;
    machine_put32(function, 0x20, (uint32_t)MACHINE_WINDOW);
    function->fixed_bits[4] = MACHINE_WINDOW_SIZE - 1;
    put_capability(function, MACHINE_CAPABILITY_COMMON, MACHINE_CAPABILITY_NOTIFY, 1, MACHINE_COMMON);
    put_capability(function, MACHINE_CAPABILITY_NOTIFY, MACHINE_CAPABILITY_DEVICE, 2, MACHINE_NOTIFY);
    machine_put32(function, MACHINE_CAPABILITY_NOTIFY + 16, 4);
    put_capability(function, MACHINE_CAPABILITY_DEVICE, MACHINE_CAPABILITY_MSIX, 4, MACHINE_CONFIG);
    function->config[MACHINE_CAPABILITY_MSIX] = 0x11;
    machine_put16(function, MACHINE_CAPABILITY_MSIX + 2, 3); /* four entries */
    machine_put32(function, MACHINE_CAPABILITY_MSIX + 4, MACHINE_MSIX | 4);
    return function;
}

static struct machine_function *function_at(unsigned place)
{
    for (unsigned i = function_count; i-- > 0;)
        if (functions[i].place == place)
            return &functions[i].function;
    return machine_everywhere;
}

static struct machine_function *function_selected(void)
{
    unsigned place = selected >> 8 & 0xffff;
    bool reached = machine_ports == PORTS_FOR_ALL || (machine_ports == PORTS_FOR_BUS_0 && place < 0x100);
    return reached && selected & 0x80000000u ? function_at(place) : NULL;
}

static uint32_t config_read(struct machine_function *function, unsigned offset, unsigned width)
{
    uint32_t value = UINT32_MAX;
    if (function != NULL && offset + width <= sizeof(function->config))
        memcpy(&value, function->config + offset, width);
    return value;
}

static void config_write(struct machine_function *function, unsigned offset, uint32_t value, unsigned width)
{
    if (function == NULL || offset + width > sizeof(function->config))
        return;
    if (offset >= 0x10 && offset < 0x28) {
        uint32_t fixed = function->fixed_bits[(offset - 0x10) / 4], before;
        memcpy(&before, function->config + offset, 4);
        value = (value & ~fixed) | (before & fixed);
        machine_moved_while_decoding += function->config[4] >> 1 & 1;
    }
    memcpy(function->config + offset, &value, width);
}

static uint32_t port_read(uint16_t port, unsigned width)
{
    step();
    if (port == 0xcf8)
        return machine_ports == NO_PORTS ? UINT32_MAX : selected;
    return config_read(function_selected(), (selected & 0xfc) + (port & 3), width);
}

static void port_write(uint16_t port, uint32_t value, unsigned width)
{
    step();
    if (port == 0xcf8) {
        selected = value;
        return;
    }
    config_write(function_selected(), (selected & 0xfc) + (port & 3), value, width);
}

uint8_t in8(uint16_t port) { return (uint8_t)port_read(port, 1); }
uint16_t in16(uint16_t port) { return (uint16_t)port_read(port, 2); }
uint32_t in32(uint16_t port) { return port_read(port, 4); }
void out16(uint16_t port, uint16_t value) { port_write(port, value, 2); }
void out32(uint16_t port, uint32_t value) { port_write(port, value, 4); }

/* ---- The virtio device -------------------------------------------------------------------------- */

static uint32_t features(void)
{
    return machine_device.feature_word > 1 ? 0
                                           : (uint32_t)(machine_device.features >> 32 * machine_device.feature_word);
}

static uint32_t queue_limit(void)
{
    return machine_device.queue < MACHINE_QUEUES ? machine_device.queue_limit[machine_device.queue] : 0;
}

/* A driver that waits for the status lets time pass. */
static uint32_t status(void)
{
    host_advance(NS_PER_MS);
    return machine_device.status;
}

static uint32_t generation(void) { return machine_device.never_settles ? machine_device.generation++ : 0; }

static void set_status(uint8_t value)
{
    if (value == 0 && machine_device.never_resets)
        return;
    if (machine_device.refuses_features)
        value &= (uint8_t)~VIRTIO_FEATURES_OK;
    machine_device.status = value;
}

/* True: the register has a value of its own, and is not just memory. */
static bool pci_register(unsigned offset, uint32_t *value)
{
    switch (offset) {
    case 0x04:
        *value = features();
        return true;
    case 0x10:
        *value = machine_device.refuses_vectors ? 0xffff : machine_device.config_vector;
        return true;
    case 0x14:
        *value = status();
        return true;
    case 0x15:
        *value = generation();
        return true;
    case 0x18:
        *value = queue_limit();
        return true;
    case 0x1a:
        *value = machine_device.refuses_vectors ? 0xffff : machine_device.vector;
        return true;
    case 0x1e:
        *value = machine_device.queue < MACHINE_QUEUES ? machine_device.notify_offset[machine_device.queue] : 0;
        return true;
    default:
        break;
    }
    bool config = offset >= MACHINE_CONFIG && offset < MACHINE_CONFIG + MACHINE_PART;
    if (config)
        *value = machine_device.config[offset - MACHINE_CONFIG];
    return config;
}

/* The first word of an entry is the address of its message, which names a CPU. */
static void entry_written(unsigned offset, uint32_t value)
{
    if (offset % 16 == 0 && offset / 16 < MACHINE_VECTORS)
        machine_device.routes[offset / 16] = value >> 12 & 0xff;
}

static void pci_written(unsigned offset, uint32_t value)
{
    switch (offset) {
    case 0x00:
        machine_device.feature_word = value;
        break;
    case 0x10:
        machine_device.config_vector = value;
        break;
    case 0x14:
        set_status((uint8_t)value);
        break;
    case 0x16:
        machine_device.queue = value;
        break;
    case 0x1a:
        machine_device.vector = value;
        break;
    case 0x1c:
        machine_device.enabled_queues += value;
        break;
    default:
        if (offset >= MACHINE_MSIX && offset < MACHINE_MSIX + 16 * MACHINE_VECTORS)
            entry_written(offset - MACHINE_MSIX, value);
        break;
    }
}

static bool mmio_register(unsigned offset, uint32_t *value)
{
    switch (offset) {
    case 0x000:
        *value = machine_device.magic;
        return true;
    case 0x004:
        *value = machine_device.version;
        return true;
    case 0x008:
        *value = machine_device.type;
        return true;
    case 0x010:
        *value = features();
        return true;
    case 0x034:
        *value = queue_limit();
        return true;
    case 0x060:
        *value = machine_device.interrupts_always | machine_device.interrupt_status;
        return true;
    case 0x070:
        *value = status();
        return true;
    case 0x0fc:
        *value = generation();
        return true;
    default:
        break;
    }
    bool config = offset >= 0x100 && offset < 0x100 + MACHINE_PART;
    if (config)
        *value = machine_device.config[offset - 0x100];
    return config;
}

static void mmio_written(unsigned offset, uint32_t value)
{
    switch (offset) {
    case 0x014:
        machine_device.feature_word = value;
        break;
    case 0x030:
        machine_device.queue = value;
        break;
    case 0x044:
        machine_device.enabled_queues += value;
        break;
    case 0x064:
        machine_device.acknowledged++;
        break;
    case 0x070:
        set_status((uint8_t)value);
        break;
    default:
        break;
    }
}

/* ---- Mapped registers ----------------------------------------------------------------------------- */

static bool in_configuration(phys_t address)
{
    return address >= MACHINE_CONFIGURATION && address < MACHINE_CONFIGURATION + (256UL << 20);
}

static bool register_read(const volatile void *p, uint32_t *value, unsigned width)
{
    phys_t address = mapping_address(p);
    step();
    if (in_configuration(address)) {
        *value = config_read(function_at(address >> 12 & 0xffff), address & 0xfff, width);
        return true;
    }
    if (machine_device.gone) {
        host_advance(NS_PER_MS); /* for a driver that waits */
        *value = UINT32_MAX;
        return true;
    }
    if (address >= MACHINE_WINDOW && address < MACHINE_WINDOW + MACHINE_WINDOW_SIZE)
        return pci_register((unsigned)(address - MACHINE_WINDOW), value);
    if (address >= MACHINE_MMIO && address < MACHINE_MMIO + 0x200)
        return mmio_register((unsigned)(address - MACHINE_MMIO), value);
    return false;
}

static void register_written(const volatile void *p, uint32_t value, unsigned width)
{
    phys_t address = mapping_address(p);
    step();
    if (in_configuration(address))
        config_write(function_at(address >> 12 & 0xffff), address & 0xfff, value, width);
    if (address >= MACHINE_WINDOW && address < MACHINE_WINDOW + MACHINE_WINDOW_SIZE)
        pci_written((unsigned)(address - MACHINE_WINDOW), value);
    if (address >= MACHINE_MMIO && address < MACHINE_MMIO + 0x200)
        mmio_written((unsigned)(address - MACHINE_MMIO), value);
}

/* The memory is touched in any case, for the sanitizer. */
#define ACCESS(bits) \
    uint##bits##_t mmio_read##bits(const volatile void *p) \
    { \
        uint32_t value = *(const volatile uint##bits##_t *)p; \
        (void)register_read(p, &value, bits / 8); \
        return (uint##bits##_t)value; \
    } \
    void mmio_write##bits(volatile void *p, uint##bits##_t value) \
    { \
        *(volatile uint##bits##_t *)p = value; \
        register_written(p, value, bits / 8); \
    }
ACCESS(8)
ACCESS(16)
ACCESS(32)

/* ---- Interrupts ------------------------------------------------------------------------------------ */

int interrupt_allocate(interrupt_handler *handler, void *context)
{
    if (machine_interrupts == INTERRUPTS)
        abort();
    interrupts[machine_interrupts].handler = handler;
    interrupts[machine_interrupts].context = context;
    return (int)machine_interrupts++;
}

int interrupt_connect_line(unsigned line, enum line_trigger trigger, interrupt_handler *handler, void *context)
{
    (void)line;
    (void)trigger;
    return interrupt_allocate(handler, context) < 0 ? -1 : 0;
}

void interrupt_raise(unsigned vector) { machine_raise(vector); }
uint64_t interrupt_message_address(unsigned cpu) { return 0xfee00000 | cpu << 12; }
uint32_t interrupt_message_data(unsigned vector) { return vector; }

void machine_raise(unsigned n) { interrupts[n].handler(interrupts[n].context); }

void machine_raise_all(void)
{
    for (unsigned i = 0; i < machine_interrupts; i++)
        interrupts[i].handler(interrupts[i].context);
}

void machine_start(unsigned type)
{
    function_count = 0;
    machine_everywhere = NULL;
    machine_ports = PORTS_FOR_ALL;
    machine_moved_while_decoding = 0;
    acpi.pci_memory_count = 0;
    mappings_clear();
    machine_interrupts = 0;
    machine_steps = 0;
    machine_device = (struct machine_device){
        .magic = 0x74726976,
        .version = 2,
        .type = type,
        .features = VIRTIO_FEATURE_VERSION_1,
        .queue_limit = { 64, 64, 64, 64, 64 },
        .notify_offset = { 0, 1, 2, 3, 4 },
    };
    uint64_t sectors = 2048;
    memcpy(machine_device.config, &sectors, sizeof(sectors));
}
