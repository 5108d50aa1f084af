/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part 1 of platform.h as calls through platform_operations (operations.h), a table that the entry code of the booted
 * platform sets before anything calls here and that stays, but for the change to Xen's in native_xen_detect(). Context,
 * locks and errors of each function are those that platform.h says; nothing is locked here.
 *
 * Whatever ends the machine, and a report that the process has ended, first has the console stop buffering
 * (core/console.h), so that no output is lost.
 */
#include "lib/errno.h"
#include "platform/operations.h"

struct platform_information platform;
const struct platform_operations *platform_operations;
struct cpu *cpus[CPUS_MAX];
unsigned cpus_online = 1;

int mmu_map(const struct mmu_entry *entries, size_t count) { return platform_operations->mmu->map(entries, count); }

size_t mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    return platform_operations->mmu->unmap(from, end, out, limit);
}

void mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write)
{
    platform_operations->mmu->protect(from, end, protection, upgrade_write);
}

size_t mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit)
{
    return platform_operations->mmu->find(from, end, out, limit);
}

bool mmu_query(uintptr_t virtual, struct mmu_entry *out) { return platform_operations->mmu->query(virtual, out); }

int mmu_map_large(const struct mmu_entry *entry) { return platform_operations->mmu->map_large(entry); }

bool mmu_has_large_pages(void) { return platform_operations->mmu->map_large; }

struct mmu_large_counts mmu_large_counts(void) { return platform_operations->mmu->large_counts(); }

bool mmu_test_clear_accessed(uintptr_t virtual) { return platform_operations->mmu->test_clear_accessed(virtual); }

int kernel_map(uintptr_t virtual, struct page *const *pages, size_t count)
{
    return platform_operations->kernel_map(virtual, pages, count);
}

void kernel_unmap(uintptr_t virtual, size_t count) { platform_operations->kernel_unmap(virtual, count); }

void cpu_switch_to(uint64_t kernel_stack_top, uint64_t user_fs_base)
{
    platform_operations->cpu_switch_to(kernel_stack_top, user_fs_base);
}

void cpu_set_fs_base(uint64_t base) { platform_operations->cpu_set_fs_base(base); }

void cpu_wait(void) { platform_operations->cpu_wait(); }

void cpu_take_interrupts(void) { platform_operations->cpu_take_interrupts(); }

noreturn void cpu_enter_user(struct registers *registers) { platform_operations->cpu_enter_user(registers); }

void cpus_start(void) { platform_operations->cpus_start(); }

void cpu_interrupt(const struct cpu *cpu) { platform_operations->cpu_interrupt(cpu); }

void cpus_synchronise(void) { platform_operations->cpus_synchronise(); }

void cpu_answer(void) { platform_operations->cpu_answer(); }

void cpu_catch_up(void) { platform_operations->cpu_catch_up(); }

void cpu_halt(void) { platform_operations->cpu_halt(); }

void cpu_rouse(const struct cpu *cpu) { platform_operations->cpu_rouse(cpu); }

void cpu_yield(void) { platform_operations->cpu_yield(); }

void cpus_stop(void) { platform_operations->cpus_stop(); }

nanoseconds cpu_stolen_time(const struct cpu *cpu) { return platform_operations->cpu_stolen_time(cpu); }

nanoseconds clock_monotonic(void) { return platform_operations->clock_monotonic(); }

nanoseconds clock_wall(void) { return platform_operations->clock_wall(); }

void clock_set_wall(const struct wall_time *time) { platform_operations->clock_set_wall(time); }

void clock_set_deadline(nanoseconds deadline) { platform_operations->clock_set_deadline(deadline); }

phys_t clock_page_address(void) { return platform_operations->clock_page_address(); }

void console_write(const char *text, size_t length) { platform_operations->console_write(text, length); }

size_t console_send(const char *text, size_t length) { return platform_operations->console_send(text, length); }

int platform_serial_send(const char *text, size_t length)
{
    return platform_operations->serial_send ? platform_operations->serial_send(text, length) : -EIO;
}

void platform_resume_interrupts(void) { platform_operations->resume_interrupts(); }

void platform_start_devices(void) { platform_operations->start_devices(); }

int platform_settings(platform_setting_visit *visit, void *context)
{
    return platform_operations->settings(visit, context);
}

void platform_report(enum platform_event event, unsigned number)
{
    static const char *const names[] = {
        [EVENT_LISTENING] = "listening", [EVENT_EXIT] = "exit",       [EVENT_KILLED] = "killed",
        [EVENT_RESTORED] = "restored",   [EVENT_ADDRESS] = "address",
    };
    platform_operations->report(names[event], number);
}

bool platform_can_suspend(void) { return platform_operations->suspend; }

bool platform_suspend(void) { return platform_operations->suspend(); }

noreturn void platform_power_off(void) { platform_operations->power_off(); }

noreturn void platform_reboot(void) { platform_operations->reboot(); }

noreturn void platform_crash(void) { platform_operations->crash(); }
