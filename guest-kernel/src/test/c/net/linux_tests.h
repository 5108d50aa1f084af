/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two halves of the tests against Linux: test_linux.c uses Linux's sockets (and headers), test_linux.c
 * the stack's.
 */
#pragma once

#include "net/peer.h"

struct exchange {
    uint16_t port;
    int listener;                  /* a Linux listener to accept on, or -1: connect to the stack */
    uint64_t to_stack, from_stack; /* bytes */
    uint32_t seed;
};
struct many {
    uint16_t port;
    unsigned count, rounds;
};

int peer_ping(const void *context);
int peer_udp_echo(const void *context);
int peer_udp_refused(const void *context);
int peer_exchange(const void *context);
int peer_many(const void *context);
int peer_sequential(const void *context);
int peer_push(const void *context);
int peer_slow_reader(const void *context);
int peer_reset(const void *context);
int peer_expect_reset(const void *context);
int peer_reads_to_the_end(const void *context);
int peer_refused(const void *context);
/* Becomes chronyd, which serves the time of the machine and does not change it, until it is killed. */
int peer_chronyd(const void *pid_file);
/* Becomes rsyslogd, which takes messages by UDP and TCP on port 514 and writes the fields of each to the file
 * `received` in this directory, until it is killed. */
int peer_rsyslogd(const void *directory);
/* Is there such a program? */
bool peer_has_rsyslogd(void);

void peer_pattern(uint32_t seed, uint64_t at, void *to, size_t length);
int peer_child_result(pid_t child);
