/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The domain stops at the toolstack's request, is saved (xl save, xl migrate), and goes on as another domain, perhaps
 * on another host (xen/sched.h: SHUTDOWN_suspend).
 *
 * Xen's tools save the pages and the CPU's state. They replace the machine frames in page tables, in the frame list,
 * and in the CPU's registers. So no present entry may hold a frame that is not ours: what is shared with Xen is
 * unmapped meanwhile. The pages of the rings of console and store are named by their numbers in start_info. Event
 * channels, grants and what was registered with Xen do not exist afterwards.
 *
 * Called by drivers/xen/suspend.c in a thread on the boot CPU, with the kernel lock and no other. The other CPUs wait
 * from pv_suspend() to pv_resume() (platform/xen/park.h). While shared_info is unmapped, nothing reads the clock or
 * logs.
 */
#include "core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xen/park.h"
#include "platform/xenpv/page_table.h"
#include "platform/xenpv/xenpv.h"

struct start_info pv_start_info __attribute__((aligned(PAGE_SIZE)));

/* Pages of TABLE_ENTRIES frames each: the first has those of the others, and they have those of the frame list. */
static uint64_t *frame_lists;

/* What the generator of random numbers mixes in (platform.h). */
static uint64_t generation[2];

/* In pages. */
static uint64_t frame_list_length(void)
{
    return align_up(pv_start_info.page_count * sizeof(uint64_t), PAGE_SIZE) >> PAGE_SHIFT;
}

/* The machine frames are others after each restore. */
static void describe_frames(void)
{
    if (!frame_lists)
        return;
    uint64_t length = frame_list_length();
    for (uint64_t i = 0; i < length; i++)
        frame_lists[TABLE_ENTRIES + i] = pv_frame_list_frame(i);
    for (uint64_t i = 0; i * TABLE_ENTRIES < length; i++)
        frame_lists[i] = pv_frame_of(virt_to_phys(&frame_lists[(i + 1) * TABLE_ENTRIES]));
    pv_shared->page_count = pv_start_info.page_count;
    pv_shared->list_list_frame = pv_frame_of(virt_to_phys(frame_lists));
}

void pv_suspend_init(void)
{
    if (pv_start_info.flags & START_INITIAL_DOMAIN)
        return;
    uint64_t pages = 1 + (frame_list_length() + TABLE_ENTRIES - 1) / TABLE_ENTRIES;
    unsigned order = 0;
    while (1UL << order < pages)
        order++;
    struct page *lists = pages_allocate(order);
    if (!lists)
        return;
    frame_lists = page_data(lists);
    memset(frame_lists, 0, PAGE_SIZE << order);
    describe_frames();
    platform.generation = generation;
}

/* Two domains from one file have other frames, and read other times. */
static void change_generation(void)
{
    generation[0] += 1 + __builtin_ia32_rdtsc();
    for (uint64_t i = 0; i < frame_list_length(); i++)
        generation[1] = (generation[1] << 7 | generation[1] >> 57) ^ pv_frame_list_frame(i);
}

/* 0: the domain goes on from what was saved. 1: the toolstack changed its mind. A negative errno: Xen refuses. */
static int64_t stop(void)
{
    uint32_t reason = SHUTDOWN_SUSPEND;
    uint64_t start_info_frame = pv_frame_of((uintptr_t)&pv_start_info - KERNEL_BASE);
    uint64_t store_frame = pv_start_info.store_frame, console_frame = pv_start_info.console_frame;
    pv_start_info.store_frame = pv_page_of_frame(store_frame);
    pv_start_info.console_frame = pv_page_of_frame(console_frame);
    pv_hide_frames();
    int64_t result = hypercall(HYPERCALL_SCHED_OP, SCHEDULE_SHUTDOWN, (uintptr_t)&reason, start_info_frame, 0);
    if (result != 0) {
        pv_start_info.store_frame = store_frame;
        pv_start_info.console_frame = console_frame;
    }
    uint64_t shared_frame = pv_start_info.shared_info >> PAGE_SHIFT;
    pv_map_frames_again(pv_shared, &shared_frame, 1);
    return result;
}

static void nothing(void) {}

bool pv_suspend(void)
{
    cpus_park(nothing);
    pv_clock_mark();
    pv_cpus_suspend();
    int64_t result = stop();
    if (result != 0) {
        cpus_release();
        if (result < 0)
            log_error("Xen refuses to suspend the domain: %s", errno_name(result));
        return false;
    }
    describe_frames();
    change_generation();
    pv_cpus_restored();
    pv_clock_restored();
    events_restored();
    return true;
}

void pv_resume(void)
{
    pv_clock_start();
    pv_cpus_resume();
    pv_host_init(&pv_start_info);
    cpus_release();
}
