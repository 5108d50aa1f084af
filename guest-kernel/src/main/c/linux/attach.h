/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to the JVM as `jcmd` makes one: HotSpot's attach mechanism (attachListener_posix.cpp in the JDK, below
 * src/hotspot/os/posix). The JVM starts to listen at SIGQUIT if a file asks for it, so nothing listens before the first
 * request.
 * The functions belong to one thread; all may sleep.
 */
#pragma once

#include "lib/types.h"

struct file;

/* Sends a command of jcmd to the JVM and returns the connection, for kernel_socket_receive() and file_put(): what comes
 * is a line with 0 or an error number, then the answer. Deadline: monotonic, ns. 0; -EOPNOTSUPP: the program does not
 * handle SIGQUIT, so it is no JVM, or not ready yet; -ETIMEDOUT: it does not answer; or another -errno. */
int attach_command(const char *command, nanoseconds deadline, struct file **out);
