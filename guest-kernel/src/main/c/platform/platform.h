/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one contract between the kernel and what it runs on. Each platform directory (xenpv/,
 * native/) implements the first part; the kernel implements the second. Nothing above this
 * header knows which platform it is on. Both platforms are linked into one ELF; the entry
 * point taken fills `platform` before anything else runs.
 *
 * Interrupts: kernel code runs with interrupts (Xen: event upcalls) masked. They are taken in user
 * mode, inside cpu_wait() and inside cpu_take_interrupts(), which long kernel work calls through give_way()
 * (threads/thread.h). Kernel code is therefore re-entered on its own CPU only at those two calls, where no
 * spinlock is held, and by a page fault on user memory inside user_copy() (memory/user.h).
 *
 * Stacks: every thread has a kernel stack; a trap from user mode starts at its top with a
 * struct registers. The kernel itself is built without a red zone and without FPU use.
 *
 * Address space, from high to low: kernel image above KERNEL_BASE, kernel stacks at KERNEL_STACKS, direct
 * map at DIRECT_MAP, user memory below USER_LIMIT. There is one process, so one user half.
 * In user mode the kernel half is not mapped (Xen PV: separate user L4; natively on processors with the Meltdown flaw)
 * or not accessible.
 */
#pragma once

#include "lib/lock_class.h"
#include "lib/types.h"

struct page;

/* The image's address less its (pseudo-)physical one; chosen at boot (platform/x86/slide.h). A symbol of kernel.lds, so
 * that code holds it as a constant. */
extern char kernel_base[];
#define KERNEL_BASE ((uintptr_t)kernel_base)
/* All physical memory is mapped read-write, not executable, from here on both platforms
 * (Xen keeps 0xffff800000000000..0xffff87ffffffffff for itself: xen/arch-x86/xen-x86_64.h). */
#ifndef DIRECT_MAP /* host tests put it where Linux lets them map */
#define DIRECT_MAP 0xffff880000000000UL
#endif
static inline void *phys_to_virt(phys_t address) { return (void *)(DIRECT_MAP + address); }
static inline phys_t virt_to_phys(const void *p) { return (uintptr_t)p - DIRECT_MAP; }

#define KERNEL_STACKS 0xffffd00000000000UL
#define KERNEL_STACKS_SIZE (1UL << 30) /* at most; one level-3 entry */
#define USER_LIMIT 0x00007ffffffff000UL
/* Lowest address that may ever be mapped: the null page and its neighbours stay empty. */
#define USER_LOWEST 0x10000UL

/* What a user thread's CPU held when it entered the kernel; lives at the top of its kernel
 * stack. The tail is what the hardware and Xen push (Intel SDM 3A 6.14.2). */
struct registers {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    uint64_t number; /* system call: its number (rax at entry); trap: vector; else -1 */
    uint64_t error;  /* trap: the CPU's error code or 0 */
    /* cs and ss may hold anything, 0 too, when user mode goes on: the platform then chooses 64-bit code. */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Trap vectors (Intel SDM 3A table 6-1). */
enum trap {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_BREAKPOINT = 3,
    TRAP_OVERFLOW = 4,
    TRAP_BOUND = 5,
    TRAP_INVALID_OPCODE = 6,
    TRAP_NOT_PRESENT = 11,
    TRAP_STACK = 12,
    TRAP_PROTECTION = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_FPU = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_SIMD = 19,
};
/* Page-fault error code bits (Intel SDM 3A 4.7). */
#define FAULT_PRESENT 1
#define FAULT_WRITE 2
#define FAULT_USER 4
#define FAULT_FETCH 16

/* ---- Part 1: what a platform implements ------------------------------------------------ */

struct platform_information {
    const char *name;        /* "xen-pv", "xen-pvh", "xen-hvm", "native" */
    char command_line[1024]; /* NUL-terminated (Xen's limit: MAX_GUEST_CMDLINE) */
    uint64_t memory_bytes;   /* given to this guest */
    phys_t page_tables;      /* the root of those that the kernel uses, for readers of dumps (core/dump.h) */
    bool keeps_crashed;      /* platform_crash() leaves the machine and its memory as they are, where it can */
    unsigned cpus;           /* offered; cpus_online says how many run */
    nanoseconds entry_time;  /* clock_monotonic() as early as it could be read */
    char protections[512];   /* what is done against speculative execution, in words */
    /* Two words that the host replaces, before the guest goes on, whenever it goes on from a snapshot: whoever finds
     * other ones than before is a copy. NULL: the host has none. */
    const volatile uint64_t *generation;
};
extern struct platform_information platform;

/* Per-CPU data, reached through GS base in kernel mode. */
#define CPUS_MAX 64u /* bits of a mask of CPUs */
struct thread;
struct turns;
struct cpu {
    struct cpu *self;                /* offset 0: read by this_cpu() */
    uint64_t kernel_stack;           /* offset 8: top of the running thread's kernel stack */
    uint64_t scratch;                /* offset 16: for entry code, as are the next three */
    uint64_t kernel_root, user_root; /* offset 24, 32: what CR3 holds in kernel and in user mode; 0: one for both */
    uint64_t gate_stack;             /* offset 40 */
    struct thread *current;
    struct thread *fpu_owner; /* whose user FPU state was loaded last, or NULL */
    struct turns *turns;      /* the scheduler's (threads/scheduler.c) */
    unsigned id;
    bool reschedule;      /* asks for another thread's turn: on the way to user mode, in give_way() */
    bool resting;         /* in cpu_wait(), or started and waiting for the kernel lock: touches no user memory */
    uint64_t user_since;  /* since when it is in user mode, by the time stamp counter; 0: it is not */
    uint64_t user_cycles; /* of earlier times in user mode */
    unsigned interrupts;  /* handlers that run here, one inside the other */
#ifdef KERNEL_DEBUG
    struct held_locks held; /* the spinlocks that are held here */
    unsigned spinlocks;     /* how many these are */
#endif
};
static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Where user mode is left, before anything else, and last of all before it is entered. */
static inline void cpu_user_ends(void)
{
    struct cpu *cpu = this_cpu();
    if (cpu->user_since != 0)
        cpu->user_cycles += __builtin_ia32_rdtsc() - cpu->user_since;
    cpu->user_since = 0;
}
static inline void cpu_user_begins(void) { this_cpu()->user_since = __builtin_ia32_rdtsc(); }

/* For how long this CPU wanted to run and the host did not let it, since it started, ns, as far as the host has said; 0
 * where hosts do not say so. Only grows. */
nanoseconds cpu_stolen_time(const struct cpu *cpu);

/* The CPUs that run, in the order of their ids from 0; both only grow, while the boot CPU starts the others. */
extern struct cpu *cpus[CPUS_MAX];
extern unsigned cpus_online;
static inline uint64_t cpus_online_mask(void)
{
    return cpus_online == CPUS_MAX ? UINT64_MAX : (1UL << cpus_online) - 1;
}

/* The next CPU runs from now on. On the boot CPU; it may start another one before this one sees that. */
static inline void cpu_count(struct cpu *cpu)
{
    cpus[cpu->id] = cpu;
    __atomic_store_n(&cpus_online, cpu->id + 1, __ATOMIC_SEQ_CST);
}
static inline bool cpu_is_counted(const struct cpu *cpu)
{
    return __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE) > cpu->id;
}

/* Page tables of the user half. Batched: one call is few hypercalls however many pages.
 * The caller (memory/) serialises with the address_space mutex. Table pages come from
 * page_allocate(); empty ones are given back by mmu_unmap(). */
#define MMU_READ 1u
#define MMU_WRITE 2u
#define MMU_EXECUTE 4u

/* A mapping to be made or one that was found. */
struct mmu_entry {
    uintptr_t virtual;
    phys_t physical;
    unsigned protection;  /* MMU_* */
    bool accessed, dirty; /* as the CPU left them; ignored by mmu_map() */
    bool large;           /* a large page, or a part of one; ignored by mmu_map() */
};
/* Bytes, aligned: what one entry of a level-2 table maps (Intel SDM 3A 4.5). */
#define LARGE_PAGE_SIZE (2UL << 20)
/* Sets `count` translations (any addresses, best ascending), replacing what was there; stale
 * translations are flushed on all CPUs. 0, or -ENOMEM with none set and no table made. */
must_check int mmu_map(const struct mmu_entry *entries, size_t count);
/* The same for one large page: `entry` gives its first address and frame, both aligned to LARGE_PAGE_SIZE, and there is
 * no translation in its range. Other calls may split it into pages at any time, which needs no memory. */
must_check int mmu_map_large(const struct mmu_entry *entry);
/* False: the platform has none. */
bool mmu_has_large_pages(void);
/* Large pages that are mapped, and how often one was split since the boot. */
struct mmu_large_counts {
    uint64_t mapped, splits;
};
struct mmu_large_counts mmu_large_counts(void);
/* Clears up to `limit` present translations in [*from, end), ascending, stores them in `out`
 * and moves *from after the last address looked at (== end: all done). Flushed on return.
 * Skips absent tables, so a sparse terabyte costs little. A large page within the range is one translation, and
 * `large`; the call ends after it. */
size_t mmu_unmap(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit);
/* Sets the protection of every present translation in [from, end). Without `upgrade_write` a read-only
 * translation stays read-only even if MMU_WRITE is given. */
void mmu_protect(uintptr_t from, uintptr_t end, unsigned protection, bool upgrade_write);
/* Lists translations as mmu_unmap() does, each part of a large page as one, and leaves them. */
size_t mmu_find(uintptr_t *from, uintptr_t end, struct mmu_entry *out, size_t limit);
/* The translation of one address; false if absent. */
bool mmu_query(uintptr_t virtual, struct mmu_entry *out);
/* Clears the accessed bit, without a flush; true if it was set. For reclaim only. */
bool mmu_test_clear_accessed(uintptr_t virtual);

/* The kernel's own mappings, within [KERNEL_STACKS, KERNEL_STACKS + KERNEL_STACKS_SIZE): read-write, not executable,
 * on all CPUs. Never sleeps; the caller serialises. 0, or -ENOMEM with nothing mapped. */
must_check int kernel_map(uintptr_t virtual, struct page *const *pages, size_t count);
/* Every one of them is mapped; flushed on return. The frames stay the caller's. */
void kernel_unmap(uintptr_t virtual, size_t count);

/* The CPU changes threads: top of the next one's kernel stack and its user FS base. */
void cpu_switch_to(uint64_t kernel_stack_top, uint64_t user_fs_base);
/* Only the FS base of the running thread (arch_prctl). */
void cpu_set_fs_base(uint64_t base);
/* Sleeps until an interrupt, which is handled (kernel_interrupt()) before returning; returns at
 * once if one is pending. Other CPUs may have the kernel meanwhile (core/kernel_lock.h). */
void cpu_wait(void);
/* Handles the interrupts that are pending, without sleeping. Cheap when there are none: a load and a compare
 * (Xen PV), or two instructions that unmask and mask. With no spinlock held. */
void cpu_take_interrupts(void);
/* First entry of a new user thread: loads all registers and goes to user mode. */
noreturn void cpu_enter_user(struct registers *registers);

/*
 * Starts the other CPUs, each of which runs kernel_cpu_main() after kernel_prepare_cpu(). A CPU that does not come up
 * within some seconds is reported and not used, and the CPUs after it are not started. Called once, on the boot CPU,
 * when devices have been started and no user thread has.
 */
void cpus_start(void);
/* Interrupts another CPU, so that it looks at cpu->reschedule and at the signals of its thread. Any context. */
void cpu_interrupt(const struct cpu *cpu);
/* Returns when each CPU that is in user mode has been interrupted since: none has a memory access under way from before
 * the call (membarrier(2)). With the kernel lock. */
void cpus_synchronise(void);
/* What a CPU does while it waits for the kernel lock, and once it has it: answers those that wait for this CPU. */
void cpu_answer(void);
/* Before this CPU uses a kernel stack: forgets translations of it from before another CPU changed them. With masked
 * interrupts and any lock. */
void cpu_catch_up(void);
/* For core/kernel_lock.c, without the kernel lock: sleeps until an interrupt, which is handled before returning
 * natively and left pending on Xen PV; and ends that sleep on another CPU, even in the middle of an interrupt. */
void cpu_halt(void);
void cpu_rouse(const struct cpu *cpu);
/* Lets a host that can be asked to use the processor of this CPU for another one, such as the one that has the lock for
 * which this one waits: Xen. Any context. */
void cpu_yield(void);
/* Stops all other CPUs for good, at the end of the machine. Does not wait for them. */
void cpus_stop(void);

/* FPU state of user threads, in XSAVE format where the CPU has it (Intel SDM 1 ch. 13). The size is
 * fixed after boot, <= 4096, and areas are 64-byte aligned. */
size_t fpu_area_size(void);
void fpu_save(void *area);
void fpu_restore(const void *area);
void fpu_init_area(void *area);
/* True if `area`, which came from user memory, can be restored without a fault; repairs what
 * it can (reserved MXCSR bits, XSTATE_BV beyond XCR0). */
bool fpu_sanitise(void *area);
uint64_t fpu_features(void); /* XCR0, 3 when there is no XSAVE */

/* Time. Monotonic starts near boot and never goes back; wall is UTC since 1970. */
nanoseconds clock_monotonic(void);
nanoseconds clock_wall(void);
/* The wall clock as a function of the monotonic one: an instant on both, and how much the wall clock gains on the
 * monotonic one from there on, in 2^-32 (4295 is one part in a million). */
struct wall_time {
    nanoseconds monotonic, wall;
    int64_t gain;
};
static inline nanoseconds wall_time_at(const struct wall_time *time, nanoseconds monotonic)
{
    int64_t since = (int64_t)(monotonic - time->monotonic);
    return time->wall + (nanoseconds)since + (nanoseconds)(int64_t)((__int128)since * time->gain >> 32);
}
/* From now on the wall clock is this one; until it is called, it is the host's. The caller serialises. */
void clock_set_wall(const struct wall_time *time);
/* Asks for a timer interrupt (kernel_timer()) on this CPU at a monotonic time, in place of the one asked for before;
 * NO_DEADLINE for none. For threads/timer.c, which knows all deadlines; drivers have kernel_cpu_wait(). */
void clock_set_deadline(nanoseconds deadline);
/* Parameters for the vDSO: monotonic = base + ((rdtsc - tsc_base) * multiplier >> 32) << or >> shift.
 * The platform keeps `page` up to date under the sequence counter (odd: being written). */
enum clock_use {
    CLOCK_USE_SYSTEM_CALL, /* the parameters are the kernel's only */
    CLOCK_USE_PAGE,
    CLOCK_USE_PAGE_OF_HOST, /* while host_version is seen_version; a system call makes them agree again */
};
struct clock_page {
    uint32_t sequence;
    uint32_t use; /* enum clock_use */
    uint64_t tsc_base;
    uint64_t monotonic_base; /* ns */
    uint32_t multiplier;     /* ns = (ticks, shifted by `shift`) * multiplier >> 32 */
    int32_t shift;           /* > 0: left, < 0: right */
    struct wall_time wall;
    uint32_t host_version; /* written by the host, with the rest of its parameters after it */
    uint32_t host_rest[7];
    uint32_t seen_version; /* of the host's parameters, from which the above are made */
};
phys_t clock_page_address(void);

/* Its limit is the number of the CPU, where several run (Intel SDM 2A, LSL); the boot CPU may be without it. */
#define CPU_NUMBER_SELECTOR 0x53u

/* Ticks as ns, by a multiplier and a shift as in struct clock_page. */
static inline nanoseconds clock_scale(uint64_t ticks, uint32_t multiplier, int32_t shift)
{
    ticks = shift >= 0 ? ticks << shift : ticks >> -shift;
    return (nanoseconds)((unsigned __int128)ticks * multiplier >> 32);
}

/* The console's device; everybody else writes by way of core/console.h. Neither sleeps. console_write() waits until the
 * device has taken everything, and drops the rest when it takes nothing for CONSOLE_PATIENCE; for boot and the end. */
void console_write(const char *text, size_t length);
#define CONSOLE_PATIENCE (10 * NS_PER_SECOND)
/* What the device takes at once, perhaps nothing; then kernel_console_ready() comes when it takes more. */
size_t console_send(const char *text, size_t length);

/*
 * A serial port that is the program's alone: a way to whoever started the guest for what must not be mixed with the
 * console. Native platform: the third port (0x3e8), if there is one; other platforms have none. Returns the bytes that
 * the port takes at once, perhaps 0, or -EIO without a port. Does not sleep. One caller at a time.
 */
int platform_serial_send(const char *text, size_t length);

/* At the time that kernel_resume_interrupts_at() was given, or when the CPU is idle before: does nothing if none
 * rest. */
void platform_resume_interrupts(void);

/* Fills with as much hardware entropy as there is; returns the bytes of real entropy. */
size_t platform_entropy(void *to, size_t length);

/* Brings up block and network devices and the control channel; called once, before threads run;
 * may use cpu_wait(). Devices announce themselves through drivers/device.h. */
void platform_start_devices(void);

/*
 * What the host keeps for this one start of the guest: pairs of NAME and VALUE. Xen: the nodes in vm-data/unikernel
 * of the domain's xenstore directory; others have none. Calls `visit` for each; a value is bytes with a NUL after
 * them. 0, or a negative errno with some visited. May use cpu_wait(): for the boot thread.
 */
typedef void platform_setting_visit(void *context, const char *name, const char *value, size_t length);
int platform_settings(platform_setting_visit *visit, void *context);

/*
 * Reports the state of the program to whoever started the guest. Reports do not pass through the console, so the
 * program cannot forge them. Native platform: the line "NAME NUMBER" on the second serial port, if there is one. Xen:
 * NUMBER in the node data/unikernel/NAME of the domain's xenstore directory. NAME is listening, exit, killed, restored
 * or address. Before the end is reported, console_stop_buffering() has had the console take all text. May use
 * cpu_wait(): in a thread, with no spinlock held.
 */
enum platform_event {
    EVENT_LISTENING, /* listen(2) on this TCP port; as often as that happens */
    EVENT_EXIT,      /* the process ended with this status */
    EVENT_KILLED,    /* the process was killed by this signal */
    EVENT_RESTORED,  /* the guest goes on from a snapshot, for the NUMBERth time since it was booted */
    EVENT_ADDRESS,   /* the first network device has this IPv4 address, the most significant byte first; 0: none */
};
void platform_report(enum platform_event event, unsigned number);

noreturn void platform_power_off(void);
/* True: this machine can obey CONTROL_SUSPEND. */
bool platform_can_suspend(void);
/* Stops the machine so that the host can save it; returns when it goes on. True: it goes on from what was saved, so
 * kernel_restored() is due. In a thread, without locks. */
bool platform_suspend(void);
noreturn void platform_reboot(void);
noreturn void platform_crash(void);

/* Symbol lookup for backtraces: name of the function that contains the address and the offset
 * into it, or NULL. The table is made by the linker step (guest-kernel/Makefile). */
const char *symbol_name(uintptr_t address, uintptr_t *offset);
/* The return addresses of the callers, up to `limit`, starting at the frame whose base (rbp) is given; how many. */
unsigned backtrace_read(uintptr_t frame, uintptr_t *addresses, unsigned limit);

/* Copying to and from user memory, and clearing it, with no check of the addresses: for memory/user.c. They return the
 * number of bytes that were not moved. A page fault in [user_copy_begin, user_copy_end) that cannot be served goes on
 * at user_copy_fixup. */
size_t user_copy_raw(void *to, const void *from, size_t n);
size_t user_clear_raw(void *to, size_t n);
/* Puts `value` there if `expected` was there; *found is what was there. 0, or 4 when that was not possible. */
size_t user_exchange_raw(void *at, uint32_t expected, uint32_t value, uint32_t *found);
extern const char user_copy_begin[], user_copy_end[], user_copy_fixup[];

/* ---- Part 2: what the kernel implements for platforms ------------------------------------ */

/* The platform has set up paging, the direct map, pages_init()/pages_add_free(), traps and
 * the clock; the caller's stack is the idle thread's of CPU 0. */
noreturn void kernel_main(void);
/* On the boot CPU, about another one that is about to start, with `self` and `id` set: gives it a kernel stack. 0 or
 * -ENOMEM. */
must_check int kernel_prepare_cpu(struct cpu *cpu);
/* What a started CPU runs when it can take interrupts; on the stack that kernel_prepare_cpu() has set. */
noreturn void kernel_cpu_main(void);

/* What a thread does first when it goes on or begins, on its own stack: gives the lock back that was kept over the
 * change of threads, frees the thread that ended, and has the kernel lock if it had it when it stopped. */
void kernel_thread_switched(void);

/* A system call; the result goes into registers->rax. Returns when the thread may go on. */
void kernel_system_call(struct registers *registers);
/* A trap in user mode; `address` is CR2 for page faults, else undefined. */
void kernel_user_trap(struct registers *registers, enum trap trap, uintptr_t address);
/* A page fault in kernel mode on a user address. True: retry (fault served, or registers->rip
 * moved to the fixup). False: a kernel bug, the platform panics. */
bool kernel_page_fault(struct registers *registers, uintptr_t address);
/* Devices have had half of the CPU for a while, and their interrupts rest: asks for platform_resume_interrupts() at
 * this monotonic time (interrupt context). */
void kernel_resume_interrupts_at(nanoseconds time);
/* Called after interrupt handlers ran, on the way back to user mode: may switch threads and
 * deliver signals. Not called when the interrupt came in kernel mode (cpu_wait(), cpu_take_interrupts()). */
void kernel_leave_interrupt(struct registers *registers);
/* The deadline set by clock_set_deadline() has passed (interrupt context). */
void kernel_timer(void);
/* cpu_wait() that ends at this monotonic time at the latest; for who may use cpu_wait(). */
void kernel_cpu_wait(nanoseconds deadline);
/* Bytes typed on the console (interrupt context). */
void kernel_console_input(const char *text, size_t length);
/* The console's device takes output again (interrupt context). */
void kernel_console_ready(void);
/* The guest goes on from a snapshot: `platform.generation` and the wall clock have changed (interrupt context). */
void kernel_restored(void);
/* The host asks for a clean shutdown or a thread dump (Xen control/shutdown, ACPI power button), or wants to save the
 * machine (Xen). */
enum control_request { CONTROL_POWER_OFF, CONTROL_REBOOT, CONTROL_THREAD_DUMP, CONTROL_SUSPEND };
void kernel_control(enum control_request request);
/* The same asked for by a key, of those that Linux calls SysRq: t or q dumps threads, o powers off, b
 * reboots (Xen control/sysrq, a break on the serial line). */
void kernel_control_key(char key);
