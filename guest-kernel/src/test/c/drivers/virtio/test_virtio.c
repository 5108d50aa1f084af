/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"
#include "drivers/virtio/tests.h"

int main(void)
{
    host_init();
    test_queues();
    test_blocks();
    test_networks();
    test_pairs();
    test_lies();
    test_resets();
    test_consoles();
    return host_result();
}
