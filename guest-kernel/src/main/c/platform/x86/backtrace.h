/*
 * Who called whom, from the chain of frame pointers (System V ABI 3.2.2). Works in a panic: trusts
 * nothing it finds on the stack.
 */
#pragma once

#include "lib/types.h"

/* The return addresses of the callers, up to `limit`, starting at the frame whose base (rbp) is given; how many. */
unsigned backtrace_read(uintptr_t frame, uintptr_t *addresses, unsigned limit);
/* Prints a line for each caller, starting at the frame whose base (rbp) is given. */
void backtrace_print(uintptr_t frame);
/* One line: the address with the function it lies in. */
void backtrace_print_address(uintptr_t address);
