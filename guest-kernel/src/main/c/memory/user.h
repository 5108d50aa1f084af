/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only ways kernel code touches user memory. They check that the range lies below USER_LIMIT,
 * serve page faults on the way (so they may sleep: no spinlock, no address_space mutex may be held),
 * give way (threads/thread.h) after each USER_PIECE bytes, and fail with -EFAULT where the address is not mapped
 * accordingly.
 */
#pragma once

#include "lib/types.h"
#include "platform/platform.h"

/*
 * The one check of a number from the program that becomes an address. A range: [start, start + length) is in the user
 * half, without wrapping. An address that passes is canonical, and not one of the kernel's.
 */
static inline bool user_range_ok(uintptr_t start, size_t length)
{
    return start < USER_LIMIT && length <= USER_LIMIT - start;
}
static inline bool user_address_ok(uintptr_t address) { return address < USER_LIMIT; }

#define USER_PIECE (16u << 10)

must_check int user_read(void *to, uintptr_t from, size_t length);
must_check int user_write(uintptr_t to, const void *from, size_t length);
/*
 * In one step, which no other CPU's access divides: puts `value` into an aligned word if `expected` is there; *found is
 * what was there.
 */
must_check int user_exchange(uintptr_t address, uint32_t expected, uint32_t value, uint32_t *found);
must_check int user_clear(uintptr_t to, size_t length);
/* Copies a NUL-terminated string of at most size - 1 bytes. Returns its length, -EFAULT, or
 * -ENAMETOOLONG. */
must_check ssize_type user_read_string(char *to, uintptr_t from, size_t size);

#define user_get(variable, address) user_read((variable), (address), sizeof(*(variable)))
#define user_put(address, variable) user_write((address), (variable), sizeof(*(variable)))
