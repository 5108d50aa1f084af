/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a controller (7.6.1): reset, administrative queues, what the controller is, and then what pairs.c and
 * namespaces.c do; and its end. Runs on the boot CPU while devices are started, and at the end of the machine, without
 * locks; nvme_fault() and nvme_stop() are called in between, too.
 *
 * Administrative commands are sent one at a time and waited for; there are none after the start. A controller that does
 * not answer one is not asked again, and the memory that it was given stays its own. The interrupt comes last of what
 * can fail, since a vector is for ever.
 *
 * All addresses that the controller is given are of RAM, which lies below 2^47: the direct map ends there
 * (platform/native/paging.c). So Amazon's controllers, which reach 2^48, and all others that reach less than 2^64 need
 * nothing of their own.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/pages.h"
#include "drivers/nvme/nvme.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define CLASS_NVME 0x010802 /* PCI Code and ID Assignment 1.11, 1.2 */

/* Registers (3.1). */
#define CAPABILITIES 0x00
#define VERSION 0x08
#define CONFIGURATION 0x14
#define STATUS 0x1c
#define ADMIN_QUEUE_SIZES 0x24
#define ADMIN_COMMANDS 0x28
#define ADMIN_COMPLETIONS 0x30
#define REGISTERS_LENGTH 0x40
#define DOORBELLS 0x1000

#define CAPABILITY_ENTRIES(c) ((uint32_t)(c)&0xffff) /* of a queue, less one */
#define CAPABILITY_TIMEOUT(c) ((uint32_t)(c) >> 24)  /* in units of: */
#define TIMEOUT_UNIT (500 * NS_PER_MS)
#define CAPABILITY_STRIDE(c) ((uint32_t)((c) >> 32) & 0xf)
#define CAPABILITY_PAGE_MIN(c) ((uint32_t)((c) >> 48) & 0xf) /* log2, in units of 4096 bytes */

#define CONFIGURATION_ENABLE 0x1
#define CONFIGURATION_SHUTDOWN 0xc000u
#define CONFIGURATION_SHUTDOWN_NORMAL 0x4000u
#define CONFIGURATION_ENTRIES (6u << 16 | 4u << 20) /* log2 of 64 and 16 bytes; pages of 4096 */
#define STATUS_READY 0x1
#define STATUS_FATAL 0x2
#define STATUS_SHUTDOWN 0xcu
#define STATUS_SHUTDOWN_COMPLETE 0x8u
#define STATUS_GONE UINT32_MAX

#define ADMIN_ENTRIES 8
#define ADMIN_PATIENCE (60 * NS_PER_SECOND)

/* Identify controller (figure 247). */
#define IDENTIFY_CONTROLLER 1
#define VENDOR 0
#define SERIAL 4
#define SERIAL_LENGTH 20
#define MODEL 24
#define MODEL_LENGTH 40
#define TRANSFER_MAX 77
#define SHUTDOWN_TIME 88  /* RTD3E, in microseconds; 0: not stated, and a second is to be waited for (7.6.2) */
#define COMMAND_SIZES 512 /* log2: least in bits 3:0, most in bits 7:4 */
#define COMPLETION_SIZES 513
#define NAMESPACES 516
#define WRITE_CACHE 525
/* Amazon's EBS: the device name of the instance's block device mapping, padded with blanks (amazon-ec2-utils,
 * ebsnvme). */
#define VENDOR_AMAZON 0x1d0f
#define EBS_MODEL "Amazon Elastic Block Store"
#define EBS_DEVICE 3072
#define EBS_DEVICE_LENGTH 32

static unsigned controllers;
static struct list all = LIST_INIT(all);

/* ---- Registers ---- */

static uint32_t read32(const struct nvme_controller *c, unsigned offset) { return mmio_read32(c->registers + offset); }

static void write32(struct nvme_controller *c, unsigned offset, uint32_t value)
{
    mmio_write32(c->registers + offset, value);
}

static uint64_t read64(const struct nvme_controller *c, unsigned offset)
{
    return read32(c, offset) | (uint64_t)read32(c, offset + 4) << 32;
}

static void write_address(struct nvme_controller *c, unsigned offset, const void *memory)
{
    write32(c, offset, (uint32_t)virt_to_phys(memory));
    write32(c, offset + 4, (uint32_t)(virt_to_phys(memory) >> 32));
}

const char *nvme_fault(const struct nvme_controller *controller)
{
    uint32_t status = read32(controller, STATUS);
    if (status == STATUS_GONE)
        return "is gone";
    if (status & STATUS_FATAL)
        return "reports that it has failed";
    if (!(status & STATUS_READY))
        return "has been reset";
    return controller->silent ? "does not answer" : NULL;
}

/* Waits until it is ready or, with `ready` 0, not ready. 0, -ETIMEDOUT, or -ENODEV if it is gone. */
static int wait_ready(const struct nvme_controller *c, uint32_t ready, nanoseconds patience)
{
    nanoseconds limit = clock_monotonic() + patience;
    for (;;) {
        uint32_t status = read32(c, STATUS);
        if (status == STATUS_GONE)
            return -ENODEV;
        if ((status & STATUS_READY) == ready)
            return 0;
        if (ready && status & STATUS_FATAL)
            return -EIO;
        if (clock_monotonic() >= limit)
            return -ETIMEDOUT;
        __builtin_ia32_pause();
    }
}

bool nvme_stop(struct nvme_controller *controller, nanoseconds patience)
{
    write32(controller, CONFIGURATION, 0);
    int error = wait_ready(controller, 0, patience);
    return error == 0 || error == -ENODEV;
}

static nanoseconds reset_time(const struct nvme_controller *c)
{
    return (CAPABILITY_TIMEOUT(c->capabilities) + 1) * TIMEOUT_UNIT;
}

/* Firmware may have used it. Before it is ready it must not be disabled (3.1.5); if it never gets so, it is all the
 * same. */
static int reset(struct nvme_controller *c)
{
    if (read32(c, CONFIGURATION) & CONFIGURATION_ENABLE)
        (void)wait_ready(c, STATUS_READY, reset_time(c));
    return nvme_stop(c, reset_time(c)) ? 0 : -ETIMEDOUT;
}

static int enable(struct nvme_controller *c)
{
    uint32_t last = c->admin.size - 1u;
    write32(c, ADMIN_QUEUE_SIZES, last << 16 | last);
    write_address(c, ADMIN_COMMANDS, c->admin.commands);
    write_address(c, ADMIN_COMPLETIONS, c->admin.completions);
    write32(c, CONFIGURATION, CONFIGURATION_ENTRIES | CONFIGURATION_ENABLE);
    return wait_ready(c, STATUS_READY, reset_time(c));
}

/* ---- Administrative commands ---- */

static int wait_completion(struct nvme_controller *c, struct nvme_completion *completion)
{
    nanoseconds limit = clock_monotonic() + ADMIN_PATIENCE;
    while (!nvme_queue_take(&c->admin, completion)) {
        const char *fault = nvme_fault(c);
        if (!fault && clock_monotonic() >= limit)
            fault = "does not answer";
        if (fault) {
            log_error("%s %s while it is started; see the host's log", c->name, fault);
            return -ETIMEDOUT;
        }
        __builtin_ia32_pause();
    }
    nvme_queue_acknowledge(&c->admin);
    return 0;
}

int nvme_admin(struct nvme_controller *controller, struct nvme_command *command, uint32_t *result)
{
    struct nvme_completion completion;
    if (controller->silent)
        return -ETIMEDOUT;
    command->id = controller->admin.tail;
    nvme_queue_add(&controller->admin, command);
    nvme_queue_notify(&controller->admin);
    if (wait_completion(controller, &completion) != 0) {
        controller->silent = true;
        return -ETIMEDOUT;
    }
    bool asked_for = completion.queue == 0 && completion.id == command->id;
    if (!asked_for || NVME_STATUS(completion.status) != 0) {
        log_error("%s: administrative command %x ends with status %x%s", controller->name, command->opcode,
                  NVME_STATUS(completion.status), asked_for ? "" : ", as another one");
        controller->silent = !asked_for;
        return -EIO;
    }
    if (result)
        *result = completion.result;
    return 0;
}

int nvme_identify(struct nvme_controller *controller, uint8_t structure, uint32_t namespace, void *to)
{
    struct nvme_command command = {
        .opcode = NVME_IDENTIFY,
        .namespace = namespace,
        .data = { virt_to_phys(to) },
        .arguments = { structure },
    };
    memset(to, 0, PAGE_SIZE);
    return nvme_admin(controller, &command, NULL);
}

/* ---- What it is ---- */

/* A field of text without the blanks around it; what is not printable becomes a question mark. */
static void copy_text(char *to, const uint8_t *from, unsigned length)
{
    memcpy(to, from, length);
    while (length > 0 && (to[length - 1] == ' ' || to[length - 1] == 0))
        length--;
    to[length] = 0;
    for (unsigned i = 0; i < length; i++) {
        if (to[i] < ' ' || to[i] > '~')
            to[i] = '?';
    }
}

static void log_identity(const struct nvme_controller *c, const uint8_t *identity)
{
    char model[MODEL_LENGTH + 1], serial[SERIAL_LENGTH + 1], device[EBS_DEVICE_LENGTH + 1] = "";
    uint16_t vendor;
    memcpy(&vendor, identity + VENDOR, sizeof(vendor));
    copy_text(model, identity + MODEL, MODEL_LENGTH);
    copy_text(serial, identity + SERIAL, SERIAL_LENGTH);
    if (vendor == VENDOR_AMAZON && strcmp(model, EBS_MODEL) == 0)
        copy_text(device, identity + EBS_DEVICE, EBS_DEVICE_LENGTH);
    log_info("%s at %02x:%02x.%u: %s, %s%s%s", c->name, c->function.bus, c->function.device, c->function.function,
             model, serial, device[0] ? ", attached as " : "", device);
}

static bool size_offered(uint8_t sizes, unsigned size) { return (sizes & 0xf) <= size && size <= sizes >> 4; }

static int learn(struct nvme_controller *c, uint8_t *identity)
{
    int error = nvme_identify(c, IDENTIFY_CONTROLLER, 0, identity);
    if (error != 0)
        return error;
    if (!size_offered(identity[COMMAND_SIZES], 6) || !size_offered(identity[COMPLETION_SIZES], 4))
        return -EOPNOTSUPP;
    uint8_t pages = identity[TRANSFER_MAX]; /* log2; 0: no limit */
    c->transfer_max = pages == 0 || pages >= 20 ? UINT32_MAX : (uint32_t)PAGE_SIZE << pages;
    c->write_cache = identity[WRITE_CACHE] & 1;
    uint32_t shutdown;
    memcpy(&shutdown, identity + SHUTDOWN_TIME, sizeof(shutdown));
    c->shutdown_time = min_of(max_of(shutdown * NS_PER_US, NS_PER_SECOND), NVME_SHUTDOWN_MAX);
    memcpy(&c->namespaces, identity + NAMESPACES, sizeof(c->namespaces));
    log_identity(c, identity);
    return 0;
}

/* ---- Start ---- */

static volatile uint8_t *map_registers(struct nvme_controller *c, uint32_t offset, uint32_t length)
{
    phys_t address = pci_memory_window(&c->function, 0, offset, length);
    return address != 0 ? mmio_map(address, length) : NULL;
}

/* How many pairs of doorbells the window has room for, with that of the administrative pair, and as many as can be
 * used. */
static unsigned doorbell_pairs(const struct nvme_controller *c)
{
    uint64_t length;
    if (pci_whole_window(&c->function, 0, &length) == 0 || length < DOORBELLS)
        return 0;
    return (unsigned)min_of((length - DOORBELLS) / (2 * c->stride), 1UL + NVME_PAIRS_MAX);
}

/* Doorbells of `pairs` and the memory of the administrative one. */
static int make_admin_queue(struct nvme_controller *c, unsigned pairs)
{
    uint32_t entries = CAPABILITY_ENTRIES(c->capabilities) + 1;
    if (pairs < 2 || entries < 2)
        return -ENODEV;
    c->entries = (uint16_t)min_of(entries, (uint32_t)NVME_QUEUE_SIZE_MAX);
    c->doorbells = map_registers(c, DOORBELLS, pairs * 2 * c->stride);
    if (!c->doorbells)
        return -ENODEV;
    return nvme_queue_init(&c->admin, 0, ADMIN_ENTRIES, c->doorbells, c->doorbells + c->stride);
}

static int open_controller(struct nvme_controller *c)
{
    pci_enable(&c->function);
    c->registers = map_registers(c, 0, REGISTERS_LENGTH);
    if (!c->registers)
        return -ENODEV;
    c->capabilities = read64(c, CAPABILITIES);
    c->version = read32(c, VERSION);
    if (c->capabilities == UINT64_MAX)
        return -ENODEV;
    if (CAPABILITY_PAGE_MIN(c->capabilities) != 0)
        return -EOPNOTSUPP;
    int error = reset(c);
    return error == 0 ? pci_msix_enable(&c->function) : error;
}

static int bring_up(struct nvme_controller *c, void *page)
{
    c->stride = 4u << CAPABILITY_STRIDE(c->capabilities);
    unsigned pairs = doorbell_pairs(c);
    int error = make_admin_queue(c, pairs);
    if (error == 0)
        error = enable(c);
    if (error == 0)
        error = learn(c, page);
    if (error == 0)
        error = nvme_pairs_create(c, pairs - 1);
    return error == 0 ? nvme_pairs_connect(c) : error;
}

/* Whatever it was given is its own until it has stopped. */
static void close_controller(struct nvme_controller *c, struct page *page)
{
    if (c->registers && !nvme_stop(c, reset_time(c)))
        return;
    nvme_queue_release(&c->admin);
    nvme_pairs_release(c);
    page_put(page);
    heap_free(c);
}

/* `page` is for answers. */
static int start(struct nvme_controller *c, struct page *page)
{
    int error = open_controller(c);
    if (error == 0)
        error = bring_up(c, page_data(page));
    if (error != 0) {
        close_controller(c, page);
        return error;
    }
    list_push_back(&all, &c->link);
    nvme_namespaces_find(c, page_data(page));
    if (!c->silent)
        page_put(page);
    return 0;
}

bool nvme_start(const struct pci_function *function)
{
    if (function->class != CLASS_NVME)
        return false;
    struct nvme_controller *c = heap_allocate_zeroed(sizeof(*c));
    struct page *page = c ? device_page() : NULL;
    if (!page) {
        log_error("no memory for an NVMe controller; give the guest more");
        heap_free(c);
        return true;
    }
    c->function = *function;
    format(c->name, sizeof(c->name), "nvme%u", controllers++);
    int error = start(c, page);
    if (error != 0)
        log_error("NVMe controller at %02x:%02x.%u does not start: %s", function->bus, function->device,
                  function->function, errno_name(error));
    return true;
}

/* ---- The end (7.6.2) ---- */

static void begin_shutdown(struct nvme_controller *c)
{
    c->shutting_down = !__atomic_exchange_n(&c->failed, true, __ATOMIC_SEQ_CST) && !nvme_fault(c);
    if (c->shutting_down)
        write32(c, CONFIGURATION, (read32(c, CONFIGURATION) & ~CONFIGURATION_SHUTDOWN) | CONFIGURATION_SHUTDOWN_NORMAL);
}

static void await_shutdown(const struct nvme_controller *c, nanoseconds start)
{
    for (;;) {
        uint32_t status = read32(c, STATUS);
        if (status == STATUS_GONE || (status & STATUS_SHUTDOWN) == STATUS_SHUTDOWN_COMPLETE)
            return;
        if (clock_monotonic() - start >= c->shutdown_time)
            break;
        __builtin_ia32_pause();
    }
    log_error("%s has not shut down within %lu ms, and may have to check itself at its next start", c->name,
              c->shutdown_time / NS_PER_MS);
}

/* All of them at once. A controller may reach memory until it is reset, so it is kept from it. */
void nvme_shut_down(void)
{
    nanoseconds start = clock_monotonic();
    list_for_each (link, &all)
        begin_shutdown(list_entry(link, struct nvme_controller, link));
    list_for_each (link, &all) {
        const struct nvme_controller *c = list_entry(link, struct nvme_controller, link);
        if (c->shutting_down)
            await_shutdown(c, start);
        pci_disconnect(&c->function);
    }
}
