/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged partition tables: the input patches bytes of a sound disk, three bytes a patch: a 16-bit offset and a value.
 * Before the patches is a byte; if it is odd, the checksums are made right after them. Errors are expected, but never a
 * crash, a request beyond the disk (support.c) or a partition beyond it.
 */
#include "core/log.h"
#include "files/gpt.h"
#include "files/gpt_image.h"
#include "host/host.h"
#include "memory/page_cache.h"

#define PATCH 3

static void look_at(void)
{
    struct gpt gpt;
    struct gpt_partition place;
    if (gpt_open(&gpt, &gpt_image_disk))
        return;
    for (uint32_t i = 0; i < gpt.count; i++) {
        if (!gpt_read(&gpt, i, &place) && (place.sectors == 0 || place.first >= gpt_image_disk.sectors ||
                                           place.sectors > gpt_image_disk.sectors - place.first))
            panic("a partition beyond the disk");
    }
    gpt_close(&gpt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        host_init();
        page_cache_init();
        ready = true;
    }
    bool sealed = size > 0 && data[0] & 1;
    gpt_image_make(SECTOR_SIZE);
    for (size_t at = 1; at + PATCH <= size; at += PATCH) {
        size_t offset = (size_t)data[at] | (size_t)data[at + 1] << 8;
        gpt_image[offset % (gpt_image_disk.sectors * SECTOR_SIZE)] = data[at + 2];
    }
    if (sealed) {
        gpt_image_seal(1);
        gpt_image_seal(GPT_IMAGE_BACKUP);
    }
    look_at();
    return 0;
}
