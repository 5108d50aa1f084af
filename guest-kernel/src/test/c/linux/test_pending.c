/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that wait, when there is no memory for what comes with them. */
#include "host/host.h"
#include "linux/signals.h"

#define REALTIME 40
#define QUEUE_LIMIT 1024u

static struct pending_signals pending;

static enum pending_result add(int number, int code, uint64_t address, struct pending_entry *entry)
{
    struct signal_info info = { .number = number, .code = code, .address = address };
    return pending_add(&pending, &info, entry);
}

static void memory_ends(void)
{
    pending_init(&pending);
    host_fail_allocation(1);
}

static void standard_signal(void)
{
    struct signal_info info;
    memory_ends();
    CHECK_EQUAL(add(SIGTERM, SI_TKILL, 0, NULL), PENDING_WITHOUT_INFO);
    CHECK(pending_take(&pending, UINT64_MAX, &info));
    CHECK_EQUAL(info.number, SIGTERM);
    CHECK_EQUAL(info.code, SI_USER);
    CHECK(!pending_take(&pending, UINT64_MAX, &info));
}

static void realtime_signal(void)
{
    struct signal_info info;
    memory_ends();
    CHECK_EQUAL(add(REALTIME, SI_QUEUE, 0, NULL), PENDING_REFUSED);
    CHECK_EQUAL(add(REALTIME, SI_TKILL, 0, NULL), PENDING_REFUSED);
    CHECK_EQUAL(pending.set, 0);
    CHECK_EQUAL(add(REALTIME, SI_USER, 0, NULL), PENDING_WITHOUT_INFO);
    CHECK(pending_take(&pending, UINT64_MAX, &info));
    CHECK_EQUAL(info.number, REALTIME);
    CHECK_EQUAL(pending.set, 0);
}

/* A fault's handler needs the address: HotSpot's does. */
static void kept_entry(void)
{
    static struct pending_entry entry;
    struct signal_info info;
    memory_ends();
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(add(SIGSEGV, 1, 0x1234 + i, &entry), PENDING_WAITS);
        CHECK_EQUAL(add(SIGFPE, 1, 0x5678, &entry), PENDING_WITHOUT_INFO); /* it is in use */
        CHECK_EQUAL(pending.count, 1);
        CHECK(pending_take(&pending, signal_bit(SIGSEGV), &info));
        CHECK_EQUAL(info.address, 0x1234 + i);
        CHECK(pending_take(&pending, UINT64_MAX, &info));
        CHECK_EQUAL(info.number, SIGFPE);
    }
    CHECK_EQUAL(add(SIGSEGV, 1, 1, &entry), PENDING_WAITS);
    pending_clear(&pending);
    CHECK_EQUAL(add(SIGSEGV, 1, 2, &entry), PENDING_WAITS);
    pending_discard(&pending, SIGSEGV);
    CHECK_EQUAL(pending.count, 0);
}

static void full_queue(void)
{
    uint64_t blocks = host_heap_blocks();
    static struct pending_entry entry;
    pending_init(&pending);
    for (unsigned i = 0; i < QUEUE_LIMIT; i++)
        CHECK_EQUAL(add(REALTIME, SI_QUEUE, i, NULL), PENDING_WAITS);
    CHECK_EQUAL(add(REALTIME, SI_QUEUE, 0, NULL), PENDING_REFUSED);
    CHECK_EQUAL(add(SIGTERM, SI_USER, 0, NULL), PENDING_WITHOUT_INFO);
    CHECK_EQUAL(add(SIGALRM, SI_TIMER, 0, &entry), PENDING_WAITS);
    pending_clear(&pending);
    CHECK_EQUAL(host_heap_blocks(), blocks);
}

int main(void)
{
    host_init();
    host_test("a standard signal comes without its sender", standard_signal);
    host_test("a real-time signal is refused, but for kill(2)", realtime_signal);
    host_test("a fault and a timer keep what comes with them", kept_entry);
    host_test("a full queue refuses real-time signals only", full_queue);
    return host_result();
}
