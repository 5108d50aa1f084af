#include "platform/operations.h"

#include "platform/pvh/devices.h"
#include "platform/pvh/pvh.h"

const struct platform_operations pvh_operations = {
    PVH_PROCESSOR_OPERATIONS,
    .console_write = pvh_serial_write,
    .console_send = pvh_serial_send,
    .start_devices = pvh_start_devices,
    .settings = pvh_settings,
    .report = pvh_report,
    .power_off = pvh_power_off,
    .reboot = pvh_reboot,
    .crash = pvh_crash,
};
