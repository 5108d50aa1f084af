/* SPDX-License-Identifier: Apache-2.0 */
#include "core/debug.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/failing.h"
#include "threads/thread.h"

/* Long copies in pieces, with a point between where others may run. */
static int copy(uintptr_t to, uintptr_t from, size_t length)
{
    while (length) {
        size_t n = min_of(length, (size_t)USER_PIECE);
        if (user_copy_raw((void *)to, (const void *)from, n))
            return -EFAULT;
        to += n;
        from += n;
        length -= n;
        if (length)
            give_way();
    }
    return 0;
}

int user_read(void *to, uintptr_t from, size_t length)
{
    may_sleep();
    return user_range_ok(from, length) ? copy((uintptr_t)to, from, length) : -EFAULT;
}

int user_write(uintptr_t to, const void *from, size_t length)
{
    may_sleep();
    return user_range_ok(to, length) ? copy(to, (uintptr_t)from, length) : -EFAULT;
}

int user_exchange(uintptr_t address, uint32_t expected, uint32_t value, uint32_t *found)
{
    may_sleep();
    bool done = user_range_ok(address, sizeof(value)) && !user_exchange_raw((void *)address, expected, value, found);
    return done ? 0 : -EFAULT;
}

int user_clear(uintptr_t to, size_t length)
{
    may_sleep();
    if (!user_range_ok(to, length))
        return -EFAULT;
    while (length) {
        size_t n = min_of(length, (size_t)USER_PIECE);
        if (user_clear_raw((void *)to, n))
            return -EFAULT;
        to += n;
        length -= n;
        if (length)
            give_way();
    }
    return 0;
}

ssize_type user_read_string(char *to, uintptr_t from, size_t size)
{
    size_t copied = 0;
    while (copied < size) {
        size_t in_page = PAGE_SIZE - ((from + copied) & PAGE_MASK);
        size_t n = min_of(in_page, size - copied);
        if (user_read(to + copied, from + copied, n))
            return -EFAULT;
        const char *end = memchr(to + copied, 0, n);
        if (end)
            return end - to;
        copied += n;
    }
    return -ENAMETOOLONG;
}

bool kernel_page_fault(struct registers *registers, uintptr_t address)
{
    if (registers->rip < (uintptr_t)user_copy_begin || registers->rip >= (uintptr_t)user_copy_end)
        return false;
    if (thread_current()->faults_refused) {
        registers->rip = (uintptr_t)user_copy_fixup;
        return true;
    }
    failing_spare();
    if (!user_address_ok(address) || address_space_fault(address, registers->error) != FAULT_RESOLVED)
        registers->rip = (uintptr_t)user_copy_fixup;
    failing_spare_end();
    return true;
}
