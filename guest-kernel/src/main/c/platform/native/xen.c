/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a guest of Xen. xen_pvh_detect() comes early in native_start(): it sets up hypercalls,
 * xen_host and platform_operations, so that from then on output goes to Xen. xen_pvh_init() comes when there are memory
 * and interrupts: Xen's pages and the two rings are mapped, and all event channels become one interrupt vector, whose
 * handler runs those of the channels (platform/xen/events.h).
 *
 * All else is entered through those two tables, by drivers/xen/ and the kernel. What is static here is set at boot and
 * stays, so there are no locks. The guest cannot go on without what xen_pvh_init() asks Xen for, so a refusal is a
 * panic; one of the grant table is reported to the drivers.
 */
#include "platform/native/xen.h"

#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/native/clock.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/operations.h"
#include "platform/x86/processor.h"
#include "platform/xen/events.h"
#include "platform/xen/host.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/time.h"

/* xen/arch-x86/cpuid.h: leaves start at a multiple of 0x100 (another hypervisor's may come first). */
#define LEAVES_FIRST 0x40000000
#define LEAVES_LAST 0x40010000
#define LEAF_HYPERCALL_PAGE 2 /* EBX: the MSR to write its address to */

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
#define PARAMETER_STORE_FRAME 1
#define PARAMETER_STORE_PORT 2
#define PARAMETER_CONSOLE_FRAME 17
#define PARAMETER_CONSOLE_PORT 18
#define CALLBACK_VECTOR (2UL << 56)

/* xen/arch-x86/xen.h, XEN_HVM_DEBUGCONS_IOPORT: what a guest writes there goes to Xen's log, line by line. */
#define DEBUG_CONSOLE 0xe9

#define MAX_GRANT_ORDER 6 /* Xen's default limit for a guest: 64 frames */

static bool present;
static const struct shared_info *shared;

static uint32_t find_leaves(void)
{
    for (uint32_t base = LEAVES_FIRST; base < LEAVES_LAST; base += 0x100) {
        struct processor_leaf leaf = processor_identify(base, 0);
        uint32_t name[3] = { leaf.ebx, leaf.ecx, leaf.edx };
        if (memcmp(name, "XenVMMXenVMM", sizeof(name)) == 0)
            return base;
        if (leaf.eax < base)
            return 0;
    }
    return 0;
}

static uint64_t get_parameter(uint32_t index)
{
    struct {
        uint16_t domain;
        uint32_t index;
        uint64_t value;
    } request = { .domain = DOMID_SELF, .index = index };
    int64_t error = hypercall(HYPERCALL_HVM_OP, HVM_GET_PARAMETER, (uintptr_t)&request, 0, 0);
    if (error != 0)
        panic("cannot read HVM parameter %u: %s", index, errno_name(error));
    return request.value;
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

/* Until there is a ring: a panic that early is found in Xen's log. The hypercall that PV guests have for it does
 * nothing in a release build of Xen. */
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
    events_dispatch();
}

void xen_pvh_detect(void)
{
    uint32_t leaves = find_leaves();
    if (leaves == 0)
        return;
    msr_write(processor_identify(leaves + LEAF_HYPERCALL_PAGE, 0).ebx, (uintptr_t)hypercall_page - KERNEL_BASE);
    present = true;
    xen_host = &host;
    platform.name = "xen-pvh";
    platform_operations = &xen_pvh_machine;
}

static struct shared_info *map_shared_info(void)
{
    struct page *page = page_allocate();
    if (!page || !replace_page(SPACE_SHARED_INFO, 0, page_address(page)))
        panic("Xen's shared information cannot be mapped");
    return page_data(page);
}

static void *map_ring(uint32_t parameter)
{
    void *ring = memory_map(get_parameter(parameter) << PAGE_SHIFT, PAGE_SIZE);
    if (!ring)
        panic("no memory to map a ring shared with Xen");
    return ring;
}

void xen_pvh_init(void)
{
    if (!present)
        return;
    struct shared_info *mapped = map_shared_info();
    shared = mapped;
    events_init(mapped);
    int vector = interrupt_allocate(handle_events, NULL);
    if (vector < 0)
        panic("no interrupt vector for events");
    set_parameter(PARAMETER_CALLBACK, CALLBACK_VECTOR | (unsigned)vector);
    struct wall_time wall = { .monotonic = native_clock_monotonic(), .wall = wall_now() };
    native_clock_set_wall(&wall);
    void *console = map_ring(PARAMETER_CONSOLE_FRAME), *store = map_ring(PARAMETER_STORE_FRAME);
    machine_start_xen_rings(console, (uint32_t)get_parameter(PARAMETER_CONSOLE_PORT), store,
                            (uint32_t)get_parameter(PARAMETER_STORE_PORT));
}
