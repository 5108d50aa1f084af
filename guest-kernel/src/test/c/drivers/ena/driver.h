/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the driver share: the stack's part of a network device, which keeps what it receives, serves the
 * driver as net/device_service.c does, and makes packets to be sent.
 */
#pragma once

#include "core/packet.h"
#include "drivers/ena/fake_pci.h"

#define STACK_PACKETS 512

struct fake_stack {
    struct network_device *device;
    struct packet *received[STACK_PACKETS];
    unsigned received_count;
    unsigned rounds, ready, link_changes, receive_more;
    bool wanted; /* service */
    nanoseconds serve_at;
};
extern struct fake_stack stack;

/* A NIC of this kind that the driver has started; false if there is no network device then. */
bool driver_start(struct model_variant variant);
/* Lets time pass: interrupts, signs of life, and service when it is due or wanted. */
void driver_run(nanoseconds time);
/* An Ethernet frame of TCP over IPv4 with so much payload, which follows from `seed`; its checksums are right. */
uint32_t make_frame(uint8_t *frame, uint32_t payload, uint8_t seed);
/* The same as a packet whose payload is in `pieces` pages' worth of fragments, or in one piece with 0; its checksum is
 * the pseudo-header's sum. */
struct packet *make_packet(uint32_t payload, unsigned pieces, uint8_t seed);
/* A packet is sent; what the driver said. */
bool driver_send(struct packet *packet);
/* The n-th frame that left is that of make_frame(). */
bool left_as(unsigned n, uint32_t payload, uint8_t seed);
/* The n-th packet received is that of make_frame(). */
bool received_as(unsigned n, uint32_t payload, uint8_t seed);
/* Frees what was received. */
void forget_received(void);

#define NO_VIOLATION() \
    do { \
        if (fake.model.first_violation != NULL) { \
            host_fail(__FILE__, __LINE__, "%s", fake.model.first_violation); \
            return; \
        } \
    } while (0)

void test_bring_up(void);
void test_traffic(void);
void test_recovery(void);
void test_hostile(void);
void test_endurance(void);
void test_spread(void);
