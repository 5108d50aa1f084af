/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll(2) and select(2): what the program asks is copied into the kernel, becomes a table of files (files/poll.h), and
 * the results are copied back when the wait is over.
 *
 * Entered through the table of system calls (syscalls.c). Each file in the table is held by a reference until
 * release(), so descriptors may be closed meanwhile. There may be tens of thousands of entries: the table is made in
 * blocks, and loops that open or close files give way. No lock is held here.
 */
#include "core/heap.h"
#include "files/poll.h"
#include "lib/errno.h"
#include "lib/timeval.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "linux/time_abi.h"
#include "memory/user.h"
#include "threads/thread.h"

#define AT_ONCE 128u /* descriptors opened or closed between points where others may run */

struct abi_pollfd {
    int32_t descriptor;
    int16_t wanted, found;
};
#define POLLNVAL 0x020

static unsigned blocks_of(const struct poll_table *table) { return (table->count + POLL_BLOCK - 1) / POLL_BLOCK; }

/* 0, or -ENOMEM, and then there is nothing to release. */
static int allocate(struct poll_table *table, unsigned count)
{
    table->count = count;
    for (unsigned i = 0; i < blocks_of(table); i++) {
        size_t entries = min_of(count - i * POLL_BLOCK, POLL_BLOCK);
        table->blocks[i] = heap_allocate_zeroed_at(entries * sizeof(struct poll_entry), PAGES_NEEDED);
        if (!table->blocks[i]) {
            while (i-- > 0)
                heap_free(table->blocks[i]);
            return -ENOMEM;
        }
        give_way();
    }
    return 0;
}

static void release(struct poll_table *table)
{
    for (unsigned i = 0; i < table->count; i++) {
        struct file *file = poll_entry(table, i)->file;
        if (file)
            file_put(file);
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
    }
    for (unsigned i = 0; i < blocks_of(table); i++)
        heap_free(table->blocks[i]);
}

/* ---- poll ---- */

/* POLLRDNORM and POLLWRNORM are the same as POLLIN and POLLOUT here; both names are answered. */
#define POLLRDNORM 0x040u
#define POLLWRNORM 0x100u

static uint32_t from_abi(int16_t events)
{
    uint32_t wanted = (uint16_t)events;
    if (wanted & POLLRDNORM)
        wanted |= POLLIN;
    if (wanted & POLLWRNORM)
        wanted |= POLLOUT;
    return wanted;
}

static int16_t to_abi(uint32_t found, int16_t wanted)
{
    if (found & POLLIN)
        found |= POLLRDNORM;
    if (found & POLLOUT)
        found |= POLLWRNORM;
    return (int16_t)(found & ((uint16_t)wanted | POLLERR | POLLHUP));
}

/* Files for descriptors; negative ones are skipped. Returns how many are not open. */
static int open_entries(const struct abi_pollfd *fds, const struct poll_table *table)
{
    int invalid = 0;
    for (unsigned i = 0; i < table->count; i++) {
        struct poll_entry *entry = poll_entry(table, i);
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
        if (fds[i].descriptor < 0)
            continue;
        entry->wanted = from_abi(fds[i].wanted);
        entry->file = descriptor_get(fds[i].descriptor);
        invalid += !entry->file;
    }
    return invalid;
}

static int64_t poll_entries(struct abi_pollfd *fds, const struct poll_table *table, nanoseconds deadline)
{
    int invalid = open_entries(fds, table);
    int ready = poll_files(table, invalid ? 0 : deadline);
    if (ready < 0)
        return ready;
    for (unsigned i = 0; i < table->count; i++) {
        const struct poll_entry *entry = poll_entry(table, i);
        if (entry->file)
            fds[i].found = to_abi(entry->found, fds[i].wanted);
        else
            fds[i].found = fds[i].descriptor < 0 ? 0 : POLLNVAL;
    }
    return ready + invalid;
}

static int64_t poll_user(uintptr_t address, uint32_t count, nanoseconds deadline)
{
    if (count > DESCRIPTOR_LIMIT)
        return -EINVAL;
    size_t size = (size_t)count * sizeof(struct abi_pollfd);
    struct abi_pollfd *fds = heap_allocate_at(max_of(size, (size_t)1), PAGES_NEEDED);
    if (!fds)
        return -ENOMEM;
    struct poll_table table;
    int64_t result = user_read(fds, address, size) ? -EFAULT : allocate(&table, count);
    if (result == 0) {
        result = poll_entries(fds, &table, deadline);
        release(&table);
    }
    if (result >= 0 && user_write(address, fds, size))
        result = -EFAULT;
    heap_free(fds);
    return result;
}

/* Deviates: A file that 65,536 pollers and epoll instances wait for takes no more; then the call fails with ENOMEM. */
SYSCALL_DEFINE3(poll, uintptr_t, fds, unsigned, nfds, int, timeout)
{
    nanoseconds deadline = timeout < 0 ? NO_DEADLINE : timeout ? deadline_after((nanoseconds)timeout * NS_PER_MS) : 0;
    return poll_user(fds, nfds, deadline);
}

/* Reads a timeout; without one the call waits without a limit. Nothing is written back, which is allowed (select(2),
 * "timeout"). */
static int64_t read_deadline(uintptr_t address, nanoseconds *deadline)
{
    nanoseconds timeout;
    *deadline = NO_DEADLINE;
    if (!address)
        return 0;
    int error = timespec_read(address, &timeout);
    if (!error)
        *deadline = timeout ? deadline_after(timeout) : 0;
    return error;
}

/* Deviates: The time that is left is not written to the timeout; ENOMEM as for poll(2). */
SYSCALL_DEFINE5(ppoll, uintptr_t, fds, unsigned, nfds, uintptr_t, timeout, uintptr_t, sigmask, size_t, sigsetsize)
{
    nanoseconds deadline;
    int64_t error = read_deadline(timeout, &deadline);
    if (!error)
        error = signals_with_mask(sigmask, sigsetsize);
    return error ? error : poll_user(fds, nfds, deadline);
}

/* ---- select ---- */

enum { READ_SET, WRITE_SET, EXCEPT_SET, SETS };
static const uint32_t set_wanted[SETS] = { POLLIN, POLLOUT, POLLPRI };
static const uint32_t set_found[SETS] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };

struct select {
    uint64_t *sets[SETS]; /* bit for bit, in whole words */
    uintptr_t addresses[SETS];
    unsigned count; /* descriptors looked at */
};

static bool in_set(const struct select *select, unsigned set, unsigned i)
{
    return select->addresses[set] && select->sets[set][i / 64] >> i % 64 & 1;
}

static int open_selected(const struct select *select, const struct poll_table *table)
{
    for (unsigned i = 0; i < select->count; i++) {
        struct poll_entry *entry = poll_entry(table, i);
        for (unsigned set = 0; set < SETS; set++)
            entry->wanted |= in_set(select, set, i) ? set_wanted[set] : 0;
        if (entry->wanted && !(entry->file = descriptor_get((int)i)))
            return -EBADF;
        if (i % AT_ONCE == AT_ONCE - 1)
            give_way();
    }
    return 0;
}

static int keep_found(struct select *select, const struct poll_table *table)
{
    int bits = 0;
    for (unsigned i = 0; i < select->count; i++) {
        for (unsigned set = 0; set < SETS; set++) {
            if (!in_set(select, set, i))
                continue;
            if (poll_entry(table, i)->found & set_found[set])
                bits++;
            else
                select->sets[set][i / 64] &= ~(1UL << i % 64);
        }
    }
    return bits;
}

static size_t set_size(const struct select *select) { return align_up(select->count, 64u) / 8; }

static int64_t select_opened(struct select *select, const struct poll_table *table, nanoseconds deadline)
{
    size_t size = set_size(select);
    for (unsigned set = 0; set < SETS; set++) {
        if (select->addresses[set] && user_read(select->sets[set], select->addresses[set], size))
            return -EFAULT;
    }
    int result = open_selected(select, table);
    if (!result)
        result = poll_files(table, deadline);
    if (result < 0)
        return result;
    result = keep_found(select, table);
    for (unsigned set = 0; set < SETS; set++) {
        if (select->addresses[set] && user_write(select->addresses[set], select->sets[set], size))
            return -EFAULT;
    }
    return result;
}

static int64_t select_user(int32_t count, uintptr_t read, uintptr_t write, uintptr_t except, nanoseconds deadline)
{
    if (count < 0)
        return -EINVAL;
    /* As on Linux, what lies beyond the descriptors that can be open is not looked at. */
    struct select select = { .addresses = { read, write, except },
                             .count = min_of((unsigned)count, descriptor_table_size()) };
    size_t size = set_size(&select);
    uint64_t *bits = heap_allocate_zeroed_at(SETS * size + 1, PAGES_NEEDED);
    if (!bits)
        return -ENOMEM;
    for (unsigned set = 0; set < SETS; set++)
        select.sets[set] = bits + set * size / sizeof(*bits);
    struct poll_table table;
    int64_t result = allocate(&table, select.count);
    if (result == 0) {
        result = select_opened(&select, &table, deadline);
        release(&table);
    }
    heap_free(bits);
    return result;
}

/* Deviates: The time that is left is not written to the timeout; ENOMEM as for poll(2). */
SYSCALL_DEFINE5(select, int, nfds, uintptr_t, readfds, uintptr_t, writefds, uintptr_t, exceptfds, uintptr_t, timeout)
{
    struct abi_timeval time;
    nanoseconds deadline = NO_DEADLINE;
    if (timeout && user_get(&time, timeout))
        return -EFAULT;
    if (timeout && (time.seconds < 0 || time.microseconds < 0))
        return -EINVAL;
    nanoseconds duration = timeout ? timeval_duration(&time) : NO_DEADLINE;
    if (duration != NO_DEADLINE)
        deadline = duration ? deadline_after(duration) : 0;
    return select_user(nfds, readfds, writefds, exceptfds, deadline);
}

/* Deviates: The time that is left is not written to the timeout; ENOMEM as for poll(2). */
SYSCALL_DEFINE6(pselect6, int, nfds, uintptr_t, readfds, uintptr_t, writefds, uintptr_t, exceptfds, uintptr_t, timeout,
                uintptr_t, sigmask)
{
    struct {
        uint64_t address, size;
    } mask = { 0, 0 };
    nanoseconds deadline;
    int64_t error = read_deadline(timeout, &deadline);
    if (!error && sigmask && user_get(&mask, sigmask))
        error = -EFAULT;
    if (!error)
        error = signals_with_mask(mask.address, mask.size);
    return error ? error : select_user(nfds, readfds, writefds, exceptfds, deadline);
}
