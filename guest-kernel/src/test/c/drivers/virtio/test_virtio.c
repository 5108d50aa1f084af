/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"
#include "platform/platform.h"
#include "drivers/virtio/tests.h"

struct platform_information platform = { .name = "host", .memory_bytes = 64UL << 20 };

size_t platform_entropy(void *to, size_t length)
{
    (void)to;
    (void)length;
    return 0;
}

int main(void)
{
    host_init();
    test_queues();
    test_blocks();
    test_networks();
    test_lies();
    test_resets();
    return host_result();
}
