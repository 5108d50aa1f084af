/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Xen guest with the hardware's own page tables and traps (type="pvh"): the processor of platform/native/, and the
 * devices of every Xen guest.
 */
#include "machine/xen.h"
#include "platform/native/native.h"
#include "platform/operations.h"

const struct platform_operations xen_pvh_machine = {
    NATIVE_PROCESSOR_OPERATIONS,
    XEN_DEVICE_OPERATIONS,
};
