/* SPDX-License-Identifier: Apache-2.0 */
/* The little that net/ needs of files/: open files, and names, of which none exist but those a test makes. */
#include "net/files_stub.h"

#include "core/heap.h"
#include "files/network_view.h"
#include "lib/errno.h"

int (*stub_make_node)(const char *path, struct inode **out);
struct dentry *(*stub_find)(const char *path);

struct network_view network_view;

/* Nobody reads /proc here. */
void text_print(struct text *text, const char *fmt, ...)
{
    (void)fmt;
    text->failed = true;
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
