/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device whose other end is the test (wire.h). What the stack sends is queued for wire_next(), or goes to
 * wire_sent(); what is injected is received at once, in the caller. The neighbour answers ARP whenever the test asks
 * for the next frame.
 */
#include "net/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/packet.h"
#include "drivers/device.h"
#include "lib/checksum.h"
#include "net/interface.h"
#include "net/ip.h"

void (*wire_sent)(const uint8_t *frame, uint32_t length);

static struct network_device device;
static struct list sent = LIST_INIT(sent);
static struct wire_frame *current;
static bool asked; /* who has 10.9.0.1? */

static bool transmit(struct network_device *d, struct packet *packet)
{
    (void)d;
    struct wire_frame *frame = malloc(sizeof(*frame));
    frame->length = packet->length;
    packet_copy_out(packet, 0, frame->bytes, packet->length);
    packet_free(packet);
    asked |= read_be16(frame->bytes + 12) == 0x0806 && frame->bytes[21] == 1 &&
             read_be32(frame->bytes + 38) == WIRE_PEER;
    if (wire_sent != NULL) {
        wire_sent(frame->bytes, frame->length);
        free(frame);
        return true;
    }
    list_push_back(&sent, &frame->link);
    return true;
}

static void flush(struct network_device *d) { (void)d; }

void wire_start(void)
{
    device = (struct network_device){ .name = "eth0",
                                      .mac = { 2, 0, 0, 0, 0, 2 },
                                      .mtu = 1500,
                                      .max_mtu = 9001,
                                      .running = true,
                                      .transmit = transmit,
                                      .flush = flush };
    network_device_add(&device);
    net_init();
}

static void say_who_we_are(void)
{
    static const uint8_t arp[42] = { 2, 0, 0, 0, 0, 2, 2, 0,  0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
                                     1, 2, 0, 0, 0, 0, 1, 10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 10, 9, 0, 2 };
    wire_inject(arp, sizeof(arp));
}

void wire_answer_arp(void)
{
    if (!asked)
        return;
    asked = false;
    say_who_we_are();
}

const struct wire_frame *wire_next(void)
{
    wire_answer_arp();
    free(current);
    struct list *node = list_pop_front(&sent);
    current = node != NULL ? list_entry(node, struct wire_frame, link) : NULL;
    return current;
}

void wire_drop_all(void)
{
    while (wire_next() != NULL)
        ;
}

struct network_device *wire_device(void) { return &device; }

void wire_inject_slowly(const void *frame, uint32_t length, nanoseconds time)
{
    struct packet *packet = packet_allocate(length);
    memcpy(packet_put(packet, length), frame, length);
    device.receive(&device, packet);
    if (time > 0)
        host_advance(time);
    device.receive_done(&device);
}

void wire_inject(const void *frame, uint32_t length) { wire_inject_slowly(frame, length, 0); }

void wire_configure(void)
{
    struct net_configuration configuration = { .address = WIRE_STACK, .prefix = 24, .gateway = WIRE_PEER };
    wire_sent = NULL;
    net_configure_static(&configuration);
    say_who_we_are();
    wire_drop_all();
}

void wire_inject_ip(ipv4_t from, ipv4_t to, uint8_t protocol, uint16_t identification, uint16_t fragment,
                    const void *payload, uint32_t length)
{
    uint8_t frame[WIRE_FRAME] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45 };
    uint8_t *ip = frame + 14;
    write_be16(ip + 2, (uint16_t)(length + 20));
    write_be16(ip + 4, identification);
    write_be16(ip + 6, fragment);
    ip[8] = 64;
    ip[9] = protocol;
    write_be32(ip + 12, from);
    write_be32(ip + 16, to);
    write_be16(ip + 10, checksum_finish(checksum_add(0, ip, 20)));
    memcpy(ip + 20, payload, length);
    wire_inject(frame, 34 + length);
}

/* ---- TCP ----------------------------------------------------------------------------------------------------- */

static void send_segment(const struct hand *hand, uint8_t flags, const void *options, uint8_t option_length,
                         const void *data, uint32_t length)
{
    uint8_t tcp[WIRE_FRAME] = { 0 };
    uint32_t header = 20u + option_length;
    write_be16(tcp, hand->port);
    write_be16(tcp + 2, hand->stack_port);
    write_be32(tcp + 4, hand->sequence);
    write_be32(tcp + 8, hand->acknowledgement);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = flags;
    write_be16(tcp + 14, hand->window);
    memcpy(tcp + 20, options, option_length);
    memcpy(tcp + header, data, length);
    ipv4_t from = hand->address != IPV4_ANY ? hand->address : WIRE_PEER;
    uint64_t pseudo = checksum_pseudo(ip_of_ipv4(from), ip_of_ipv4(WIRE_STACK), 6, header + length);
    write_be16(tcp + 16, checksum_finish(checksum_add(pseudo, tcp, header + length)));
    wire_inject_ip(from, WIRE_STACK, 6, 0, 0x4000, tcp, header + length);
}

void hand_send_options(const struct hand *hand, uint8_t flags, const void *options, uint8_t option_length,
                       uint32_t length)
{
    uint8_t data[WIRE_FRAME];
    pattern_fill(1, hand->sequence, data, length);
    send_segment(hand, flags, options, option_length, data, length);
}

void hand_send_text(const struct hand *hand, const char *text, uint32_t length)
{
    send_segment(hand, HAND_PSH | HAND_ACK, "", 0, text, length);
}

void hand_send(const struct hand *hand, uint8_t flags, uint32_t length)
{
    uint8_t option[12] = { 1, 1, 8, 10 };
    write_be32(option + 4, hand->timestamp);
    write_be32(option + 8, hand->echo);
    hand_send_options(hand, flags, option, hand->timestamp != 0 ? 12 : 0, length);
}

bool hand_receive(struct hand_segment *out)
{
    const struct wire_frame *frame;
    do {
        frame = wire_next();
        if (frame == NULL)
            return false;
    } while (read_be16(frame->bytes + 12) != 0x0800 || frame->bytes[23] != 6);
    const uint8_t *ip = frame->bytes + 14, *tcp = ip + 20;
    uint32_t total = read_be16(ip + 2) - 20u, header = (tcp[12] >> 4) * 4u;
    uint64_t pseudo = checksum_pseudo(ip_of_ipv4(read_be32(ip + 12)), ip_of_ipv4(read_be32(ip + 16)), 6, total);
    if (checksum_fold(checksum_add(pseudo, tcp, total)) != 0xffff || checksum_fold(checksum_add(0, ip, 20)) != 0xffff)
        host_fail(__FILE__, __LINE__, "a segment with a wrong checksum");
    *out = (struct hand_segment){ .port = read_be16(tcp + 2),
                                  .flags = tcp[13],
                                  .sequence = read_be32(tcp + 4),
                                  .acknowledgement = read_be32(tcp + 8),
                                  .length = total - header,
                                  .window = read_be16(tcp + 14),
                                  .option_length = (uint8_t)(header - 20) };
    memcpy(out->options, tcp + 20, out->option_length);
    memcpy(out->data, tcp + header, out->length);
    return true;
}

bool hand_silent(void)
{
    struct hand_segment segment;
    return !hand_receive(&segment);
}

bool hand_open(struct hand *hand, struct file *listener, struct file **out, const void *syn_options, uint8_t length)
{
    return hand_open_from(IPV4_ANY, hand, listener, out, syn_options, length);
}

bool hand_open_from(ipv4_t address, struct hand *hand, struct file *listener, struct file **out,
                    const void *syn_options, uint8_t length)
{
    static uint16_t next_port = 20000;
    struct hand_segment segment;
    wire_drop_all();
    next_port = next_port == 60000 ? 20000 : next_port + 1;
    *hand = (struct hand){
        .address = address, .port = next_port, .stack_port = stack_port(listener), .sequence = 1000, .window = 65535
    };
    hand_send_options(hand, HAND_SYN, syn_options, length, 0);
    if (!hand_receive(&segment) || segment.flags != (HAND_SYN | HAND_ACK) || segment.acknowledgement != 1001)
        return false;
    hand->sequence++;
    hand->acknowledgement = segment.sequence + 1;
    hand_send(hand, HAND_ACK, 0);
    return stack_accept(listener, out) == 0 && hand_silent();
}
