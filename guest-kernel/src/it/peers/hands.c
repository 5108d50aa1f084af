/* SPDX-License-Identifier: Apache-2.0 */
#include "attacks.h"

#define FIRST_PORT 10000u
#define HOSTS 250u /* addresses that the connections come from */

static struct hand hands[HANDS];

struct hand *hand_at(unsigned number) { return &hands[number % HANDS]; }

static uint16_t port_of(const struct hand *hand) { return (uint16_t)(FIRST_PORT + (hand - hands)); }
static uint32_t address_of(const struct hand *hand) { return 0xc6130001u + (uint32_t)(hand - hands) % HOSTS; }

struct hand *hand_of(const struct segment *segment)
{
    struct hand *hand = &hands[(unsigned)(segment->to_port - FIRST_PORT) % HANDS];
    return segment->to_port == port_of(hand) && segment->to == address_of(hand) ? hand : NULL;
}

static struct segment segment_of(const struct hand *hand, uint8_t flags, uint16_t window, uint32_t length)
{
    return (struct segment){ .from = address_of(hand),
                             .from_port = port_of(hand),
                             .to_port = TARGET_PORT,
                             .sequence = hand->sequence,
                             .acknowledgement = hand->acknowledgement,
                             .length = length,
                             .window = window,
                             .flags = flags };
}

void hand_open(struct hand *hand, uint16_t window)
{
    static const uint8_t options[8] = { 2, 4, 0x05, 0xb4, 4, 2, 1, 1 }; /* MSS 1460, SACK */
    *hand = (struct hand){ .state = HAND_OPENING, .sequence = random32() };
    struct segment syn = segment_of(hand, SYN, window, 0);
    wire_send_tcp(&syn, options, sizeof(options), NULL);
    hand->sequence++;
}

void hand_send_at(const struct hand *hand, uint32_t sequence, uint8_t flags, uint16_t window, const void *data,
                  uint32_t length)
{
    struct segment segment = segment_of(hand, flags, window, length);
    segment.sequence = sequence;
    wire_send_tcp(&segment, NULL, 0, data);
}

void hand_send(const struct hand *hand, uint8_t flags, uint16_t window, const void *data, uint32_t length)
{
    hand_send_at(hand, hand->sequence, flags, window, data, length);
}

bool hand_follow(struct hand *hand, const struct segment *segment)
{
    if (segment->flags & RST) {
        hand->state = HAND_CLOSED;
        return false;
    }
    bool opened = hand->state == HAND_OPENING && (segment->flags & (SYN | ACK)) == (SYN | ACK) &&
                  segment->acknowledgement == hand->sequence;
    /* The target still has a connection that this one replaces (RFC 9293 3.10.7.3). */
    if (hand->state == HAND_OPENING && !opened)
        hand_send_at(hand, segment->acknowledgement, RST, 0, NULL, 0);
    bool data = hand->state == HAND_OPEN && segment->length > 0 && segment->sequence == hand->acknowledgement;
    if (opened) {
        hand->state = HAND_OPEN;
        hand->acknowledgement = segment->sequence + 1;
    }
    if (data)
        hand->acknowledgement += segment->length;
    return opened || data;
}

/* Of one that is opening, the acknowledgement is not known; nor does a reset need it. */
void hand_reset(struct hand *hand)
{
    if (hand->state != HAND_CLOSED)
        hand_send(hand, hand->state == HAND_OPEN ? RST | ACK : RST, 0, NULL, 0);
    hand->state = HAND_CLOSED;
}

void hand_ask(struct hand *hand)
{
    hand->state = HAND_CLOSED;
    hand->sequence = random32();
    hand->acknowledgement = random32();
    hand_send(hand, ACK, 1000, NULL, 0);
}
