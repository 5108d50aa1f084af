/* SPDX-License-Identifier: Apache-2.0 */
/* Randomness of the host shim: Linux's. Left out where core/random.c itself is tested. */
#include <stdlib.h>
#include <sys/random.h>

#include "core/random.h"
#include "host/host.h"

unsigned host_random_credited;

void random_credit(const void *data, size_t length, unsigned bits, enum random_source source)
{
    (void)source;
    host_random_credited += bits;
    random_add(data, length);
}

unsigned host_random_expected;

void random_expect(enum random_source source) { host_random_expected |= 1u << source; }

void random_event(uint32_t what) { (void)what; }

void random_add(const void *data, size_t length)
{
    (void)data;
    (void)length;
}

void random_bytes(void *to, size_t length)
{
    if (getrandom(to, length, 0) != (ssize_t)length)
        abort();
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
    return value;
}

uint64_t random_below(uint64_t limit) { return random_u64() % limit; }
