/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems made of tables: /proc, /sys and /dev. A table of entries describes a directory; the contents
 * of a file are generated when it is opened and do not change under the reader.
 */
#pragma once

#include "files/text.h"
#include "files/vfs.h"

/* Children that come and go, named by a prefix and a decimal number. */
struct pseudo_numbered {
    const char *prefix;
    /* The lowest existing number >= from, or PSEUDO_NONE. */
    uint32_t (*next)(uint32_t from);
    const struct pseudo_entry *child; /* its name is not used */
};
#define PSEUDO_NONE UINT32_MAX

/* What stat(2) gives as a file's size, and lseek(2) as its end; both as on Linux. */
enum pseudo_size {
    SIZE_UNKNOWN, /* 0, and no end: SEEK_END is EINVAL, as for the seq_files of /proc */
    SIZE_NONE,    /* 0 */
    SIZE_PAGE,    /* a page, which has nothing to do with the contents: the files of /sys */
};

/* Functions get the number of the nearest numbered directory or entry, 0 without one. */
struct pseudo_entry {
    const char *name;                                /* NULL ends a table */
    uint32_t mode;                                   /* type and permissions, stat(2) */
    const struct pseudo_entry *children;             /* directories: a table, or NULL */
    const struct pseudo_numbered *numbered;          /* directories: more children, or NULL */
    void (*show)(struct text *out, uint32_t number); /* files: the contents */
    const char *text;                                /* files: the contents where they are constant */
    enum pseudo_size size;                           /* of the file, or of all files below a directory */
    /* Files: takes what was written; 0 or -errno. NULL: written bytes are accepted and have no effect if the
     * mode has a w bit. */
    int (*store)(const char *data, size_t length);
    void (*target)(struct text *out, uint32_t number); /* symbolic links */
    const struct file_operations *device;              /* character devices */
    uint32_t major, minor;
};

/* NULL without memory. `root` is a directory; it and its tables must stay. */
struct file_system *pseudo_create(const char *name, uint64_t magic, const struct pseudo_entry *root);
