/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's stack against Linux's, over the ENA driver, the model of its device and a TAP device: every frame that
 * the driver has the model send must be right for Linux, and the other way round. This file stands for net/tap.h, with
 * the driver's device in the place of that of tap.c.
 *
 *   ena_linux [PACKETS [memory] [plain]]
 *
 * The device has several pairs of queues. All tests are repeated until so many packets have gone each way; once is
 * about 14000. The driver pushes packets into the device, or leaves them in memory; the device computes checksums and
 * segments TCP, or does neither ("plain").
 */
#define _GNU_SOURCE
#include "net/tap.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/ena/fake_pci.h"
#include "net/interface.h"
#include "net/linux_tap.h"
#include "net/streams.h"
#include "platform/native/native.h"

#define BATCH 64
#define CPUS 4
#define BYTES (4UL << 20) /* each way, of a stream */

struct memory_range native_memory[] = { { 0, 64UL << 20, MEMORY_RAM } };
unsigned native_memory_count = 1;

static int tap = -1;
static struct network_device *nic;
static bool wanted;
static nanoseconds due;

/* ---- The line ---- */

static void to_linux(const uint8_t *frame, size_t length)
{
    static uint8_t buffer[sizeof(struct tap_header) + MODEL_FRAME_MAX];
    memcpy(buffer + sizeof(struct tap_header), frame, length);
    if (write(tap, buffer, sizeof(struct tap_header) + length) < 0 && errno != EAGAIN && errno != ENOBUFS)
        host_fail(__FILE__, __LINE__, "tap refuses a frame of %zu bytes: %s", length, strerror(errno));
}

static bool from_linux(void)
{
    static uint8_t buffer[sizeof(struct tap_header) + MODEL_FRAME_MAX];
    unsigned count = 0;
    for (; count < BATCH; count++) {
        ssize_t length = read(tap, buffer, sizeof(buffer));
        if (length <= (ssize_t)sizeof(struct tap_header))
            break;
        (void)model_receive(&fake.model, buffer + sizeof(struct tap_header),
                            (size_t)length - sizeof(struct tap_header));
    }
    return count > 0;
}

static void want_service(struct network_device *device) { (void)device, wanted = true; }
static void rest(void) { fake_interrupts(); }
static void receive_more(struct network_device *device) { device->polled = true; }

static bool serve(void)
{
    if (!wanted && clock_monotonic() < due)
        return false;
    wanted = false;
    due = nic->service(nic, rest);
    return true;
}

static bool idle(void)
{
    bool any = from_linux();
    model_advance(&fake.model, clock_monotonic());
    fake_interrupts();
    while (nic->polled)
        nic->polled = nic->receive_round(nic);
    return any | serve();
}

bool tap_run(bool (*done)(void *context), void *context, nanoseconds time)
{
    nanoseconds end = clock_monotonic() + time;
    while (!done(context)) {
        if (clock_monotonic() >= end)
            return false;
        if (idle() | host_run_timers())
            continue;
        struct pollfd fd = { .fd = tap, .events = POLLIN };
        (void)poll(&fd, 1, 1);
    }
    return true;
}

void tap_test(const char *name, void (*test)(void)) { host_test_with(name, test, idle); }

static bool start(bool llq, bool plain)
{
    struct model_variant v = model_usual();
    struct net_configuration configuration = { .address = STACK_ADDRESS, .prefix = 24, .gateway = LINUX_ADDRESS };
    v.llq_sizes = llq;
    v.no_meta_caching = llq;
    v.queues = CPUS;
    v.rss_log2 = 7;
    v.hash_functions = MODEL_TOEPLITZ;
    v.moderation_us = 1;
    if (plain)
        v.tx_offloads = v.rx_offloads = 0;
    fake_init(v);
    fake.wire = to_linux;
    if (!fake_find() || (nic = network_device_at(0)) == NULL)
        return false;
    net_init();
    nic->want_service = want_service;
    nic->receive_more = receive_more;
    net_configure_static(&configuration);
    return nic->running;
}

/* ---- Tests ---- */

static void ping(void)
{
    static const size_t sizes[] = { 8, 64, 1480, 1481, 8000 };
    for (unsigned i = 0; i < array_size(sizes); i++)
        CHECK_EQUAL(peer_result(peer_start(peer_ping, &sizes[i]), PATIENCE), 0);
}

static void up(void) { stream_serve(BYTES, 0); }
static void down(void) { stream_serve(0, BYTES); }
static void both_ways(void) { stream_serve(BYTES, BYTES); }
static void as_a_client(void) { stream_call(1 << 20, 1 << 20); }

/* Between any two packets; connections go on. Every two seconds, so the first time, and not each time that the tests
 * are repeated: the driver has the device reset once a second at most. */
static unsigned resets_asked;
static bool move_and_reset(void *context)
{
    static nanoseconds next;
    if (clock_monotonic() >= next) {
        next = clock_monotonic() + 2 * NS_PER_SECOND;
        resets_asked += model_event(&fake.model, 7, 0, "", 0);
    }
    return stream_move(context);
}

static void through_resets(void)
{
    struct file *listener = stack_listener(8), *file = NULL;
    struct exchange x = { stack_port(listener), -1, BYTES, BYTES, 17 };
    unsigned before = fake.model.resets, asked_before = resets_asked;
    pid_t peer = peer_start(peer_exchange, &x);
    CHECK_EQUAL(stack_accept(listener, &file), 0);
    struct stream stream = { .file = file, .exchange = &x };
    CHECK(tap_run(move_and_reset, &stream, PATIENCE));
    CHECK(!stream.wrong);
    CHECK_EQUAL(stream.received, x.to_stack);
    CHECK_EQUAL(peer_result(peer, PATIENCE), 0);
    CHECK_EQUAL(fake.model.resets - before, resets_asked - asked_before);
    file_put(file);
    file_put(listener);
}

static void no_rule_is_broken(void)
{
    CHECK(resets_asked > 0);
    printf("# %lu packets sent, %lu received, %lu dropped, %u resets\n", fake.model.tx_packets, fake.model.rx_packets,
           fake.model.rx_dropped, fake.model.resets);
    if (fake.model.first_violation != NULL)
        host_fail(__FILE__, __LINE__, "%s", fake.model.first_violation);
}

static void run_round(void)
{
    tap_test("ena against Linux: ping", ping);
    tap_test("ena against Linux: upload", up);
    tap_test("ena against Linux: download", down);
    tap_test("ena against Linux: both ways", both_ways);
    tap_test("ena against Linux: as a client", as_a_client);
    tap_test("ena against Linux: through resets", through_resets);
}

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unsigned long packets = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    platform.memory_bytes = 256UL << 20;
    platform.cpus = CPUS;
    host_init();
    host_real_clock();
    tap = linux_tap_open(LINUX_ADDRESS);
    if (tap < 0 || !linux_tap_offload(tap, false)) {
        printf("ok ena against Linux # skipped: no permission for a network name space and a TAP device\n");
        return 0;
    }
    if (!start(!has_word(argc, argv, "memory"), has_word(argc, argv, "plain"))) {
        printf("not ok ena against Linux: the device does not start\n");
        return 1;
    }
    while (min_of(fake.model.tx_packets, fake.model.rx_packets) < packets && host_result() == 0)
        run_round();
    tap_test("ena against Linux: no rule is broken", no_rule_is_broken);
    return host_result();
}
