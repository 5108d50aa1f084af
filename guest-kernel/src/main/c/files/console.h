/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console as a terminal: what is typed is echoed and edited (backspace, ^U) and handed out in
 * lines; ^D ends a read. What is written goes out with "\r" before "\n". There is no job control: ^C is
 * a character like any other. Spinlock "console input".
 *
 * Once the journal (core/journal.h) has started, lines go there too, and writing never waits: what the device cannot
 * take in time is missing on the console alone.
 */
#pragma once

#include "files/file.h"

extern const struct file_operations console_operations;
/* False: once the journal has started, the program's output goes there alone. */
extern bool console_shows_output;
/* What is written to this file of the console are errors to the journal, not output. */
void console_mark_errors(struct file *file);
