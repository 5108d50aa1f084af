/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: lines of the kernel's log and of the program's output on their way out of the machine (net/syslog.h), in
 * the order of writing. It keeps nothing until journal_start().
 *
 * Writing never waits: when the journal is full, its oldest lines are dropped and counted. A line of the program ends
 * with '\n', for which "\r\n" counts too; empty lines are left out. A line longer than JOURNAL_TEXT becomes several,
 * divided between the characters of UTF-8. Any context; spinlock "journal" taken inside.
 */
#pragma once

#include "lib/types.h"

#define JOURNAL_SIZE 262144u /* bytes, of which each line takes its text and 16 more; a power of two */
#define JOURNAL_TEXT 1792u   /* bytes of text in one line */

/* RFC 5424 6.2.1 */
enum severity { SEVERITY_ERROR = 3, SEVERITY_WARNING, SEVERITY_NOTICE, SEVERITY_INFO, SEVERITY_DEBUG };

enum journal_source { JOURNAL_KERNEL, JOURNAL_OUTPUT, JOURNAL_ERRORS, JOURNAL_SOURCES };

struct journal_line {
    nanoseconds time; /* of the wall clock, when the line ended */
    uint64_t lost;    /* lines that were dropped right before this one */
    enum journal_source source;
    enum severity severity;
    size_t length; /* 1..JOURNAL_TEXT */
    char text[JOURNAL_TEXT];
};

/* Keeps lines from now on, once. `filled` is called after each line, in any context, perhaps with spinlocks held.
 * False: no memory. */
bool journal_start(void (*filled)(void));
bool journal_started(void);
/* Keeps nothing any more: for a panic, which may have come with the lock held. */
void journal_stop(void);
/* A line of the kernel, without '\n'. */
void journal_kernel(enum severity severity, const char *text, size_t length);
/* Some of what the program writes, where lines may begin and end anywhere. */
void journal_program(enum journal_source source, const char *text, size_t length);
/* The program writes nothing more: what it began is a line, too. */
void journal_end_lines(void);
/* Moves the oldest line out of the journal; false: there is none. */
bool journal_take(struct journal_line *out);
bool journal_empty(void);
/* Lines that were dropped since the start. */
uint64_t journal_lost(void);
