/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of option.h at work. A table has a few dozen lines and is searched line by line: options are not on a hot
 * path.
 */
#include "net/option.h"

#include "lib/errno.h"
#include "net/net.h"

int option_set_nothing(void *socket, int value)
{
    must_hold_net();
    (void)socket;
    (void)value;
    return 0;
}
int option_get_zero(const void *socket)
{
    must_hold_net();
    (void)socket;
    return 0;
}

static const struct option *find(const struct option_table *table, int name)
{
    for (unsigned i = 0; i < table->count; i++)
        if (table->options[i].name == name)
            return &table->options[i];
    return NULL;
}

int option_set(const struct option_table *table, void *socket, int name, int value)
{
    must_hold_net();
    const struct option *option = find(table, name);
    if (!option)
        return -ENOPROTOOPT;
    bool limited = option->lowest != 0 || option->highest != 0;
    if (limited && (value < option->lowest || value > option->highest))
        return -EINVAL;
    if (option->set)
        return option->set(socket, value);
    void *field = (char *)socket + option->offset;
    switch (option->shape) {
    case OPTION_FLAG:
        *(bool *)field = value != 0;
        return 0;
    case OPTION_BYTE:
        *(uint8_t *)field = (uint8_t)value;
        return 0;
    case OPTION_NUMBER:
        *(int32_t *)field = value;
        return 0;
    case OPTION_SECONDS:
        *(nanoseconds *)field = (nanoseconds)value * NS_PER_SECOND;
        return 0;
    case OPTION_MILLISECONDS:
        *(nanoseconds *)field = (nanoseconds)value * NS_PER_MS;
        return 0;
    case OPTION_COMPUTED:
        break;
    }
    return -ENOPROTOOPT;
}

bool option_may_be_empty(const struct option_table *table, int name)
{
    must_hold_net();
    const struct option *option = find(table, name);
    return !option || !option->not_empty;
}

int option_get(const struct option_table *table, const void *socket, int name, int *value)
{
    must_hold_net();
    const struct option *option = find(table, name);
    if (!option || (option->shape == OPTION_COMPUTED && !option->get))
        return -ENOPROTOOPT;
    const void *field = (const char *)socket + option->offset;
    if (option->get)
        *value = option->get(socket);
    else if (option->shape == OPTION_FLAG)
        *value = *(const bool *)field;
    else if (option->shape == OPTION_BYTE)
        *value = *(const uint8_t *)field;
    else if (option->shape == OPTION_NUMBER)
        *value = *(const int32_t *)field;
    else
        *value = (int)(*(const nanoseconds *)field / (option->shape == OPTION_SECONDS ? NS_PER_SECOND : NS_PER_MS));
    return 0;
}
