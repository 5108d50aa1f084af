/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's printf: one walk over the format, in which each directive is parsed into a struct directive and then
 * takes its argument. put() counts each character and stores only what fits, so the result is the untruncated length
 * and nothing beyond `size` is written. Of a directive that is not known only the letter is printed; the compiler
 * checks formats (lib/types.h: printf_like).
 *
 * It allocates nothing, and has no state and no locks, so any context may call it, a panic too: the log (log.c),
 * files/text.c and whatever else needs a short text.
 */
#include "lib/format.h"
#include "lib/string.h"

struct output {
    char *to;
    size_t size;
    size_t length; /* what has been produced, whether or not it fitted */
};

struct directive {
    bool left, zero;
    int width;
    int precision; /* -1: none */
    int size;      /* bytes of the integer argument */
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->to[out->length] = c;
    out->length++;
}

static void put_padded(struct output *out, const char *text, int length, const struct directive *d, char pad)
{
    int padding = d->width > length ? d->width - length : 0;
    if (!d->left)
        for (; padding; padding--)
            put(out, pad);
    for (int i = 0; i < length; i++)
        put(out, text[i]);
    for (; padding; padding--)
        put(out, ' ');
}

static void put_number(struct output *out, uint64_t value, bool negative, unsigned base, bool upper,
                       const struct directive *d)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    int at = sizeof(text);
    do
        text[--at] = digits[value % base];
    while (value /= base);
    if (d->zero && !d->left)
        while ((int)sizeof(text) - at < d->width - negative && at > 1)
            text[--at] = '0';
    if (negative)
        text[--at] = '-';
    put_padded(out, text + at, sizeof(text) - at, d, ' ');
}

static uint64_t next_unsigned(va_list *args, int size)
{
    if (size == 8)
        return va_arg(*args, uint64_t);
    unsigned value = va_arg(*args, unsigned);
    return size == 1 ? (uint8_t)value : size == 2 ? (uint16_t)value : value;
}

static int64_t next_signed(va_list *args, int size)
{
    if (size == 8)
        return va_arg(*args, int64_t);
    int value = va_arg(*args, int);
    return size == 1 ? (int8_t)value : size == 2 ? (int16_t)value : value;
}

static const char *parse(const char *fmt, struct directive *d, va_list *args)
{
    *d = (struct directive){ .precision = -1, .size = 4 };
    for (;; fmt++) {
        if (*fmt == '-')
            d->left = true;
        else if (*fmt == '0')
            d->zero = true;
        else
            break;
    }
    if (*fmt == '*') {
        d->width = va_arg(*args, int);
        fmt++;
    }
    while (is_digit(*fmt))
        d->width = d->width * 10 + *fmt++ - '0';
    if (*fmt == '.') {
        d->precision = 0;
        if (*++fmt == '*') {
            d->precision = va_arg(*args, int);
            fmt++;
        }
        while (is_digit(*fmt))
            d->precision = d->precision * 10 + *fmt++ - '0';
    }
    for (;; fmt++) {
        if (*fmt == 'l' || *fmt == 'z')
            d->size = 8;
        else if (*fmt == 'h')
            d->size /= 2;
        else
            return fmt;
    }
}

static void put_string(struct output *out, const char *text, const struct directive *d)
{
    if (!text)
        text = "(null)";
    size_t limit = d->precision < 0 ? SIZE_MAX : (size_t)d->precision;
    put_padded(out, text, (int)strnlen(text, limit), d, ' ');
}

static void put_directive(struct output *out, char kind, const struct directive *d, va_list *args)
{
    switch (kind) {
    case 'd':
    case 'i': {
        int64_t value = next_signed(args, d->size);
        put_number(out, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10, false, d);
        return;
    }
    case 'u':
        put_number(out, next_unsigned(args, d->size), false, 10, false, d);
        return;
    case 'x':
    case 'X':
        put_number(out, next_unsigned(args, d->size), false, 16, kind == 'X', d);
        return;
    case 'o':
        put_number(out, next_unsigned(args, d->size), false, 8, false, d);
        return;
    case 'p':
        put(out, '0');
        put(out, 'x');
        put_number(out, (uint64_t)(uintptr_t)va_arg(*args, void *), false, 16, false, d);
        return;
    case 's':
        put_string(out, va_arg(*args, const char *), d);
        return;
    case 'c': {
        char c = (char)va_arg(*args, int);
        put_padded(out, &c, 1, d, ' ');
        return;
    }
    default:
        put(out, kind);
    }
}

int format_va(char *to, size_t size, const char *fmt, va_list args)
{
    struct output out = { to, size, 0 };
    struct directive d;
    va_list rest;
    va_copy(rest, args);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&out, *fmt);
            continue;
        }
        fmt = parse(fmt + 1, &d, &rest);
        if (!*fmt)
            break;
        put_directive(&out, *fmt, &d, &rest);
    }
    va_end(rest);
    if (size)
        to[min_of(out.length, size - 1)] = 0;
    return (int)out.length;
}

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = format_va(to, size, fmt, args);
    va_end(args);
    return length;
}
