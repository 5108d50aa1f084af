/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's output buffer. Positions only grow; [drained, filled_to) is in the buffer. Only the console thread and,
 * once nothing else runs, console_stop_buffering() take from it. Lock: "console", the innermost of all; a caller that
 * has waited for long goes ahead without it, since its holder may be the code that failed on this CPU.
 */
#include "core/console.h"
#include "core/dump.h"
#include "core/log.h"
#include "platform/platform.h"

#define PIECE 64u     /* bytes handed to the device at once */
#define LOST_LINE 64u /* room for the line about lost ones */

/* How often a caller tries to take the lock before it goes ahead without it. */
#define CLAIM_ATTEMPTS 1000000u

static uint32_t locked;             /* the lock: no struct spinlock, since panics come before there is a this_cpu() */
static char buffer[CONSOLE_SIZE];   /* lock */
static uint64_t filled_to, drained; /* lock */
static char last = '\n';            /* lock: of what was written */
static uint64_t lost;               /* lock: lines dropped and not yet reported */
static void (*filled)(void);        /* NULL: text goes to the device at once */

DUMP_ADDRESS("console", buffer);
DUMP_VALUE("console.size", CONSOLE_SIZE);
DUMP_ADDRESS("console.filled_to", filled_to);

static void claim(void)
{
    for (unsigned i = 0; i < CLAIM_ATTEMPTS && __atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE); i++)
        __builtin_ia32_pause();
}

static void release(void) { __atomic_store_n(&locked, 0, __ATOMIC_RELEASE); }

static size_t room(void) { return CONSOLE_SIZE - (size_t)(filled_to - drained); }

static void append(char c)
{
    if (c == '\n' && last != '\r')
        buffer[filled_to++ % CONSOLE_SIZE] = '\r';
    buffer[filled_to++ % CONSOLE_SIZE] = c;
    last = c;
}

/* Bytes that `text` takes in the buffer, each '\n' counted twice. */
static size_t room_for(const char *text, size_t length)
{
    size_t size = length;
    for (size_t i = 0; i < length; i++)
        size += text[i] == '\n';
    return size;
}

static void append_all(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        append(text[i]);
}

static void report_lost(void)
{
    char text[LOST_LINE];
    if (!lost || room() < 2 * LOST_LINE)
        return;
    int length = format(text, sizeof(text), "unikernel: console too slow: %lu lines lost\n", lost);
    lost = 0;
    if (last != '\n')
        append('\n');
    append_all(text, (size_t)length);
}

static void append_line(const char *text, size_t length)
{
    if (last != '\n')
        append('\n');
    report_lost();
    append_all(text, length);
}

/* Without buffering, too, text goes by way of the buffer, so that line ends are made in one place. */
static void flush(void)
{
    while (drained != filled_to) {
        size_t from = drained % CONSOLE_SIZE;
        size_t n = min_of((size_t)(filled_to - drained), CONSOLE_SIZE - from);
        console_write(buffer + from, n);
        drained += n;
    }
}

void console_line(const char *text, size_t length)
{
    claim();
    bool fits = room() >= room_for(text, length) + 2;
    if (fits)
        append_line(text, length);
    else
        lost++;
    void (*notify)(void) = filled;
    if (!notify)
        flush();
    release();
    if (notify)
        notify();
}

size_t console_put(const char *text, size_t length)
{
    size_t taken = 0;
    claim();
    void (*notify)(void) = filled;
    while (taken < length && (room() >= CONSOLE_RESERVE + 2 || !notify)) {
        if (room() < 2)
            flush();
        append(text[taken++]);
    }
    if (!notify)
        flush();
    release();
    if (notify)
        notify();
    return taken;
}

void console_offer(const char *text, size_t length)
{
    size_t taken = console_put(text, length);
    claim();
    for (; taken < length; taken++)
        lost += text[taken] == '\n';
    release();
}

bool console_has_room(void)
{
    claim();
    bool has = room() >= CONSOLE_RESERVE + PIECE;
    release();
    return has;
}

size_t console_drain(void)
{
    char piece[PIECE];
    claim();
    size_t n = min_of((size_t)(filled_to - drained), sizeof(piece));
    for (size_t i = 0; i < n; i++)
        piece[i] = buffer[(drained + i) % CONSOLE_SIZE];
    release();
    size_t taken = n ? console_send(piece, n) : 0;
    claim();
    drained += taken;
    report_lost();
    release();
    return taken;
}

void console_start_buffering(void (*notify)(void)) { filled = notify; }

void console_stop_buffering(void)
{
    bool was_buffering = filled;
    filled = NULL;
    if (was_buffering)
        flush();
}
