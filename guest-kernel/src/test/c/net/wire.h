/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device whose other end is the test itself, on the virtual clock: frames are made
 * and examined one by one. The stack is 10.9.0.2 with the MAC 02:00:00:00:00:02; the test speaks as
 * 10.9.0.1, 02:00:00:00:00:01, which the stack knows already, and again
 * whenever it asks.
 */
#pragma once

#include "net/bytes.h"
#include "net/support.h"

#define WIRE_PEER 0x0a090001u
#define WIRE_STACK 0x0a090002u
#define WIRE_FRAME 2048

struct wire_frame {
    struct list link;
    uint32_t length;
    uint8_t bytes[WIRE_FRAME];
};

/* Once: the device and the stack, without a configuration. */
void wire_start(void);
/* The address above, the neighbour known, no frames left. */
void wire_configure(void);
/* Called for every frame the stack sends, if set; else they queue up for wire_next(). */
extern void (*wire_sent)(const uint8_t *frame, uint32_t length);
/* The next frame the stack sent, valid until the next call; NULL: none. */
const struct wire_frame *wire_next(void);
void wire_drop_all(void);
/* Answers the stack's question for 10.9.0.1, if it asked; wire_next() does it by itself. */
void wire_answer_arp(void);
void wire_inject(const void *frame, uint32_t length);
/* As wire_inject(), in a round of reception that takes so long. */
void wire_inject_slowly(const void *frame, uint32_t length, nanoseconds time);
struct network_device *wire_device(void);
/* Builds Ethernet and IP around a payload. */
void wire_inject_ip(ipv4_t from, ipv4_t to, uint8_t protocol, uint16_t identification, uint16_t fragment,
                    const void *payload, uint32_t length);

/* ---- TCP by hand ------------------------------------------------------------------------------------------- */

struct hand {       /* the peer's end of one connection */
    ipv4_t address; /* IPV4_ANY: WIRE_PEER; others must lie beyond the gateway */
    uint16_t port, stack_port;
    uint32_t sequence, acknowledgement; /* what the peer sends next, and expects next */
    uint16_t window;
    uint32_t timestamp; /* 0: no option */
    uint32_t echo;      /* the stack's last timestamp */
};
struct hand_segment {
    uint16_t port; /* of the hand it is for */
    uint8_t flags;
    uint32_t sequence, acknowledgement, length;
    uint16_t window;
    uint8_t options[40], option_length;
    uint8_t data[WIRE_FRAME];
};

#define HAND_FIN 1
#define HAND_SYN 2
#define HAND_RST 4
#define HAND_PSH 8
#define HAND_ACK 16

/* Sends a segment with the hand's numbers; length bytes of pattern 1 at its sequence. Moves nothing. */
void hand_send(const struct hand *hand, uint8_t flags, uint32_t length);
void hand_send_options(const struct hand *hand, uint8_t flags, const void *options, uint8_t option_length,
                       uint32_t length);
/* Sends this text instead. */
void hand_send_text(const struct hand *hand, const char *text, uint32_t length);
/* The next TCP segment the stack sent; false: none. */
bool hand_receive(struct hand_segment *out);
/* Nothing was sent. */
bool hand_silent(void);
/* Opens a connection to a listener of the stack; *out is the accepted file. */
bool hand_open_from(ipv4_t address, struct hand *hand, struct file *listener, struct file **out,
                    const void *syn_options, uint8_t length);
bool hand_open(struct hand *hand, struct file *listener, struct file **out, const void *syn_options, uint8_t length);
