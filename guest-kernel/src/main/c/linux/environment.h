/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of the process: what the image bakes in, and which variables may come from outside
 * (docs/configuration.md). Used while booting, by one thread.
 */
#pragma once

#include "linux/string_list.h"

/* All zero: empty, and nothing is allowed. */
struct environment {
    struct string_list variables; /* NAME=VALUE, each name once */
    struct string_list allowed;   /* NAME or PREFIX* */
};

/* The length of the name that `text` begins with, which consists of letters, digits and _ and does not begin with a
 * digit (POSIX 8.1, with small letters); 0 if there is none. Looks at `limit` bytes at most. */
size_t environment_name_length(const char *text, size_t limit);
/* Sets NAME=VALUE, which must stay; it takes the place of another value. False: no memory. */
must_check bool environment_set(struct environment *environment, const char *variable);
/* Allows NAME or PREFIX*; the text must stay. If it returns false *problem says why. */
must_check bool environment_allow(struct environment *environment, const char *pattern, const char **problem);
/*
 * May this variable come from outside? A pattern never covers the variables that steer the loader, the C library
 * or the JVM, such as LD_PRELOAD and JAVA_TOOL_OPTIONS; those must be allowed by their whole name.
 */
bool environment_allows(const struct environment *environment, const char *name, size_t length);
