/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console as a terminal (console.h). Drivers call kernel_console_input() in interrupt context; each byte is edited
 * and echoed at once, and a read gets finished lines only, at most one. A ^D on an empty line is counted in
 * ends_pending and becomes one read of 0 bytes. Output goes to the kernel's buffer (core/console.h); threads/console.c
 * waits for room in it, unless the journal has started: then lines go there too and nothing waits. The rest is entered
 * through console_operations, by files opened as /dev/console (device_files.c), as descriptors 0, 1 and 2 are.
 *
 * Spinlock "console input" guards the ring of input; whether it holds a line is read without it. Mutex "console
 * writing" keeps blocking writes of several threads apart; it is held while user memory is read and while room is
 * waited for.
 */
#include "core/console.h"
#include "core/journal.h"
#include "core/lock.h"
#include "files/console.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "platform/platform.h"
#include "threads/console.h"

#define INPUT_SIZE 1024u /* power of two; what is typed beyond it is lost */
#define END_OF_INPUT 4   /* ^D */
#define KILL_LINE 21     /* ^U */
#define ERASE 127

/* Ring of bytes: [read, line) are finished lines, [line, write) is being edited. Indices only grow. */
static struct spinlock lock = SPINLOCK(LOCK_CONSOLE_INPUT);
static char input[INPUT_SIZE];              /* lock */
static uint32_t read_at, line_at, write_at; /* lock */
static uint32_t ends_pending;               /* lock: empty lines ended by ^D, each one read of 0 bytes */

/* ---- Input ---- */

static void erase_one(void)
{
    if (write_at == line_at)
        return;
    write_at--;
    (void)console_put("\b \b", 3);
}

/* True if a reader has something new. */
static bool take_byte(char c)
{
    if (c == '\r')
        c = '\n';
    if (c == '\b' || c == ERASE) {
        erase_one();
        return false;
    }
    if (c == KILL_LINE) {
        while (write_at != line_at)
            erase_one();
        return false;
    }
    if (c == END_OF_INPUT) {
        if (write_at == line_at)
            ends_pending++;
        line_at = write_at;
        return true;
    }
    if (write_at - read_at == INPUT_SIZE)
        return false;
    input[write_at++ % INPUT_SIZE] = c;
    if (c != '\n') {
        (void)console_put(&c, 1);
        return false;
    }
    (void)console_put("\n", 1);
    line_at = write_at;
    return true;
}

void kernel_console_input(const char *text, size_t length)
{
    bool any = false;
    spin_lock(&lock);
    for (size_t i = 0; i < length; i++)
        any |= take_byte(text[i]);
    spin_unlock(&lock);
    if (any)
        wake(&console_waiters, POLLIN);
}

static bool has_input(void) { return read_once(read_at) != read_once(line_at) || read_once(ends_pending); }

/* At most one line, without waiting; -EAGAIN when there is none. */
static ssize_type take_line(char *to, size_t size)
{
    size_t n = 0;
    spin_lock(&lock);
    bool any = has_input();
    if (read_at == line_at && ends_pending)
        ends_pending--;
    while (n < size && read_at != line_at) {
        to[n++] = input[read_at++ % INPUT_SIZE];
        if (to[n - 1] == '\n')
            break;
    }
    spin_unlock(&lock);
    return any ? (ssize_type)n : -EAGAIN;
}

static ssize_type read_console(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)offset;
    char line[256];
    for (;;) {
        ssize_type n = take_line(line, min_of(sizeof(line), transfer->remaining));
        if (n > 0)
            return transfer_out(transfer, line, (size_t)n);
        if (n == 0 || read_once(file->flags) & O_NONBLOCK)
            return n;
        int error = wait_until(&console_waiters, has_input(), NO_DEADLINE, SLEEP_INTERRUPTIBLE);
        if (error)
            return error;
    }
}

/* ---- Output ---- */

bool console_shows_output = true;

void console_mark_errors(struct file *file) { file->private = file; }

/* Keeps the writes of several threads apart. */
static struct mutex writing = MUTEX(writing, LOCK_CONSOLE_WRITING);

/* All of the text, waiting for room. Bytes written, or -EINTR if none. */
static ssize_type write_text(const char *text, size_t length)
{
    size_t done = console_put(text, length);
    while (done < length) {
        int error = console_wait_room(SLEEP_INTERRUPTIBLE);
        if (error)
            return done ? (ssize_type)done : error;
        done += console_put(text + done, length - done);
    }
    return (ssize_type)done;
}

/* The text without waiting, wherever the journal has it go. */
static ssize_type write_journal(const struct file *file, const char *text, size_t length)
{
    journal_program(file->private ? JOURNAL_ERRORS : JOURNAL_OUTPUT, text, length);
    if (console_shows_output)
        console_offer(text, length);
    return (ssize_type)length;
}

static bool can_write(void) { return journal_started() || console_has_room(); }

static ssize_type write_piece(const struct file *file, const char *text, size_t length, bool wait)
{
    if (journal_started())
        return write_journal(file, text, length);
    return wait ? write_text(text, length) : (ssize_type)console_put(text, length);
}

static ssize_type write_pieces(const struct file *file, struct transfer *transfer, bool wait)
{
    char text[512];
    ssize_type total = 0;
    while (transfer->remaining) {
        if (!wait && !can_write())
            return total ? total : -EAGAIN;
        ssize_type n = transfer_in(transfer, text, sizeof(text));
        ssize_type written = n > 0 ? write_piece(file, text, (size_t)n, wait) : n;
        if (written < 0)
            return total ? total : written;
        total += written;
        if (written < n)
            break;
    }
    return total;
}

static ssize_type write_console(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)offset;
    if (read_once(file->flags) & O_NONBLOCK)
        return write_pieces(file, transfer, false);
    mutex_lock(&writing);
    ssize_type written = write_pieces(file, transfer, true);
    mutex_unlock(&writing);
    return written;
}

/* ---- Terminal ---- */

static unsigned poll_console(struct file *file)
{
    (void)file;
    return (has_input() ? POLLIN : 0) | (can_write() ? POLLOUT : 0);
}

static struct wait_queue *console_queue(struct file *file)
{
    (void)file;
    return &console_waiters;
}

/* struct termios, asm-generic/termbits.h: the kernel's, not libc's. */
struct termios {
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
};
/* struct winsize */
struct window_size {
    uint16_t rows, columns, width, height;
};

static int64_t ioctl_console(struct file *file, uint32_t request, uintptr_t argument)
{
    enum { TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TIOCGWINSZ = 0x5413 };
    (void)file;
    switch (request) {
    case TCGETS: {
        /* ICRNL | IXON; OPOST | ONLCR; B38400 | CS8 | CREAD; ISIG | ICANON | ECHO | ECHOE | ECHOK */
        struct termios termios = { .input = 0x500, .output = 5, .control = 0xbf, .local = 0x3b };
        return user_put(argument, &termios);
    }
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return 0;
    case TIOCGWINSZ: {
        struct window_size size = { 25, 80, 0, 0 };
        return user_put(argument, &size);
    }
    case FIONREAD: {
        int32_t waiting = (int32_t)(read_once(line_at) - read_once(read_at));
        return user_put(argument, &waiting);
    }
    default:
        return -ENOTTY;
    }
}

const struct file_operations console_operations = {
    .read = read_console,
    .write = write_console,
    .poll = poll_console,
    .queue = console_queue,
    .ioctl = ioctl_console,
};
