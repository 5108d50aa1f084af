/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtio over memory-mapped registers (VIRTIO 1.1, 4.2), as Firecracker and QEMU's microvm have it.
 *
 * virtio_mmio_find(), called by machine/native.c at boot, takes the devices from the command line; drivers then reach
 * theirs through mmio_transport. All queues of a device share one interrupt line, which is connected with the first of
 * them, and whose handler asks each queue. What is here is set while the device is started, so there is no lock;
 * registers are written under the lock of the driver's queues.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/virtio/queue.h"
#include "drivers/virtio/virtio.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"

/* 4.2.2 */
#define MAGIC 0x000
#define VERSION 0x004
#define DEVICE_TYPE 0x008
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SELECT 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SELECT 0x024
#define QUEUE_SELECT 0x030
#define QUEUE_SIZE_MAX 0x034
#define QUEUE_SIZE 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define INTERRUPT_STATUS 0x060
#define INTERRUPT_ACKNOWLEDGE 0x064
#define DEVICE_STATUS 0x070
#define QUEUE_DESCRIPTORS 0x080
#define QUEUE_AVAILABLE 0x090
#define QUEUE_USED 0x0a0
#define CONFIG_GENERATION 0x0fc
#define CONFIG 0x100

#define MAGIC_VALUE 0x74726976 /* "virt" */
#define VERSION_LEGACY 1
#define VERSION_MODERN 2
#define INTERRUPT_USED 1
#define INTERRUPT_CONFIGURATION 2
#define MAX_QUEUES 3

struct virtio_mmio_device {
    struct virtio_device device;
    volatile uint8_t *base;
    uint32_t length;
    unsigned line;
    bool line_connected;
    struct virtqueue *queues[MAX_QUEUES];
    char place[20];
};

static struct virtio_mmio_device *mmio_device(struct virtio_device *device)
{
    return container_of(device, struct virtio_mmio_device, device);
}

static uint32_t read(struct virtio_mmio_device *mmio, unsigned offset) { return mmio_read32(mmio->base + offset); }

static void write(struct virtio_mmio_device *mmio, unsigned offset, uint32_t value)
{
    mmio_write32(mmio->base + offset, value);
}

static uint64_t read_features(struct virtio_device *device)
{
    struct virtio_mmio_device *mmio = mmio_device(device);
    write(mmio, DEVICE_FEATURES_SELECT, 0);
    uint64_t features = read(mmio, DEVICE_FEATURES);
    write(mmio, DEVICE_FEATURES_SELECT, 1);
    return features | (uint64_t)read(mmio, DEVICE_FEATURES) << 32;
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    struct virtio_mmio_device *mmio = mmio_device(device);
    for (unsigned i = 0; i < 2; i++) {
        write(mmio, DRIVER_FEATURES_SELECT, i);
        write(mmio, DRIVER_FEATURES, (uint32_t)(features >> 32 * i));
    }
}

static uint8_t read_status(struct virtio_device *device) { return (uint8_t)read(mmio_device(device), DEVICE_STATUS); }

static void write_status(struct virtio_device *device, uint8_t status)
{
    write(mmio_device(device), DEVICE_STATUS, status);
}

static void read_config(struct virtio_device *device, unsigned offset, void *to, unsigned length)
{
    struct virtio_mmio_device *mmio = mmio_device(device);
    uint8_t *bytes = to;
    for (unsigned attempt = 0; attempt < VIRTIO_CONFIG_ATTEMPTS; attempt++) {
        uint32_t generation = read(mmio, CONFIG_GENERATION);
        for (unsigned i = 0; i < length; i++)
            bytes[i] = CONFIG + offset + i < mmio->length ? mmio_read8(mmio->base + CONFIG + offset + i) : 0;
        if (generation == read(mmio, CONFIG_GENERATION))
            return;
    }
    virtio_config_unsettled(device);
}

static unsigned queue_limit(struct virtio_device *device, unsigned index)
{
    struct virtio_mmio_device *mmio = mmio_device(device);
    if (index >= MAX_QUEUES)
        return 0;
    write(mmio, QUEUE_SELECT, index);
    return read(mmio, QUEUE_SIZE_MAX);
}

static void interrupt(void *context)
{
    struct virtio_mmio_device *mmio = context;
    /* The line is edge-triggered: it has to fall before it can rise again, and falls when every bit is acknowledged.
     * What is used from then on raises it; so one round is enough, however often the device sets the bits. */
    uint32_t status = read(mmio, INTERRUPT_STATUS);
    write(mmio, INTERRUPT_ACKNOWLEDGE, INTERRUPT_USED | INTERRUPT_CONFIGURATION);
    if (status == 0)
        return;
    for (unsigned i = 0; i < MAX_QUEUES; i++) {
        if (mmio->queues[i] && mmio->queues[i]->handler)
            mmio->queues[i]->handler(mmio->queues[i]);
    }
    if ((status & INTERRUPT_CONFIGURATION) && mmio->device.changed)
        mmio->device.changed(&mmio->device);
}

static void write_address(struct virtio_mmio_device *mmio, unsigned offset, const void *memory)
{
    uint64_t address = virt_to_phys(memory);
    write(mmio, offset, (uint32_t)address);
    write(mmio, offset + 4, (uint32_t)(address >> 32));
}

static int queue_enable(struct virtio_device *device, struct virtqueue *queue)
{
    struct virtio_mmio_device *mmio = mmio_device(device);
    if (!mmio->line_connected) {
        int error = interrupt_connect_line(mmio->line, LINE_EDGE, interrupt, mmio);
        if (error != 0)
            return error;
        mmio->line_connected = true;
    }
    mmio->queues[queue->index] = queue;
    write(mmio, QUEUE_SELECT, queue->index);
    write(mmio, QUEUE_SIZE, queue->size);
    write_address(mmio, QUEUE_DESCRIPTORS, queue->descriptors);
    write_address(mmio, QUEUE_AVAILABLE, queue->available);
    write_address(mmio, QUEUE_USED, queue->used);
    queue->notify = mmio->base + QUEUE_NOTIFY;
    queue->notify_value = queue->index;
    queue->notify_wide = true;
    write(mmio, QUEUE_READY, 1);
    return 0;
}

static const struct virtio_transport mmio_transport = {
    .read_features = read_features,
    .write_features = write_features,
    .read_status = read_status,
    .write_status = write_status,
    .read_config = read_config,
    .queue_limit = queue_limit,
    .queue_enable = queue_enable,
};

static void open_device(phys_t address, uint64_t length, unsigned line)
{
    struct virtio_mmio_device *mmio = heap_allocate_zeroed(sizeof(*mmio));
    if (!mmio || !(mmio->base = mmio_map(address, length))) {
        log_error("no memory for the virtio device at %lx", address);
        heap_free(mmio);
        return;
    }
    mmio->length = (uint32_t)length;
    mmio->line = line;
    mmio->device.transport = &mmio_transport;
    mmio->device.place = mmio->place;
    mmio->device.type = read(mmio, DEVICE_TYPE);
    format(mmio->place, sizeof(mmio->place), "%lx", address);

    uint32_t version = read(mmio, VERSION);
    bool virtio = read(mmio, MAGIC) == MAGIC_VALUE && mmio->device.type != 0;
    if (virtio && version == VERSION_MODERN) {
        virtio_start(&mmio->device);
        return;
    }
    if (virtio && version == VERSION_LEGACY)
        log_error("virtio device at %lx is a legacy one; start QEMU with -global virtio-mmio.force-legacy=false",
                  address);
    heap_free(mmio);
}

/* A number, decimal or with 0x hexadecimal, and K, M or G after it. Moves *at after it. */
static bool parse_number(const char **at, uint64_t *value)
{
    const char *s = *at;
    int base = 10;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    const char *digits = s;
    for (*value = 0;; s++) {
        int digit = hex_digit(*s);
        if (digit < 0 || digit >= base)
            break;
        *value = *value * (uint64_t)base + (uint64_t)digit;
    }
    if (s == digits)
        return false;
    static const char units[] = { 'k', 'm', 'g' };
    for (unsigned i = 0; i < array_size(units); i++) {
        if ((*s | 0x20) != units[i])
            continue;
        *value <<= 10 * (i + 1);
        s++;
        break;
    }
    *at = s;
    return true;
}

/* SIZE@ADDRESS:LINE */
static void parse_device(const char *at)
{
    const char *start = at;
    uint64_t length, address, line;
    bool valid = parse_number(&at, &length) && *at++ == '@' && parse_number(&at, &address) && *at++ == ':' &&
                 parse_number(&at, &line) && length > CONFIG && length <= UINT32_MAX && line <= UINT32_MAX;
    if (!valid) {
        log_error("virtio_mmio.device=%.40s is not SIZE@ADDRESS:LINE", start);
        return;
    }
    open_device(address, length, (unsigned)line);
}

void virtio_mmio_find(const char *command_line)
{
    static const char option[] = "virtio_mmio.device=";
    for (const char *at = command_line; at; at = strchr(at, ' ')) {
        while (*at == ' ')
            at++;
        if (strncmp(at, option, sizeof(option) - 1) == 0)
            parse_device(at + sizeof(option) - 1);
    }
}
