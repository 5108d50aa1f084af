/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's output: one buffer for the kernel's lines and the program's text, in the order of writing, which the
 * thread of threads/console.c hands to the device. Until console_start_buffering(), and from console_stop_buffering()
 * on (panic, power-off), text goes to the device at once instead.
 *
 * A kernel line never continues a line of the program. A kernel line for which the buffer has no room is dropped and
 * counted, and a line says how many were as soon as there is room. The program leaves CONSOLE_RESERVE for the kernel.
 * '\n' becomes "\r\n". Any context; writers take turns (claim() in console.c).
 */
#pragma once

#include "lib/types.h"

#define CONSOLE_SIZE 65536u /* bytes; a power of two */
#define CONSOLE_RESERVE 32768u

/* One kernel line, with its '\n'; or, while the kernel is ending, part of one. */
void console_line(const char *text, size_t length);
/* The program's text, as much of it as there is room for: returns how many bytes. Never waits once buffering. */
size_t console_put(const char *text, size_t length);
/* The program's text, of which what finds no room is dropped and counted in lines: where it goes elsewhere, too. */
void console_offer(const char *text, size_t length);
bool console_has_room(void);
/* Hands some of the buffer to the device; bytes that it took, 0: none left or it takes none now. For the thread. */
size_t console_drain(void);
/* `filled` is called whenever there is something new to drain: in any context, perhaps with spinlocks held. */
void console_start_buffering(void (*filled)(void));
/* Everything goes to the device, which is waited for as long as it makes progress. */
void console_stop_buffering(void);
