/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the receive path: each input is a row of frames (2 bytes length, then the frame) that a stranger
 * on the wire sends to a stack with an open connection, a listener and a UDP socket. The checksums of
 * well-formed frames are made right, or nothing would get past them.
 */
#include <string.h>

#include "lib/checksum.h"
#include "net/ip.h"
#include "net/wire.h"

static struct file *listener, *connection, *datagrams;
static struct hand hand;

static void open_sockets(void)
{
    static const uint8_t syn[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7 };
    wire_configure();
    listener = stack_listener(4);
    datagrams = stack_socket(SOCK_DGRAM);
    stack_bind(datagrams, IPV4_ANY, 68);
    stack_nonblocking(datagrams);
    if (!hand_open(&hand, listener, &connection, syn, sizeof(syn)))
        __builtin_trap();
    stack_nonblocking(listener);
    stack_nonblocking(connection);
}

/* Points the frame at the open sockets as its bytes suggest, and makes its sums right. */
static void repair(uint8_t *frame, uint32_t length)
{
    uint8_t *ip = frame + 14;
    memcpy(frame, "\2\0\0\0\0\2", 6);
    if (length < 34 || read_be16(frame + 12) != 0x0800)
        return;
    uint32_t header = (ip[0] & 15u) * 4, rest = length - 14;
    write_be32(ip + 16, WIRE_STACK);
    if (header < 20 || header > rest)
        return;
    write_be16(ip + 2, (uint16_t)rest);
    write_be16(ip + 10, 0);
    uint8_t *transport = ip + header;
    uint32_t transport_length = rest - header;
    if (ip[9] == 6 && transport_length >= 20) {
        bool known = transport[0] & 1;
        write_be32(ip + 12, WIRE_PEER);
        write_be16(transport, known ? hand.port : transport[1]);
        write_be16(transport + 2, hand.stack_port);
        /* Numbers near the right ones: the fuzzer gives the distance. */
        write_be32(transport + 4, hand.sequence + (uint32_t)(int8_t)transport[4] * (transport[5] + 1u));
        write_be32(transport + 8, hand.acknowledgement + (uint32_t)(int8_t)transport[8] * (transport[9] + 1u));
        write_be16(transport + 16, 0);
        uint64_t pseudo = checksum_pseudo(ip_of_ipv4(WIRE_PEER), ip_of_ipv4(WIRE_STACK), 6, transport_length);
        write_be16(transport + 16, checksum_finish(checksum_add(pseudo, transport, transport_length)));
    }
    if (ip[9] == 1 && transport_length >= 8) {
        write_be16(transport + 2, 0);
        write_be16(transport + 2, checksum_finish(checksum_add(0, transport, transport_length)));
    }
    if (ip[9] == 17 && transport_length >= 8)
        write_be16(transport + 6, 0);
    write_be16(ip + 10, checksum_finish(checksum_add(0, ip, header)));
}

static void act(uint8_t what)
{
    static uint8_t data[20000];
    switch (what & 7) {
    case 0:
        stack_send(connection, data, 1 + what * 50u, 0);
        break;
    case 1:
        stack_receive(connection, data, what * 10u, 0);
        break;
    case 2:
        host_advance(what * 5 * NS_PER_MS);
        break;
    case 3:
        stack_receive(datagrams, data, sizeof(data), 0);
        break;
    case 4:
        if (what == 4)
            stack_shutdown(connection, SHUT_WR);
        break;
    default:
        break;
    }
}

static void close_sockets(void)
{
    struct file *waiting;
    while (stack_accept(listener, &waiting) == 0)
        file_put(waiting);
    file_put(listener);
    file_put(connection);
    file_put(datagrams);
    host_advance(2000 * NS_PER_SECOND);
    wire_drop_all();
    if (net_memory_charged() != 0 || host_pages_in_use() != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        host_init();
        wire_start();
        started = true;
    }
    open_sockets();
    for (unsigned i = 0; size > 3 && i < 40; i++) {
        uint8_t frame[WIRE_FRAME] = { 0 };
        uint32_t length = min_of((uint32_t)(data[0] | (data[1] & 7) << 8), (uint32_t)size - 3);
        length = min_of(length, (uint32_t)sizeof(frame));
        act(data[2]);
        memcpy(frame, data + 3, length);
        if (!(data[1] & 0x80))
            repair(frame, length);
        wire_inject(frame, length);
        data += 3 + length;
        size -= 3 + length;
    }
    close_sockets();
    return 0;
}
