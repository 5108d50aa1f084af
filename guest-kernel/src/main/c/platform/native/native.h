/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native platform: a guest with hardware paging, entered by the PVH protocol: from QEMU's -kernel, Firecracker,
 * Xen with type="pvh", or the boot code for a BIOS or UEFI. This header is what its files offer each other; outside
 * platform/native/ only machine/ and the drivers of such machines include it.
 *
 * Boot order: entry.S > native_start() (boot.c) > segments, serial, traps, paging, frames, clock,
 * interrupts > kernel_main(). Everything here runs with interrupts masked.
 */
#pragma once

#include "lib/types.h"
#include "platform/native/start.h"
#include "platform/native/steal.h"
#include "platform/platform.h"

/* TSC value at the first instruction: the zero of clock_monotonic(). */
extern uint64_t native_entry_tsc;

/* ---- boot.c: what the loader passed --------------------------------------------------------- */

/* A stretch of memory, in bytes; types of xen/arch-x86/hvm/start_info.h (1 = RAM). */
struct memory_range {
    phys_t start, end;
    uint32_t type;
};
#define MEMORY_RAM 1
/* Sorted as the loader gave them; fixed after native_start(). */
extern struct memory_range native_memory[];
extern unsigned native_memory_count;
/* Physical address of the ACPI root pointer, 0: none. */
extern phys_t native_acpi_root;

/* ---- segments.c --------------------------------------------------------------------------- */

/* GDT, task state, SYSCALL registers, GS base and CPU protections of the boot CPU. */
void native_segments_init(void);
/* On the boot CPU: what another one needs of these, with struct cpu. NULL without memory. */
struct cpu *native_segments_create(unsigned id);
/* On that CPU. */
void native_segments_load(struct cpu *cpu);
void native_cpu_switch_to(uint64_t kernel_stack_top, uint64_t user_fs_base);
void native_cpu_set_fs_base(uint64_t base);
/* From here on user mode has a page-table root of its own, and traps from it start on the gate's stack. */
void native_segments_isolate(struct cpu *cpu, phys_t kernel_root, phys_t user_root);

/* ---- protection.c ------------------------------------------------------------------------- */

/* Decides and sets up what `mitigations=` is about, and lets kernel code reach user memory only where
 * platform/x86/user_copy.S means to, on CPUs that can check it (SMAP). While text is still writable. */
void native_protection_init(void);
/* The same on another CPU, as decided on the boot CPU. */
void native_protection_load(void);
/* User mode has a page-table root of its own, without the kernel. */
extern bool native_isolated;

/* ---- traps.c, traps.S --------------------------------------------------------------------- */

void native_traps_init(void);
void native_traps_load(void); /* on another CPU */
void native_cpu_wait(void);
void native_cpu_take_interrupts(void);
/* traps.S: halts, with interrupts let in. */
void native_halt(void);
noreturn void native_enter_user(struct registers *registers);

/* ---- paging.c: the kernel half ------------------------------------------------------------ */

/* Replaces the tables of entry.S; `pool` is free memory below 4 GiB for new tables, of which
 * the used part is cut off. */
void native_paging_init(struct memory_range *pool);
/* Maps device memory, uncached; never unmapped again. NULL without memory or address space.
 * Callable once the page allocator works. */
volatile void *mmio_map(phys_t address, size_t length);
/* The same for memory that is not in the direct map (pages shared with the hypervisor). */
void *memory_map(phys_t address, size_t length);

/* Maps a page of the direct map for the gate (traps.S) as well. True also if that is not needed; false without
 * memory. */
bool native_gate_map(struct page *page);
/* All translations of the kernel are looked up again, on this CPU. */
void native_flush_kernel(void);
/* Makes all level-4 entries that the kernel half will ever have, so that roots can be copied. False without memory. */
bool native_kernel_half_complete(void);
int native_kernel_map(uintptr_t virtual, struct page *const *pages, size_t count);
void native_kernel_unmap(uintptr_t virtual, size_t count);

/* ---- mmu.c: the user half ----------------------------------------------------------------- */

extern const struct mmu_operations native_mmu;

/* ---- answers.c: what CPUs ask of each other ------------------------------------------------ */

/*
 * Page tables have changed: returns when no CPU uses the old translations of the user half any more, but for the
 * caller, which has flushed its own.
 */
void native_flush_others(void);
/* Other CPUs flush the kernel's translations before they use a kernel stack that they have not been on. */
void native_flush_kernel_others(void);
void native_cpus_synchronise(void);
void native_cpu_answer(void);
void native_cpu_catch_up(void);
/* platform.h, cpu_halt(). */
void native_halt_for_answer(void);
void native_cpu_rouse(const struct cpu *cpu);
void native_cpus_stop(void);

/* ---- cpus.c, start.S ---------------------------------------------------------------------- */

/* Frames below this are not given to the page allocator: where CPUs start, in real mode. */
#define NATIVE_LOWEST_FRAME ((phys_t)START_END)
void native_cpus_start(void);
/* Between these two calls the CPU may be at rest: it cannot reach user memory, and does not walk its tables. */
void native_leave_user_half(void);
void native_enter_user_half(void);
/* A vector on another CPU. */
void native_cpu_send(const struct cpu *cpu, unsigned vector);
/* The local APIC's id of a CPU that has been started, by the CPU's own id. */
uint32_t native_cpu_apic(unsigned cpu);
void native_cpu_interrupt(const struct cpu *cpu);

/* ---- generation.c ------------------------------------------------------------------------- */

/* Looks for the VM generation ID. Once memory can be mapped and the interrupt of ACPI is connected. */
void native_generation_start(void);
/* ACPI's interrupt came, perhaps for another reason. */
void native_generation_interrupt(void);

/* ---- clock.c ------------------------------------------------------------------------------ */

void native_clock_init(void);
nanoseconds native_clock_monotonic(void);
nanoseconds native_clock_wall(void);
/* True if one CPU's parameters are valid on all. */
bool native_clock_is_shared(void);
phys_t native_clock_page_address(void);
void native_clock_set_wall(const struct wall_time *time);
/* The guest goes on from a snapshot: takes the wall clock from the host again. It moves by a second at least, so that
 * whoever discards random bytes by their age, as HotSpot's SecureRandom does after 100 ms, discards those of then. */
void native_clock_restored(void);
/* Ticks of the TSC in a duration <= 1000 s. */
uint64_t native_clock_ticks(nanoseconds duration);
/* Busy-waits. */
void native_clock_delay(nanoseconds duration);

/* ---- timer.c ------------------------------------------------------------------------------ */

void native_timer_init(void);
void native_timer_load(void); /* on another CPU */
void native_timer_set_deadline(nanoseconds deadline);

/* ---- serial.c ----------------------------------------------------------------------------- */

/* Output works from here on. */
void native_serial_init(void);
bool native_serial_present(void);
/* Changes to the port that ACPI names as the console, if it names another one that is there. Once memory can be
 * mapped. */
void native_serial_choose(void);
/* Whether the console is at this I/O port. */
bool native_serial_is(uint16_t port);
/* Input too; after native_interrupts_init(). */
void native_serial_start_input(void);
void native_serial_write(const char *text, size_t length);
size_t native_serial_send(const char *text, size_t length);

/* ---- report.c ----------------------------------------------------------------------------- */

void native_report_init(void);
/* platform.h: platform_report() */
void native_report(const char *event, unsigned number);

/* ---- program_port.c ----------------------------------------------------------------------- */

void native_program_port_init(void);
/* platform.h: platform_serial_send() */
int native_program_port_send(const char *text, size_t length);

/* ---- power.c ------------------------------------------------------------------------------ */

noreturn void native_power_off(void);
noreturn void native_reboot(void);
noreturn void native_crash(void);

/* Members of struct platform_operations that do not depend on whose devices the machine has. */
#define NATIVE_PROCESSOR_OPERATIONS \
    .mmu = &native_mmu, .kernel_map = native_kernel_map, .kernel_unmap = native_kernel_unmap, \
    .cpu_switch_to = native_cpu_switch_to, .cpu_set_fs_base = native_cpu_set_fs_base, .cpu_wait = native_cpu_wait, \
    .cpu_take_interrupts = native_cpu_take_interrupts, .cpu_enter_user = native_enter_user, \
    .cpu_interrupt = native_cpu_interrupt, .cpus_synchronise = native_cpus_synchronise, \
    .cpu_answer = native_cpu_answer, .cpu_catch_up = native_cpu_catch_up, .cpu_rouse = native_cpu_rouse, \
    .cpu_stolen_time = native_stolen_time, .clock_monotonic = native_clock_monotonic, .clock_wall = native_clock_wall, \
    .clock_set_wall = native_clock_set_wall, .clock_set_deadline = native_timer_set_deadline, \
    .clock_page_address = native_clock_page_address
