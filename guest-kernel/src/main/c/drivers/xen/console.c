/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's two rings. core/console.c fills the output ring, in any context and also after a panic, through
 * platform_operations. The event handler, in interrupt context, empties the input ring and announces room for more
 * output.
 *
 * `writers` keeps two writers from filling the ring at once. It is no spinlock, since its holder may be the code that
 * has just failed on this CPU: after CLAIM_ATTEMPTS the next writer goes ahead. The input ring has one reader and needs
 * nothing.
 *
 * The daemon's indices are not trusted: an output index that is ahead of ours makes the ring count as full, an input
 * index that is too far ahead makes us skip what is there. Waiting for the daemon ends when it has taken nothing for
 * CONSOLE_PATIENCE; xen_console_send() does not wait for it at all.
 */
#include "drivers/xen/console.h"

#include "drivers/xen/console_ring.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/xen/events.h"
#include "platform/xen/host.h"

/* How often a writer tries for the ring before it goes ahead regardless: its holder may be the very
 * code that failed on this CPU. */
#define CLAIM_ATTEMPTS 1000000U

static struct console_ring *ring;
static uint32_t ring_port;
static uint32_t writers; /* 1 while the output ring is being filled */

static void memory_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static void claim(void)
{
    for (unsigned i = 0; i < CLAIM_ATTEMPTS; i++) {
        if (__atomic_exchange_n(&writers, 1, __ATOMIC_ACQUIRE) == 0)
            return;
        __builtin_ia32_pause();
    }
}

static void release(void) { __atomic_store_n(&writers, 0, __ATOMIC_RELEASE); }

static uint32_t output_pending(void) { return read_once(ring->output_produced) - read_once(ring->output_consumed); }

/* Copies what fits; bytes taken. A daemon whose index is beyond ours gets a ring that counts as full. */
static size_t output_some(const char *text, size_t length)
{
    uint32_t produced = ring->output_produced;
    uint32_t pending = output_pending();
    if (pending >= CONSOLE_OUTPUT_SIZE)
        return 0;
    size_t count = min_of(length, (size_t)(CONSOLE_OUTPUT_SIZE - pending));
    memory_fence();
    for (size_t i = 0; i < count; i++)
        ring->output[(produced + i) % CONSOLE_OUTPUT_SIZE] = text[i];
    __atomic_store_n(&ring->output_produced, produced + (uint32_t)count, __ATOMIC_RELEASE);
    memory_fence();
    /* The daemon limits how many notifications it serves in a time, so only a daemon that had caught up gets one;
     * another one sends an event when it is done, see handle_event(). */
    if (read_once(ring->output_consumed) == produced)
        event_notify(ring_port);
    return count;
}

/* One wait for the daemon; false when it has taken nothing for too long. */
static bool wait_for_daemon(uint32_t *seen, nanoseconds *limit)
{
    uint32_t consumed = read_once(ring->output_consumed);
    nanoseconds now = clock_monotonic();
    if (consumed != *seen || *limit == 0) {
        *seen = consumed;
        *limit = now + CONSOLE_PATIENCE;
    }
    event_notify(ring_port);
    xen_host->yield();
    return now < *limit;
}

void xen_console_write(const char *text, size_t length)
{
    if (!ring) {
        xen_host->write_without_ring(text, length);
        return;
    }
    uint32_t seen = 0;
    nanoseconds limit = 0;
    bool going_on = true;
    claim();
    while (length > 0 && going_on) {
        size_t taken = output_some(text, length);
        text += taken;
        length -= taken;
        if (taken == 0)
            going_on = wait_for_daemon(&seen, &limit);
    }
    release();
}

/* A full ring: the daemon's event, once it has taken what is in there, is handled below. */
size_t xen_console_send(const char *text, size_t length)
{
    if (!ring) {
        xen_host->write_without_ring(text, length);
        return length;
    }
    claim();
    size_t taken = output_some(text, length);
    release();
    return taken;
}

void xen_console_drain(void)
{
    uint32_t seen = 0;
    nanoseconds limit = 0;
    while (ring && output_pending() > 0 && wait_for_daemon(&seen, &limit)) {}
}

static void take_input(void)
{
    char text[64];
    uint32_t consumed = ring->input_consumed;
    uint32_t produced = __atomic_load_n(&ring->input_produced, __ATOMIC_ACQUIRE);
    if (produced - consumed > CONSOLE_INPUT_SIZE)
        consumed = produced; /* nonsense: skip it */
    while (consumed != produced) {
        size_t count = 0;
        while (consumed != produced && count < sizeof(text))
            text[count++] = read_once(ring->input[consumed++ % CONSOLE_INPUT_SIZE]);
        kernel_console_input(text, count);
    }
    bool moved = consumed != ring->input_consumed;
    __atomic_store_n(&ring->input_consumed, consumed, __ATOMIC_RELEASE);
    if (moved)
        event_notify(ring_port);
}

static void handle_event(uint32_t port, void *context)
{
    (void)context;
    take_input();
    if (output_pending() > 0)
        event_notify(port);
    kernel_console_ready();
}

void xen_console_init(void *shared, uint32_t port)
{
    ring = shared;
    ring_port = port;
    event_bind(port, handle_event, NULL);
    event_unmask(port);
    /* After PV-GRUB the ring may hold output of which the daemon was never notified, or was and has forgotten it:
     * without this it would look as if it were busy, and never be notified again. */
    event_notify(port);
}
