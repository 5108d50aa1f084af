/*
 * A Xen guest with the hardware's own page tables and traps (type="pvh"): the processor of platform/pvh/, and the devices
 * of every Xen guest.
 */
#include "machine/xen.h"
#include "platform/operations.h"
#include "platform/pvh/pvh.h"

const struct platform_operations xen_pvh_machine = {
    PVH_PROCESSOR_OPERATIONS,
    XEN_DEVICE_OPERATIONS,
};
