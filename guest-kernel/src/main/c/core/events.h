/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event ring: the last things that happened, printed by panic(). Recording is a few stores,
 * cheap enough to be always on. Any context; entries of several CPUs interleave.
 */
#pragma once

#include "lib/types.h"

/* `what` must be a string literal: the pointer is kept. */
void event_record(const char *what, uint64_t a, uint64_t b);
void events_print(void);
