/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP messages to structs and back, for dhcp.c. There is no state here, no clock and no lock, and nothing sleeps.
 *
 * What dhcp_make() writes always fits DHCP_MESSAGE_SIZE. dhcp_read() trusts nothing: an option that runs over the end
 * of its field makes the message invalid, and so does an address that no machine can have. A gateway beyond the
 * network, an MTU that is too small or a domain with other characters than names have counts as absent. Of options that
 * come twice the last one counts.
 */
#include "lib/string.h"
#include "net/dhcp.h"
#include "net/ip.h"

#define OP_REQUEST 1 /* RFC 2131 2, figure 1 */
#define OP_REPLY 2
#define HARDWARE_ETHERNET 1
#define MAGIC 0x63825363u

#define OPTION_PAD 0 /* RFC 2132 */
#define OPTION_NETMASK 1
#define OPTION_ROUTER 3
#define OPTION_DNS 6
#define OPTION_HOSTNAME 12
#define OPTION_DOMAIN 15
#define OPTION_MTU 26
#define OPTION_NTP 42
#define OPTION_REQUESTED 50
#define OPTION_LEASE 51
#define OPTION_OVERLOAD 52
#define OPTION_TYPE 53
#define OPTION_SERVER 54
#define OPTION_PARAMETERS 55
#define OPTION_MAXIMUM_SIZE 57
#define OPTION_RENEW 58
#define OPTION_REBIND 59
#define OPTION_CLIENT_ID 61
#define OPTION_END 255

struct dhcp_header {
    uint8_t op, hardware_type, hardware_length, hops;
    be32 transaction;
    be16 seconds, flags;
    be32 client, yours, server, relay;
    uint8_t hardware[16], server_name[64], file[128];
    be32 magic;
};
_Static_assert(sizeof(struct dhcp_header) == 240, "fixed part of a DHCP message");

/* ---- Making ----------------------------------------------------------------------------------------------- */

static uint8_t *put_option(uint8_t *p, uint8_t code, const void *data, size_t length)
{
    p[0] = code;
    p[1] = (uint8_t)length;
    memcpy(p + 2, data, length);
    return p + 2 + length;
}

static uint8_t *put_address(uint8_t *p, uint8_t code, ipv4_t address)
{
    be32 value = be32_of(address);
    return address == IPV4_ANY ? p : put_option(p, code, &value, sizeof(value));
}

static uint8_t *put_wishes(uint8_t *p, const struct dhcp_query *query)
{
    static const uint8_t parameters[] = { OPTION_NETMASK, OPTION_ROUTER, OPTION_DNS,    OPTION_DOMAIN, OPTION_MTU,
                                          OPTION_LEASE,   OPTION_RENEW,  OPTION_REBIND, OPTION_NTP };
    be16 size = be16_of(DHCP_MESSAGE_SIZE);
    size_t name_length = strnlen(query->hostname, DHCP_HOSTNAME_SIZE - 1);
    p = put_option(p, OPTION_PARAMETERS, parameters, sizeof(parameters));
    p = put_option(p, OPTION_MAXIMUM_SIZE, &size, sizeof(size));
    return name_length > 0 ? put_option(p, OPTION_HOSTNAME, query->hostname, name_length) : p;
}

size_t dhcp_make(uint8_t to[DHCP_MESSAGE_SIZE], const struct dhcp_query *query)
{
    struct dhcp_header *header = (void *)to;
    uint8_t identifier[7] = { HARDWARE_ETHERNET };
    memcpy(identifier + 1, query->mac, 6);
    memset(to, 0, DHCP_MESSAGE_SIZE);
    header->op = OP_REQUEST;
    header->hardware_type = HARDWARE_ETHERNET;
    header->hardware_length = 6;
    header->transaction = be32_of(query->transaction);
    header->seconds = be16_of(query->seconds);
    header->client = be32_of(query->client);
    memcpy(header->hardware, query->mac, 6);
    header->magic = be32_of(MAGIC);
    uint8_t *p = put_option(to + sizeof(*header), OPTION_TYPE, &query->type, 1);
    p = put_option(p, OPTION_CLIENT_ID, identifier, sizeof(identifier));
    p = put_address(p, OPTION_REQUESTED, query->requested);
    p = put_address(p, OPTION_SERVER, query->server);
    if (query->type == DHCP_DISCOVER || query->type == DHCP_REQUEST)
        p = put_wishes(p, query);
    *p++ = OPTION_END;
    return max_of((size_t)(p - to), (size_t)300); /* BOOTP relays expect that much: RFC 1542 2.1 */
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

/* Returns how many there are, at most `limit`. */
static unsigned read_addresses(const uint8_t *data, uint8_t length, ipv4_t *out, unsigned limit)
{
    unsigned count = 0;
    for (unsigned i = 0; i + 4u <= length && count < limit; i += 4)
        out[count++] = read_be32(data + i);
    return count;
}

/* Only what can be in a host name gets into resolv.conf. */
static void read_domain(const uint8_t *data, uint8_t length, struct net_configuration *out)
{
    unsigned used = 0;
    for (; used < length && data[used] != 0; used++) {
        char c = (char)data[used];
        bool good = is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
        if (!good) {
            out->domain[0] = 0;
            return;
        }
        out->domain[used] = c;
    }
    out->domain[used] = 0;
}

static void read_number(uint8_t code, const uint8_t *data, struct dhcp_answer *out)
{
    uint32_t value = read_be32(data);
    switch (code) {
    case OPTION_NETMASK:
        out->configuration.prefix = ipv4_prefix(value);
        return;
    case OPTION_ROUTER:
        out->configuration.gateway = value;
        return;
    case OPTION_SERVER:
        out->server = value;
        return;
    case OPTION_LEASE:
        out->lease = value;
        return;
    case OPTION_RENEW:
        out->renew = value;
        return;
    case OPTION_REBIND:
        out->rebind = value;
        return;
    default:
        return;
    }
}

static void read_option(uint8_t code, const uint8_t *data, uint8_t length, struct dhcp_answer *out, uint8_t *overload)
{
    if (code == OPTION_DNS)
        out->configuration.dns_count = read_addresses(data, length, out->configuration.dns, NET_MAX_DNS);
    else if (code == OPTION_NTP)
        out->configuration.time_server_count = read_addresses(data, length, out->configuration.time_servers,
                                                              SNTP_SERVERS);
    else if (code == OPTION_DOMAIN)
        read_domain(data, length, &out->configuration);
    else if (code == OPTION_TYPE && length == 1)
        out->type = data[0];
    else if (code == OPTION_OVERLOAD && length == 1)
        *overload = data[0];
    else if (code == OPTION_MTU && length == 2)
        out->configuration.mtu = read_be16(data);
    else if (length >= 4)
        read_number(code, data, out);
}

/* False: an option runs over the end. */
static bool read_options(const uint8_t *data, size_t length, struct dhcp_answer *out, uint8_t *overload)
{
    for (size_t i = 0; i < length && data[i] != OPTION_END;) {
        if (data[i] == OPTION_PAD) {
            i++;
            continue;
        }
        if (i + 1 >= length || data[i + 1] > length - i - 2)
            return false;
        read_option(data[i], data + i + 2, data[i + 1], out, overload);
        i += 2u + data[i + 1];
    }
    return true;
}

static unsigned classful_prefix(ipv4_t address) { return address >> 31 == 0 ? 8 : address >> 30 == 2 ? 16 : 24; }

/* Replaces what servers leave out or get wrong as far as possible; false: not usable. */
static bool complete(struct dhcp_answer *out)
{
    struct net_configuration *c = &out->configuration;
    if (out->type == DHCP_NAK)
        return true;
    if (c->address == IPV4_ANY || ipv4_is_loopback(c->address) || c->address >> 28 >= 0xe || c->prefix > 32)
        return false;
    if (c->prefix == 0)
        c->prefix = classful_prefix(c->address);
    if (((c->gateway ^ c->address) & ipv4_mask(c->prefix)) != 0)
        c->gateway = IPV4_ANY; /* one that cannot be reached */
    if (c->mtu < IP_MINIMUM_MTU)
        c->mtu = 0;
    return true;
}

bool dhcp_read(const uint8_t *message, size_t length, uint32_t transaction, const uint8_t mac[6],
               struct dhcp_answer *out)
{
    const struct dhcp_header *header = (const void *)message;
    uint8_t overload = 0, nested = 0;
    if (length < sizeof(*header) || header->op != OP_REPLY || be32_get(header->magic) != MAGIC ||
        be32_get(header->transaction) != transaction || memcmp(header->hardware, mac, 6) != 0)
        return false;
    *out = (struct dhcp_answer){ .configuration.address = be32_get(header->yours) };
    if (!read_options(message + sizeof(*header), length - sizeof(*header), out, &overload))
        return false;
    if (overload & 1 && !read_options(header->file, sizeof(header->file), out, &nested))
        return false;
    if (overload & 2 && !read_options(header->server_name, sizeof(header->server_name), out, &nested))
        return false;
    bool answer = out->type == DHCP_OFFER || out->type == DHCP_ACK || out->type == DHCP_NAK;
    return answer && complete(out);
}
