/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that hands the console's buffer (core/console.h) to the device, and waiting for room in it. */
#pragma once

#include "threads/wait.h"

/* From now on writing to the console waits for nothing. Call it once the devices have been started. */
void console_thread_start(void);
/* The threads that wait for the console: woken when there is room again, and by files/console.c when there is input. */
extern struct wait_queue console_waiters;
/* Sleeps until the buffer has room. 0 or -EINTR. */
int console_wait_room(enum sleep_kind kind);
