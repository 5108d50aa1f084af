/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardware entropy: RDSEED where there is one, else RDRAND (Intel SDM 1 7.3.17). RDRAND is the output of a
 * generator, so a seed takes several of its numbers; what they hold is still real.
 */
#include "lib/string.h"
#include "platform/platform.h"
#include "platform/x86/processor.h"

#define HAS_RDRAND (1u << 30) /* leaf 1 ecx */
#define HAS_RDSEED (1u << 18) /* leaf 7 ebx */
/* RDRAND fails ten times in a row only when broken (SDM 1 7.3.17.1); RDSEED just runs dry. */
#define ATTEMPTS 32

static bool rdseed(uint64_t *value)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        bool ok;
        __asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
        if (ok)
            return true;
        __builtin_ia32_pause();
    }
    return false;
}

static bool rdrand(uint64_t *value)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        bool ok;
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
        if (ok)
            return true;
    }
    return false;
}

size_t platform_entropy(void *to, size_t length)
{
    bool has_rdseed = processor_identify(7, 0).ebx & HAS_RDSEED;
    bool has_rdrand = processor_identify(1, 0).ecx & HAS_RDRAND;
    size_t done = 0;
    while (done < length) {
        uint64_t value;
        if (!(has_rdseed && rdseed(&value)) && !(has_rdrand && rdrand(&value)))
            break;
        size_t n = min_of(sizeof(value), length - done);
        memcpy((uint8_t *)to + done, &value, n);
        done += n;
    }
    return done;
}
