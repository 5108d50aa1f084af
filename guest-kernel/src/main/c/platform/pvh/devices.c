#include "platform/pvh/devices.h"

#include "drivers/virtio/virtio.h"
#include "platform/platform.h"

void pvh_start_devices(void)
{
    virtio_pci_find();
    virtio_mmio_find(platform.command_line);
}

int pvh_settings(platform_setting_visit *visit, void *context)
{
    (void)visit;
    (void)context;
    return 0;
}
