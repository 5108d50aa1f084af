/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of descriptors: an array that doubles when it is full. A spinlock guards all of it; files
 * are released after it is dropped, because releasing may sleep.
 */
#include "core/debug.h"
#include "core/heap.h"
#include "core/lock.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "threads/thread.h"

struct slot {
    struct file *file; /* NULL: free */
    bool close_on_exec;
};

#define INITIAL_SIZE 64u

uint32_t descriptor_limit = DESCRIPTOR_LIMIT;

static struct spinlock lock = SPINLOCK(LOCK_DESCRIPTORS);
static struct slot *slots;   /* lock */
static uint32_t size;        /* lock */
static uint32_t lowest_free; /* lock: no free slot below */

/* The slot of a number from the program, or NULL. Under the lock. */
static struct slot *slot_of(int descriptor)
{
    must_hold(&lock);
    return (uint32_t)descriptor < size ? &slots[index_nospec((uint32_t)descriptor, size)] : NULL;
}

/* Under the lock, which may be given back meanwhile. */
static bool grow(uint32_t wanted)
{
    must_hold(&lock);
    uint32_t new_size = max_of(size, INITIAL_SIZE);
    while (new_size <= wanted)
        new_size *= 2;
    struct slot *new_slots = heap_allocate_zeroed(new_size * sizeof(*new_slots));
    if (!new_slots)
        return false;
    if (size)
        memcpy(new_slots, slots, size * sizeof(*slots));
    heap_free(slots);
    slots = new_slots;
    size = new_size;
    return true;
}

static uint32_t find_free(uint32_t from)
{
    must_hold(&lock);
    uint32_t i = max_of(from, lowest_free);
    while (i < size && slots[i].file)
        i++;
    return i;
}

/* Called and returns with the lock held. */
static int make_room(uint32_t i)
{
    must_hold(&lock);
    if (i >= descriptor_limit)
        return -EMFILE;
    return i < size || grow(i) ? 0 : -ENOMEM;
}

int descriptor_room(void)
{
    spin_lock(&lock);
    int error = make_room(find_free(0));
    spin_unlock(&lock);
    return error;
}

int descriptor_add(struct file *file, bool close_on_exec, int lowest)
{
    if (lowest < 0 || (uint32_t)lowest >= descriptor_limit)
        return -EINVAL;
    spin_lock(&lock);
    uint32_t i = find_free((uint32_t)lowest);
    int error = make_room(i);
    if (!error) {
        slots[i] = (struct slot){ file, close_on_exec };
        if ((uint32_t)lowest <= lowest_free)
            lowest_free = i + 1;
    }
    spin_unlock(&lock);
    return error ? error : (int)i;
}

int descriptor_give(struct file *file, bool close_on_exec, int lowest)
{
    int descriptor = descriptor_add(file, close_on_exec, lowest);
    if (descriptor < 0)
        file_put(file);
    return descriptor;
}

uint32_t descriptor_table_size(void) { return read_once(size); }

static struct file *get(int descriptor, bool path_too)
{
    spin_lock(&lock);
    const struct slot *slot = slot_of(descriptor);
    struct file *file = slot ? slot->file : NULL;
    if (file && !path_too && file->flags & O_PATH)
        file = NULL;
    if (file)
        file_get(file);
    spin_unlock(&lock);
    return file;
}

struct file *descriptor_get_any(int descriptor) { return get(descriptor, true); }
struct file *descriptor_get(int descriptor) { return get(descriptor, false); }

/* The file that was in the slot; its reference is now the caller's. */
static struct file *take(struct slot *slot)
{
    struct file *file = slot->file;
    *slot = (struct slot){ 0 };
    lowest_free = min_of(lowest_free, (uint32_t)(slot - slots));
    return file;
}

int descriptor_close(int descriptor)
{
    struct file *file = NULL;
    spin_lock(&lock);
    struct slot *slot = slot_of(descriptor);
    if (slot)
        file = take(slot);
    spin_unlock(&lock);
    if (!file)
        return -EBADF;
    file_put(file);
    return 0;
}

int descriptor_duplicate(int from, int to, bool close_on_exec)
{
    if (to < 0 || (uint32_t)to >= descriptor_limit)
        return -EBADF;
    struct file *file = descriptor_get_any(from);
    if (!file)
        return -EBADF;
    if (from == to) {
        file_put(file);
        return to;
    }
    struct file *old = NULL;
    spin_lock(&lock);
    bool room = (uint32_t)to < size || grow((uint32_t)to);
    if (room) {
        struct slot *slot = slot_of(to);
        old = slot->file;
        *slot = (struct slot){ file, close_on_exec };
    }
    spin_unlock(&lock);
    if (!room) {
        file_put(file);
        return -ENOMEM;
    }
    if (old)
        file_put(old);
    return to;
}

int descriptor_close_on_exec(int descriptor)
{
    spin_lock(&lock);
    const struct slot *slot = slot_of(descriptor);
    int result = slot && slot->file ? slot->close_on_exec : -EBADF;
    spin_unlock(&lock);
    return result;
}

int descriptor_set_close_on_exec(int descriptor, bool on)
{
    spin_lock(&lock);
    struct slot *slot = slot_of(descriptor);
    bool open = slot && slot->file;
    if (open)
        slot->close_on_exec = on;
    spin_unlock(&lock);
    return open ? 0 : -EBADF;
}

int descriptor_next(int lowest)
{
    spin_lock(&lock);
    uint32_t i = lowest < 0 ? 0 : (uint32_t)lowest;
    while (i < size && !slots[i].file)
        i++;
    int result = i < size ? (int)i : -1;
    spin_unlock(&lock);
    return result;
}

int descriptor_close_range(unsigned first, unsigned last, bool only_mark)
{
    if (first > last)
        return -EINVAL;
    for (;;) {
        int descriptor = first < DESCRIPTOR_LIMIT ? descriptor_next((int)first) : -1;
        if (descriptor < 0 || (unsigned)descriptor > last)
            return 0;
        /* Another thread has closed it in the meantime, which is what was asked for. */
        if (only_mark)
            (void)descriptor_set_close_on_exec(descriptor, true);
        else
            (void)descriptor_close(descriptor);
        first = (unsigned)descriptor + 1;
        give_way();
    }
}
