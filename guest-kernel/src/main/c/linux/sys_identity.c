/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the process is: the one user root with every capability, in a system without other users. A call that names
 * another user or group is refused as in a user namespace that has only root (user_namespaces(7)): EINVAL.
 */
#include "files/process_view.h"
#include "lib/errno.h"
#include "linux/process.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "threads/thread.h"

#define NO_ID UINT32_MAX   /* (uid_t)-1: leaves it as it is, where a call says so */
#define GROUPS_LIMIT 65536 /* NGROUPS_MAX */

SYSCALL_DEFINE0(getuid) { return 0; }
SYSCALL_DEFINE0(geteuid) { return 0; }
SYSCALL_DEFINE0(getgid) { return 0; }
SYSCALL_DEFINE0(getegid) { return 0; }

static int64_t put_three(uintptr_t real, uintptr_t effective, uintptr_t saved)
{
    uint32_t root = 0;
    int error = user_put(real, &root);
    if (!error)
        error = user_put(effective, &root);
    return error ? error : user_put(saved, &root);
}

SYSCALL_DEFINE3(getresuid, uintptr_t, ruid, uintptr_t, euid, uintptr_t, suid) { return put_three(ruid, euid, suid); }
SYSCALL_DEFINE3(getresgid, uintptr_t, rgid, uintptr_t, egid, uintptr_t, sgid) { return put_three(rgid, egid, sgid); }

static int64_t become(uint32_t id) { return id ? -EINVAL : 0; }

static int64_t may_become(uint32_t id) { return id == NO_ID ? 0 : become(id); }

static int64_t become_all(uint32_t real, uint32_t effective, uint32_t saved)
{
    return may_become(real) || may_become(effective) || may_become(saved) ? -EINVAL : 0;
}

/* Deviates: Root is the only user: another id is EINVAL. */
SYSCALL_DEFINE1(setuid, unsigned, uid) { return become(uid); }
/* Deviates: Root is the only group: another id is EINVAL. */
SYSCALL_DEFINE1(setgid, unsigned, gid) { return become(gid); }
/* Deviates: Root is the only user: another id is EINVAL. */
SYSCALL_DEFINE2(setreuid, unsigned, ruid, unsigned, euid) { return become_all(ruid, euid, 0); }
/* Deviates: Root is the only group: another id is EINVAL. */
SYSCALL_DEFINE2(setregid, unsigned, rgid, unsigned, egid) { return become_all(rgid, egid, 0); }
/* Deviates: Root is the only user: another id is EINVAL. */
SYSCALL_DEFINE3(setresuid, unsigned, ruid, unsigned, euid, unsigned, suid) { return become_all(ruid, euid, suid); }
/* Deviates: Root is the only group: another id is EINVAL. */
SYSCALL_DEFINE3(setresgid, unsigned, rgid, unsigned, egid, unsigned, sgid) { return become_all(rgid, egid, sgid); }
/* These two give the old value, whatever happens. */
/* Deviates: Changes nothing, and returns 0, the id of root. */
SYSCALL_DEFINE1(setfsuid, unsigned, fsuid) { return 0; }
/* Deviates: Changes nothing, and returns 0, the id of root. */
SYSCALL_DEFINE1(setfsgid, unsigned, fsgid) { return 0; }

/* ---- Supplementary groups: a number of times root's ---- */

static uint32_t group_count;

SYSCALL_DEFINE2(getgroups, int, size, uintptr_t, list)
{
    uint32_t root = 0, count = read_once(group_count);
    if (size < 0 || (size && (uint32_t)size < count))
        return -EINVAL;
    for (uint32_t i = 0; size && i < count; i++) {
        if (user_put(list + i * sizeof(root), &root))
            return -EFAULT;
        give_way();
    }
    return count;
}

/* Deviates: Root is the only group: another id is EINVAL. The list is that of all threads. */
SYSCALL_DEFINE2(setgroups, unsigned, size, uintptr_t, list)
{
    uint32_t group;
    if (size > GROUPS_LIMIT)
        return -EINVAL;
    for (uint32_t i = 0; i < size; i++) {
        if (user_get(&group, list + i * sizeof(group)))
            return -EFAULT;
        if (group)
            return -EINVAL;
        give_way();
    }
    write_once(group_count, size);
    return 0;
}

/* ---- Capabilities: capget(2), linux/capability.h ---- */

#define CAPABILITIES_ALL ((1UL << (CAPABILITY_LAST + 1)) - 1)

struct abi_capability_header {
    uint32_t version;
    int32_t thread;
};
struct abi_capability_data { /* of 32 capabilities */
    uint32_t effective, permitted, inheritable;
};

static struct process_capabilities {
    uint64_t effective, permitted, inheritable;
} process_capabilities = { CAPABILITIES_ALL, CAPABILITIES_ALL, 0 };

/* How many structures of data a version has; 0: none that exists. */
static unsigned words_of(uint32_t version)
{
    enum { VERSION_1 = 0x19980330, VERSION_2 = 0x20071026, VERSION_3 = 0x20080522 };
    return version == VERSION_1 ? 1 : version == VERSION_2 || version == VERSION_3 ? 2 : 0;
}

/* The number of words, or -errno. Programs find out the right version by passing a wrong one. */
static int read_header(uintptr_t address, struct abi_capability_header *header)
{
    const uint32_t preferred = 0x20080522;
    if (user_get(&header->version, address))
        return -EFAULT;
    unsigned words = words_of(header->version);
    if (!words)
        return user_put(address, &preferred) ? -EFAULT : -EINVAL;
    return user_get(header, address) ? -EFAULT : (int)words;
}

SYSCALL_DEFINE2(capget, uintptr_t, hdrp, uintptr_t, datap)
{
    struct abi_capability_header header;
    int words = read_header(hdrp, &header);
    if (words < 0 || !datap)
        return !datap && (words == -EINVAL || words >= 0) ? 0 : words;
    if (header.thread < 0)
        return -EINVAL;
    if (!process_has_thread(header.thread))
        return -ESRCH;
    struct abi_capability_data data[2];
    for (int i = 0; i < words; i++)
        data[i] = (struct abi_capability_data){ (uint32_t)(process_capabilities.effective >> 32 * i),
                                                (uint32_t)(process_capabilities.permitted >> 32 * i),
                                                (uint32_t)(process_capabilities.inheritable >> 32 * i) };
    return user_write(datap, data, (size_t)words * sizeof(data[0]));
}

void identity_describe(void)
{
    process_view.capabilities[0] = process_capabilities.effective;
    process_view.capabilities[1] = process_capabilities.permitted;
    process_view.capabilities[2] = process_capabilities.inheritable;
}

static uint64_t join(uint32_t low, uint32_t high) { return (low | (uint64_t)high << 32) & CAPABILITIES_ALL; }

/* What is given up stays given up in what capget() and /proc report; root may still do it. */
static int64_t set_capabilities(const struct abi_capability_data data[2])
{
    struct process_capabilities wanted = { join(data[0].effective, data[1].effective),
                                           join(data[0].permitted, data[1].permitted),
                                           join(data[0].inheritable, data[1].inheritable) };
    if (wanted.permitted & ~process_capabilities.permitted || wanted.effective & ~wanted.permitted)
        return -EPERM;
    process_capabilities = wanted;
    identity_describe();
    return 0;
}

/* Deviates: The sets are those of all threads. What is given up is no longer shown, but root may still do it. Every
 * capability may become inheritable. */
SYSCALL_DEFINE2(capset, uintptr_t, hdrp, uintptr_t, datap)
{
    struct abi_capability_header header;
    struct abi_capability_data data[2] = { { 0 } };
    int words = read_header(hdrp, &header);
    if (words < 0)
        return words;
    if (header.thread && header.thread != (int32_t)thread_current()->id)
        return -EPERM;
    if (user_read(data, datap, (size_t)words * sizeof(data[0])))
        return -EFAULT;
    return set_capabilities(data);
}

/* ---- What else belongs to the process ---- */

/* Deviates: The value is kept, and changes nothing. */
SYSCALL_DEFINE1(personality, uint32_t, persona)
{
    const uint32_t only_asks = UINT32_MAX;
    static uint32_t personality; /* its bits change nothing here: there is one layout of memory, chosen already */
    uint32_t old = read_once(personality);
    if (persona != only_asks)
        write_once(personality, persona);
    return old;
}

SYSCALL_DEFINE0(getpid) { return PROCESS_ID; }
SYSCALL_DEFINE0(getppid) { return 0; }
SYSCALL_DEFINE0(getpgrp) { return PROCESS_ID; }
SYSCALL_DEFINE1(getpgid, int, pid) { return process_has_thread(pid) ? PROCESS_ID : -ESRCH; }
SYSCALL_DEFINE1(getsid, int, pid) { return process_has_thread(pid) ? PROCESS_ID : -ESRCH; }
SYSCALL_DEFINE0(setsid) { return -EPERM; } /* it leads one */

/* The process leads its group, and there is no other. */
SYSCALL_DEFINE2(setpgid, int, pid, int, pgid)
{
    if (pgid < 0)
        return -EINVAL;
    return pid == 0 || pid == PROCESS_ID ? -EPERM : -ESRCH;
}

/* ---- Children: none ever exists ---- */

/* Deviates: There is never a child: ECHILD. */
SYSCALL_DEFINE4(wait4, int, pid, uintptr_t, wstatus, uint32_t, options, uintptr_t, rusage)
{
    const uint32_t known = 0xe000000bu; /* WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE */
    if (options & ~known)
        return -EINVAL;
    return pid == INT32_MIN ? -ESRCH : -ECHILD;
}

/* Deviates: There is never a child: ECHILD. */
SYSCALL_DEFINE5(waitid, unsigned, idtype, int, id, uintptr_t, infop, uint32_t, options, uintptr_t, rusage)
{
    enum { ALL, PROCESS, GROUP, DESCRIPTOR };
    const uint32_t states = 0xe, known = 0xe100000fu; /* WSTOPPED, WEXITED, WCONTINUED; WNOHANG, WNOWAIT, __W* */
    if (options & ~known || !(options & states) || idtype > DESCRIPTOR)
        return -EINVAL;
    if ((idtype == PROCESS && id <= 0) || (idtype == GROUP && id < 0))
        return -EINVAL;
    return idtype == DESCRIPTOR ? -EBADF : -ECHILD;
}
