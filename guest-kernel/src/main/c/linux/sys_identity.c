/*
 * Who the process is: the one user root with every capability, in a system without other users. What would name another
 * user or group is refused as in a user namespace that has only root (user_namespaces(7)): EINVAL.
 */
#include "files/process_view.h"
#include "lib/errno.h"
#include "linux/process.h"
#include "linux/syscalls.h"
#include "memory/user.h"
#include "threads/thread.h"

#define NO_ID UINT32_MAX             /* (uid_t)-1: leaves it as it is, where a call says so */
#define GROUPS_LIMIT 65536           /* NGROUPS_MAX */

SYSCALL(getuid) { return 0; }
SYSCALL(geteuid) { return 0; }
SYSCALL(getgid) { return 0; }
SYSCALL(getegid) { return 0; }

static int64_t put_three(uintptr_t real, uintptr_t effective, uintptr_t saved)
{
    uint32_t root = 0;
    int error = user_put(real, &root);
    if (!error)
        error = user_put(effective, &root);
    return error ? error : user_put(saved, &root);
}

SYSCALL(getresuid) { return put_three(a, b, c); }
SYSCALL(getresgid) { return put_three(a, b, c); }

static int64_t become(uint64_t id) { return (uint32_t)id ? -EINVAL : 0; }

static int64_t may_become(uint64_t id) { return (uint32_t)id == NO_ID ? 0 : become(id); }

static int64_t become_all(uint64_t real, uint64_t effective, uint64_t saved)
{
    return may_become(real) || may_become(effective) || may_become(saved) ? -EINVAL : 0;
}

SYSCALL(setuid) { return become(a); }
SYSCALL(setgid) { return become(a); }
SYSCALL(setreuid) { return become_all(a, b, 0); }
SYSCALL(setregid) { return become_all(a, b, 0); }
SYSCALL(setresuid) { return become_all(a, b, c); }
SYSCALL(setresgid) { return become_all(a, b, c); }
/* These two give the old value, whatever happens. */
SYSCALL(setfsuid) { return 0; }
SYSCALL(setfsgid) { return 0; }

/* ---- Supplementary groups: so many times root's ---- */

static uint32_t group_count;

SYSCALL(getgroups)
{
    uint32_t root = 0, count = read_once(group_count);
    int32_t room = (int32_t)a;
    if (room < 0 || (room && (uint32_t)room < count))
        return -EINVAL;
    for (uint32_t i = 0; room && i < count; i++) {
        if (user_put(b + i * sizeof(root), &root))
            return -EFAULT;
        give_way();
    }
    return count;
}

SYSCALL(setgroups)
{
    uint32_t count = (uint32_t)a, group;
    if (count > GROUPS_LIMIT)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        if (user_get(&group, b + i * sizeof(group)))
            return -EFAULT;
        if (group)
            return -EINVAL;
        give_way();
    }
    write_once(group_count, count);
    return 0;
}

/* ---- Capabilities: capget(2), linux/capability.h ---- */

#define CAPABILITIES_ALL ((1UL << (CAPABILITY_LAST + 1)) - 1)

struct abi_capability_header {
    uint32_t version;
    int32_t thread;
};
struct abi_capability_data {         /* of 32 capabilities */
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

/* The number of words, or -errno. Programs ask with a wrong version which one is right. */
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

SYSCALL(capget)
{
    struct abi_capability_header header;
    int words = read_header(a, &header);
    if (words < 0 || !b)
        return !b && (words == -EINVAL || words >= 0) ? 0 : words;
    if (header.thread < 0)
        return -EINVAL;
    if (!process_has_thread(header.thread))
        return -ESRCH;
    struct abi_capability_data data[2];
    for (int i = 0; i < words; i++)
        data[i] = (struct abi_capability_data){ (uint32_t)(process_capabilities.effective >> 32 * i),
                                                (uint32_t)(process_capabilities.permitted >> 32 * i),
                                                (uint32_t)(process_capabilities.inheritable >> 32 * i) };
    return user_write(b, data, (size_t)words * sizeof(data[0]));
}

void identity_describe(void)
{
    process_view.capabilities[0] = process_capabilities.effective;
    process_view.capabilities[1] = process_capabilities.permitted;
    process_view.capabilities[2] = process_capabilities.inheritable;
}

static uint64_t join(uint32_t low, uint32_t high) { return (low | (uint64_t)high << 32) & CAPABILITIES_ALL; }

/* What is given up stays so in what capget() and /proc say; root may do here what it may do all the same. */
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

SYSCALL(capset)
{
    struct abi_capability_header header;
    struct abi_capability_data data[2] = { { 0 } };
    int words = read_header(a, &header);
    if (words < 0)
        return words;
    if (header.thread && !process_has_thread(header.thread))
        return -EPERM;
    if (user_read(data, b, (size_t)words * sizeof(data[0])))
        return -EFAULT;
    return set_capabilities(data);
}

/* ---- What else belongs to the process ---- */

SYSCALL(personality)
{
    const uint32_t only_asks = UINT32_MAX;
    static uint32_t personality;     /* its bits change nothing here: there is one layout of memory, chosen already */
    uint32_t old = read_once(personality);
    if ((uint32_t)a != only_asks)
        write_once(personality, (uint32_t)a);
    return old;
}

SYSCALL(getpid) { return PROCESS_ID; }
SYSCALL(getppid) { return 0; }
SYSCALL(getpgrp) { return PROCESS_ID; }
SYSCALL(getpgid) { return process_has_thread((int32_t)a) ? PROCESS_ID : -ESRCH; }
SYSCALL(getsid) { return process_has_thread((int32_t)a) ? PROCESS_ID : -ESRCH; }
SYSCALL(setsid) { return -EPERM; }   /* it leads one */

/* The process leads its group, and there is no other. */
SYSCALL(setpgid)
{
    int32_t process = (int32_t)a, group = (int32_t)b;
    if (group < 0)
        return -EINVAL;
    return process == 0 || process == PROCESS_ID ? -EPERM : -ESRCH;
}

/* ---- Children: none ever exists ---- */

SYSCALL(wait4)
{
    const uint32_t options = 0xe000000bu;        /* WNOHANG, WUNTRACED, WCONTINUED, __WNOTHREAD, __WALL, __WCLONE */
    if ((uint32_t)c & ~options)
        return -EINVAL;
    return (int32_t)a == INT32_MIN ? -ESRCH : -ECHILD;
}

SYSCALL(waitid)
{
    enum { ALL, PROCESS, GROUP, DESCRIPTOR };
    const uint32_t states = 0xe, options = 0xe100000fu;      /* WSTOPPED, WEXITED, WCONTINUED; WNOHANG, WNOWAIT, __W* */
    if ((uint32_t)d & ~options || !((uint32_t)d & states) || (uint32_t)a > DESCRIPTOR)
        return -EINVAL;
    if (((uint32_t)a == PROCESS && (int32_t)b <= 0) || ((uint32_t)a == GROUP && (int32_t)b < 0))
        return -EINVAL;
    return (uint32_t)a == DESCRIPTOR ? -EBADF : -ECHILD;
}
