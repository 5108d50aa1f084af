/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl(2). What is kept for the process is reported back and changes nothing else unless it says so.
 *
 * Each value that is kept is one word, which any thread reads and writes without a lock; a thread's name is changed by
 * the thread itself. Entered through the table of system calls (syscalls.c). An option that is not known is -EINVAL.
 */
#include "files/process_view.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/user.h"

enum {
    SET_PDEATHSIG = 1,
    GET_PDEATHSIG,
    GET_DUMPABLE,
    SET_DUMPABLE,
    GET_KEEPCAPS = 7,
    SET_KEEPCAPS,
    SET_NAME = 15,
    GET_NAME,
    GET_SECCOMP = 21,
    CAPBSET_READ = 23,
    CAPBSET_DROP,
    GET_TSC,
    GET_SECUREBITS = 27,
    SET_TIMERSLACK = 29,
    GET_TIMERSLACK,
    SET_CHILD_SUBREAPER = 36,
    GET_CHILD_SUBREAPER,
    SET_NO_NEW_PRIVS,
    GET_NO_NEW_PRIVS,
    SET_THP_DISABLE = 41,
    GET_THP_DISABLE,
    SET_VMA = 0x53564d41,
};
#define TIMER_SLACK_DEFAULT 50000u /* ns */

/* One word each, changed without a lock. */
static struct {
    uint32_t death_signal, keeps_capabilities, reaps, no_huge_pages, slack, dumpable;
} kept = { .slack = TIMER_SLACK_DEFAULT, .dumpable = 1 };

static int64_t set_name(uintptr_t from)
{
    struct thread *self = thread_current();
    char name[sizeof(self->name)];
    ssize_type n = user_read_string(name, from, sizeof(name));
    if (n == -EFAULT)
        return n;
    name[sizeof(name) - 1] = 0;
    string_copy(self->name, name, sizeof(self->name));
    return 0;
}

static int64_t keep_flag(uint32_t *kept_in, uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    write_once(*kept_in, (uint32_t)value);
    return 0;
}

static int64_t put_word(uintptr_t to, uint32_t value) { return user_put(to, &value); }

/* Capabilities of the bounding set cannot be dropped: there is no other user to run for. */
static int64_t bounding_set(uint32_t option, uint64_t capability)
{
    if (capability > CAPABILITY_LAST)
        return -EINVAL;
    return option == CAPBSET_READ ? 1 : -EPERM;
}

static int64_t ask(uint32_t option, uint64_t argument)
{
    const uint32_t time_stamps_enabled = 1; /* PR_TSC_ENABLE */
    switch (option) {
    case GET_PDEATHSIG:
        return put_word(argument, kept.death_signal);
    case GET_DUMPABLE:
        return kept.dumpable;
    case GET_KEEPCAPS:
        return kept.keeps_capabilities;
    case GET_TIMERSLACK:
        return kept.slack;
    case GET_CHILD_SUBREAPER:
        return put_word(argument, kept.reaps);
    case GET_NO_NEW_PRIVS:
        return process_view.no_new_privileges;
    case GET_THP_DISABLE:
        return kept.no_huge_pages;
    case GET_TSC:
        return put_word(argument, time_stamps_enabled);
    case GET_SECCOMP:
    case GET_SECUREBITS:
    case SET_VMA:
        return 0;
    case CAPBSET_READ:
    case CAPBSET_DROP:
        return bounding_set(option, argument);
    default:
        return -EINVAL;
    }
}

static int64_t set_death_signal(uint64_t number)
{
    if (number > SIGNALS)
        return -EINVAL;
    kept.death_signal = (uint32_t)number; /* there is no parent that could end */
    return 0;
}

static int64_t set_slack(uint64_t slack)
{
    kept.slack = slack ? (uint32_t)min_of(slack, (uint64_t)UINT32_MAX) : TIMER_SLACK_DEFAULT;
    return 0;
}

/* Once set it stays, and nothing may follow the 1: prctl(2). */
static int64_t forbid_privileges(uint64_t on, uint64_t arg3, uint64_t arg4, uint64_t arg5)
{
    if (on != 1 || arg3 || arg4 || arg5)
        return -EINVAL;
    process_view.no_new_privileges = true;
    return 0;
}

/* Deviates: Offered are the names of threads, PDEATHSIG, DUMPABLE, KEEPCAPS, TIMERSLACK, CHILD_SUBREAPER, NO_NEW_PRIVS,
 * THP_DISABLE, PR_GET_TSC, PR_GET_SECCOMP, PR_GET_SECUREBITS, PR_CAPBSET_READ and PR_SET_VMA; all else is EINVAL, and
 * PR_CAPBSET_DROP is EPERM. But for names, values are those of the process, and change nothing. PR_SET_VMA names
 * nothing. */
SYSCALL_DEFINE5(prctl, unsigned, option, uint64_t, arg2, uint64_t, arg3, uint64_t, arg4, uint64_t, arg5)
{
    switch (option) {
    case SET_NAME:
        return set_name(arg2);
    case GET_NAME:
        return user_write(arg2, thread_current()->name, sizeof(thread_current()->name));
    case SET_PDEATHSIG:
        return set_death_signal(arg2);
    case SET_DUMPABLE:
        return keep_flag(&kept.dumpable, arg2);
    case SET_KEEPCAPS:
        return keep_flag(&kept.keeps_capabilities, arg2);
    case SET_TIMERSLACK:
        return set_slack(arg2);
    case SET_CHILD_SUBREAPER:
        return keep_flag(&kept.reaps, arg2 != 0);
    case SET_THP_DISABLE:
        return arg3 || arg4 || arg5 ? -EINVAL : keep_flag(&kept.no_huge_pages, arg2 != 0);
    case SET_NO_NEW_PRIVS:
        return forbid_privileges(arg2, arg3, arg4, arg5);
    case GET_NO_NEW_PRIVS:
    case GET_THP_DISABLE:
        return arg2 || arg3 || arg4 || arg5 ? -EINVAL : ask(option, 0);
    default:
        return ask(option, arg2);
    }
}
