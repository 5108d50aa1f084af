/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: each is one allocation in its inode's list, and counted in the common budget of memory file
 * systems until it is freed.
 *
 * A name is in a list once, and all names of a file together fit into ATTRIBUTE_SIZE_LIMIT. Mutex inode->lock guards
 * the list.
 */
#include "files/attributes.h"

#include "core/debug.h"
#include "core/heap.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

struct attribute {
    struct list link;
    size_t size;
    char *value; /* in this allocation, after the name */
    char name[];
};

/* Under the inode's lock. */
static struct attribute *find(struct inode *inode, const char *name)
{
    must_hold_mutex(&inode->lock);
    list_for_each (link, &inode->attributes) {
        struct attribute *attribute = list_entry(link, struct attribute, link);
        if (!strcmp(attribute->name, name))
            return attribute;
    }
    return NULL;
}

static size_t bytes_of(const struct attribute *attribute)
{
    return sizeof(*attribute) + strlen(attribute->name) + 1 + attribute->size;
}

static void discard(struct attribute *attribute)
{
    tmpfs_give_bytes(bytes_of(attribute));
    heap_free(attribute);
}

static struct attribute *create(const char *name, const void *value, size_t size)
{
    size_t name_size = strlen(name) + 1, bytes = sizeof(struct attribute) + name_size + size;
    if (!tmpfs_take_bytes(bytes))
        return NULL;
    struct attribute *attribute = heap_allocate_at(bytes, PAGES_KEPT);
    if (!attribute) {
        tmpfs_give_bytes(bytes);
        return NULL;
    }
    attribute->size = size;
    attribute->value = attribute->name + name_size;
    memcpy(attribute->name, name, name_size);
    memcpy(attribute->value, value, size);
    return attribute;
}

/* Under the inode's lock: bytes of all names. */
static size_t names_length(struct inode *inode)
{
    must_hold_mutex(&inode->lock);
    size_t length = 0;
    list_for_each (link, &inode->attributes)
        length += strlen(list_entry(link, struct attribute, link)->name) + 1;
    return length;
}

static int set_locked(struct inode *inode, const char *name, const void *value, size_t size, unsigned flags)
{
    must_hold_mutex(&inode->lock);
    struct attribute *old = find(inode, name);
    if (old && flags & ATTRIBUTE_CREATE)
        return -EEXIST;
    if (!old && flags & ATTRIBUTE_REPLACE)
        return -ENODATA;
    if (!old && names_length(inode) + strlen(name) + 1 > ATTRIBUTE_SIZE_LIMIT)
        return -ENOSPC;
    struct attribute *attribute = create(name, value, size);
    if (!attribute)
        return -ENOSPC;
    if (old) {
        list_remove(&old->link);
        discard(old);
    }
    list_push_back(&inode->attributes, &attribute->link);
    inode->changed = clock_wall();
    return 0;
}

int attribute_set(struct inode *inode, const char *name, const void *value, size_t size, unsigned flags)
{
    mutex_lock(&inode->lock);
    int error = set_locked(inode, name, value, size, flags);
    mutex_unlock(&inode->lock);
    return error;
}

ssize_type attribute_get(struct inode *inode, const char *name, void *value, size_t size)
{
    mutex_lock(&inode->lock);
    const struct attribute *attribute = find(inode, name);
    ssize_type result = !attribute ? -ENODATA : size && size < attribute->size ? -ERANGE : (ssize_type)attribute->size;
    if (result > 0 && size)
        memcpy(value, attribute->value, attribute->size);
    mutex_unlock(&inode->lock);
    return result;
}

int attribute_remove(struct inode *inode, const char *name)
{
    mutex_lock(&inode->lock);
    struct attribute *attribute = find(inode, name);
    if (attribute) {
        list_remove(&attribute->link);
        discard(attribute);
        inode->changed = clock_wall();
    }
    mutex_unlock(&inode->lock);
    return attribute ? 0 : -ENODATA;
}

ssize_type attribute_list(struct inode *inode, char *names, size_t size)
{
    mutex_lock(&inode->lock);
    ssize_type result = (ssize_type)names_length(inode);
    if (size && (size_t)result > size)
        result = -ERANGE;
    if (result > 0 && size) {
        list_for_each (link, &inode->attributes) {
            const struct attribute *attribute = list_entry(link, struct attribute, link);
            size_t length = strlen(attribute->name) + 1;
            memcpy(names, attribute->name, length);
            names += length;
        }
    }
    mutex_unlock(&inode->lock);
    return result;
}

void attributes_free(struct inode *inode)
{
    list_for_each_safe (link, &inode->attributes)
        discard(list_entry(link, struct attribute, link));
    list_init(&inode->attributes);
}
