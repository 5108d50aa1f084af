/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of segments, both ways. tcp_parse() uses nothing of a segment before its length and checksum are known to be
 * right; options that are not known are skipped, and one that is malformed ends the list. tcp_transmit() leaves the
 * checksum to the device, or to ip_output.c, and forbids fragments.
 *
 * No connection is looked at here. Called by tcp_input.c, tcp_output.c, tcp_listen.c and tcp_time_wait.c. Net lock,
 * which also guards the state here: `resets`, a limit to the answers that strangers get from tcp_refuse(), and
 * `spares`, packets for resets in times without memory.
 */
#include "lib/checksum.h"
#include "lib/string.h"
#include "net/allowance.h"
#include "net/ip.h"
#include "net/tcp_private.h"

#define OPTION_END 0 /* IANA TCP option kinds */
#define OPTION_NOTHING 1
#define OPTION_MSS 2
#define OPTION_WINDOW_SCALE 3
#define OPTION_SACK_PERMITTED 4
#define OPTION_SACK 5
#define OPTION_TIMESTAMP 8

struct tcp_header {
    be16 source, destination;
    be32 sequence, acknowledgement;
    uint8_t data_offset, flags;
    be16 window, checksum, urgent;
};

static void parse_one_option(const uint8_t *option, uint8_t length, struct tcp_options *out)
{
    switch (option[0]) {
    case OPTION_MSS:
        if (length == 4)
            out->mss = read_be16(option + 2);
        return;
    case OPTION_WINDOW_SCALE:
        if (length == 3) {
            out->window_scale_present = true;
            out->window_scale = (uint8_t)min_of(option[2], TCP_MAXIMUM_SHIFT);
        }
        return;
    case OPTION_SACK_PERMITTED:
        out->sack_permitted = length == 2;
        return;
    case OPTION_SACK:
        for (unsigned i = 2; i + 8u <= length && out->sack_count < TCP_SACK_BLOCKS; i += 8)
            out->sack[out->sack_count++] = (struct tcp_range){ read_be32(option + i), read_be32(option + i + 4) };
        return;
    case OPTION_TIMESTAMP:
        if (length == 10) {
            out->timestamp_present = true;
            out->timestamp = read_be32(option + 2);
            out->timestamp_echo = read_be32(option + 6);
        }
        return;
    default:
        return;
    }
}

void tcp_parse_options(const uint8_t *option, uint32_t length, struct tcp_options *out)
{
    *out = (struct tcp_options){ 0 };
    for (uint32_t i = 0; i < length && option[i] != OPTION_END;) {
        if (option[i] == OPTION_NOTHING) {
            i++;
            continue;
        }
        if (i + 1 >= length || option[i + 1] < 2 || option[i + 1] > length - i)
            return;
        parse_one_option(option + i, option[i + 1], out);
        i += option[i + 1];
    }
}

static bool checksum_good(const struct ip_info *info, const struct packet *packet)
{
    if (packet->flags & (PACKET_CHECKSUM_PARTIAL | PACKET_CHECKSUM_VALID))
        return true;
    uint64_t sum = checksum_pseudo(info->source, info->destination, IP_PROTOCOL_TCP, packet->length);
    return checksum_fold(packet_checksum(packet, 0, sum)) == 0xffff;
}

bool tcp_parse(const struct ip_info *info, struct packet *packet, struct tcp_segment *out)
{
    must_hold_net();
    const struct tcp_header *header = packet_pull(packet, sizeof(*header));
    if (!header)
        return false;
    uint32_t header_length = (header->data_offset >> 4) * 4u;
    if (header_length < sizeof(*header) || header_length > packet->length)
        return false;
    if (!checksum_good(info, packet)) {
        tcp_counts.in_checksum_errors++;
        return false;
    }
    header = packet_pull(packet, header_length);
    if (!header)
        return false;
    *out = (struct tcp_segment){
        .ip = info,
        .local = { info->destination, be16_get(header->destination) },
        .remote = { info->source, be16_get(header->source) },
        .sequence = be32_get(header->sequence),
        .acknowledgement = be32_get(header->acknowledgement),
        .length = packet->length - header_length,
        .window = be16_get(header->window),
        .urgent = be16_get(header->urgent),
        .flags = header->flags,
    };
    tcp_parse_options((const uint8_t *)(header + 1), header_length - sizeof(*header), &out->options);
    packet_drop_front(packet, header_length);
    return true;
}

static uint8_t *put_timestamp(uint8_t *p, const struct tcp_options *options)
{
    p[0] = p[1] = OPTION_NOTHING; /* the layout of RFC 7323 appendix A */
    p[2] = OPTION_TIMESTAMP;
    p[3] = 10;
    write_be32(p + 4, options->timestamp);
    write_be32(p + 8, options->timestamp_echo);
    return p + 12;
}

static uint8_t *put_sack(uint8_t *p, const struct tcp_options *options)
{
    p[0] = p[1] = OPTION_NOTHING;
    p[2] = OPTION_SACK;
    p[3] = (uint8_t)(2 + 8 * options->sack_count);
    p += 4;
    for (unsigned i = 0; i < options->sack_count; i++, p += 8) {
        write_be32(p, options->sack[i].start);
        write_be32(p + 4, options->sack[i].end);
    }
    return p;
}

/* Writes the options, each padded to 4 bytes; returns their length. */
static uint32_t encode_options(uint8_t *start, const struct tcp_options *options)
{
    uint8_t *p = start;
    if (options->mss != 0) {
        p[0] = OPTION_MSS;
        p[1] = 4;
        write_be16(p + 2, options->mss);
        p += 4;
    }
    if (options->sack_permitted) {
        p[0] = p[1] = OPTION_NOTHING;
        p[2] = OPTION_SACK_PERMITTED;
        p[3] = 2;
        p += 4;
    }
    if (options->timestamp_present)
        p = put_timestamp(p, options);
    if (options->window_scale_present) {
        p[0] = OPTION_NOTHING;
        p[1] = OPTION_WINDOW_SCALE;
        p[2] = 3;
        p[3] = options->window_scale;
        p += 4;
    }
    if (options->sack_count > 0)
        p = put_sack(p, options);
    return (uint32_t)(p - start);
}

void tcp_transmit(struct packet *packet, const struct tcp_header_fields *fields)
{
    must_hold_net();
    uint8_t options[40];
    uint32_t options_length = encode_options(options, &fields->options);
    uint32_t header_length = TCP_HEADER_LENGTH + options_length;
    struct ip_route route;
    struct tcp_header *header = packet_push(packet, header_length);
    if (!header || ip_route(fields->remote.address, &route) < 0) {
        packet_free(packet);
        return;
    }
    uint64_t pseudo = checksum_pseudo(fields->local.address, fields->remote.address, IP_PROTOCOL_TCP, packet->length);
    *header = (struct tcp_header){
        .source = be16_of(fields->local.port),
        .destination = be16_of(fields->remote.port),
        .sequence = be32_of(fields->sequence),
        .acknowledgement = be32_of(fields->acknowledgement),
        .data_offset = (uint8_t)(header_length / 4 << 4),
        .flags = fields->flags,
        .window = be16_of(fields->window),
        .checksum = be16_of(checksum_fold(pseudo)),
        .urgent = be16_of(fields->urgent),
    };
    memcpy(header + 1, options, options_length);
    packet->flags |= PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = 0;
    packet->checksum_offset = offsetof(struct tcp_header, checksum);
    if (fields->segment_size != 0 && packet->length - header_length > fields->segment_size) {
        packet->segment_size = fields->segment_size;
        packet->header_length = (uint16_t)header_length;
    }
    uint32_t payload = packet->length - header_length;
    tcp_counts.out_segments += packet->segment_size != 0 ? (payload + packet->segment_size - 1) / packet->segment_size
                                                         : 1;
    tcp_counts.out_resets += (fields->flags & TCP_RST) != 0;
    struct ip_send how = { .source = fields->local.address,
                           .destination = fields->remote.address,
                           .protocol = IP_PROTOCOL_TCP,
                           .type_of_service = fields->type_of_service,
                           .time_to_live = fields->time_to_live,
                           .dont_fragment = true,
                           .routers_may_not = true };
    (void)ip_output(packet, &route, &how); /* what was not sent is lost like any other segment */
}

void tcp_transmit_bare(const struct tcp_header_fields *header)
{
    must_hold_net();
    struct packet *packet = packet_allocate(0);
    if (packet)
        tcp_transmit(packet, header);
}

/* ---- Resets ---------------------------------------------------------------------------------------- */

#define SPARES 64u /* as many connections as one look of tcp_memory.c drops */

static struct list spares = LIST_INIT(spares);
static unsigned spare_count;

static void fill_spares(void)
{
    struct packet *packet;
    for (; spare_count < SPARES && (packet = packet_allocate(0)); spare_count++)
        list_push_back(&spares, &packet->link);
}

static struct packet *take_spare(void)
{
    struct list *node = list_pop_front(&spares);
    if (!node)
        return NULL;
    spare_count--;
    return list_entry(node, struct packet, link);
}

void tcp_segment_init(void) { fill_spares(); }

void tcp_transmit_reset(const struct tcp_header_fields *header)
{
    must_hold_net();
    struct packet *packet = packet_allocate(0);
    if (!packet)
        packet = take_spare();
    if (packet)
        tcp_transmit(packet, header);
    fill_spares();
}

#define RESETS_PER_SECOND 10000u /* for segments of no connection; as for echo replies (net/icmp.c) */
#define RESETS_FOR_ONE 1000u

static struct allowances resets = { .for_all = RESETS_PER_SECOND, .for_one = RESETS_FOR_ONE };

static bool may_reset(struct ip_address local, struct ip_address remote)
{
    return ip_same(remote, local) || ip_is_loopback(remote) || allowance_take(&resets, remote);
}

void tcp_refuse(const struct tcp_segment *segment)
{
    must_hold_net();
    if (segment->flags & TCP_RST || !segment->ip->unicast ||
        !may_reset(segment->local.address, segment->remote.address))
        return;
    struct tcp_header_fields header = {
        .local = segment->local, .remote = segment->remote, .flags = TCP_RST, .time_to_live = IP_DEFAULT_TTL
    };
    if (segment->flags & TCP_ACK) {
        header.sequence = segment->acknowledgement;
    } else {
        header.flags |= TCP_ACK;
        header.acknowledgement = tcp_segment_end(segment);
    }
    tcp_transmit_bare(&header);
}
