/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel offers to the Xen drivers, for fuzzers that look at something else. */
#include "platform/platform.h"

void kernel_console_input(const char *text, size_t length)
{
    (void)text;
    (void)length;
}

void kernel_control(enum control_request request) { (void)request; }

void kernel_control_key(char key) { (void)key; }
