/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Xen drivers need from this platform (platform/xen/host.h).
 */
#include "platform/xen/host.h"

#include "core/log.h"
#include "platform/operations.h"
#include "platform/x86/slide.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/xenpv.h"

#define MAX_GRANT_FRAMES 64 /* Xen's default limit for a guest */

static struct grant_entry *map_grant_table(unsigned frames)
{
    static uint64_t list[MAX_GRANT_FRAMES];
    if (frames > MAX_GRANT_FRAMES)
        return NULL;
    struct grant_setup_table request = { .domain = DOMID_SELF, .frame_count = frames, .frames = list };
    if (hypercall_grant_table(GRANT_SETUP_TABLE, &request, 1) != 0 || request.status != 0)
        return NULL;
    static void *mapped;
    if (mapped)
        pv_map_frames_again(mapped, list, frames);
    else
        mapped = pv_map_frames(list, frames);
    return mapped;
}

static const struct xen_host host = {
    .frame_of = pv_frame_of,
    .map_grant_table = map_grant_table,
    .write_without_ring = pv_early_write,
    .yield = hypercall_yield,
    .suspend = pv_suspend,
    .resume = pv_resume,
};

static bool has_rings(const struct start_info *start) { return !(start->flags & START_INITIAL_DOMAIN); }

void pv_host_init_early(const struct start_info *start)
{
    xen_host = &host;
    if (!has_rings(start))
        return;
    /* Domain builders map the ring like everything up to their page tables. */
    uintptr_t ring = LINKED_BASE + (XEN_PAGE_OF_FRAME[start->console_frame] << PAGE_SHIFT);
    if (ring >= LINKED_BASE && ring < start->root_table)
        pv_early_console((void *)ring, start->console_port);
}

static void *shared_page(uint64_t frame) { return phys_to_virt(pv_page_of_frame(frame) << PAGE_SHIFT); }

void pv_host_init(const struct start_info *start)
{
    if (!has_rings(start))
        return;
    machine_start_xen_rings(shared_page(start->console_frame), start->console_port, shared_page(start->store_frame),
                            start->store_port);
}
