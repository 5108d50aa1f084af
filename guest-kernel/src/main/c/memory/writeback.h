/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing dirty pages of the page cache: when, and who waits for it. The thread here writes pages only to have their
 * memory back, so a file that is removed soon never meets the disk. Files that outlive the machine are stored besides
 * by their file system (files/ext2/commit.c).
 */
#pragma once

#include "lib/types.h"

/* Starts the thread that writes, if there is none yet, before any page is dirty. By the boot thread. */
void writeback_start(void);
/* For page_cache.c: one more page is dirty. No spinlock is held. */
void writeback_dirtied(void);
/* Writes all pages of the source that are dirty now, mapped or not. No locks but an inode's; the caller keeps the
 * source there. */
struct page_source;
void writeback_source(struct page_source *source);
/* For whoever makes pages dirty, after each of them: waits while there are more dirty pages than memory can spare. No
 * locks but an inode's. */
void writeback_throttle(void);
/* For whoever found no memory: waits until dirty pages have been written, which makes them pages that can be dropped.
 * False: there is none. No locks but an inode's: in particular not "namespace", which may be waited for under the
 * address_space mutex that the writer takes. */
bool writeback_make_room(void);
