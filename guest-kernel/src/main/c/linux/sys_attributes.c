/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: xattr(7). Files of memory have them; other file systems answer EOPNOTSUPP.
 *
 * Each of the twelve calls becomes a struct request. begin() checks what does not depend on the file, act() what
 * depends on its file system and type. Values are copied through a buffer of the kernel, so files/attributes.c, which
 * holds the inode's lock, does not touch user memory. Entered through the table of system calls (syscalls.c); no lock
 * is held here.
 */
#include "core/heap.h"
#include "files/attributes.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/abi_files.h"
#include "linux/paths.h"
#include "linux/syscalls.h"
#include "memory/user.h"

enum action { SET, GET, LIST, REMOVE };

/* One call, and the file it is about once that is found. */
struct request {
    enum action action;
    uintptr_t name_at, value_at;
    uint64_t size;
    uint32_t flags;
    char name[ATTRIBUTE_NAME_LIMIT + 1];
};

static int read_name(struct request *request)
{
    ssize_type length = user_read_string(request->name, request->name_at, sizeof(request->name));
    if (length == -ENAMETOOLONG || length == 0)
        return -ERANGE;
    return length < 0 ? (int)length : 0;
}

/* Which names there are, and which a type of file may have. */
static int check_name(const struct inode *inode, const struct request *request)
{
    static const char *const prefixes[] = { "user.", "trusted.", "security." };
    const char *name = request->name;
    for (size_t i = 0; i < array_size(prefixes); i++) {
        if (!starts_with(name, prefixes[i]))
            continue;
        bool special = !is_type(inode, S_IFREG) && !is_type(inode, S_IFDIR);
        if (i == 0 && special)
            return request->action == GET ? -ENODATA : -EPERM;
        return name[strlen(prefixes[i])] ? 0 : -EINVAL;
    }
    return -EOPNOTSUPP;
}

static int64_t set(struct inode *inode, const struct request *request)
{
    char *value = heap_allocate_at(max_of(request->size, 1UL), PAGES_NEEDED);
    if (!value)
        return -ENOMEM;
    int error = request->size ? user_read(value, request->value_at, request->size) : 0;
    if (!error)
        error = attribute_set(inode, request->name, value, request->size, request->flags);
    heap_free(value);
    return error;
}

/* A value, or the names. */
static int64_t get(struct inode *inode, const struct request *request)
{
    size_t room = min_of(request->size, (uint64_t)ATTRIBUTE_SIZE_LIMIT);
    char *bytes = heap_allocate_at(max_of(room, (size_t)1), PAGES_NEEDED);
    if (!bytes)
        return -ENOMEM;
    ssize_type n = request->action == LIST ? attribute_list(inode, bytes, room)
                                           : attribute_get(inode, request->name, bytes, room);
    if (n > 0 && room && user_write(request->value_at, bytes, (size_t)n))
        n = -EFAULT;
    heap_free(bytes);
    return n;
}

/* Pipes, sockets and devices may have no attributes of users, and these have none. */
static int64_t refuse(const struct request *request)
{
    if (!starts_with(request->name, "user."))
        return -EOPNOTSUPP;
    return request->action == GET ? -ENODATA : -EPERM;
}

static int64_t act(struct inode *inode, const struct request *request)
{
    bool changes = request->action == SET || request->action == REMOVE;
    if (changes && inode->fs->read_only)
        return -EROFS;
    if (!inode->fs->memory)
        return request->action == LIST ? 0 : is_type(inode, S_IFCHR) ? refuse(request) : -EOPNOTSUPP;
    int error = request->action == LIST ? 0 : check_name(inode, request);
    if (error)
        return error;
    switch (request->action) {
    case SET:
        return set(inode, request);
    case REMOVE:
        return attribute_remove(inode, request->name);
    case GET:
    case LIST:
        break;
    }
    return get(inode, request);
}

/* Errors that do not depend on the file. */
static int begin(struct request *request)
{
    if (request->action == LIST)
        return 0;
    if (request->action == SET && request->flags & ~(ATTRIBUTE_CREATE | ATTRIBUTE_REPLACE))
        return -EINVAL;
    int error = read_name(request);
    if (!error && request->action == SET && request->size > ATTRIBUTE_SIZE_LIMIT)
        error = -E2BIG;
    char first;
    if (!error && request->action == SET && request->size && user_get(&first, request->value_at))
        error = -EFAULT;
    return error;
}

static int64_t on_path(struct request *request, uintptr_t path, unsigned walk)
{
    struct dentry *dentry;
    int64_t result = begin(request);
    if (!result)
        result = path_to_dentry(AT_FDCWD, path, walk, 0, &dentry);
    if (result)
        return result;
    result = act(dentry->inode, request);
    dentry_put(dentry);
    return result;
}

static int64_t on_descriptor(struct request *request, int descriptor)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    int64_t result = begin(request);
    if (!result)
        result = file->inode ? act(file->inode, request) : request->action == LIST ? 0 : refuse(request);
    file_put(file);
    return result;
}

static struct request set_request(uintptr_t name, uintptr_t value, size_t size, uint32_t flags)
{
    return (struct request){ .action = SET, .name_at = name, .value_at = value, .size = size, .flags = flags };
}

static struct request get_request(uintptr_t name, uintptr_t value, size_t size)
{
    return (struct request){ .action = GET, .name_at = name, .value_at = value, .size = size };
}

static struct request list_request(uintptr_t list, size_t size)
{
    return (struct request){ .action = LIST, .value_at = list, .size = size };
}

static struct request remove_request(uintptr_t name) { return (struct request){ .action = REMOVE, .name_at = name }; }

/* Deviates: There are no access control lists: names that begin with system. are EOPNOTSUPP. */
SYSCALL_DEFINE5(setxattr, uintptr_t, path, uintptr_t, name, uintptr_t, value, size_t, size, uint32_t, flags)
{
    struct request request = set_request(name, value, size, flags);
    return on_path(&request, path, WALK_FOLLOW);
}

/* Deviates: There are no access control lists: names that begin with system. are EOPNOTSUPP. */
SYSCALL_DEFINE5(lsetxattr, uintptr_t, path, uintptr_t, name, uintptr_t, value, size_t, size, uint32_t, flags)
{
    struct request request = set_request(name, value, size, flags);
    return on_path(&request, path, 0);
}

/* Deviates: There are no access control lists: names that begin with system. are EOPNOTSUPP. */
SYSCALL_DEFINE5(fsetxattr, int, fd, uintptr_t, name, uintptr_t, value, size_t, size, uint32_t, flags)
{
    struct request request = set_request(name, value, size, flags);
    return on_descriptor(&request, fd);
}

/* Deviates: Files of the image have no attributes (EOPNOTSUPP). There are no access control lists: names that begin
 * with system. are EOPNOTSUPP. */
SYSCALL_DEFINE4(getxattr, uintptr_t, path, uintptr_t, name, uintptr_t, value, size_t, size)
{
    struct request request = get_request(name, value, size);
    return on_path(&request, path, WALK_FOLLOW);
}

/* Deviates: Files of the image have no attributes (EOPNOTSUPP). There are no access control lists: names that begin
 * with system. are EOPNOTSUPP. */
SYSCALL_DEFINE4(lgetxattr, uintptr_t, path, uintptr_t, name, uintptr_t, value, size_t, size)
{
    struct request request = get_request(name, value, size);
    return on_path(&request, path, 0);
}

/* Deviates: Files of the image have no attributes (EOPNOTSUPP). There are no access control lists: names that begin
 * with system. are EOPNOTSUPP. */
SYSCALL_DEFINE4(fgetxattr, int, fd, uintptr_t, name, uintptr_t, value, size_t, size)
{
    struct request request = get_request(name, value, size);
    return on_descriptor(&request, fd);
}

/* Deviates: Files of the image have no attributes. */
SYSCALL_DEFINE3(listxattr, uintptr_t, path, uintptr_t, list, size_t, size)
{
    struct request request = list_request(list, size);
    return on_path(&request, path, WALK_FOLLOW);
}

/* Deviates: Files of the image have no attributes. */
SYSCALL_DEFINE3(llistxattr, uintptr_t, path, uintptr_t, list, size_t, size)
{
    struct request request = list_request(list, size);
    return on_path(&request, path, 0);
}

/* Deviates: Files of the image have no attributes, nor have sockets (system.sockprotoname). */
SYSCALL_DEFINE3(flistxattr, int, fd, uintptr_t, list, size_t, size)
{
    struct request request = list_request(list, size);
    return on_descriptor(&request, fd);
}

/* Deviates: There are no access control lists: names that begin with system. are EOPNOTSUPP. */
SYSCALL_DEFINE2(removexattr, uintptr_t, path, uintptr_t, name)
{
    struct request request = remove_request(name);
    return on_path(&request, path, WALK_FOLLOW);
}

/* Deviates: There are no access control lists: names that begin with system. are EOPNOTSUPP. */
SYSCALL_DEFINE2(lremovexattr, uintptr_t, path, uintptr_t, name)
{
    struct request request = remove_request(name);
    return on_path(&request, path, 0);
}

/* Deviates: There are no access control lists: names that begin with system. are EOPNOTSUPP. */
SYSCALL_DEFINE2(fremovexattr, int, fd, uintptr_t, name)
{
    struct request request = remove_request(name);
    return on_descriptor(&request, fd);
}
