/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the profiler's samples as the console takes them. An address is looked up first if it is not known what is
 * mapped there, so each map line comes before the first sample that needs it.
 *
 * Mutex "profile output" guards everything here: it is held for one sample with its lines. The thread prints whenever
 * there are samples; whoever switches the profiler off, or ends the guest, then prints the rest. `profile_wanted` is
 * written by the boot alone, and `started` by the callers of profile_output_set(), one after the other: the boot, and
 * then the thread of the host's channel.
 */
#include "linux/profile_output.h"
#include "core/heap.h"
#include "core/log.h"
#include "files/file.h"
#include "files/process_view.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "memory/user.h"
#include "threads/console.h"
#include "threads/profile.h"
#include "threads/thread.h"
#include "threads/wait.h"

#define LINE_MOST 400u /* characters of a sample's line, within those of a line of the log */
#define WORD_MOST 128u /* of one of its words */
#define KNOWN 64u
#define PERF_MAP_PIECE 4096u

uint64_t profile_wanted;

static struct mutex output = MUTEX(output, LOCK_PROFILE_OUTPUT);
static struct {
    uintptr_t start, end;
} known[KNOWN];                          /* output */
static unsigned next_known;              /* output */
static struct profile_sample sample;     /* output */
static char line[LINE_MOST + WORD_MOST]; /* output */
static size_t line_length;               /* output */

static void print_line(void)
{
    (void)console_wait_room(SLEEP_UNINTERRUPTIBLE);
    log_console("profile %s", line);
    line_length = 0;
}

static void add_word(const char *word)
{
    if (line_length >= LINE_MOST) {
        print_line();
        add_word("and");
    }
    line_length += (size_t)format(line + line_length, sizeof(line) - line_length, "%s%.*s", line_length ? " " : "",
                                  (int)WORD_MOST - 2, word);
}

static bool is_known(uintptr_t address)
{
    for (unsigned i = 0; i < KNOWN; i++)
        if (address >= known[i].start && address < known[i].end)
            return true;
    return false;
}

struct place {
    uintptr_t address, start, end;
    uint64_t offset;
    char path[256];
};

/* For address_space_for_each(). */
static void match_area(const struct area *area, void *context)
{
    struct place *place = context;
    if (place->address < area->start || place->address >= area->end)
        return;
    place->start = area->start;
    place->end = area->end;
    place->offset = area->offset;
    struct file *file = file_of_area(area);
    if (file)
        (void)file_path(file, place->path, sizeof(place->path));
    else if (area->name)
        string_copy(place->path, area->name, sizeof(place->path));
}

static void explain(uintptr_t address)
{
    if (is_known(address))
        return;
    struct place place = { .address = address };
    address_space_for_each(match_area, &place);
    if (place.end == 0)
        return;
    known[next_known].start = place.start;
    known[next_known].end = place.end;
    next_known = (next_known + 1) % KNOWN;
    (void)console_wait_room(SLEEP_UNINTERRUPTIBLE);
    log_console("profile map %lx %lx %lx %s", place.start, place.end, place.offset, place.path);
}

static void add_thread_name(void)
{
    for (char *c = sample.thread; *c; c++)
        if (!is_letter(*c) && !is_digit(*c) && *c != '.' && *c != '-' && *c != '#')
            *c = '_';
    add_word(sample.thread[0] ? sample.thread : "_");
}

static void add_number(const char *fmt, uint64_t number)
{
    char word[24];
    format(word, sizeof(word), fmt, number);
    add_word(word);
}

static void print_sample(void)
{
    const uintptr_t *user = sample.addresses + sample.kernel;
    for (unsigned i = 0; i < sample.user; i++)
        explain(user[i]);
    add_word("sample");
    add_number("%lu", sample.count);
    add_thread_name();
    for (unsigned i = 0; i < sample.kernel; i++) {
        uintptr_t offset;
        const char *name = symbol_name(sample.addresses[i], &offset);
        char word[WORD_MOST];
        format(word, sizeof(word), "k:%s", name ? name : "?");
        add_word(word);
    }
    for (unsigned i = 0; i < sample.user; i++)
        add_number("%lx", user[i]);
    print_line();
}

static void print_samples(void)
{
    mutex_lock(&output);
    while (profile_next(&sample))
        print_sample();
    mutex_unlock(&output);
}

static void print_always(void *unused)
{
    (void)unused;
    for (;;) {
        profile_wait();
        print_samples();
    }
}

/* Whoever reads the console from here on has to know what lies where. */
static void forget_places(void)
{
    mutex_lock(&output);
    memset(known, 0, sizeof(known));
    mutex_unlock(&output);
}

void profile_output_start(void)
{
    if (profile_wanted != 0 && profile_output_set(profile_wanted))
        panic("there is no memory for profile=; give the guest more");
}

/* Prints the lines of `text`, which the program wrote, without bytes that cannot be printed and without lines that are
 * too long. Returns how many bytes of it were whole lines. */
static size_t print_symbols(char *text, size_t length)
{
    size_t start = 0;
    for (size_t at = 0; at < length; at++) {
        if (text[at] != '\n') {
            text[at] = text[at] < ' ' || text[at] > '~' ? '?' : text[at];
            continue;
        }
        (void)console_wait_room(SLEEP_UNINTERRUPTIBLE);
        log_console("profile jit %.*s", (int)min_of(at - start, (size_t)LINE_MOST), text + start);
        start = at + 1;
    }
    return start;
}

/* A line that does not fit in a piece ends the reading. */
static void print_file(struct file *file, char *piece)
{
    uint64_t offset = 0;
    for (;;) {
        ssize_type length = file_read_kernel(file, piece, PERF_MAP_PIECE, offset);
        size_t done = length > 0 ? print_symbols(piece, (size_t)length) : 0;
        if (done == 0)
            return;
        offset += done;
    }
}

static void print_perf_map(void)
{
    char path[32];
    struct file *file;
    char *piece = heap_allocate(PERF_MAP_PIECE);
    format(path, sizeof(path), "/tmp/perf-%u.map", process_view.id);
    if (!piece || file_open(NULL, path, O_RDONLY, 0, &file)) {
        heap_free(piece);
        return;
    }
    print_file(file, piece);
    file_put(file);
    heap_free(piece);
}

void profile_output_end(void)
{
    if (!profile_stop())
        return;
    uint64_t taken, lost;
    print_samples();
    print_perf_map();
    profile_totals(&taken, &lost);
    (void)console_wait_room(SLEEP_UNINTERRUPTIBLE);
    log_console("profile end %lu %lu", taken, lost);
}

int profile_output_set(uint64_t hz)
{
    static bool started;
    profile_output_end();
    if (hz == 0)
        return 0;
    forget_places();
    int error = profile_start(hz);
    if (error == 0 && !started)
        thread_start_kernel("profile", print_always, NULL);
    started |= error == 0;
    return error;
}
