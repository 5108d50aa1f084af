/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One ELF, several machines: the entry code that was booted sets `platform_operations` to the table of the machine that
 * it finds itself in, before anything calls into platform.h, and platform/dispatch.c turns each function of platform.h
 * Part 1 into a call through it. Members mean what platform.h says of the function of the same name. The tables are in
 * machine/, which knows both the platforms and the drivers.
 *
 * Not in the table, because every x86-64 platform shares them (platform/x86/): this_cpu(), fpu_*,
 * platform_entropy() and symbol_name().
 */
#pragma once

#include "platform/platform.h"

/* The functions mmu_* of platform.h. */
struct mmu_operations {
    int (*map)(const struct mmu_entry *entries, size_t count);
    size_t (*unmap)(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit);
    void (*protect)(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write);
    size_t (*find)(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit);
    bool (*query)(uintptr_t virtual, struct mmu_entry *out);
    bool (*test_clear_accessed)(uintptr_t virtual);
    int (*map_large)(const struct mmu_entry *entry); /* NULL: the platform has none */
    struct mmu_large_counts (*large_counts)(void);
};

struct platform_operations {
    const struct mmu_operations *mmu;
    int (*kernel_map)(uintptr_t virtual, struct page *const *pages, size_t count);
    void (*kernel_unmap)(uintptr_t virtual, size_t count);

    void (*cpu_switch_to)(uint64_t kernel_stack_top, uint64_t user_fs_base);
    void (*cpu_set_fs_base)(uint64_t base);
    void (*cpu_wait)(void);
    void (*cpu_take_interrupts)(void);
    noreturn void (*cpu_enter_user)(struct registers *registers);
    void (*cpus_start)(void);
    void (*cpu_interrupt)(const struct cpu *cpu);
    void (*cpus_synchronise)(void);
    void (*cpu_answer)(void);
    void (*cpu_catch_up)(void);
    void (*cpu_halt)(void);
    void (*cpu_rouse)(const struct cpu *cpu);
    void (*cpu_yield)(void);
    void (*cpus_stop)(void);
    nanoseconds (*cpu_stolen_time)(const struct cpu *cpu);

    nanoseconds (*clock_monotonic)(void);
    nanoseconds (*clock_wall)(void);
    void (*clock_set_wall)(const struct wall_time *time);
    void (*clock_set_deadline)(nanoseconds deadline);
    phys_t (*clock_page_address)(void);

    void (*console_write)(const char *text, size_t length);
    size_t (*console_send)(const char *text, size_t length);
    int (*serial_send)(const char *text, size_t length); /* NULL: there is no port of the program's */
    void (*resume_interrupts)(void);
    void (*start_devices)(void);
    int (*settings)(platform_setting_visit *visit, void *context);
    void (*report)(const char *event, unsigned number);
    bool (*suspend)(void); /* NULL: it cannot */
    noreturn void (*power_off)(void);
    noreturn void (*reboot)(void);
    noreturn void (*crash)(void);
};

extern const struct platform_operations *platform_operations;

extern const struct platform_operations native_machine, xen_pv_machine, xen_native_machine;

/* Starts the drivers of the console and of xenstore with the pages that Xen's tools share with this guest, which are
 * mapped here, and their event channels; `console` is NULL where that ring is not used. For the boot code of Xen
 * guests, after events_init(). */
void machine_start_xen_rings(void *console, uint32_t console_port, void *store, uint32_t store_port);
