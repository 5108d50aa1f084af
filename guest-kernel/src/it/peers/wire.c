/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IP 14u /* where IP's header begins */
#define RECEIVE_BUFFER (16 << 20)
#define LEASE 60u /* seconds: short, so that it is renewed while an attack goes on */

static const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0, 0xfe }, broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static uint8_t target_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }; /* QEMU's first NIC */
static int raw;
static uint64_t sent;

/* ---- Numbers --------------------------------------------------------------------------------------------- */

void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

/* xorshift64*. */
uint32_t random32(void)
{
    static uint64_t state = 88172645463325252ULL;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717ULL) >> 32);
}

uint32_t random_below(uint32_t limit) { return (uint32_t)((uint64_t)random32() * limit >> 32); }

void random_fill(void *to, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)to)[i] = (uint8_t)random32();
}

uint32_t wire_sum(uint32_t sum, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += get16(bytes + i);
    if (length % 2 != 0)
        sum += (uint32_t)bytes[length - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

uint16_t wire_checksum(uint32_t sum) { return (uint16_t)~sum; }

/* ---- The socket --------------------------------------------------------------------------------------------- */

static _Noreturn void fail(const char *what)
{
    printf("not ok wire: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Passes ARP, broadcasts, and what is for the gateway; the rest belongs to Linux. */
static void attach_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 4, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x000000fe, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
    };
    struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
    if (setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
        fail("filter");
}

void wire_open(void)
{
    int size = RECEIVE_BUFFER, on = 1;
    struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex(INTERFACE) };
    raw = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    if (raw < 0)
        fail("raw socket");
    attach_filter();
    setsockopt(raw, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (setsockopt(raw, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
        bind(raw, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("raw socket");
}

int wire_file(void) { return raw; }
uint64_t wire_sent(void) { return sent; }

/* A frame that found no room in the interface's queue is lost, and counts as not sent. */
void wire_send(const void *frame, size_t length)
{
    if (send(raw, frame, length, 0) == (ssize_t)length)
        sent++;
    else if (errno != ENOBUFS && errno != EAGAIN)
        fail("send");
}

size_t wire_ethernet(uint8_t *frame, uint16_t type)
{
    memcpy(frame, target_mac, 6);
    memcpy(frame + 6, gateway_mac, 6);
    put16(frame + 12, type);
    return IP;
}

static void ip_header(uint8_t *at, const struct ip_fields *ip, uint32_t to, size_t length)
{
    memset(at, 0, 20);
    at[0] = 0x45;
    put16(at + 2, (uint16_t)(20 + length));
    put16(at + 4, ip->identification);
    put16(at + 6, ip->fragment);
    at[8] = 64;
    at[9] = ip->protocol;
    put32(at + 12, ip->from);
    put32(at + 16, to);
    put16(at + 10, wire_checksum(wire_sum(0, at, 20)));
}

static void send_ip_to(const uint8_t mac[6], uint32_t to, const struct ip_fields *ip, const void *payload,
                       size_t length)
{
    uint8_t frame[FRAME_MAX];
    wire_ethernet(frame, ETH_P_IP);
    memcpy(frame, mac, 6);
    ip_header(frame + IP, ip, to, length);
    memcpy(frame + IP + 20, payload, length);
    wire_send(frame, IP + 20 + length);
}

void wire_send_ip(const struct ip_fields *ip, const void *payload, size_t length)
{
    send_ip_to(target_mac, ADDRESS_TARGET, ip, payload, length);
}

static uint32_t pseudo_header(uint32_t from, uint32_t to, uint8_t protocol, size_t length)
{
    uint8_t pseudo[12] = { 0 };
    put32(pseudo, from);
    put32(pseudo + 4, to);
    pseudo[9] = protocol;
    put16(pseudo + 10, (uint16_t)length);
    return wire_sum(0, pseudo, sizeof(pseudo));
}

void wire_send_tcp(const struct segment *segment, const void *options, size_t option_length, const void *data)
{
    uint8_t tcp[1480] = { 0 };
    size_t length = 20 + option_length + segment->length;
    put16(tcp, segment->from_port);
    put16(tcp + 2, segment->to_port);
    put32(tcp + 4, segment->sequence);
    put32(tcp + 8, segment->acknowledgement);
    tcp[12] = (uint8_t)((20 + option_length) / 4 << 4);
    tcp[13] = segment->flags;
    put16(tcp + 14, segment->window);
    memcpy(tcp + 20, options, option_length);
    memcpy(tcp + 20 + option_length, data, segment->length);
    put16(tcp + 16, wire_checksum(wire_sum(pseudo_header(segment->from, ADDRESS_TARGET, 6, length), tcp, length)));
    wire_send_ip(&(struct ip_fields){ segment->from, 6, (uint16_t)random32(), 0 }, tcp, length);
}

static void send_udp_to(const uint8_t mac[6], uint32_t to, uint32_t from, uint16_t from_port, uint16_t to_port,
                        const void *data, size_t length)
{
    uint8_t udp[1480] = { 0 };
    put16(udp, from_port);
    put16(udp + 2, to_port);
    put16(udp + 4, (uint16_t)(8 + length));
    memcpy(udp + 8, data, length);
    uint16_t sum = wire_checksum(wire_sum(pseudo_header(from, to, 17, 8 + length), udp, 8 + length));
    put16(udp + 6, sum != 0 ? sum : 0xffff);
    send_ip_to(mac, to, &(struct ip_fields){ from, 17, (uint16_t)random32(), 0 }, udp, 8 + length);
}

void wire_send_udp(uint32_t from, uint16_t from_port, uint16_t to_port, const void *data, size_t length)
{
    send_udp_to(target_mac, ADDRESS_TARGET, from, from_port, to_port, data, length);
}

void wire_send_arp(uint16_t operation, uint32_t sender, const uint8_t sender_mac[6], uint32_t target)
{
    uint8_t frame[IP + 28] = { [14] = 0, 1, 8, 0, 6, 4 };
    wire_ethernet(frame, ETH_P_ARP);
    memcpy(frame + 6, sender_mac, 6);
    put16(frame + 20, operation);
    memcpy(frame + 22, sender_mac, 6);
    put32(frame + 28, sender);
    memcpy(frame + 32, target_mac, 6);
    put32(frame + 38, target);
    wire_send(frame, sizeof(frame));
}

/* ---- The honest part ------------------------------------------------------------------------------------------ */

static void arp_input(const uint8_t *frame, size_t length)
{
    if (length < IP + 28 || get16(frame + 20) != 1)
        return;
    if (get32(frame + 28) == ADDRESS_TARGET)
        memcpy(target_mac, frame + 22, 6);
    if (get32(frame + 38) == ADDRESS_GATEWAY)
        wire_send_arp(2, ADDRESS_GATEWAY, gateway_mac, get32(frame + 28));
}

static size_t dhcp_option32(uint8_t *at, uint8_t code, uint32_t value)
{
    at[0] = code;
    at[1] = 4;
    put32(at + 2, value);
    return 6;
}

/* RFC 2131: an offer for a DISCOVER, an ACK for a REQUEST, always of the same address. */
static void dhcp_answer(const uint8_t *request, uint8_t type)
{
    uint8_t answer[300] = { 2, 1, 6 };
    memcpy(answer + 4, request + 4, 4);
    put32(answer + 16, ADDRESS_TARGET);
    put32(answer + 20, ADDRESS_GATEWAY);
    memcpy(answer + 28, request + 28, 16);
    put32(answer + 236, 0x63825363);
    size_t at = 240;
    answer[at++] = 53;
    answer[at++] = 1;
    answer[at++] = type;
    at += dhcp_option32(answer + at, 54, ADDRESS_GATEWAY);
    at += dhcp_option32(answer + at, 51, LEASE);
    at += dhcp_option32(answer + at, 1, 0xffffff00);
    at += dhcp_option32(answer + at, 3, ADDRESS_GATEWAY);
    answer[at] = 255;
    memcpy(target_mac, request + 28, 6);
    bool renews = get32(request + 12) != 0;
    send_udp_to(renews ? target_mac : broadcast, renews ? ADDRESS_TARGET : 0xffffffff, ADDRESS_GATEWAY, 67, 68, answer,
                sizeof(answer));
}

static void dhcp_input(const uint8_t *request, size_t length)
{
    for (size_t at = 240; at + 2 < length && request[at] != 255; at += request[at] == 0 ? 1 : 2u + request[at + 1]) {
        if (request[at] != 53)
            continue;
        if (request[at + 2] == 1 || request[at + 2] == 3)
            dhcp_answer(request, request[at + 2] == 1 ? 2 : 5);
        return;
    }
}

/* ---- What comes ------------------------------------------------------------------------------------------------- */

static void tcp_input(const uint8_t *ip, size_t length, void (*heard)(const struct segment *segment))
{
    const uint8_t *tcp = ip + (ip[0] & 15) * 4;
    size_t header = (size_t)(ip[0] & 15) * 4 + 20;
    if (length < header || length < header - 20 + (size_t)(tcp[12] >> 4) * 4)
        return;
    uint32_t data = (uint32_t)(length - (header - 20) - (size_t)(tcp[12] >> 4) * 4);
    struct segment segment = { get32(ip + 12), get32(ip + 16), get16(tcp),      get16(tcp + 2), get32(tcp + 4),
                               get32(tcp + 8), data,           get16(tcp + 14), tcp[13] };
    heard(&segment);
}

static void ip_input(const uint8_t *ip, size_t length, void (*heard)(const struct segment *segment))
{
    size_t total = length >= 20 ? get16(ip + 2) : 0;
    if (total < 28 || total > length)
        return;
    const uint8_t *udp = ip + 20;
    if (ip[9] == 6)
        tcp_input(ip, total, heard);
    else if (ip[9] == 17 && get16(udp + 2) == 67)
        dhcp_input(udp + 8, total - 28);
}

void wire_receive(void (*heard)(const struct segment *segment))
{
    static uint8_t frame[70000];
    for (ssize_t length; (length = recv(raw, frame, sizeof(frame), 0)) > 0;) {
        if (length < (ssize_t)IP)
            continue;
        if (get16(frame + 12) == ETH_P_ARP)
            arp_input(frame, (size_t)length);
        else if (get16(frame + 12) == ETH_P_IP)
            ip_input(frame + IP, (size_t)length - IP, heard);
    }
}
