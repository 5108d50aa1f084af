/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The character devices of /dev, and /dev itself. Major and minor numbers: Linux' admin-guide/devices.txt.
 *
 * The devices here keep no state of their own and have no locks; the console is in console.c, the serial port in
 * serial.c, and random numbers take lock "random" (core/random.h). Everything is entered through pseudo.c, which makes
 * the inodes from the table and gives files that are opened the operations of their device; but file_is_zero_device()
 * is asked by mmap(2) in linux/sys_memory.c.
 */
#include "core/random.h"
#include "files/console.h"
#include "files/pseudo.h"
#include "files/pseudo_trees.h"
#include "files/serial.h"
#include "lib/errno.h"

static int64_t seek_nowhere(struct file *file, int64_t offset, int whence)
{
    (void)file;
    (void)offset;
    (void)whence;
    return 0;
}

static ssize_type read_nothing(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return 0;
}

/* A write that takes everything: the bytes are not even looked at. */
static ssize_type write_nowhere(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)offset;
    size_t n = transfer->remaining;
    transfer->remaining = 0;
    return (ssize_type)n;
}

static ssize_type write_full(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return -ENOSPC;
}

static ssize_type read_zeros(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)offset;
    return transfer_out_zeros(transfer, transfer->remaining);
}

static ssize_type read_random(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)offset;
    return transfer_out_random(transfer);
}

static ssize_type write_random(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)offset;
    uint8_t bytes[256];
    ssize_type total = 0;
    while (transfer->remaining) {
        ssize_type moved = transfer_in(transfer, bytes, sizeof(bytes));
        if (moved < 0)
            return total ? total : moved;
        random_add(bytes, (size_t)moved);
        total += moved;
    }
    return total;
}

static const struct file_operations null_device = {
    .read = read_nothing,
    .write = write_nowhere,
    .seek = seek_nowhere,
};
static const struct file_operations zero_device = {
    .read = read_zeros,
    .write = write_nowhere,
    .seek = seek_nowhere,
};
static const struct file_operations full_device = {
    .read = read_zeros,
    .write = write_full,
    .seek = seek_nowhere,
};
static const struct file_operations random_device = {
    .read = read_random,
    .write = write_random,
    .seek = seek_nowhere,
};

bool file_is_zero_device(const struct file *file) { return file->operations == &zero_device; }

static void target_fd(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "/proc/self/fd");
}

static void target_stdin(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "/proc/self/fd/0");
}

static void target_stdout(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "/proc/self/fd/1");
}

static void target_stderr(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "/proc/self/fd/2");
}

static const struct pseudo_entry devices[] = {
    { .name = "console", .mode = S_IFCHR | 0600, .device = &console_operations, .major = 5, .minor = 1 },
    { .name = "fd", .mode = S_IFLNK | 0777, .target = target_fd },
    { .name = "full", .mode = S_IFCHR | 0666, .device = &full_device, .major = 1, .minor = 7 },
    { .name = "null", .mode = S_IFCHR | 0666, .device = &null_device, .major = 1, .minor = 3 },
    { .name = "random", .mode = S_IFCHR | 0666, .device = &random_device, .major = 1, .minor = 8 },
    { .name = "shm", .mode = S_IFDIR | 0755 },
    { .name = "stderr", .mode = S_IFLNK | 0777, .target = target_stderr },
    { .name = "stdin", .mode = S_IFLNK | 0777, .target = target_stdin },
    { .name = "stdout", .mode = S_IFLNK | 0777, .target = target_stdout },
    { .name = "ttyS2", .mode = S_IFCHR | 0660, .device = &serial_operations, .major = 4, .minor = 66 },
    { .name = "urandom", .mode = S_IFCHR | 0666, .device = &random_device, .major = 1, .minor = 9 },
    { .name = "zero", .mode = S_IFCHR | 0666, .device = &zero_device, .major = 1, .minor = 5 },
    { 0 },
};

const struct pseudo_entry dev_root = { .mode = S_IFDIR | 0755, .children = devices };
