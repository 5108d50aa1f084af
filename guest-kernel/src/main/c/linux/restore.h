/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel does when the machine goes on from a snapshot (kernel_restored() of platform.h).
 */
#pragma once

/* Starts the thread that does it, if the host can restore this machine. After net_init(), once. */
void restore_start(void);
/* The host asks for the machine to be saved (interrupt context). */
void restore_suspend(void);
