/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers the processor's identification, ports and hypercalls from `hvm`, and writes there what the kernel does. A
 * port, register or hypercall that the kernel has no reason to use ends the test. One thread; no locks.
 */
#include "fake_hvm.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/clock.h"
#include "platform/native/instructions.h"
#include "platform/native/interrupts.h"
#include "platform/native/native.h"
#include "platform/operations.h"
#include "platform/x86/processor.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"

struct fake_hvm hvm;
struct platform_information platform;
const struct platform_operations *platform_operations;
const struct platform_operations xen_native_machine;
struct acpi_information acpi;
char hypercall_page[HYPERCALL_PAGE_SIZE], kernel_base[1];
static uint8_t mapped[2][PAGE_SIZE];

void fake_hvm_reset(void)
{
    hvm = (struct fake_hvm){
        .leaves = 0x40000000,
        .serial = true,
        .parameters = { [1] = HVM_STORE_FRAME,
                        [2] = HVM_STORE_PORT,
                        [17] = HVM_CONSOLE_FRAME,
                        [18] = HVM_CONSOLE_PORT },
        .grant_frames = 32,
        .unplug_magic = 0x49d2,
        .unplug_version = 1,
        .product = UINT32_MAX,
        .build = UINT32_MAX,
        .unplugged = UINT32_MAX,
    };
    acpi.io_apic = 0xfec00000;
    platform.name = "";
    platform_operations = NULL;
    (void)host_log();
}

void *fake_hvm_mapped(uint64_t frame) { return mapped[frame == HVM_CONSOLE_FRAME]; }

/* ---- Processor -------------------------------------------------------------------------------- */

struct processor_leaf processor_identify(uint32_t leaf, uint32_t subleaf)
{
    static const struct processor_leaf xen = { 0, 0x566e6558, 0x65584d4d, 0x4d4d566e };
    struct processor_leaf answer = { 0 };
    (void)subleaf;
    if (hvm.leaves_of_another && leaf == 0x40000000)
        return (struct processor_leaf){ 0x4000000a, 0x7263694d, 0x666f736f, 0x76482074 };
    if (hvm.leaves != 0 && leaf == hvm.leaves) {
        answer = xen;
        answer.eax = hvm.leaves + 4;
    } else if (hvm.leaves != 0 && leaf == hvm.leaves + 2) {
        answer = (struct processor_leaf){ .eax = 1, .ebx = HVM_HYPERCALL_MSR };
    }
    return answer;
}

void msr_write(uint32_t msr, uint64_t value)
{
    if (msr != HVM_HYPERCALL_MSR)
        abort();
    hvm.hypercall_page = value;
}

/* ---- Ports ------------------------------------------------------------------------------------- */

uint8_t in8(uint16_t port)
{
    if (port != 0x12)
        abort();
    return hvm.unplug_version;
}

uint16_t in16(uint16_t port)
{
    if (port != 0x10)
        abort();
    return hvm.unplug_blacklisted && hvm.build != UINT32_MAX ? 0xd249 : hvm.unplug_magic;
}

void out8(uint16_t port, uint8_t value)
{
    if (port != 0xe9)
        abort();
    hvm.log[strlen(hvm.log)] = (char)value;
}

void out16(uint16_t port, uint16_t value)
{
    if (port != 0x10 && port != 0x12)
        abort();
    *(port == 0x10 ? &hvm.unplugged : &hvm.product) = value;
}

void out32(uint16_t port, uint32_t value)
{
    if (port != 0x10)
        abort();
    hvm.build = value;
}

/* ---- Hypercalls -------------------------------------------------------------------------------- */

struct parameter_request {
    uint16_t domain;
    uint32_t index;
    uint64_t value;
};

struct map_request {
    uint16_t domain, size;
    uint32_t space;
    uint64_t index, frame;
};

static int64_t serve_parameter(unsigned operation, struct parameter_request *request)
{
    if (request->domain != DOMID_SELF || request->index >= HVM_PARAMETERS || operation > 1)
        abort();
    if (hvm.refused[request->index])
        return -EINVAL;
    if (operation == 0)
        hvm.parameters[request->index] = request->value;
    else
        request->value = hvm.parameters[request->index];
    return 0;
}

static int64_t serve_map(const struct map_request *request)
{
    struct shared_info *info = phys_to_virt(request->frame << PAGE_SHIFT);
    if (request->domain != DOMID_SELF || request->size != 0 || request->space > 1)
        abort();
    if (request->space == 1) {
        if (request->index >= hvm.grant_frames)
            return -EINVAL;
        hvm.grant_table[request->index] = request->frame << PAGE_SHIFT;
        return 0;
    }
    if (hvm.shared_info_refused || request->index != 0)
        return -EPERM;
    memset(info, 0, sizeof(*info));
    info->wall_seconds = HVM_WALL_SECONDS;
    return 0;
}

/* A domain that goes on from what was saved is another one, in which only its own memory is as it was. */
static int64_t serve_suspend(unsigned command, const uint32_t *reason)
{
    if (command != SCHEDULE_SHUTDOWN || *reason != SHUTDOWN_SUSPEND)
        abort();
    if (hvm.suspended_with != 0)
        return hvm.suspended_with;
    hvm.parameters[0] = 0;
    hvm.parameters[2] = HVM_STORE_PORT + 1;
    hvm.hypercall_page = hvm.wall = 0;
    hvm.rings_started = false;
    memset(hvm.grant_table, 0, sizeof(hvm.grant_table));
    hvm.channels_forgotten = hvm.steal_restored = 0;
    return 0;
}

int64_t hypercall(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)c, (void)d;
    hvm.hypercalls++;
    if (number == HYPERCALL_SCHED_OP)
        return serve_suspend((unsigned)a, (const uint32_t *)b);
    if (number == 34)
        return serve_parameter((unsigned)a, (struct parameter_request *)b);
    if (number != 12 || a != 7)
        abort();
    return serve_map((const struct map_request *)b);
}

void hypercall_yield(void) {}

/* ---- The rest of the kernel -------------------------------------------------------------------- */

bool native_serial_present(void) { return hvm.serial; }
nanoseconds native_clock_monotonic(void) { return 0; }
void native_clock_set_wall(const struct wall_time *time) { hvm.wall = time->wall; }
void *memory_map(phys_t address, size_t length)
{
    return length == PAGE_SIZE ? fake_hvm_mapped(address >> PAGE_SHIFT) : NULL;
}
void events_init(struct shared_info *shared) { (void)shared; }
void events_restored(void) { hvm.channels_forgotten++; }
void native_steal_mark(void) {}
void native_steal_restored(void) { hvm.steal_restored++; }
void native_cpu_catch_up(void) {}
void events_dispatch(struct vcpu_info *vcpu) { (void)vcpu; }

int interrupt_allocate_injected(interrupt_handler *handler, void *context)
{
    (void)handler, (void)context;
    return HVM_VECTOR;
}

void machine_start_xen_rings(void *console, uint32_t console_port, void *store, uint32_t store_port)
{
    hvm.rings_started = true;
    hvm.console = console;
    hvm.console_port = console_port;
    hvm.store = store;
    hvm.store_port = store_port;
}

void cpu_interrupt(const struct cpu *cpu) { (void)cpu; }
void cpu_rouse(const struct cpu *cpu) { (void)cpu; }
