/* SPDX-License-Identifier: Apache-2.0 */
/* A growing list of strings, in the form in which argv and the environment are handed over. Not shared between threads.
 * */
#pragma once

#include "lib/types.h"

/* All zero: empty. */
struct string_list {
    const char **items; /* NULL-terminated; NULL while nothing was ever added */
    size_t count, capacity;
};

/* Adds the string itself, not a copy. False: no memory. */
must_check bool string_list_add(struct string_list *list, const char *text);
/* The NULL-terminated array, also of an empty list. Valid until the next addition. */
const char *const *string_list_array(const struct string_list *list);
