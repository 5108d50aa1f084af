/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/user_data.h"

#include "lib/string.h"
#include "linux/environment.h"

/* A shorter one may as well be NAME= without a value, and is taken for that. */
#define BASE64_SHORTEST 20

/* RFC 1952 2.3.1 */
static bool is_gzip(const char *text, size_t length) { return length >= 2 && memcmp(text, "\x1f\x8b", 2) == 0; }

static bool is_base64_digit(char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/'; }

/* RFC 4648 4, with line breaks. */
static bool is_base64(const char *text, size_t length)
{
    size_t digits = 0, padding = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r' || text[i] == '\n')
            continue;
        if (text[i] == '=')
            padding++;
        else if (padding > 0 || !is_base64_digit(text[i]))
            return false;
        else
            digits++;
    }
    return digits + padding >= BASE64_SHORTEST && padding <= 2 && (digits + padding) % 4 == 0;
}

struct line {
    const char *text;
    size_t length;
};

/* The line at *at, without its end; moves after it. */
static struct line take_line(const char *text, size_t length, size_t *at)
{
    const char *end = memchr(text + *at, '\n', length - *at);
    struct line line = { text + *at, end ? (size_t)(end - (text + *at)) : length - *at };
    *at += line.length + (end ? 1 : 0);
    if (line.length > 0 && line.text[line.length - 1] == '\r')
        line.length--;
    return line;
}

static bool is_skipped(struct line line) { return line.length == 0 || line.text[0] == '#'; }

static const char *check_line(struct line line)
{
    size_t name = environment_name_length(line.text, line.length);
    if (name == 0 || name == line.length || line.text[name] != '=')
        return "is not NAME=VALUE";
    return memchr(line.text, 0, line.length) ? "holds a NUL" : NULL;
}

static const char *check(const char *text, size_t length, unsigned *number)
{
    *number = 0;
    if (is_gzip(text, length))
        return "is compressed; give lines of NAME=VALUE";
    if (is_base64(text, length))
        return "is encoded in base64; give lines of NAME=VALUE";
    for (size_t at = 0; at < length;) {
        struct line line = take_line(text, length, &at);
        const char *problem = is_skipped(line) ? NULL : check_line(line);
        ++*number;
        if (problem)
            return problem;
    }
    return NULL;
}

const char *user_data_read(const char *text, size_t length, user_data_visit *visit, void *context, unsigned *number)
{
    const char *problem = check(text, length, number);
    if (problem)
        return problem;
    for (size_t at = 0; at < length;) {
        struct line line = take_line(text, length, &at);
        if (is_skipped(line))
            continue;
        size_t name = environment_name_length(line.text, line.length);
        visit(context, line.text, name, line.text + name + 1, line.length - name - 1);
    }
    return NULL;
}
