/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap(2) and what else changes or describes the address space: each call checks its arguments and becomes one of
 * memory/address_space.h. Flags and advice that have no effect here are checked all the same. Nothing is swapped, and
 * what a scratch disk holds is lost with the machine, so mlock(2) only checks what is mapped, and msync(2) stores what
 * lies on data disks.
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
#include "threads/failing.h"
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
#define MAP_STACK 0x20000u
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

/* Deviates: MAP_32BIT, MAP_HUGETLB, MAP_LOCKED, MAP_GROWSDOWN and MAP_NONBLOCK change nothing; a TCP socket cannot be
 * mapped (ENODEV). */
SYSCALL_DEFINE6(mmap, uintptr_t, addr, size_t, length, uint64_t, prot, uint64_t, flags, int, fd, uint64_t, offset)
{
    unsigned type = flags & MAP_TYPE;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (offset & PAGE_MASK)
        return -EINVAL;
    struct map_request request = {
        .where = addr,
        .length = length,
        .protection = protection_of(prot),
        .flags = (type == MAP_PRIVATE ? 0 : AREA_SHARED) | (flags & MAP_NORESERVE ? AREA_NO_RESERVE : 0) |
                 (flags & MAP_STACK ? AREA_THREAD_STACK : 0),
        .fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE),
        .no_replace = flags & MAP_FIXED_NOREPLACE,
        .populate = flags & MAP_POPULATE,
        .offset = offset,
    };
    if (type == MAP_SHARED_VALIDATE && flags & ~(uint64_t)KNOWN_FLAGS)
        return -EOPNOTSUPP;
    return flags & MAP_ANONYMOUS ? map_anonymous(&request) : map_file(&request, fd);
}

SYSCALL_DEFINE2(munmap, uintptr_t, addr, size_t, length) { return address_space_unmap(addr, length); }

/* Deviates: PROT_GROWSDOWN and PROT_GROWSUP are EINVAL. */
SYSCALL_DEFINE3(mprotect, uintptr_t, addr, size_t, length, uint64_t, prot)
{
    const uint64_t known = PROT_READ | PROT_WRITE | PROT_EXEC | 8; /* PROT_SEM */
    return prot & ~known ? -EINVAL : address_space_protect(addr, length, protection_of(prot));
}

SYSCALL_DEFINE1(brk, uintptr_t, addr)
{
    uintptr_t end = address_space_break(addr);
    if (end != addr)
        failing_refused();
    return (int64_t)end;
}

/* Deviates: MREMAP_DONTUNMAP is EINVAL, and so is a second mapping of the same pages, which an old size of 0 asks for.
 * */
SYSCALL_DEFINE5(mremap, uintptr_t, old_address, size_t, old_size, size_t, new_size, uint64_t, flags, uintptr_t,
                new_address)
{
    if ((flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED)) || ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    return address_space_remap(old_address, old_size, new_size, flags & MREMAP_MAYMOVE, flags & MREMAP_FIXED,
                               new_address);
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

enum {
    NORMAL,
    RANDOM,
    SEQUENTIAL,
    WILLNEED,
    DONTNEED,
    FREE = 8,
    DONTFORK = 10,
    DOFORK,
    MERGEABLE,
    UNMERGEABLE,
    HUGEPAGE,
    NOHUGEPAGE,
    DONTDUMP,
    DODUMP,
    WIPEONFORK,
    KEEPONFORK,
    COLD,
    PAGEOUT,
    POPULATE_READ,
    POPULATE_WRITE,
    DONTNEED_LOCKED
};

static bool is_advice(int32_t advice)
{
    return (advice >= NORMAL && advice <= DONTNEED) || advice == FREE ||
           (advice >= DONTFORK && advice <= DONTNEED_LOCKED);
}

static int64_t free_lazily(uintptr_t start, size_t length)
{
    int error = address_space_check_private(start, length);
    return error == -EINVAL ? error : address_space_discard(start, length);
}

/* Deviates: MADV_HUGEPAGE changes nothing for shared memory and on Xen PV, and where less than a quarter of memory
 * would stay free; MADV_FREE drops the pages at once; MADV_REMOVE, MADV_COLLAPSE, MADV_HWPOISON, MADV_SOFT_OFFLINE and
 * the advice about guard pages are EINVAL; other hints change nothing, those about a fork(2) because there is none. */
SYSCALL_DEFINE3(madvise, uintptr_t, addr, size_t, length, int, advice)
{
    if (addr & PAGE_MASK)
        return -EINVAL;
    if (!length)
        return 0;
    int error = !is_advice(advice) || !align_up(length, PAGE_SIZE) ? -EINVAL : check_range(addr, length);
    if (error)
        return error;
    switch (advice) {
    case DONTNEED:
    case DONTNEED_LOCKED:
        return address_space_discard(addr, length);
    case FREE:
        return free_lazily(addr, length);
    case HUGEPAGE:
    case NOHUGEPAGE:
        return address_space_advise_large(addr, length, advice == HUGEPAGE);
    case WIPEONFORK:
        return address_space_check_private(addr, length);
    case POPULATE_READ:
    case POPULATE_WRITE:
        return address_space_populate(addr, align_up(length, PAGE_SIZE), advice == POPULATE_WRITE);
    default:
        return address_space_check(addr, length); /* hints that change nothing here */
    }
}

/* Deviates: A page of a file is reported as resident once it is mapped, not when it is cached. */
SYSCALL_DEFINE3(mincore, uintptr_t, addr, size_t, length, uintptr_t, vec)
{
    uint8_t resident[RESIDENCY_BATCH];
    size_t pages = align_up(length, PAGE_SIZE) >> PAGE_SHIFT;
    if (addr & PAGE_MASK)
        return -EINVAL;
    if (!user_range_ok(addr, length))
        return -ENOMEM;
    for (size_t done = 0; done < pages;) {
        size_t n = min_of(pages - done, (size_t)RESIDENCY_BATCH);
        int error = address_space_residency(addr + done * PAGE_SIZE, n, resident);
        if (!error)
            error = user_write(vec + done, resident, n);
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

/* Deviates: Only checks its arguments: there is no swap, and pages of files may still be dropped and read again. */
SYSCALL_DEFINE2(mlock, uintptr_t, addr, size_t, length) { return check_mapped(addr, length); }
/* Deviates: Only checks its arguments: there is no swap, and pages of files may still be dropped and read again. */
SYSCALL_DEFINE2(munlock, uintptr_t, addr, size_t, length) { return check_mapped(addr, length); }

/* Deviates: Only checks its arguments: there is no swap, and pages of files may still be dropped and read again. */
SYSCALL_DEFINE3(mlock2, uintptr_t, addr, size_t, length, uint32_t, flags)
{
    return flags & ~1u ? -EINVAL : check_mapped(addr, length); /* MLOCK_ONFAULT */
}

/* Deviates: Only checks its arguments: there is no swap, and pages of files may still be dropped and read again. */
SYSCALL_DEFINE1(mlockall, uint32_t, flags)
{
    enum { CURRENT = 1, FUTURE = 2, ON_FAULT = 4 };
    return flags & ~(uint32_t)(CURRENT | FUTURE | ON_FAULT) || flags == 0 || flags == ON_FAULT ? -EINVAL : 0;
}

/* Deviates: Only checks its arguments: there is no swap, and pages of files may still be dropped and read again. */
SYSCALL_DEFINE0(munlockall) { return 0; }

/* Stores the files of a data disk that are mapped there. */
static int64_t store_mapped(uintptr_t start, size_t length)
{
    uintptr_t at = start, end = start + align_up(length, PAGE_SIZE);
    struct mappable *object;
    int64_t error = 0;
    while (!error && at < end && (object = address_space_shared_object(&at, end))) {
        struct file *file = file_of_mappable(object);
        if (file && file->inode && file->inode->operations->sync)
            error = file->inode->operations->sync(file->inode, true);
        mappable_put(object);
    }
    return error;
}

/* Deviates: MS_SYNC stores the whole files that are mapped there. */
SYSCALL_DEFINE3(msync, uintptr_t, addr, size_t, length, uint32_t, flags)
{
    enum { ASYNCHRONOUS = 1, INVALIDATE = 2, SYNCHRONOUS = 4 };
    if (flags & ~(uint32_t)(ASYNCHRONOUS | INVALIDATE | SYNCHRONOUS) || addr & PAGE_MASK)
        return -EINVAL;
    if (flags & ASYNCHRONOUS && flags & SYNCHRONOUS)
        return -EINVAL;
    int64_t error = check_range(addr, length) ? -ENOMEM : address_space_check(addr, length);
    return error || !(flags & SYNCHRONOUS) ? error : store_mapped(addr, length);
}
