/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting NVMe controllers: what they say of themselves and their disks, true or not. A controller that does not come
 * up is reported, and has stopped before its memory is free again. And their end.
 */
#include <stdio.h>
#include <string.h>

#include "drivers/nvme/nvme.h"
#include "host/host.h"
#include "lib/errno.h"
#include "drivers/nvme/fake_controller.h"
#include "drivers/nvme/tests.h"

#define NO_VIOLATION() CHECK(fake.violation == NULL)

static void says_what_it_found(void)
{
    fake_init();
    CHECK(start_disk());
    const char *log = host_log();
    CHECK(strstr(log, " at 00:04.0: Amazon Elastic Block Store, vol0123456789abcdef0, attached as /dev/sdf\n") != NULL);
    CHECK(strstr(log, "n1: 1 MiB in blocks of 512 bytes\n") != NULL);
    CHECK_EQUAL(disk->sectors, 2048);
    CHECK(!disk->read_only);
    CHECK(fake.connected[fake.queues[1].vector]);
    fake_init();
    memset(fake.identity + 24, ' ', 40);
    memcpy(fake.identity + 24, "Amazon EC2 NVMe Instance Storage", 32);
    fake.identity[4] = 0x1b;
    fake.namespaces[0].identity[99] = 1;
    CHECK(start_disk());
    log = host_log();
    CHECK(strstr(log, ": Amazon EC2 NVMe Instance Storage, ?ol0123456789abcdef0\n") != NULL);
    CHECK(strstr(log, "in blocks of 512 bytes, read-only\n") != NULL);
    CHECK(disk->read_only);
    submit_run(0, true, 0, 0, 512);
    CHECK_EQUAL(results[0], -EROFS);
    free_run(0);
}

static void leaves_other_functions_alone(void)
{
    static const uint32_t classes[] = { 0x010801, 0x010803, 0x010601, 0x020000, 0 };
    for (unsigned i = 0; i < array_size(classes); i++) {
        struct pci_function function = { .vendor = 0x1d0f, .id = 0x8061, .class = classes[i] };
        CHECK(!nvme_start(&function));
    }
}

static void one_interrupt_for_everything(void)
{
    fake_init();
    fake.vectors = 1;
    CHECK(start_disk());
    CHECK_EQUAL(fake.queues[1].vector, 0);
    CHECK(fake.connected[0]);
    fake_interrupt();
    submit_run(0, false, 0, 0, 512);
    CHECK_EQUAL(fake_serve(), 1);
    CHECK_EQUAL(ended[0], 1);
    free_run(0);
}

/* Doorbells may lie apart; they must lie in the window. */
static void doorbells_anywhere(void)
{
    for (unsigned stride = 0; stride < 16; stride++) {
        unsigned disks = disks_found();
        fake_init();
        fake.capabilities |= (uint64_t)stride << 32;
        fake.window_length = 0x1000 + (16UL << stride) - (stride == 15 ? 4 : 0);
        (void)host_log();
        CHECK(fake_find());
        NO_VIOLATION();
        CHECK_EQUAL(disks_found() - disks, stride == 15 ? 0 : 1);
        CHECK_EQUAL(strstr(host_log(), "does not start: ENODEV") != NULL, stride == 15);
    }
}

static void several_disks_on_one_controller(void)
{
    struct nvme_command command;
    fake_init();
    fake_add_namespace(1, 7, 12);
    fake_add_namespace(2, 0xfffffffe, 9);
    unsigned disks = disks_found();
    CHECK(start_disk());
    CHECK_EQUAL(disks_found(), disks + 3);
    CHECK(strstr(block_device_at(disks + 1)->name, "n7") != NULL);
    for (unsigned i = 0; i < 3; i++) {
        disk = block_device_at(disks + i);
        submit_run(i, false, 8, 0, 4096);
        CHECK(fake_take(&command));
        CHECK_EQUAL(command.namespace, i == 0 ? 1 : i == 1 ? 7 : 0xfffffffe);
        CHECK_EQUAL(command.arguments[0], i == 1 ? 1 : 8);
        fake_transfer(&command);
        fake_complete(&command, 0);
        CHECK_EQUAL(*byte_of(i, 1), (uint8_t)(4096 / 512 * 7 + 1 + i));
        free_run(i);
    }
    NO_VIOLATION();
}

/* Before 1.1 there is no list of them; the numbers are counted up. */
static void disks_of_old_controllers(void)
{
    static const struct {
        uint32_t number, disks;
    } numbers[] = { { 0, 0 }, { 1, 1 }, { 2, 1 }, { 3, 2 }, { 0xffffffff, 2 } };
    for (unsigned i = 0; i < array_size(numbers); i++) {
        fake_init();
        fake.version = 0x10000;
        fake_add_namespace(1, 3, 9);
        memcpy(fake.identity + 516, &numbers[i].number, 4);
        unsigned disks = disks_found();
        CHECK(fake_find());
        NO_VIOLATION();
        CHECK_EQUAL(disks_found() - disks, numbers[i].disks);
    }
}

static void lists_of_disks_that_cannot_be(void)
{
    static const uint32_t lists[][3] = { { 0, 1, 2 }, { 1, 1, 1 }, { 3, 2, 1 }, { 1, 0, 3 }, { 3, 0xffffffff, 1 } };
    static const unsigned disks[] = { 0, 1, 1, 1, 1 };
    for (unsigned i = 0; i < array_size(lists); i++) {
        uint32_t list[1024] = { lists[i][0], lists[i][1], lists[i][2] };
        unsigned before = disks_found();
        fake_init();
        fake_add_namespace(1, 3, 9);
        fake.list = list;
        CHECK(fake_find());
        NO_VIOLATION();
        CHECK_EQUAL(disks_found() - before, disks[i]);
    }
}

static void disks_that_cannot_be(void)
{
    static const struct {
        uint64_t blocks;
        uint16_t metadata;
        uint8_t shift;
        const char *line; /* NULL: it is a disk; "": it is not, and nothing is said */
    } disks[] = {
        { 100, 0, 0, "do not have 512 to 4096 bytes" },
        { 100, 0, 8, "do not have 512 to 4096 bytes" },
        { 100, 0, 13, "do not have 512 to 4096 bytes" },
        { 100, 0, 63, "do not have 512 to 4096 bytes" },
        { 100, 0, 255, "do not have 512 to 4096 bytes" },
        { 100, 8, 9, "have metadata" },
        { 100, 0xffff, 12, "have metadata" },
        { UINT64_MAX, 0, 9, "more bytes than can be counted" },
        { 1UL << 55, 0, 9, "more bytes than can be counted" },
        { 1UL << 52, 0, 12, "more bytes than can be counted" },
        { (1UL << 52) - 1, 0, 12, NULL },
        { UINT64_MAX / 512, 0, 9, NULL },
        { 1, 0, 9, NULL },
        { 0, 0, 9, "" },
        { 0, 0, 255, "" },
    };
    for (unsigned i = 0; i < array_size(disks); i++) {
        fake_init();
        uint8_t *identity = fake.namespaces[0].identity;
        memcpy(identity, &disks[i].blocks, 8);
        memcpy(identity + 128 + 8, &disks[i].metadata, 2);
        identity[128 + 10] = disks[i].shift;
        unsigned before = disks_found();
        (void)host_log();
        CHECK(fake_find());
        const char *log = host_log();
        CHECK_EQUAL(disks_found() - before, disks[i].line == NULL);
        CHECK_EQUAL(strstr(log, "is not usable as a disk") != NULL, disks[i].line != NULL && *disks[i].line != 0);
        CHECK(disks[i].line == NULL || strstr(log, disks[i].line) != NULL);
    }
}

/* Looks for the controller as it now is: true if it does not start, says why with this word, and leaves no memory. */
static bool does_not_start(const char *why)
{
    unsigned disks = disks_found();
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    (void)host_log();
    bool found = fake_find();
    const char *line = strstr(host_log(), "does not start: ");
    fake_interrupt();
    return found && line != NULL && strstr(line, why) != NULL && disks_found() == disks && fake.violation == NULL &&
           host_pages_in_use() == pages && host_heap_blocks() == blocks;
}

static void controllers_that_cannot_be(void)
{
    fake_init();
    fake.window_length = 0;
    CHECK(does_not_start("ENODEV"));
    fake_init();
    fake.window_length = 0x1008;
    CHECK(does_not_start("ENODEV"));
    fake_init();
    fake.vectors = 0;
    CHECK(does_not_start("ENODEV"));
    fake_init();
    fake.gone = true;
    CHECK(does_not_start("ENODEV"));
    fake_init();
    fake.capabilities &= ~0xffffUL; /* queues of one entry */
    CHECK(does_not_start("ENODEV"));
    fake_init();
    fake.capabilities |= 1UL << 48; /* pages of 8192 bytes at least */
    CHECK(does_not_start("EOPNOTSUPP"));
    static const uint8_t sizes[] = { 0x00, 0x55, 0x77, 0x67, 0xff };
    for (unsigned i = 0; i < array_size(sizes); i++) {
        fake_init();
        fake.identity[512] = sizes[i];
        CHECK(does_not_start("EOPNOTSUPP"));
    }
}

static void controllers_that_never_get_ready(void)
{
    fake_init();
    fake.never_ready = true;
    CHECK(does_not_start("ETIMEDOUT"));
    fake_init();
    fake.never_ready = true;
    fake.capabilities |= 255UL << 24;
    CHECK(does_not_start("ETIMEDOUT"));
    fake_init();
    fake.fatal = true;
    CHECK(does_not_start("EIO"));
    /* As firmware left it: running, or on the way to it for ever. */
    fake_init();
    fake.configuration = fake.status = 1;
    CHECK(start_disk());
    fake_init();
    fake.configuration = 1;
    CHECK(start_disk());
}

/* It may still use the memory, so that is kept. */
static void a_controller_that_never_stops(void)
{
    unsigned disks = disks_found();
    fake_init();
    fake.configuration = fake.status = 1;
    fake.never_stops = true;
    (void)host_log();
    CHECK(fake_find());
    CHECK(strstr(host_log(), "does not start: ETIMEDOUT") != NULL);
    CHECK_EQUAL(disks_found(), disks);
}

/* Of the commands of a start: Identify, Set Features, two queues; then the list of disks, and each of these. */
static void administration_that_fails(void)
{
    for (unsigned n = 1; n <= 4; n++) {
        fake_init();
        fake.fails_at = n;
        CHECK(does_not_start("EIO"));
        fake_init();
        fake.silent_at = n;
        CHECK(does_not_start("ETIMEDOUT"));
    }
    fake_init();
    fake.wrong_id = 1;
    CHECK(does_not_start("EIO"));
    for (unsigned n = 5; n <= 7; n++) {
        fake_init();
        fake_add_namespace(1, 2, 9);
        fake.fails_at = n;
        unsigned disks = disks_found();
        CHECK(fake_find());
        CHECK_EQUAL(disks_found() - disks, n == 5 ? 0 : 1);
    }
}

/* A controller that falls silent once a disk is there: requests to the disk fail rather than wait for ever. */
static void silence_after_the_first_disk(void)
{
    fake_init();
    fake_add_namespace(1, 2, 9);
    fake.silent_at = 7;
    CHECK(start_disk());
    CHECK(strstr(host_log(), "does not answer while it is started") != NULL);
    submit_run(0, false, 0, 0, 512);
    disk->check(disk);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], -EIO);
    free_run(0);
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
        if (fake.configuration & 1)
            continue; /* it runs, only its disk is missing */
        CHECK_EQUAL(host_pages_in_use(), pages);
        CHECK_EQUAL(host_heap_blocks(), blocks);
    }
    CHECK_EQUAL(failed, 10);
}

/* ---- The end ---- */

/* Whether the driver waits about as long as expected for a controller that states how many microseconds it takes, and
 * takes `takes`. */
static bool shuts_down(uint32_t stated, nanoseconds takes, nanoseconds expected)
{
    fake_init();
    memcpy(fake.identity + 88, &stated, sizeof(stated));
    fake.shutdown_takes = takes;
    if (!start_disk())
        return false;
    nanoseconds start = clock_monotonic();
    (void)host_log();
    nvme_shut_down();
    nanoseconds time = clock_monotonic() - start;
    return fake.shutdowns == 1 && fake.disconnected && fake.violation == NULL && time >= expected &&
           time < expected + 100 * NS_PER_MS;
}

static void shuts_down_at_the_end(void)
{
    CHECK(shuts_down(0, 0, 0));
    CHECK(shuts_down(2000000, 1500 * NS_PER_MS, 1500 * NS_PER_MS));
    CHECK(shuts_down(UINT32_MAX, 59 * NS_PER_SECOND, 59 * NS_PER_SECOND));
    CHECK(strstr(host_log(), "has not shut down") == NULL);
}

static void a_controller_that_does_not_shut_down(void)
{
    static const struct {
        uint32_t stated;
        unsigned seconds;
    } limits[] = { { 0, 1 }, { 900000, 1 }, { 2000000, 2 }, { UINT32_MAX, 60 } };
    for (unsigned i = 0; i < array_size(limits); i++) {
        char line[64];
        CHECK(shuts_down(limits[i].stated, UINT64_MAX / 2, limits[i].seconds * NS_PER_SECOND));
        snprintf(line, sizeof(line), "has not shut down within %u ms", 1000 * limits[i].seconds);
        CHECK(strstr(host_log(), line) != NULL);
    }
}

static void a_controller_that_has_failed_is_not_shut_down(void)
{
    fake_init();
    CHECK(start_disk());
    fake.fatal = true;
    nvme_shut_down();
    CHECK(fake.shutdowns == 0 && fake.disconnected);
}

void test_controllers(void)
{
    host_test("nvme: says what it found", says_what_it_found);
    host_test("nvme: leaves other functions alone", leaves_other_functions_alone);
    host_test("nvme: one interrupt for everything", one_interrupt_for_everything);
    host_test("nvme: doorbells anywhere", doorbells_anywhere);
    host_test("nvme: several disks on one controller", several_disks_on_one_controller);
    host_test("nvme: disks of old controllers", disks_of_old_controllers);
    host_test("nvme: lists of disks that cannot be", lists_of_disks_that_cannot_be);
    host_test("nvme: disks that cannot be", disks_that_cannot_be);
    host_test("nvme: controllers that cannot be", controllers_that_cannot_be);
    host_test("nvme: controllers that never get ready", controllers_that_never_get_ready);
    host_test("nvme: a controller that never stops", a_controller_that_never_stops);
    host_test("nvme: administration that fails", administration_that_fails);
    host_test("nvme: silence after the first disk", silence_after_the_first_disk);
    host_test("nvme: no memory", no_memory);
    host_test("nvme: controllers are shut down at the end", shuts_down_at_the_end);
    host_test("nvme: a controller that does not shut down", a_controller_that_does_not_shut_down);
    host_test("nvme: a controller that has failed is not shut down", a_controller_that_has_failed_is_not_shut_down);
}
