/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps everything that needs secret numbers from starting before the generator is ready.
 */
#pragma once

/*
 * Sleeps until random_ready(), and where only timing has made it ready up to a second longer, until a device that has
 * been asked answers. Devices have been started, so that what the host offers arrives meanwhile; a short timer
 * gives the generator something to measure where the machine is otherwise idle. For the boot thread, once.
 */
void seed_wait(void);
