/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: the tree of directory entries, found by a hash of directory and name. Each directory also has a tree of the
 * names that are pinned (those of memory file systems), ordered by their position in listings, so that a listing finds
 * in O(log n) where it stopped.
 *
 * A hashed dentry is in its bucket, and in its parent's tree exactly while it is pinned; a dentry holds references of
 * its parent and its inode. Locks: "namespace" (mutex) serialises changes of the tree; "names" (spinlock) guards
 * what vfs.h marks so.
 */
#include "core/debug.h"
#include "core/dump.h"
#include "core/heap.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "core/random.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "threads/thread.h"

#define BUCKETS_LEAST 1024
#define LISTED_AT_ONCE 64 /* names between points where others may run */
/* Names kept although nothing refers to them. They hold the inodes, and so the cached pages, of closed files. */
#define UNUSED_LIMIT 1024

struct mutex namespace_lock = MUTEX(namespace_lock, LOCK_NAMESPACE);

static struct spinlock lock = SPINLOCK(LOCK_NAMES);
static struct dentry **buckets;                /* lock; the number depends on the memory there is */
static uint32_t bucket_mask;                   /* set with the first root */
static struct list unused = LIST_INIT(unused); /* lock */
static unsigned unused_count;                  /* lock */
/* Lock. 0 and 1 are "." and "..", what follows are names taken over from the image, by their places there. */
static uint64_t next_cookie = 1UL << 32;
static struct hash_key key; /* names may be chosen by outsiders; set with the first root */

static uint32_t hash_of(const struct dentry *parent, const char *name, size_t length)
{
    return (uint32_t)(siphash13(&key, name, length) ^ hash_mix((uintptr_t)parent));
}

static bool set_name(struct dentry *dentry, const char *name, size_t length)
{
    char *to = dentry->short_name;
    if (length > sizeof(dentry->short_name) && !(to = heap_allocate(length)))
        return false;
    memcpy(to, name, length);
    dentry->name = to;
    dentry->length = (uint32_t)length;
    return true;
}

static void free_name(struct dentry *dentry, char *name)
{
    if (name != dentry->short_name)
        heap_free(name);
}

/* ---- Tree and hash, under the lock ---- */

static void hash_in(struct dentry *dentry)
{
    must_hold(&lock);
    dentry->hash = hash_of(dentry->parent, dentry->name, dentry->length);
    struct dentry **bucket = &buckets[dentry->hash & bucket_mask];
    dentry->hash_next = *bucket;
    *bucket = dentry;
    dentry->hashed = true;
    if (dentry->pinned)
        tree_insert(&dentry->parent->children, &dentry->siblings);
}

static void hash_out(struct dentry *dentry)
{
    if (!dentry->hashed)
        return;
    struct dentry **link = &buckets[dentry->hash & bucket_mask];
    while (*link != dentry)
        link = &(*link)->hash_next;
    *link = dentry->hash_next;
    dentry->hashed = false;
    if (dentry->pinned)
        tree_remove(&dentry->parent->children, &dentry->siblings);
}

DUMP_OFFSET(dentry, removed);
DUMP_OFFSET(dentry, length);
DUMP_OFFSET(dentry, name);
DUMP_OFFSET(dentry, parent);
DUMP_OFFSET(dentry, covers);

static void get_locked(struct dentry *dentry)
{
    must_hold(&lock);
    if (dentry->references++ == 0) {
        list_remove(&dentry->unused);
        unused_count--;
    }
}

static struct dentry *find_hashed(struct dentry *parent, const char *name, size_t length)
{
    uint32_t hash = hash_of(parent, name, length);
    for (struct dentry *d = buckets[hash & bucket_mask]; d; d = d->hash_next) {
        if (d->hash == hash && d->parent == parent && d->length == length && memcmp(d->name, name, length) == 0)
            return d;
    }
    return NULL;
}

/* ---- Lives ---- */

static struct dentry *dentry_of(struct tree_node *node) { return tree_entry(node, struct dentry, siblings); }

static bool listed_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct dentry, siblings)->cookie < tree_entry(b, struct dentry, siblings)->cookie;
}

static struct dentry *create(struct dentry *parent, const char *name, size_t length, struct inode *inode)
{
    struct dentry *dentry = heap_allocate_zeroed(sizeof(*dentry));
    if (!dentry)
        return NULL;
    if (!set_name(dentry, name, length)) {
        heap_free(dentry);
        return NULL;
    }
    dentry->references = 1;
    dentry->inode = inode;
    dentry->parent = parent ? dentry_get(parent) : NULL;
    tree_init(&dentry->children, listed_before);
    list_init(&dentry->unused);
    return dentry;
}

static void set_up(void)
{
    uint32_t count = BUCKETS_LEAST;
    while (count < pages_total_count() / 4 && 2 * count * sizeof(*buckets) < HEAP_BLOCK_MAX)
        count *= 2;
    buckets = heap_allocate_zeroed(count * sizeof(*buckets));
    if (!buckets)
        panic("no memory for the hash table of names");
    bucket_mask = count - 1;
    key.k0 = random_u64() | 1;
    key.k1 = random_u64();
}

struct dentry *dentry_create_root(struct inode *inode)
{
    if (!buckets)
        set_up();
    struct dentry *root = create(NULL, "", 0, inode);
    if (root)
        inode_get(inode);
    return root;
}

struct dentry *dentry_get(struct dentry *dentry)
{
    spin_lock(&lock);
    get_locked(dentry);
    spin_unlock(&lock);
    return dentry;
}

/* Drops one reference. Yields a dentry to be freed, if any: this one, or the one longest unused. */
static struct dentry *drop(struct dentry *dentry)
{
    if (--dentry->references > 0)
        return NULL;
    if (!dentry->hashed)
        return dentry;
    list_push_back(&unused, &dentry->unused);
    if (++unused_count <= UNUSED_LIMIT)
        return NULL;
    struct dentry *oldest = list_entry(list_pop_front(&unused), struct dentry, unused);
    unused_count--;
    hash_out(oldest);
    return oldest;
}

void dentry_put(struct dentry *dentry)
{
    while (dentry) {
        spin_lock(&lock);
        struct dentry *dead = drop(dentry);
        spin_unlock(&lock);
        if (!dead)
            return;
        dentry = dead->parent;
        if (dead->inode)
            inode_put(dead->inode);
        free_name(dead, dead->name);
        heap_free(dead);
        give_way(); /* removed directories, each kept by the next one only, are as many as the program likes */
    }
}

/* ---- Finding ---- */

static struct dentry *find_cached(struct dentry *directory, const char *name, size_t length)
{
    spin_lock(&lock);
    struct dentry *found = find_hashed(directory, name, length);
    if (found)
        get_locked(found);
    spin_unlock(&lock);
    return found;
}

static int ask_file_system(struct inode *directory, const char *name, size_t length, struct inode **inode)
{
    *inode = NULL;
    if (!directory->operations->lookup)
        return 0;
    int error = directory->operations->lookup(directory, name, length, inode);
    return error == -ENOENT ? 0 : error;
}

int dentry_find_locked(struct dentry *directory, const char *name, size_t length, struct dentry **out)
{
    must_hold_mutex(&namespace_lock);
    *out = find_cached(directory, name, length);
    if (*out)
        return 0;
    struct inode *inode;
    int error = ask_file_system(directory->inode, name, length, &inode);
    if (error)
        return error;
    struct dentry *dentry = create(directory, name, length, inode);
    if (!dentry) {
        if (inode)
            inode_put(inode);
        return -ENOMEM;
    }
    /* What lies below a directory that cannot be found again cannot be found either. */
    bool reachable = directory->hashed || !directory->parent;
    if (reachable && !directory->inode->uncached) {
        spin_lock(&lock);
        hash_in(dentry);
        spin_unlock(&lock);
    }
    *out = dentry;
    return 0;
}

int dentry_find(struct dentry *directory, const char *name, size_t length, struct dentry **out)
{
    *out = find_cached(directory, name, length);
    if (*out)
        return 0;
    mutex_lock(&namespace_lock);
    int error = dentry_find_locked(directory, name, length, out);
    mutex_unlock(&namespace_lock);
    return error;
}

/* ---- Changing, under "namespace" ---- */

int dentry_link(struct dentry *absent, struct inode *inode, struct dentry **out)
{
    must_hold_mutex(&namespace_lock);
    struct dentry *dentry = create(absent->parent, absent->name, absent->length, inode);
    if (!dentry)
        return -ENOMEM;
    inode_get(inode);
    spin_lock(&lock);
    hash_out(absent);
    dentry->cookie = next_cookie++;
    dentry->pinned = inode->fs->memory;
    dentry->references += dentry->pinned;
    hash_in(dentry);
    spin_unlock(&lock);
    *out = dentry;
    return 0;
}

void dentry_pin(struct dentry *dentry, uint64_t cookie)
{
    must_hold_mutex(&namespace_lock);
    spin_lock(&lock);
    if (dentry->hashed && !dentry->pinned) {
        get_locked(dentry);
        dentry->cookie = cookie;
        dentry->pinned = true;
        tree_insert(&dentry->parent->children, &dentry->siblings);
    }
    spin_unlock(&lock);
}

void dentry_unlink(struct dentry *dentry)
{
    must_hold_mutex(&namespace_lock);
    spin_lock(&lock);
    bool pinned = dentry->pinned;
    hash_out(dentry);
    dentry->pinned = false;
    dentry->removed = true;
    spin_unlock(&lock);
    if (pinned)
        dentry_put(dentry);
}

int dentry_move(struct dentry *dentry, struct dentry *absent)
{
    must_hold_mutex(&namespace_lock);
    char *old_name = dentry->name;
    struct dentry *new_parent = dentry_get(absent->parent);
    spin_lock(&lock);
    hash_out(dentry);
    bool named = set_name(dentry, absent->name, absent->length);
    struct dentry *old_parent = dentry->parent;
    if (named) {
        hash_out(absent);
        dentry->parent = new_parent;
        dentry->cookie = next_cookie++;
    }
    hash_in(dentry);
    spin_unlock(&lock);
    if (!named) {
        dentry_put(new_parent);
        return -ENOMEM;
    }
    free_name(dentry, old_name);
    dentry_put(old_parent);
    return 0;
}

/* Long names are on the heap, short ones in the dentry. */
static void exchange_names(struct dentry *a, struct dentry *b)
{
    struct dentry old = *a;
    bool a_long = a->name != a->short_name, b_long = b->name != b->short_name;
    a->name = b_long ? b->name : a->short_name;
    a->length = b->length;
    memcpy(a->short_name, b->short_name, sizeof(a->short_name));
    b->name = a_long ? old.name : b->short_name;
    b->length = old.length;
    memcpy(b->short_name, old.short_name, sizeof(b->short_name));
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
    must_hold_mutex(&namespace_lock);
    spin_lock(&lock);
    hash_out(a);
    hash_out(b);
    exchange_names(a, b);
    struct dentry *parent = a->parent; /* the references of parents go with them */
    a->parent = b->parent;
    b->parent = parent;
    a->cookie = next_cookie++;
    b->cookie = next_cookie++;
    hash_in(a);
    hash_in(b);
    spin_unlock(&lock);
}

bool dentry_has_children(struct dentry *directory)
{
    spin_lock(&lock);
    bool any = tree_first(&directory->children);
    spin_unlock(&lock);
    return any;
}

/* ---- Listing and paths ---- */

/* The child with the lowest cookie from `cursor` on. `last` is the child listed before, or NULL; the search begins
 * there while it has its place. Under the lock. */
static struct dentry *child_from(const struct dentry *directory, uint64_t cursor, struct dentry *last)
{
    must_hold(&lock);
    struct dentry *next = NULL;
    if (last && last->hashed && last->pinned && last->parent == directory && last->cookie + 1 == cursor) {
        struct tree_node *node = tree_next(&last->siblings);
        return node ? dentry_of(node) : NULL;
    }
    for (struct tree_node *node = directory->children.root; node;) {
        struct dentry *child = dentry_of(node);
        if (child->cookie >= cursor)
            next = child;
        node = child->cookie >= cursor ? node->left : node->right;
    }
    return next;
}

/* Moves *at, which has a reference, to the child to be listed next, or NULL, and gives what the listing says of it. Its
 * name may change as soon as the lock is dropped, so it is copied (NAME_LIMIT bytes). */
static void step(struct dentry *directory, uint64_t cursor, struct dentry **at, struct listed_name *listed, char *name)
{
    struct dentry *last = *at;
    spin_lock(&lock);
    struct dentry *next = child_from(directory, cursor, last);
    if (next) {
        get_locked(next);
        memcpy(name, next->name, next->length);
        *listed = (struct listed_name){
            .name = name,
            .length = next->length,
            .inode = next->inode->number,
            .type = next->inode->mode & S_IFMT,
            .next = next->cookie + 1,
        };
    }
    spin_unlock(&lock);
    dentry_put(last);
    *at = next;
}

static bool take_dots(struct dentry *directory, uint64_t *cursor, struct listing *listing)
{
    struct dentry *up = dentry_up(directory);
    const struct inode *inodes[] = { directory->inode, up->inode };
    bool taken = true;
    while (taken && *cursor < 2) {
        struct listed_name name = {
            .name = "..",
            .length = *cursor + 1,
            .inode = inodes[*cursor]->number,
            .type = S_IFDIR,
            .next = *cursor + 1,
        };
        taken = listing->take(listing, &name);
        if (taken)
            ++*cursor;
    }
    dentry_put(up);
    return taken;
}

int dentry_list(struct dentry *directory, uint64_t *cursor, struct listing *listing)
{
    if (!take_dots(directory, cursor, listing))
        return 0;
    struct dentry *at = NULL;
    struct listed_name listed;
    char name[NAME_LIMIT];
    for (unsigned count = 1;; count++) {
        step(directory, *cursor, &at, &listed, name);
        if (!at || !listing->take(listing, &listed))
            break;
        *cursor = listed.next;
        if (count % LISTED_AT_ONCE == 0)
            give_way();
    }
    dentry_put(at);
    return 0;
}

struct dentry *dentry_up(struct dentry *dentry)
{
    spin_lock(&lock);
    while (!dentry->parent && dentry->covers)
        dentry = dentry->covers;
    if (dentry->parent)
        dentry = dentry->parent;
    get_locked(dentry);
    spin_unlock(&lock);
    return dentry;
}

struct dentry *dentry_parent(struct dentry *dentry, char *name, size_t *length)
{
    struct dentry *parent = NULL;
    spin_lock(&lock);
    if (dentry->parent && !dentry->removed) {
        parent = dentry->parent;
        get_locked(parent);
        memcpy(name, dentry->name, dentry->length);
        *length = dentry->length;
    }
    spin_unlock(&lock);
    return parent;
}

bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor)
{
    spin_lock(&lock);
    while (dentry && dentry != ancestor)
        dentry = dentry->parent ? dentry->parent : dentry->covers;
    spin_unlock(&lock);
    return dentry;
}

ssize_type dentry_path(struct dentry *dentry, char *to, size_t size)
{
    static const char deleted[] = " (deleted)";
    if (size < 2)
        return -ENAMETOOLONG;
    size_t at = size;
    to[--at] = 0;
    bool fits = true;
    spin_lock(&lock);
    if (dentry->removed && (fits = at >= sizeof(deleted)))
        memcpy(to + (at -= sizeof(deleted) - 1), deleted, sizeof(deleted) - 1);
    for (; fits && dentry; dentry = dentry->parent ? dentry->parent : dentry->covers) {
        if (!dentry->parent)
            continue;
        fits = at > dentry->length;
        if (!fits)
            break;
        memcpy(to + (at -= dentry->length), dentry->name, dentry->length);
        to[--at] = '/';
    }
    spin_unlock(&lock);
    if (!fits || at == 0)
        return -ENAMETOOLONG;
    if (!to[at])
        to[--at] = '/';
    size_t length = size - at - 1;
    memmove(to, to + at, length + 1);
    return (ssize_type)length;
}
