/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a guest of Xen, whether Xen itself (type="pvh") or a BIOS (type="hvm") started it.
 * native_xen_detect() comes early in native_start(): it sets up hypercalls, xen_host and platform_operations.
 * native_xen_init() comes when there are memory and interrupts: Xen's pages and the rings are mapped, and all event
 * channels become one interrupt vector, whose handler runs those of the channels (platform/xen/events.h) that interrupt
 * the CPU. The console's ring is only used where there is no serial port; there may be neither.
 *
 * A domain that was saved and restored has its memory and its processors, local APICs included, as they were. Xen's
 * pages, event channels and what was registered are set up again by suspend() and resume(), in a thread on the boot
 * CPU; the other CPUs wait meanwhile (platform/xen/park.h).
 *
 * All else is entered through those two tables, by drivers/xen/ and the kernel. What is static here is set at boot and
 * by a restore alone, so there are no locks. The guest cannot go on without xenstore, events and shared information, so
 * a refusal of these is a panic; one of the grant table is reported to the drivers.
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
#include "platform/native/unplug.h"
#include "platform/operations.h"
#include "platform/x86/processor.h"
#include "platform/xen/events.h"
#include "platform/xen/host.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/leaves.h"
#include "platform/xen/park.h"
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
static uint32_t hypercall_msr;
static unsigned event_vector;
static struct shared_info *shared;
static struct grant_entry *grants; /* 1 << grants_order pages */
static unsigned grants_order;
static uint64_t generation[2];     /* what the generator of random numbers mixes in (platform.h) */
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

static void fill_hypercall_page(void) { msr_write(hypercall_msr, (uintptr_t)hypercall_page - KERNEL_BASE); }

static struct grant_entry *map_grant_table(unsigned frames)
{
    unsigned order = 0;
    while (1u << order < frames)
        order++;
    if (!grants || order != grants_order) {
        struct page *pages = order <= MAX_GRANT_ORDER ? pages_allocate(order) : NULL;
        if (!pages)
            return NULL;
        grants = page_data(pages);
        grants_order = order;
    }
    /* On failure the pages are lost: some of them may be Xen's by then. */
    for (unsigned i = 0; i < frames; i++) {
        if (!replace_page(SPACE_GRANT_TABLE, i, virt_to_phys(grants) + i * PAGE_SIZE))
            return NULL;
    }
    return grants;
}

/* Where there is neither a serial port nor, yet, a ring: a panic that early is found in Xen's log. The hypercall that
 * PV guests have for it does nothing in a release build of Xen. */
static void write_early(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out8(DEBUG_CONSOLE, (uint8_t)text[i]);
}

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

static void map_shared_info(void)
{
    if (!replace_page(SPACE_SHARED_INFO, 0, virt_to_phys(shared)))
        panic("Xen's shared information cannot be mapped");
}

/* The page is NULL if Xen's tools do not offer the ring. */
struct ring {
    void *page;
    uint32_t port;
};

/* A domain that was restored has the same pages, mapped already, and other ports. */
static struct ring find_ring(void **mapped, uint32_t frame_parameter, uint32_t port_parameter)
{
    uint64_t frame = get_parameter(frame_parameter);
    uint32_t port = (uint32_t)get_parameter(port_parameter);
    if (frame == 0 || frame == NO_FRAME_YET || port == 0)
        return (struct ring){ 0 };
    if (!*mapped)
        *mapped = memory_map(frame << PAGE_SHIFT, PAGE_SIZE);
    if (!*mapped)
        panic("no memory to map a ring shared with Xen");
    return (struct ring){ *mapped, port };
}

static void start_rings(void)
{
    static void *store_page, *console_page;
    struct ring console = { 0 }, store = find_ring(&store_page, PARAMETER_STORE_FRAME, PARAMETER_STORE_PORT);
    if (!store.page)
        panic("Xen offers no xenstore, which names the disks and network devices; start the guest with xl or on EC2");
    if (!native_serial_present())
        console = find_ring(&console_page, PARAMETER_CONSOLE_FRAME, PARAMETER_CONSOLE_PORT);
    machine_start_xen_rings(console.page, console.port, store.page, store.port);
}

static void start_events(void) { set_parameter(PARAMETER_CALLBACK, CALLBACK_VECTOR | event_vector); }

static void set_wall(void)
{
    struct wall_time wall = { .monotonic = native_clock_monotonic(), .wall = wall_now() };
    native_clock_set_wall(&wall);
}

/* Two domains of one host have other numbers, if Xen says them, and two hosts have not run for the same time. */
static void change_generation(void)
{
    uint64_t tsc;
    struct vcpu_time time = xen_time_read(&shared->vcpu[0].time, &tsc);
    generation[0] += 1 + xen_time_at(&time, tsc);
    generation[1] = (generation[1] << 7 | generation[1] >> 57) ^ time.tsc ^ (uint64_t)xen_domain() << 48;
}

static bool suspend(void)
{
    uint32_t reason = SHUTDOWN_SUSPEND;
    cpus_park(native_cpu_catch_up);
    native_steal_mark();
    int64_t result = hypercall(HYPERCALL_SCHED_OP, SCHEDULE_SHUTDOWN, (uintptr_t)&reason, 0, 0);
    if (result != 0) {
        cpus_release();
        if (result < 0)
            log_error("Xen refuses to suspend the domain: %s", errno_name(result));
        return false;
    }
    fill_hypercall_page();
    map_shared_info();
    change_generation();
    events_restored();
    native_steal_restored();
    return true;
}

static void resume(void)
{
    start_events();
    set_wall();
    start_rings();
    xen_unplug_emulated(); /* the device model has been started again */
    cpus_release();
}

static const struct xen_host host = {
    .frame_of = frame_of,
    .map_grant_table = map_grant_table,
    .write_without_ring = write_early,
    .yield = hypercall_yield,
    .suspend = suspend,
    .resume = resume,
};

void native_xen_detect(void)
{
    uint32_t leaves = xen_leaves();
    if (leaves == 0)
        return;
    hypercall_msr = processor_identify(leaves + XEN_LEAF_HYPERCALL_PAGE, 0).ebx;
    fill_hypercall_page();
    present = true;
    xen_host = &host;
    platform_operations = &xen_native_machine;
}

void native_xen_init(void)
{
    if (!present)
        return;
    /* Xen's PVH guests have no I/O APIC. */
    platform.name = acpi.io_apic != 0 ? "xen-hvm" : "xen-pvh";
    struct page *page = page_allocate();
    if (!page)
        panic("no memory for Xen's shared information");
    shared = page_data(page);
    map_shared_info();
    events_init(shared);
    int vector = interrupt_allocate_injected(handle_events, NULL);
    if (vector < 0)
        panic("no interrupt vector for events");
    event_vector = (unsigned)vector;
    start_events();
    set_wall();
    start_rings();
    if (!platform.generation)
        platform.generation = generation;
}
