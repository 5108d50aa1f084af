/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio over PCI (VIRTIO 1.1, 4.1): structures in memory windows that vendor capabilities name, and one MSI-X vector
 * for each queue, or for a pair of them.
 *
 * machine/native.c offers each function that drivers/pci finds at boot; drivers then reach theirs through
 * pci_transport. A structure is used only if it lies within its window. What is here is set while the device is
 * started, so there is no lock; registers are written under the lock of the driver's queues.
 */
#include "drivers/pci/pci.h"

#include "core/debug.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/virtio/queue.h"
#include "drivers/virtio/virtio.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

#define VENDOR_VIRTIO 0x1af4
#define ID_TRANSITIONAL_FIRST 0x1000
#define ID_TRANSITIONAL_LAST 0x103f
#define ID_MODERN 0x1040 /* + device type */
#define ID_LAST 0x107f

/* struct virtio_pci_cap (4.1.4). */
#define CAPABILITY_TYPE 3
#define CAPABILITY_WINDOW 4
#define CAPABILITY_OFFSET 8
#define CAPABILITY_LENGTH 12
#define CAPABILITY_NOTIFY_MULTIPLIER 16
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_DEVICE 4
#define LARGEST_STRUCTURE (1u << 20)
#define ALIGNMENT 4 /* of every structure, by 4.1.4.1 to 4.1.4.7 */

/* struct virtio_pci_common_cfg (4.1.4.3). */
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE 0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE 0x0c
#define CONFIG_VECTOR 0x10
#define DEVICE_STATUS 0x14
#define CONFIG_GENERATION 0x15
#define QUEUE_SELECT 0x16
#define QUEUE_SIZE 0x18
#define QUEUE_VECTOR 0x1a
#define QUEUE_ENABLE 0x1c
#define QUEUE_NOTIFY_OFFSET 0x1e
#define QUEUE_DESCRIPTORS 0x20
#define QUEUE_AVAILABLE 0x28
#define QUEUE_USED 0x30
#define COMMON_LENGTH 0x38
#define NO_VECTOR 0xffff

/* Queues whose interrupts are spread over CPUs, at most. */
#define SPREAD_MAX 8u

struct window {
    volatile uint8_t *base;
    uint32_t length;
};

struct virtio_pci_device {
    struct virtio_device device;
    struct pci_function function;
    struct window common, notify, config;
    uint32_t notify_multiplier;
    unsigned next_vector; /* MSI-X table entry of the next queue */
    bool configuration_connected;
    unsigned configuration_vector; /* its entry */
    unsigned vectors[SPREAD_MAX];  /* of the first entries */
    struct pci_spread spread;
    char place[16];
};

static struct virtio_pci_device *pci_device(struct virtio_device *device)
{
    return container_of(device, struct virtio_pci_device, device);
}

static uint64_t read_features(struct virtio_device *device)
{
    volatile uint8_t *common = pci_device(device)->common.base;
    mmio_write32(common + DEVICE_FEATURE_SELECT, 0);
    uint64_t features = mmio_read32(common + DEVICE_FEATURE);
    mmio_write32(common + DEVICE_FEATURE_SELECT, 1);
    return features | (uint64_t)mmio_read32(common + DEVICE_FEATURE) << 32;
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    volatile uint8_t *common = pci_device(device)->common.base;
    for (unsigned i = 0; i < 2; i++) {
        mmio_write32(common + DRIVER_FEATURE_SELECT, i);
        mmio_write32(common + DRIVER_FEATURE, (uint32_t)(features >> 32 * i));
    }
}

static uint8_t read_status(struct virtio_device *device)
{
    return mmio_read8(pci_device(device)->common.base + DEVICE_STATUS);
}

static void write_status(struct virtio_device *device, uint8_t status)
{
    mmio_write8(pci_device(device)->common.base + DEVICE_STATUS, status);
}

static void read_config(struct virtio_device *device, unsigned offset, void *to, unsigned length)
{
    struct virtio_pci_device *pci = pci_device(device);
    uint8_t *bytes = to;
    for (unsigned attempt = 0; attempt < VIRTIO_CONFIG_ATTEMPTS; attempt++) {
        uint8_t generation = mmio_read8(pci->common.base + CONFIG_GENERATION);
        for (unsigned i = 0; i < length; i++)
            bytes[i] = offset + i < pci->config.length ? mmio_read8(pci->config.base + offset + i) : 0;
        if (generation == mmio_read8(pci->common.base + CONFIG_GENERATION))
            return;
    }
    virtio_config_unsettled(device);
}

static unsigned queue_limit(struct virtio_device *device, unsigned index)
{
    volatile uint8_t *common = pci_device(device)->common.base;
    mmio_write16(common + QUEUE_SELECT, (uint16_t)index);
    return mmio_read16(common + QUEUE_SIZE);
}

static void queue_interrupt(void *context)
{
    struct virtqueue *queue = context;
    queue->handler(queue);
}

static void configuration_interrupt(void *context)
{
    struct virtio_pci_device *pci = context;
    if (pci->device.changed)
        pci->device.changed(&pci->device);
}

/* Writes the MSI-X entry into a register of the device, which may refuse it. */
static bool choose_entry(struct virtio_pci_device *pci, unsigned offset, unsigned entry)
{
    mmio_write16(pci->common.base + offset, (uint16_t)entry);
    return mmio_read16(pci->common.base + offset) == entry && entry < pci->function.msix_vectors;
}

/* A vector for the next entry; it is never given back. 0 or a negative errno. */
static int connect_entry(struct virtio_pci_device *pci, interrupt_handler *handler, void *context)
{
    int vector = interrupt_allocate(handler, context);
    if (vector < 0)
        return vector;
    if (pci->next_vector < SPREAD_MAX)
        pci->vectors[pci->next_vector] = (unsigned)vector;
    return pci_msix_set(&pci->function, pci->next_vector++, (unsigned)vector);
}

/* The last thing that can fail: a vector is never given back, and so the queue that it was allocated for must stay. */
static int connect_interrupt(struct virtio_pci_device *pci, struct virtqueue *queue)
{
    if (!queue->handler) {
        mmio_write16(pci->common.base + QUEUE_VECTOR, NO_VECTOR);
        return 0;
    }
    if (!choose_entry(pci, QUEUE_VECTOR, queue->connected ? queue->interrupt : pci->next_vector))
        return -ENOSPC;
    if (queue->connected)
        return 0;
    queue->interrupt = pci->next_vector;
    int error = connect_entry(pci, queue_interrupt, queue);
    queue->connected = error == 0;
    return error;
}

static unsigned interrupt_limit(struct virtio_device *device)
{
    return min_of(pci_device(device)->function.msix_vectors - 1, SPREAD_MAX);
}

static void spread(struct virtio_device *device, const struct virtqueue *first, unsigned count)
{
    struct virtio_pci_device *pci = pci_device(device);
    assert(first->connected && first->interrupt + count <= SPREAD_MAX);
    pci->spread = (struct pci_spread){
        .function = &pci->function,
        .first = first->interrupt,
        .count = count,
        .vectors = &pci->vectors[first->interrupt],
    };
    pci_spread_add(&pci->spread);
}

static void connect_configuration(struct virtio_device *device)
{
    struct virtio_pci_device *pci = pci_device(device);
    unsigned entry = pci->configuration_connected ? pci->configuration_vector : pci->next_vector;
    if (!choose_entry(pci, CONFIG_VECTOR, entry)) {
        mmio_write16(pci->common.base + CONFIG_VECTOR, NO_VECTOR);
        return;
    }
    if (pci->configuration_connected)
        return;
    pci->configuration_vector = entry;
    pci->configuration_connected = connect_entry(pci, configuration_interrupt, pci) == 0;
}

/* Where the queue's notifications go; false: not into the structure, or not to an address for 16 bits. */
static bool find_notification(struct virtio_pci_device *pci, struct virtqueue *queue)
{
    uint64_t offset = (uint64_t)mmio_read16(pci->common.base + QUEUE_NOTIFY_OFFSET) * pci->notify_multiplier;
    if (offset % sizeof(uint16_t) != 0 || offset + sizeof(uint16_t) > pci->notify.length)
        return false;
    queue->notify = pci->notify.base + offset;
    queue->notify_value = queue->index;
    return true;
}

static void write_address(volatile uint8_t *at, const void *memory)
{
    uint64_t address = virt_to_phys(memory);
    mmio_write32(at, (uint32_t)address);
    mmio_write32(at + 4, (uint32_t)(address >> 32));
}

static int queue_enable(struct virtio_device *device, struct virtqueue *queue)
{
    struct virtio_pci_device *pci = pci_device(device);
    volatile uint8_t *common = pci->common.base;
    mmio_write16(common + QUEUE_SELECT, (uint16_t)queue->index);
    mmio_write16(common + QUEUE_SIZE, queue->size);
    if (!find_notification(pci, queue))
        return -EIO;
    int error = connect_interrupt(pci, queue);
    if (error != 0)
        return error;
    write_address(common + QUEUE_DESCRIPTORS, queue->descriptors);
    write_address(common + QUEUE_AVAILABLE, queue->available);
    write_address(common + QUEUE_USED, queue->used);
    mmio_write16(common + QUEUE_ENABLE, 1);
    return 0;
}

static const struct virtio_transport pci_transport = {
    .read_features = read_features,
    .write_features = write_features,
    .read_status = read_status,
    .write_status = write_status,
    .read_config = read_config,
    .queue_limit = queue_limit,
    .queue_enable = queue_enable,
    .interrupt_limit = interrupt_limit,
    .spread = spread,
    .connect_configuration = connect_configuration,
};

/* Maps the structure of this type; the first capability that fits is the preferred one (4.1.4). */
static unsigned find_structure(struct virtio_pci_device *pci, uint8_t type, struct window *window)
{
    const struct pci_function *function = &pci->function;
    for (unsigned place = 0; place < PCI_CAPABILITIES_MAX; place++) {
        unsigned at = pci_find_capability(function, PCI_CAPABILITY_VENDOR, place);
        if (at == 0)
            return 0;
        if (pci_read8(function, at + CAPABILITY_TYPE) != type)
            continue;
        uint32_t length = pci_read32(function, at + CAPABILITY_LENGTH);
        uint32_t offset = pci_read32(function, at + CAPABILITY_OFFSET);
        if (length > LARGEST_STRUCTURE || offset % ALIGNMENT != 0)
            continue;
        phys_t address = pci_memory_window(function, pci_read8(function, at + CAPABILITY_WINDOW), offset, length);
        if (address == 0)
            continue;
        window->length = length;
        window->base = mmio_map(address, length);
        return window->base ? at : 0;
    }
    return 0;
}

static int open_device(struct virtio_pci_device *pci)
{
    pci_enable(&pci->function);
    unsigned notify = find_structure(pci, TYPE_NOTIFY, &pci->notify);
    if (notify == 0 || find_structure(pci, TYPE_COMMON, &pci->common) == 0 || pci->common.length < COMMON_LENGTH)
        return -ENODEV;
    /* Entropy devices have none. */
    (void)find_structure(pci, TYPE_DEVICE, &pci->config);
    pci->notify_multiplier = pci_read32(&pci->function, notify + CAPABILITY_NOTIFY_MULTIPLIER);
    int error = pci_msix_enable(&pci->function);
    if (error != 0)
        return error;
    mmio_write16(pci->common.base + CONFIG_VECTOR, NO_VECTOR);
    return 0;
}

static void start(const struct pci_function *function)
{
    struct virtio_pci_device *pci = heap_allocate_zeroed(sizeof(*pci));
    if (!pci) {
        log_error("no memory for a virtio device");
        return;
    }
    pci->function = *function;
    pci->device.transport = &pci_transport;
    pci->device.type = function->id <= ID_TRANSITIONAL_LAST ? function->subsystem_id : function->id - ID_MODERN;
    pci->device.place = pci->place;
    format(pci->place, sizeof(pci->place), "%02x:%02x.%u", function->bus, function->device, function->function);
    int error = open_device(pci);
    if (error != 0) {
        log_error("virtio device %s has no usable version 1 interface (%s); a legacy device, or "
                  "its memory was not assigned by firmware",
                  pci->place, errno_name(error));
        heap_free(pci);
        return;
    }
    virtio_start(&pci->device);
}

bool virtio_pci_start(const struct pci_function *function)
{
    if (function->vendor != VENDOR_VIRTIO || function->id < ID_TRANSITIONAL_FIRST || function->id > ID_LAST)
        return false;
    start(function);
    return true;
}
