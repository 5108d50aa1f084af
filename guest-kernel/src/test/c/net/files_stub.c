/* The little that net/ needs of files/: open files, and names, of which none exist here. */
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/heap.h"

int name_make_node(struct dentry *start, const char *path, uint32_t mode, struct inode **out)
{
    (void)start;
    (void)path;
    (void)mode;
    (void)out;
    return -EROFS;
}

int path_find(struct dentry *start, const char *path, unsigned flags, struct dentry **out)
{
    (void)start;
    (void)path;
    (void)flags;
    (void)out;
    return -ENOENT;
}

void dentry_put(struct dentry *dentry) { (void)dentry; }
struct inode *inode_get(struct inode *inode) { return inode; }
void inode_put(struct inode *inode) { (void)inode; }

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
