/* SPDX-License-Identifier: Apache-2.0 */
/* In place of the kernel's own: hypercalls on event channels go to the test. */
#pragma once

#include "platform/xen/xen.h"

int64_t hypercall_event(unsigned command, void *argument);
