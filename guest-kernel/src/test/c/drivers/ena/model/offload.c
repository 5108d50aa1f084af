/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksums and segmentation on the way out: what the driver asks for is compared with what is announced and with the
 * packet itself, and frames leave that need nothing more. RFC 1071, RFC 791, RFC 8200, RFC 9293.
 */
#include "drivers/ena/model/internal.h"

#define ETHERNET 14u
#define ANNOUNCED_IPV4 0x01u
#define ANNOUNCED_TSO4 0x20u
#define ANNOUNCED_TSO6 0x40u
#define TCP_FIN_PSH 0x09
#define TCP_CWR 0x80

uint64_t sum_of(const uint8_t *at, uint32_t length)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i + 1 < length; i += 2)
        sum += get_big16(at + i);
    return sum + (length & 1 ? (uint64_t)at[length - 1] << 8 : 0);
}

uint16_t sum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

uint64_t sum_of_pseudo(const uint8_t *frame, const struct headers *h, uint32_t length)
{
    bool four = h->l3 == L3_IPV4;
    return sum_of(frame + h->l3_at + (four ? 12 : 8), four ? 8 : 32) + h->protocol + length;
}

uint32_t checksum_offset(const struct headers *h) { return h->l4 == L4_TCP ? 16 : 6; }

/* ---- Looking at a frame ---- */

static void ipv4_of(const uint8_t *ip, uint32_t left, struct headers *h)
{
    uint32_t length = (ip[0] & 15) * 4u, total = get_big16(ip + 2);
    if (left < 20 || ip[0] >> 4 != 4 || length < 20 || length > left)
        return;
    h->l3 = L3_IPV4;
    h->l3_length = length;
    h->fragment = get_big16(ip + 6) & 0x3fff;
    h->protocol = ip[9];
    h->end = h->l3_at + (total >= length && total <= left ? total : left);
}

static void ipv6_of(const uint8_t *ip, uint32_t left, struct headers *h)
{
    if (left < 40 || ip[0] >> 4 != 6)
        return;
    uint32_t total = 40u + get_big16(ip + 4);
    h->l3 = L3_IPV6;
    h->l3_length = 40;
    h->protocol = ip[6];
    h->end = h->l3_at + (total <= left ? total : left);
}

static void l4_of(const uint8_t *frame, struct headers *h)
{
    uint32_t left = h->end - h->l3_at - h->l3_length;
    h->l4_at = h->l3_at + h->l3_length;
    if (h->protocol == 6 && left >= 20 && frame[h->l4_at + 12] >> 4 >= 5) {
        h->l4 = L4_TCP;
        h->l4_length = (frame[h->l4_at + 12] >> 4) * 4u;
    }
    if (h->protocol == 17 && left >= 8) {
        h->l4 = L4_UDP;
        h->l4_length = 8;
    }
}

struct headers headers_of(const uint8_t *frame, uint32_t length)
{
    struct headers h = { .l3_at = ETHERNET, .end = length };
    if (length < ETHERNET)
        return h;
    uint16_t type = get_big16(frame + 12);
    if (type == 0x8100 && length >= ETHERNET + 4) {
        h.l3_at += 4;
        type = get_big16(frame + 16);
    }
    if (type == 0x0800 && length >= h.l3_at + 20)
        ipv4_of(frame + h.l3_at, length - h.l3_at, &h);
    if (type == 0x86dd)
        ipv6_of(frame + h.l3_at, length - h.l3_at, &h);
    if (h.l3 != 0 && !h.fragment)
        l4_of(frame, &h);
    return h;
}

/* ---- Checks ---- */

static void check_announced(struct model *m, uint32_t asked, bool six)
{
    uint32_t has = m->variant.tx_offloads;
    bool partial = asked & OFFLOAD_PARTIAL;
    if (asked & OFFLOAD_TSO)
        rule(m, has & (six ? ANNOUNCED_TSO6 : ANNOUNCED_TSO4), RULE_OFFLOAD_ANNOUNCED);
    else if (asked & OFFLOAD_L4)
        rule(m, has >> (six ? (partial ? 3 : 4) : (partial ? 1 : 2)) & 1, RULE_OFFLOAD_ANNOUNCED);
    if (asked & OFFLOAD_L3 && !(asked & OFFLOAD_TSO))
        rule(m, has & ANNOUNCED_IPV4, RULE_OFFLOAD_ANNOUNCED);
}

static void check_form(struct model *m, uint32_t asked)
{
    unsigned l3 = asked & 15, l4 = asked >> 8 & 31;
    bool tso = asked & OFFLOAD_TSO, right = l3 == L3_IPV4 || l3 == L3_IPV6;
    if (tso)
        right &= asked & OFFLOAD_L4 && !(asked & OFFLOAD_PARTIAL) && l4 == L4_TCP &&
                 (l3 != L3_IPV4 || asked & OFFLOAD_L3);
    else if (asked & OFFLOAD_L4)
        right &= l4 == L4_TCP || l4 == L4_UDP;
    rule(m, right && (asked & OFFLOAD_L4 || !(asked & OFFLOAD_PARTIAL)), RULE_OFFLOAD_FORM);
}

static void check_protocols(struct model *m, const struct outgoing *packet, const struct headers *h)
{
    unsigned l3 = packet->offload & 15, l4 = packet->offload >> 8 & 31;
    bool right = (l3 == 0 || l3 == h->l3) && (l4 == 0 || l4 == h->l4);
    if (l3 == L3_IPV4 && h->l3 == L3_IPV4)
        right &= !!(packet->offload & OFFLOAD_DF) == !!(packet->frame[h->l3_at + 6] & 0x40);
    rule(m, right, RULE_OFFLOAD_PROTOCOL);
}

static bool check_meta_values(struct model *m, const struct outgoing *packet, const struct headers *h)
{
    const struct model_meta *meta = &packet->meta;
    bool tso = packet->offload & OFFLOAD_TSO;
    bool right = meta->l3_offset == h->l3_at && meta->l3_length == h->l3_length;
    right &= tso ? meta->l4_words * 4u == h->l4_length && meta->segment_size > 0
                 : meta->l4_words == 0 && meta->segment_size == 0;
    return rule(m, right, RULE_META_VALUES);
}

/* ---- Sending ---- */

static void send(struct model *m, const uint8_t *frame, uint32_t length)
{
    uint32_t mtu = m->mtu != 0 ? m->mtu : m->variant.max_mtu;
    uint32_t tagged = length >= ETHERNET && get_big16(frame + 12) == 0x8100 ? 4 : 0;
    if (!rule(m, length >= ETHERNET && length <= mtu + ETHERNET + tagged, RULE_TX_MTU))
        return;
    m->tx_packets++;
    m->tx_bytes += length;
    m->user.sent(m->user.context, frame, length);
}

static void finish_l3(uint8_t *frame, const struct headers *h)
{
    uint8_t *ip = frame + h->l3_at;
    put_big16(ip + 10, 0);
    put_big16(ip + 10, (uint16_t)~sum_fold(sum_of(ip, h->l3_length)));
}

/* The checksum of the bytes from l4_at on, where the sum of the pseudo-header is in the field or is added now. */
static void finish_l4(uint8_t *frame, const struct headers *h, uint32_t end, bool partial)
{
    uint8_t *l4 = frame + h->l4_at, *field = l4 + checksum_offset(h);
    uint32_t length = end - h->l4_at;
    uint64_t sum = 0;
    if (!partial) {
        put_big16(field, 0);
        sum = sum_of_pseudo(frame, h, length);
    }
    uint16_t value = (uint16_t)~sum_fold(sum + sum_of(l4, length));
    put_big16(field, value == 0 && h->l4 == L4_UDP ? 0xffff : value);
}

static void check_pseudo(struct model *m, const uint8_t *frame, const struct headers *h)
{
    uint16_t is = get_big16(frame + h->l4_at + checksum_offset(h));
    uint16_t should = sum_fold(sum_of_pseudo(frame, h, h->end - h->l4_at));
    rule(m, is % 0xffff == should % 0xffff, RULE_PSEUDO_SUM);
}

static void number_segment(uint8_t *frame, const struct headers *h, uint32_t length, unsigned index)
{
    uint8_t *ip = frame + h->l3_at;
    if (h->l3 == L3_IPV6) {
        put_big16(ip + 4, length - h->l4_at);
        return;
    }
    put_big16(ip + 2, length - h->l3_at);
    put_big16(ip + 4, get_big16(ip + 4) + index);
    finish_l3(frame, h);
}

static void send_segments(struct model *m, const struct outgoing *packet, const struct headers *h)
{
    static uint8_t frame[MODEL_FRAME_MAX];
    uint32_t payload = h->l4_at + h->l4_length, size = packet->meta.segment_size;
    for (uint32_t at = payload, index = 0; at < packet->length || index == 0; at += size, index++) {
        uint32_t part = packet->length - at < size ? packet->length - at : size;
        uint8_t *tcp = frame + h->l4_at;
        memcpy(frame, packet->frame, payload);
        memcpy(frame + payload, packet->frame + at, part);
        put_big32(tcp + 4, get_big32(tcp + 4) + (at - payload));
        if (at + part < packet->length)
            tcp[13] &= (uint8_t)~TCP_FIN_PSH;
        if (index > 0)
            tcp[13] &= (uint8_t)~TCP_CWR;
        number_segment(frame, h, payload + part, index);
        finish_l4(frame, h, payload + part, false);
        send(m, frame, payload + part);
    }
}

/* Frames whose checksums the device fills, but which it does not divide. */
static void send_summed(struct model *m, const struct outgoing *packet, const struct headers *h)
{
    bool partial = packet->offload & OFFLOAD_PARTIAL;
    if (packet->offload & OFFLOAD_L4) {
        if (partial)
            check_pseudo(m, packet->frame, h);
        finish_l4(packet->frame, h, h->end, partial);
    }
    if (packet->offload & OFFLOAD_L3)
        finish_l3(packet->frame, h);
    send(m, packet->frame, packet->length);
}

void offload_send(struct model *m, const struct outgoing *packet)
{
    struct headers h = headers_of(packet->frame, packet->length);
    uint32_t asked = packet->offload;
    check_protocols(m, packet, &h);
    if (!(asked & (OFFLOAD_TSO | OFFLOAD_L3 | OFFLOAD_L4)))
        return send(m, packet->frame, packet->length);
    check_announced(m, asked, h.l3 == L3_IPV6);
    check_form(m, asked);
    if (!check_meta_values(m, packet, &h) || h.l3 == 0 || (asked & (OFFLOAD_TSO | OFFLOAD_L4) && h.l4 == 0))
        return;
    if (!(asked & OFFLOAD_TSO))
        return send_summed(m, packet, &h);
    rule(m, packet->header_length >= h.l4_at + h.l4_length, RULE_TX_HEADER_LENGTH);
    if (h.l4 == L4_TCP)
        send_segments(m, packet, &h);
}
