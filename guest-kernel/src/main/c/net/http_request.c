/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an HTTP request, for metrics.c, which calls http_request_read() with all that has come so far each time that
 * more comes. So there is no state here, no clock and no lock, and nothing sleeps. The text needs no NUL and is not
 * trusted: nothing beyond its length is looked at. Of the fields after the request line only the end is looked for.
 */
#include "lib/string.h"
#include "net/http.h"

/* The position after the empty line that ends the header, or 0. A bare line feed ends a line too (RFC 9112 2.2). */
static size_t header_end(const char *text, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        if (text[at] != '\n')
            continue;
        size_t next = at + 1 < length && text[at + 1] == '\r' ? at + 2 : at + 1;
        if (next < length && text[next] == '\n')
            return next + 1;
    }
    return 0;
}

/* The first word of the line's rest: its length; the rest begins after the blank. */
static size_t word_length(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] > ' ' && text[n] <= '~')
        n++;
    return n;
}

static bool is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* "HTTP/1.1" at the end of the line. */
static bool version_valid(const char *text, size_t length)
{
    static const char name[] = "HTTP/1.";
    if (length > 0 && text[length - 1] == '\r')
        length--;
    return length == sizeof(name) && memcmp(text, name, sizeof(name) - 1) == 0 && is_digit(text[length - 1]);
}

/* "GET /metrics HTTP/1.1" (RFC 9112 3), without its line feed. */
static unsigned read_line(const char *line, size_t length, const char *path)
{
    size_t method = word_length(line, length);
    if (method == 0 || method == length || line[method] != ' ')
        return HTTP_BAD_REQUEST;
    const char *target = line + method + 1;
    size_t rest = length - method - 1, target_length = word_length(target, rest);
    if (target_length == 0 || target_length == rest || target[target_length] != ' ' ||
        !version_valid(target + target_length + 1, rest - target_length - 1))
        return HTTP_BAD_REQUEST;
    if (!is(line, method, "GET"))
        return HTTP_METHOD_NOT_ALLOWED;
    const char *query = memchr(target, '?', target_length);
    return is(target, query ? (size_t)(query - target) : target_length, path) ? HTTP_OK : HTTP_NOT_FOUND;
}

unsigned http_request_read(const char *text, size_t length, const char *path)
{
    const char *line_end = memchr(text, '\n', min_of(length, (size_t)HTTP_HEADER_MAX));
    if (!line_end)
        return length >= HTTP_HEADER_MAX ? HTTP_HEADER_TOO_LARGE : 0;
    unsigned status = read_line(text, (size_t)(line_end - text), path);
    if (status == HTTP_BAD_REQUEST || header_end(text, min_of(length, (size_t)HTTP_HEADER_MAX)))
        return status;
    return length >= HTTP_HEADER_MAX ? HTTP_HEADER_TOO_LARGE : 0;
}
