/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctls by which programs list interfaces (netdevice(7)).
 */
#pragma once

#include "lib/types.h"

/* -ENOTTY for requests it does not know. */
int64_t interface_ioctl(uint32_t request, uintptr_t argument);
