/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switches by which a running machine shows what it does: `trace` (system calls, linux/syscalls.h), `capture`
 * (packets, net/capture.h), `profile` (linux/profile_output.h) and `lockstat` (core/lock_statistics.h). The host's
 * channel sets each, and a start may set those that the image allows (linux/instance.h). What they show goes to the
 * console.
 *
 * For threads, one at a time; diagnostics_set() may sleep.
 */
#pragma once

#include "lib/types.h"

#define DIAGNOSTICS 4u /* switches, numbered from 0 */

/* The switch with this name, or -1. */
int diagnostics_find(const char *name, size_t length);
/* Reads names of switches with blanks between them, as a mask of 1 << number; false: another word. */
must_check bool diagnostics_parse(const char *text, unsigned *allowed);
/* Sets a switch to what follows NAME= on the kernel's command line, or to what turns it off: `none` for trace, 0 for
 * the others. 0, -EINVAL: no such value; -ENOMEM. */
must_check int diagnostics_set(unsigned number, const char *value);
