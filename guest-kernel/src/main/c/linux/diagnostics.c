/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/diagnostics.h"

#include "core/lock_statistics.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/profile_output.h"
#include "linux/syscalls.h"
#include "net/capture.h"
#include "threads/profile.h"

static int set_trace(const char *value) { return system_calls_trace(value) ? 0 : -EINVAL; }
static int set_capture(const char *value) { return capture_parse(value) ? 0 : -EINVAL; }
static int set_lockstat(const char *value) { return lock_statistics_parse(value) ? 0 : -EINVAL; }

static int set_profile(const char *value)
{
    uint64_t hz;
    return profile_parse(value, &hz) ? profile_output_set(hz) : -EINVAL;
}

static const struct {
    const char *name;
    int (*set)(const char *value);
} switches[DIAGNOSTICS] = {
    { "trace", set_trace },
    { "capture", set_capture },
    { "profile", set_profile },
    { "lockstat", set_lockstat },
};

int diagnostics_find(const char *name, size_t length)
{
    for (unsigned i = 0; i < DIAGNOSTICS; i++)
        if (strlen(switches[i].name) == length && !memcmp(switches[i].name, name, length))
            return (int)i;
    return -1;
}

bool diagnostics_parse(const char *text, unsigned *allowed)
{
    *allowed = 0;
    for (;;) {
        const char *blank = strchr(text, ' ');
        int number = diagnostics_find(text, blank ? (size_t)(blank - text) : strlen(text));
        if (number < 0)
            return false;
        *allowed |= 1u << number;
        if (!blank)
            return true;
        text = blank + 1;
    }
}

int diagnostics_set(unsigned number, const char *value) { return switches[number].set(value); }
