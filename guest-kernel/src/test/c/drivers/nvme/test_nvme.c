/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the tests of the NVMe driver. Run by make test-nvme.
 */
#include <string.h>

#include "host/host.h"
#include "drivers/nvme/fake_controller.h"
#include "drivers/nvme/tests.h"
#include "platform/platform.h"

struct platform_information platform = { .name = "host", .memory_bytes = 64UL << 20, .cpus = 1 };

size_t platform_entropy(void *to, size_t length)
{
    (void)to;
    (void)length;
    return 0;
}

bool start_disk(void)
{
    unsigned disks = disks_found();
    memset(ended, 0, sizeof(ended));
    if (!fake_find() || fake.violation != NULL)
        return false;
    disk = block_device_at(disks);
    return disk != NULL;
}

int main(void)
{
    host_init();
    test_disks();
    test_controllers();
    test_pairs();
    return host_result();
}
