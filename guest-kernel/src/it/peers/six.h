/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What six.c or dhcp6 (on Linux) and six_target.c (in the guest) agree on: TCP and UDP at SIX_PORT of every address. On
 * a connection comes one command, a line, and then what it says:
 *
 *   send N         the guest sends N bytes of the pattern and closes
 *   take N         N bytes of the pattern follow; the guest answers "ok" or "bad"
 *   call PORT N    the guest connects to that port of the other end, sends N bytes of the pattern there, and answers
 *   names          the guest sends its resolv.conf
 *
 * Datagrams come back as they are.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define SIX_PORT 8080

static inline uint8_t six_byte(size_t at) { return (uint8_t)(at * 31 + (at >> 8) + (at >> 16)); }

/* Writes so many bytes of the pattern. Not 0: it failed. */
static inline int six_send(int file, size_t length)
{
    uint8_t bytes[8192];
    for (size_t done = 0; done < length;) {
        size_t size = length - done < sizeof(bytes) ? length - done : sizeof(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = six_byte(done + i);
        ssize_t written = write(file, bytes, size);
        if (written <= 0)
            return -1;
        done += (size_t)written;
    }
    return 0;
}

/* Reads so many. Not 0: there were fewer, or others. */
static inline int six_take(int file, size_t length)
{
    uint8_t bytes[8192];
    for (size_t done = 0; done < length;) {
        size_t size = length - done < sizeof(bytes) ? length - done : sizeof(bytes);
        ssize_t count = read(file, bytes, size);
        if (count <= 0)
            return -1;
        for (ssize_t i = 0; i < count; i++)
            if (bytes[i] != six_byte(done + (size_t)i))
                return -1;
        done += (size_t)count;
    }
    return 0;
}
