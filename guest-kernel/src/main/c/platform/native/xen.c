/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a guest of Xen, whether Xen itself (type="pvh") or a BIOS (type="hvm") started it.
 * native_xen_detect() comes early in native_start(): it sets up hypercalls, xen_host and platform_operations.
 * native_xen_init() comes when there are memory and interrupts: Xen's pages and the rings are mapped, and all event
 * channels become one interrupt vector, whose handler runs those of the channels (platform/xen/events.h) that interrupt
 * the CPU. The console's ring is only used where there is no serial port; there may be neither.
 *
 * All else is entered through those two tables, by drivers/xen/ and the kernel. What is static here is set at boot and
 * stays, so there are no locks. The guest cannot go on without xenstore, events and shared information, so a refusal of
 * these is a panic; one of the grant table is reported to the drivers.
 */
#include "platform/native/xen.h"

#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/clock.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/operations.h"
#include "platform/x86/processor.h"
#include "platform/xen/events.h"
#include "platform/xen/host.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/leaves.h"
#include "platform/xen/time.h"

/* xen/memory.h: XENMEM_add_to_physmap; xen/xen.h: __HYPERVISOR_*_op. */
#define HYPERCALL_MEMORY_OP 12
#define HYPERCALL_HVM_OP 34
#define MEMORY_ADD_TO_MAP 7
#define SPACE_SHARED_INFO 0
#define SPACE_GRANT_TABLE 1

/* xen/hvm/hvm_op.h, xen/hvm/params.h */
#define HVM_SET_PARAMETER 0
#define HVM_GET_PARAMETER 1
#define PARAMETER_CALLBACK 0
#define CALLBACK_VECTOR (2UL << 56)
#define PARAMETER_STORE_FRAME 1
#define PARAMETER_STORE_PORT 2
#define PARAMETER_CONSOLE_FRAME 17
#define PARAMETER_CONSOLE_PORT 18
#define NO_FRAME_YET UINT64_MAX /* the store's daemon may still start */

/* xen/arch-x86/xen.h, XEN_HVM_DEBUGCONS_IOPORT: what a guest writes there goes to Xen's log, line by line. */
#define DEBUG_CONSOLE 0xe9

#define MAX_GRANT_ORDER 6 /* Xen's default limit for a guest: 64 frames */

static bool present;
static struct shared_info *shared;
static unsigned vcpu_of[CPUS_MAX]; /* Xen's number of each CPU, by its id; each writes its own */

/* 0 also where Xen does not know the parameter. */
static uint64_t get_parameter(uint32_t index)
{
    struct {
        uint16_t domain;
        uint32_t index;
        uint64_t value;
    } request = { .domain = DOMID_SELF, .index = index };
    return hypercall(HYPERCALL_HVM_OP, HVM_GET_PARAMETER, (uintptr_t)&request, 0, 0) == 0 ? request.value : 0;
}

static void set_parameter(uint32_t index, uint64_t value)
{
    struct {
        uint16_t domain;
        uint32_t index;
        uint64_t value;
    } request = { .domain = DOMID_SELF, .index = index, .value = value };
    int64_t error = hypercall(HYPERCALL_HVM_OP, HVM_SET_PARAMETER, (uintptr_t)&request, 0, 0);
    if (error != 0)
        panic("cannot set HVM parameter %u: %s", index, errno_name(error));
}

/* Puts one of Xen's pages in place of one of ours. */
static bool replace_page(unsigned space, uint64_t index, phys_t address)
{
    struct {
        uint16_t domain, size;
        uint32_t space;
        uint64_t index, frame;
    } request = { .domain = DOMID_SELF, .space = space, .index = index, .frame = address >> PAGE_SHIFT };
    return hypercall(HYPERCALL_MEMORY_OP, MEMORY_ADD_TO_MAP, (uintptr_t)&request, 0, 0) == 0;
}

static uint64_t frame_of(phys_t address) { return address >> PAGE_SHIFT; }

static struct grant_entry *map_grant_table(unsigned frames)
{
    unsigned order = 0;
    while (1u << order < frames)
        order++;
    struct page *pages = order <= MAX_GRANT_ORDER ? pages_allocate(order) : NULL;
    if (!pages)
        return NULL;
    phys_t address = page_address(pages);
    /* On failure the pages are lost: some of them may be Xen's by then. */
    for (unsigned i = 0; i < frames; i++) {
        if (!replace_page(SPACE_GRANT_TABLE, i, address + i * PAGE_SIZE))
            return NULL;
    }
    return phys_to_virt(address);
}

/* Where there is neither a serial port nor, yet, a ring: a panic that early is found in Xen's log. The hypercall that
 * PV guests have for it does nothing in a release build of Xen. */
static void write_early(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out8(DEBUG_CONSOLE, (uint8_t)text[i]);
}

static const struct xen_host host = {
    .frame_of = frame_of,
    .map_grant_table = map_grant_table,
    .write_without_ring = write_early,
    .yield = hypercall_yield,
};

static nanoseconds wall_now(void)
{
    uint64_t tsc;
    uint32_t version;
    struct vcpu_time time = xen_time_read(&shared->vcpu[0].time, &tsc);
    return xen_wall_at_zero(shared, &version) + xen_time_at(&time, tsc);
}

static void handle_events(void *context)
{
    (void)context;
    events_dispatch(&shared->vcpu[this_cpu()->id]); /* native_xen_cpus() */
}

void native_xen_load(const struct cpu *cpu)
{
    unsigned number;
    if (present && xen_vcpu(&number))
        vcpu_of[cpu->id] = number;
}

/* The shared page has room for so many. */
unsigned native_xen_cpus(void)
{
    unsigned count = 1;
    while (count < min_of(cpus_online, (unsigned)array_size(shared->vcpu)) && vcpu_of[count] == count)
        count++;
    return count;
}

void native_xen_detect(void)
{
    uint32_t leaves = xen_leaves();
    if (leaves == 0)
        return;
    uint32_t msr = processor_identify(leaves + XEN_LEAF_HYPERCALL_PAGE, 0).ebx;
    msr_write(msr, (uintptr_t)hypercall_page - KERNEL_BASE);
    present = true;
    xen_host = &host;
    platform_operations = &xen_native_machine;
}

static struct shared_info *map_shared_info(void)
{
    struct page *page = page_allocate();
    if (!page || !replace_page(SPACE_SHARED_INFO, 0, page_address(page)))
        panic("Xen's shared information cannot be mapped");
    return page_data(page);
}

/* The page is NULL if Xen's tools do not offer the ring. */
struct ring {
    void *page;
    uint32_t port;
};

static struct ring find_ring(uint32_t frame_parameter, uint32_t port_parameter)
{
    uint64_t frame = get_parameter(frame_parameter);
    uint32_t port = (uint32_t)get_parameter(port_parameter);
    if (frame == 0 || frame == NO_FRAME_YET || port == 0)
        return (struct ring){ 0 };
    struct ring ring = { memory_map(frame << PAGE_SHIFT, PAGE_SIZE), port };
    if (!ring.page)
        panic("no memory to map a ring shared with Xen");
    return ring;
}

static void start_rings(void)
{
    struct ring console = { 0 }, store = find_ring(PARAMETER_STORE_FRAME, PARAMETER_STORE_PORT);
    if (!store.page)
        panic("Xen offers no xenstore, which names the disks and network devices; start the guest with xl or on EC2");
    if (!native_serial_present())
        console = find_ring(PARAMETER_CONSOLE_FRAME, PARAMETER_CONSOLE_PORT);
    machine_start_xen_rings(console.page, console.port, store.page, store.port);
}

static void start_events(struct shared_info *info)
{
    events_init(info);
    int vector = interrupt_allocate_injected(handle_events, NULL);
    if (vector < 0)
        panic("no interrupt vector for events");
    set_parameter(PARAMETER_CALLBACK, CALLBACK_VECTOR | (unsigned)vector);
}

void native_xen_init(void)
{
    if (!present)
        return;
    /* Xen's PVH guests have no I/O APIC. */
    platform.name = acpi.io_apic != 0 ? "xen-hvm" : "xen-pvh";
    struct shared_info *info = map_shared_info();
    shared = info;
    start_events(info);
    struct wall_time wall = { .monotonic = native_clock_monotonic(), .wall = wall_now() };
    native_clock_set_wall(&wall);
    start_rings();
}
