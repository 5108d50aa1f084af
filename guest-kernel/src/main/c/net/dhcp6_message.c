/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCPv6 messages to structs and back, for dhcp6.c. There is no state here, no clock and no lock, and nothing sleeps.
 *
 * What dhcp6_make() writes always fits DHCP6_MESSAGE_SIZE: the largest part of it is a server's identifier. We are
 * identified by the MAC address (DUID-LL, RFC 8415 11.4), and our only association by 0, so that a machine that starts
 * again gets the address that it had.
 *
 * dhcp6_read() trusts nothing: an option that runs over the end of what holds it makes the message invalid, and so does
 * an identifier of another client, or none. An address that no machine can have counts as absent, and so does one whose
 * times contradict each other, and a status of failure takes the address with it.
 */
#include "lib/string.h"
#include "net/dhcp6.h"
#include "net/ip6.h"

enum { /* RFC 8415 21; RFC 3646 3 */
       OPTION_CLIENT = 1,
       OPTION_SERVER = 2,
       OPTION_ASSOCIATION = 3, /* IA_NA */
       OPTION_ADDRESS = 5,
       OPTION_WISHES = 6,
       OPTION_PREFERENCE = 7,
       OPTION_ELAPSED = 8,
       OPTION_STATUS = 13,
       OPTION_NAME_SERVERS = 23,
       OPTION_REFRESH = 32,
};

#define IDENTIFIER_LL 3 /* DUID-LL: RFC 8415 11.4 */
#define HARDWARE_ETHERNET 1
#define HEADER 4u              /* bytes: type and transaction */
#define OPTION_HEADER 4u       /* bytes: code and length */
#define ASSOCIATION_HEADER 12u /* bytes: its number, T1, T2 */
#define ADDRESS_LENGTH 24u     /* bytes: the address and its times, without options */
#define OUR_IDENTIFIER 10u     /* bytes */

static void make_identifier(uint8_t to[OUR_IDENTIFIER], const uint8_t mac[6])
{
    write_be16(to, IDENTIFIER_LL);
    write_be16(to + 2, HARDWARE_ETHERNET);
    memcpy(to + 4, mac, 6);
}

/* ---- Making ----------------------------------------------------------------------------------------------- */

static uint8_t *put_option(uint8_t *p, uint16_t code, const void *data, size_t length)
{
    write_be16(p, code);
    write_be16(p + 2, (uint16_t)length);
    memcpy(p + OPTION_HEADER, data, length);
    return p + OPTION_HEADER + length;
}

/* The times are the server's to say: 0. */
static uint8_t *put_association(uint8_t *p, struct ip_address address)
{
    uint8_t association[ASSOCIATION_HEADER + OPTION_HEADER + ADDRESS_LENGTH] = { 0 };
    uint8_t given[ADDRESS_LENGTH] = { 0 };
    struct ip6_bytes bytes = ip6_bytes_of(address);
    uint8_t *end = association + ASSOCIATION_HEADER;
    memcpy(given, &bytes, sizeof(bytes));
    if (!ip_is_any(address))
        end = put_option(end, OPTION_ADDRESS, given, sizeof(given));
    return put_option(p, OPTION_ASSOCIATION, association, (size_t)(end - association));
}

size_t dhcp6_make(uint8_t to[DHCP6_MESSAGE_SIZE], const struct dhcp6_query *query)
{
    static const uint8_t wishes[] = { 0, OPTION_NAME_SERVERS, 0, OPTION_REFRESH };
    uint8_t identifier[OUR_IDENTIFIER], elapsed[2];
    bool asks_settings = query->type == DHCP6_INFORMATION_REQUEST;
    bool gives_back = query->type == DHCP6_RELEASE || query->type == DHCP6_DECLINE;
    make_identifier(identifier, query->mac);
    write_be16(elapsed, query->elapsed);
    write_be32(to, (uint32_t)query->type << 24 | (query->transaction & 0xffffff));
    uint8_t *p = put_option(to + HEADER, OPTION_CLIENT, identifier, sizeof(identifier));
    if (query->server)
        p = put_option(p, OPTION_SERVER, query->server->bytes, query->server->length);
    p = put_option(p, OPTION_ELAPSED, elapsed, sizeof(elapsed));
    if (!asks_settings)
        p = put_association(p, query->address);
    if (!gives_back)
        p = put_option(p, OPTION_WISHES, wishes, asks_settings ? sizeof(wishes) : 2);
    return (size_t)(p - to);
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

struct option {
    uint16_t code, length;
    const uint8_t *data;
};

/* Moves on to the next option of what ends at `end`; false: there is none, or it runs over the end. */
static bool next_option(const uint8_t **at, const uint8_t *end, struct option *out)
{
    if ((size_t)(end - *at) < OPTION_HEADER)
        return false;
    *out = (struct option){ read_be16(*at), read_be16(*at + 2), *at + OPTION_HEADER };
    if (out->length > (size_t)(end - out->data))
        return false;
    *at = out->data + out->length;
    return true;
}

/* Whether the options fill what holds them. */
static bool are_whole(const uint8_t *at, const uint8_t *end)
{
    struct option option;
    while (next_option(&at, end, &option))
        ;
    return at == end;
}

/* Whether none of these options reports a failure. */
static bool is_success(const uint8_t *at, const uint8_t *end)
{
    struct option option;
    while (next_option(&at, end, &option))
        if (option.code == OPTION_STATUS && (option.length < 2 || read_be16(option.data) != 0))
            return false;
    return true;
}

/* An address outside that a single host of a larger network can have. */
static bool is_hosts(struct ip_address address)
{
    return !ip_is_any(address) && !ip_is_loopback(address) && !ip_is_multicast(address) && !ip_is_ipv4(address) &&
           !ip6_is_link_local(address);
}

static struct ip_address address_at(const uint8_t *data)
{
    struct ip6_bytes bytes;
    memcpy(&bytes, data, sizeof(bytes));
    return ip6_read(bytes);
}

static void read_address(const struct option *option, struct ip_address wanted, struct dhcp6_answer *out)
{
    if (option->length < ADDRESS_LENGTH)
        return;
    const uint8_t *options = option->data + ADDRESS_LENGTH, *end = option->data + option->length;
    struct ip_address address = address_at(option->data);
    uint32_t preferred = read_be32(option->data + 16), valid = read_be32(option->data + 20);
    bool better = ip_is_any(out->address) || ip_same(address, wanted);
    if (!better || !is_hosts(address) || valid == 0 || preferred > valid || !is_success(options, end))
        return;
    out->address = address;
    out->preferred = preferred;
    out->valid = valid;
}

/* RFC 8415 21.4: one whose T1 is later than its T2 counts as absent. */
static bool read_association(const struct option *option, struct ip_address wanted, struct dhcp6_answer *out)
{
    if (option->length < ASSOCIATION_HEADER)
        return false;
    const uint8_t *at = option->data + ASSOCIATION_HEADER, *end = option->data + option->length;
    uint32_t number = read_be32(option->data), renew = read_be32(option->data + 4);
    uint32_t rebind = read_be32(option->data + 8);
    struct option inner;
    if (!are_whole(at, end))
        return false;
    if (number != 0 || (rebind != 0 && renew > rebind) || !is_success(at, end))
        return true;
    out->renew = renew;
    out->rebind = rebind;
    while (next_option(&at, end, &inner))
        if (inner.code == OPTION_ADDRESS)
            read_address(&inner, wanted, out);
    return true;
}

static void read_name_servers(const struct option *option, struct dhcp6_answer *out)
{
    for (uint32_t i = 0; i + 16u <= option->length && out->name_server_count < DHCP6_NAME_SERVERS; i += 16) {
        struct ip_address address = address_at(option->data + i);
        if (is_hosts(address))
            out->name_servers[out->name_server_count++] = address;
    }
}

/* False: the message is invalid. */
static bool read_option(const struct option *option, struct ip_address wanted, struct dhcp6_answer *out)
{
    switch (option->code) {
    case OPTION_SERVER:
        if (option->length == 0 || option->length > DHCP6_IDENTIFIER)
            return false;
        out->server.length = option->length;
        memcpy(out->server.bytes, option->data, option->length);
        return true;
    case OPTION_PREFERENCE:
        out->preference = option->length == 1 ? option->data[0] : 0;
        return true;
    case OPTION_ASSOCIATION:
        return read_association(option, wanted, out);
    case OPTION_NAME_SERVERS:
        read_name_servers(option, out);
        return true;
    case OPTION_REFRESH:
        out->refresh = option->length == 4 ? read_be32(option->data) : 0;
        return true;
    default:
        return true;
    }
}

bool dhcp6_read(const uint8_t *message, size_t length, uint32_t transaction, const uint8_t mac[6],
                struct ip_address wanted, struct dhcp6_answer *out)
{
    const uint8_t *at = message + HEADER, *end = message + length;
    uint8_t identifier[OUR_IDENTIFIER];
    bool ours = false;
    struct option option;
    *out = (struct dhcp6_answer){ 0 };
    if (length < HEADER || (read_be32(message) & 0xffffff) != (transaction & 0xffffff) || !are_whole(at, end))
        return false;
    make_identifier(identifier, mac);
    out->type = message[0];
    bool success = is_success(at, end);
    while (next_option(&at, end, &option)) {
        if (option.code == OPTION_CLIENT)
            ours = option.length == sizeof(identifier) && memcmp(option.data, identifier, sizeof(identifier)) == 0;
        else if (!read_option(&option, wanted, out))
            return false;
    }
    if (!success)
        out->address = IP6_ANY;
    return ours && out->server.length > 0 && (out->type == DHCP6_ADVERTISE || out->type == DHCP6_REPLY);
}
