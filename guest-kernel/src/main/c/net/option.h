/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket options as tables: each line says where an option is kept, in which unit, and what may be set. An option that
 * is not only kept has functions of its own. All under the net lock.
 */
#pragma once

#include "lib/types.h"

enum option_shape {
    OPTION_FLAG,   /* a bool: anything but 0 sets it */
    OPTION_BYTE,   /* a uint8_t */
    OPTION_NUMBER, /* an int32_t or uint32_t */
    OPTION_SECONDS,
    OPTION_MILLISECONDS, /* nanoseconds; the program counts in these */
    OPTION_COMPUTED,     /* kept nowhere: only the functions count; without set(): -ENOPROTOOPT */
};

struct option {
    int name;
    enum option_shape shape;
    uint16_t offset;                     /* of the field, in bytes from the socket's start */
    bool not_empty;                      /* a value of no bytes, which IP takes for 0, is -EINVAL */
    int lowest, highest;                 /* values beyond are -EINVAL; both 0: none are */
    int (*set)(void *socket, int value); /* instead of keeping it: 0 or -errno */
    int (*get)(const void *socket);      /* instead of reading the field */
};
struct option_table {
    const struct option *options;
    unsigned count;
};

#define OPTION_AT(name_, shape_, type, field, ...) \
    { \
        .name = (name_), .shape = (shape_), .offset = offsetof(type, field), __VA_ARGS__ \
    }
/* clang-format off */
#define OPTION_OF(name_, ...) { .name = (name_), .shape = OPTION_COMPUTED, __VA_ARGS__ }
/* clang-format on */

/* set() and get() of an option that has no effect, and that always reads as 0. */
int option_set_nothing(void *socket, int value);
int option_get_zero(const void *socket);

/* 0, -EINVAL, -ENOPROTOOPT (no such option, or one that cannot be set), or what set() says. */
int option_set(const struct option_table *table, void *socket, int name, int value);
bool option_may_be_empty(const struct option_table *table, int name);
/* 0, or -ENOPROTOOPT. */
int option_get(const struct option_table *table, const void *socket, int name, int *value);
