/* SPDX-License-Identifier: Apache-2.0 */
#include "core/heap.h"
#include "files/text.h"
#include "lib/string.h"

void text_init(struct text *text) { *text = (struct text){ 0 }; }
void text_free(struct text *text) { heap_free(text->data); }

static bool make_room(struct text *text, size_t length)
{
    if (text->failed)
        return false;
    size_t size = max_of(text->size, (size_t)256);
    while (size - text->length < length)
        size *= 2;
    if (size == text->size)
        return true;
    char *data = heap_allocate_at(size, PAGES_NEEDED);
    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->length)
        memcpy(data, text->data, text->length);
    heap_free(text->data);
    text->data = data;
    text->size = size;
    return true;
}

void text_bytes(struct text *text, const void *data, size_t length)
{
    if (!length || !make_room(text, length))
        return;
    memcpy(text->data + text->length, data, length);
    text->length += length;
}

void text_print(struct text *text, const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_start(args, fmt);
    int length = format_va(line, sizeof(line), fmt, args);
    va_end(args);
    if (length < (int)sizeof(line)) {
        text_bytes(text, line, (size_t)length);
        return;
    }
    if (!make_room(text, (size_t)length + 1))
        return;
    va_start(args, fmt);
    format_va(text->data + text->length, (size_t)length + 1, fmt, args);
    va_end(args);
    text->length += (size_t)length;
}
