/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event channels, Xen's interrupts: 4096 ports in two levels of bitmaps (xen/event_channel.h). Handlers
 * run with events masked, in interrupt context (platform.h). The same on Xen PV, PVH and HVM.
 *
 * No lock: ports are bound during boot, and all of them interrupt CPU 0.
 */
#pragma once

#include "lib/types.h"
#include "platform/xen/xen.h"

#define EVENT_PORTS (EVENT_WORDS * 64U)

typedef void event_handler(uint32_t port, void *context);

/* `shared` is mapped and stays so. Masks all ports: whatever ran before us may have left some open. */
void events_init(struct shared_info *shared);
/* Runs the handlers of all ports that are pending and not masked. */
void events_dispatch(void);

/* platform.h, platform_resume_interrupts(). */
void events_resume(void);

/* A new port for a remote domain to connect to, masked; negative errno when there is none. */
must_check int event_allocate_unbound(uint16_t remote_domain);
/* The port of a virtual interrupt of this CPU, masked; negative errno. */
must_check int event_bind_virtual(unsigned interrupt);
/* Sets who is called for a port; it stays masked. Panics without memory or beyond EVENT_PORTS. */
void event_bind(uint32_t port, event_handler *handler, void *context);
void event_mask(uint32_t port);
/* Ends a port that was allocated: its handler is not called any more, and the number may be given out again. */
void event_close(uint32_t port);
/* Lets the port interrupt; an event that arrived meanwhile is delivered now. */
void event_unmask(uint32_t port);
/* Notifies the other end. */
void event_notify(uint32_t port);
