/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and answers of DNS, for dns.c. The question is repeated by its answer byte for byte. Of the records of the
 * answer those count that belong to the name that was asked for, or to the one that it is an alias of, in the order in
 * which they stand. A name's pointers lead to earlier bytes only, so reading one ends, and it is no longer than
 * NAME_MAX. There is no state and no lock here.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "net/bytes.h"
#include "net/dns.h"

/* RFC 1035 4.1.1 and 4.1.3 */
#define HEADER 12u
#define RECORD 10u /* type, class, time to live and length, after the name */
#define FLAG_ANSWER 0x8000u
#define FLAG_CUT 0x0200u
#define FLAG_RECURSION 0x0100u
#define OPERATION 0x7800u
#define CODE 0x000fu
#define CODE_NO_NAME 3u
#define TYPE_ADDRESS 1u
#define TYPE_ALIAS 5u
#define CLASS_INTERNET 1u

#define NAME_MAX 255u /* RFC 1035 2.3.4 */
#define LABEL_MAX 63u
#define POINTER 0xc0u /* RFC 1035 4.1.4 */

struct name {
    size_t length;
    uint8_t bytes[NAME_MAX]; /* lengths and labels, in small letters */
};

static bool is_name_character(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }

/* Puts the label that begins at `text` there: its length, or 0. */
static size_t put_label(uint8_t *to, const char *text)
{
    size_t length = 0;
    while (length <= LABEL_MAX && is_name_character(text[length])) {
        to[1 + length] = (uint8_t)text[length];
        length++;
    }
    to[0] = (uint8_t)length;
    return length <= LABEL_MAX ? length : 0;
}

/* The name's length in the message, or 0. A dot may stand at its end. */
static size_t put_name(uint8_t to[NAME_MAX], const char *name)
{
    size_t at = 0;
    if (strnlen(name, NAME_MAX) > NAME_MAX - 2)
        return 0;
    while (*name) {
        size_t length = put_label(to + at, name);
        at += 1 + length;
        name += length;
        if (length == 0 || (*name && *name++ != '.'))
            return 0;
    }
    to[at] = 0;
    return at > 0 ? at + 1 : 0;
}

size_t dns_make(uint8_t to[DNS_QUESTION_MAX], const char *name, uint16_t id)
{
    memset(to, 0, HEADER);
    write_be16(to, id);
    write_be16(to + 2, FLAG_RECURSION);
    write_be16(to + 4, 1);
    size_t length = put_name(to + HEADER, name);
    if (length == 0)
        return 0;
    write_be16(to + HEADER + length, TYPE_ADDRESS);
    write_be16(to + HEADER + length + 2, CLASS_INTERNET);
    return HEADER + length + 4;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

/* Reads the name at `at`: the position after it, or 0. */
static size_t read_name(const uint8_t *message, size_t length, size_t at, struct name *out)
{
    size_t after = 0, limit = at;
    out->length = 0;
    while (at < length) {
        size_t size = message[at];
        if (size >= POINTER) {
            if (at + 1 >= length)
                return 0;
            after = after ? after : at + 2;
            at = read_be16(message + at) & 0x3fffu;
            if (at >= limit)
                return 0;
            limit = at;
            continue;
        }
        if (size > LABEL_MAX || size + 1 > length - at || size + 1 > NAME_MAX - out->length)
            return 0;
        for (size_t i = 0; i <= size; i++)
            out->bytes[out->length++] = lower(message[at++]);
        if (size == 0)
            return after ? after : at;
    }
    return 0;
}

static bool same_name(const struct name *a, const struct name *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

struct record {
    struct name owner;
    uint16_t type, class, length;
    size_t data;
};

/* Reads the record at *at and moves after it. */
static bool read_record(const uint8_t *message, size_t length, size_t *at, struct record *out)
{
    size_t fixed = read_name(message, length, *at, &out->owner);
    if (fixed == 0 || length - fixed < RECORD)
        return false;
    out->type = read_be16(message + fixed);
    out->class = read_be16(message + fixed + 2);
    out->length = read_be16(message + fixed + 8);
    out->data = fixed + RECORD;
    *at = out->data + out->length;
    return *at <= length;
}

static void add(struct dns_addresses *addresses, ipv4_t address)
{
    for (unsigned i = 0; i < addresses->count; i++)
        if (addresses->items[i] == address)
            return;
    if (addresses->count < DNS_ADDRESSES)
        addresses->items[addresses->count++] = address;
}

/* What follows a damaged record, or one that a server has cut, does not count. */
static int find_addresses(const uint8_t *message, size_t length, size_t at, struct name *wanted,
                          struct dns_addresses *out)
{
    struct record record;
    out->count = 0;
    for (unsigned left = read_be16(message + 6); left > 0; left--) {
        if (!read_record(message, length, &at, &record))
            return out->count > 0 ? 0 : -EBADMSG;
        if (record.class != CLASS_INTERNET || !same_name(&record.owner, wanted))
            continue;
        if (record.type == TYPE_ALIAS && !read_name(message, length, record.data, wanted))
            return out->count > 0 ? 0 : -EBADMSG;
        if (record.type == TYPE_ADDRESS && record.length == sizeof(be32))
            add(out, read_be32(message + record.data));
    }
    return out->count > 0 ? 0 : -ENOENT;
}

static bool answers(const uint8_t *message, size_t length, const uint8_t *question, size_t question_length)
{
    return length >= question_length && read_be16(message) == read_be16(question) &&
           (read_be16(message + 2) & (FLAG_ANSWER | OPERATION)) == FLAG_ANSWER && read_be16(message + 4) == 1 &&
           memcmp(message + HEADER, question + HEADER, question_length - HEADER) == 0;
}

int dns_read(const uint8_t *message, size_t length, const uint8_t *question, size_t question_length,
             struct dns_addresses *out)
{
    struct name wanted;
    if (!answers(message, length, question, question_length))
        return -EAGAIN;
    unsigned flags = read_be16(message + 2);
    if ((flags & CODE) == CODE_NO_NAME)
        return -ENOENT;
    if ((flags & CODE) != 0 || !read_name(question, question_length, HEADER, &wanted))
        return -EBADMSG;
    int result = find_addresses(message, length, question_length, &wanted, out);
    return flags & FLAG_CUT && result != 0 ? -EMSGSIZE : result;
}
