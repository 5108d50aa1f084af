/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages of sendmsg(2) and recvmsg(2), cmsg(3).
 */
#pragma once

#include "linux/abi_net.h"

/*
 * Checks what goes with a message as Linux does, and notes in `out` what the messages of IP, IPv6 and UDP ask for. 0,
 * or -EOPNOTSUPP for descriptors (SCM_RIGHTS), which are not passed on; -EINVAL for a length that is wrong and for
 * kinds that are unknown; -ENODEV for an interface; -EBADF, -ESRCH, -EFAULT, -ENOBUFS as Linux. May sleep.
 */
int control_check(const struct abi_message *message, struct socket *socket, struct socket_message *out);
/* Writes what came with a message as far as there is room, and says how much that was and whether something was cut
 * (MSG_CTRUNC) in `message`. 0 or -EFAULT. May sleep. */
int control_write(struct abi_message *message, const struct socket_message *received);
