/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the names in directories. An entry whose name is removed keeps its place and length, with inode 0, and an
 * entry that ends before the next one can give the rest to a new name: so places of entries never vanish, and a listing
 * that goes on meanwhile finds its place again.
 *
 * A file that gets another name has both on the disk before it loses the old one, or both change in one block, which
 * the disk writes as a whole. Nothing else depends on an order (commit.c).
 *
 * Called under "namespace"; "ext2" is taken inside.
 */
#include "core/debug.h"
#include "files/ext2/internal.h"
#include "lib/string.h"
#include "threads/thread.h"

#define BLOCKS_SEARCHED 8u /* for room, before the last one and a new one */
#define LEAST_ENTRY 12u    /* a name of one character */

static uint32_t length_of(size_t name_length) { return (uint32_t)align_up(EXT2_ENTRY_HEADER + name_length, 4UL); }

/* linux/fs_types.h: the type byte of an entry. */
static uint8_t type_of(const struct ext2 *ext2, uint32_t mode)
{
    if (!ext2->types)
        return 0;
    return (mode & S_IFMT) == S_IFDIR ? 2 : (mode & S_IFMT) == S_IFLNK ? 7 : 1;
}

/* The entry at a place of the directory, to be changed; `block` is where it lies on the disk. Under ext2->lock. */
static struct ext2_entry *change_entry(struct inode *directory, uint64_t offset, uint32_t *block, int *error)
{
    struct ext2 *ext2 = ext2_of(directory);
    must_hold_mutex(&ext2->lock);
    int found = ext2_map(ext2_inode_of(directory), offset >> ext2->block_shift, block, 1);
    *error = found < 0 ? found : *block == 0 ? -EIO : 0;
    if (*error)
        return NULL;
    char *bytes = ext2_change(ext2, *block, error);
    return bytes ? (struct ext2_entry *)(bytes + (offset & (ext2->block_size - 1))) : NULL;
}

static bool has_room(const struct ext2_entry *entry, uint32_t wanted)
{
    uint32_t used = entry->inode ? length_of(entry->name_length) : 0;
    return entry->record_length >= used + wanted;
}

/* An entry of one block that has room. 0, -ENOENT: there is none, or another error. */
static int search_block(struct inode *directory, uint32_t block, uint32_t wanted, uint64_t *place)
{
    struct ext2 *ext2 = ext2_of(directory);
    uint64_t offset = (uint64_t)block << ext2->block_shift, end = offset + ext2->block_size;
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    while (offset < end) {
        *place = offset;
        int error = ext2_next_entry(directory, &offset, &entry, name);
        if (error || has_room(&entry, wanted))
            return error;
    }
    return -ENOENT;
}

static int search(struct inode *directory, uint32_t wanted, uint64_t *place)
{
    struct ext2 *ext2 = ext2_of(directory);
    struct ext2_inode *node = ext2_inode_of(directory);
    uint32_t blocks = (uint32_t)(directory->size >> ext2->block_shift);
    int error = -ENOENT;
    for (uint32_t i = 0; error == -ENOENT && i < BLOCKS_SEARCHED && node->room_block < blocks; i++) {
        error = search_block(directory, node->room_block, wanted, place);
        node->room_block += error == -ENOENT;
    }
    if (error == -ENOENT && node->room_block < blocks)
        error = search_block(directory, blocks - 1, wanted, place);
    return error;
}

/* A new block at the end, with one entry that has no name. Under ext2->lock. */
static int append_block(struct inode *directory, uint64_t *place)
{
    struct ext2 *ext2 = ext2_of(directory);
    struct ext2_inode *node = ext2_inode_of(directory);
    must_hold_mutex(&ext2->lock);
    uint32_t block;
    int error = ext2_allocate_at(node, directory->size >> ext2->block_shift, true, &block);
    struct ext2_entry *entry = error ? NULL : ext2_change(ext2, block, &error);
    if (!entry)
        return error;
    entry->record_length = (uint16_t)ext2->block_size;
    *place = directory->size;
    inode_set_size(directory, directory->size + ext2->block_size);
    ext2_inode_changed(directory);
    return 0;
}

static void remember(struct ext2_inode *node, const char *name, size_t length, uint64_t place)
{
    if (node->index && !ext2_index_add(node->index, name, length, place)) {
        ext2_index_free(node->index);
        node->index = NULL;
    }
}

/* Enters a name; where is left in *place and *block. Under ext2->lock. */
static int add(struct inode *directory, const struct dentry *name, const struct inode *inode, uint64_t *place,
               uint32_t *block)
{
    struct ext2 *ext2 = ext2_of(directory);
    int error = search(directory, length_of(name->length), place);
    if (error == -ENOENT)
        error = append_block(directory, place);
    struct ext2_entry *entry = error ? NULL : change_entry(directory, *place, block, &error);
    if (!entry)
        return error;
    if (entry->inode) {
        uint32_t used = length_of(entry->name_length), left = entry->record_length - used;
        entry->record_length = (uint16_t)used;
        *place += used;
        entry = (struct ext2_entry *)((char *)entry + used);
        entry->record_length = (uint16_t)left;
    }
    entry->name_length = (uint8_t)name->length;
    entry->type = type_of(ext2, inode->mode);
    memcpy(entry + 1, name->name, name->length);
    entry->inode = (uint32_t)inode->number;
    ext2_inode_of(directory)->flags &= ~(uint32_t)EXT2_FLAG_INDEX; /* which is not kept */
    remember(ext2_inode_of(directory), name->name, name->length, *place);
    return 0;
}

/* Each change is tried again where a commit makes room for it. */
static int locked_add(struct dentry *absent, struct inode *inode, uint64_t *place, uint32_t *block)
{
    struct inode *directory = absent->parent->inode;
    struct ext2 *ext2 = ext2_of(directory);
    int error = ext2_relieve(ext2);
    for (unsigned i = 0; !error && i < 2; i++) {
        mutex_lock(&ext2->lock);
        error = add(directory, absent, inode, place, block);
        mutex_unlock(&ext2->lock);
        if ((error != -ENOSPC && error != -EAGAIN) || i > 0 || !ext2_regain(ext2))
            return error;
        error = 0;
    }
    return error;
}

int ext2_link(struct dentry *absent, struct inode *inode)
{
    uint64_t place;
    uint32_t block;
    return inode->links >= EXT2_LINK_MOST ? -EMLINK : locked_add(absent, inode, &place, &block);
}

/* Gives the entry at a place to this inode, 0: to none. Under ext2->lock. */
static int set_entry(struct inode *directory, uint64_t place, uint32_t number, uint32_t mode, uint32_t *block)
{
    int error;
    struct ext2_entry *entry = change_entry(directory, place, block, &error);
    if (!entry)
        return error;
    entry->inode = number;
    if (number)
        entry->type = type_of(ext2_of(directory), mode);
    else
        ext2_inode_of(directory)->room_block = min_of(ext2_inode_of(directory)->room_block,
                                                      (uint32_t)(place >> ext2_of(directory)->block_shift));
    return 0;
}

static int locked_set(struct inode *directory, uint64_t place, uint32_t number, uint32_t mode, uint32_t *block)
{
    mutex_lock(&ext2_of(directory)->lock);
    int error = set_entry(directory, place, number, mode, block);
    mutex_unlock(&ext2_of(directory)->lock);
    return error;
}

int ext2_unlink(struct dentry *name)
{
    struct inode *directory = name->parent->inode;
    uint32_t number, block;
    uint64_t place;
    int error = ext2_relieve(ext2_of(directory));
    if (!error)
        error = ext2_find(directory, name->name, name->length, &number, &place);
    return error ? error : locked_set(directory, place, 0, 0, &block);
}

/* ".." is the second entry of a directory. */
static int set_parent(struct inode *moved, uint64_t parent)
{
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    uint64_t offset = 0;
    uint32_t block;
    int error = ext2_next_entry(moved, &offset, &entry, name);
    return error ? error : locked_set(moved, offset, (uint32_t)parent, S_IFDIR, &block);
}

/* Enters the new name, or gives it the inode. */
static int set_target(struct dentry *to, struct inode *inode, uint64_t *place, uint32_t *block)
{
    uint32_t number;
    if (!to->inode)
        return locked_add(to, inode, place, block);
    int error = ext2_find(to->parent->inode, to->name, to->length, &number, place);
    return error ? error : locked_set(to->parent->inode, *place, (uint32_t)inode->number, inode->mode, block);
}

int ext2_move(struct dentry *from, struct dentry *to)
{
    struct inode *inode = from->inode, *old_parent = from->parent->inode, *new_parent = to->parent->inode;
    struct ext2 *ext2 = ext2_of(inode);
    uint64_t from_place, to_place;
    uint32_t number, from_block = 0, to_block, unused;
    int error = ext2_relieve(ext2);
    if (!error)
        error = ext2_find(old_parent, from->name, from->length, &number, &from_place);
    if (!error)
        error = set_target(to, inode, &to_place, &to_block);
    if (error)
        return error;
    if (is_type(inode, S_IFDIR) && old_parent != new_parent)
        error = set_parent(inode, new_parent->number);
    int found = ext2_map(ext2_inode_of(old_parent), from_place >> ext2->block_shift, &from_block, 1);
    if (!error && found > 0 && from_block != to_block)
        error = ext2_commit(ext2);
    if (!error)
        error = locked_set(old_parent, from_place, 0, 0, &unused);
    if (!error && to->inode)
        ext2_inode_of(to->inode)->replaced = true;
    if (error) {
        locked_set(new_parent, to_place, to->inode ? (uint32_t)to->inode->number : 0, to->inode ? to->inode->mode : 0,
                   &unused);
        if (is_type(inode, S_IFDIR) && old_parent != new_parent)
            set_parent(inode, old_parent->number);
    }
    return error;
}

int ext2_check_empty(struct inode *directory)
{
    struct ext2_entry entry;
    char name[NAME_LIMIT];
    uint64_t offset = 0;
    int error;
    while (!(error = ext2_next_entry(directory, &offset, &entry, name)))
        if (entry.inode && !name_is_dots(name, entry.name_length))
            return -ENOTEMPTY;
    return error == -ENOENT ? 0 : error;
}

static struct ext2_entry *put_dots(struct ext2 *ext2, struct ext2_entry *entry, uint64_t number, uint8_t dots,
                                   uint32_t length)
{
    *entry = (struct ext2_entry){ .inode = (uint32_t)number,
                                  .record_length = (uint16_t)length,
                                  .name_length = dots,
                                  .type = type_of(ext2, S_IFDIR) };
    memcpy(entry + 1, "..", dots);
    return (struct ext2_entry *)((char *)entry + length);
}

int ext2_make_directory(struct ext2_inode *node, uint64_t parent)
{
    struct ext2 *ext2 = ext2_of(&node->inode);
    must_hold_mutex(&ext2->lock);
    uint32_t block;
    int error = ext2_allocate_at(node, 0, true, &block);
    struct ext2_entry *entry = error ? NULL : ext2_change(ext2, block, &error);
    if (!entry)
        return error;
    entry = put_dots(ext2, entry, node->inode.number, 1, LEAST_ENTRY);
    put_dots(ext2, entry, parent, 2, ext2->block_size - LEAST_ENTRY);
    inode_set_size(&node->inode, ext2->block_size);
    return 0;
}
