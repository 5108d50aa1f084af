/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Xen host of fake_xen.h: what the drivers call of the platform (event channels, grants, cpu_wait()), and what a
 * test does as the host. There is no second thread: fake_run() lets the daemons and backends act in turn and calls the
 * handlers of raised ports until nothing happens any more. Used by the tests of drivers/xen/ and by their fuzzers.
 */
#define _GNU_SOURCE /* memmem */
#include "drivers/xen/fake_xen.h"

#include <stdlib.h>
#include <asm/prctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/pages.h"
#include "drivers/xen/console.h"
#include "drivers/xen/xenbus.h"
#include "host/host.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "platform/xen/events.h"
#include "platform/xen/host.h"

/* One CPU and one queue for each device, unless a test says otherwise. */
struct platform_information platform = { .name = "host", .cpus = 1, .memory_bytes = 1UL << 30 };

#define PORTS 64
#define FIRST_PORT 3 /* that a device can get */
#define FRAMES 65536U

static struct {
    event_handler *handler;
    void *context;
    unsigned cpu;
    bool allocated, raised, notified;
} ports[PORTS];
static struct grant_entry *grants;
static unsigned grant_count;
static phys_t frames[FRAMES];
static unsigned next_frame;
unsigned fake_notifications;

static struct console {
    char input[1024], output[2048];
    uint32_t input_consumed, input_produced, output_consumed, output_produced;
} console;
static uint32_t console_port;
static char console_text[65536];
static size_t console_length;

/* ---- What the platform offers to the drivers ------------------------------------------------- */

static uint64_t frame_of(phys_t address)
{
    next_frame = (next_frame + 1) % FRAMES;
    frames[next_frame] = align_down(address, PAGE_SIZE);
    return next_frame;
}

static bool grants_are_kept;

static struct grant_entry *map_grant_table(unsigned count)
{
    if (grants_are_kept) {
        grants_are_kept = false;
        return grants;
    }
    free(grants);
    grant_count = count * 512;
    grants = calloc(grant_count, sizeof(*grants));
    return grants;
}

static void write_without_ring(const char *text, size_t length) { (void)text, (void)length; }

static void yield(void) { fake_run(); }

bool fake_suspend_is_cancelled;

static bool suspend(void)
{
    if (fake_suspend_is_cancelled) {
        grants_are_kept = true;
        return false;
    }
    memset(ports, 0, sizeof(ports));
    return true;
}

/* The console gets a number that a device's channel had before, so a late event_close() would end it. */
static void resume(void)
{
    fake_store_resume();
    fake_backends_resume();
    console_port = FIRST_PORT;
    ports[console_port].allocated = true;
    xen_console_init(&console, console_port);
}

static const struct xen_host host = {
    .frame_of = frame_of,
    .map_grant_table = map_grant_table,
    .write_without_ring = write_without_ring,
    .yield = yield,
    .suspend = suspend,
    .resume = resume,
};
const struct xen_host *xen_host = &host;

int event_allocate_unbound(uint16_t domain)
{
    (void)domain;
    for (int port = FIRST_PORT; port < PORTS; port++) {
        if (ports[port].allocated)
            continue;
        ports[port].allocated = true;
        return port;
    }
    return -ENOSPC;
}

void event_bind(uint32_t port, event_handler *handler, void *context)
{
    ports[port].handler = handler;
    ports[port].context = context;
}

void event_unmask(uint32_t port) { (void)port; }

void event_prefer(uint32_t port, unsigned cpu) { ports[port].cpu = cpu; }

unsigned fake_port_cpu(uint32_t port) { return ports[port].cpu; }

void event_close(uint32_t port)
{
    ports[port].cpu = 0;
    ports[port].handler = NULL;
    ports[port].allocated = ports[port].raised = false;
}

void event_notify(uint32_t port)
{
    ports[port].notified = true;
    fake_notifications++;
}

bool fake_events_elsewhere;
unsigned fake_overslept;
static const struct cpu *interrupted;

void cpu_interrupt(const struct cpu *cpu) { interrupted = cpu; }

static void be(struct cpu *cpu)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, cpu) != 0)
        abort();
}

/* The CPU that the events interrupt runs the handlers. */
static bool run_elsewhere(void)
{
    static struct cpu other;
    struct cpu *waiting = this_cpu();
    other = *waiting;
    other.self = &other;
    interrupted = NULL;
    be(&other);
    bool ran = fake_run();
    be(waiting);
    fake_overslept += ran && interrupted != waiting;
    return ran;
}

void cpu_wait(void)
{
    if (!(fake_events_elsewhere ? run_elsewhere() : fake_run()))
        host_wait_for_timer();
}

/* ---- The host ------------------------------------------------------------------------------------- */

void fake_raise(uint32_t port) { ports[port].raised = true; }

bool fake_port_pending(uint32_t port)
{
    bool notified = ports[port].notified;
    ports[port].notified = false;
    return notified;
}

void *fake_grant(uint32_t reference, bool write)
{
    if (reference >= grant_count || !(grants[reference].flags & 1))
        return NULL;
    if (write && (grants[reference].flags & 4))
        return NULL;
    return phys_to_virt(frames[grants[reference].frame]);
}

unsigned fake_grants_used(void)
{
    unsigned used = 0;
    for (unsigned i = 0; i < grant_count; i++)
        used += grants[i].flags != 0;
    return used;
}

unsigned fake_grants_leaking(void)
{
    static const uint8_t fresh[16] = { 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
                                       0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5 };
    unsigned leaking = 0;
    for (unsigned i = 0; i < grant_count; i++)
        if (grants[i].flags & 1)
            leaking += memmem(fake_grant(i, false), PAGE_SIZE, fresh, sizeof(fresh)) != NULL;
    return leaking;
}

void fake_map_grants(void)
{
    for (unsigned i = 0; i < grant_count; i++)
        if (grants[i].flags & 1)
            grants[i].flags |= grants[i].flags & 4 ? 8 : 24;
}

void fake_unmap_grants(void)
{
    for (unsigned i = 0; i < grant_count; i++)
        grants[i].flags &= (uint16_t)~24;
}

void fake_forget_kept_pages(void)
{
    for (unsigned i = 0; i < grant_count; i++) {
        if (grants[i].flags & 1)
            page_put(page_of(frames[grants[i].frame]));
        grants[i].flags = 0;
    }
}

static bool console_step(void)
{
    uint32_t before = console.output_consumed;
    while (console.output_consumed != console.output_produced && console_length < sizeof(console_text) - 1)
        console_text[console_length++] = console.output[console.output_consumed++ % 2048];
    if (console.output_consumed != before)
        fake_raise(console_port);
    return console.output_consumed != before;
}

const char *fake_console_output(void)
{
    fake_run();
    console_text[console_length] = '\0';
    console_length = 0;
    return console_text;
}

void fake_type(const char *text)
{
    while (*text != '\0')
        console.input[console.input_produced++ % 1024] = *text++;
    fake_raise(console_port);
}

static bool deliver(void)
{
    bool any = false;
    for (unsigned i = 0; i < PORTS; i++) {
        if (!ports[i].raised || ports[i].handler == NULL)
            continue;
        ports[i].raised = false;
        ports[i].handler(i, ports[i].context);
        any = true;
    }
    return any;
}

bool fake_run(void)
{
    static bool running;
    bool any = false;
    if (running)
        return console_step(); /* a console write in a handler waits for room */
    running = true;
    while (deliver() || console_step() || fake_store_step() || fake_disk_step() || fake_nic_step())
        any = true;
    running = false;
    return any;
}

void fake_start(uint32_t index)
{
    memset(ports, 0, sizeof(ports));
    console_length = 0;
    memset(&console, 0, sizeof(console));
    console.input_consumed = console.input_produced = index;
    console.output_consumed = console.output_produced = index;
    fake_backends_start();
    fake_store_start(index);
    console_port = FAKE_CONSOLE_PORT;
    xen_console_init(&console, console_port);
}
