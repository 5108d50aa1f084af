/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal (journal.h): a ring of lines, each a header and its text, and for each stream of the program the line
 * that it has begun. Positions grow for ever; [oldest, end) is in the ring. Everything lies on the heap from
 * journal_start() on, and stays. Spinlock "journal", the innermost of all, guards all of it.
 */
#include "core/journal.h"

#include "core/heap.h"
#include "core/lock.h"
#include "lib/string.h"
#include "platform/platform.h"

struct header {
    nanoseconds time;
    uint16_t length;
    uint8_t source, severity;
};

struct journal {
    char ring[JOURNAL_SIZE];
    struct begun {
        size_t length;
        char text[JOURNAL_TEXT];
    } begun[JOURNAL_SOURCES];
    uint64_t oldest, end;
    uint64_t lost, lost_before; /* lines dropped: since the last was taken, and before that */
    void (*filled)(void);
};

static struct spinlock lock = SPINLOCK(LOCK_JOURNAL);
static struct journal *journal; /* NULL: not started */

static void put_bytes(const void *from, size_t length)
{
    size_t at = journal->end % JOURNAL_SIZE, first = min_of(length, JOURNAL_SIZE - at);
    memcpy(journal->ring + at, from, first);
    memcpy(journal->ring, (const char *)from + first, length - first);
    journal->end += length;
}

static void take_bytes(void *to, size_t length)
{
    size_t at = journal->oldest % JOURNAL_SIZE, first = min_of(length, JOURNAL_SIZE - at);
    memcpy(to, journal->ring + at, first);
    memcpy((char *)to + first, journal->ring, length - first);
    journal->oldest += length;
}

static void drop_oldest(void)
{
    struct header header;
    take_bytes(&header, sizeof(header));
    journal->oldest += header.length;
    journal->lost++;
}

static void append(enum journal_source source, enum severity severity, const char *text, size_t length)
{
    struct header header = { clock_wall(), (uint16_t)length, (uint8_t)source, (uint8_t)severity };
    while (journal->end + sizeof(header) + length - journal->oldest > JOURNAL_SIZE)
        drop_oldest();
    put_bytes(&header, sizeof(header));
    put_bytes(text, length);
}

/* How much of the text is whole characters of UTF-8 (RFC 3629 3): all but one that is cut off by its end. */
static size_t whole_characters(const char *text, size_t length)
{
    for (size_t back = 1; back <= min_of(length, (size_t)3); back++) {
        uint8_t byte = (uint8_t)text[length - back];
        if ((byte & 0xc0) == 0x80)
            continue; /* inside a character */
        size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return size > back && back < length ? length - back : length;
    }
    return length;
}

/* Makes a line of the first `length` bytes that the stream has begun, without what ended it. */
static void finish(enum journal_source source, size_t length)
{
    struct begun *begun = &journal->begun[source];
    size_t shown = length > 0 && begun->text[length - 1] == '\r' ? length - 1 : length;
    if (shown > 0)
        append(source, source == JOURNAL_ERRORS ? SEVERITY_NOTICE : SEVERITY_INFO, begun->text, shown);
    memmove(begun->text, begun->text + length, begun->length - length);
    begun->length -= length;
}

/* Takes the text up to the next '\n' or as much as there is room for: bytes. */
static size_t begin_line(enum journal_source source, const char *text, size_t length)
{
    struct begun *begun = &journal->begun[source];
    if (begun->length == JOURNAL_TEXT)
        finish(source, whole_characters(begun->text, JOURNAL_TEXT));
    size_t room = min_of(length, JOURNAL_TEXT - begun->length);
    const char *newline = memchr(text, '\n', room);
    size_t taken = newline ? (size_t)(newline - text) : room;
    memcpy(begun->text + begun->length, text, taken);
    begun->length += taken;
    if (!newline)
        return taken;
    finish(source, begun->length);
    return taken + 1;
}

bool journal_start(void (*filled)(void))
{
    struct journal *made = heap_allocate_zeroed(sizeof(*made));
    if (!made)
        return false;
    made->filled = filled;
    journal = made;
    return true;
}

bool journal_started(void) { return journal; }
void journal_stop(void) { journal = NULL; }

void journal_kernel(enum severity severity, const char *text, size_t length)
{
    if (!journal || length == 0)
        return;
    spin_lock(&lock);
    append(JOURNAL_KERNEL, severity, text, min_of(length, (size_t)JOURNAL_TEXT));
    spin_unlock(&lock);
    journal->filled();
}

void journal_program(enum journal_source source, const char *text, size_t length)
{
    if (!journal)
        return;
    spin_lock(&lock);
    for (size_t at = 0; at < length;)
        at += begin_line(source, text + at, length - at);
    spin_unlock(&lock);
    journal->filled();
}

void journal_end_lines(void)
{
    journal_program(JOURNAL_OUTPUT, "\n", 1);
    journal_program(JOURNAL_ERRORS, "\n", 1);
}

bool journal_take(struct journal_line *out)
{
    struct header header;
    spin_lock(&lock);
    bool any = journal->oldest != journal->end;
    if (any) {
        take_bytes(&header, sizeof(header));
        take_bytes(out->text, header.length);
        out->time = header.time;
        out->source = header.source;
        out->severity = header.severity;
        out->length = header.length;
        out->lost = journal->lost;
        journal->lost_before += journal->lost;
        journal->lost = 0;
    }
    spin_unlock(&lock);
    return any;
}

bool journal_empty(void)
{
    spin_lock(&lock);
    bool empty = journal->oldest == journal->end;
    spin_unlock(&lock);
    return empty;
}

uint64_t journal_lost(void) { return journal ? journal->lost_before + journal->lost : 0; }
