/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Linux half of the benchmark (bench_lines.c), whose headers and the stack's name the same things. Addresses in
 * host order, ports too.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* A listener at this address on any port; its descriptor, or -1. */
int linux_listen(uint32_t address, uint16_t *port);
/* A process that accepts one connection and counts in *bytes (shared) what it gets, until it is killed. */
pid_t linux_receiver(int listener, volatile uint64_t *bytes);
/* A process that connects and sends until it is killed. */
pid_t linux_sender(uint32_t address, uint16_t port);
void linux_stop(pid_t pid);
void linux_await(pid_t pid);
/* Congestion control of connections to come (TCP_CONGESTION, tcp(7)). */
extern const char *linux_algorithm;
