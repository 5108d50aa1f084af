/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/string_list.h"

#include "core/heap.h"
#include "lib/string.h"

#define FIRST_CAPACITY 32

static bool grow(struct string_list *list)
{
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    const char **items = heap_allocate_zeroed(capacity * sizeof(*items));
    if (!items)
        return false;
    if (list->items)
        memcpy(items, list->items, list->count * sizeof(*items));
    heap_free(list->items);
    list->items = items;
    list->capacity = capacity;
    return true;
}

bool string_list_add(struct string_list *list, const char *text)
{
    if (list->count + 1 >= list->capacity && !grow(list))
        return false;
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
    return true;
}

const char *const *string_list_array(const struct string_list *list)
{
    static const char *const none[] = { NULL };
    return list->items ? list->items : none;
}
