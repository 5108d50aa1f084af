/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader of DHCPv6 answers; the transaction and an identifier of ours in front would stop it at once, so
 * they are made right. What it believes must be what a machine can have.
 */
#include <string.h>

#include "net/dhcp6.h"
#include "net/ip6.h"

#define FRONT 18u /* bytes: type, transaction, and our identifier as an option */

static void check(const struct dhcp6_answer *answer)
{
    bool sane = answer->server.length <= DHCP6_IDENTIFIER && answer->name_server_count <= DHCP6_NAME_SERVERS &&
                !ip_is_multicast(answer->address) && !ip6_is_link_local(answer->address) &&
                !ip_is_loopback(answer->address) && answer->preferred <= answer->valid &&
                (answer->rebind == 0 || answer->renew <= answer->rebind) &&
                (ip_is_any(answer->address) || answer->valid > 0);
    if (!sane)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
    static const uint8_t front[FRONT] = { DHCP6_REPLY, 0, 0, 7, 0, 1, 0, 10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 2 };
    struct dhcp6_answer answer;
    if (size > 1500)
        return 0;
    /* A copy of exactly the size, so that the sanitizer sees every byte read after it. */
    uint8_t *exact = __builtin_malloc(size + 1);
    memcpy(exact, data, size);
    if (size >= FRONT)
        memcpy(exact, front, FRONT);
    if (dhcp6_read(exact, size, 7, mac, ip6_address(0x20010db800000000u, 1), &answer))
        check(&answer);
    __builtin_free(exact);
    return 0;
}
