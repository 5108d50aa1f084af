/* SPDX-License-Identifier: Apache-2.0 */
/* The page that a paravirtual console shares with its backend (xen/io/console.h: struct xencons_interface). */
#pragma once

#include "lib/types.h"

#define CONSOLE_INPUT_SIZE 1024U
#define CONSOLE_OUTPUT_SIZE 2048U

/* Input goes to the guest. Indices run freely modulo 2^32. */
struct console_ring {
    char input[CONSOLE_INPUT_SIZE];
    char output[CONSOLE_OUTPUT_SIZE];
    uint32_t input_consumed, input_produced;
    uint32_t output_consumed, output_produced;
};
