/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to NVMe disks: what commands they become, what is read and written, errors, and controllers that complete
 * what they should not, or go away. Every request ends exactly once.
 */
#include <string.h>

#include "core/pages.h"
#include "drivers/nvme/nvme.h"
#include "host/host.h"
#include "lib/errno.h"
#include "drivers/nvme/fake_controller.h"
#include "drivers/nvme/tests.h"

#define STATUS(code) ((uint16_t)((code) << 1))
#define STATUS_NOT_AGAIN 0x8000
#define NO_VIOLATION() CHECK(fake.violation == NULL)

/* ---- What requests become ---- */

static void has_the_name_and_number_of_linux(void)
{
    fake_init();
    CHECK(start_disk());
    CHECK(strcmp(disk->name, "nvme0n1") == 0 && disk->major == 259 && disk->minor == 0 && disk->minors == 1);
}

static void splits_what_one_command_cannot_describe(void)
{
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 8, 0, 3 * 4096);
    CHECK_EQUAL(fake_serve(), 1);
    /* The second page now begins within, the third ends early. */
    requests[0].segments[1].address += 512;
    requests[0].segments[1].length = 3584;
    memset(ended, 0, sizeof(ended));
    block_submit(disk, &requests[0]);
    CHECK_EQUAL(fake_serve(), 2);
    NO_VIOLATION();
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], 0);
    CHECK(holds(0, 8, 3 * 4096 - 512));
    requests[0].segments[0].length = 2048;
    block_submit(disk, &requests[0]);
    CHECK_EQUAL(fake_serve(), 2);
    CHECK(holds(0, 8, 3 * 4096 - 512 - 2048));
    requests[0].segments[1].address -= 512;
    free_run(0);
}

static void keeps_to_the_largest_transfer(void)
{
    static const struct {
        uint8_t mdts;
        unsigned commands;
    } limits[] = { { 0, 1 }, { 1, 6 }, { 2, 3 }, { 3, 2 }, { 4, 1 }, { 5, 1 }, { 19, 1 } };
    for (unsigned i = 0; i < array_size(limits); i++) {
        fake_init();
        fake.identity[77] = limits[i].mdts;
        CHECK(start_disk());
        submit_run(0, i % 2, 5, 0, LARGEST);
        CHECK_EQUAL(fake_serve(), limits[i].commands);
        NO_VIOLATION();
        CHECK_EQUAL(results[0], 0);
        CHECK(holds(0, 5, LARGEST));
        free_run(0);
    }
}

static void counts_in_blocks_of_the_disk(void)
{
    for (uint8_t shift = 9; shift <= 12; shift++) {
        fake_init();
        fake_add_namespace(0, 1, shift);
        CHECK(start_disk());
        CHECK_EQUAL(disk->sectors, FAKE_DISK_BYTES / SECTOR_SIZE);
        CHECK_EQUAL(disk->block_size, 1u << shift);
        submit_run(0, false, 48, 0, 8192);
        submit_run(1, true, FAKE_DISK_BYTES / SECTOR_SIZE - 16, 0, 8192);
        CHECK_EQUAL(fake_serve(), 2);
        NO_VIOLATION();
        CHECK(holds(0, 48, 8192) && holds(1, FAKE_DISK_BYTES / SECTOR_SIZE - 16, 8192));
        free_run(0);
        free_run(1);
        submit_run(2, false, 1, 0, 4096);
        CHECK_EQUAL(ended[2], shift != 9 ? 1 : 0);
        CHECK(shift == 9 || results[2] == -EINVAL);
        submit_run(3, false, 8, 0, 4096 - 512);
        CHECK_EQUAL(ended[3], shift != 9 ? 1 : 0);
        fake_serve();
        free_run(2);
        free_run(3);
    }
}

/* With any number of commands at a time, in an order of the controller's. */
static void more_requests_than_the_queue_takes(void)
{
    static const uint16_t entries[] = { 1, 2, 7, 31, 32, 63, 1023, 65535 };
    for (unsigned n = 0; n < array_size(entries); n++) {
        struct nvme_command commands[NVME_QUEUE_SIZE_MAX];
        unsigned count = 0, most = 0;
        fake_init();
        fake.capabilities = (fake.capabilities & ~0xffffUL) | entries[n];
        fake.identity[77] = 3; /* two commands for each */
        CHECK(start_disk());
        for (unsigned i = 0; i < REQUESTS; i++)
            submit_run(i, i % 3 == 0, i * 10, 0, i % 3 == 0 ? 4096 : LARGEST);
        do {
            while (fake_take(&commands[count]))
                fake_transfer(&commands[count++]);
            most = max_of(most, count);
            if (count > 0) {
                unsigned which = (count * 5 + most) % count;
                struct nvme_command chosen = commands[which];
                commands[which] = commands[--count];
                fake_complete(&chosen, 0);
            }
            NO_VIOLATION();
        } while (count > 0 || count_ended() < REQUESTS);
        CHECK_EQUAL(most, min_of(entries[n], (uint16_t)NVME_COMMANDS_MAX));
        CHECK_EQUAL(count_ended(), REQUESTS);
        for (unsigned i = 0; i < REQUESTS; i++) {
            CHECK_EQUAL(results[i], 0);
            free_run(i);
        }
    }
}

/* Of a disk without a write cache a flush ends at once. */
static void flushes_a_write_cache(void)
{
    struct nvme_command command;
    for (uint8_t cache = 0; cache < 2; cache++) {
        fake_init();
        fake.identity[525] = cache;
        CHECK(start_disk());
        CHECK_EQUAL(disk->flushes, cache);
        submit_run(0, true, 0, 0, 512);
        CHECK_EQUAL(fake_serve(), 1);
        CHECK_EQUAL(ended[0], 1);
        free_run(0);
        submit_flush(1);
        CHECK_EQUAL(ended[1], !cache);
        if (cache) {
            CHECK(fake_take(&command));
            CHECK_EQUAL(command.opcode, NVME_FLUSH);
            CHECK_EQUAL(command.namespace, 1);
            fake_complete(&command, 0);
        }
        CHECK_EQUAL(ended[1], 1);
        CHECK_EQUAL(results[1], 0);
        CHECK(!fake_take(&command));
        NO_VIOLATION();
    }
}

static void a_flush_that_fails(void)
{
    struct nvme_command command;
    fake_init();
    fake.identity[525] = 1;
    CHECK(start_disk());
    (void)host_log();
    submit_flush(0);
    submit_run(1, true, 0, 0, 512);
    CHECK(fake_take(&command));
    CHECK_EQUAL(command.opcode, NVME_FLUSH);
    fake_complete(&command, STATUS(0x280) | STATUS_NOT_AGAIN);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], -EIO);
    CHECK(strstr(host_log(), "the flush of sector 0 ends with status 280") != NULL);
    CHECK_EQUAL(fake_serve(), 1);
    CHECK_EQUAL(results[1], 0);
    NO_VIOLATION();
    free_run(1);
}

/* ---- Errors ---- */

/* The next command fails this often; true if it was taken so often and no more. */
static bool fails(unsigned times, uint16_t status)
{
    struct nvme_command command, first;
    for (unsigned i = 0; i < times; i++) {
        if (!fake_take(&command) || (i > 0 && memcmp(&command, &first, sizeof(command)) != 0))
            return false;
        first = command;
        fake_complete(&command, status);
    }
    return true;
}

static void errors_are_retried_or_reported(void)
{
    static const uint16_t codes[] = { 0x281, 0x82, 0x06, 0x300, 0x7ff };
    struct nvme_command command;
    for (unsigned i = 0; i < array_size(codes); i++) {
        fake_init();
        CHECK(start_disk());
        submit_run(0, false, 16, 0, LARGEST);
        CHECK(fails(5, STATUS(codes[i])));
        CHECK_EQUAL(ended[0], 0);
        CHECK_EQUAL(fake_serve(), 1);
        CHECK_EQUAL(ended[0], 1);
        CHECK_EQUAL(results[0], 0);
        CHECK(holds(0, 16, LARGEST));
        submit_run(1, false, 16, 0, 512);
        (void)host_log();
        CHECK(fails(6, STATUS(codes[i])));
        CHECK(!fake_take(&command));
        CHECK_EQUAL(results[1], -EIO);
        CHECK(strstr(host_log(), "n1: I/O error: the read of sector 16 ends with status") != NULL);
        submit_run(2, true, 16, 0, 512);
        CHECK(fails(1, STATUS(codes[i]) | STATUS_NOT_AGAIN));
        CHECK(!fake_take(&command));
        CHECK_EQUAL(results[2], -EIO);
        CHECK_EQUAL(count_ended(), 3);
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
        CHECK(fails(1, STATUS(0x281) | STATUS_NOT_AGAIN));
        CHECK_EQUAL(results[i], -EIO);
        free_run(i);
    }
    const char *log = host_log();
    for (const char *at = log; (at = strstr(at, "I/O error")) != NULL; at++)
        lines++;
    CHECK_EQUAL(lines, 8);
    const char *last = strstr(log, "; further errors are not logged\n");
    CHECK(last != NULL && strstr(last, "I/O error") == NULL);
}

static void an_error_in_any_part(void)
{
    for (unsigned bad = 0; bad < 6; bad++) {
        struct nvme_command command;
        fake_init();
        fake.identity[77] = 1;
        CHECK(start_disk());
        submit_run(0, false, 0, 0, LARGEST);
        for (unsigned i = 0; i < 6; i++) {
            CHECK_EQUAL(ended[0], 0);
            CHECK(fake_take(&command));
            fake_complete(&command, i == bad ? STATUS(0x281) | STATUS_NOT_AGAIN : 0);
        }
        CHECK_EQUAL(ended[0], 1);
        CHECK_EQUAL(results[0], -EIO);
        free_run(0);
    }
}

/* ---- Controllers that break ---- */

static void start_with_requests(void)
{
    fake_init();
    fake.identity[77] = 2;
    if (!start_disk())
        fake.violation = "the disk does not start";
    for (unsigned i = 0; i < REQUESTS; i++)
        submit_run(i, i % 2, i, 0, LARGEST);
}

/* After a fault: all that had not ended has failed, once, and what follows fails at once. */
static bool all_failed(unsigned well)
{
    bool right = count_ended() == REQUESTS && !(fake.configuration & 1) && fake.violation == NULL;
    for (unsigned i = 0; i < REQUESTS; i++) {
        right &= results[i] == (i < well ? 0 : -EIO);
        free_run(i);
    }
    memset(ended, 0, sizeof(ended));
    submit_run(0, false, 0, 0, 512);
    right &= ended[0] == 1 && results[0] == -EIO;
    free_run(0);
    fake_interrupt();
    disk->check(disk);
    return right && count_ended() == 1;
}

/* The first request's commands are done; then comes a completion of something else. */
static void completions_of_what_was_not_given(void)
{
    static const struct {
        uint16_t id, queue;
    } lies[] = { { 32, 1 },     { 64, 1 }, { 255, 1 }, { 256, 1 },   { 0x8000, 1 },
                 { 0xffff, 1 }, { 3, 0 },  { 3, 2 },   { 3, 0xffff } };
    for (unsigned i = 0; i < array_size(lies); i++) {
        struct nvme_command command;
        start_with_requests();
        for (unsigned n = 0; n < 3; n++) {
            CHECK(fake_take(&command));
            fake_transfer(&command);
            fake_complete(&command, 0);
        }
        CHECK_EQUAL(count_ended(), 1);
        fake_post(lies[i].id, lies[i].queue, 0);
        (void)host_log();
        fake_interrupt();
        CHECK(strstr(host_log(), "completes commands that it was not given: all further requests to it fail") != NULL);
        CHECK(all_failed(1));
    }
}

static void a_completion_that_comes_twice(void)
{
    struct nvme_command command;
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 0, 0, 512);
    CHECK(fake_take(&command));
    fake_complete(&command, 0);
    CHECK_EQUAL(ended[0], 1);
    fake_post(command.id, 1, 0);
    fake_interrupt();
    submit_run(1, false, 0, 0, 512);
    CHECK_EQUAL(ended[1], 1);
    CHECK_EQUAL(results[1], -EIO);
    CHECK_EQUAL(count_ended(), 2);
    CHECK(!(fake.configuration & 1));
    free_run(0);
    free_run(1);
}

/* The whole ring says that it is new. */
static void phases_that_cannot_be(void)
{
    for (unsigned pattern = 0; pattern < 4; pattern++) {
        start_with_requests();
        struct nvme_completion *ring = phys_to_virt(fake.queues[1].completions);
        for (unsigned i = 0; i < fake.queues[1].completion_entries; i++)
            ring[i] = (struct nvme_completion){ .id = pattern < 2 ? (uint16_t)i : 7,
                                                .queue = 1,
                                                .status = pattern % 2 ? 1 : 0x0503 };
        fake_interrupt();
        CHECK_EQUAL(count_ended(), REQUESTS);
        CHECK(!(fake.configuration & 1));
        for (unsigned i = 0; i < REQUESTS; i++)
            free_run(i);
    }
}

enum fault { GONE, FATAL, RESET };

static void a_controller_that_fails_in_the_middle(void)
{
    static const char *const lines[] = { "is gone", "reports that it has failed", "has been reset" };
    for (unsigned fault = GONE; fault <= RESET; fault++) {
        struct nvme_command command;
        start_with_requests();
        for (unsigned n = 0; n < 4; n++)
            CHECK(fake_take(&command));
        fake.gone = fault == GONE;
        fake.fatal = fault == FATAL;
        if (fault == RESET)
            fake.status = 0;
        fake_interrupt();
        CHECK_EQUAL(count_ended(), 0);
        (void)host_log();
        disk->check(disk);
        CHECK(strstr(host_log(), lines[fault]) != NULL);
        if (fault == GONE)
            fake.configuration = 0; /* which cannot be read any more */
        CHECK(all_failed(0));
    }
}

/* It is kept from memory, which its requests give back. */
static void a_controller_that_does_not_stop(void)
{
    start_with_requests();
    fake.never_stops = true;
    fake_post(77, 1, 0);
    fake_interrupt();
    CHECK(fake.disconnected);
    CHECK(all_failed(0));
    start_with_requests();
    fake_post(77, 1, 0);
    fake_interrupt();
    CHECK(!fake.disconnected);
    CHECK(all_failed(0));
}

static void an_interrupt_that_is_lost(void)
{
    struct nvme_command command;
    fake_init();
    CHECK(start_disk());
    submit_run(0, false, 0, 0, 4096);
    CHECK(fake_take(&command));
    fake_transfer(&command);
    fake_post(command.id, 1, 0);
    CHECK_EQUAL(ended[0], 0);
    disk->check(disk);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], 0);
    CHECK(holds(0, 0, 4096));
    free_run(0);
}

/* Network storage may take for ever: it is waited for, and the log says so once. */
static void a_disk_that_takes_its_time(void)
{
    struct nvme_command command;
    fake_init();
    fake.capabilities &= ~0xfffdUL; /* queues of three entries */
    CHECK(start_disk());
    disk->check(disk);
    host_advance(100 * BLOCK_PATIENCE);
    submit_run(0, false, 0, 0, 4096);
    CHECK(fake_take(&command));
    (void)host_log();
    for (unsigned i = 0; i < 5; i++) {
        disk->check(disk);
        host_advance(BLOCK_PATIENCE);
    }
    CHECK_EQUAL(strlen(host_log()), 0);
    for (unsigned i = 0; i < 1000; i++) {
        host_advance(BLOCK_PATIENCE);
        disk->check(disk);
    }
    const char *line = strstr(host_log(), "has completed nothing of queue 1 for 30 s, and is waited for");
    CHECK(line != NULL && strstr(line + 1, "has completed") == NULL);
    CHECK_EQUAL(ended[0], 0);
    fake_transfer(&command);
    fake_complete(&command, 0);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], 0);
    free_run(0);
}

void test_disks(void)
{
    host_test("nvme: has the name and number of Linux", has_the_name_and_number_of_linux);
    host_test("nvme: transfers what was asked for", transfers_what_was_asked_for);
    host_test("nvme: splits what one command cannot describe", splits_what_one_command_cannot_describe);
    host_test("nvme: keeps to the largest transfer", keeps_to_the_largest_transfer);
    host_test("nvme: counts in blocks of the disk", counts_in_blocks_of_the_disk);
    host_test("nvme: more requests than the queue takes", more_requests_than_the_queue_takes);
    host_test("nvme: flushes a write cache", flushes_a_write_cache);
    host_test("nvme: a flush that fails", a_flush_that_fails);
    host_test("nvme: errors are retried or reported", errors_are_retried_or_reported);
    host_test("nvme: only the first errors are logged", only_the_first_errors_are_logged);
    host_test("nvme: an error in any part", an_error_in_any_part);
    host_test("nvme: completions of what was not given", completions_of_what_was_not_given);
    host_test("nvme: a completion that comes twice", a_completion_that_comes_twice);
    host_test("nvme: phases that cannot be", phases_that_cannot_be);
    host_test("nvme: a controller that fails in the middle", a_controller_that_fails_in_the_middle);
    host_test("nvme: a controller that does not stop", a_controller_that_does_not_stop);
    host_test("nvme: an interrupt that is lost", an_interrupt_that_is_lost);
    host_test("nvme: a disk that takes its time", a_disk_that_takes_its_time);
}
