/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reader of the machine's memory has to know of the kernel that is in it (docs/dumps.md): a list of names and
 * numbers, which are addresses of variables, offsets of members and constants. Each file adds what it owns, with the
 * macros below, at its outermost level; kernel.lds collects it after the header of core/dump.c, by whose magic it is
 * found. Nothing in the kernel reads the list.
 *
 * A name that means something else than before gets another DUMP_VERSION; one that is added does not.
 */
#pragma once

#include "lib/types.h"

#define DUMP_VERSION 1u
#define DUMP_NAME 40u /* bytes of a name with its NUL */

struct dump_value {
    char name[DUMP_NAME];
    uint64_t value;
};

#define DUMP_VALUE(name, value) DUMP_NUMBERED(__COUNTER__, name, (uint64_t)(value))
#define DUMP_ADDRESS(name, variable) DUMP_VALUE(name, (uintptr_t) & (variable))
/* Of a member of a struct, as "STRUCT.MEMBER". */
#define DUMP_OFFSET(type, member) DUMP_VALUE(#type "." #member, offsetof(struct type, member))

/* In .data, since addresses in it are relocated; aligned, so that the compiler leaves no gaps between them. */
#define DUMP_NUMBERED(number, name, value) DUMP_DEFINE(number, name, value)
#define DUMP_DEFINE(number, name, value) \
    static struct dump_value dump_value_##number \
        __attribute__((used, aligned(8), section(".data.dump"))) = { name, value }
