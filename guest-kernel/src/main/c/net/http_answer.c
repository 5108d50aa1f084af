/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an HTTP answer, for http.c, which calls http_answer_read() with all that has come so far each time that more
 * comes. So there is no state here, no clock and no lock, and nothing sleeps.
 *
 * The text needs no NUL and is not trusted: nothing beyond its length is looked at, the header must end within
 * HTTP_HEADER_MAX, and the body of an answer with status 200 must have one length, no more than the caller's limit.
 * Lengths are cut at LENGTH_LIMIT, so no sum overflows.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/http.h"

#define LENGTH_LIMIT (1UL << 32) /* larger bodies are larger than any limit */

/* A part of the answer: no NUL after it. */
struct part {
    const char *text;
    size_t length;
};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

static bool same_name(struct part part, const char *name)
{
    for (size_t i = 0; i < part.length; i++)
        if (name[i] == 0 || lower(part.text[i]) != name[i])
            return false;
    return name[part.length] == 0;
}

/* "HTTP/1.1 200 OK": RFC 9112 4. The text after the number means nothing. */
static bool read_status(struct part line, unsigned *status)
{
    static const char version[] = "HTTP/1.";
    const char *s = line.text;
    if (line.length < 12 || memcmp(s, version, sizeof(version) - 1) != 0 || !is_digit(s[7]) || s[8] != ' ')
        return false;
    if (!is_digit(s[9]) || !is_digit(s[10]) || !is_digit(s[11]) || (line.length > 12 && s[12] != ' '))
        return false;
    *status = (unsigned)(s[9] - '0') * 100 + (unsigned)(s[10] - '0') * 10 + (unsigned)(s[11] - '0');
    return *status >= 100;
}

static struct part trimmed(struct part part)
{
    while (part.length > 0 && (*part.text == ' ' || *part.text == '\t'))
        part = (struct part){ part.text + 1, part.length - 1 };
    while (part.length > 0 && (part.text[part.length - 1] == ' ' || part.text[part.length - 1] == '\t'))
        part.length--;
    return part;
}

static bool read_length(struct part value, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (!is_digit(value.text[i]))
            return false;
        *length = min_of(*length * 10 + (uint64_t)(value.text[i] - '0'), LENGTH_LIMIT);
    }
    return value.length > 0;
}

struct header {
    unsigned status;
    bool has_length, coded;
    uint64_t length;
};

/* RFC 9112 5 and 6.3: two lengths that differ are an attack or a fault. */
static bool read_field(struct part line, struct header *header)
{
    const char *colon = memchr(line.text, ':', line.length);
    if (!colon || colon == line.text)
        return false;
    struct part name = { line.text, (size_t)(colon - line.text) };
    struct part value = trimmed((struct part){ colon + 1, line.length - name.length - 1 });
    if (same_name(name, "transfer-encoding"))
        header->coded = true;
    if (!same_name(name, "content-length"))
        return true;
    uint64_t before = header->length;
    bool again = header->has_length;
    header->has_length = true;
    return read_length(value, &header->length) && (!again || header->length == before);
}

/* Takes the line at *at; false: it has not arrived whole. A bare line feed ends it too (RFC 9112 2.2). */
static bool next_line(const char *text, size_t length, size_t *at, struct part *line)
{
    const char *end = memchr(text + *at, '\n', length - *at);
    if (!end)
        return false;
    *line = (struct part){ text + *at, (size_t)(end - (text + *at)) };
    if (line->length > 0 && line->text[line->length - 1] == '\r')
        line->length--;
    *at = (size_t)(end - text) + 1;
    return true;
}

/* 1: the header is whole and `*at` is after it; 0: more is to come; -EBADMSG. */
static int read_header(const char *text, size_t length, size_t *at, struct header *header)
{
    struct part line;
    if (!next_line(text, length, at, &line))
        return 0;
    if (!read_status(line, &header->status))
        return -EBADMSG;
    while (next_line(text, length, at, &line)) {
        if (line.length == 0)
            return 1;
        if (!read_field(line, header))
            return -EBADMSG;
    }
    return 0;
}

int http_answer_read(const char *text, size_t length, size_t limit, struct http_answer *out)
{
    struct header header = { 0 };
    size_t at = 0;
    int whole = read_header(text, min_of(length, (size_t)HTTP_HEADER_MAX), &at, &header);
    if (whole < 0)
        return whole;
    if (whole == 0)
        return length >= HTTP_HEADER_MAX ? -EMSGSIZE : 0;
    *out = (struct http_answer){ .status = header.status, .body = at };
    if (header.status != HTTP_OK)
        return 1;
    if (header.coded)
        return -EOPNOTSUPP;
    if (!header.has_length)
        return -EBADMSG;
    if (header.length > limit)
        return -EMSGSIZE;
    out->body_length = header.length;
    return length - at >= header.length;
}
