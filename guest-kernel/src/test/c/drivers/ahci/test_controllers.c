/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting AHCI controllers: firmware that hands over, ports with and without disks, and what controllers and disks say
 * of themselves, true or not. What does not start is reported, and has stopped before its memory is free again. And the
 * end of the machine.
 */
#include <string.h>

#include "drivers/ahci/fake_hba.h"
#include "drivers/ahci/tests.h"
#include "host/host.h"
#include "lib/errno.h"

#define NO_VIOLATION() CHECK(fake.violation == NULL)

static void says_what_it_found(void)
{
    fake_init();
    fake.ports[1].identity[28] = 0x1b64;
    CHECK(start_disk());
    const char *log = host_log();
    CHECK(strstr(log, " port 1: A ?dsk of tests\n") != NULL);
    CHECK(strstr(log, ": 1 MiB in blocks of 512 bytes\n") != NULL);
    CHECK_EQUAL(disk->sectors, 2048);
    CHECK(strncmp(disk->name, "sd", 2) == 0);
    CHECK_EQUAL(fake.control, 0x80000002);
}

static void leaves_other_functions_alone(void)
{
    static const uint32_t classes[] = { 0x010600, 0x010602, 0x010100, 0x010802, 0 };
    for (unsigned i = 0; i < array_size(classes); i++) {
        struct pci_function function = { .vendor = 0x8086, .id = 0x2922, .class = classes[i] };
        CHECK(!ahci_start(&function));
    }
}

/* Firmware that owns it lets go at once, after a while or never; then it is taken all the same. */
static void taken_over_from_firmware(void)
{
    static const struct {
        unsigned steps;
        bool busy, in_time;
    } kinds[] = { { 2, false, true }, { 1000, true, true }, { 0, false, false }, { 0, true, false } };
    for (unsigned i = 0; i < array_size(kinds); i++) {
        fake_init();
        fake.capabilities_2 = 1;
        fake.handoff = 1;
        fake.handoff_steps = kinds[i].steps;
        fake.handoff_busy = kinds[i].busy;
        (void)host_log();
        CHECK(start_disk());
        CHECK(fake.handoff & 2);
        CHECK_EQUAL(strstr(host_log(), "firmware does not hand the controller over") == NULL, kinds[i].in_time);
        NO_VIOLATION();
    }
}

/* Looks for the controller as it now is: true if it leaves no disk and no memory, and says this, or nothing. */
static bool leaves_nothing(const char *line)
{
    unsigned disks = disks_found();
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    (void)host_log();
    bool found = fake_find();
    const char *log = host_log();
    fake_interrupt();
    return found && (line != NULL ? strstr(log, line) != NULL : *log == 0) && disks_found() == disks &&
           fake.violation == NULL && host_pages_in_use() == pages && host_heap_blocks() == blocks;
}

static void controllers_that_cannot_be(void)
{
    fake_init();
    fake.window_absent = true;
    CHECK(leaves_nothing("does not start: ENODEV"));
    fake_init();
    fake.window_length = 0x17c;
    CHECK(leaves_nothing("does not start: ENODEV"));
    fake_init();
    fake.gone = true;
    nanoseconds before = clock_monotonic();
    CHECK(leaves_nothing("does not start: ENODEV"));
    CHECK(clock_monotonic() - before < NS_PER_SECOND); /* it is not waited for */
    fake_init();
    fake.capabilities &= 0x7fffffff;
    CHECK(leaves_nothing("does not start: EOPNOTSUPP"));
    fake_init();
    fake.never_resets = true;
    CHECK(leaves_nothing("does not start: ETIMEDOUT"));
    fake_init();
    fake.has_msi = false;
    CHECK(leaves_nothing("does not start: ENODEV"));
}

/* Nothing is said, and no time lost, where there is no disk. */
static void ports_without_disks(void)
{
    fake_init();
    fake.ports[1].present = false;
    nanoseconds before = clock_monotonic();
    CHECK(leaves_nothing(NULL));
    CHECK(clock_monotonic() - before < NS_PER_SECOND);
    fake_init();
    fake.ports[1].signature = 0xeb140101; /* a CD drive */
    CHECK(leaves_nothing(NULL));
    fake_init();
    fake.ports[1].link_stays_down = true;
    CHECK(leaves_nothing(NULL));
    fake_init();
    fake.implemented = 0;
    CHECK(leaves_nothing(NULL));
    fake_init();
    fake.implemented = 0xd; /* not port 1 */
    CHECK(leaves_nothing(NULL));
}

/* Registers are used as far as the window reaches. */
static void windows_for_fewer_ports(void)
{
    for (unsigned ports = 1; ports <= FAKE_PORTS; ports++) {
        fake_init();
        for (unsigned i = 0; i < FAKE_PORTS; i++)
            fake_add_disk(i, 9);
        fake.implemented = UINT32_MAX;
        fake.window_length = 0x100 + ports * 0x80 + 0x7f;
        unsigned disks = disks_found();
        CHECK(start_disk());
        CHECK_EQUAL(disks_found() - disks, ports);
        NO_VIOLATION();
    }
}

/* Links that must be started one by one. */
static void staggered_spin_up(void)
{
    fake_init();
    fake.capabilities |= 1u << 27;
    CHECK(start_disk());
    for (unsigned i = 0; i < FAKE_PORTS; i++)
        CHECK(fake.ports[i].command & FAKE_SPIN_UP);
    NO_VIOLATION();
}

static void disks_that_do_not_start(void)
{
    fake_init();
    fake.ports[1].never_ready = true;
    CHECK(leaves_nothing("port 1: the disk does not start: ETIMEDOUT"));
    fake_init();
    fake.ports[1].silent = true;
    CHECK(leaves_nothing("port 1: the disk does not start: ETIMEDOUT"));
    fake_init();
    fake.ports[1].identify_status = FAKE_STATUS_GOOD | AHCI_TASK_ERROR;
    CHECK(leaves_nothing("port 1: the disk does not start: EIO"));
    fake_init();
    fake.keeps_issued = false;
    fake.ports[1].identify_status = FAKE_STATUS_GOOD | AHCI_TASK_FAULT;
    CHECK(leaves_nothing("port 1: the disk does not start: EIO"));
}

/* The controller may still use the memory, so that is kept; the disk beside it is found. */
static void a_port_that_does_not_stop(void)
{
    for (unsigned receives = 0; receives < 2; receives++) {
        fake_init();
        fake_add_disk(2, 9);
        fake.ports[1].silent = true;
        fake.ports[1].never_stops = !receives;
        fake.ports[1].never_receives = receives;
        uint64_t pages = host_pages_in_use();
        CHECK(start_disk());
        NO_VIOLATION();
        CHECK_EQUAL(host_pages_in_use() - pages, 2);
    }
}

static void identities_that_cannot_be(void)
{
    static const struct {
        uint8_t word;
        uint16_t value;
        const char *line;
    } lies[] = {
        { 83, 0, "has no 48-bit addresses" },
        { 83, 0xffff, "has no 48-bit addresses" },
        { 83, 0x4000, "has no 48-bit addresses" },
        { 83, 0x4400, "has no 48-bit addresses" },
        { 117, 0, "do not have 512 to 4096 bytes" },
        { 117, 128, "do not have 512 to 4096 bytes" },
        { 117, 4096, "do not have 512 to 4096 bytes" },
        { 117, 1500, "do not have 512 to 4096 bytes" },
        { 118, 0x8000, "do not have 512 to 4096 bytes" },
        { 103, 1, "reports a size that no disk has" },
        { 103, 0xffff, "reports a size that no disk has" },
        { 100, 0, "reports a size that no disk has" },
    };
    for (unsigned i = 0; i < array_size(lies); i++) {
        fake_init();
        fake.ports[1].identity[106] = lies[i].word >= 117 ? 0x5000 : 0x4000;
        fake.ports[1].identity[lies[i].word] = lies[i].value;
        CHECK(leaves_nothing(lies[i].line));
    }
    fake_init();
    memset(fake.ports[1].identity, 0xff, sizeof(fake.ports[1].identity));
    CHECK(leaves_nothing("is not usable as a disk"));
}

static void no_memory(void)
{
    unsigned failed = 0;
    for (unsigned n = 1;; n++) {
        uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
        unsigned disks = disks_found();
        fake_init();
        host_fail_allocation(n);
        CHECK(fake_find());
        host_fail_allocation(0);
        NO_VIOLATION();
        if (disks_found() > disks)
            break;
        failed++;
        CHECK_EQUAL(host_pages_in_use(), pages);
        CHECK_EQUAL(host_heap_blocks(), blocks);
    }
    CHECK_EQUAL(failed, 3);
}

/* ---- The end ---- */

static void disks_park_their_heads_at_power_off(void)
{
    for (unsigned power_off = 0; power_off <= 1; power_off++) {
        fake_init();
        fake_add_disk(3, 9);
        CHECK(start_disk());
        ahci_shut_down(power_off);
        NO_VIOLATION();
        CHECK(fake.disconnected);
        CHECK(fake.ports[1].standbys == power_off && fake.ports[3].standbys == power_off);
        submit_run(0, false, 0, 0, 4096);
        CHECK(ended[0] == 1 && results[0] == -EIO);
        free_run(0);
    }
}

/* Its end is found without an interrupt. */
static void the_command_under_way_is_waited_for(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, true, 16, 0, 4096);
    fake_transfer(1);
    fake.ports[1].issued = 0;
    ahci_shut_down(true);
    NO_VIOLATION();
    CHECK(ended[0] == 1 && results[0] == 0 && holds(0, 16, 4096));
    CHECK_EQUAL(fake.ports[1].standbys, 1);
    free_run(0);
}

static void disks_that_do_not_end(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, true, 16, 0, 4096);
    nanoseconds start = clock_monotonic();
    ahci_shut_down(true);
    CHECK(clock_monotonic() - start < 31 * NS_PER_SECOND);
    CHECK(fake.ports[1].standbys == 0 && fake.disconnected);
    fake_init();
    CHECK(start_disk());
    fake.ports[1].silent = true;
    (void)host_log();
    ahci_shut_down(true);
    CHECK(strstr(host_log(), "does not stop: ETIMEDOUT") != NULL);
    CHECK(fake.disconnected);
}

void test_controllers(void)
{
    host_test("ahci: says what it found", says_what_it_found);
    host_test("ahci: leaves other functions alone", leaves_other_functions_alone);
    host_test("ahci: taken over from firmware", taken_over_from_firmware);
    host_test("ahci: controllers that cannot be", controllers_that_cannot_be);
    host_test("ahci: ports without disks", ports_without_disks);
    host_test("ahci: windows for fewer ports", windows_for_fewer_ports);
    host_test("ahci: staggered spin-up", staggered_spin_up);
    host_test("ahci: disks that do not start", disks_that_do_not_start);
    host_test("ahci: a port that does not stop", a_port_that_does_not_stop);
    host_test("ahci: identities that cannot be", identities_that_cannot_be);
    host_test("ahci: no memory", no_memory);
    host_test("ahci: disks park their heads at power-off", disks_park_their_heads_at_power_off);
    host_test("ahci: the command under way is waited for", the_command_under_way_is_waited_for);
    host_test("ahci: disks that do not end", disks_that_do_not_end);
}
