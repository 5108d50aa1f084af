/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Xen front ends against a fake host: first well behaved, then hostile.
 *
 * The host is that of fake_xen.h, which tests start again with fake_start(), mostly at LATE_INDEX, so that the indices
 * of rings wrap around soon. Run by make test-drivers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/heap.h"
#include "core/pages.h"
#include "drivers/device.h"
#include "drivers/xen/fake_xen.h"
#include "drivers/xen/blkfront.h"
#include "drivers/xen/channel.h"
#include "drivers/xen/console.h"
#include "drivers/xen/console_ring.h"
#include "drivers/xen/control.h"
#include "drivers/xen/grant.h"
#include "drivers/xen/netfront.h"
#include "drivers/xen/netfront_nic.h"
#include "drivers/xen/report.h"
#include "drivers/xen/ring.h"
#include "drivers/xen/settings.h"
#include "drivers/xen/suspend.h"
#include "drivers/xen/xenbus.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "threads/timer.h"

#define DISK_PATH "device/vbd/51713"
#define NIC_PATH "device/vif/0"
#define NIC_QUEUES "/local/domain/0/backend/vif/1/0/multi-queue-max-queues"
/* Indices that wrap around soon. */
#define LATE_INDEX 0xfffffe00U

static char typed[256];
static enum control_request ordered;
static unsigned orders;

void kernel_console_input(const char *text, size_t length)
{
    strncat(typed, text, min_of(length, sizeof(typed) - strlen(typed) - 1));
}

void kernel_control(enum control_request request)
{
    ordered = request;
    orders++;
}

static char key_pressed;

void kernel_control_key(char key) { key_pressed = key; }

/* ---- Console and xenstore -------------------------------------------------------------------- */

static void console_writes_more_than_the_ring_holds(void)
{
    static char text[10001], expected[10001];
    fake_start(LATE_INDEX);
    for (unsigned i = 0; i < sizeof(text) - 1; i++)
        text[i] = expected[i] = (char)('a' + i % 26);
    xen_console_write(text, sizeof(text) - 1);
    CHECK(strcmp(fake_console_output(), expected) == 0);
}

static void console_notifies_only_an_idle_daemon(void)
{
    fake_start(0);
    fake_run();
    fake_notifications = 0;
    for (int i = 0; i < 10; i++)
        xen_console_write("line\n", 5);
    CHECK_EQUAL(fake_notifications, 1);
}

static void console_takes_input(void)
{
    fake_start(LATE_INDEX);
    typed[0] = '\0';
    fake_type("hello");
    fake_run();
    CHECK(strcmp(typed, "hello") == 0);
}

static void store_answers_after_a_boot_loader(void)
{
    char value[64];
    uint64_t number;
    fake_start(LATE_INDEX);
    fake_store_write("name", "guest");
    fake_store_write("number", "42");
    CHECK_EQUAL(xenbus_read("name", value, sizeof(value)), 5);
    CHECK(strcmp(value, "guest") == 0);
    CHECK_EQUAL(xenbus_read_number("number", &number), 0);
    CHECK_EQUAL(number, 42);
    CHECK_EQUAL(xenbus_read_number("name", &number), -EPROTO);
    CHECK_EQUAL(xenbus_read("absent", value, sizeof(value)), -ENOENT);
    CHECK_EQUAL(xenbus_read("name", value, 5), -EOVERFLOW);
    CHECK_EQUAL(xenbus_write("written", "yes"), 0);
    CHECK(strcmp(fake_store_read("written"), "yes") == 0);
}

static void store_wakes_the_cpu_that_waits(void)
{
    struct xenbus_node nodes[] = { { .name = "name" }, { .name = "absent" } };
    char value[64];
    fake_start(0);
    fake_store_write("name", "guest");
    fake_store_write("guests/name", "second");
    fake_events_elsewhere = true;
    CHECK_EQUAL(xenbus_read("name", value, sizeof(value)), 5);
    CHECK_EQUAL(xenbus_write("written", "yes"), 0);
    CHECK_EQUAL(xenbus_read_nodes("guests", nodes, 2), 0);
    fake_events_elsewhere = false;
    CHECK(strcmp(nodes[0].value, "second") == 0);
    CHECK_EQUAL(fake_overslept, 0);
}

static void store_moves_messages_larger_than_its_ring(void)
{
    static char large[3001], back[4096];
    fake_start(5);
    memset(large, 'x', sizeof(large) - 1);
    CHECK_EQUAL(xenbus_write("large", large), 0);
    CHECK_EQUAL(xenbus_read("large", back, sizeof(back)), 3000);
    CHECK(memcmp(back, large, 3001) == 0);
}

static void store_lists_directories(void)
{
    char names[64];
    fake_start(0);
    fake_store_write("d/one", "");
    fake_store_write("d/two/deeper", "");
    CHECK_EQUAL(xenbus_directory("d", names, sizeof(names)), 8);
    CHECK(memcmp(names, "one\0two", 8) == 0);
    CHECK_EQUAL(xenbus_directory("nowhere", names, sizeof(names)), -ENOENT);
}

static char settings_seen[512];

static void see_setting(void *context, const char *name, const char *value, size_t length)
{
    CHECK(context == settings_seen && strlen(value) == length);
    sprintf(settings_seen + strlen(settings_seen), "%s=%s;", name, value);
}

static void settings_come_from_vm_data(void)
{
    fake_start(0);
    settings_seen[0] = 0;
    CHECK_EQUAL(xen_settings(see_setting, settings_seen), 0); /* there is no such directory */
    fake_store_write("vm-data/unikernel/URL", "http://a b/?c=d");
    fake_store_write("vm-data/unikernel/EMPTY", "");
    fake_store_write("vm-data/other", "1");
    CHECK_EQUAL(xen_settings(see_setting, settings_seen), 0);
    CHECK(strcmp(settings_seen, "URL=http://a b/?c=d;EMPTY=;") == 0);
}

static void reports_go_behind_the_text_into_data(void)
{
    fake_start(0);
    xen_console_write("the last words\n", 15);
    xen_report("exit", 143);
    CHECK(strcmp(fake_console_output(), "the last words\n") == 0);
    CHECK(strcmp(fake_store_read("data/unikernel/exit"), "143") == 0);
}

static void the_seed_counts_four_bits_a_character(void)
{
    fake_start(0);
    unsigned before = host_random_credited;
    xen_read_seed();
    CHECK_EQUAL(host_random_credited, before); /* there is none */
    fake_store_write("vm-data/unikernel-seed", "0123456789abcdef");
    xen_read_seed();
    CHECK_EQUAL(host_random_credited, before + 64);
    char longest[300];
    memset(longest, 'f', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    fake_store_write("vm-data/unikernel-seed", longest);
    host_log();
    xen_read_seed();
    CHECK_EQUAL(host_random_credited, before + 64);
    CHECK(strstr(host_log(), "longer than 256 bytes"));
}

static void control_orders_arrive_once(void)
{
    static bool started;
    fake_start(0);
    CHECK(!started);
    started = true;
    orders = 0;
    xen_control_start();
    fake_run();
    CHECK_EQUAL(orders, 0);
    fake_store_write("control/shutdown", "poweroff");
    fake_run();
    CHECK_EQUAL(orders, 1);
    CHECK_EQUAL(ordered, CONTROL_POWER_OFF);
    CHECK(strcmp(fake_store_read("control/shutdown"), "") == 0);
    fake_store_write("control/shutdown", "reboot");
    fake_run();
    CHECK_EQUAL(orders, 2);
    CHECK_EQUAL(ordered, CONTROL_REBOOT);
    fake_store_write("control/sysrq", "t");
    fake_run();
    CHECK_EQUAL(key_pressed, 't');
    fake_store_write("control/shutdown", "suspend");
    fake_run();
    CHECK_EQUAL(orders, 3);
    CHECK_EQUAL(ordered, CONTROL_SUSPEND);
    CHECK(strcmp(fake_store_read("control/shutdown"), "") == 0);
    fake_store_write("control/shutdown", "crash");
    fake_run();
    CHECK_EQUAL(orders, 3);
}

static void hostile_store_ends_requests(void)
{
    char value[16];
    for (unsigned seed = 0; seed < 50; seed++) {
        srand(seed);
        fake_store_hostile = true;
        if (xenbus_read("x", value, sizeof(value)) < 0)
            break;
    }
    CHECK(xenbus_read("x", value, sizeof(value)) < 0);
    CHECK(xenbus_write("x", "y") < 0);
    CHECK_EQUAL(xen_settings(see_setting, settings_seen), -EIO);
    host_log();
    xen_report("listening", 8080);
    CHECK(strstr(host_log(), "data/unikernel/listening is not reported"));
    fake_store_hostile = false;
}

/* ---- Disk ------------------------------------------------------------------------------------ */

static struct block_device *disk;
static unsigned done_count;
static int done_error;

static void count_done(struct block_request *request, int error)
{
    (void)request;
    done_count++;
    done_error = error;
}

static unsigned disks_started;

static bool start_disk(int backend_state, const char *mode)
{
    fake_start(LATE_INDEX);
    fake_add_disk(51713, backend_state, mode);
    if (grants_init(BLKFRONT_GRANTS) != 0 || blkfront_start(DISK_PATH, 51713) != 0)
        return false;
    disk = block_device_at(disks_started++);
    done_count = 0;
    return disk != NULL;
}

static void submit(struct block_request *request, bool write, uint64_t sector, struct page *page, uint32_t offset,
                   uint32_t length)
{
    *request = (struct block_request){
        .write = write,
        .sector = sector,
        .segment_count = 1,
        .done = count_done,
        .segments = { { page_address(page) + offset, length } },
    };
    block_submit(disk, request);
}

static void fill_disk(void)
{
    for (size_t i = 0; i < sizeof(fake_disk); i++)
        fake_disk[i] = (uint8_t)(i / 512 * 7 + i);
}

static void disk_reads_and_writes(void)
{
    struct block_request request;
    CHECK(start_disk(2, "w"));
    fill_disk();
    CHECK(strcmp(disk->name, "xvda1") == 0);
    CHECK(disk->major == 202 && disk->minor == 1 && disk->minors == 1);
    CHECK_EQUAL(disk->sectors, 4096);
    struct page *page = page_allocate();
    submit(&request, false, 17, page, 512, 1024);
    fake_run();
    CHECK_EQUAL(done_count, 1);
    CHECK_EQUAL(done_error, 0);
    CHECK(memcmp((uint8_t *)page_data(page) + 512, fake_disk + 17 * 512, 1024) == 0);
    memset(page_data(page), 0x5a, PAGE_SIZE);
    submit(&request, true, 100, page, 0, PAGE_SIZE);
    fake_run();
    CHECK_EQUAL(done_count, 2);
    CHECK(memcmp(page_data(page), fake_disk + 100 * 512, PAGE_SIZE) == 0);
    CHECK_EQUAL(fake_grants_used(), 1);
    page_put(page);
}

static unsigned expirations;

static void expired(struct timer *timer)
{
    (void)timer;
    expirations++;
}

/* As the timer of an address that is being tried on a NIC, when a disk starts after it. */
static void timers_expire_around_a_device_that_waits(void)
{
    static struct timer before, after;
    nanoseconds started = clock_monotonic();
    expirations = 0;
    timer_init(&before, expired);
    timer_init(&after, expired);
    timer_start(&before, started + NS_PER_MS);
    CHECK(start_disk(2, "w"));
    timer_start(&after, started + 2 * NS_PER_MS);
    host_advance(NS_PER_MS);
    CHECK_EQUAL(expirations, 1);
    host_advance(NS_PER_MS);
    CHECK_EQUAL(expirations, 2);
    CHECK_EQUAL(host_next_timer(), NO_DEADLINE);
}

static void disk_is_given_up_when_its_backend_is_silent(void)
{
    static struct timer timer;
    nanoseconds started = clock_monotonic();
    expirations = 0;
    timer_init(&timer, expired);
    timer_start(&timer, started + NS_PER_SECOND);
    fake_start(LATE_INDEX);
    fake_add_disk(51713, 2, "w");
    fake_backends_silent = true;
    CHECK_EQUAL(grants_init(BLKFRONT_GRANTS), 0);
    int result = blkfront_start(DISK_PATH, 51713);
    fake_backends_silent = false;
    CHECK_EQUAL(result, -ETIMEDOUT);
    CHECK_EQUAL(clock_monotonic() - started, 300 * NS_PER_SECOND);
    CHECK_EQUAL(expirations, 1);
}

static struct timer backend_timer;

/* First it waits for a front end, then it sees what that wrote. */
static void backend_acts(struct timer *timer)
{
    if (strcmp(fake_store_read(DISK_PATH "/state"), "3") != 0) {
        fake_store_write("/local/domain/0/backend/vbd/1/51713/state", "2");
        timer_start(timer, clock_monotonic() + 200 * NS_PER_SECOND);
        return;
    }
    fake_backends_silent = false;
    fake_backends_written(DISK_PATH "/state");
}

/* As one in a host that is overloaded: the boot waits for as long as it does something. */
static void disk_comes_up_however_slow_its_backend_is(void)
{
    nanoseconds started = clock_monotonic();
    fake_start(LATE_INDEX);
    fake_add_disk(51713, 1, "w");
    fake_backends_silent = true;
    CHECK_EQUAL(grants_init(BLKFRONT_GRANTS), 0);
    host_log();
    timer_init(&backend_timer, backend_acts);
    timer_start(&backend_timer, started + 200 * NS_PER_SECOND);
    CHECK_EQUAL(blkfront_start(DISK_PATH, 51713), 0);
    CHECK_EQUAL(clock_monotonic() - started, 400 * NS_PER_SECOND);
    const char *log = host_log();
    CHECK(strstr(log, "device " DISK_PATH ": has waited 10 s for its backend (state 1), and goes on"));
    CHECK(strstr(log, "device " DISK_PATH ": has waited 390 s for its backend (state 2), and goes on"));
    disks_started++;
}

static void disk_shows_nothing_but_its_data(void)
{
    struct block_request request;
    CHECK(start_disk(2, "w"));
    CHECK_EQUAL(fake_grants_leaking(), 0);
    fake_backends_asleep = true;
    struct page *page = page_allocate_zeroed();
    submit(&request, false, 8, page, 512, 512);
    CHECK_EQUAL(fake_grants_used(), 2);
    CHECK_EQUAL(fake_grants_leaking(), 0);
    fake_backends_asleep = false;
    fake_run();
    CHECK_EQUAL(fake_grants_used(), 1);
    page_put(page);
}

/* The request ends, the disk is given up, and the frame is never used for anything else. */
static void disk_leaves_pages_to_a_backend_that_keeps_them(void)
{
    struct block_request request;
    CHECK(start_disk(2, "w"));
    fake_backends_asleep = true;
    struct page *page = page_allocate_zeroed();
    uint64_t pages = host_pages_in_use();
    submit(&request, false, 8, page, 0, 4096);
    fake_map_grants();
    fake_backends_asleep = false;
    fake_run();
    CHECK_EQUAL(done_count, 1);
    CHECK_EQUAL(done_error, -EIO);
    page_put(page);
    CHECK_EQUAL(host_pages_in_use(), pages);
    submit(&request, false, 8, page, 0, 4096);
    CHECK_EQUAL(done_count, 2);
    CHECK_EQUAL(done_error, -EIO);
}

static void disk_queues_more_than_its_ring(void)
{
    enum { REQUESTS = 100 };
    static struct block_request requests[REQUESTS];
    struct page *pages[REQUESTS];
    CHECK(start_disk(2, "w"));
    fill_disk();
    fake_backends_asleep = true;
    for (unsigned i = 0; i < REQUESTS; i++) {
        pages[i] = page_allocate();
        submit(&requests[i], false, i * 8, pages[i], 0, PAGE_SIZE);
    }
    fake_run();
    CHECK_EQUAL(done_count, 0);
    fake_backends_asleep = false;
    fake_run();
    CHECK_EQUAL(done_count, REQUESTS);
    for (unsigned i = 0; i < REQUESTS; i++) {
        CHECK(memcmp(page_data(pages[i]), fake_disk + i * 4096, PAGE_SIZE) == 0);
        page_put(pages[i]);
    }
    CHECK_EQUAL(fake_grants_used(), 1);
}

static void disk_reports_errors(void)
{
    struct block_request request;
    struct page *page = page_allocate();
    CHECK(start_disk(2, "r"));
    CHECK(disk->read_only);
    fake_disk_status = -1;
    submit(&request, false, 0, page, 0, 512);
    fake_run();
    CHECK_EQUAL(done_count, 1);
    CHECK_EQUAL(done_error, -EIO);
    CHECK(strstr(host_log(), "xvda1: I/O error: the read of sector 0 ends with status -1\n"));
    submit(&request, true, 0, page, 0, 512);
    CHECK_EQUAL(done_error, -EROFS);
    submit(&request, false, 4096, page, 0, 512);
    CHECK_EQUAL(done_error, -EINVAL);
    submit(&request, false, UINT64_MAX, page, 0, 512);
    CHECK_EQUAL(done_error, -EINVAL);
    submit(&request, false, 0, page, 3584, 1024);
    CHECK_EQUAL(done_error, -EINVAL);
    submit(&request, false, 0, page, 100, 512);
    CHECK_EQUAL(done_error, -EINVAL);
    CHECK_EQUAL(done_count, 6);
    page_put(page);
}

static void disk_reconnects_after_a_boot_loader(void)
{
    struct block_request request;
    struct page *page = page_allocate();
    for (int state = 4; state <= 6; state++) {
        CHECK(start_disk(state, "w"));
        submit(&request, false, 1, page, 0, 512);
        fake_run();
        CHECK_EQUAL(done_count, 1);
        CHECK_EQUAL(done_error, 0);
    }
    page_put(page);
}

/* The backend goes in the middle of its work: everything is asked for again, in the same order, and ends once. */
static void disk_asks_again_after_a_reconnect(void)
{
    enum { REQUESTS = 50 };
    static struct block_request requests[REQUESTS];
    struct page *pages[REQUESTS];
    for (unsigned served = 0; served < 40; served += 13) {
        CHECK(start_disk(2, "w"));
        memset(fake_disk, 0, sizeof(fake_disk));
        fake_backends_asleep = true;
        for (unsigned i = 0; i < REQUESTS; i++) {
            pages[i] = page_allocate_zeroed();
            memset(page_data(pages[i]), (int)i + 1, PAGE_SIZE);
            submit(&requests[i], true, i / 2 * 8, pages[i], 0, PAGE_SIZE); /* each place twice */
        }
        fake_backends_asleep = false;
        for (unsigned i = 0; i < served; i++)
            fake_disk_step();
        fake_disk_leave();
        fake_run();
        CHECK_EQUAL(done_count, REQUESTS);
        CHECK_EQUAL(done_error, 0);
        for (unsigned i = 0; i < REQUESTS; i++) {
            CHECK_EQUAL(fake_disk[i / 2 * 4096], (i / 2) * 2 + 2);
            page_put(pages[i]);
        }
        CHECK_EQUAL(fake_grants_used(), 1);
    }
}

static void disk_fails_when_taken_away_and_works_when_attached(void)
{
    struct block_request requests[3];
    struct page *page = page_allocate_zeroed();
    CHECK(start_disk(2, "w"));
    fake_backends_asleep = true;
    submit(&requests[0], false, 0, page, 0, 512);
    submit(&requests[1], false, 8, page, 512, 512);
    fake_disk_detach();
    fake_run();
    CHECK_EQUAL(done_count, 2);
    CHECK_EQUAL(done_error, -EIO);
    CHECK(strcmp(fake_store_read("device/vbd/51713/state"), "6") == 0);
    CHECK_EQUAL(fake_grants_used(), 0);
    submit(&requests[2], false, 0, page, 0, 512);
    CHECK_EQUAL(done_count, 3);
    fake_backends_asleep = false;
    fake_attach_again();
    fake_run();
    submit(&requests[2], false, 0, page, 0, 512);
    fake_run();
    CHECK_EQUAL(done_count, 4);
    CHECK_EQUAL(done_error, 0);
    page_put(page);
}

/* It has everything mapped when it begins to close, answers some of it and lets go at its end: nothing fails, and no
 * page is lost, whether it comes back or is taken away. */
static void disk_waits_until_its_backend_has_closed(void (*leave)(void), int expected)
{
    static struct block_request requests[3];
    struct page *page = page_allocate_zeroed();
    CHECK(start_disk(2, "w"));
    host_log();
    fake_backends_asleep = true;
    for (unsigned i = 0; i < array_size(requests); i++)
        submit(&requests[i], false, i * 8, page, 0, 512);
    uint64_t before = host_pages_in_use();
    fake_map_grants();
    fake_backends_let_go = true;
    leave();
    fake_backends_asleep = false;
    fake_disk_step();
    fake_run();
    fake_backends_let_go = false;
    CHECK_EQUAL(done_count, array_size(requests));
    CHECK_EQUAL(done_error, expected);
    CHECK_EQUAL(host_pages_in_use(), before - (expected != 0)); /* without a ring */
    CHECK_EQUAL(fake_grants_used(), expected == 0);
    CHECK(!strstr(host_log(), "still uses"));
    page_put(page);
}

static void disk_survives_a_backend_that_closes_in_order(void)
{
    disk_waits_until_its_backend_has_closed(fake_disk_leave, 0);
    disk_waits_until_its_backend_has_closed(fake_disk_detach, -EIO);
}

/* A backend that goes without letting go: its page stays out of use, the request fails, the others go on. */
static void disk_bears_a_backend_that_leaves_and_keeps(void)
{
    struct block_request requests[2];
    struct page *pages[2] = { page_allocate_zeroed(), page_allocate_zeroed() };
    CHECK(start_disk(2, "w"));
    fake_backends_asleep = true;
    submit(&requests[0], false, 0, pages[0], 0, 512);
    fake_map_grants();
    submit(&requests[1], false, 8, pages[1], 0, 512);
    fake_disk_leave();
    fake_backends_asleep = false;
    uint64_t before = host_pages_in_use();
    fake_run();
    CHECK_EQUAL(done_count, 2);
    CHECK_EQUAL(done_error, 0);
    page_put(pages[0]);
    page_put(pages[1]);
    CHECK_EQUAL(host_pages_in_use(), before); /* one page given back, and a ring kept */
}

static void hostile_disk_is_given_up(void)
{
    static struct block_request requests[8];
    struct page *page = page_allocate();
    for (unsigned seed = 0; seed < 300; seed++) {
        srand(seed);
        CHECK(start_disk(2, "w"));
        fake_backends_asleep = true;
        for (unsigned i = 0; i < 8; i++)
            submit(&requests[i], false, i, page, 0, 512);
        struct ring_header *header = fake_disk_ring();
        for (unsigned round = 0; round < 20; round++) {
            uint8_t *slots = (uint8_t *)(header + 1);
            for (unsigned i = 0; i < 112 * 32; i++)
                slots[i] = (uint8_t)(rand() % 3 ? 0 : rand());
            for (unsigned i = 0; i < 8; i++)
                slots[i * 112] = (uint8_t)(rand() % 10);
            header->responses_produced += (uint32_t)(seed % 2 ? rand() % 4 : rand());
            header->response_event = (uint32_t)rand();
            fake_raise(fake_disk_port());
            fake_run();
        }
        CHECK(done_count <= 8);
        unsigned before = done_count;
        submit(&requests[0], false, 0, page, 0, 512);
        CHECK_EQUAL(done_count, before + 1);
        CHECK_EQUAL(done_error, -EIO);
    }
    page_put(page);
}

/* Field by field: after each lie the disk is given up or unharmed, and every request has ended once. */
static void each_lie_about_a_disk_ends_its_requests(void)
{
    static const struct {
        uint64_t id;
        int16_t status;
        uint32_t produced; /* responses it claims */
        bool dead;
    } lies[] = {
        { 0, 0, 1, false },         { 0, -1, 1, false },        { 0, 1, 1, false },        { 0, INT16_MIN, 1, false },
        { 0, INT16_MAX, 1, false }, { 7, 0, 1, false },         { 8, 0, 1, true },         { 31, 0, 1, true },
        { 32, 0, 1, true },         { UINT64_MAX, 0, 1, true }, { 1UL << 32, 0, 1, true }, { 0, 0, 2, true },
        { 0, 0, 8, true },          { 0, 0, 9, true },          { 0, 0, 32, true },        { 0, 0, 0x80000000, true },
        { 0, 0, UINT32_MAX, true },
    };
    static struct block_request requests[8];
    struct page *page = page_allocate_zeroed();
    for (unsigned n = 0; n < array_size(lies); n++) {
        CHECK(start_disk(2, "w"));
        fake_backends_asleep = true;
        for (unsigned i = 0; i < 8; i++)
            submit(&requests[i], false, i, page, 0, 512);
        struct ring_header *header = fake_disk_ring();
        struct {
            uint64_t id;
            uint8_t operation;
            int16_t status;
        } response = { lies[n].id, 0, lies[n].status };
        /* The same answer in every slot. */
        for (unsigned i = 0; i < 32; i++)
            memcpy((uint8_t *)(header + 1) + i * 112, &response, sizeof(response));
        header->responses_produced += lies[n].produced;
        fake_raise(fake_disk_port());
        fake_run();
        CHECK_EQUAL(done_count, lies[n].dead ? 8 : 1);
        CHECK_EQUAL(done_error, lies[n].dead || lies[n].status != 0 ? -EIO : 0);
        CHECK_EQUAL(fake_grants_used(), lies[n].dead ? 1 : 8); /* and the ring's */
        fake_disk_detach();
        fake_run();
        CHECK_EQUAL(done_count, 8);
        CHECK_EQUAL(fake_grants_used(), 0);
    }
    page_put(page);
}

/* ---- Network --------------------------------------------------------------------------------- */

static struct network_device *nic;
static struct list received;
static unsigned ready_calls, bursts, nics_started;

static void keep(struct network_device *device, struct packet *packet)
{
    (void)device;
    list_push_back(&received, &packet->link);
}
static void burst_done(struct network_device *device)
{
    (void)device;
    bursts++;
}
static void ready(struct network_device *device)
{
    (void)device;
    ready_calls++;
}

/* `queues`: what its backend offers, or NULL. */
static bool start_nic_with(const char *feature_sg, const char *queues)
{
    fake_start(LATE_INDEX);
    fake_add_nic(0, feature_sg);
    if (queues != NULL)
        fake_store_write(NIC_QUEUES, queues);
    if (grants_init(NETFRONT_GRANTS * NETFRONT_QUEUES) != 0 || netfront_start(NIC_PATH, 0) != 0)
        return false;
    nic = network_device_at(nics_started++);
    if (nic == NULL)
        return false;
    nic->receive = keep;
    nic->receive_done = burst_done;
    nic->transmit_ready = ready;
    list_init(&received);
    ready_calls = bursts = 0;
    return true;
}

static bool start_nic_of(const char *feature_sg) { return start_nic_with(feature_sg, NULL); }

static bool start_nic(void) { return start_nic_of("1"); }

static uint8_t byte_at(uint32_t i) { return (uint8_t)(i * 31 + i / 4096 * 5 + 1); }

/* `linear` bytes in front, the rest in fragments of at most `piece` bytes at odd offsets. */
static struct packet *make_packet(uint32_t linear, uint32_t rest, uint32_t piece)
{
    struct packet *packet = packet_allocate_paged(linear);
    uint32_t at = 0;
    for (; at < linear; at++)
        packet->head[packet->start + at] = byte_at(at);
    packet->linear = linear;
    packet->length = linear + rest;
    while (rest > 0) {
        uint32_t length = min_of(rest, piece), offset = piece < 4000 ? 33 : 0;
        struct page *page = page_allocate_zeroed();
        for (uint32_t i = 0; i < length; i++)
            ((uint8_t *)page_data(page))[offset + i] = byte_at(at++);
        packet->fragments[packet->fragment_count++] = (struct packet_fragment){ page, (uint16_t)offset,
                                                                                (uint16_t)length };
        rest -= length;
    }
    return packet;
}

static bool packet_intact(const struct packet *packet, uint32_t length)
{
    uint32_t at = 0;
    if (packet->length != length)
        return false;
    for (uint32_t i = 0; i < packet->linear; i++)
        if (packet->head[packet->start + i] != byte_at(at++))
            return false;
    for (unsigned f = 0; f < packet->fragment_count; f++)
        for (uint32_t i = 0; i < packet->fragments[f].length; i++)
            if (((uint8_t *)page_data(packet->fragments[f].page))[packet->fragments[f].offset + i] != byte_at(at++))
                return false;
    return at == length;
}

/* Takes the first received packet; true if it holds what make_packet() made. */
static bool receive_one(uint32_t length)
{
    struct list *link = list_pop_front(&received);
    if (link == NULL)
        return false;
    struct packet *packet = list_entry(link, struct packet, link);
    bool intact = packet_intact(packet, length);
    packet_free(packet);
    return intact;
}

static void nic_sends_and_receives(void)
{
    CHECK(start_nic());
    CHECK(memcmp(nic->mac, "\x00\x16\x3e\x0a\x0b\x0c", 6) == 0);
    CHECK(nic->checksum_offload && nic->segmentation_offload);
    CHECK(nic->mtu == 1500 && nic->max_mtu == 65517);
    uint64_t pages = 0, blocks = 0;
    const struct {
        uint32_t linear, rest, piece;
    } shapes[] = { { 60, 0, 1 },       { 1514, 0, 1 }, { 54, 1460, 1460 },  { 66, 8949, 4096 },      { 9015, 0, 1 },
                   { 128, 3000, 700 }, { 4200, 0, 1 }, { 66, 65000, 4096 }, { 54, 1665 - 54, 4096 }, { 1, 1, 1 } };
    for (unsigned n = 0; n < 2 * array_size(shapes); n++) {
        unsigned i = n % array_size(shapes);
        uint32_t length = shapes[i].linear + shapes[i].rest;
        if (n == array_size(shapes)) { /* from now on it has all the frames it needs */
            pages = host_pages_in_use();
            blocks = host_heap_blocks();
        }
        CHECK(nic->transmit(nic, make_packet(shapes[i].linear, shapes[i].rest, shapes[i].piece)));
        nic->flush(nic);
        fake_run();
        CHECK_EQUAL(fake_nic_length, length);
        CHECK(receive_one(length));
        CHECK(list_empty(&received));
    }
    CHECK_EQUAL(nic->dropped, 0);
    CHECK_EQUAL(nic->sent_packets, 2 * array_size(shapes));
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

/* New memory of the host shim is full of a marker; packets and their pages have none. */
static void nic_shows_nothing_but_packets(void)
{
    CHECK(start_nic());
    CHECK_EQUAL(fake_grants_leaking(), 0);
    fake_backends_asleep = true;
    for (uint32_t length = 1; length < 65000; length += length / 3 + 1) {
        uint32_t linear = min_of(length, 66U);
        CHECK(nic->transmit(nic, make_packet(linear, length - linear, 4096)));
        nic->flush(nic);
        CHECK_EQUAL(fake_grants_leaking(), 0);
        fake_backends_asleep = false;
        fake_run();
        CHECK(receive_one(length));
        CHECK_EQUAL(fake_grants_leaking(), 0);
        fake_backends_asleep = true;
    }
    CHECK(nic->transmit(nic, make_packet(4100, 18 * 100, 100)));
    nic->flush(nic);
    CHECK_EQUAL(fake_grants_leaking(), 0);
}

/* What the backend has mapped and does not let go of is never used for anything else. */
static void nic_leaves_pages_to_a_backend_that_keeps_them(void)
{
    CHECK(start_nic());
    uint64_t pages = host_pages_in_use();
    CHECK(nic->transmit(nic, make_packet(66, 9000, 4096)));
    nic->flush(nic);
    fake_map_grants();
    (void)host_log();
    fake_run();
    CHECK(strstr(host_log(), "page(s) that it should have given back") != NULL);
    CHECK(host_pages_in_use() >= pages + 1);
    fake_unmap_grants();
    CHECK(nic->transmit(nic, make_packet(66, 9000, 4096)));
    CHECK_EQUAL(nic->dropped >= 1, 1);
}

static void nic_compacts_many_fragments(void)
{
    CHECK(start_nic());
    struct packet *packet = make_packet(4100, 18 * 100, 100); /* 2 or 3 + 18 pieces */
    CHECK_EQUAL(packet->fragment_count, 18);
    CHECK(nic->transmit(nic, packet));
    nic->flush(nic);
    fake_run();
    CHECK(receive_one(5900));
}

/* The fake would not bear a second slot. */
static void nic_sends_in_one_slot_to_a_simple_backend(void)
{
    CHECK(start_nic_of("0"));
    CHECK(!nic->segmentation_offload);
    CHECK_EQUAL(nic->max_mtu, 1500);
    CHECK(nic->transmit(nic, make_packet(1514, 0, 1)));
    nic->flush(nic);
    fake_run();
    CHECK(receive_one(1514));
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    for (uint32_t linear = 1; linear <= 1514; linear += 89) {
        CHECK(nic->transmit(nic, make_packet(linear, 1514 - linear, 100)));
        nic->flush(nic);
        fake_run();
        CHECK(receive_one(1514));
    }
    CHECK_EQUAL(nic->dropped, 0);
    CHECK_EQUAL(host_pages_in_use(), pages);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

static void nic_marks_segmented_packets(void)
{
    CHECK(start_nic());
    struct packet *packet = make_packet(66, 20000, 4096);
    packet->segment_size = 1448;
    packet->header_length = 66;
    packet->flags = PACKET_CHECKSUM_PARTIAL;
    CHECK(nic->transmit(nic, packet));
    nic->flush(nic);
    fake_run();
    CHECK_EQUAL(fake_nic_segmented, 1);
    struct packet *back = list_entry(received.next, struct packet, link);
    CHECK_EQUAL(back->segment_size, 1448);
    CHECK_EQUAL(back->flags, PACKET_CHECKSUM_VALID);
    CHECK(receive_one(20066));
}

static struct packet *make_ipv6_packet(uint32_t fragments, uint16_t segment_size)
{
    struct packet *packet = make_packet(86, fragments, 4096);
    packet_data(packet)[12] = 0x86;
    packet_data(packet)[13] = 0xdd;
    packet->segment_size = segment_size;
    packet->header_length = 86;
    packet->flags = PACKET_CHECKSUM_PARTIAL;
    return packet;
}

static void nic_leaves_ipv6_to_a_backend_that_knows_it(void)
{
    CHECK(start_nic());
    CHECK(nic->checksum_offload_ipv6 && nic->segmentation_offload_ipv6);
    CHECK(strcmp(fake_store_read(NIC_PATH "/feature-gso-tcpv6"), "1") == 0);
    CHECK(strcmp(fake_store_read(NIC_PATH "/feature-ipv6-csum-offload"), "1") == 0);
    CHECK(nic->transmit(nic, make_ipv6_packet(20000, 1428)));
    nic->flush(nic);
    fake_run();
    CHECK_EQUAL(fake_nic_segmented, 1);
    CHECK_EQUAL(fake_nic_segments_type, GSO_TCPV6);
    CHECK(!list_empty(&received));
    struct packet *back = list_entry(received.next, struct packet, link);
    CHECK_EQUAL(back->segment_size, 1428);
    CHECK_EQUAL(back->length, 20086);
    packet_free(list_entry(list_pop_front(&received), struct packet, link));

    CHECK(start_nic_of("0"));
    CHECK(nic->checksum_offload && !nic->checksum_offload_ipv6 && !nic->segmentation_offload_ipv6);
    uint64_t dropped = nic->dropped, packets = fake_nic_packets;
    CHECK(nic->transmit(nic, make_ipv6_packet(0, 0)));
    nic->flush(nic);
    fake_run();
    CHECK_EQUAL(nic->dropped - dropped, 1);
    CHECK_EQUAL(fake_nic_packets, packets);
}

static void nic_tells_when_full_and_when_ready(void)
{
    CHECK(start_nic());
    fake_backends_asleep = true;
    unsigned sent = 1;
    while (nic->transmit(nic, make_packet(60, 0, 1)))
        sent++;
    nic->flush(nic);
    CHECK(sent > 200 && sent < 256);
    CHECK_EQUAL(nic->dropped, 0);
    CHECK_EQUAL(ready_calls, 0);
    fake_backends_asleep = false;
    fake_run();
    CHECK_EQUAL(ready_calls, 1);
    CHECK_EQUAL(fake_nic_packets, sent);
    while (!list_empty(&received))
        CHECK(receive_one(60));
}

static void nic_sends_a_burst_with_one_notification(void)
{
    CHECK(start_nic());
    fake_run();
    fake_notifications = 0;
    for (int i = 0; i < 50; i++)
        nic->transmit(nic, make_packet(100, 0, 1));
    nic->flush(nic);
    CHECK_EQUAL(fake_notifications, 1);
    fake_run();
    while (!list_empty(&received))
        CHECK(receive_one(100));
}

static void nic_survives_lack_of_memory(void)
{
    CHECK(start_nic());
    for (unsigned n = 1; n < 12; n++) {
        struct packet *packet = make_packet(66, 9000, 4096);
        host_fail_allocation(n);
        nic->transmit(nic, packet);
        nic->flush(nic);
        fake_run();
        host_fail_allocation(0);
        while (!list_empty(&received))
            CHECK(receive_one(9066));
    }
    nic->transmit(nic, make_packet(66, 1000, 4096));
    nic->flush(nic);
    fake_run();
    CHECK(receive_one(1066));
}

static unsigned link_changes;
static void link_changed(struct network_device *device)
{
    (void)device;
    link_changes++;
}

static void nic_comes_back_after_a_reconnect(void)
{
    CHECK(start_nic());
    nic->link_changed = link_changed;
    link_changes = 0;
    fake_backends_asleep = true;
    for (unsigned i = 0; i < 20; i++)
        nic->transmit(nic, make_packet(66, 9000, 4096));
    nic->flush(nic);
    uint64_t blocks = host_heap_blocks();
    fake_nic_leave();
    fake_backends_asleep = false;
    fake_run();
    CHECK_EQUAL(link_changes, 2);
    CHECK(nic->running);
    CHECK_EQUAL(nic->dropped, 20);
    CHECK(host_heap_blocks() < blocks);
    CHECK_EQUAL(fake_grants_leaking(), 0);
    nic->transmit(nic, make_packet(66, 9000, 4096));
    nic->flush(nic);
    fake_run();
    CHECK(receive_one(9066));
}

static void nic_is_down_when_taken_away(void)
{
    CHECK(start_nic());
    fake_backends_asleep = true;
    while (nic->transmit(nic, make_packet(60, 0, 1)))
        continue;
    nic->flush(nic);
    fake_nic_detach();
    fake_run();
    CHECK(!nic->running);
    CHECK_EQUAL(ready_calls, 1); /* who waits for room is notified, and the packets are dropped */
    CHECK_EQUAL(fake_grants_used(), 0);
    CHECK(nic->transmit(nic, make_packet(60, 0, 1)));
    nic->flush(nic);
    fake_backends_asleep = false;
    fake_attach_again();
    fake_run();
    CHECK(nic->running);
    nic->transmit(nic, make_packet(60, 0, 1));
    nic->flush(nic);
    fake_run();
    CHECK(receive_one(60));
}

/* ---- Several queues ---------------------------------------------------------------------------- */

/* A TCP packet over IPv4 of flow `flow`. */
static struct packet *make_flow_packet(unsigned flow)
{
    struct packet *packet = make_packet(60, 0, 1);
    uint8_t *frame = packet->head + packet->start;
    static const uint8_t header[] = { 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
    memcpy(frame + 12, header, sizeof(header));
    frame[34] = (uint8_t)(flow >> 8);
    frame[35] = (uint8_t)flow;
    return packet;
}

static void drop_received(void)
{
    struct list *link;
    while ((link = list_pop_front(&received)) != NULL)
        packet_free(list_entry(link, struct packet, link));
}

static unsigned queue_of_flow(unsigned flow)
{
    fake_nic_queue = UINT32_MAX;
    nic->transmit(nic, make_flow_packet(flow));
    nic->flush(nic);
    fake_run();
    drop_received();
    return fake_nic_queue;
}

static bool start_queues(unsigned cpus, const char *offered)
{
    platform.cpus = cpus;
    netfront_limit_queues(1, UINT32_MAX);
    bool started = start_nic_with("1", offered);
    platform.cpus = 1;
    netfront_limit_queues(1, UINT32_MAX); /* for the tests that follow */
    return started;
}

static void a_nic_has_a_queue_for_each_cpu(void)
{
    static const struct {
        unsigned cpus;
        const char *offered;
        unsigned queues;
    } cases[] = {
        { 4, NULL, 1 },  { 4, "1", 1 },  { 4, "0", 1 },           { 4, "-1", 1 },
        { 4, "", 1 },    { 4, "4x", 1 }, { 4, "0x10", 1 },        { 4, "18446744073709551616", 1 },
        { 4, "2", 2 },   { 4, "4", 4 },  { 4, "64", 4 },          { 4, "18446744073709551615", 4 },
        { 64, "64", 8 }, { 8, "3", 3 },  { 1, "64", 1 },          { 4, "4294967298", 4 },
        { 2, "64", 2 },  { 9, "9", 8 },  { 4, "99999999999", 4 },
    };
    for (unsigned i = 0; i < array_size(cases); i++) {
        CHECK(start_queues(cases[i].cpus, cases[i].offered));
        CHECK_EQUAL(fake_nic_queues(), cases[i].queues);
        uint32_t used = 0;
        for (unsigned flow = 0; flow < 200; flow++)
            used |= 1u << queue_of_flow(flow);
        CHECK_EQUAL(used, (1u << cases[i].queues) - 1);
        for (unsigned queue = 0; queue < cases[i].queues; queue++)
            CHECK_EQUAL(fake_port_cpu(fake_nic_port(queue)), queue);
        CHECK_EQUAL(nic->dropped, 0);
        fake_nic_detach();
        fake_run();
        CHECK_EQUAL(fake_grants_used(), 0);
    }
}

static void memory_and_grants_limit_queues(void)
{
    uint64_t memory = platform.memory_bytes;
    platform.cpus = 8;
    CHECK_EQUAL(netfront_limit_queues(1, 8 * NETFRONT_GRANTS), 8);
    CHECK_EQUAL(netfront_limit_queues(1, 8 * NETFRONT_GRANTS - 1), 7);
    CHECK_EQUAL(netfront_limit_queues(4, 8 * NETFRONT_GRANTS), 2);
    CHECK_EQUAL(netfront_limit_queues(9, 8 * NETFRONT_GRANTS), 1);
    CHECK_EQUAL(netfront_limit_queues(0, 0), 1);
    platform.memory_bytes = 64UL << 20;
    CHECK_EQUAL(netfront_limit_queues(1, UINT32_MAX), 2);
    platform.memory_bytes = 30UL << 20;
    CHECK_EQUAL(netfront_limit_queues(1, UINT32_MAX), 1);
    platform.memory_bytes = memory;
    platform.cpus = 1;
    CHECK_EQUAL(netfront_limit_queues(1, UINT32_MAX), 1);
}

static void a_flow_stays_on_its_queue(void)
{
    CHECK(start_queues(8, "8"));
    for (unsigned flow = 0; flow < 50; flow++) {
        unsigned queue = queue_of_flow(flow);
        for (unsigned i = 0; i < 5; i++)
            CHECK_EQUAL(queue_of_flow(flow), queue);
    }
}

static void packets_of_all_queues_come_whole(void)
{
    CHECK(start_queues(4, "4"));
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned flow = 0; flow < 100; flow++)
            CHECK(nic->transmit(nic, make_flow_packet(flow)));
        nic->flush(nic);
        fake_run();
        unsigned seen[100] = { 0 };
        struct list *link;
        while ((link = list_pop_front(&received)) != NULL) {
            struct packet *packet = list_entry(link, struct packet, link);
            const uint8_t *frame = packet->head + packet->start;
            CHECK(packet->length == 60 && packet->linear == 60 && frame[35] < 100);
            seen[frame[35]]++;
            packet_free(packet);
        }
        for (unsigned flow = 0; flow < 100; flow++)
            CHECK_EQUAL(seen[flow], 1);
    }
    CHECK_EQUAL(nic->dropped, 0);
}

/* The stack is asked again as long as there is more, whichever queue has it. */
static void a_round_leaves_no_queue_out(void)
{
    enum { EACH = 60 }; /* for which there are pages on offer; those of two queues are more than one round */
    unsigned flow_of[2] = { 0 };
    CHECK(start_queues(2, "2"));
    for (unsigned flow = 1; flow_of[0] == 0 || flow_of[1] == 0; flow++)
        flow_of[queue_of_flow(flow)] = flow;
    nic->polled = true;
    for (unsigned i = 0; i < 2 * EACH; i++) {
        CHECK(nic->transmit(nic, make_flow_packet(flow_of[i % 2])));
        nic->flush(nic);
        fake_run();
    }
    CHECK(list_empty(&received));
    CHECK(nic->receive_round(nic));
    CHECK(!nic->receive_round(nic));
    nic->polled = false;
    unsigned count = 0;
    for (struct list *link; (link = list_pop_front(&received)) != NULL; count++)
        packet_free(list_entry(link, struct packet, link));
    CHECK_EQUAL(count, 2 * EACH);
    CHECK_EQUAL(queue_of_flow(flow_of[1]), 1);
}

static void a_backend_that_rejects_queues_is_offered_one(void)
{
    fake_start(0);
    for (unsigned taken = 1; taken < 4; taken++) {
        platform.cpus = 4;
        netfront_limit_queues(1, UINT32_MAX);
        fake_start(LATE_INDEX);
        fake_add_nic(0, "1");
        fake_store_write(NIC_QUEUES, "4");
        fake_nic_queues_taken = taken;
        CHECK_EQUAL(grants_init(NETFRONT_GRANTS * NETFRONT_QUEUES), 0);
        (void)host_log();
        CHECK_EQUAL(netfront_start(NIC_PATH, 0), 0);
        platform.cpus = 1;
        netfront_limit_queues(1, UINT32_MAX);
        CHECK_EQUAL(fake_nic_queues(), 1);
        CHECK(strstr(host_log(), "the backend rejects 4 queues, though it offers them; using one") != NULL);
        nics_started++;
    }
}

/* A backend may offer another number each time that it comes. */
static void queues_come_and_go_with_the_backend(void)
{
    static const struct {
        const char *offered;
        unsigned queues;
    } backends[] = { { "2", 2 }, { "4", 4 }, { "1", 1 }, { "64", 4 }, { "nonsense", 1 }, { "3", 3 } };
    CHECK(start_queues(4, "4"));
    for (unsigned i = 0; i < array_size(backends); i++) {
        fake_backends_asleep = true;
        for (unsigned flow = 0; flow < 40; flow++)
            CHECK(nic->transmit(nic, make_flow_packet(flow)));
        nic->flush(nic);
        uint64_t dropped = nic->dropped;
        fake_store_write(NIC_QUEUES, backends[i].offered);
        fake_nic_leave();
        fake_backends_asleep = false;
        fake_run();
        CHECK_EQUAL(nic->dropped - dropped, 40);
        CHECK(nic->running);
        CHECK_EQUAL(fake_nic_queues(), backends[i].queues);
        uint32_t used = 0;
        for (unsigned flow = 0; flow < 200; flow++)
            used |= 1u << queue_of_flow(flow);
        CHECK_EQUAL(used, (1u << backends[i].queues) - 1);
    }
    fake_nic_detach();
    fake_run();
    CHECK_EQUAL(fake_grants_used(), 0);
}

/* What is missing for a queue ends the offer with those before it. */
static void queues_are_as_many_as_there_is_memory_for(void)
{
    bool fewer = false;
    CHECK(start_queues(4, "4"));
    for (unsigned n = 1; n < 300; n++) {
        host_fail_allocation(n);
        fake_nic_leave();
        fake_run();
        host_fail_allocation(0);
        if (!nic->running) {
            fake_attach_again();
            fake_run();
        }
        CHECK(nic->running && fake_nic_queues() >= 1);
        fewer |= fake_nic_queues() < 4;
        CHECK(queue_of_flow(n) < fake_nic_queues());
    }
    CHECK(fewer);
    CHECK_EQUAL(fake_nic_queues(), 4);
}

/* The others go on when the backend of one breaks the protocol. */
static void a_lie_in_one_queue_ends_that_one(void)
{
    CHECK(start_queues(2, "2"));
    unsigned flow_of[2] = { 0 };
    for (unsigned flow = 1; flow_of[0] == 0 || flow_of[1] == 0; flow++)
        flow_of[queue_of_flow(flow)] = flow;
    struct ring_header *ring = fake_receive_ring(1);
    ring->responses_produced += 1000;
    ring = fake_transmit_ring(1);
    ring->responses_produced += 1000;
    (void)host_log();
    fake_raise(fake_nic_port(1));
    fake_run();
    const char *log = host_log();
    CHECK(strstr(log, "nothing is received any more") != NULL && strstr(log, "nothing is sent any more") != NULL);
    uint64_t dropped = nic->dropped;
    CHECK_EQUAL(queue_of_flow(flow_of[1]), UINT32_MAX);
    CHECK_EQUAL(nic->dropped - dropped, 1);
    CHECK_EQUAL(queue_of_flow(flow_of[0]), 0);
    fake_nic_leave();
    fake_run();
    CHECK_EQUAL(queue_of_flow(flow_of[1]), 1);
}

static void hostile_nic_is_contained(void)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        srand(seed);
        CHECK(start_nic());
        fake_backends_asleep = true;
        for (unsigned round = 0; round < 20; round++) {
            nic->transmit(nic, make_packet(66, (uint32_t)(rand() % 20000), 4096));
            nic->flush(nic);
            struct ring_header *transmit = fake_transmit_ring(0), *receive = fake_receive_ring(0);
            struct {
                uint16_t id, offset, flags;
                int16_t status;
            } *slots = (void *)(receive + 1);
            for (unsigned i = 0; i < 256; i++) {
                slots[i].id = (uint16_t)(rand() % 50 ? i : (unsigned)rand());
                slots[i].offset = (uint16_t)(rand() % 4 ? 0 : rand());
                slots[i].flags = (uint16_t)(rand() % 16);
                slots[i].status = (int16_t)(rand() % 5000 - 100);
            }
            for (unsigned i = 0; i < 256 * 12; i++)
                ((uint8_t *)(transmit + 1))[i] = (uint8_t)(rand() % 3 ? 0 : rand());
            receive->responses_produced += (uint32_t)(seed % 2 ? rand() % 30 : rand());
            transmit->responses_produced += (uint32_t)(seed % 2 ? rand() % 5 : rand());
            fake_raise(fake_nic_port(0));
            fake_run();
            while (!list_empty(&received)) {
                struct packet *packet = list_entry(list_pop_front(&received), struct packet, link);
                uint32_t sum = packet->linear;
                for (unsigned i = 0; i < packet->fragment_count; i++)
                    sum += packet->fragments[i].length;
                bool consistent = sum == packet->length && packet->length <= 65535;
                packet_free(packet);
                CHECK(consistent);
            }
        }
    }
}

/* Field by field: what is not a packet is dropped, and the NIC goes on or is given up; its pages come back. */
static void each_lie_about_a_packet_is_dropped(void)
{
    static const struct {
        uint16_t id, offset, flags;
        int16_t status;
        uint8_t extra_type, extra_flags, extra_kind;
        uint16_t extra_size;
        uint32_t produced;
        unsigned packets;
        bool dead;
    } lies[] = {
        { .status = 60, .produced = 1, .packets = 1 },
        { .status = 0, .produced = 1 },
        { .status = -1, .produced = 1 },
        { .status = INT16_MIN, .produced = 1 },
        { .status = INT16_MAX, .produced = 1 },
        { .status = 4097, .produced = 1 },
        { .status = 4096, .produced = 1, .packets = 1 },
        { .status = 4096, .offset = 1, .produced = 1 },
        { .status = 60, .offset = 4036, .produced = 1, .packets = 1 },
        { .status = 60, .offset = 4037, .produced = 1 },
        { .status = 60, .offset = 4096, .produced = 1 },
        { .status = 60, .offset = 0xffff, .produced = 1 },
        { .status = 60, .id = 1, .produced = 1, .dead = true },
        { .status = 60, .id = 0xffff, .produced = 1, .dead = true },
        { .status = 60, .flags = RX_MORE_DATA, .produced = 1 },
        { .status = 60, .flags = RX_EXTRA_INFO, .produced = 1 },
        { .status = 60,
          .flags = RX_EXTRA_INFO,
          .extra_type = 1,
          .extra_kind = 1,
          .extra_size = 1,
          .produced = 2,
          .packets = 1 },
        { .status = 60, .flags = RX_EXTRA_INFO, .extra_type = 1, .extra_kind = 1, .extra_size = 0, .produced = 2 },
        { .status = 60,
          .flags = RX_EXTRA_INFO,
          .extra_type = 1,
          .extra_kind = 2,
          .extra_size = 1,
          .produced = 2,
          .packets = 1 },
        { .status = 60, .flags = RX_EXTRA_INFO, .extra_type = 1, .extra_kind = 3, .extra_size = 1, .produced = 2 },
        { .status = 60, .flags = RX_EXTRA_INFO, .extra_type = 0, .extra_kind = 1, .extra_size = 1, .produced = 2 },
        { .status = 60, .flags = RX_EXTRA_INFO, .extra_type = 255, .extra_kind = 1, .extra_size = 1, .produced = 2 },
        { .status = 60,
          .flags = RX_EXTRA_INFO,
          .extra_type = 1,
          .extra_kind = 1,
          .extra_size = 1,
          .extra_flags = 1,
          .produced = 2 },
        { .status = 60, .produced = 257, .dead = true },
        { .status = 60, .produced = 0x80000000, .dead = true },
        { .status = 60, .produced = UINT32_MAX, .dead = true },
    };
    for (unsigned n = 0; n < array_size(lies); n++) {
        CHECK(start_nic());
        uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
        fake_backends_asleep = true;
        struct ring_header *ring = fake_receive_ring(0);
        struct rx_response response = { lies[n].id, lies[n].offset, lies[n].flags, lies[n].status };
        struct extra_info extra = { .type = lies[n].extra_type,
                                    .flags = lies[n].extra_flags,
                                    .gso_type = lies[n].extra_kind,
                                    .gso_size = lies[n].extra_size };
        memcpy(ring + 1, &response, sizeof(response));
        memcpy((uint8_t *)(ring + 1) + sizeof(response), &extra, sizeof(extra));
        ring->responses_produced += lies[n].produced;
        (void)host_log();
        fake_raise(fake_nic_port(0));
        fake_run();
        CHECK_EQUAL(strstr(host_log(), "nothing is received any more") != NULL, lies[n].dead);
        unsigned count = 0;
        for (struct list *link; (link = list_pop_front(&received)) != NULL; count++)
            packet_free(list_entry(link, struct packet, link));
        CHECK_EQUAL(count, lies[n].packets);
        CHECK_EQUAL(nic->dropped, lies[n].packets == 0 && !lies[n].dead);
        CHECK_EQUAL(host_pages_in_use(), pages);
        CHECK_EQUAL(host_heap_blocks(), blocks);
        fake_nic_detach();
        fake_run();
        CHECK_EQUAL(fake_grants_used(), 0);
    }
}

/* The answers to packets that were sent: an id that is not in flight ends sending; the packets end with the NIC. */
static void each_lie_about_a_sent_packet_is_contained(void)
{
    static const struct {
        uint16_t id;
        int16_t status;
        uint32_t produced;
        bool dead;
    } lies[] = {
        { 0, 0, 1, false },         { 0, -1, 1, false },
        { 0, INT16_MIN, 1, false }, { 0, 2, 1, false },
        { 3, 0, 1, false },         { 4, 0, 1, true },
        { 255, 0, 1, true },        { 256, 0, 1, true },
        { 0xffff, 0, 1, true },     { 0, RESPONSE_NULL, 1, true },
        { 0, 0, 2, true },          { 0, 0, 4, true },
        { 0, 0, 5, true },          { 0, 0, 257, true },
        { 0, 0, UINT32_MAX, true },
    };
    for (unsigned n = 0; n < array_size(lies); n++) {
        CHECK(start_nic());
        uint64_t blocks = host_heap_blocks();
        fake_backends_asleep = true;
        for (unsigned i = 0; i < 4; i++)
            CHECK(nic->transmit(nic, make_packet(60, 0, 1)));
        nic->flush(nic);
        struct ring_header *ring = fake_transmit_ring(0);
        struct tx_response response = { lies[n].id, lies[n].status };
        for (unsigned i = 0; i < 256; i++)
            memcpy((uint8_t *)(ring + 1) + i * 12, &response, sizeof(response));
        ring->responses_produced += lies[n].produced;
        (void)host_log();
        fake_raise(fake_nic_port(0));
        fake_run();
        CHECK_EQUAL(strstr(host_log(), "nothing is sent any more") != NULL, lies[n].dead);
        uint64_t dropped = nic->dropped;
        CHECK(nic->transmit(nic, make_packet(60, 0, 1)));
        CHECK_EQUAL(nic->dropped - dropped, lies[n].dead);
        fake_nic_detach();
        fake_run();
        CHECK_EQUAL(fake_grants_used(), 0);
        CHECK_EQUAL(host_heap_blocks(), blocks);
    }
}

/* Requests under way are asked for again, packets are lost, and nothing else is. */
/* ---- The host's channel ----------------------------------------------------------------------------- */

static unsigned channel_changes;
static void channel_changed(struct channel_device *device)
{
    (void)device;
    channel_changes++;
}

/* The host gives text, and what the guest receives is returned, in pieces of three bytes. */
static const char *channel_passes(struct channel_device *device, const char *text)
{
    static char received[2 * CONSOLE_INPUT_SIZE];
    struct console_ring *ring = fake_channel_ring();
    size_t length = 0;
    for (const char *c = text; *c; c++)
        ring->input[ring->input_produced++ % CONSOLE_INPUT_SIZE] = *c;
    fake_raise(fake_channel_port());
    fake_run();
    for (size_t piece; (piece = device->receive(device, received + length, 3)) > 0;)
        length += piece;
    received[length] = 0;
    return received;
}

/* Sends `length` bytes while the host takes them at its leisure, and counts the wrong ones. */
static unsigned channel_sends(struct channel_device *device, size_t length)
{
    static char text[3 * CONSOLE_OUTPUT_SIZE];
    struct console_ring *ring = fake_channel_ring();
    unsigned wrong = 0;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(i * 7);
    for (size_t sent = 0, taken = 0; taken < length; taken++) {
        sent += device->send(device, text + sent, length - sent);
        while (taken < length && ring->output_consumed == ring->output_produced)
            return 1000;
        wrong += ring->output[ring->output_consumed++ % CONSOLE_OUTPUT_SIZE] != text[taken];
    }
    return wrong + (ring->output_consumed != ring->output_produced);
}

static void channel_is_the_console_with_the_name(void)
{
    fake_start(LATE_INDEX);
    CHECK_EQUAL(grants_init(CHANNEL_GRANTS), 0);
    fake_add_channel(1, "agent");
    CHECK_EQUAL(xen_channel_start("device/console/1", 1), 0);
    CHECK(channel_device_find() == NULL && fake_channel_ring() == NULL);
    CHECK_EQUAL(fake_grants_used(), 0);
    fake_add_channel(2, "unikernel");
    CHECK_EQUAL(xen_channel_start("device/console/2", 2), 0);
    struct channel_device *device = channel_device_find();
    CHECK(device != NULL && fake_channel_ring() != NULL);
    device->changed = channel_changed;
    CHECK_EQUAL(xen_channel_start("device/console/2", 2), -EBUSY);
    CHECK(!strcmp(channel_passes(device, "a request\n"), "a request\n"));
    CHECK(channel_changes > 0);
    for (unsigned i = 0; i < 200; i++)
        CHECK(!strcmp(channel_passes(device, "thirty bytes, again and again."), "thirty bytes, again and again."));
    CHECK_EQUAL(channel_sends(device, 3 * CONSOLE_OUTPUT_SIZE), 0);
    CHECK_EQUAL(fake_grants_used(), 1);

    /* Indices that no honest backend writes. */
    struct console_ring *ring = fake_channel_ring();
    char byte;
    ring->input_produced += CONSOLE_INPUT_SIZE + 1;
    CHECK_EQUAL(device->receive(device, &byte, 1), 0);
    ring->input_consumed = 12345; /* which is ours */
    CHECK(!strcmp(channel_passes(device, "goes on"), "goes on"));
    ring->output_consumed = ring->output_produced + 1;
    CHECK_EQUAL(device->send(device, "x", 1), 0);

    /* A backend that leaves and comes back starts again. */
    channel_changes = 0;
    fake_channel_leave();
    fake_run();
    CHECK(fake_channel_ring() != NULL && channel_changes > 0);
    CHECK(!strcmp(channel_passes(device, "again"), "again"));
    CHECK_EQUAL(channel_sends(device, 5000), 0);
    CHECK_EQUAL(fake_grants_used(), 1);

    /* So does a domain that was restored. */
    CHECK(xen_suspend());
    fake_run();
    CHECK(!strcmp(channel_passes(device, "restored"), "restored"));
    CHECK_EQUAL(channel_sends(device, 10), 0);
    CHECK_EQUAL(fake_grants_used(), 1);
    device->changed = NULL;
}

static void devices_come_back_after_a_restore(void)
{
    enum { REQUESTS = 40 };
    static struct block_request requests[REQUESTS];
    CHECK(start_nic());
    fake_add_disk(51713, 2, "w");
    CHECK_EQUAL(blkfront_start(DISK_PATH, 51713), 0);
    disk = block_device_at(disks_started++);
    CHECK(disk != NULL);
    struct page *page = page_allocate_zeroed();
    uint64_t pages = 0;
    unsigned grants = 0;
    (void)host_log();
    memset(page_data(page), 0x77, PAGE_SIZE);
    for (unsigned round = 0; round < 3; round++) {
        memset(fake_disk, 0, sizeof(fake_disk));
        done_count = 0;
        fake_backends_asleep = true;
        for (unsigned i = 0; i < REQUESTS; i++)
            submit(&requests[i], true, i * 8, page, 0, PAGE_SIZE);
        CHECK(nic->transmit(nic, make_packet(60, 0, 1)));
        nic->flush(nic);
        fake_suspend_is_cancelled = round == 1;
        if (round == 2)
            fake_nic_mac("00:16:3e:00:00:07"); /* the other domain's device */
        uint64_t dropped = nic->dropped;
        CHECK_EQUAL(xen_suspend(), round != 1);
        fake_backends_asleep = false;
        fake_run();
        CHECK_EQUAL(nic->dropped - dropped, round != 1);
        CHECK_EQUAL(done_count, REQUESTS);
        CHECK_EQUAL(done_error, 0);
        for (unsigned i = 0; i < REQUESTS; i++)
            CHECK_EQUAL(fake_disk[i * 4096 + 4095], 0x77);
        if (round == 1)
            CHECK(receive_one(60));
        CHECK(nic->running);
        CHECK_EQUAL(nic->mac[5], round == 2 ? 7 : 0x0c);
        CHECK(nic->transmit(nic, make_packet(66, 0, 1)));
        nic->flush(nic);
        fake_run();
        CHECK(receive_one(66));
        if (round == 0) { /* with the packet that was sent last */
            pages = host_pages_in_use();
            grants = fake_grants_used();
        }
        CHECK_EQUAL(host_pages_in_use(), pages);
        CHECK_EQUAL(fake_grants_used(), grants);
    }
    typed[0] = '\0';
    fake_type("hello");
    fake_run();
    CHECK(strcmp(typed, "hello") == 0);
    CHECK(strstr(host_log(), "error") == NULL);
    page_put(page);
}

int main(void)
{
    host_init();
    host_test("console_writes_more_than_the_ring_holds", console_writes_more_than_the_ring_holds);
    host_test("console_notifies_only_an_idle_daemon", console_notifies_only_an_idle_daemon);
    host_test("console_takes_input", console_takes_input);
    host_test("store_answers_after_a_boot_loader", store_answers_after_a_boot_loader);
    host_test("store_wakes_the_cpu_that_waits", store_wakes_the_cpu_that_waits);
    host_test("store_moves_messages_larger_than_its_ring", store_moves_messages_larger_than_its_ring);
    host_test("store_lists_directories", store_lists_directories);
    host_test("settings_come_from_vm_data", settings_come_from_vm_data);
    host_test("reports_go_behind_the_text_into_data", reports_go_behind_the_text_into_data);
    host_test("the_seed_counts_four_bits_a_character", the_seed_counts_four_bits_a_character);
    /* First among the devices: it restores all that there are, and those of other tests are at another host. */
    host_test("devices_come_back_after_a_restore", devices_come_back_after_a_restore);
    host_test("channel_is_the_console_with_the_name", channel_is_the_console_with_the_name);
    host_test("disk_reads_and_writes", disk_reads_and_writes);
    host_test("timers_expire_around_a_device_that_waits", timers_expire_around_a_device_that_waits);
    host_test("disk_is_given_up_when_its_backend_is_silent", disk_is_given_up_when_its_backend_is_silent);
    host_test("disk_comes_up_however_slow_its_backend_is", disk_comes_up_however_slow_its_backend_is);
    host_test("disk_shows_nothing_but_its_data", disk_shows_nothing_but_its_data);
    host_test("disk_leaves_pages_to_a_backend_that_keeps_them", disk_leaves_pages_to_a_backend_that_keeps_them);
    host_test("disk_queues_more_than_its_ring", disk_queues_more_than_its_ring);
    host_test("disk_reports_errors", disk_reports_errors);
    host_test("disk_reconnects_after_a_boot_loader", disk_reconnects_after_a_boot_loader);
    host_test("disk_asks_again_after_a_reconnect", disk_asks_again_after_a_reconnect);
    host_test("disk_fails_when_taken_away_and_works_when_attached", disk_fails_when_taken_away_and_works_when_attached);
    host_test("disk_survives_a_backend_that_closes_in_order", disk_survives_a_backend_that_closes_in_order);
    host_test("disk_bears_a_backend_that_leaves_and_keeps", disk_bears_a_backend_that_leaves_and_keeps);
    host_test("hostile_disk_is_given_up", hostile_disk_is_given_up);
    host_test("each_lie_about_a_disk_ends_its_requests", each_lie_about_a_disk_ends_its_requests);
    host_test("nic_sends_and_receives", nic_sends_and_receives);
    host_test("nic_shows_nothing_but_packets", nic_shows_nothing_but_packets);
    host_test("nic_leaves_pages_to_a_backend_that_keeps_them", nic_leaves_pages_to_a_backend_that_keeps_them);
    host_test("nic_compacts_many_fragments", nic_compacts_many_fragments);
    host_test("nic_sends_in_one_slot_to_a_simple_backend", nic_sends_in_one_slot_to_a_simple_backend);
    host_test("nic_marks_segmented_packets", nic_marks_segmented_packets);
    host_test("nic_leaves_ipv6_to_a_backend_that_knows_it", nic_leaves_ipv6_to_a_backend_that_knows_it);
    host_test("nic_tells_when_full_and_when_ready", nic_tells_when_full_and_when_ready);
    host_test("nic_sends_a_burst_with_one_notification", nic_sends_a_burst_with_one_notification);
    host_test("nic_survives_lack_of_memory", nic_survives_lack_of_memory);
    host_test("nic_comes_back_after_a_reconnect", nic_comes_back_after_a_reconnect);
    host_test("nic_is_down_when_taken_away", nic_is_down_when_taken_away);
    host_test("a_nic_has_a_queue_for_each_cpu", a_nic_has_a_queue_for_each_cpu);
    host_test("memory_and_grants_limit_queues", memory_and_grants_limit_queues);
    host_test("a_flow_stays_on_its_queue", a_flow_stays_on_its_queue);
    host_test("packets_of_all_queues_come_whole", packets_of_all_queues_come_whole);
    host_test("a_round_leaves_no_queue_out", a_round_leaves_no_queue_out);
    host_test("a_backend_that_rejects_queues_is_offered_one", a_backend_that_rejects_queues_is_offered_one);
    host_test("queues_come_and_go_with_the_backend", queues_come_and_go_with_the_backend);
    host_test("queues_are_as_many_as_there_is_memory_for", queues_are_as_many_as_there_is_memory_for);
    host_test("a_lie_in_one_queue_ends_that_one", a_lie_in_one_queue_ends_that_one);
    host_test("hostile_nic_is_contained", hostile_nic_is_contained);
    host_test("each_lie_about_a_packet_is_dropped", each_lie_about_a_packet_is_dropped);
    host_test("each_lie_about_a_sent_packet_is_contained", each_lie_about_a_sent_packet_is_contained);
    host_test("control_orders_arrive_once", control_orders_arrive_once);
    host_test("hostile_store_ends_requests", hostile_store_ends_requests);
    return host_result();
}
