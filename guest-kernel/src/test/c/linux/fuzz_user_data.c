/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of user data: what is visited lies inside the text, and a refused text visits nothing. */
#include <string.h>

#include "linux/environment.h"
#include "linux/user_data.h"

static const char *start, *end;
static unsigned visited;

static void visit(void *context, const char *name, size_t name_length, const char *value, size_t value_length)
{
    if (context != &visited || name < start || value != name + name_length + 1 || value[-1] != '=' ||
        value + value_length > end || environment_name_length(name, name_length) != name_length ||
        memchr(value, '\n', value_length) || memchr(value, 0, value_length))
        __builtin_trap();
    visited++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned line;
    char *exact = __builtin_malloc(size + 1);
    memcpy(exact, data, size);
    start = exact;
    end = exact + size;
    visited = 0;
    if (user_data_read(exact, size, visit, &visited, &line) != NULL && visited > 0)
        __builtin_trap();
    __builtin_free(exact);
    return 0;
}
