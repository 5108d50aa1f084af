/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's channel: requests of whoever started the machine, answered by a thread of the kernel. They come through a
 * device that only the host can give the machine; there is no port for it, and the program cannot reach it.
 *
 * A request is a line "TAG COMMAND ARGUMENT", an answer a line "TAG ERROR LENGTH" and LENGTH bytes, at most
 * CHANNEL_PIECE. TAG is any word, by which the host knows its answer again; ERROR is an errno, 0: none. There is one
 * answer to each request, so what is under way is never more than one piece: a line that drops what does not fit loses
 * nothing, and a host that goes away in the middle leaves nothing that another one could not skip. Empty lines are
 * passed over, so a request may begin with the end of what another host has left.
 *
 *   jvm SECONDS COMMAND   a command of jcmd; the first piece of its answer, waited for as long as said
 *   more SECONDS          the next piece of it; none: that was all
 *   read OFFSET PATH      a piece of a file; none: its end
 *   remove PATH           removes a file
 *   trace NAMES           traces these system calls from now on, as `trace=` does at boot; none: no more
 *   capture BYTES         captures packets from now on, as `capture=` does; 0: no more
 *   profile HZ            takes samples from now on, as `profile=` does; 0: no more
 *   lockstat 1            counts waits for locks from now on, from zero; 0: no more
 *   locks                 what has been counted of locks so far, as a table
 */
#pragma once

#define CHANNEL_PIECE 32768u
#define CHANNEL_LINE 4096u /* the longest request, with its end */

/* Starts the thread if the machine has such a device. Once, when there is a process. */
void host_channel_start(void);
