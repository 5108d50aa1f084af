/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's serial port (serial.h). Nothing is buffered here, so what a write has returned is already with the
 * device. Mutex "serial writing" keeps the writes of several threads apart and serialises platform_serial_send(); it is
 * held while user memory is read and while the device takes nothing.
 */
#include "files/serial.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/thread.h"

/* How long until a port that takes nothing is tried again, since it has no interrupt. */
#define RETRY (NS_PER_SECOND / 1000)

static struct mutex writing = MUTEX(writing, LOCK_SERIAL_WRITING);

/* All of the text. Bytes sent, or an error if none. */
static ssize_type send_all(const char *text, size_t length)
{
    size_t done = 0;
    while (done < length) {
        int sent = platform_serial_send(text + done, length - done);
        if (sent == 0) {
            sleep_prepare();
            sent = sleep_until(clock_monotonic() + RETRY, SLEEP_INTERRUPTIBLE);
            if (sent == -ETIMEDOUT)
                continue;
        }
        if (sent < 0)
            return done ? (ssize_type)done : sent;
        done += (size_t)sent;
    }
    return (ssize_type)done;
}

static ssize_type send_pieces(struct transfer *transfer)
{
    char text[512];
    ssize_type total = 0;
    while (transfer->remaining) {
        ssize_type n = transfer_in(transfer, text, sizeof(text));
        ssize_type sent = n < 0 ? n : send_all(text, (size_t)n);
        if (sent < 0)
            return total ? total : sent;
        total += sent;
        if (sent < n)
            break;
        give_way();
    }
    return total;
}

static ssize_type write_serial(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)offset;
    mutex_lock(&writing);
    ssize_type written = send_pieces(transfer);
    mutex_unlock(&writing);
    return written;
}

static ssize_type read_serial(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)file;
    (void)transfer;
    (void)offset;
    return 0;
}

const struct file_operations serial_operations = { .read = read_serial, .write = write_serial };
