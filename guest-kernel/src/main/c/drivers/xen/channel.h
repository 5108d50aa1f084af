/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's channel on Xen: a second console of the domain, whose backend is the device model. In xl.cfg(5) it is
 * channel = [ "name=unused,connection=pty", "name=unikernel,connection=socket,path=..." ].
 *
 * QEMU's back end keeps what its socket has no room for until our next event. None comes while we wait for the next
 * request, so an answer must fit into the socket's buffer, as one of CHANNEL_PIECE bytes does (linux/host_channel.h).
 */
#pragma once

#include "lib/types.h"

#define CHANNEL_GRANTS 1

/* Starts the console at this path of our xenstore directory, such as "device/console/1", if its name is `unikernel`;
 * others are left alone. One is served at most. 0 or a negative errno. */
must_check int xen_channel_start(const char *path, uint64_t number);
