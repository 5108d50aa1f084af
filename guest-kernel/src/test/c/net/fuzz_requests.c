/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of HTTP requests: it decides by HTTP_HEADER_MAX bytes, and more bytes do not change its answer. */
#include <stdlib.h>
#include <string.h>

#include "host/fuzz.h"
#include "net/http.h"

static unsigned read_exactly(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    unsigned status = http_request_read(exact, size, "/metrics");
    free(exact);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned whole = read_exactly(data, size), half = read_exactly(data, size / 2);
    if (size >= HTTP_HEADER_MAX && whole == 0)
        abort();
    if (half != 0 && half != HTTP_HEADER_TOO_LARGE && half != whole)
        abort();
    return 0;
}
