/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other domains raise events, and one that does so without end must not stop the program: on each CPU events get a
 * share of the time while something else wants it (platform/share.h). While they rest, ports are masked as they come,
 * so that the loops that look for pending events end, and unmasked after it. What no other domain can raise does not
 * rest: the timers, which are the hypervisor's own, and what CPUs interrupt each other with. A CPU ends its own rest
 * when it is idle, and any CPU ends one whose time is over.
 *
 * Other domains' events interrupt the boot CPU until the others run, and again before they stop. The bitmaps of ports
 * are those of all CPUs: a CPU leaves the ports of others alone, for which Xen has notified those. A port is masked
 * while it moves, so that Xen notifies the new CPU of what is pending when it is unmasked.
 */
#include "platform/xen/events.h"

#include "core/debug.h"
#include "core/heap.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/share.h"
#include "platform/xen/hypercall.h"

/* What an upcall takes apart from its handlers, about: Xen's way to it and back, entry and end. A handler that finds
 * nothing to do takes much less, so a flood of such events would otherwise seem harmless. */
#define ENTRY (2 * NS_PER_US)

struct binding {
    event_handler *handler;
    void *context;
};

static struct shared_info *shared;
/* For each word of the bitmap its 64 ports, made when one of them is bound. */
static struct binding *bindings[EVENT_WORDS];
static uint64_t own_ports[EVENT_WORDS]; /* which no other domain can raise */
static uint8_t cpu_of[EVENT_PORTS];     /* the CPU that each port interrupts */
static uint8_t preferred[EVENT_PORTS];  /* the CPU that each port is to interrupt */
static unsigned cpus_interrupted = 1;   /* by other domains' ports */

static struct share shares[CPUS_MAX];       /* of each CPU, by its id */
static unsigned resting;                    /* how many of them are */
static uint64_t resting_ports[EVENT_WORDS]; /* masked until their CPU does not rest */

void events_init(struct shared_info *mapped)
{
    shared = mapped;
    for (unsigned word = 0; word < EVENT_WORDS; word++)
        write_once(shared->event_mask[word], UINT64_MAX);
}

void events_restored(void)
{
    for (unsigned word = 0; word < EVENT_WORDS; word++) {
        write_once(shared->event_mask[word], UINT64_MAX);
        own_ports[word] = resting_ports[word] = 0;
        if (bindings[word])
            memset(bindings[word], 0, 64 * sizeof(*bindings[word]));
    }
    memset(cpu_of, 0, sizeof(cpu_of));
    memset(preferred, 0, sizeof(preferred));
}

static bool is_own(uint32_t port) { return own_ports[port / 64] & 1UL << port % 64; }

static void rest(uint32_t port)
{
    event_mask(port); /* it stays pending */
    resting_ports[port / 64] |= 1UL << port % 64;
}

/* A handler ran from `began` until now, that of `port`. */
static nanoseconds account(nanoseconds began, uint32_t port)
{
    struct share *share = &shares[this_cpu()->id];
    nanoseconds now = clock_monotonic();
    if (is_own(port) || !share_charge(share, now - began, began, now))
        return now;
    write_once(resting, resting + 1);
    if (share_is_said(share))
        log_info("events take half of the CPU, most recently on channel %u; limiting them", port);
    return now;
}

/* Ports that rested with another CPU, before they moved, go on with those of the CPU that they interrupt now. */
static void end_rest(unsigned cpu, nanoseconds now)
{
    share_end_rest(&shares[cpu], now);
    write_once(resting, resting - 1);
    for (unsigned word = 0; word < EVENT_WORDS; word++) {
        for (uint64_t ports = resting_ports[word]; ports != 0; ports &= ports - 1) {
            uint32_t port = word * 64 + (unsigned)__builtin_ctzl(ports);
            if (shares[cpu_of[port]].resting)
                continue;
            resting_ports[word] &= ~(1UL << port % 64);
            event_unmask(port);
        }
    }
}

/* Another CPU may be idle before the time, and has the timer when it is over. */
void events_resume(void)
{
    if (likely(read_once(resting) == 0))
        return;
    bool entered = kernel_enter_again();
    nanoseconds now = clock_monotonic();
    for (unsigned cpu = 0; cpu < CPUS_MAX && resting > 0; cpu++) {
        if (!shares[cpu].resting)
            continue;
        if (cpu == this_cpu()->id || now >= shares[cpu].ends)
            end_rest(cpu, now);
        else
            kernel_resume_interrupts_at(shares[cpu].ends);
    }
    if (entered)
        kernel_leave();
}

static void dispatch_port(uint32_t port)
{
    struct binding *word = bindings[port / 64];
    if (shares[this_cpu()->id].resting && !is_own(port)) {
        rest(port);
        return;
    }
    random_event(port);
    event_clear(port);
    if (!word || !word[port % 64].handler) {
        event_mask(port);
        return;
    }
    word[port % 64].handler(port, word[port % 64].context);
}

static nanoseconds dispatch_word(unsigned word, nanoseconds began)
{
    uint64_t ports = read_once(shared->event_pending[word]) & ~read_once(shared->event_mask[word]);
    for (; ports != 0; ports &= ports - 1) {
        uint32_t port = word * 64 + (unsigned)__builtin_ctzl(ports);
        if (cpu_of[port] != this_cpu()->id)
            continue;
        dispatch_port(port);
        began = account(began, port);
    }
    return began;
}

void events_dispatch(struct vcpu_info *vcpu)
{
    nanoseconds began = clock_monotonic() - ENTRY;
    interrupt_begin();
    while (read_once(vcpu->upcall_pending)) {
        /* Cleared before looking, so that an event from now on sets it again. */
        write_once(vcpu->upcall_pending, 0);
        uint64_t words = __atomic_exchange_n(&vcpu->pending_words, 0, __ATOMIC_SEQ_CST);
        while (words != 0) {
            began = dispatch_word((unsigned)__builtin_ctzl(words), began);
            words &= words - 1;
        }
    }
    interrupt_end();
}

int event_allocate_unbound(uint16_t remote_domain)
{
    struct {
        uint16_t domain, remote_domain;
        uint32_t port;
    } request = { .domain = DOMID_SELF, .remote_domain = remote_domain };
    int64_t error = hypercall_event(EVENT_ALLOCATE_UNBOUND, &request);
    return error != 0 ? (int)error : (int)request.port;
}

static int own_port(uint32_t port, unsigned cpu)
{
    assert(port < EVENT_PORTS);
    own_ports[port / 64] |= 1UL << port % 64;
    cpu_of[port] = (uint8_t)cpu;
    return (int)port;
}

int event_bind_virtual(unsigned interrupt, unsigned cpu)
{
    struct {
        uint32_t interrupt, vcpu, port;
    } request = { .interrupt = interrupt, .vcpu = cpu };
    int64_t error = hypercall_event(EVENT_BIND_VIRTUAL_INTERRUPT, &request);
    return error != 0 ? (int)error : own_port(request.port, cpu);
}

int event_bind_between_cpus(unsigned cpu)
{
    struct {
        uint32_t vcpu, port;
    } request = { .vcpu = cpu };
    int64_t error = hypercall_event(EVENT_BIND_BETWEEN_CPUS, &request);
    return error != 0 ? (int)error : own_port(request.port, cpu);
}

void event_bind(uint32_t port, event_handler *handler, void *context)
{
    assert(port < EVENT_PORTS);
    struct binding **word = &bindings[port / 64];
    if (!*word)
        *word = heap_allocate_zeroed_at(64 * sizeof(**word), PAGES_RESERVED);
    if (!*word)
        panic("no memory for event channels");
    (*word)[port % 64] = (struct binding){ handler, context };
}

/* ---- Which CPU a port interrupts ---- */

static bool is_masked(uint32_t port) { return read_once(shared->event_mask[port / 64]) & 1UL << port % 64; }

/* A port that rests is unmasked when the rest is over, on whichever CPU. */
static void route(uint32_t port)
{
    struct {
        uint32_t port, vcpu;
    } request = { port, preferred[port] < cpus_interrupted ? preferred[port] : 0 };
    if (request.vcpu == cpu_of[port])
        return;
    bool open = !is_masked(port);
    event_mask(port);
    int64_t error = hypercall_event(EVENT_BIND_TO_CPU, &request);
    if (error == 0)
        cpu_of[port] = (uint8_t)request.vcpu;
    else
        log_error("event channel %u stays with CPU %u: %s", port, cpu_of[port], errno_name(error));
    if (open)
        event_unmask(port);
}

void event_prefer(uint32_t port, unsigned cpu)
{
    assert(port < EVENT_PORTS && cpu < CPUS_MAX && !is_own(port));
    preferred[port] = (uint8_t)cpu;
    route(port);
}

static void route_all(unsigned cpus)
{
    cpus_interrupted = cpus;
    for (uint32_t port = 0; port < EVENT_PORTS; port++)
        if (!is_own(port))
            route(port);
}

void events_spread(unsigned cpus) { route_all(cpus); }

void events_gather(void) { route_all(1); }

void event_mask(uint32_t port)
{
    __atomic_fetch_or(&shared->event_mask[port / 64], 1UL << port % 64, __ATOMIC_SEQ_CST);
}

void event_clear(uint32_t port)
{
    __atomic_fetch_and(&shared->event_pending[port / 64], ~(1UL << port % 64), __ATOMIC_SEQ_CST);
}

void event_close(uint32_t port)
{
    if (!bindings[port / 64] || !bindings[port / 64][port % 64].handler)
        return;
    event_mask(port);
    resting_ports[port / 64] &= ~(1UL << port % 64);
    bindings[port / 64][port % 64] = (struct binding){ 0 };
    event_clear(port);
    preferred[port] = cpu_of[port] = 0; /* as Xen has it for a port that is given out */
    if (hypercall_event(EVENT_CLOSE, &port) != 0)
        log_error("event channel %u cannot be closed", port);
}

void event_unmask(uint32_t port)
{
    if (hypercall_event(EVENT_UNMASK, &port) != 0)
        panic("event channel %u cannot be unmasked", port);
}

void event_notify(uint32_t port)
{
    /* Fails only when the other end is gone, and then there is nothing to notify. */
    (void)hypercall_event(EVENT_SEND, &port);
}
