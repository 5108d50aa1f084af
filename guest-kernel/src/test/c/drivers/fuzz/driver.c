/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/fuzz/driver.h"

#include "host/host.h"

static void one_input(struct fuzz_input *input)
{
    uint64_t pages = host_pages_in_use(), blocks = host_heap_blocks();
    if (fuzz_driver.renew)
        fuzz_driver.renew();
    for (unsigned i = 0; i < FUZZ_STEPS && input->left > 0; i++)
        fuzz_driver.step(input);
    fuzz_driver.end();
    FUZZ_CHECK(host_pages_in_use() == pages && host_heap_blocks() == blocks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    struct fuzz_input input = { data, size };
    if (!started) {
        host_init();
        fuzz_driver.start();
    }
    started = true;
    one_input(&input);
    return 0;
}
