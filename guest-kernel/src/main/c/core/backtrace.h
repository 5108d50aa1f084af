/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing who called whom, in the log (core/log.h). Works in a panic.
 */
#pragma once

#include "lib/types.h"

/* A line for each caller, starting at the frame whose base (rbp) is given. */
void backtrace_print(uintptr_t frame);
/* One line: the address with the function that it lies in. */
void backtrace_print_address(uintptr_t address);
