/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels, Xen's interrupts: 4096 ports in two levels of bitmaps (xen/event_channel.h). Handlers
 * run with events masked, in interrupt context (platform.h). The same on Xen PV, PVH and HVM.
 *
 * Each port interrupts one CPU: the timer of a CPU and what other CPUs interrupt it with the CPU itself, a device's the
 * one that event_prefer() has named, while that one runs, else the boot CPU. No lock of its own: the kernel lock
 * (core/kernel_lock.h) is held, but where "any context" is said.
 */
#pragma once

#include "lib/types.h"
#include "platform/xen/xen.h"

#define EVENT_PORTS (EVENT_WORDS * 64U)

typedef void event_handler(uint32_t port, void *context);

/* `shared` is mapped and stays so. Masks all ports: whatever ran before us may have left some open. */
void events_init(struct shared_info *shared);
/* Runs the handlers of all ports of this CPU that are pending and not masked; `vcpu` is where Xen notes them. */
void events_dispatch(struct vcpu_info *vcpu);
/* After a restore: no port of before exists. Each is masked, and event_close() of it does nothing. */
void events_restored(void);
/* It is not pending any more: for ports that stay masked and are polled. Any context. */
void event_clear(uint32_t port);

/* platform.h, platform_resume_interrupts(). */
void events_resume(void);

/* A new port for a remote domain to connect to, masked; negative errno when there is none. */
must_check int event_allocate_unbound(uint16_t remote_domain);
/* The port of a virtual interrupt of a CPU, masked; negative errno. */
must_check int event_bind_virtual(unsigned interrupt, unsigned cpu);
/* A port by which this guest's CPUs interrupt one of them, masked; negative errno. */
must_check int event_bind_between_cpus(unsigned cpu);
/* Sets who is called for a port; it stays masked. Panics without memory or beyond EVENT_PORTS. */
void event_bind(uint32_t port, event_handler *handler, void *context);
/* A port for a remote domain: it interrupts this CPU, by its id, from events_spread() to events_gather(). */
void event_prefer(uint32_t port, unsigned cpu);
/* The first `cpus` CPUs run, and Xen's number of each is its id: from now on ports interrupt the CPUs they prefer. */
void events_spread(unsigned cpus);
/* Before the other CPUs stop: all ports of remote domains interrupt the boot CPU, with what was pending. */
void events_gather(void);
void event_mask(uint32_t port);
/* Ends a port that was allocated: its handler is not called any more, and the number may be given out again. */
void event_close(uint32_t port);
/* Lets the port interrupt; an event that arrived meanwhile is delivered now. */
void event_unmask(uint32_t port);
/* Notifies the other end. Any context. */
void event_notify(uint32_t port);
