/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paravirtual console: two byte rings in one page shared with the console daemon
 * (xen/io/console.h). The ring may have been used before us (by a boot loader): its indices go on
 * from where they are. Index values written by the daemon are checked.
 */
#pragma once

#include "lib/types.h"

/* `ring` is the shared page, `port` its event channel; both come from the start of day
 * information. Before this call, output goes to xen_host->write_without_ring. */
void xen_console_init(void *ring, uint32_t port);
/* platform.h: console_write() and console_send(). */
void xen_console_write(const char *text, size_t length);
size_t xen_console_send(const char *text, size_t length);
/* Waits until the daemon has taken all output, for at most CONSOLE_PATIENCE without progress; before power off. */
void xen_console_drain(void);
