/* SPDX-License-Identifier: Apache-2.0 */
/* Names for tests of net/: made and found by these two functions, while they are set. */
#pragma once

#include "files/vfs.h"

/* name_make_node(): *out with a reference. Plays other threads too: the caller sleeps meanwhile. */
extern int (*stub_make_node)(const char *path, struct inode **out);
/* path_find(): the name, or NULL where there is none. */
extern struct dentry *(*stub_find)(const char *path);
