/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to a name: one component at a time, through mounts and symbolic links; and the working directory.
 *
 * A walk holds one reference, to where it is. It follows at most LINK_LIMIT links, and takes at most two pages for
 * them. Spinlock "working directory" guards that one; the locks of the tree of names are taken a step at a time.
 */
#include "core/debug.h"
#include "core/lock.h"
#include "core/pages.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "threads/thread.h"

struct dentry *root_directory;

/*
 * The state of one walk. After a symbolic link the rest of the path lies in one of two pages: the
 * link's target, a slash and the old rest are written to the page that does not hold the old rest.
 */
struct walker {
    struct dentry *at; /* one reference */
    const char *rest;
    struct page *pages[2];
    unsigned page_used;
    unsigned links;
    unsigned flags;      /* WALK_* */
    struct dentry *base; /* the caller's: the limit of WALK_BENEATH and WALK_IN_ROOT */
};

static void step_to(struct walker *walker, struct dentry *dentry)
{
    dentry_put(walker->at);
    walker->at = dentry;
}

static struct dentry *into_mounts(struct dentry *dentry)
{
    while (dentry->mounted) {
        struct dentry *root = dentry_get(dentry->mounted);
        dentry_put(dentry);
        dentry = root;
    }
    return dentry;
}

/* From the directory that absolute paths begin at. */
static int step_to_root(struct walker *walker)
{
    if (walker->flags & WALK_BENEATH)
        return -EXDEV;
    struct dentry *root = walker->flags & WALK_IN_ROOT ? walker->base : root_directory;
    if (walker->flags & WALK_NO_MOUNTS && root->inode->fs != walker->at->inode->fs)
        return -EXDEV;
    step_to(walker, dentry_get(root));
    return 0;
}

static int step_up(struct walker *walker)
{
    if (walker->at == walker->base && walker->flags & WALK_IN_ROOT)
        return 0;
    if (walker->at == walker->base && walker->flags & WALK_BENEATH)
        return -EXDEV;
    struct dentry *up = into_mounts(dentry_up(walker->at));
    bool leaves = walker->flags & WALK_NO_MOUNTS && up->inode->fs != walker->at->inode->fs;
    if (leaves)
        dentry_put(up);
    else
        step_to(walker, up);
    return leaves ? -EXDEV : 0;
}

/* Continues with the target of `link` in place of the component just read. Each may bring a whole page of names. */
static int enter_link(struct walker *walker, struct inode *link)
{
    if (++walker->links > LINK_LIMIT || walker->flags & WALK_NO_LINKS)
        return -ELOOP;
    give_way();
    if (!link->operations->read_link)
        return -EINVAL;
    unsigned which = walker->page_used ^ 1;
    if (!walker->pages[which] && !(walker->pages[which] = page_allocate_at(PAGES_NEEDED)))
        return -ENOMEM;
    char *to = page_data(walker->pages[which]);
    ssize_type length = link->operations->read_link(link, to, PATH_LIMIT);
    if (length < 0)
        return (int)length;
    if (length == 0)
        return -ENOENT;
    size_t rest = strlen(walker->rest);
    if ((size_t)length + rest + 2 > PATH_LIMIT)
        return -ENAMETOOLONG;
    to[length] = '/';
    memcpy(to + length + (rest ? 1 : 0), walker->rest, rest + 1);
    walker->page_used = which;
    walker->rest = to;
    return to[0] == '/' ? step_to_root(walker) : 0;
}

static size_t component_length(const char *path)
{
    size_t length = 0;
    while (path[length] && path[length] != '/')
        length++;
    return length;
}

static const char *skip_slashes(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

/* Takes one named component. 1: the walk ended at a negative or last dentry, 0: goes on. */
static int take_component(struct walker *walker, struct walk *walk, const char *name, size_t length, bool last)
{
    struct dentry *child;
    int error = dentry_find(walker->at, name, length, &child);
    if (error)
        return error;
    if (!child->inode) {
        if (!last || !(walk->flags & WALK_ABSENT)) {
            dentry_put(child);
            return -ENOENT;
        }
        step_to(walker, child);
        return 1;
    }
    if (child->mounted && walk->flags & WALK_NO_MOUNTS) {
        dentry_put(child);
        return -EXDEV;
    }
    child = into_mounts(child);
    bool follow = !last || walk->flags & WALK_FOLLOW || walk->directory_wanted;
    if (!is_type(child->inode, S_IFLNK) || !follow) {
        step_to(walker, child);
        return last;
    }
    error = enter_link(walker, child->inode);
    dentry_put(child);
    return error;
}

static int walk_on(struct walker *walker, struct walk *walk)
{
    for (;;) {
        const char *name = skip_slashes(walker->rest);
        if (!is_type(walker->at->inode, S_IFDIR))
            return -ENOTDIR;
        if (!*name)
            return 0;
        size_t length = component_length(name);
        if (length > NAME_LIMIT)
            return -ENAMETOOLONG;
        bool last = !*skip_slashes(name + length);
        walk->directory_wanted = last && name[length];
        walker->rest = name + length;
        walk->special = name_is_dots(name, length);
        int result = walk->special && length == 2 ? step_up(walker) : 0;
        if (result)
            return result;
        if (walk->special)
            continue;
        result = take_component(walker, walk, name, length, last);
        if (result != 0)
            return result < 0 ? result : 0;
    }
}

static int check_end(const struct walk *walk, const struct inode *inode)
{
    if (!inode || is_type(inode, S_IFDIR) || walk->flags & WALK_ABSENT)
        return 0;
    return walk->directory_wanted || walk->flags & WALK_DIRECTORY ? -ENOTDIR : 0;
}

int path_walk(struct walk *walk, const char *path, struct dentry **out)
{
    may_sleep();
    walk->directory_wanted = false;
    walk->special = true;
    if (!*path)
        return -ENOENT;
    bool absolute = *path == '/' || !walk->start;
    struct walker walker = {
        .at = dentry_get(absolute ? root_directory : walk->start),
        .rest = path,
        .flags = walk->flags,
        .base = walk->start ? walk->start : root_directory,
    };
    int error = absolute && walk->flags & (WALK_BENEATH | WALK_IN_ROOT) ? step_to_root(&walker) : 0;
    if (!error)
        error = walk_on(&walker, walk);
    if (!error)
        error = check_end(walk, walker.at->inode);
    for (unsigned i = 0; i < array_size(walker.pages); i++) {
        if (walker.pages[i])
            page_put(walker.pages[i]);
    }
    if (error)
        dentry_put(walker.at);
    else
        *out = walker.at;
    return error;
}

int path_find(struct dentry *start, const char *path, unsigned flags, struct dentry **out)
{
    struct walk walk = { .start = start, .flags = flags };
    return path_walk(&walk, path, out);
}

/* ---- The working directory ---- */

static struct spinlock working_lock = SPINLOCK(LOCK_WORKING_DIRECTORY);
static struct dentry *working; /* working_lock; NULL: the root */

struct dentry *working_directory(void)
{
    spin_lock(&working_lock);
    struct dentry *directory = dentry_get(working ? working : root_directory);
    spin_unlock(&working_lock);
    return directory;
}

void working_directory_set(struct dentry *directory)
{
    dentry_get(directory);
    spin_lock(&working_lock);
    struct dentry *old = working;
    working = directory;
    spin_unlock(&working_lock);
    if (old)
        dentry_put(old);
}

int working_directory_change(struct dentry *start, const char *path)
{
    struct dentry *directory;
    int error = path_find(start, path, WALK_FOLLOW | WALK_DIRECTORY, &directory);
    if (error)
        return error;
    working_directory_set(directory);
    dentry_put(directory);
    return 0;
}
