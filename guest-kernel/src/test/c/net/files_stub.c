/* SPDX-License-Identifier: Apache-2.0 */
/* The little that net/ needs of files/: open files, and names, of which none exist but those a test makes. */
#include "net/files_stub.h"

#include "core/heap.h"
#include "files/network_view.h"
#include "files/process_view.h"
#include "lib/errno.h"
#include "memory/address_space.h"
#include "memory/page_cache.h"
#include "platform/platform.h"

int (*stub_make_node)(const char *path, struct inode **out);
struct dentry *(*stub_find)(const char *path);

struct network_view network_view;
struct process_view process_view;
struct platform_information platform = { .name = "host" };

/* Numbers for net/metrics_text.c, each another. */
uint64_t page_cache_count(void) { return 11; }
uint64_t page_cache_mapped_count(void) { return 3; }
uint64_t address_space_available(void) { return 900; }
void address_space_usage(struct address_space_usage *usage)
{
    *usage = (struct address_space_usage){ .resident_pages = 23 };
}

int name_make_node(struct dentry *start, const char *path, uint32_t mode, struct inode **out)
{
    (void)start;
    (void)mode;
    return stub_make_node != NULL ? stub_make_node(path, out) : -EROFS;
}

int path_find(struct dentry *start, const char *path, unsigned flags, struct dentry **out)
{
    (void)start;
    (void)flags;
    *out = stub_find != NULL ? stub_find(path) : NULL;
    return *out != NULL ? 0 : -ENOENT;
}

struct dentry *working_directory(void) { return NULL; }
void dentry_put(struct dentry *dentry) { (void)dentry; }
void inode_put(struct inode *inode) { inode->references--; }

struct inode *inode_get(struct inode *inode)
{
    inode->references++;
    return inode;
}

struct file *file_create(const struct file_operations *operations, uint32_t flags, void *private)
{
    struct file *file = heap_allocate_zeroed(sizeof(*file));
    if (file == NULL)
        return NULL;
    file->operations = operations;
    file->references = 1;
    file->flags = flags;
    file->private = private;
    return file;
}

void file_put(struct file *file)
{
    if (--file->references > 0)
        return;
    file->operations->release(file);
    heap_free(file);
}
