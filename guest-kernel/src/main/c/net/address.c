/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as text, both ways. There is no state here, so no lock is needed; called from anywhere in net/, and by what
 * reads and shows the configuration. A parser moves *text and sets its result only when it has read a whole address.
 */
#include "net/address.h"

#include "core/log.h"
#include "lib/string.h"
#include "net/ip6.h"

unsigned ipv4_prefix(ipv4_t mask)
{
    for (unsigned prefix = 0; prefix <= 32; prefix++)
        if (ipv4_mask(prefix) == mask)
            return prefix;
    return 33;
}

char *ipv4_format(char to[IPV4_TEXT], ipv4_t address)
{
    format(to, IPV4_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    return to;
}

bool ipv4_parse(const char **text, ipv4_t *address)
{
    const char *s = *text;
    ipv4_t result = 0;
    for (unsigned part = 0; part < 4; part++) {
        if (part > 0 && *s++ != '.')
            return false;
        unsigned value = 0, digits = 0;
        for (; is_digit(*s) && digits < 3; s++, digits++)
            value = value * 10 + (unsigned)(*s - '0');
        if (digits == 0 || value > 255)
            return false;
        result = result << 8 | value;
    }
    *text = s;
    *address = result;
    return true;
}

/* The longest run of at least two groups that are 0; its length, at *first. */
static unsigned longest_zeros(const uint16_t groups[8], unsigned *first)
{
    unsigned longest = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned length = 0;
        while (i + length < 8 && groups[i + length] == 0)
            length++;
        if (length > longest) {
            longest = length;
            *first = i;
        }
        i += length;
    }
    return longest > 1 ? longest : 0;
}

char *ip_format(char to[IP_TEXT], struct ip_address address)
{
    if (ip_is_ipv4(address))
        return ipv4_format(to, ipv4_of(address));
    struct ip6_bytes bytes = ip6_bytes_of(address);
    uint16_t groups[8];
    for (unsigned i = 0; i < 8; i++)
        groups[i] = read_be16(bytes.bytes + 2 * i);
    unsigned first = 8, zeros = longest_zeros(groups, &first), length = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (i == first) {
            length += (unsigned)format(to + length, IP_TEXT - length, "::");
            i += zeros - 1;
        } else {
            const char *colon = i == 0 || i == first + zeros ? "" : ":";
            length += (unsigned)format(to + length, IP_TEXT - length, "%s%x", colon, groups[i]);
        }
    }
    return to;
}

static bool parse_group(const char **text, uint16_t *group)
{
    unsigned value = 0, digits = 0;
    for (; digits < 4; digits++, (*text)++) {
        char c = **text;
        if (is_digit(c))
            value = value * 16 + (unsigned)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value * 16 + (unsigned)((c | 32) - 'a' + 10);
        else
            break;
    }
    *group = (uint16_t)value;
    return digits > 0;
}

/* The form with the last four bytes as those of IPv4 is not read. */
bool ip6_parse(const char **text, struct ip_address *address)
{
    uint16_t groups[8] = { 0 };
    unsigned count = 0, gap = 8;
    const char *s = *text;
    if (s[0] == ':' && s[1] != ':')
        return false;
    while (count < 8) {
        if (s[0] == ':' && s[1] == ':') {
            if (gap < 8)
                return false;
            gap = count;
            s += 2;
        } else if (count > 0 && gap != count) {
            if (*s != ':')
                break;
            s++;
        }
        if (!parse_group(&s, &groups[count])) {
            if (gap != count)
                return false;
            break;
        }
        count++;
    }
    if (count < 8 && gap == 8)
        return false;
    struct ip6_bytes bytes = { { 0 } };
    for (unsigned i = 0; i < count; i++)
        write_be16(bytes.bytes + 2 * (i < gap ? i : 8 - count + i), groups[i]);
    *address = ip6_read(bytes);
    *text = s;
    return true;
}
