/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/: trees, formatting, numbers, names of errors, hashing and checksums against known answers.
 *
 * check_tree() looks at a whole tree, its order and its links. Run by make test-lib.
 */
#include <stdio.h>

#include "core/log.h"
#include "core/random.h"
#include "host/host.h"
#include "lib/checksum.h"
#include "lib/crc32.h"
#include "lib/date.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "lib/tree.h"

struct element {
    struct tree_node node;
    uint64_t key;
    unsigned order;
};

static bool element_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct element, node)->key < tree_entry(b, struct element, node)->key;
}

#define ELEMENTS 1000
static struct element elements[ELEMENTS];

/* In order, equal keys in order of insertion, links consistent; the number of nodes. */
static unsigned check_tree(struct tree *tree)
{
    unsigned count = 0;
    const struct element *last = NULL;
    for (struct tree_node *node = tree_first(tree); node; node = tree_next(node)) {
        const struct element *e = tree_entry(node, struct element, node);
        if (last && (last->key > e->key || (last->key == e->key && last->order > e->order)))
            return 0;
        if (last && tree_previous(node) != &last->node)
            return 0;
        last = e;
        count++;
    }
    if (tree_last(tree) != (last ? &last->node : NULL))
        return 0;
    return count;
}

static void test_tree(void)
{
    struct tree tree;
    tree_init(&tree, element_before);
    for (unsigned i = 0; i < ELEMENTS; i++) {
        elements[i].key = hash_mix(i) % 300;
        elements[i].order = i;
        tree_insert(&tree, &elements[i].node);
    }
    CHECK_EQUAL(check_tree(&tree), ELEMENTS);
    for (unsigned i = 0; i < ELEMENTS; i += 2)
        tree_remove(&tree, &elements[i].node);
    CHECK_EQUAL(check_tree(&tree), ELEMENTS / 2);
    for (unsigned i = 1; i < ELEMENTS; i += 2)
        tree_remove(&tree, &elements[i].node);
    CHECK(tree_first(&tree) == NULL && tree.root == NULL);
}

static void test_tree_depth(void)
{
    struct tree tree;
    tree_init(&tree, element_before);
    for (unsigned i = 0; i < ELEMENTS; i++) {
        elements[i].key = i; /* the worst order for a plain tree */
        tree_insert(&tree, &elements[i].node);
    }
    unsigned deepest = 0;
    for (unsigned i = 0; i < ELEMENTS; i++) {
        unsigned depth = 0;
        for (struct tree_node *node = &elements[i].node; node; node = node->parent)
            depth++;
        deepest = max_of(deepest, depth);
    }
    CHECK(deepest < 60);
}

#define CHECK_FORMAT(expected, ...) \
    do { \
        char text[64]; \
        int n = format(text, sizeof(text), __VA_ARGS__); \
        if (strcmp(text, expected)) { \
            host_fail(__FILE__, __LINE__, "\"%s\" instead of \"%s\"", text, expected); \
            return; \
        } \
        CHECK_EQUAL(n, strlen(expected)); \
    } while (0)

static void test_format(void)
{
    CHECK_FORMAT("-1 4294967295 ff", "%d %u %x", -1, 4294967295U, 255);
    CHECK_FORMAT("18446744073709551615", "%lu", UINT64_MAX);
    CHECK_FORMAT("-9223372036854775808", "%ld", INT64_MIN);
    CHECK_FORMAT("[   7] [7   ] [0007] [-007]", "[%4d] [%-4d] [%04d] [%04d]", 7, 7, 7, -7);
    CHECK_FORMAT("ab|  ab|abc", "%.2s|%4.2s|%.*s", "abc", "abc", 3, "abcdef");
    CHECK_FORMAT("x%c0", "%c%%c%d", 'x', 0);
    CHECK_FORMAT("0644 DEADbeef", "%04o %X%x", 0644, 0xdead, 0xbeef);
    CHECK_FORMAT("255 -1", "%hhu %hd", 255, -1);
}

static void test_format_truncates(void)
{
    char text[4] = "zzz";
    CHECK_EQUAL(format(text, sizeof(text), "%s", "abcdef"), 6);
    CHECK(!strcmp(text, "abc"));
    CHECK_EQUAL(format(NULL, 0, "%d", 12345), 5);
}

static void test_decimal(void)
{
    uint64_t value = 1;
    CHECK(parse_decimal("18446744073709551615", &value) && value == UINT64_MAX);
    CHECK(!parse_decimal("18446744073709551616", &value));
    CHECK(!parse_decimal("", &value) && !parse_decimal("1x", &value) && !parse_decimal("-1", &value));
    CHECK(parse_decimal("007", &value) && value == 7);
}

/* Every number that the header defines has its name. */
static void test_errno_names(void)
{
    char line[200], name[32];
    int number, found = 0;
    FILE *header = fopen("src/main/c/lib/errno.h", "r");
    CHECK(header != NULL);
    while (fgets(line, sizeof(line), header) != NULL) {
        if (sscanf(line, "#define %31s %d", name, &number) != 2)
            continue;
        CHECK(!strcmp(errno_name(-number), name));
        CHECK_EQUAL(errno_number(name, strlen(name)), number);
        found++;
    }
    fclose(header);
    CHECK(found > 60);
    const int unknown[] = { 0, EIO, -15, -ESTALE - 1, INT32_MIN };
    for (unsigned i = 0; i < array_size(unknown); i++)
        CHECK(!strcmp(errno_name(unknown[i]), "an unknown error"));
    CHECK(!strcmp(errno_name(INT64_MIN), "an unknown error"));
    CHECK(errno_number("EINVAL", 5) == 0 && errno_number("EINVALID", 8) == 0 && errno_number("", 0) == 0);
}

/* SipHash-2-4: the reference vectors of Aumasson and Bernstein: key 00..0f, data 00..n-1. */
static void test_siphash(void)
{
    static const uint64_t expected[] = { 0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
                                         0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
                                         0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462 };
    struct hash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    uint8_t data[16];
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (unsigned n = 0; n < array_size(expected); n++)
        CHECK(siphash(&key, data, n) == expected[n]);

    /* SipHash-1-3 of the same data with a key of zeros is what CPython 3.11 and later return for hash() of bytes when
     * PYTHONHASHSEED is 0. */
    static const struct {
        size_t length;
        uint64_t hash;
    } python[] = { { 1, 0x68a914128e01e473 }, { 4, 0x7cc43f98813e4dbd }, { 7, 0x2f098ab0c751325a },
                   { 8, 0xead411e67ebe2eea }, { 9, 0x75927f9d95124362 }, { 16, 0x8972188433a5c5b7 } };
    static const struct hash_key zeros;
    for (unsigned i = 0; i < array_size(python); i++)
        CHECK(siphash13(&zeros, data, python[i].length) == python[i].hash);
}

/* RFC 1071: the sum of 16-bit numbers in network order, carries added again. */
static uint16_t plain_sum(const uint8_t *data, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += (uint64_t)data[i] << (i % 2 ? 0 : 8);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* Every length beyond some steps of the sum, from every offset, of bytes with and without carries. */
static void test_checksum(void)
{
    uint8_t data[300];
    for (unsigned kind = 0; kind < 3; kind++) {
        for (unsigned i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)(kind == 0 ? 0xff : kind == 1 ? i * 37 + 11 : i % 3 * 0x7f);
        for (unsigned offset = 0; offset < 8; offset++)
            for (unsigned length = 0; length + offset <= sizeof(data); length++)
                CHECK_EQUAL(checksum_fold(checksum_add(0, data + offset, length)), plain_sum(data + offset, length));
    }
    CHECK_EQUAL(checksum_fold(checksum_add(UINT64_MAX, data, 64)), plain_sum(data, 64));
    CHECK_EQUAL(checksum_fold(checksum_add(checksum_add(0, data, 130), data + 130, 77)), plain_sum(data, 207));
}

/* The check value of the catalogues of CRCs (CRC-32/ISO-HDLC), in one piece and in two. */
static void test_crc32(void)
{
    CHECK_EQUAL(crc32_add(0, "", 0), 0);
    CHECK_EQUAL(crc32_add(0, "123456789", 9), 0xcbf43926);
    CHECK_EQUAL(crc32_add(crc32_add(0, "12345", 5), "6789", 4), 0xcbf43926);
}

static void test_dates(void)
{
    static const struct {
        unsigned days;
        struct date date;
    } known[] = {
        { 0, { 1970, 1, 1 } },      { 58, { 1970, 2, 28 } },     { 59, { 1970, 3, 1 } },    { 789, { 1972, 2, 29 } },
        { 11016, { 2000, 2, 29 } }, { 11322, { 2000, 12, 31 } }, { 11323, { 2001, 1, 1 } }, { 17166, { 2016, 12, 31 } },
        { 47540, { 2100, 2, 28 } }, { 47541, { 2100, 3, 1 } },
    };
    for (size_t i = 0; i < array_size(known); i++) {
        struct date date = date_of(known[i].days);
        CHECK_EQUAL(date.year, known[i].date.year);
        CHECK_EQUAL(date.month, known[i].date.month);
        CHECK_EQUAL(date.day, known[i].date.day);
        CHECK_EQUAL(date_days(&date), known[i].days);
    }
    for (unsigned days = 0; days < 100000; days++) {
        struct date date = date_of(days);
        CHECK_EQUAL(date_days(&date), days);
    }
}

int main(void)
{
    host_init();
    host_test("tree keeps order", test_tree);
    host_test("tree stays shallow", test_tree_depth);
    host_test("format", test_format);
    host_test("format truncates", test_format_truncates);
    host_test("parse_decimal", test_decimal);
    host_test("names of errors", test_errno_names);
    host_test("siphash vectors", test_siphash);
    host_test("checksum of every length", test_checksum);
    host_test("cyclic redundancy check", test_crc32);
    host_test("dates", test_dates);
    return host_result();
}
