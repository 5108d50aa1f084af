/*
 * Control messages of sendmsg(2), cmsg(3).
 */
#pragma once

#include "linux/abi_net.h"

/*
 * Checks what goes with a message as Linux does. Nothing is sent with a message here: 0 if there is none, or if it does
 * not change where or what the other end receives. -EOPNOTSUPP for descriptors (SCM_RIGHTS); -EINVAL for a length that
 * is wrong and for kinds that are unknown; -EBADF, -ESRCH, -EFAULT, -ENOBUFS as Linux. May sleep.
 */
int control_check(const struct abi_message *message, const struct socket *socket);
