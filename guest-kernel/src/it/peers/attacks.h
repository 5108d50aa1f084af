/* SPDX-License-Identifier: Apache-2.0 */
/* What the hostile host does, and its connections that are made by hand. All in the wire's thread. */
#pragma once

#include "wire.h"

#define CLIENTS 4u
#define TARGET_PORT 8080

struct attack {
    const char *name, *what;
    void (*step)(uint64_t number);                /* sends about one frame, the number-th */
    void (*heard)(const struct segment *segment); /* NULL: answers are ignored */
    bool in_others_names; /* of hosts that do not exist: no one answers what the target says to them */
};
extern const struct attack attacks[];
extern const unsigned attack_count;

/* The ports of the well-behaved client's connections, for attacks on those. */
extern volatile uint16_t client_ports[CLIENTS];

/* ---- Connections by hand ------------------------------------------------------------------------------------ */

#define HANDS 2000u

struct hand {
    enum { HAND_CLOSED, HAND_OPENING, HAND_OPEN } state;
    uint32_t sequence, acknowledgement; /* what we send next, and expect next */
    uint64_t count;                     /* for the attack */
};
struct hand *hand_at(unsigned number);
/* Of the segment's destination; NULL: of none. */
struct hand *hand_of(const struct segment *segment);
/* Sends a SYN that announces this window. */
void hand_open(struct hand *hand, uint16_t window);
void hand_send(const struct hand *hand, uint8_t flags, uint16_t window, const void *data, uint32_t length);
/* The same with another sequence number than the next. */
void hand_send_at(const struct hand *hand, uint32_t sequence, uint8_t flags, uint16_t window, const void *data,
                  uint32_t length);
/* Follows the handshake and what the target sends. True: it was a SYN-ACK or data of an open connection, which the
 * caller is to acknowledge. */
bool hand_follow(struct hand *hand, const struct segment *segment);
/* Resets the connection if there is one. */
void hand_reset(struct hand *hand);
/* Takes it for closed, and sends a segment that the target acknowledges only if it is not. */
void hand_ask(struct hand *hand);
