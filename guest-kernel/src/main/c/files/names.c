/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creating, linking, moving and removing names, the same for every file system whose names can change. Each call walks
 * the path, then takes "namespace" and looks the last name up again: another thread may have changed it in between.
 */
#include "core/debug.h"
#include "files/inotify.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"
#include "threads/thread.h"

static void touch(struct inode *inode)
{
    inode->modified = inode->changed = clock_wall();
    inode_changed(inode);
}

/* The current state of a name that was looked up without the lock; with a reference. */
static int look_again(struct dentry *seen, struct dentry **out)
{
    struct dentry *parent = seen->parent;
    if (!parent || parent->removed)
        return -ENOENT;
    return dentry_find_locked(parent, seen->name, seen->length, out);
}

static int check_writable(struct dentry *parent)
{
    return parent->inode->fs->read_only ? -EROFS : parent->inode->operations->make ? 0 : -EPERM;
}

/* The names of the directory are to change. */
static int prepare(struct dentry *directory)
{
    int error = check_writable(directory);
    return error ? error : directory_settle(directory);
}

/* A name of a file that has another. */
static int count_name(struct inode *inode)
{
    return inode->operations->add_name ? inode->operations->add_name(inode) : 0;
}

static void uncount_name(struct inode *inode)
{
    if (inode->operations->remove_name)
        inode->operations->remove_name(inode);
}

/* ---- Making ---- */

/* Puts the inode under a name that must be absent. */
static int link_new(struct dentry *absent, struct inode *inode, struct dentry **out)
{
    struct inode *directory = absent->parent->inode;
    const struct inode_operations *operations = directory->operations;
    int error = operations->link ? operations->link(absent, inode) : 0;
    if (error)
        return error;
    error = dentry_link(absent, inode, out);
    if (error) {
        if (operations->unlink)
            operations->unlink(absent);
        return error;
    }
    if (is_type(inode, S_IFDIR))
        directory->links++;
    touch(directory);
    inotify_name(*out, is_type(inode, S_IFDIR) ? IN_CREATE | IN_ISDIR : IN_CREATE, 0);
    return 0;
}

static int make_locked(struct dentry *seen, uint32_t mode, const char *link_target, struct dentry **out)
{
    must_hold_mutex(&namespace_lock);
    struct dentry *name;
    int error = look_again(seen, &name);
    if (error)
        return error;
    struct inode *directory = name->parent->inode, *inode = NULL;
    if (name->inode)
        error = -EEXIST;
    if (!error)
        error = prepare(name->parent);
    if (!error)
        error = directory->operations->make(directory, mode, &inode);
    if (!error && link_target)
        error = inode->operations->set_link(inode, link_target);
    if (!error) {
        inode->links = is_type(inode, S_IFDIR) ? 2 : 1;
        error = link_new(name, inode, out);
    }
    if (error && inode)
        inode->links = 0;
    else if (inode)
        inode_changed(inode);
    if (inode)
        inode_put(inode);
    dentry_put(name);
    return error;
}

int name_create(struct dentry *absent, uint32_t mode, struct dentry **out)
{
    mutex_lock(&namespace_lock);
    int error = make_locked(absent, mode, NULL, out);
    mutex_unlock(&namespace_lock);
    return error;
}

static int make(struct dentry *start, const char *path, uint32_t mode, const char *link_target, struct dentry **out)
{
    struct walk walk = { .start = start, .flags = WALK_ABSENT };
    struct dentry *seen;
    int error = path_walk(&walk, path, &seen);
    if (error)
        return error;
    if (seen->inode)
        error = -EEXIST;
    else if (walk.directory_wanted && (mode & S_IFMT) != S_IFDIR)
        error = -ENOENT;
    else if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK)
        error = -EPERM; /* takes CAP_MKNOD: device nodes cannot be made */
    if (!error) {
        mutex_lock(&namespace_lock);
        error = make_locked(seen, mode, link_target, out);
        mutex_unlock(&namespace_lock);
    }
    dentry_put(seen);
    return error;
}

int name_make(struct dentry *start, const char *path, uint32_t mode, const char *link_target)
{
    struct dentry *made;
    int error = make(start, path, mode, link_target, &made);
    if (!error)
        dentry_put(made);
    return error;
}

int name_make_node(struct dentry *start, const char *path, uint32_t mode, struct inode **out)
{
    struct dentry *made;
    int error = make(start, path, mode, NULL, &made);
    if (error)
        return error;
    *out = inode_get(made->inode);
    dentry_put(made);
    return 0;
}

/* Of a file that was made without a name it is the first, which was counted with the file. */
static int count_link(struct inode *inode)
{
    if (inode->links)
        return count_name(inode);
    return inode->linkable ? 0 : -ENOENT;
}

static int link_locked(struct inode *existing, struct dentry *existing_name, struct dentry *seen)
{
    must_hold_mutex(&namespace_lock);
    struct dentry *name, *made;
    int error = look_again(seen, &name);
    if (error)
        return error;
    if (name->inode)
        error = -EEXIST;
    else if (name->parent->inode->fs != existing->fs)
        error = -EXDEV;
    else if (is_type(existing, S_IFDIR))
        error = -EPERM;
    else
        error = prepare(name->parent);
    if (!error && existing_name && existing_name->parent)
        error = directory_settle(existing_name->parent);
    if (!error)
        error = count_link(existing);
    if (!error && (error = link_new(name, existing, &made)) && existing->links)
        uncount_name(existing);
    if (!error) {
        existing->links++;
        existing->linkable = false;
        existing->changed = clock_wall();
        inode_changed(existing);
        dentry_put(made);
    }
    dentry_put(name);
    return error;
}

int name_link(struct inode *existing, struct dentry *existing_name, struct dentry *start, const char *path)
{
    struct walk walk = { .start = start, .flags = WALK_ABSENT };
    struct dentry *seen;
    int error = path_walk(&walk, path, &seen);
    if (error)
        return error;
    if (seen->inode)
        error = -EEXIST;
    if (!error) {
        mutex_lock(&namespace_lock);
        error = link_locked(existing, existing_name, seen);
        mutex_unlock(&namespace_lock);
    }
    dentry_put(seen);
    return error;
}

/* ---- Removing ---- */

/* Takes the name from the tree. */
static void forget_name(struct dentry *name)
{
    must_hold_mutex(&namespace_lock);
    struct inode *inode = name->inode, *directory = name->parent->inode;
    bool is_directory = is_type(inode, S_IFDIR);
    inode->links -= is_directory ? 2 : 1;
    if (inode->links > 0)
        uncount_name(inode);
    inode->changed = clock_wall();
    inode_changed(inode);
    if (is_directory)
        directory->links--;
    touch(directory);
    inotify_name(name, is_directory ? IN_DELETE | IN_ISDIR : IN_DELETE, 0);
    dentry_unlink(name);
}

static int remove_locked(struct dentry *name)
{
    must_hold_mutex(&namespace_lock);
    const struct inode_operations *operations = name->parent->inode->operations;
    int error = operations->unlink ? operations->unlink(name) : 0;
    if (!error)
        forget_name(name);
    return error;
}

/* Whether the name can be taken from its place, from which it is lasting. */
static int check_movable(struct dentry *name, bool directory)
{
    if (!name->inode)
        return -ENOENT;
    if (name->mounted)
        return -EBUSY;
    int error = check_writable(name->parent);
    if (error)
        return error;
    if (directory && !is_type(name->inode, S_IFDIR))
        return -ENOTDIR;
    if (!directory && is_type(name->inode, S_IFDIR))
        return -EISDIR;
    error = directory_settle(name->parent);
    return error ? error : name->pinned || !name->inode->fs->memory ? 0 : -EPERM;
}

static int check_removable(struct dentry *name, bool directory)
{
    int error = check_movable(name, directory);
    if (error || !directory)
        return error;
    error = directory_settle(name);
    if (!error && name->inode->operations->check_empty)
        return name->inode->operations->check_empty(name->inode);
    return error ? error : dentry_has_children(name) ? -ENOTEMPTY : 0;
}

/* The error of a path that names no directory that could be removed: it ends with "." or "..", or is the root of a file
 * system. */
static int refuse_directory(const char *path, const struct walk *walk)
{
    size_t length = strlen(path);
    while (length && path[length - 1] == '/')
        length--;
    if (!walk->special || !length)
        return -EBUSY;
    return length > 1 && path[length - 2] == '.' ? -ENOTEMPTY : -EINVAL;
}

static int remove_name(struct dentry *start, const char *path, bool directory)
{
    struct walk walk = { .start = start };
    struct dentry *seen, *name;
    int error = path_walk(&walk, path, &seen);
    if (error)
        return error;
    if (walk.special || !seen->parent) {
        error = directory ? refuse_directory(path, &walk) : -EISDIR;
        dentry_put(seen);
        return error;
    }
    mutex_lock(&namespace_lock);
    error = look_again(seen, &name);
    if (!error) {
        error = check_removable(name, directory);
        if (!error)
            error = remove_locked(name);
        dentry_put(name);
    }
    mutex_unlock(&namespace_lock);
    dentry_put(seen);
    return error;
}

int name_unlink(struct dentry *start, const char *path) { return remove_name(start, path, false); }
int name_remove_directory(struct dentry *start, const char *path) { return remove_name(start, path, true); }

/* ---- Moving ---- */

static int check_target(struct dentry *from, struct dentry *to)
{
    if (from->parent->inode->fs != to->parent->inode->fs)
        return -EXDEV;
    if (dentry_is_below(to->parent, from))
        return -EINVAL;
    if (!to->inode)
        return directory_settle(to->parent);
    if (dentry_is_below(from->parent, to))
        return -ENOTEMPTY;
    if (is_type(from->inode, S_IFDIR) && !is_type(to->inode, S_IFDIR))
        return -ENOTDIR;
    return check_removable(to, is_type(from->inode, S_IFDIR));
}

/* `from` is a removable name of a file; `to` what is at the other name now. */
static int move_locked(struct dentry *from, struct dentry *to)
{
    must_hold_mutex(&namespace_lock);
    bool is_directory = is_type(from->inode, S_IFDIR);
    unsigned directory_bit = is_directory ? IN_ISDIR : 0;
    uint32_t cookie = inotify_cookie();
    struct inode *old_directory = from->parent->inode, *new_directory = to->parent->inode;
    int error = old_directory->operations->move ? old_directory->operations->move(from, to) : 0;
    if (error)
        return error;
    if (to->inode)
        forget_name(to);
    inotify_name(from, IN_MOVED_FROM | directory_bit, cookie);
    error = dentry_move(from, to);
    if (error)
        return error;
    inotify_name(from, IN_MOVED_TO | directory_bit, cookie);
    if (is_directory) {
        old_directory->links--;
        new_directory->links++;
    }
    touch(old_directory);
    touch(new_directory);
    from->inode->changed = clock_wall();
    inode_changed(from->inode);
    return 0;
}

/* Reports one of the two moves of an exchange; `name` is where it was before, or is after it. */
static void tell_move(struct dentry *name, unsigned event, uint32_t cookie)
{
    inotify_name(name, event | (is_type(name->inode, S_IFDIR) ? IN_ISDIR : 0), cookie);
}

static int exchange_locked(struct dentry *a, struct dentry *b)
{
    must_hold_mutex(&namespace_lock);
    struct inode *a_directory = a->parent->inode, *b_directory = b->parent->inode;
    uint32_t a_cookie = inotify_cookie(), b_cookie = inotify_cookie();
    tell_move(a, IN_MOVED_FROM, a_cookie);
    tell_move(b, IN_MOVED_FROM, b_cookie);
    dentry_exchange(a, b);
    tell_move(a, IN_MOVED_TO, a_cookie);
    tell_move(b, IN_MOVED_TO, b_cookie);
    uint32_t a_is_directory = is_type(a->inode, S_IFDIR), b_is_directory = is_type(b->inode, S_IFDIR);
    a_directory->links += b_is_directory - a_is_directory;
    b_directory->links += a_is_directory - b_is_directory;
    touch(a_directory);
    touch(b_directory);
    a->inode->changed = b->inode->changed = clock_wall();
    return 0;
}

/* What renameat2() works on, as it is under "namespace". */
struct renaming {
    struct dentry *from, *to;
    unsigned flags;
    bool from_slash, to_slash; /* a path ended with one, so only a directory will do */
};

static bool is_directory(const struct dentry *name) { return name->inode && is_type(name->inode, S_IFDIR); }

static int check_exchange(const struct renaming *r)
{
    if (r->from->parent->inode->operations->move)
        return -EINVAL; /* as Linux' ext2 */
    if (!is_directory(r->to) && r->to_slash)
        return -ENOTDIR;
    if (dentry_is_below(r->to->parent, r->from) || dentry_is_below(r->from->parent, r->to))
        return -EINVAL;
    return check_movable(r->to, is_directory(r->to));
}

static int check_renaming(const struct renaming *r)
{
    if (!r->from->inode)
        return -ENOENT;
    if (r->flags & RENAME_NOREPLACE && r->to->inode)
        return -EEXIST;
    if (r->flags & RENAME_EXCHANGE && !r->to->inode)
        return -ENOENT;
    bool slash = r->from_slash || (r->to_slash && !(r->flags & RENAME_EXCHANGE));
    if (!is_directory(r->from) && slash)
        return -ENOTDIR;
    return check_movable(r->from, is_directory(r->from));
}

static int rename_found(const struct renaming *r)
{
    int error = check_renaming(r);
    if (!error && r->flags & RENAME_EXCHANGE)
        error = check_exchange(r);
    if (error || r->from->inode == r->to->inode)
        return error;
    if (r->flags & RENAME_EXCHANGE)
        return exchange_locked(r->from, r->to);
    error = check_target(r->from, r->to);
    return error ? error : move_locked(r->from, r->to);
}

static int rename_locked(struct dentry *from_seen, struct dentry *to_seen, struct renaming *r)
{
    must_hold_mutex(&namespace_lock);
    int error = look_again(from_seen, &r->from);
    if (error)
        return error;
    error = look_again(to_seen, &r->to);
    if (!error) {
        error = rename_found(r);
        dentry_put(r->to);
    }
    dentry_put(r->from);
    return error;
}

/* Where the name lies; that of a mounted root lies where it is mounted, but its "." in itself. */
static const struct file_system *system_of(const struct walk *walk, const struct dentry *seen)
{
    if (!walk->special && !seen->parent && seen->covers)
        seen = seen->covers;
    return seen->parent ? seen->parent->inode->fs : seen->inode->fs;
}

static int rename_walked(struct walk *from, struct dentry *from_seen, struct walk *to, struct dentry *to_seen,
                         unsigned flags)
{
    if (system_of(from, from_seen) != system_of(to, to_seen))
        return -EXDEV;
    if (from->special || !from_seen->parent)
        return -EBUSY;
    if (to->special || !to_seen->parent)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    struct renaming renaming = { .flags = flags,
                                 .from_slash = from->directory_wanted,
                                 .to_slash = to->directory_wanted };
    mutex_lock(&namespace_lock);
    int error = rename_locked(from_seen, to_seen, &renaming);
    mutex_unlock(&namespace_lock);
    return error;
}

int name_rename(struct dentry *from_start, const char *from, struct dentry *to_start, const char *to, unsigned flags)
{
    struct walk from_walk = { .start = from_start, .flags = WALK_ABSENT };
    struct walk to_walk = { .start = to_start, .flags = WALK_ABSENT };
    struct dentry *from_seen, *to_seen;
    int error = path_walk(&from_walk, from, &from_seen);
    if (error)
        return error;
    error = path_walk(&to_walk, to, &to_seen);
    if (!error) {
        error = rename_walked(&from_walk, from_seen, &to_walk, to_seen, flags);
        dentry_put(to_seen);
    }
    dentry_put(from_seen);
    return error;
}
