/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output before the console driver works: what panics say about a start that went wrong. Goes to the
 * hypervisor's own console, which a release build of Xen shows only for the first domain, and straight
 * into the domain's console ring (xen/io/console.h) while that is known. Text that finds the ring full
 * is dropped: nothing reads it.
 */
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/xenpv.h"

#define OUTPUT_SIZE 2048U

struct console_ring {
    char input[1024];
    char output[OUTPUT_SIZE];
    uint32_t input_consumed, input_produced;
    uint32_t output_consumed, output_produced;
};

static struct console_ring *ring;
static uint32_t ring_port;

void pv_early_console(void *shared, uint32_t port)
{
    ring = shared;
    ring_port = port;
}

static void write_ring(const char *text, size_t length)
{
    uint32_t produced = ring->output_produced;
    for (size_t i = 0; i < length && produced - read_once(ring->output_consumed) < OUTPUT_SIZE; i++)
        ring->output[produced++ % OUTPUT_SIZE] = text[i];
    __atomic_store_n(&ring->output_produced, produced, __ATOMIC_RELEASE);
    event_notify(ring_port);
}

void pv_early_write(const char *text, size_t length)
{
    (void)hypercall(HYPERCALL_CONSOLE_IO, CONSOLE_WRITE, length, (uintptr_t)text, 0);
    if (ring)
        write_ring(text, length);
}
