/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/fuzz/requests.h"

#include "core/pages.h"
#include "host/host.h"
#include "lib/errno.h"

#define REQUESTS 48

static struct page *page;
static struct block_request requests[REQUESTS];
static bool under_way[REQUESTS];

static void done(struct block_request *request, int error)
{
    bool *mine = &under_way[request - requests];
    FUZZ_CHECK(*mine && (error == 0 || error == -EIO));
    *mine = false;
}

void fuzz_requests_start(void) { page = page_allocate_zeroed(); }

void fuzz_submit(struct block_device *disk, struct fuzz_input *input)
{
    uint8_t shape = fuzz_8(input);
    unsigned number = 0;
    while (number < REQUESTS && under_way[number])
        number++;
    if (number == REQUESTS)
        return;
    struct block_request *request = &requests[number];
    *request = (struct block_request){
        .sector = shape,
        .write = shape & 1,
        .flush = shape == UINT8_MAX,
        .segment_count = shape == UINT8_MAX ? 0 : 1 + shape / 2 % BLOCK_MAX_SEGMENTS,
        .done = done,
    };
    for (unsigned i = 0; i < request->segment_count; i++)
        request->segments[i] = (struct block_segment){ page_address(page) + i % 8 * SECTOR_SIZE, SECTOR_SIZE };
    under_way[number] = true;
    block_submit(disk, request);
}

bool fuzz_requests_ended(void)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        if (under_way[i])
            return false;
    return true;
}
