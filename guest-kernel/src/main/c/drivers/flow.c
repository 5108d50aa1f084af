/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/flow.h"

#include "lib/string.h"

#define ETHERNET_HEADER 14u
#define IP4_HEADER_MIN 20u
#define IP6_HEADER 40u
#define PORTS 4u
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

static bool has_ports(uint8_t protocol) { return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP; }

/* The two addresses of a packet, the destination first, since it is the peer's packets' source. */
static unsigned addresses(uint8_t *tuple, const uint8_t *source, unsigned size)
{
    memcpy(tuple, source + size, size);
    memcpy(tuple + size, source, size);
    return 2 * size;
}

static unsigned ports(uint8_t *tuple, const uint8_t *source)
{
    memcpy(tuple, source + 2, 2);
    memcpy(tuple + 2, source, 2);
    return PORTS;
}

/* `available` bytes from the header on are in one piece. */
static unsigned tuple_of_ip4(const uint8_t *ip, unsigned available, uint8_t *tuple)
{
    if (available < IP4_HEADER_MIN)
        return 0;
    unsigned header = (ip[0] & 15u) * 4, length = addresses(tuple, ip + 12, 4);
    bool fragment = (ip[6] & 0x3f) != 0 || ip[7] != 0;
    if (has_ports(ip[9]) && !fragment && available >= header + PORTS)
        length += ports(tuple + length, ip + header);
    return length;
}

/* With an extension header there are no ports to be seen here, which is so for all packets of the flow or for none. */
static unsigned tuple_of_ip6(const uint8_t *ip, unsigned available, uint8_t *tuple)
{
    if (available < IP6_HEADER)
        return 0;
    unsigned length = addresses(tuple, ip + 8, 16);
    if (has_ports(ip[6]) && available >= IP6_HEADER + PORTS)
        length += ports(tuple + length, ip + IP6_HEADER);
    return length;
}

unsigned flow_tuple(const struct packet *packet, uint8_t *tuple)
{
    const uint8_t *data = packet_data(packet);
    if (packet->linear < ETHERNET_HEADER)
        return 0;
    unsigned type = (unsigned)data[12] << 8 | data[13], available = packet->linear - ETHERNET_HEADER;
    if (type == 0x0800)
        return tuple_of_ip4(data + ETHERNET_HEADER, available, tuple);
    return type == 0x86dd ? tuple_of_ip6(data + ETHERNET_HEADER, available, tuple) : 0;
}

unsigned flow_place(const struct hash_key *key, const struct packet *packet, unsigned count)
{
    uint8_t tuple[FLOW_TUPLE_MAX];
    unsigned length = count > 1 ? flow_tuple(packet, tuple) : 0;
    return length > 0 ? (unsigned)(siphash13(key, tuple, length) % count) : 0;
}
