/* poll(2) and select(2): waiting for any of some files. */
#pragma once

#include "files/file.h"

struct poll_entry {
    struct file *file;               /* NULL: not looked at */
    uint32_t wanted, found;          /* POLL_*; errors and hang-ups are always found */
    struct waiter waiter;
};

/* Sets `found` of every entry. How many have found something, 0 at the monotonic deadline, or -EINTR. */
int poll_files(struct poll_entry *entries, unsigned count, nanoseconds deadline);
