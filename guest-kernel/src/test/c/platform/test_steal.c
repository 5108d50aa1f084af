/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host takes from the CPUs, as KVM and Xen say it. The host changes its numbers after any instruction of the
 * kernel's reading, and takes its time over it: the kernel sees what was or what is, and nothing in between.
 */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "platform/native/instructions.h"
#include "platform/native/steal.h"
#include "platform/x86/processor.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/runstate.h"

#define OLD 1000
#define NEW 3000
#define KVM_STEAL (1u << 5)

char hypercall_page[HYPERCALL_PAGE_SIZE], kernel_base[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static bool is_kvm, is_xen, refuses, update_marked;
static uint32_t features;
static unsigned vcpu_asked;

/* Linux, kvm_para.h. */
static struct kvm_area {
    uint64_t stolen;
    uint32_t version;
} * kvm_area;
static struct runstate *xen_area;
static struct cpu cpus_of_test[] = { { .id = 0 }, { .id = 1 }, { .id = 2 } };

/* ---- The machine -------------------------------------------------------------------------------------------- */

struct processor_leaf processor_identify(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    switch (leaf) {
    case 1:
        return (struct processor_leaf){ .ebx = 6u << 24, .ecx = is_kvm || is_xen ? 1u << 31 : 0 };
    case 0x40000000:
        return is_kvm   ? (struct processor_leaf){ 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d }
               : is_xen ? (struct processor_leaf){ 0x40000004, 0x566e6558, 0x65584d4d, 0x4d4d566e }
                        : (struct processor_leaf){ 0 };
    case 0x40000001:
        return (struct processor_leaf){ .eax = is_kvm ? features : 0 };
    case 0x40000004:
        return (struct processor_leaf){ .eax = features, .ebx = 7 };
    }
    return (struct processor_leaf){ 0 };
}

void msr_write(uint32_t msr, uint64_t value)
{
    if (msr != 0x4b564d03 || (value & 63) != 1)
        abort();
    kvm_area = (struct kvm_area *)((value & ~63UL) + KERNEL_BASE);
}

int64_t hypercall(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)d;
    if (number == HYPERCALL_VM_ASSIST) {
        update_marked = a == 0 && b == 5;
        return 0;
    }
    if (number != HYPERCALL_VCPU_OP || a != 5)
        abort();
    vcpu_asked = (unsigned)b;
    if (refuses)
        return -38;
    memcpy(&xen_area, (const void *)c, sizeof(xen_area));
    xen_area->times[1] = 300; /* before this CPU was started */
    xen_area->times[3] = 70000;
    return 0;
}

void hypercall_yield(void) {}

static void machine(bool kvm, bool xen, uint32_t offered)
{
    is_kvm = kvm;
    is_xen = xen;
    features = offered;
    refuses = false;
    kvm_area = NULL;
    xen_area = NULL;
}

/* ---- Torn updates ------------------------------------------------------------------------------------------- */

static struct {
    void (*begin)(void), (*end)(void);
    uint64_t from, to; /* steps */
    nanoseconds read;
} update;

static void kvm_begins(void)
{
    kvm_area->version++;
    kvm_area->stolen = 77;
}

static void kvm_ends(void)
{
    kvm_area->stolen = NEW;
    kvm_area->version++;
}

static void xen_begins(void)
{
    xen_area->entered |= RUNSTATE_UPDATE;
    xen_area->times[1] += 500;
}

static void xen_ends(void)
{
    xen_area->times[3] += 1500;
    xen_area->entered = 9999;
}

static void on_step(uint64_t step)
{
    if (step == update.from)
        update.begin();
    if (step == update.to)
        update.end();
}

static void read_stolen(void) { update.read = native_stolen_time(&cpus_of_test[0]); }

static bool read_is_whole(nanoseconds before, void (*restore)(void))
{
    uint64_t steps = host_steps(read_stolen);
    for (uint64_t from = 1; from <= steps; from++)
        for (uint64_t length = 1; length < 60; length += 7) {
            restore();
            update.from = from;
            update.to = from + length;
            host_each_step = on_step;
            (void)host_steps(read_stolen);
            host_each_step = NULL;
            if (update.read != before && update.read != NEW)
                return false;
        }
    return steps > 10;
}

static void kvm_restored(void)
{
    kvm_area->stolen = OLD;
    kvm_area->version = 4;
}

static void xen_restored(void) { *xen_area = (struct runstate){ .times = { 5, 300 + OLD, 6, 70000 + 0 } }; }

static void kvm_is_read_whole(void)
{
    machine(true, false, KVM_STEAL);
    native_steal_load(&cpus_of_test[0]);
    CHECK(kvm_area != NULL);
    kvm_restored();
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[0]), OLD);
    update.begin = kvm_begins;
    update.end = kvm_ends;
    CHECK(read_is_whole(OLD, kvm_restored));
}

static void xen_is_read_whole(void)
{
    machine(false, true, 1u << 3);
    native_steal_load(&cpus_of_test[0]);
    CHECK(update_marked);
    CHECK_EQUAL(vcpu_asked, 7);
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[0]), 0); /* since it was started */
    xen_restored();
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[0]), OLD);
    update.begin = xen_begins;
    update.end = xen_ends;
    CHECK(read_is_whole(OLD, xen_restored));
}

/* ---- What is not offered ------------------------------------------------------------------------------------ */

static void nobody_says_anything(void)
{
    machine(false, false, 0);
    native_steal_load(&cpus_of_test[1]);
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[1]), 0);
    machine(true, false, ~KVM_STEAL);
    native_steal_load(&cpus_of_test[1]);
    CHECK(!kvm_area);
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[1]), 0);
}

static void xen_refuses(void)
{
    machine(false, true, 0);
    refuses = true;
    native_steal_load(&cpus_of_test[1]);
    CHECK_EQUAL(vcpu_asked, 3); /* half the APIC's number */
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[1]), 0);
}

static void each_cpu_has_its_own(void)
{
    machine(true, false, KVM_STEAL);
    native_steal_load(&cpus_of_test[1]);
    struct kvm_area *first = kvm_area;
    native_steal_load(&cpus_of_test[2]);
    CHECK(first != kvm_area);
    first->stolen = 5;
    kvm_area->stolen = 6;
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[1]), 5);
    CHECK_EQUAL(native_stolen_time(&cpus_of_test[2]), 6);
}

int main(void)
{
    host_init();
    host_test("steal: KVM's is read whole", kvm_is_read_whole);
    host_test("steal: Xen's is read whole", xen_is_read_whole);
    host_test("steal: nobody says anything", nobody_says_anything);
    host_test("steal: Xen refuses", xen_refuses);
    host_test("steal: each CPU has its own", each_cpu_has_its_own);
    return host_result();
}
