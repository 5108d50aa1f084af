/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and inodes: what lies between a path and an open file.
 *
 * An inode is a file of a file system; a dentry is a name for one (or, negative, the knowledge that the name does not
 * exist) and hangs in a tree below the root. Looking a path up walks that tree and asks a file system only for what is
 * not in it yet. Memory file systems (`memory`) keep their names nowhere else: their dentries are pinned until
 * unlinked.
 *
 * Locks. Spinlock "names" guards the tree, the hash and the reference counts of dentries. Mutex "namespace" is held
 * while a name is added, removed or moved and while a file system is asked for one; user memory is not touched under
 * it. It may be taken under the address_space mutex. Spinlock "inodes" guards the inode hash and inode reference
 * counts. Mutex inode->lock guards size and contents of a memory file against other writers; it is taken outside
 * "namespace", never inside. Other fields of an inode are single words, changed without a lock.
 *
 * A memory file system may lie over a directory of the image (files/layer.c): an inode of it then has another one
 * `below`, whose names or contents count until something changes.
 */
#pragma once

#include "files/file.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "memory/page_cache.h"
#include "threads/wait.h"

#define NAME_LIMIT 255 /* NAME_MAX, limits.h */
/* "." and "..", which no directory has as names. */
static inline bool name_is_dots(const char *name, size_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}
#define PATH_LIMIT 4096 /* PATH_MAX, the NUL included */
#define LINK_LIMIT 40   /* symbolic links followed in one walk, path_resolution(7) */

struct inode;
struct file_system;

/* One name of a directory being listed. */
struct listed_name {
    const char *name; /* not NUL-terminated */
    size_t length;
    uint64_t inode;
    uint32_t type; /* S_IF*, 0: unknown */
    uint64_t next; /* the cursor that continues after it */
};
struct listing {
    /* False: no room, the name was not taken and listing ends. */
    bool (*take)(struct listing *listing, const struct listed_name *name);
};

/* Any member may be NULL. All may sleep. */
struct inode_operations {
    /* The inode of a name with a reference, or -ENOENT, -EIO, ... Under "namespace". */
    int (*lookup)(struct inode *directory, const char *name, size_t length, struct inode **out);
    /* Gives the names from *cursor on, which it advances. 0 or -errno. Memory file systems: NULL. */
    int (*list)(struct inode *directory, uint64_t *cursor, struct listing *listing);
    /* The target, not NUL-terminated; its length (<= size), or -errno. */
    ssize_type (*read_link)(struct inode *link, char *to, size_t size);
    /* Last step of open(2); may change operations and private of the file. 0 or -errno. */
    int (*open)(struct inode *inode, struct file *file);
    /* A new inode for this directory, one reference, no link yet. Only file systems whose names can change. */
    int (*make)(struct inode *directory, uint32_t mode, struct inode **out);
    /* The target of a new symbolic link. */
    int (*set_link)(struct inode *link, const char *target);
    /* Where names lie on a disk, those of a directory; else NULL: they are in the tree of dentries alone. Under
     * "namespace". 0 or -errno. Enters the inode under a name that is absent. */
    int (*link)(struct dentry *absent, struct inode *inode);
    int (*unlink)(struct dentry *name);
    /* Gives what has the name `from` the name `to`, which may be another file's. */
    int (*move)(struct dentry *from, struct dentry *to);
    /* -ENOTEMPTY if the directory has names but "." and "..". */
    int (*check_empty)(struct inode *directory);
    /* What the inode says (mode, links, owner, times) has changed. Any lock but a spinlock. NULL: it is in memory. */
    void (*changed)(struct inode *inode);
    /* fsync(2) and, with data_only, fdatasync(2). NULL: there is nothing to do. No locks. 0, -EIO or -ENOMEM. */
    int (*sync)(struct inode *inode, bool data_only);
    /* Counts a further hard link to a file, and one fewer of several. 0 or -ENOSPC. Memory file systems that limit
     * their names; else both NULL. Under "namespace". */
    int (*add_name)(struct inode *inode);
    void (*remove_name)(struct inode *inode);
    /* Before names in the directory change or what its files say: makes all its names lasting. NULL: they are. Under
     * "namespace". 0 or -errno. */
    int (*settle)(struct dentry *directory);
    /* truncate(2), under inode->lock. NULL: -EINVAL. */
    int (*resize)(struct inode *inode, uint64_t size);
    /* fallocate(2), under inode->lock; hole: punches one. NULL: -EOPNOTSUPP. */
    int (*allocate)(struct inode *inode, uint64_t offset, uint64_t length, bool keep_size, bool hole);
    /* Pages of PAGE_SIZE bytes that a file takes of its file system. NULL: those that are cached in memory file
     * systems, else all. */
    uint64_t (*pages)(const struct inode *inode);
    /* Frees the inode and all that belongs to it; nothing refers to it any more. */
    void (*release)(struct inode *inode);
};

struct file_system_statistics {
    uint64_t type, block_size, blocks, blocks_free, files, files_free;
};
struct file_system {
    const char *name; /* as in /proc/mounts */
    uint64_t device;  /* st_dev: device_number() */
    bool read_only;
    bool memory;
    void (*statistics)(struct file_system *fs, struct file_system_statistics *out);
    /* Stores all that has changed; NULL: there is nothing to do. No locks. 0, -EIO or -ENOMEM. */
    int (*sync)(struct file_system *fs);
    /* The machine ends: the last sync, after which nothing changes. NULL as above. */
    void (*end)(struct file_system *fs);
    struct inode *root; /* one reference */
};

struct inode {
    uint32_t references;     /* inodes */
    struct inode *hash_next; /* inodes */
    bool hashed;             /* inodes */
    bool uncached;           /* a directory whose names come and go: they are not cached */
    struct file_system *fs;
    const struct inode_operations *operations;
    const struct file_operations *file_operations;
    uint64_t number;
    uint32_t mode, links, uid, gid;
    uint64_t size;
    uint64_t device_number; /* of character devices */
    nanoseconds accessed, modified, changed;
    struct mutex lock;
    struct page_source pages; /* regular files */
    struct inode *below;      /* the image's in this place, with a reference, or NULL; never changes */
    uint64_t below_size;      /* bytes of below that count where there is no page; shrinks, under inode->lock */
    bool separate;            /* changes once. A directory's names are all in the tree ("namespace"); a file's
                                      * pages are its own (inode->lock and address_space) */
    struct list watches;      /* inotify (files/inotify.c) */
    struct list attributes;   /* inode->lock (files/attributes.c) */
    uint32_t seals;           /* inode->lock: SEAL_*, of files of memory */
    uint32_t write_hint;      /* RWH_* of F_SET_RW_HINT (fcntl(2)): kept for who asks, without effect; one word */
    bool linkable;            /* namespace: made without a name and may get one */
    void *private;            /* the file system's; sockets: net/'s listener; named pipes: the pipe (lock) */
};

/* It is what the image has in its place, unchanged. */
static inline bool is_untouched(const struct inode *inode) { return inode->below && !read_once(inode->separate); }

/* After a change of what it says. */
static inline void inode_changed(struct inode *inode)
{
    if (inode->operations->changed)
        inode->operations->changed(inode);
}

static inline bool is_type(const struct inode *inode, uint32_t type) { return (inode->mode & S_IFMT) == type; }

/* ---- Inodes (files/inode.c) -------------------------------------------------------------------- */

/* Fills a new inode, zeroed by the caller, with one reference. */
void inode_init(struct inode *inode, struct file_system *fs, uint64_t number, uint32_t mode);
struct inode *inode_get(struct inode *inode);
/* Dropping the last reference frees the inode, which may sleep. */
void inode_put(struct inode *inode);
/* The hashed inode with this number with a reference, or NULL. */
struct inode *inode_find(struct file_system *fs, uint64_t number);
void inode_hash(struct inode *inode);
void inode_status(struct inode *inode, struct file_status *status);
/* Sets the size, of the pages too. */
void inode_set_size(struct inode *inode, uint64_t size);
/* A number for st_dev of a new file system that is on no disk. */
uint64_t file_system_new_device(void);

/* For files whose contents are in inode->pages (files/paged.c). */
ssize_type paged_read(struct file *file, struct transfer *transfer, uint64_t *offset);
/* Writes at *offset, which advances, but not beyond `end`; the file becomes longer as needed. `cut` makes it shorter
 * again where less was written than there was room made for. Under inode->lock. Bytes or -errno. */
ssize_type paged_write(struct inode *inode, struct transfer *transfer, uint64_t *offset, uint64_t end,
                       void (*cut)(struct inode *inode, uint64_t size));
/* Zeroes [from, to) where there are pages. Gives way. */
void paged_clear(struct inode *inode, uint64_t from, uint64_t to);
/* For operations.open and release: tell inotify. */
int paged_open(struct inode *inode, struct file *file);
void paged_close(struct file *file);
int64_t paged_seek(struct file *file, int64_t offset, int whence);
struct page_source *paged_pages(struct file *file);
extern const struct file_operations paged_read_only_operations;

/* ---- Dentries (files/dentry.c) ----------------------------------------------------------------- */

struct dentry {
    uint32_t references;          /* names */
    bool hashed, pinned, removed; /* names */
    uint32_t hash;                /* names */
    uint32_t length;              /* names */
    char *name;                   /* names */
    struct dentry *parent;        /* names; one reference; NULL for the root of a file system */
    struct dentry *hash_next;     /* names */
    struct inode *inode;          /* one reference; NULL: there is no such file. Never changes */
    struct dentry *mounted;       /* the root of what is mounted here; never changes back */
    struct dentry *covers;        /* of a mounted root: where */
    struct tree children;         /* names: the pinned ones, by cookie */
    struct tree_node siblings;    /* names: of pinned ones, in the parent's children */
    struct list unused;           /* names: least recently used first, while nothing refers to it */
    uint64_t cookie;              /* position in listings */
    char short_name[32];
};

extern struct mutex namespace_lock;

/* NULL without memory. */
struct dentry *dentry_create_root(struct inode *inode);
struct dentry *dentry_get(struct dentry *dentry);
void dentry_put(struct dentry *dentry);
/* The name in the directory, which may turn out negative; with a reference. 0 or -errno. */
int dentry_find(struct dentry *directory, const char *name, size_t length, struct dentry **out);
/* The same under "namespace". */
int dentry_find_locked(struct dentry *directory, const char *name, size_t length, struct dentry **out);
/* Puts a name for the inode in place of a negative one, pinned in memory file systems. Under "namespace". 0 or -errno.
 */
int dentry_link(struct dentry *absent, struct inode *inode, struct dentry **out);
/* Makes a positive name, as yet only cached, lasting, at this place in listings. Under "namespace". */
void dentry_pin(struct dentry *dentry, uint64_t cookie);
/* Takes the name out of the tree. Under "namespace". */
void dentry_unlink(struct dentry *dentry);
/* Gives the file the place and name of a negative dentry. Under "namespace". 0 or -errno. */
int dentry_move(struct dentry *dentry, struct dentry *absent);
/* Each of two pinned names gets the other's place. Under "namespace". */
void dentry_exchange(struct dentry *a, struct dentry *b);
bool dentry_has_children(struct dentry *directory);
/* Lists what hangs below a directory of a memory file system. */
int dentry_list(struct dentry *directory, uint64_t *cursor, struct listing *listing);
/* The parent, across mounts, with a reference; the root's is itself. */
struct dentry *dentry_up(struct dentry *dentry);
/* The directory that holds the name, with a reference, and a copy of the name (NAME_LIMIT bytes); NULL for
 * the root of a file system and for removed names. */
struct dentry *dentry_parent(struct dentry *dentry, char *name, size_t *length);
/* True if `dentry` is `ancestor` or below it. */
bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor);
/* The absolute path, NUL-terminated, " (deleted)" after it where that is so. Length or -ENAMETOOLONG. */
ssize_type dentry_path(struct dentry *dentry, char *to, size_t size);

/* ---- Paths (files/path.c) ------------------------------------------------------------------------ */

#define WALK_FOLLOW 1u /* follow a symbolic link at the end of the path */
/* The last name need not exist: *out may be negative. The caller deals with a slash after what is not a directory. */
#define WALK_ABSENT 2u
#define WALK_DIRECTORY 4u /* -ENOTDIR for anything else */
/* RESOLVE_* of openat2(2): */
#define WALK_NO_MOUNTS 8u /* -EXDEV where a file system ends */
#define WALK_NO_LINKS 16u /* -ELOOP at any symbolic link, the last only if it is followed */
#define WALK_BENEATH 32u  /* -EXDEV where the path leads out of the start */
#define WALK_IN_ROOT 64u  /* the start is the root */
#define WALK_RESOLVE (WALK_NO_MOUNTS | WALK_NO_LINKS | WALK_BENEATH | WALK_IN_ROOT)
struct walk {
    struct dentry *start; /* where relative paths begin; NULL: root */
    unsigned flags;
    bool directory_wanted; /* out: a slash ended the path */
    bool special;          /* out: the last component was "." or ".." or there was none */
};
/* *out with a reference. 0 or -errno. */
int path_walk(struct walk *walk, const char *path, struct dentry **out);
/* For the simple cases. */
int path_find(struct dentry *start, const char *path, unsigned flags, struct dentry **out);
extern struct dentry *root_directory;
/* The process' working directory, with a reference. */
struct dentry *working_directory(void);
/* `start` as in struct walk, for relative paths. 0 or -errno. */
int working_directory_change(struct dentry *start, const char *path);
void working_directory_set(struct dentry *directory);
/* Mounts a file system on an existing directory, for good. 0 or -errno. */
int mount_at(const char *path, struct file_system *fs);
/* Visits the mounts in order, the root first. */
void mounts_for_each(void (*visit)(struct dentry *root, void *context), void *context);

/* ---- Over a directory of the image (files/layer.c) -------------------------------------------------- */

/* Before names in the directory change: makes them, and the directory, lasting. Under "namespace". 0 or -errno. */
int directory_settle(struct dentry *directory);
/* Before what the inode says of the file changes: makes its name lasting. 0 or -errno. */
int dentry_settle(struct dentry *dentry);
/* Before the file's contents change: that, and gives it pages of its own. 0 or -errno. */
int dentry_prepare_write(struct dentry *dentry);

/* ---- Changing names (files/names.c) and opening (files/open.c) ------------------------------------- */

/* `start` as in struct walk. Errors as in the system calls. */
int name_make(struct dentry *start, const char *path, uint32_t mode, const char *link_target);
/* The same for sockets and the like: returns the inode with a reference. */
int name_make_node(struct dentry *start, const char *path, uint32_t mode, struct inode **out);
/* `existing_name`: the one it was found by, or NULL. */
int name_link(struct inode *existing, struct dentry *existing_name, struct dentry *start, const char *path);
int name_unlink(struct dentry *start, const char *path);
int name_remove_directory(struct dentry *start, const char *path);
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u
int name_rename(struct dentry *from_start, const char *from, struct dentry *to_start, const char *to, unsigned flags);
/* Creates a regular file in place of a negative dentry; *out with a reference. 0 or -errno. */
int name_create(struct dentry *absent, uint32_t mode, struct dentry **out);

int dentry_open(struct dentry *dentry, uint32_t flags, struct file **out);
int file_open_at(struct dentry *start, const char *path, uint32_t flags, uint32_t mode, struct file **out);
/* The same with some of WALK_RESOLVE. */
int file_open_within(struct dentry *start, const char *path, uint32_t flags, uint32_t mode, unsigned walk,
                     struct file **out);
/* O_TMPFILE: a new regular file without a name in the file system of a directory; `linkable`: name_link() may give it
 * one. */
int file_open_nameless(struct dentry *directory, uint32_t flags, uint32_t mode, bool linkable, struct file **out);
/* truncate(2), fallocate(2), and access(2) of the one user there is, root: only read-only file systems and missing x
 * bits deny. */
int inode_resize(struct inode *inode, uint64_t size);
int inode_access(struct inode *inode, unsigned mode);
#define ACCESS_EXECUTE 1u
#define ACCESS_WRITE 2u
#define ACCESS_READ 4u
/* Names of an open directory from its offset on. 0 or -errno. */
int file_list(struct file *directory, struct listing *listing);
