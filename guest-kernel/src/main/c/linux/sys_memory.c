/*
 * mmap(2) and what else changes or describes the address space: each call checks its arguments and becomes one of
 * memory/address_space.h. Flags and advice that have no effect here are checked all the same. Nothing is swapped and no
 * file that can be changed is on a disk, so mlock(2) and msync(2) only check what is mapped.
 *
 * Entered through the table of system calls (syscalls.c), in the calling thread. No lock is held here; the functions
 * called take mutex "address_space". A file is held by a reference for as long as it is being mapped.
 */
#include "core/heap.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "linux/syscalls.h"
#include "memory/address_space.h"
#include "memory/user.h"
#include "threads/thread.h"

#define PROT_READ 1u
#define PROT_WRITE 2u
#define PROT_EXEC 4u
#define MAP_SHARED 0x01u
#define MAP_PRIVATE 0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE 0x0fu
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u
#define MAP_NORESERVE 0x4000u
#define MAP_POPULATE 0x8000u
#define MAP_FIXED_NOREPLACE 0x100000u
/* What MAP_SHARED_VALIDATE knows: the above, and DENYWRITE, EXECUTABLE, LOCKED, GROWSDOWN, NONBLOCK, STACK, HUGETLB. */
#define KNOWN_FLAGS 0x17fd33u
#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED 2u
#define RESIDENCY_BATCH 256

/* PROT_* and MMU_* agree bit for bit; x86 cannot map write-only or execute-only. */
static unsigned protection_of(uint64_t prot)
{
    unsigned protection = (unsigned)prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
    return protection ? protection | MMU_READ : 0;
}

/* One process: shared and private anonymous memory differ only in what MADV_DONTNEED does. */
static int64_t map_anonymous(struct map_request *request)
{
    if (request->flags & AREA_SHARED)
        request->flags = (request->flags & ~AREA_SHARED) | AREA_KEPT;
    request->offset = 0;
    return address_space_map(request);
}

static bool is_sealed(const struct file *file)
{
    return file->inode && read_once(file->inode->seals) & (SEAL_WRITE | SEAL_FUTURE_WRITE);
}

static int64_t map_file(struct map_request *request, int descriptor)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    if (file_is_zero_device(file)) {
        file_put(file);
        return map_anonymous(request);
    }
    unsigned access = file->flags & O_ACCMODE;
    int64_t result;
    bool sealed = request->flags & AREA_SHARED && is_sealed(file);
    if ((request->flags & AREA_SHARED) && (access != O_RDWR || sealed))
        request->flags |= AREA_READ_ONLY;
    if (sealed && access == O_RDWR && request->protection & MMU_WRITE) {
        result = -EPERM;
    } else if (access == O_WRONLY || ((request->flags & AREA_READ_ONLY) && (request->protection & MMU_WRITE))) {
        result = -EACCES;
    } else if (request->offset + request->length < request->offset) {
        result = -EOVERFLOW;
    } else {
        request->object = &file->mappable;
        result = address_space_map(request);
    }
    file_put(file);
    return result;
}

SYSCALL(mmap)
{
    unsigned type = d & MAP_TYPE;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (f & PAGE_MASK)
        return -EINVAL;
    struct map_request request = {
        .where = a, .length = b, .protection = protection_of(c),
        .flags = (type == MAP_PRIVATE ? 0 : AREA_SHARED) | (d & MAP_NORESERVE ? AREA_NO_RESERVE : 0),
        .fixed = d & (MAP_FIXED | MAP_FIXED_NOREPLACE), .no_replace = d & MAP_FIXED_NOREPLACE,
        .populate = d & MAP_POPULATE, .offset = f,
    };
    if (type == MAP_SHARED_VALIDATE && d & ~(uint64_t)KNOWN_FLAGS)
        return -EOPNOTSUPP;
    return d & MAP_ANONYMOUS ? map_anonymous(&request) : map_file(&request, (int)e);
}

SYSCALL(munmap) { return address_space_unmap(a, b); }

SYSCALL(mprotect)
{
    const uint64_t known = PROT_READ | PROT_WRITE | PROT_EXEC | 8;       /* PROT_SEM */
    return c & ~known ? -EINVAL : address_space_protect(a, b, protection_of(c));
}

SYSCALL(brk) { return (int64_t)address_space_break(a); }

SYSCALL(mremap)
{
    if ((d & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED)) || ((d & MREMAP_FIXED) && !(d & MREMAP_MAYMOVE)))
        return -EINVAL;
    return address_space_remap(a, b, c, d & MREMAP_MAYMOVE, d & MREMAP_FIXED, e);
}

/*
 * For calls that name memory without changing what is mapped. -EINVAL if it wraps, -ENOMEM beyond the user half, where
 * nothing can be mapped. As on Linux, a length that becomes 0 when it is rounded up names nothing.
 */
static int check_range(uintptr_t start, size_t length)
{
    size_t whole = align_up(length, PAGE_SIZE);
    if (whole == 0)
        return 0;
    if (start + whole < whole)
        return -EINVAL;
    return user_range_ok(start, whole) ? 0 : -ENOMEM;
}

enum { NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE = 8, HUGEPAGE = 14, NOHUGEPAGE = 15, DONTDUMP = 16, DODUMP = 17,
       COLD = 20, PAGEOUT = 21, POPULATE_READ = 22, POPULATE_WRITE = 23 };

static bool is_advice(int32_t advice)
{
    return (advice >= NORMAL && advice <= DONTNEED) || advice == FREE || (advice >= HUGEPAGE && advice <= DODUMP) ||
           (advice >= COLD && advice <= POPULATE_WRITE);
}

SYSCALL(madvise)
{
    if (a & PAGE_MASK)
        return -EINVAL;
    if (!b)
        return 0;
    int32_t advice = (int32_t)c;
    int error = !is_advice(advice) || !align_up(b, PAGE_SIZE) ? -EINVAL : check_range(a, b);
    if (error)
        return error;
    switch (advice) {
    case DONTNEED:
    case FREE:
        return address_space_discard(a, b);
    case POPULATE_READ:
    case POPULATE_WRITE:
        return address_space_populate(a, align_up(b, PAGE_SIZE), advice == POPULATE_WRITE);
    case NORMAL: case RANDOM: case SEQUENTIAL: case WILLNEED: case HUGEPAGE: case NOHUGEPAGE: case DONTDUMP:
    case DODUMP: case COLD: case PAGEOUT:
        return address_space_check(a, b);        /* hints that change nothing here */
    default:
        return -EINVAL;
    }
}

SYSCALL(mincore)
{
    uint8_t resident[RESIDENCY_BATCH];
    size_t pages = align_up(b, PAGE_SIZE) >> PAGE_SHIFT;
    if (a & PAGE_MASK)
        return -EINVAL;
    if (!user_range_ok(a, b))
        return -ENOMEM;
    for (size_t done = 0; done < pages;) {
        size_t n = min_of(pages - done, (size_t)RESIDENCY_BATCH);
        int error = address_space_residency(a + done * PAGE_SIZE, n, resident);
        if (!error)
            error = user_write(c + done, resident, n);
        if (error)
            return error;
        done += n;
        give_way();
    }
    return 0;
}

/* Memory is never swapped out, so it is as good as locked; and tmpfs has no store to sync to. */
static int check_mapped(uintptr_t start, size_t length)
{
    uintptr_t first = align_down(start, PAGE_SIZE);
    size_t whole = length + (start - first);
    int error = check_range(first, whole);
    return error ? error : address_space_check(first, whole);
}

SYSCALL(mlock) { return check_mapped(a, b); }
SYSCALL(munlock) { return check_mapped(a, b); }
SYSCALL(mlock2) { return (uint32_t)c & ~1u ? -EINVAL : check_mapped(a, b); }     /* MLOCK_ONFAULT */

SYSCALL(mlockall)
{
    enum { CURRENT = 1, FUTURE = 2, ON_FAULT = 4 };
    uint32_t flags = (uint32_t)a;
    return flags & ~(uint32_t)(CURRENT | FUTURE | ON_FAULT) || flags == 0 || flags == ON_FAULT ? -EINVAL : 0;
}

SYSCALL(munlockall) { return 0; }

SYSCALL(msync)
{
    enum { ASYNCHRONOUS = 1, INVALIDATE = 2, SYNCHRONOUS = 4 };
    uint32_t flags = (uint32_t)c;
    if (flags & ~(uint32_t)(ASYNCHRONOUS | INVALIDATE | SYNCHRONOUS) || a & PAGE_MASK)
        return -EINVAL;
    if (flags & ASYNCHRONOUS && flags & SYNCHRONOUS)
        return -EINVAL;
    return check_range(a, b) ? -ENOMEM : address_space_check(a, b);
}
