/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform as a Xen guest, whatever of it the host leaves out: platform/native/{xen,unplug}.c and
 * platform/xen/leaves.c against fake_hvm.c.
 */
#include <string.h>

#include "fake_hvm.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/native.h"
#include "platform/native/unplug.h"
#include "platform/native/xen.h"
#include "platform/operations.h"
#include "platform/xen/host.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/leaves.h"

static void start(void)
{
    native_xen_detect();
    native_xen_init();
}

/* The first test: what is found once stays. */
static void nothing_without_xen(void)
{
    hvm.leaves = 0;
    hvm.leaves_of_another = true;
    start();
    CHECK(platform_operations == NULL && hvm.hypercall_page == 0 && hvm.hypercalls == 0 && !hvm.rings_started);
}

static void finds_xen(void)
{
    native_xen_detect();
    CHECK_EQUAL(xen_leaves(), 0x40000000);
    CHECK(platform_operations == &xen_native_machine);
    CHECK_EQUAL(hvm.hypercall_page, (uintptr_t)hypercall_page - KERNEL_BASE);
}

static void finds_xen_after_another(void)
{
    hvm.leaves = 0x40000100;
    hvm.leaves_of_another = true;
    native_xen_detect();
    CHECK_EQUAL(xen_leaves(), 0x40000100);
    CHECK(platform_operations == &xen_native_machine && hvm.hypercall_page != 0);
}

static void starts_store_and_events(void)
{
    start();
    CHECK(strcmp(platform.name, "xen-hvm") == 0);
    CHECK(hvm.rings_started && hvm.store == fake_hvm_mapped(HVM_STORE_FRAME));
    CHECK_EQUAL(hvm.store_port, HVM_STORE_PORT);
    CHECK_EQUAL(hvm.parameters[0], 2UL << 56 | HVM_VECTOR);
    CHECK(hvm.wall >= HVM_WALL_SECONDS * NS_PER_SECOND && hvm.wall < (HVM_WALL_SECONDS + 1) * NS_PER_SECOND);
}

static void prefers_the_serial_port(void)
{
    start();
    CHECK(hvm.rings_started && hvm.console == NULL);
}

static void uses_the_ring_without_serial_port(void)
{
    hvm.serial = false;
    start();
    CHECK(hvm.console == fake_hvm_mapped(HVM_CONSOLE_FRAME));
    CHECK_EQUAL(hvm.console_port, HVM_CONSOLE_PORT);
}

static void does_without_a_console(void)
{
    hvm.serial = false;
    hvm.parameters[17] = 0;
    start();
    CHECK(hvm.rings_started && hvm.console == NULL && hvm.store != NULL);
    hvm.parameters[17] = HVM_CONSOLE_FRAME;
    hvm.parameters[18] = 0;
    start();
    CHECK(hvm.console == NULL);
    hvm.refused[17] = hvm.refused[18] = true;
    start();
    CHECK(hvm.console == NULL && hvm.store_port == HVM_STORE_PORT);
}

static void says_that_there_is_no_store(void)
{
    static const uint64_t frames[] = { 0, UINT64_MAX, HVM_STORE_FRAME };
    for (unsigned i = 0; i < array_size(frames); i++) {
        hvm.parameters[1] = frames[i];
        hvm.parameters[2] = frames[i] == HVM_STORE_FRAME ? 0 : HVM_STORE_PORT;
        CHECK(host_panics(start, "Xen offers no xenstore"));
    }
    hvm.refused[1] = true;
    CHECK(host_panics(start, "Xen offers no xenstore"));
}

static void says_what_xen_refuses(void)
{
    hvm.refused[0] = true;
    CHECK(host_panics(start, "cannot set HVM parameter 0: EINVAL"));
    hvm.shared_info_refused = true;
    CHECK(host_panics(start, "shared information cannot be mapped"));
}

static void has_its_name_in_a_pvh_guest(void)
{
    acpi.io_apic = 0;
    hvm.serial = false;
    start();
    CHECK(strcmp(platform.name, "xen-pvh") == 0);
}

static void writes_early_text_to_xens_log(void)
{
    native_xen_detect();
    xen_host->write_without_ring("early", 5);
    CHECK(strcmp(hvm.log, "early") == 0);
}

static void maps_the_grant_table(void)
{
    native_xen_detect();
    uint8_t *table = (uint8_t *)xen_host->map_grant_table(3);
    CHECK(table != NULL);
    for (unsigned i = 0; i < 3; i++)
        CHECK(phys_to_virt(hvm.grant_table[i]) == table + i * PAGE_SIZE);
    CHECK(xen_host->map_grant_table(33) == NULL);
    CHECK(xen_host->map_grant_table(65) == NULL);
}

static void goes_on_after_a_restore(void)
{
    hvm.serial = false;
    start();
    struct grant_entry *table = xen_host->map_grant_table(2);
    CHECK(table != NULL && platform.generation != NULL);
    phys_t first = hvm.grant_table[0], second = hvm.grant_table[1];
    uint64_t before[] = { platform.generation[0], platform.generation[1] };
    CHECK(xen_host->suspend());
    CHECK_EQUAL(hvm.hypercall_page, (uintptr_t)hypercall_page - KERNEL_BASE);
    CHECK(platform.generation[0] != before[0]);
    CHECK(hvm.channels_forgotten == 1 && hvm.steal_restored == 1 && !hvm.rings_started);
    CHECK(xen_host->map_grant_table(2) == table);
    CHECK(hvm.grant_table[0] == first && hvm.grant_table[1] == second);
    xen_host->resume();
    CHECK_EQUAL(hvm.parameters[0], 2UL << 56 | HVM_VECTOR);
    CHECK(hvm.rings_started && hvm.store == fake_hvm_mapped(HVM_STORE_FRAME));
    CHECK(hvm.store_port == HVM_STORE_PORT + 1 && hvm.console == fake_hvm_mapped(HVM_CONSOLE_FRAME));
    CHECK(hvm.wall >= HVM_WALL_SECONDS * NS_PER_SECOND);
    CHECK(hvm.unplugged == 3);
}

static void goes_on_if_it_was_not_saved(void)
{
    start();
    uint64_t before = platform.generation[0];
    hvm.wall = 0;
    hvm.suspended_with = 1;
    CHECK(!xen_host->suspend());
    CHECK_EQUAL(host_log()[0], 0);
    CHECK(platform.generation[0] == before && hvm.wall == 0 && hvm.channels_forgotten == 0);
    hvm.suspended_with = -EPERM;
    CHECK(!xen_host->suspend());
    CHECK(strstr(host_log(), "Xen refuses to suspend the domain: EPERM") != NULL);
}

/* ---- Emulated devices -------------------------------------------------------------------------- */

#define DISKS_AND_NETWORK 3
#define NOT_WRITTEN UINT32_MAX

static void unplugs_after_naming_itself(void)
{
    xen_unplug_emulated();
    CHECK(hvm.product == 0xffff && hvm.build == 1 && hvm.unplugged == DISKS_AND_NETWORK);
    CHECK(strstr(host_log(), "the emulated disks and network cards are unplugged") != NULL);
    hvm.unplugged = NOT_WRITTEN;
    hvm.unplug_version = 2;
    xen_unplug_emulated();
    CHECK_EQUAL(hvm.unplugged, DISKS_AND_NETWORK);
}

static void unplugs_by_the_first_protocol(void)
{
    hvm.unplug_version = 0;
    xen_unplug_emulated();
    CHECK(hvm.product == NOT_WRITTEN && hvm.build == NOT_WRITTEN && hvm.unplugged == DISKS_AND_NETWORK);
}

static void leaves_what_the_host_keeps(void)
{
    hvm.unplug_blacklisted = true;
    xen_unplug_emulated();
    CHECK(hvm.build == 1 && hvm.unplugged == NOT_WRITTEN);
    CHECK(strstr(host_log(), "the host keeps the emulated disks and network cards") != NULL);
}

static void touches_nothing_where_it_is_not_offered(void)
{
    hvm.unplug_magic = 0xffff;
    xen_unplug_emulated();
    CHECK(hvm.product == NOT_WRITTEN && hvm.build == NOT_WRITTEN && hvm.unplugged == NOT_WRITTEN);
    CHECK(strcmp(host_log(), "") == 0);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        { "hvm: nothing is done without Xen", nothing_without_xen },
        { "hvm: Xen is found", finds_xen },
        { "hvm: Xen is found after another hypervisor's leaves", finds_xen_after_another },
        { "hvm: xenstore, events and wall clock start", starts_store_and_events },
        { "hvm: the serial port is the console", prefers_the_serial_port },
        { "hvm: without serial port the ring is the console", uses_the_ring_without_serial_port },
        { "hvm: a guest without console starts", does_without_a_console },
        { "hvm: without xenstore the guest says so", says_that_there_is_no_store },
        { "hvm: what Xen refuses is named", says_what_xen_refuses },
        { "hvm: a PVH guest is one", has_its_name_in_a_pvh_guest },
        { "hvm: early text goes to Xen's log", writes_early_text_to_xens_log },
        { "hvm: the grant table is mapped in order", maps_the_grant_table },
        { "hvm: a domain goes on after a restore", goes_on_after_a_restore },
        { "hvm: a domain goes on that was not saved", goes_on_if_it_was_not_saved },
        { "hvm: emulated devices are unplugged", unplugs_after_naming_itself },
        { "hvm: emulated devices are unplugged by the first protocol", unplugs_by_the_first_protocol },
        { "hvm: emulated devices that the host keeps stay", leaves_what_the_host_keeps },
        { "hvm: no port is written where nothing can be unplugged", touches_nothing_where_it_is_not_offered },
    };
    host_init();
    for (unsigned i = 0; i < array_size(tests); i++) {
        fake_hvm_reset();
        host_test(tests[i].name, tests[i].run);
    }
    return host_result();
}
