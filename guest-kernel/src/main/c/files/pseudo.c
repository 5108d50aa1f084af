/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system that is made of the tables of pseudo.h. An inode is made by each lookup, of a table entry and the
 * number of the nearest numbered directory, and has no other state. Names in numbered directories are not cached, since
 * they come and go. The contents of a file are generated when it is opened and belong to the open file, so they do not
 * change while they are read. Inode numbers are keyed hashes: they differ, and reveal no addresses of the kernel.
 *
 * Mounted by files_init() as /proc, /sys and /dev, and entered through inode and file operations; lookup() is called
 * with mutex "namespace" held. There are no locks here: tables are constant, and their functions take the locks they
 * need.
 */
#include "core/heap.h"
#include "core/random.h"
#include "files/pseudo.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "threads/thread.h"

struct pseudo {
    struct file_system fs;
    uint64_t magic;
    struct hash_key key; /* inode numbers must not reveal where the kernel's tables lie */
};
struct pseudo_inode {
    struct inode inode;
    const struct pseudo_entry *entry;
    uint32_t number;
    enum pseudo_size size; /* its own, or that of a directory above */
};

static struct pseudo_inode *node_of(struct inode *inode) { return container_of(inode, struct pseudo_inode, inode); }

/* ---- Contents ---- */

static int generate(struct pseudo_inode *node, struct text **out)
{
    struct text *contents = heap_allocate(sizeof(*contents));
    if (!contents)
        return -ENOMEM;
    const struct pseudo_entry *entry = node->entry;
    text_init(contents);
    if (entry->show)
        entry->show(contents, node->number);
    else if (entry->text)
        text_bytes(contents, entry->text, strlen(entry->text));
    if (contents->failed) {
        text_free(contents);
        heap_free(contents);
        return -ENOMEM;
    }
    *out = contents;
    return 0;
}

static ssize_type read_contents(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    const struct text *contents = file->private;
    if (*offset >= contents->length)
        return 0;
    ssize_type n = transfer_out(transfer, contents->data + *offset, contents->length - *offset);
    if (n > 0)
        *offset += (uint64_t)n;
    return n;
}

static ssize_type write_contents(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    const struct pseudo_entry *entry = node_of(file->inode)->entry;
    char data[128];
    ssize_type n = transfer_in(transfer, data, sizeof(data));
    if (n <= 0)
        return n;
    int error = entry->store ? entry->store(data, (size_t)n) : 0;
    if (error)
        return error;
    *offset += (uint64_t)n;
    return n;
}

static void release_contents(struct file *file)
{
    struct text *contents = file->private;
    text_free(contents);
    heap_free(contents);
}

static int64_t seek_contents(struct file *file, int64_t offset, int whence)
{
    enum pseudo_size size = node_of(file->inode)->size;
    uint64_t before = file->offset;
    if (size == SIZE_UNKNOWN)
        return seek_without_end(file, offset, whence);
    int64_t result = paged_seek(file, offset, whence);
    if (size == SIZE_PAGE && result > INT32_MAX) { /* more than sysfs takes */
        file->offset = before;
        return -EINVAL;
    }
    return result;
}

static const struct file_operations contents_operations = {
    .read = read_contents,
    .write = write_contents,
    .seek = seek_contents,
    .release = release_contents,
};

/* ---- Inodes ---- */

static const struct inode_operations pseudo_inode_operations;

static struct inode *make_inode(struct pseudo *pseudo, const struct pseudo_entry *entry, uint32_t number,
                                enum pseudo_size size)
{
    struct pseudo_inode *node = heap_allocate_zeroed(sizeof(*node));
    if (!node)
        return NULL;
    uint64_t identity[] = { (uintptr_t)entry, number };
    uint64_t inode_number = siphash(&pseudo->key, identity, sizeof(identity)) >> 16 | 1;
    inode_init(&node->inode, &pseudo->fs, inode_number, entry->mode);
    node->inode.operations = &pseudo_inode_operations;
    node->inode.file_operations = entry->device ? entry->device : &contents_operations;
    node->inode.device_number = device_number(entry->major, entry->minor);
    node->inode.uncached = entry->numbered;
    node->inode.links = is_type(&node->inode, S_IFDIR) ? 2 : 1;
    node->entry = entry;
    node->number = number;
    node->size = size;
    if (size == SIZE_PAGE && is_type(&node->inode, S_IFREG))
        node->inode.size = PAGE_SIZE;
    return &node->inode;
}

static int open_pseudo(struct inode *inode, struct file *file)
{
    if (!is_type(inode, S_IFREG))
        return 0;
    if (file_is_writable(file) && !(inode->mode & 0222))
        return -EACCES;
    struct text *contents;
    int error = generate(node_of(inode), &contents);
    if (!error)
        file->private = contents;
    return error;
}

static ssize_type read_link(struct inode *inode, char *to, size_t size)
{
    struct pseudo_inode *node = node_of(inode);
    struct text text;
    text_init(&text);
    node->entry->target(&text, node->number);
    ssize_type n = text.failed ? -ENOMEM : text.length == 0 ? -ENOENT : (ssize_type)min_of(text.length, size);
    if (n > 0)
        memcpy(to, text.data, (size_t)n);
    text_free(&text);
    return n;
}

static bool parse_numbered(const struct pseudo_numbered *numbered, const char *name, size_t length, uint32_t *number)
{
    char digits[12];
    uint64_t value;
    size_t prefix = strlen(numbered->prefix);
    if (length <= prefix || length - prefix >= sizeof(digits) || memcmp(name, numbered->prefix, prefix) != 0)
        return false;
    memcpy(digits, name + prefix, length - prefix);
    digits[length - prefix] = 0;
    if (!parse_decimal(digits, &value) || value >= PSEUDO_NONE || (digits[0] == '0' && digits[1]))
        return false;
    *number = (uint32_t)value;
    return numbered->next(*number) == *number;
}

static int lookup(struct inode *directory, const char *name, size_t length, struct inode **out)
{
    struct pseudo_inode *node = node_of(directory);
    const struct pseudo_entry *found = NULL;
    uint32_t number = node->number;
    for (const struct pseudo_entry *entry = node->entry->children; entry && entry->name && !found; entry++) {
        if (strlen(entry->name) == length && memcmp(entry->name, name, length) == 0)
            found = entry;
    }
    if (!found && node->entry->numbered && parse_numbered(node->entry->numbered, name, length, &number))
        found = node->entry->numbered->child;
    if (!found)
        return -ENOENT;
    *out = make_inode(container_of(directory->fs, struct pseudo, fs), found, number, max_of(node->size, found->size));
    return *out ? 0 : -ENOMEM;
}

/* Cursors: 0 and 1 are "." and "..", then comes the table, and from NUMBERED on the numbers. */
#define TABLE 2UL
#define NUMBERED (1UL << 32)

static bool take(struct listing *listing, uint64_t *cursor, const char *name, uint32_t mode, uint64_t next)
{
    struct listed_name listed = {
        .name = name,
        .length = strlen(name),
        .inode = 1,
        .type = mode & S_IFMT,
        .next = next,
    };
    if (!listing->take(listing, &listed))
        return false;
    *cursor = next;
    return true;
}

static int list(struct inode *directory, uint64_t *cursor, struct listing *listing)
{
    const struct pseudo_entry *parent = node_of(directory)->entry;
    if (*cursor == 0 && !take(listing, cursor, ".", S_IFDIR, 1))
        return 0;
    if (*cursor == 1 && !take(listing, cursor, "..", S_IFDIR, TABLE))
        return 0;
    uint64_t position = TABLE;
    for (const struct pseudo_entry *entry = parent->children; entry && entry->name; entry++, position++) {
        if (position == *cursor && !take(listing, cursor, entry->name, entry->mode, position + 1))
            return 0;
    }
    const struct pseudo_numbered *numbered = parent->numbered;
    if (!numbered)
        return 0;
    uint64_t from = max_of(*cursor, NUMBERED) - NUMBERED;
    while (from < PSEUDO_NONE) {
        uint32_t number = numbered->next((uint32_t)from);
        if (number == PSEUDO_NONE)
            return 0;
        char name[48];
        format(name, sizeof(name), "%s%u", numbered->prefix, number);
        from = (uint64_t)number + 1;
        give_way();
        if (!take(listing, cursor, name, numbered->child->mode, NUMBERED + from))
            return 0;
    }
    return 0;
}

/* For stat(2): nothing is stored. */
static uint64_t count_pages(const struct inode *inode)
{
    (void)inode;
    return 0;
}

static void release(struct inode *inode) { heap_free(node_of(inode)); }

static const struct inode_operations pseudo_inode_operations = {
    .lookup = lookup,
    .list = list,
    .read_link = read_link,
    .open = open_pseudo,
    .pages = count_pages,
    .release = release,
};

static void statistics(struct file_system *fs, struct file_system_statistics *out)
{
    *out = (struct file_system_statistics){
        .type = container_of(fs, struct pseudo, fs)->magic,
        .block_size = PAGE_SIZE,
    };
}

struct file_system *pseudo_create(const char *name, uint64_t magic, const struct pseudo_entry *root)
{
    struct pseudo *pseudo = heap_allocate_zeroed(sizeof(*pseudo));
    if (!pseudo)
        return NULL;
    pseudo->magic = magic;
    random_bytes(&pseudo->key, sizeof(pseudo->key));
    pseudo->fs = (struct file_system){
        .name = name,
        .device = file_system_new_device(),
        .statistics = statistics,
    };
    pseudo->fs.root = make_inode(pseudo, root, 0, root->size);
    if (!pseudo->fs.root) {
        heap_free(pseudo);
        return NULL;
    }
    return &pseudo->fs;
}
