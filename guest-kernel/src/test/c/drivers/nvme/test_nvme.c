/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the tests of the NVMe driver. Run by make test-nvme.
 */
#include "host/host.h"
#include "drivers/nvme/fake_controller.h"
#include "drivers/nvme/tests.h"

static bool keeps_rules(void) { return fake.violation == NULL; }
static const uint8_t *data(void) { return fake.namespaces[0].data; }

const struct fake_disk fake_disk = { fake_init, fake_find, fake_serve, keeps_rules, data };

int main(void)
{
    host_init();
    test_disks();
    test_controllers();
    test_pairs();
    return host_result();
}
