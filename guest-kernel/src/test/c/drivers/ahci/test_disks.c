/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to AHCI disks that work: what commands they become, and what is read and written. Every request ends exactly
 * once.
 */
#include <string.h>

#include "drivers/ahci/fake_hba.h"
#include "drivers/ahci/tests.h"
#include "host/host.h"
#include "lib/errno.h"

#define NO_VIOLATION() CHECK(fake.violation == NULL)

static void has_the_name_and_number_of_linux(void)
{
    fake_init();
    CHECK(start_disk());
    CHECK(strcmp(disk->name, "sda") == 0 && disk->major == 8 && disk->minor == 0 && disk->minors == 16);
}

static void counts_in_blocks_of_the_disk(void)
{
    for (unsigned shift = 9; shift <= 12; shift++) {
        struct fake_command command;
        fake_init();
        fake_add_disk(1, shift);
        CHECK(start_disk());
        CHECK_EQUAL(disk->sectors, FAKE_DISK_BYTES / SECTOR_SIZE);
        CHECK_EQUAL(disk->block_size, 1u << shift);
        submit_run(0, false, 48, 0, 8192);
        CHECK(fake_look(1, &command));
        CHECK_EQUAL(command.code, ATA_READ);
        CHECK_EQUAL(command.block, 48u >> (shift - 9));
        CHECK_EQUAL(command.blocks, 8192u >> shift);
        submit_run(1, true, FAKE_DISK_BYTES / SECTOR_SIZE - 16, 0, 8192);
        CHECK_EQUAL(fake_serve(1), 2);
        NO_VIOLATION();
        CHECK(holds(0, 48, 8192) && holds(1, FAKE_DISK_BYTES / SECTOR_SIZE - 16, 8192));
        free_run(0);
        free_run(1);
        submit_run(2, false, 1, 0, 4096);
        CHECK_EQUAL(ended[2], shift != 9 ? 1 : 0);
        CHECK(shift == 9 || results[2] == -EINVAL);
        fake_serve(1);
        free_run(2);
    }
}

/* A block number of 48 bits arrives whole. */
static void large_disks(void)
{
    struct fake_command command;
    uint64_t blocks = 1UL << 48, last = (1UL << 48) - 8;
    fake_init();
    memcpy(fake.ports[1].identity + 100, &blocks, sizeof(blocks));
    CHECK(start_disk());
    CHECK_EQUAL(disk->sectors, blocks);
    submit_run(0, false, last, 0, 4096);
    CHECK(fake_look(1, &command));
    CHECK_EQUAL(command.block, last);
    fake_end(1, FAKE_STATUS_GOOD);
    submit_run(1, false, 0x123456789abc, 0, 4096);
    CHECK(fake_look(1, &command));
    CHECK_EQUAL(command.block, 0x123456789abc);
    fake_end(1, FAKE_STATUS_GOOD);
    NO_VIOLATION();
    CHECK_EQUAL(count_ended(), 2);
    free_run(0);
    free_run(1);
}

/* In their order, one at a time. */
static void many_requests(void)
{
    fake_init();
    CHECK(start_disk());
    for (unsigned i = 0; i < REQUESTS; i++)
        submit_run(i, i % 3 == 0, i * 10, 0, i % 3 == 0 ? 4096 : LARGEST);
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct fake_command command;
        CHECK(fake_look(1, &command));
        CHECK_EQUAL(command.block, i * 10);
        fake_transfer(1);
        fake_end(1, FAKE_STATUS_GOOD);
        NO_VIOLATION();
        CHECK_EQUAL(count_ended(), i + 1);
        CHECK_EQUAL(results[i], 0);
        free_run(i);
    }
}

/* Of a disk without a write cache a flush ends at once. */
static void flushes_a_write_cache(void)
{
    struct fake_command command;
    for (unsigned cache = 0; cache < 2; cache++) {
        fake_init();
        fake.ports[1].identity[85] = (uint16_t)(cache << 5);
        CHECK(start_disk());
        CHECK_EQUAL(disk->flushes, cache);
        submit_run(0, true, 8, 0, LARGEST);
        submit_flush(1);
        submit_run(2, false, 8, 0, 512);
        CHECK(fake_look(1, &command));
        CHECK_EQUAL(command.code, ATA_WRITE);
        fake_transfer(1);
        fake_end(1, FAKE_STATUS_GOOD);
        CHECK_EQUAL(ended[0], 1);
        CHECK_EQUAL(ended[1], !cache);
        if (cache) {
            CHECK(fake_look(1, &command));
            CHECK_EQUAL(command.code, ATA_FLUSH);
            fake_end(1, FAKE_STATUS_GOOD);
        }
        CHECK_EQUAL(ended[1], 1);
        CHECK_EQUAL(results[1], 0);
        CHECK_EQUAL(fake_serve(1), 1);
        CHECK_EQUAL(results[2], 0);
        CHECK(holds(2, 8, 512));
        NO_VIOLATION();
        free_run(0);
        free_run(2);
    }
}

/* Each has its own commands under way, and its own interrupts. */
static void several_disks(void)
{
    struct fake_command command;
    fake_init();
    fake_add_disk(0, 9);
    fake_add_disk(3, 12);
    unsigned first = disks_found();
    CHECK(start_disk());
    CHECK_EQUAL(disks_found(), first + 3);
    for (unsigned i = 0; i < 3; i++) {
        disk = block_device_at(first + i);
        submit_run(i, false, 8 * (i + 1), 0, 4096);
    }
    static const unsigned ports[] = { 3, 0, 1 }, numbers[] = { 2, 0, 1 };
    for (unsigned i = 0; i < 3; i++) {
        CHECK(fake_look(ports[i], &command));
        CHECK_EQUAL(command.block, ports[i] == 3 ? 3 : 8 * (numbers[i] + 1));
        CHECK_EQUAL(fake_serve(ports[i]), 1);
        CHECK_EQUAL(ended[numbers[i]], 1);
        CHECK_EQUAL(count_ended(), i + 1);
        CHECK(equals(numbers[i], fake.ports[ports[i]].data + 8 * (numbers[i] + 1) * SECTOR_SIZE, 4096));
        free_run(numbers[i]);
    }
    NO_VIOLATION();
}

static void an_interrupt_that_is_lost(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 0, 0, 4096);
    fake_transfer(1);
    fake.ports[1].issued = 0;
    fake.ports[1].task = FAKE_STATUS_GOOD;
    fake.ports[1].events = AHCI_EVENT_REGISTERS;
    CHECK_EQUAL(ended[0], 0);
    disk->check(disk);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], 0);
    CHECK(holds(0, 0, 4096));
    NO_VIOLATION();
    free_run(0);
}

/* Interrupts while a command is under way, and while there is none. */
static void interrupts_for_nothing(void)
{
    fake_init();
    CHECK(start_disk());
    for (unsigned i = 0; i < 3; i++) {
        fake_event(1, AHCI_EVENT_REGISTERS);
        fake.interrupts = UINT32_MAX;
        fake_interrupt();
        if (i == 0)
            submit_run(0, false, 0, 0, 4096);
        CHECK_EQUAL(count_ended(), 0);
        CHECK_EQUAL(fake.ports[1].events, 0);
        CHECK_EQUAL(fake.interrupts & 2, 0);
    }
    CHECK_EQUAL(fake_serve(1), 1);
    CHECK_EQUAL(results[0], 0);
    fake_event(1, AHCI_EVENT_TASK);
    CHECK_EQUAL(count_ended(), 1);
    NO_VIOLATION();
    free_run(0);
}

void test_disks(void)
{
    host_test("ahci: has the name and number of Linux", has_the_name_and_number_of_linux);
    host_test("ahci: transfers what was asked for", transfers_what_was_asked_for);
    host_test("ahci: counts in blocks of the disk", counts_in_blocks_of_the_disk);
    host_test("ahci: large disks", large_disks);
    host_test("ahci: many requests", many_requests);
    host_test("ahci: flushes a write cache", flushes_a_write_cache);
    host_test("ahci: several disks", several_disks);
    host_test("ahci: an interrupt that is lost", an_interrupt_that_is_lost);
    host_test("ahci: interrupts for nothing", interrupts_for_nothing);
}
