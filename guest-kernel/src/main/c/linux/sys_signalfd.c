/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signalfd(2): a descriptor from which signals are read. It holds nothing but a mask; what waits is found with the
 * thread that reads, as on Linux, and its arrival wakes the queue that sigtimedwait(2) waits on.
 */
#include "core/heap.h"
#include "files/file.h"
#include "lib/errno.h"
#include "linux/signals.h"
#include "linux/syscalls.h"

/* struct signalfd_siginfo, signalfd(2); 128 bytes. */
struct abi_signal {
    uint32_t number;
    int32_t error, code;
    uint32_t process, user;
    int32_t descriptor;
    uint32_t timer, band, overruns, trap;
    int32_t status, integer;
    uint64_t pointer, user_time, system_time, address;
    uint8_t padding[48];
};
_Static_assert(sizeof(struct abi_signal) == 128, "signalfd(2)");

struct signalfd {
    uint64_t mask; /* one word, changed without a lock */
};

static struct abi_signal describe(const struct signal_info *info)
{
    struct abi_signal signal = { .number = (uint32_t)info->number, .error = info->error, .code = info->code };
    if (info->code == SI_TIMER) {
        signal.timer = info->timer.number;
        signal.overruns = info->timer.overruns;
        signal.pointer = info->timer.value;
        signal.integer = (int32_t)info->timer.value;
    } else if (info->code <= 0) {
        signal.process = (uint32_t)info->sender.pid;
        signal.user = info->sender.uid;
        signal.pointer = info->code == SI_QUEUE ? info->sender.value : 0;
        signal.integer = (int32_t)signal.pointer;
    } else {
        signal.address = info->address;
    }
    return signal;
}

/* As many as there are and fit. Bytes, or -EFAULT. */
static ssize_type read_waiting(struct signalfd *signalfd, struct transfer *transfer)
{
    struct signal_info info;
    ssize_type total = 0;
    while (transfer->remaining >= sizeof(struct abi_signal) && signals_take(read_once(signalfd->mask), &info)) {
        struct abi_signal signal = describe(&info);
        ssize_type n = transfer_out(transfer, &signal, sizeof(signal));
        if (n < (ssize_type)sizeof(signal))
            return total ? total : -EFAULT;
        total += n;
    }
    return total;
}

static ssize_type read_signalfd(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    struct signalfd *signalfd = file->private;
    (void)offset;
    if (transfer->remaining < sizeof(struct abi_signal))
        return -EINVAL;
    for (;;) {
        ssize_type n = read_waiting(signalfd, transfer);
        if (n)
            return n;
        if (read_once(file->flags) & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_until(signals_arrivals(), signals_waiting(read_once(signalfd->mask)), NO_DEADLINE,
                               SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

static unsigned poll_signalfd(struct file *file)
{
    struct signalfd *signalfd = file->private;
    return signals_waiting(read_once(signalfd->mask)) ? POLLIN : 0;
}

static struct wait_queue *signalfd_queue(struct file *file)
{
    (void)file;
    return signals_arrivals();
}

static void release_signalfd(struct file *file) { heap_free(file->private); }

static const struct file_operations signalfd_operations = {
    .read = read_signalfd,
    .poll = poll_signalfd,
    .queue = signalfd_queue,
    .release = release_signalfd,
};

static int64_t make_signalfd(uint64_t mask, uint32_t flags)
{
    struct signalfd *signalfd = heap_allocate(sizeof(*signalfd));
    if (!signalfd)
        return -ENOMEM;
    signalfd->mask = mask;
    struct file *file = file_create(&signalfd_operations, O_RDWR | (flags & O_NONBLOCK), signalfd);
    if (!file) {
        heap_free(signalfd);
        return -ENOMEM;
    }
    return descriptor_give(file, flags & O_CLOEXEC, 0);
}

static int64_t change_signalfd(int descriptor, uint64_t mask)
{
    struct file *file = descriptor_get(descriptor);
    if (!file)
        return -EBADF;
    bool known = file->operations == &signalfd_operations;
    if (known) {
        write_once(((struct signalfd *)file->private)->mask, mask);
        wake(signals_arrivals(), POLLIN);
    }
    file_put(file);
    return known ? descriptor : -EINVAL;
}

static int64_t make_or_change(int descriptor, uintptr_t mask_at, size_t mask_size, uint32_t flags)
{
    uint64_t mask;
    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = signal_mask_read(mask_at, mask_size, &mask);
    if (error)
        return error;
    return descriptor == -1 ? make_signalfd(mask, flags) : change_signalfd(descriptor, mask);
}

SYSCALL_DEFINE4(signalfd4, int, fd, uintptr_t, mask, size_t, sizemask, uint32_t, flags)
{
    return make_or_change(fd, mask, sizemask, flags);
}

SYSCALL_DEFINE3(signalfd, int, fd, uintptr_t, mask, size_t, sizemask) { return make_or_change(fd, mask, sizemask, 0); }
