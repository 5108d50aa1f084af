/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostile host's end of the wire: a raw socket on the TAP interface. It speaks as the gateway 10.9.0.254 and for
 * every address beyond, as any address it likes, and as an honest DHCP server. What Linux's own stack in the same
 * name space sends and receives, as 10.9.0.1, it neither sees nor disturbs. One thread owns all of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTERFACE "tap0"
#define ADDRESS_TARGET 0x0a090002u
#define ADDRESS_LINUX 0x0a090001u
#define ADDRESS_GATEWAY 0x0a0900feu
#define FRAME_MAX 1514u

#define FIN 1
#define SYN 2
#define RST 4
#define PSH 8
#define ACK 16

/* Makes the raw socket; ends the program when that fails. */
void wire_open(void);
int wire_file(void);
/* Frames sent so far. */
uint64_t wire_sent(void);
/* Takes what came, and answers ARP and DHCP; TCP goes to *heard. */
struct segment {
    uint32_t from, to;
    uint16_t from_port, to_port;
    uint32_t sequence, acknowledgement, length;
    uint16_t window;
    uint8_t flags;
};
void wire_receive(void (*heard)(const struct segment *segment));
/* Sends a frame as it is. */
void wire_send(const void *frame, size_t length);
/* An Ethernet header for the target, from the gateway; the type follows. */
size_t wire_ethernet(uint8_t *frame, uint16_t type);

struct ip_fields {
    uint32_t from;
    uint8_t protocol;
    uint16_t identification, fragment; /* flags and offset as in the header */
};
/* Sends a payload of at most 1480 bytes to the target. */
void wire_send_ip(const struct ip_fields *ip, const void *payload, size_t length);
/* The same, with TCP's header and checksum; `options` has room for 40 bytes, a multiple of 4. */
void wire_send_tcp(const struct segment *segment, const void *options, size_t option_length, const void *data);
void wire_send_udp(uint32_t from, uint16_t from_port, uint16_t to_port, const void *data, size_t length);
void wire_send_arp(uint16_t operation, uint32_t sender, const uint8_t sender_mac[6], uint32_t target);

/* Folds the one's complement sum of the data onto `sum`; not yet complemented. */
uint32_t wire_sum(uint32_t sum, const void *data, size_t length);
uint16_t wire_checksum(uint32_t sum);
void put16(uint8_t *at, uint16_t value);
void put32(uint8_t *at, uint32_t value);
uint16_t get16(const uint8_t *at);
uint32_t get32(const uint8_t *at);

/* The sequence is the same in every run. */
uint32_t random32(void);
uint32_t random_below(uint32_t limit);
void random_fill(void *to, size_t length);
