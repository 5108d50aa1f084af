/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/string.h"

size_t string_copy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);
    size_t copied = min_of(length, size - 1);
    memcpy(to, from, copied);
    to[copied] = 0;
    return length;
}

int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool parse_decimal(const char *s, uint64_t *value)
{
    uint64_t v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}
