/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /proc shows of the process and only linux/ knows. linux/ fills the table before the process starts; a member
 * that is still NULL leaves its file empty or its fields zero.
 */
#pragma once

#include "files/text.h"
#include "lib/types.h"

struct process_signals {
    uint64_t pending, shared_pending, blocked, ignored, caught; /* sets; bit 0: signal 1 */
};
struct process_limit {
    uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

struct process_view {
    uint32_t id;
    nanoseconds started;          /* monotonic */
    const char *release;          /* of the system, uname(2) */
    const char *executable;       /* absolute path */
    const void *auxiliary_vector; /* as on the stack; stays; its size in bytes */
    size_t auxiliary_size;
    uint64_t capabilities[3]; /* effective, permitted, inheritable; single words, changed without a lock */
    bool no_new_privileges;   /* prctl(2), PR_SET_NO_NEW_PRIVS */
    const uint32_t *umask;    /* umask(2) */
    /* Each string with its NUL. */
    void (*command_line)(struct text *out);
    void (*environment)(struct text *out);
    void (*signals)(uint32_t thread, struct process_signals *out);
    /* RLIMIT_* of getrlimit(2), 0..15. */
    void (*limit)(unsigned resource, struct process_limit *out);
};
extern struct process_view process_view;
