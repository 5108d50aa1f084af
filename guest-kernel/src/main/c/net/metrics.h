/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's numbers for Prometheus, in its text format (version 0.0.4), at http://GUEST:PORT/metrics. metrics.c is
 * the kernel thread that serves them, metrics_text.c makes the text.
 */
#pragma once

#include "files/text.h"

/* Serves them on this TCP port of every address from now on, once, after net_init(). Reports a port that is taken. */
void metrics_start(uint16_t port);
/* All numbers as they are now. Takes the net lock for the table of connections. */
void metrics_print(struct text *out);
