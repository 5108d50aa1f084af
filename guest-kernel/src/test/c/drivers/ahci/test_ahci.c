/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the tests of the AHCI driver. Run by make test-ahci.
 */
#include "drivers/ahci/fake_hba.h"
#include "drivers/ahci/tests.h"
#include "host/host.h"

static bool keeps_rules(void) { return fake.violation == NULL; }
static const uint8_t *data(void) { return fake.ports[1].data; }
static unsigned serve(void) { return fake_serve(1); }

const struct fake_disk fake_disk = { fake_init, fake_find, serve, keeps_rules, data };

int main(void)
{
    host_init();
    test_disks();
    test_errors();
    test_controllers();
    return host_result();
}
