/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console as a terminal: what is typed is echoed and edited (backspace, ^U) and handed out in
 * lines; ^D ends a read. What is written goes out with "\r" before "\n". There is no job control: ^C is
 * a character like any other. Spinlock "console input".
 */
#pragma once

#include "files/file.h"

extern const struct file_operations console_operations;
