/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of DNS answers, which begin with the right question as often as not. */
#include <stdlib.h>
#include <string.h>

#include "host/fuzz.h"
#include "lib/errno.h"
#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t question[DNS_QUESTION_MAX];
    size_t question_length = dns_make(question, "a.example", 1);
    bool repeated = size > 0 && data[0] & 1;
    size_t length = size + (repeated ? question_length : 0);
    uint8_t *exact = malloc(length ? length : 1);
    if (repeated) {
        memcpy(exact, question, question_length);
        memcpy(exact + question_length, data, size);
        exact[2] |= 0x80;
        exact[7] = data[0] >> 1;
    } else {
        memcpy(exact, data, size);
    }
    struct dns_addresses addresses;
    int result = dns_read(exact, length, question, question_length, &addresses);
    if (result != 0 && result != -ENOENT && result != -EAGAIN && result != -EMSGSIZE && result != -EBADMSG)
        abort();
    if (result == 0 && (addresses.count == 0 || addresses.count > DNS_ADDRESSES))
        abort();
    free(exact);
    return 0;
}
