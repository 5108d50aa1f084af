/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long one call keeps other threads from running (latency.c): a thread that wakes every 2 ms measures its own
 * longest silence while the call runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Fails the test when the call, in each of some attempts, was silent for too long. Where the clock counts instructions
 * (`run --icount` sets LATENCY_LIMIT_US), that is longer than the limit. Elsewhere milliseconds say nothing, as the
 * host may keep the guest from running: then it is half of the call's duration. `again` undoes what the call did, for
 * the next attempt; or NULL.
 */
void check_gives_way(const char *name, void (*call)(void), void (*again)(void));

/* Whether the clock counts instructions: then amounts are large. */
bool latency_is_exact(void);

/* A third of what is free, at most `most` bytes, in whole pages. */
size_t some_memory(size_t most);
