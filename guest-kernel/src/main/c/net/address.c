/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include "core/log.h"
#include "lib/string.h"

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
