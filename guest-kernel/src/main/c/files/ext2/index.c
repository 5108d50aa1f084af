/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a big directory: a hash table of offsets of its entries, so that looking each of n
 * names up once does not read the directory n times. A few bytes an entry; freed with the inode.
 */
#include "core/heap.h"
#include "core/random.h"
#include "files/ext2/internal.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "threads/thread.h"

#define ENTRIES_AT_ONCE 64u /* looked at before others may run */

struct slot {
    uint32_t hash;
    uint32_t offset_plus_one; /* 0: empty */
};
struct ext2_index {
    struct hash_key key;
    uint32_t mask; /* slots - 1; at most half of them are used */
    uint32_t used;
    struct slot slots[];
};

static uint32_t hash_of(const struct ext2_index *index, const char *name, size_t length)
{
    return (uint32_t)siphash13(&index->key, name, length);
}

static void enter(struct ext2_index *index, const char *name, size_t length, uint32_t offset)
{
    uint32_t hash = hash_of(index, name, length);
    uint32_t i = hash & index->mask;
    while (index->slots[i].offset_plus_one)
        i = (i + 1) & index->mask;
    index->slots[i] = (struct slot){ hash, offset + 1 };
    index->used++;
}

bool ext2_index_add(struct ext2_index *index, const char *name, size_t length, uint64_t offset)
{
    if (index->used >= (index->mask + 1) / 2 || offset >= UINT32_MAX)
        return false;
    enter(index, name, length, (uint32_t)offset);
    return true;
}

/* Visits entries in use; `index` NULL: only counts. */
static int each_entry(struct inode *directory, struct ext2_index *index, uint32_t *count)
{
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    uint64_t offset = 0;
    *count = 0;
    for (;;) {
        uint32_t at = (uint32_t)offset;
        int error = ext2_next_entry(directory, &offset, &entry, name);
        if (error)
            return error == -ENOENT ? 0 : error;
        if (!entry.inode)
            continue;
        if (++*count % ENTRIES_AT_ONCE == 0)
            give_way();
        if (!index)
            continue;
        if (index->used >= (index->mask + 1) / 2)
            return -EIO; /* the device returned other contents than before */
        enter(index, name, entry.name_length, at);
    }
}

struct ext2_index *ext2_index_build(struct inode *directory)
{
    uint32_t count, size = 64;
    if (directory->size >= UINT32_MAX || each_entry(directory, NULL, &count))
        return NULL;
    /* With room for as many names again where there may be new ones. */
    while (size < (ext2_of(directory)->writable ? 4UL : 2UL) * count)
        size *= 2;
    struct ext2_index *index = heap_allocate_zeroed(sizeof(*index) + size * sizeof(struct slot));
    if (!index)
        return NULL;
    random_bytes(&index->key, sizeof(index->key));
    index->mask = size - 1;
    if (each_entry(directory, index, &count)) {
        heap_free(index);
        return NULL;
    }
    return index;
}

int ext2_index_find(struct inode *directory, const struct ext2_index *index, const char *name, size_t length,
                    uint32_t *number, uint64_t *place)
{
    uint32_t hash = hash_of(index, name, length);
    for (uint32_t i = hash & index->mask; index->slots[i].offset_plus_one; i = (i + 1) & index->mask) {
        if (index->slots[i].hash != hash)
            continue;
        struct ext2_entry entry;
        char found[NAME_LIMIT];
        uint64_t offset = index->slots[i].offset_plus_one - 1;
        int error = ext2_next_entry(directory, &offset, &entry, found);
        if (error)
            return error == -ENOENT ? -EIO : error;
        if (entry.inode && entry.name_length == length && memcmp(found, name, length) == 0) {
            *number = entry.inode;
            *place = index->slots[i].offset_plus_one - 1;
            return 0;
        }
    }
    return -ENOENT;
}

void ext2_index_free(struct ext2_index *index) { heap_free(index); }
