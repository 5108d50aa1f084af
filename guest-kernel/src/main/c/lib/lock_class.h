/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the locks. Every lock has a class; the classes are listed here, outermost first. Whoever holds a lock
 * takes only locks of classes that come after it, so no two threads can wait for each other. Mutexes (threads/wait.h)
 * come first, since no one may sleep with a spinlock held. core/lock_order.h checks it, and that the kernel lock, which
 * is outside of all, is held where a class needs it.
 */
#pragma once

#include "lib/types.h"

/* LOCK(class, name): a lock of the class is never taken while another of it is held. BY_ADDRESS(class, name): it may be
 * if it lies at a higher address. NESTS(class, name): it may be, in the order that is given here; that is not checked.
 * */
#define LOCK_CLASSES(LOCK, BY_ADDRESS, NESTS) \
    /* Mutexes. Down to the inode, held while user memory is copied, whose faults take the address space. */ \
    LOCK(PROFILE_OUTPUT, "profile output") \
    LOCK(NETWORK_FILES, "network files") \
    LOCK(FILE_OFFSET, "file offset") \
    BY_ADDRESS(PIPE, "pipe") /* splice(2) reads and writes the rest with one held */ \
    LOCK(SOCKET_READING, "socket reading") \
    LOCK(SOCKET_WRITING, "socket writing") \
    LOCK(CONSOLE_WRITING, "console writing") \
    LOCK(SERIAL_WRITING, "serial writing") \
    LOCK(INODE, "inode") \
    LOCK(ADDRESS_SPACE, "address_space") \
    LOCK(NAMESPACE, "namespace") \
    LOCK(EXT2, "ext2") \
    LOCK(EXT2_SPARE, "ext2 spare") \
    LOCK(MEMORY_FILES, "memory files") \
    LOCK(FLOCK, "flock") /* as the next two, taken by the last file_put(), which may come from an unmapping */ \
    LOCK(EPOLL_CONTROL, "epoll control") \
    LOCK(EPOLL_INSTANCE, "epoll instance") \
    /* Spinlocks. */ \
    LOCK(NET, "net") \
    LOCK(SIGNALS, "signals") \
    LOCK(POSIX_TIMERS, "posix timers") \
    LOCK(INTERVAL_TIMERS, "interval timers") \
    LOCK(LIMITS, "limits") \
    LOCK(TIME_SERVERS, "time servers") \
    LOCK(WORKING_DIRECTORY, "working directory") \
    LOCK(DESCRIPTORS, "descriptors") \
    LOCK(INOTIFY, "inotify") \
    LOCK(NAMES, "names") \
    LOCK(EXT2_INODES, "ext2 inodes") \
    LOCK(INODES, "inodes") \
    LOCK(SCRATCH, "scratch") \
    LOCK(EVENTFD, "eventfd") \
    LOCK(REPORT, "report") \
    LOCK(CONSOLE_INPUT, "console input") \
    LOCK(DEVICES, "devices") \
    LOCK(DISK, "disk") \
    LOCK(BLOCK_BATCH, "block batch") \
    LOCK(NIC_TRANSMIT, "nic transmit") \
    LOCK(NIC_RECEIVE, "nic receive") \
    BY_ADDRESS(NIC, "nic") /* those of all queues of a NIC, which is started again */ \
    LOCK(CHANNEL, "channel") \
    LOCK(GRANTS, "grants") \
    NESTS(WAIT_QUEUE, "wait_queue") /* a file's, then those of the epoll instances that watch it, and so on up */ \
    LOCK(EPOLL, "epoll") \
    BY_ADDRESS(FUTEX_BUCKET, "futex bucket") \
    LOCK(MUTEX, "mutex")         /* the spinlock in each mutex */ \
    LOCK(THREADS, "threads")     /* the list of all */ \
    LOCK(RUN_QUEUE, "run_queue") /* each CPU has one */ \
    LOCK(PROFILE, "profile") \
    LOCK(TIMERS, "timers") \
    LOCK(RANDOM, "random") \
    LOCK(STACKS, "stacks") \
    LOCK(HEAP, "heap") \
    LOCK(PAGE_CACHE, "page_cache") /* taken by allocations when memory is short */ \
    LOCK(PAGES, "pages") \
    LOCK(JOURNAL, "journal") /* of log lines, which are written with any lock held */

#define LOCK_ENUM(class, name) LOCK_##class,
enum lock_class { LOCK_CLASSES(LOCK_ENUM, LOCK_ENUM, LOCK_ENUM) LOCK_CLASS_COUNT };
#undef LOCK_ENUM

#ifdef KERNEL_DEBUG
/* The locks that a CPU (spinlocks) or a thread (mutexes) holds, in a kernel built for tests. All zeros: none. */
#define HELD_LOCKS_MAX 16
#define HELD_LOCK_DEPTH 6
struct held_locks {
    unsigned count;
    struct held_lock {
        const void *lock;
        enum lock_class class;
        nanoseconds since;                   /* core/lock_statistics.h; 0: not known */
        uintptr_t taken_at[HELD_LOCK_DEPTH]; /* return addresses, innermost first; 0: no more */
    } locks[HELD_LOCKS_MAX];
};
#endif
