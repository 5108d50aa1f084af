/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several pairs of queues: how many there are, which CPU each one serves and interrupts, and faults of one pair, which
 * end the requests of all.
 */
#include <stdio.h>
#include <string.h>

#include "drivers/nvme/fake_controller.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/tests.h"
#include "host/host.h"
#include "lib/errno.h"

#define CPUS 4
#define NO_VIOLATION() CHECK(fake.violation == NULL)

static unsigned pairs(void)
{
    unsigned count = 0;
    for (unsigned i = 1; i < FAKE_QUEUES; i++)
        count += fake.queues[i].commands_exist && fake.queues[i].completions_exist;
    return count;
}

/* The controller as it now is, found by a kernel on so many CPUs, all of which run then. */
static bool start_on(unsigned cpus_there)
{
    platform.cpus = cpus_there;
    (void)host_log();
    bool right = start_disk();
    platform.cpus = 1;
    cpus_online = cpus_there;
    pci_spread_interrupts();
    return right;
}

static void end_cpus(void)
{
    cpus_online = 1;
    this_cpu()->id = 0;
    pci_gather_interrupts();
}

static void submit_on(unsigned cpu_id, unsigned number)
{
    this_cpu()->id = cpu_id;
    submit_run(number, false, number, 0, 4096);
    this_cpu()->id = 0;
}

static void spreading(void)
{
    fake_init();
    fake.vectors = 16;
}

/* ---- How many ---- */

static void a_pair_for_each_cpu(void)
{
    static const unsigned cpus_there[] = { 1, 2, 3, 8 };
    for (unsigned i = 0; i < array_size(cpus_there); i++) {
        char line[64];
        spreading();
        CHECK(start_on(cpus_there[i]));
        CHECK_EQUAL(pairs(), cpus_there[i]);
        CHECK_EQUAL(fake.asked, (cpus_there[i] - 1) * 0x10001);
        snprintf(line, sizeof(line), ": pairs of queues: %u\n", cpus_there[i]);
        CHECK(strstr(host_log(), line) != NULL);
        for (unsigned n = 1; n <= cpus_there[i]; n++)
            CHECK_EQUAL(fake.queues[n].vector, n);
        end_cpus();
    }
}

/* Numbers of the result are one less than what they mean; they may be more than what was asked for. */
static void as_many_as_the_controller_grants(void)
{
    static const struct {
        uint32_t granted;
        unsigned pairs;
    } grants[] = { { 0, 1 },       { 0x10001, 2 }, { 0x20002, 3 }, { 0x30003, 4 },    { 0x40004, 4 },   { 0x30000, 1 },
                   { 0x00003, 1 }, { 0x10003, 2 }, { 0x30002, 3 }, { 0xffff0001, 2 }, { 0xffffffff, 4 } };
    for (unsigned i = 0; i < array_size(grants); i++) {
        spreading();
        fake.granted = grants[i].granted;
        CHECK(start_on(CPUS));
        CHECK_EQUAL(pairs(), grants[i].pairs);
        NO_VIOLATION();
        end_cpus();
    }
}

static void as_many_as_there_are_interrupts(void)
{
    static const unsigned wanted[] = { 1, 1, 2, 3, 4, 4 };
    for (unsigned i = 0; i < array_size(wanted); i++) {
        spreading();
        fake.vectors = 1 + i;
        CHECK(start_on(CPUS));
        CHECK_EQUAL(pairs(), wanted[i]);
        NO_VIOLATION();
        end_cpus();
    }
}

static void as_many_as_have_doorbells(void)
{
    for (unsigned n = 1; n <= 5; n++) {
        spreading();
        fake.capabilities |= 2UL << 32; /* 16 bytes each */
        fake.window_length = 0x1000 + 32 * (n + 1) + 31;
        CHECK(start_on(CPUS));
        CHECK_EQUAL(pairs(), min_of(n, CPUS + 0u));
        NO_VIOLATION();
        end_cpus();
    }
}

/* The commands of a start: Identify, Set Features, then two for each pair. */
static void as_many_as_are_not_refused(void)
{
    for (unsigned n = 5; n <= 10; n++) {
        spreading();
        fake.fails_at = n;
        CHECK(start_on(CPUS));
        CHECK_EQUAL(pairs(), (n - 3) / 2);
        CHECK(strstr(host_log(), n % 2 == 1 ? "administrative command 5 ends" : "administrative command 1 ends") !=
              NULL);
        for (unsigned i = 0; i < CPUS; i++)
            submit_on(i, i);
        CHECK_EQUAL(fake_serve(), CPUS);
        CHECK_EQUAL(count_ended(), CPUS);
        NO_VIOLATION();
        for (unsigned i = 0; i < CPUS; i++)
            free_run(i);
        end_cpus();
    }
}

static void no_answer_for_a_further_pair(void)
{
    for (unsigned n = 5; n <= 10; n++) {
        unsigned disks = disks_found();
        uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
        spreading();
        fake.silent_at = n;
        CHECK(!start_on(CPUS));
        CHECK(strstr(host_log(), "does not start: ETIMEDOUT") != NULL);
        CHECK_EQUAL(disks_found(), disks);
        CHECK_EQUAL(host_pages_in_use(), pages);
        CHECK_EQUAL(host_heap_blocks(), blocks);
        end_cpus();
    }
}

static void as_many_as_memory_allows(void)
{
    bool seen[CPUS + 1] = { false };
    for (unsigned n = 1; !seen[CPUS]; n++) {
        spreading();
        host_fail_allocation(n);
        (void)start_on(CPUS);
        host_fail_allocation(0);
        NO_VIOLATION();
        if (fake.configuration & 1)
            seen[pairs()] = true;
        end_cpus();
    }
    for (unsigned i = 1; i <= CPUS; i++)
        CHECK(seen[i]);
}

/* ---- Which ---- */

static void requests_go_to_the_pair_of_their_cpu(void)
{
    static const uint32_t granted[] = { 0x30003, 0x10001, 0 };
    for (unsigned i = 0; i < array_size(granted); i++) {
        unsigned count = (granted[i] & 0xffff) + 1;
        spreading();
        fake.granted = granted[i];
        CHECK(start_on(CPUS));
        for (unsigned n = 0; n < CPUS; n++) {
            struct nvme_command command;
            submit_on(n, n);
            fake.pair = n % count + 1;
            CHECK(fake_take(&command));
            fake_transfer(&command);
            fake_complete(&command, 0);
            CHECK_EQUAL(ended[n], 1);
            CHECK_EQUAL(*byte_of(n, 9), fake.namespaces[0].data[n * SECTOR_SIZE + 9]);
            free_run(n);
        }
        NO_VIOLATION();
        end_cpus();
    }
}

/* A command that is sent again stays where the request was submitted, whatever CPU is interrupted. */
static void a_request_stays_on_its_pair(void)
{
    struct nvme_command command;
    spreading();
    CHECK(start_on(CPUS));
    this_cpu()->id = 2;
    submit_run(0, true, 0, 0, 512);
    this_cpu()->id = 1;
    fake.pair = 3;
    CHECK(fake_take(&command));
    fake_complete(&command, 0x281 << 1);
    CHECK(fake_take(&command));
    CHECK_EQUAL(ended[0], 0);
    fake_complete(&command, 0);
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], 0);
    NO_VIOLATION();
    free_run(0);
    end_cpus();
}

static void interrupts_come_to_the_cpu_of_the_pair(void)
{
    struct nvme_command command;
    spreading();
    platform.cpus = CPUS;
    CHECK(start_disk());
    platform.cpus = 1;
    for (unsigned i = 1; i <= CPUS; i++) {
        CHECK(fake.connected[i]);
        CHECK_EQUAL(fake.routes[i], 0);
    }
    cpus_online = 3; /* one does not come up */
    pci_spread_interrupts();
    static const unsigned wanted[] = { 0, 0, 1, 2, 0 };
    for (unsigned i = 0; i <= CPUS; i++)
        CHECK_EQUAL(fake.routes[i], wanted[i]);
    /* An interrupt on another CPU than the boot CPU is about its own pair only. */
    submit_on(1, 0);
    submit_on(2, 1);
    fake.pair = 2;
    CHECK(fake_take(&command));
    fake_post(command.id, 2, 0);
    fake.pair = 3;
    fake_interrupt();
    CHECK_EQUAL(count_ended(), 0);
    fake.pair = 2;
    fake_interrupt();
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(count_ended(), 1);
    /* At the end an interrupt may be left on a CPU that has stopped. */
    fake.pair = 3;
    CHECK(fake_take(&command));
    fake_post(command.id, 3, 0);
    fake.raised = 0;
    pci_gather_interrupts();
    CHECK(fake.raised > 0);
    for (unsigned i = 0; i <= CPUS; i++)
        CHECK_EQUAL(fake.routes[i], 0);
    fake.pair = 1;
    fake_interrupt();
    CHECK_EQUAL(ended[1], 1);
    NO_VIOLATION();
    free_run(0);
    free_run(1);
    end_cpus();
}

/* ---- Faults ---- */

static void start_with_requests(void)
{
    spreading();
    if (!start_on(CPUS))
        fake.violation = "the disk does not start";
    for (unsigned i = 0; i < REQUESTS; i++)
        submit_on(i % CPUS, i);
}

static bool all_failed(void)
{
    bool right = count_ended() == REQUESTS && !(fake.configuration & 1) && fake.violation == NULL;
    for (unsigned i = 0; i < REQUESTS; i++) {
        right &= results[i] == -EIO;
        free_run(i);
    }
    for (unsigned i = 0; i < CPUS; i++) {
        memset(ended, 0, sizeof(ended));
        submit_on(i, 0);
        right &= ended[0] == 1 && results[0] == -EIO;
        free_run(0);
    }
    disk->check(disk);
    const char *log = host_log(), *line = strstr(log, "all further requests to it fail");
    return right && line != NULL && strstr(line + 1, "all further requests") == NULL;
}

/* One that is right, but for another pair, or an identifier that only another pair has under way. */
static void completions_on_the_wrong_pair(void)
{
    static const struct {
        unsigned ring;
        uint16_t queue, id;
    } lies[] = { { 2, 1, 0 }, { 1, 2, 0 }, { 4, 3, 1 }, { 3, 0, 0 }, { 2, 5, 0 } };
    for (unsigned i = 0; i < array_size(lies); i++) {
        start_with_requests();
        fake.pair = lies[i].ring;
        fake_post(lies[i].id, lies[i].queue, 0);
        fake_interrupt();
        CHECK(all_failed());
        end_cpus();
    }
    struct nvme_command command;
    spreading();
    CHECK(start_on(CPUS));
    submit_on(0, 0);
    CHECK(fake_take(&command));
    fake.pair = 2;
    fake_post(command.id, 2, 0);
    fake_interrupt();
    CHECK_EQUAL(ended[0], 1);
    CHECK_EQUAL(results[0], -EIO);
    CHECK(!(fake.configuration & 1));
    free_run(0);
    end_cpus();
}

static void a_fault_ends_the_requests_of_all(void)
{
    for (unsigned fault = 0; fault < 3; fault++) {
        start_with_requests();
        fake.gone = fault == 0;
        fake.fatal = fault == 1;
        if (fault == 2)
            fake.status = 0;
        (void)host_log();
        disk->check(disk);
        if (fault == 0)
            fake.configuration = 0; /* which cannot be read any more */
        CHECK(all_failed());
        end_cpus();
    }
}

/* Who waits runs on another CPU by now. */
static void lost_interrupts_of_any_pair(void)
{
    spreading();
    CHECK(start_on(CPUS));
    for (unsigned i = 0; i < CPUS; i++) {
        struct nvme_command command;
        submit_on(i, i);
        fake.pair = i + 1;
        CHECK(fake_take(&command));
        fake_post(command.id, (uint16_t)(i + 1), 0);
    }
    CHECK_EQUAL(count_ended(), 0);
    this_cpu()->id = 3;
    disk->check(disk);
    CHECK_EQUAL(count_ended(), CPUS);
    for (unsigned i = 0; i < CPUS; i++) {
        CHECK_EQUAL(results[i], 0);
        free_run(i);
    }
    NO_VIOLATION();
    end_cpus();
}

void test_pairs(void)
{
    host_test("nvme: a pair for each CPU", a_pair_for_each_cpu);
    host_test("nvme: as many pairs as the controller grants", as_many_as_the_controller_grants);
    host_test("nvme: as many pairs as there are interrupts", as_many_as_there_are_interrupts);
    host_test("nvme: as many pairs as have doorbells", as_many_as_have_doorbells);
    host_test("nvme: as many pairs as are not refused", as_many_as_are_not_refused);
    host_test("nvme: no answer for a further pair", no_answer_for_a_further_pair);
    host_test("nvme: as many pairs as memory allows", as_many_as_memory_allows);
    host_test("nvme: requests go to the pair of their CPU", requests_go_to_the_pair_of_their_cpu);
    host_test("nvme: a request stays on its pair", a_request_stays_on_its_pair);
    host_test("nvme: interrupts come to the CPU of the pair", interrupts_come_to_the_cpu_of_the_pair);
    host_test("nvme: completions on the wrong pair", completions_on_the_wrong_pair);
    host_test("nvme: a fault ends the requests of all pairs", a_fault_ends_the_requests_of_all);
    host_test("nvme: lost interrupts of any pair", lost_interrupts_of_any_pair);
}
