/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Xen PV platform: a guest kernel in ring 3 whose page tables, traps and time belong to Xen. This
 * header is what the platform's files offer each other.
 *
 * Boot order: entry.S > pv_start() (boot.c) > paging, traps, events, page allocator, clock, FPU,
 * console and xenstore > kernel_main(). Everything runs with event delivery masked
 * (vcpu_info.upcall_mask) but user mode and cpu_wait(); cpu_take_interrupts() handles what is pending as it is.
 * cpus.c starts other CPUs, whose kernel runs with the same tables and holds the kernel lock (core/kernel_lock.h).
 *
 * Page tables (paging.c, mmu.c): "frame" is a machine frame number, "page" a pseudo-physical
 * one. Tables are read-only wherever they are mapped and change only by hypercall. There are two roots:
 * the kernel's has everything, the user's shares its lower half and has nothing else.
 */
#pragma once

#include "core/pages.h"
#include "lib/types.h"
#include "platform/platform.h"
#include "platform/xen/xen.h"

/* Fixed once pv_paging_init() has returned. */
extern struct shared_info *pv_shared;
/* Where Xen notes what is pending for a CPU, by its id; set before the CPU runs. */
extern struct vcpu_info *pv_vcpus[CPUS_MAX];
static inline struct vcpu_info *pv_vcpu(void) { return pv_vcpus[this_cpu()->id]; }

/* ---- paging.c: the kernel half ------------------------------------------------------------ */

/* Replaces the boot tables by ours, which map the image with the rights of its segments and all memory
 * at DIRECT_MAP, and gives what is free to the page allocator. */
void pv_paging_init(const struct start_info *start);

extern const uint64_t *pv_frames; /* machine frame of each page */
extern uint64_t *pv_kernel_root;
static inline uint64_t pv_frame_of(phys_t address) { return pv_frames[address >> PAGE_SHIFT]; }
static inline uint64_t pv_machine_address(const void *p)
{
    return pv_frame_of(virt_to_phys(p)) << PAGE_SHIFT | ((uintptr_t)p & PAGE_MASK);
}
/* The page of a machine frame of ours; panics for any other. */
uint64_t pv_page_of_frame(uint64_t frame);
/* The machine frame of the root table used in user mode. */
extern uint64_t *pv_user_root;
/* The update that makes a page's place in the direct map read-only (before it can be a table) or writable. */
struct table_update pv_direct_map_update(phys_t address, bool writable);
/* Maps machine frames that are not among our pages (shared with Xen), read-write, at consecutive addresses, which stay
 * theirs. NULL when there is no room. */
void *pv_map_frames(const uint64_t *frames, size_t count);
/* Unmaps all that the function above has mapped, so that whoever saves the domain finds none but its own frames in the
 * tables. Each is mapped again where it was, perhaps as another frame, by the next function. */
void pv_hide_frames(void);
void pv_map_frames_again(void *at, const uint64_t *frames, size_t count);
/* The machine frame of a page of the frame list, numbered from 0; 0 after the last. */
uint64_t pv_frame_list_frame(uint64_t number);
int pv_kernel_map(uintptr_t virtual, struct page *const *pages, size_t count);
void pv_kernel_unmap(uintptr_t virtual, size_t count);

/* ---- updates.c: batched changes of page tables ------------------------------------------- */

/* For another CPU that is about to start; 0 or -ENOMEM. */
must_check int updates_prepare(const struct cpu *cpu);
/* Queues one; applied in order, at the latest by updates_commit(). */
void updates_add(struct table_update update);
/* The translation of a page is to be flushed by the next commit, on all CPUs, or where one rests when that ends. */
void updates_flush_page(uintptr_t virtual);
void updates_flush_all(void);
/* One hypercall for updates and flushes. */
void updates_commit(void);
/* Flushes what was not flushed while this CPU was at rest: when it rests no more. */
void updates_catch_up(void);
/* platform.h, cpu_catch_up(). */
void updates_need_no_catching_up(void);
/* The other CPUs that are not at rest are interrupted by Xen, and their TLBs flushed, before it returns. */
void updates_flush_others(void);

/* ---- mmu.c: the user half ----------------------------------------------------------------- */

extern const struct mmu_operations pv_mmu;

/* ---- cpu.c, traps.c, entry.S ------------------------------------------------------------------ */

/* GS base and per-CPU data of the boot CPU. */
void pv_cpu_init(void);
/* Makes FPU instructions usable and chooses what is saved. */
void pv_fpu_init(void);
/* On another CPU, as chosen on the boot CPU. */
void pv_fpu_load(void);
void pv_cpu_switch_to(uint64_t kernel_stack_top, uint64_t user_fs_base);
void pv_cpu_set_fs_base(uint64_t base);
void pv_cpu_wait(void);
void pv_cpu_take_interrupts(void);
noreturn void pv_enter_user(struct registers *registers);
void pv_traps_init(void);
/* Where a CPU that starts with this context enters the kernel. */
void pv_traps_describe(struct guest_context *context);

/* ---- cpus.c ------------------------------------------------------------------------------- */

/* How many CPUs the domain has, at most CPUS_MAX; the builder may have kept some of them for later. */
unsigned pv_cpus_count(void);
/* platform.h: cpus_start(), with the first `wanted` CPUs. */
void pv_cpus_start(unsigned wanted);
void pv_cpu_interrupt(const struct cpu *cpu);
void pv_cpu_halt(void);
void pv_cpu_rouse(const struct cpu *cpu);
void pv_cpu_answer(void);
void pv_cpus_stop(void);
/* For the other CPUs, which are parked: before the domain is saved, when it is restored, and when Xen gives out event
 * channels again. */
void pv_cpus_suspend(void);
void pv_cpus_restored(void);
void pv_cpus_resume(void);

/* ---- clock.c ------------------------------------------------------------------------------ */

/* `entry_tsc` is the TSC at the first instruction; sets platform.entry_time. */
void pv_clock_init(uint64_t entry_tsc);
/* For another CPU that is about to start; 0 or a negative errno. */
must_check int pv_clock_prepare(const struct cpu *cpu);
/* On each CPU that starts, the boot CPU too. */
void pv_clock_load(void);
nanoseconds pv_clock_monotonic(void);
nanoseconds pv_clock_wall(void);
void pv_clock_set_wall(const struct wall_time *time);
nanoseconds pv_stolen_time(const struct cpu *cpu);
void pv_clock_set_deadline(nanoseconds deadline);
phys_t pv_clock_page_address(void);
/* Notes what the clocks of all CPUs show before the domain is saved; they go on from there when it is restored,
 * whatever Xen's parameters are then. The other CPUs are parked. */
void pv_clock_mark(void);
void pv_clock_restored(void);
/* The timers of all CPUs that run, at the start and after a restore; a CPU other than the caller's starts its own by
 * the next function when it goes on. */
void pv_clock_start(void);
void pv_clock_start_timer(void);

/* ---- suspend.c ---------------------------------------------------------------------------- */

/* start_info, a copy; Xen's tools write it anew when they restore the domain. */
extern struct start_info pv_start_info;
/* Lets Xen's tools find the frame list, without which they cannot save the domain. Once, after pv_paging_init(). */
void pv_suspend_init(void);
/* platform/xen/host.h: suspend(), resume(). */
bool pv_suspend(void);
void pv_resume(void);

/* ---- early_console.c ---------------------------------------------------------------------- */

/* Console output until the console driver has its ring. */
void pv_early_write(const char *text, size_t length);
/* The domain's console ring, where it is mapped now; NULL: nowhere. */
void pv_early_console(void *shared, uint32_t port);

/* ---- host.c ------------------------------------------------------------------------------- */

/* From here on log lines and panics reach pv_early_write(). */
void pv_host_init_early(const struct start_info *start);
/* Starts console and xenstore (machine/xen.c). */
void pv_host_init(const struct start_info *start);
