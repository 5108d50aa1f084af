/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AHCI disks that fail: errors that are repeated or reported, links that are reset, disks that fall silent or go away,
 * and ports that do not stop. Every request ends exactly once, and none is waited for without end.
 */
#include <string.h>

#include "drivers/ahci/fake_hba.h"
#include "drivers/ahci/tests.h"
#include "host/host.h"
#include "lib/errno.h"

#define NO_VIOLATION() CHECK(fake.violation == NULL)
#define PATIENCE (30 * NS_PER_SECOND)
#define BAD (FAKE_STATUS_GOOD | AHCI_TASK_ERROR)

/* The command fails this often and is repeated as it was; true if so. */
static bool fails(unsigned times, uint8_t status)
{
    struct fake_command first, command;
    for (unsigned i = 0; i < times; i++) {
        if (!fake_look(1, &command) || (i > 0 && memcmp(&command, &first, sizeof(command)) != 0))
            return false;
        first = command;
        fake_end(1, status);
    }
    return true;
}

/* With a controller that keeps a failed command issued, as the standard says, and with one that does not, as QEMU 7.2;
 * with the disk's error, and its fault, which comes with no event of its own. */
static void errors_are_repeated_or_reported(void)
{
    static const uint8_t statuses[] = { BAD, FAKE_STATUS_GOOD | AHCI_TASK_FAULT, BAD | AHCI_TASK_FAULT };
    for (unsigned i = 0; i < 2 * array_size(statuses); i++) {
        uint8_t status = statuses[i / 2];
        fake_init();
        fake.keeps_issued = i % 2 && status & AHCI_TASK_ERROR;
        CHECK(start_disk());
        submit_run(0, false, 16, 0, LARGEST);
        CHECK(fails(5, status));
        NO_VIOLATION();
        CHECK_EQUAL(ended[0], 0);
        CHECK_EQUAL(fake_serve(1), 1);
        CHECK_EQUAL(ended[0], 1);
        CHECK_EQUAL(results[0], 0);
        CHECK_EQUAL(*byte_of(0, 700), fake.ports[1].data[16 * 512 + 700]);
        submit_run(1, i % 4 < 2, 16, 0, 512);
        submit_run(2, false, 24, 0, 512);
        (void)host_log();
        CHECK(fails(6, status));
        CHECK_EQUAL(ended[1], 1);
        CHECK_EQUAL(results[1], -EIO);
        CHECK(strstr(host_log(), i % 4 < 2 ? ": I/O error: the write of sector 16 ends with status 40"
                                           : ": I/O error: the read of sector 16 ends with status 40") != NULL);
        CHECK_EQUAL(fake_serve(1), 1);
        CHECK_EQUAL(results[2], 0);
        CHECK_EQUAL(fake.ports[1].link_resets, 0);
        NO_VIOLATION();
        for (unsigned n = 0; n < 3; n++)
            free_run(n);
    }
}

static void only_the_first_errors_are_logged(void)
{
    unsigned lines = 0;
    fake_init();
    CHECK(start_disk());
    (void)host_log();
    for (unsigned i = 0; i < 50; i++) {
        submit_run(i, false, i, 0, 512);
        CHECK(fails(6, BAD));
        CHECK_EQUAL(results[i], -EIO);
        free_run(i);
    }
    NO_VIOLATION();
    for (const char *at = host_log(); (at = strstr(at, "I/O error")) != NULL; at++)
        lines++;
    CHECK_EQUAL(lines, 8);
}

/* What was written may not be on the disk. */
static void a_flush_that_fails(void)
{
    fake_init();
    fake.ports[1].identity[85] = 1 << 5;
    CHECK(start_disk());
    (void)host_log();
    submit_flush(0);
    submit_flush(1);
    CHECK(fails(6, BAD));
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], -EIO);
    CHECK(strstr(host_log(), "the flush of sector 0 ends with") != NULL);
    CHECK(fails(4, BAD)); /* the second one has its own attempts */
    CHECK_EQUAL(fake_serve(1), 1);
    CHECK_EQUAL(results[1], 0);
    NO_VIOLATION();
}

/* The link is reset, and the command repeated. */
static void links_that_fail(void)
{
    static const uint32_t events[] = { AHCI_EVENT_INTERFACE, AHCI_EVENT_HOST, AHCI_EVENT_HOST_DATA,
                                       AHCI_EVENT_OVERFLOW };
    for (unsigned i = 0; i < array_size(events); i++) {
        fake_init();
        CHECK(start_disk());
        submit_run(0, true, 0, 0, 8192);
        fake_event(1, events[i]);
        NO_VIOLATION();
        CHECK_EQUAL(fake.ports[1].link_resets, 1);
        CHECK_EQUAL(fake_serve(1), 1);
        CHECK_EQUAL(results[0], 0);
        submit_run(1, true, 0, 0, 8192);
        for (unsigned n = 0; n < 6; n++)
            fake_event(1, events[i]);
        CHECK_EQUAL(ended[1], 1);
        CHECK_EQUAL(results[1], -EIO);
        CHECK_EQUAL(fake.ports[1].link_resets, 7);
        NO_VIOLATION();
        free_run(0);
        free_run(1);
    }
}

/* An error that leaves the disk in the middle of its command. */
static void a_disk_that_stays_busy(void)
{
    static const uint8_t bits[] = { AHCI_TASK_BUSY, AHCI_TASK_DATA };
    for (unsigned i = 0; i < array_size(bits); i++) {
        fake_init();
        CHECK(start_disk());
        submit_run(0, false, 0, 0, 4096);
        fake_end(1, BAD | bits[i]);
        CHECK_EQUAL(fake.ports[1].link_resets, 1);
        CHECK_EQUAL(fake_serve(1), 1);
        CHECK_EQUAL(results[0], 0);
        NO_VIOLATION();
        free_run(0);
    }
}

/* A request that comes while there is no other one and the disk is not ready waits for it. */
static void a_request_during_a_reset(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 0, 0, 4096);
    CHECK(fails(5, BAD));
    fake.ports[1].never_ready = true;
    fake_end(1, BAD | AHCI_TASK_BUSY);
    CHECK_EQUAL(results[0], -EIO);
    submit_run(1, false, 8, 0, 4096);
    NO_VIOLATION();
    fake.ports[1].never_ready = fake.ports[1].busy = false;
    fake.ports[1].task = FAKE_STATUS_GOOD;
    fake_event(1, AHCI_EVENT_REGISTERS);
    CHECK_EQUAL(fake_serve(1), 1);
    CHECK_EQUAL(results[1], 0);
    NO_VIOLATION();
    free_run(0);
    free_run(1);
}

/* After the reset the disk needs a while. An event reports that it is ready, or a check finds it. Meanwhile nothing is
 * sent. */
static void a_disk_that_is_slow_after_a_reset(void)
{
    for (unsigned reported = 0; reported < 2; reported++) {
        struct fake_command command;
        fake_init();
        CHECK(start_disk());
        submit_run(0, false, 0, 0, 4096);
        fake.ports[1].never_ready = true;
        fake_event(1, AHCI_EVENT_INTERFACE);
        submit_run(1, false, 8, 0, 4096);
        disk->check(disk);
        fake_event(1, AHCI_EVENT_REGISTERS);
        CHECK(!fake_look(1, &command));
        fake.ports[1].never_ready = fake.ports[1].busy = false;
        fake.ports[1].task = FAKE_STATUS_GOOD;
        if (reported)
            fake_event(1, AHCI_EVENT_REGISTERS);
        else
            disk->check(disk);
        CHECK_EQUAL(fake_serve(1), 2);
        CHECK_EQUAL(count_ended(), 2);
        CHECK(results[0] == 0 && results[1] == 0);
        NO_VIOLATION();
        free_run(0);
        free_run(1);
    }
}

/* All that had not ended has failed, once, and what follows fails at once. */
static bool all_failed(unsigned first)
{
    bool right = count_ended() == REQUESTS && fake.violation == NULL;
    for (unsigned i = 0; i < REQUESTS; i++) {
        right &= results[i] == (i < first ? 0 : -EIO);
        free_run(i);
    }
    memset(ended, 0, sizeof(ended));
    submit_run(0, false, 0, 0, 512);
    right &= ended[0] == 1 && results[0] == -EIO;
    free_run(0);
    (void)host_log();
    fake_event(1, AHCI_EVENT_LINK | AHCI_EVENT_TASK);
    disk->check(disk);
    right &= *host_log() == 0;
    return right && count_ended() == 1 && !(fake.ports[1].command & FAKE_START);
}

static bool start_with_requests(void)
{
    if (!start_disk())
        return false;
    for (unsigned i = 0; i < REQUESTS; i++)
        submit_run(i, i % 2, i, 0, LARGEST);
    (void)host_log();
    return true;
}

static void a_disk_that_does_not_come_back(void)
{
    fake_init();
    CHECK(start_with_requests());
    fake_end(1, FAKE_STATUS_GOOD);
    host_advance(PATIENCE - NS_PER_SECOND);
    fake.ports[1].never_ready = true;
    fake_event(1, AHCI_EVENT_INTERFACE);
    host_advance(2 * NS_PER_SECOND); /* more than 30 s since the command, not since the reset */
    disk->check(disk);
    CHECK_EQUAL(count_ended(), 1);
    host_advance(PATIENCE);
    disk->check(disk);
    CHECK(strstr(host_log(), "does not come back from a reset: all further requests to it fail") != NULL);
    CHECK(all_failed(1));
}

/* The command is repeated after a reset, and fails after five repetitions; the next one is done. */
static void a_disk_that_falls_silent(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 0, 0, 4096);
    submit_run(1, false, 8, 0, 4096);
    (void)host_log();
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQUAL(ended[0], 0);
        disk->check(disk);
        CHECK_EQUAL(fake.ports[1].link_resets, i);
        host_advance(PATIENCE);
        disk->check(disk);
        CHECK(strstr(host_log(), "has not answered for 30 s, and is reset") != NULL);
    }
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], -EIO);
    CHECK_EQUAL(fake_serve(1), 1);
    CHECK_EQUAL(results[1], 0);
    host_advance(PATIENCE);
    disk->check(disk); /* idle for as long as one likes */
    CHECK_EQUAL(fake.ports[1].link_resets, 6);
    NO_VIOLATION();
    free_run(0);
    free_run(1);
}

/* Pulled out, with an event that reports it or without; or gone with its controller. */
static void a_disk_that_is_gone(void)
{
    for (unsigned way = 0; way < 3; way++) {
        fake_init();
        CHECK(start_with_requests());
        fake_end(1, FAKE_STATUS_GOOD);
        fake_end(1, FAKE_STATUS_GOOD);
        fake.ports[1].link_down = way != 2;
        fake.gone = way == 2;
        if (way == 0)
            fake_event(1, AHCI_EVENT_LINK);
        else
            disk->check(disk);
        CHECK(strstr(host_log(), way == 2 ? "is gone with its controller" : " is gone: all further") != NULL);
        fake.ports[1].command &= way == 2 ? 0 : UINT32_MAX; /* which cannot be read any more */
        CHECK(all_failed(2));
    }
}

/* A change of the link that leaves it as it was. */
static void a_link_that_comes_back(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 0, 0, 4096);
    fake_event(1, AHCI_EVENT_LINK);
    CHECK_EQUAL(count_ended(), 0);
    CHECK_EQUAL(fake_serve(1), 1);
    CHECK_EQUAL(results[0], 0);
    NO_VIOLATION();
    free_run(0);
}

/* Its controller is kept from memory, which the requests give back; so the disk beside it fails too. */
static void a_port_that_does_not_stop(void)
{
    fake_init();
    fake_add_disk(2, 9);
    CHECK(start_with_requests());
    unsigned beside = disks_found() - 1;
    fake.ports[1].never_stops = true;
    fake_end(1, BAD);
    CHECK(fake.disconnected);
    CHECK(strstr(host_log(), "is on a controller that does not stop") != NULL);
    CHECK(all_failed(0));
    disk = block_device_at(beside);
    memset(ended, 0, sizeof(ended));
    submit_run(0, false, 0, 0, 512);
    disk->check(disk);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], -EIO);
    free_run(0);
}

void test_errors(void)
{
    host_test("ahci: errors are repeated or reported", errors_are_repeated_or_reported);
    host_test("ahci: only the first errors are logged", only_the_first_errors_are_logged);
    host_test("ahci: a flush that fails", a_flush_that_fails);
    host_test("ahci: links that fail", links_that_fail);
    host_test("ahci: a disk that stays busy", a_disk_that_stays_busy);
    host_test("ahci: a request during a reset", a_request_during_a_reset);
    host_test("ahci: a disk that is slow after a reset", a_disk_that_is_slow_after_a_reset);
    host_test("ahci: a disk that does not come back", a_disk_that_does_not_come_back);
    host_test("ahci: a disk that falls silent", a_disk_that_falls_silent);
    host_test("ahci: a disk that is gone", a_disk_that_is_gone);
    host_test("ahci: a link that comes back", a_link_that_comes_back);
    host_test("ahci: a port that does not stop", a_port_that_does_not_stop);
}
