/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing dirty pages of the page cache: when, and who waits for it. There is nothing to write for safety's sake, since
 * what can be written is lost with the machine; so pages are written only to have their memory back, and a file that is
 * removed soon never meets the disk.
 */
#pragma once

#include "lib/types.h"

/* Starts the thread that writes. Once, before any page is dirty. */
void writeback_start(void);
/* For page_cache.c: one more page is dirty. No spinlock is held. */
void writeback_dirtied(void);
/* For whoever makes pages dirty, after each of them: waits while there are more dirty pages than memory can spare. No
 * locks but an inode's. */
void writeback_throttle(void);
/* For whoever found no memory: waits until dirty pages have been written, which makes them pages that can be dropped.
 * False: there is none. No locks but an inode's: in particular not "namespace", which may be waited for under the
 * address_space mutex that the writer takes. */
bool writeback_make_room(void);
