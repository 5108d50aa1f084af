/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of DHCP answers; the fixed fields that would stop it at once are made right. */
#include <string.h>

#include "net/address.h"
#include "net/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
    uint8_t message[1500];
    struct dhcp_answer answer;
    if (size > sizeof(message))
        return 0;
    memcpy(message, data, size);
    if (size >= 240) {
        message[0] = 2;
        write_be32(message + 4, 7);
        memcpy(message + 28, mac, 6);
        write_be32(message + 236, 0x63825363);
    }
    /* A copy of exactly the size, so that the sanitizer sees every byte read after it. */
    uint8_t *exact = __builtin_malloc(size + 1);
    memcpy(exact, message, size);
    if (dhcp_read(exact, size, 7, mac, &answer) && answer.configuration.prefix > 33)
        __builtin_trap();
    __builtin_free(exact);
    return 0;
}
