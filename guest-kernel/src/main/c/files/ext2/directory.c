/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of the ext2 root: looking a name up, by the index of a large directory (index.c), and listing. The disk
 * is not trusted: ext2_next_entry() checks each entry before it is used, and an unsound one ends the walk with -EIO.
 *
 * Called through the inode's operations, which may sleep for a block; lookups come under the mutex "namespace", which
 * keeps an index from being made twice. The disk does not change, so there is no other lock.
 */
#include "files/ext2/internal.h"
#include "lib/string.h"

/* The page with the byte of a directory, and where the byte lies in what the page is of. Directories that can be
 * changed are read as blocks of metadata, others as files. */
static struct page *page_with(struct inode *directory, uint64_t at, uint64_t *place, int *error)
{
    struct ext2 *ext2 = ext2_of(directory);
    uint32_t block;
    *place = at;
    if (!ext2->writable)
        return page_cache_get(&directory->pages, (uint32_t)(at >> PAGE_SHIFT), error);
    int found = ext2_map(ext2_inode_of(directory), at >> ext2->block_shift, &block, 1);
    *error = found < 0 ? found : block == 0 ? -EIO : 0;
    if (*error)
        return NULL;
    *place = ((uint64_t)block << ext2->block_shift) + (at & (ext2->block_size - 1));
    return page_cache_get(&ext2->cache.pages, (uint32_t)(*place >> PAGE_SHIFT), error);
}

int ext2_next_entry(struct inode *directory, uint64_t *offset, struct ext2_entry *entry, char *name)
{
    struct ext2 *ext2 = ext2_of(directory);
    uint64_t at = *offset;
    if (at >= directory->size)
        return -ENOENT;
    uint64_t left = ext2->block_size - (at & (ext2->block_size - 1));
    left = min_of(left, directory->size - at);
    if (left < EXT2_ENTRY_HEADER || at & 3)
        return -EIO;
    int error;
    uint64_t place;
    struct page *page = page_with(directory, at, &place, &error);
    if (!page)
        return error;
    const char *data = (char *)page_data(page) + (place & PAGE_MASK);
    memcpy(entry, data, sizeof(*entry));
    bool sound = entry->record_length >= EXT2_ENTRY_HEADER && entry->record_length % 4 == 0 &&
                 entry->record_length <= left && entry->name_length + EXT2_ENTRY_HEADER <= entry->record_length;
    if (sound)
        memcpy(name, data + EXT2_ENTRY_HEADER, entry->name_length);
    page_put(page);
    if (!sound)
        return -EIO;
    *offset = at + entry->record_length;
    return 0;
}

static int scan(struct inode *directory, const char *name, size_t length, uint32_t *number, uint64_t *place)
{
    uint64_t offset = 0;
    struct ext2_entry entry;
    char found[NAME_LIMIT];
    for (;;) {
        *place = offset;
        int error = ext2_next_entry(directory, &offset, &entry, found);
        if (error)
            return error;
        if (entry.inode && entry.name_length == length && memcmp(found, name, length) == 0) {
            *number = entry.inode;
            return 0;
        }
    }
}

int ext2_find(struct inode *directory, const char *name, size_t length, uint32_t *number, uint64_t *offset)
{
    struct ext2_inode *node = ext2_inode_of(directory);
    if (!node->index && directory->size >= EXT2_INDEX_FROM)
        node->index = ext2_index_build(directory);
    return node->index ? ext2_index_find(directory, node->index, name, length, number, offset)
                       : scan(directory, name, length, number, offset);
}

int ext2_lookup(struct inode *directory, const char *name, size_t length, struct inode **out)
{
    uint32_t number;
    uint64_t offset;
    int error = ext2_find(directory, name, length, &number, &offset);
    return error ? error : ext2_get_inode(ext2_of(directory), number, out);
}

/* linux/fs_types.h: the type byte of an entry. */
static uint32_t type_of(const struct ext2 *ext2, const struct ext2_entry *entry)
{
    static const uint32_t types[] = { 0, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK };
    return ext2->types && entry->type < array_size(types) ? types[entry->type] : 0;
}

/* A cursor the caller made up may point into the middle of an entry: go to the next boundary. */
static int align_cursor(struct inode *directory, uint64_t *cursor)
{
    uint32_t block_size = ext2_of(directory)->block_size;
    uint64_t offset = align_down(*cursor, block_size);
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    while (offset < *cursor) {
        int error = ext2_next_entry(directory, &offset, &entry, name);
        if (error)
            return error;
    }
    *cursor = offset;
    return 0;
}

int ext2_list(struct inode *directory, uint64_t *cursor, struct listing *listing)
{
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    int error = align_cursor(directory, cursor);
    while (!error) {
        uint64_t next = *cursor;
        error = ext2_next_entry(directory, &next, &entry, name);
        if (error)
            break;
        struct listed_name listed = {
            .name = name,
            .length = entry.name_length,
            .inode = entry.inode,
            .type = type_of(ext2_of(directory), &entry),
            .next = next,
        };
        if (entry.inode && entry.name_length && !listing->take(listing, &listed))
            break;
        *cursor = next;
    }
    return error == -ENOENT ? 0 : error;
}
