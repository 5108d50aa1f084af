/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the host (host_channel.h), one after the other, by one thread, which owns everything here: there are no
 * locks. Only channel_changed() is called by the driver, in interrupt context. A line that is too long is answered with
 * an error, like one that is no request. `connection` is the one of the last `jvm`, until its end or the next one.
 */
#include "linux/host_channel.h"

#include "core/heap.h"
#include "core/lock_statistics.h"
#include "core/log.h"
#include "drivers/device.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "linux/attach.h"
#include "linux/diagnostics.h"
#include "net/kernel_socket.h"
#include "platform/platform.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define SECONDS_MAX 86400u

static struct channel_device *channel;
static struct wait_queue queue = WAIT_QUEUE(queue);
static struct file *connection;
static uint8_t piece[CHANNEL_PIECE];

static void channel_changed(struct channel_device *device)
{
    (void)device;
    wake(&queue, 0);
}

/* ---- Bytes ---- */

static char receive_byte(void)
{
    char byte;
    (void)wait_until(&queue, channel->receive(channel, &byte, 1) == 1, NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    return byte;
}

/* Sends what there is room for, and says whether that was all. */
static bool send_some(const uint8_t **data, size_t *length)
{
    size_t sent = channel->send(channel, *data, *length);
    *data += sent;
    *length -= sent;
    return *length == 0;
}

static void send_all(const void *data, size_t length)
{
    const uint8_t *rest = data;
    (void)wait_until(&queue, send_some(&rest, &length), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
}

/* False: it is longer, and has been dropped. */
static bool receive_line(char line[CHANNEL_LINE])
{
    size_t length = 0;
    for (char byte = receive_byte(); byte != '\n'; byte = receive_byte()) {
        if (length < CHANNEL_LINE)
            line[length++] = byte;
    }
    bool whole = length < CHANNEL_LINE;
    line[whole ? length : 0] = 0;
    return whole;
}

static void send_answer(const char *tag, ssize_type result)
{
    static char header[CHANNEL_LINE + 32];
    size_t length = result > 0 ? (size_t)result : 0;
    int size = format(header, sizeof(header), "%s %d %lu\n", tag, result < 0 ? (int)-result : 0, length);
    send_all(header, (size_t)size);
    send_all(piece, length);
}

/* ---- Commands: each fills `piece`, and returns the bytes in it or -errno ---- */

/* Takes a word off the line; "" at its end. */
static char *take_word(char **line)
{
    char *word = *line, *end = strchr(word, ' ');
    *line = end ? end + 1 : word + strlen(word);
    if (end)
        *end = 0;
    return word;
}

/* False: it does not begin with a number that is allowed. */
static bool take_deadline(char **line, nanoseconds *deadline)
{
    uint64_t seconds;
    if (!parse_decimal(take_word(line), &seconds) || seconds > SECONDS_MAX)
        return false;
    *deadline = clock_monotonic() + seconds * NS_PER_SECOND;
    return true;
}

static void disconnect(void)
{
    if (connection)
        file_put(connection);
    connection = NULL;
}

static ssize_type more(char *arguments)
{
    nanoseconds deadline;
    if (!take_deadline(&arguments, &deadline))
        return -EINVAL;
    if (!connection)
        return -ENOTCONN;
    ssize_type received = kernel_socket_receive(connection, piece, sizeof(piece), deadline);
    if (received <= 0)
        disconnect();
    return received;
}

static ssize_type jvm(char *arguments)
{
    nanoseconds deadline;
    char *seconds = arguments;
    disconnect();
    if (!take_deadline(&arguments, &deadline))
        return -EINVAL;
    int error = attach_command(arguments, deadline, &connection);
    if (error)
        connection = NULL;
    return error ? error : more(seconds);
}

/* Only of files with an end: reading others would wait for it. */
static ssize_type read_piece(char *arguments)
{
    uint64_t offset;
    struct file *file;
    if (!parse_decimal(take_word(&arguments), &offset) || offset > INT64_MAX)
        return -EINVAL;
    int error = file_open(NULL, arguments, O_RDONLY | O_NONBLOCK, 0, &file);
    if (error)
        return error;
    bool regular = file->inode && is_type(file->inode, S_IFREG);
    ssize_type length = regular ? file_read_kernel(file, piece, sizeof(piece), offset) : -EINVAL;
    file_put(file);
    return length;
}

static ssize_type remove(char *arguments) { return name_unlink(NULL, arguments); }

/* Lines of which there is no more room are left out; there is room for all classes. */
static void put_line(const char *line, void *context)
{
    size_t *length = context, size = strlen(line);
    if (size > sizeof(piece) - *length)
        return;
    memcpy(piece + *length, line, size);
    *length += size;
}

static ssize_type locks(char *arguments)
{
    size_t length = 0;
    if (arguments[0])
        return -EINVAL;
    lock_statistics_lines(put_line, &length);
    return (ssize_type)length;
}

static const struct command {
    const char *name;
    ssize_type (*run)(char *arguments);
} commands[] = {
    { "jvm", jvm }, { "more", more }, { "read", read_piece }, { "remove", remove }, { "locks", locks },
};

static ssize_type obey(char *request)
{
    const char *name = take_word(&request);
    for (unsigned i = 0; i < array_size(commands); i++) {
        if (!strcmp(commands[i].name, name))
            return commands[i].run(request);
    }
    int diagnostic = diagnostics_find(name, strlen(name));
    return diagnostic < 0 ? -ENOSYS : diagnostics_set((unsigned)diagnostic, request);
}

static void serve(void *unused)
{
    static char line[CHANNEL_LINE];
    (void)unused;
    for (;;) {
        bool whole = receive_line(line);
        if (whole && !line[0])
            continue;
        char *request = line;
        const char *tag = take_word(&request);
        log_info("host's request: %s", whole ? request : "too long");
        send_answer(tag, whole ? obey(request) : -E2BIG);
    }
}

void host_channel_start(void)
{
    channel = channel_device_find();
    if (!channel)
        return;
    channel->changed = channel_changed;
    thread_start_kernel("host channel", serve, NULL);
}
