/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table, the trace switch, and the ways in and out of user mode.
 *
 * The platforms enter here from user mode, with interrupts masked and no lock held: kernel_system_call(),
 * kernel_user_trap() and kernel_leave_interrupt() (platform.h). Each ends in leave_kernel(), where another thread may
 * get its turn and signals are delivered. The first two take the kernel lock where they need it (core/kernel_lock.h),
 * and no one has it in leave_kernel() but for delivering signals. The number of a call is an index into the table only
 * after index_nospec().
 *
 * What is traced is set at boot and by the host's requests, a word for each call and error, and `reported` is a word;
 * otherwise the table is constant, so there are no locks.
 */
#include "core/events.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "linux/process.h"
#include "linux/signals.h"
#include "linux/syscalls.h"
#include "memory/address_space.h"
#include "memory/page_cache.h"
#include "threads/console.h"
#include "threads/failing.h"
#include "threads/profile.h"

#define CALLS 512

static struct call {
    system_call *function; /* NULL: not offered */
    const char *name;      /* NULL: no such number */
    const char *arguments; /* the format of its arguments; NULL: not offered */
    bool traced, reported;
} calls[CALLS] = {
#define SYSTEM_CALL(number, call_name) \
    [number] = { .function = sys_##call_name, .name = #call_name, .arguments = sys_##call_name##_arguments },
#include "linux/syscall_names.h"
#undef SYSTEM_CALL
};
/* The calls that run without the kernel lock: what they touch is their own thread's, the scheduler's or guarded by a
 * lock that lock_needs_kernel() leaves out. Those that turn out to need it take it themselves (memory/fault.c). */
static const bool without_kernel[CALLS] = {
    [CALL_futex] = true,        [CALL_sched_yield] = true,   [CALL_gettid] = true,
    [CALL_getpid] = true,       [CALL_clock_gettime] = true, [CALL_clock_getres] = true,
    [CALL_gettimeofday] = true, [CALL_nanosleep] = true,     [CALL_clock_nanosleep] = true,
};

static bool traced_errors[ERRNO_LIMIT]; /* by number: a call that fails with it is traced */
static bool tracing;                    /* anything is traced: the one flag that the fast path looks at */

static bool trace_error(const char *name, size_t length)
{
    int number = errno_number(name, length);
    if (number != 0)
        traced_errors[number] = true;
    return number != 0;
}

static bool trace_calls(const char *name, size_t length)
{
    bool all = length == 3 && !memcmp(name, "all", 3), found = all;
    for (unsigned i = 0; i < CALLS; i++) {
        const char *candidate = calls[i].name;
        if (!candidate || (!all && (strlen(candidate) != length || memcmp(candidate, name, length))))
            continue;
        calls[i].traced = found = true;
    }
    return found;
}

static void trace_none(void)
{
    write_once(tracing, false);
    for (unsigned i = 0; i < CALLS; i++)
        write_once(calls[i].traced, false);
    for (unsigned i = 0; i < ERRNO_LIMIT; i++)
        write_once(traced_errors[i], false);
}

bool system_calls_trace(const char *names)
{
    bool known = true;
    trace_none();
    if (!strcmp(names, "none"))
        return true;
    while (*names) {
        const char *comma = strchr(names, ',');
        size_t length = comma ? (size_t)(comma - names) : strlen(names);
        if (trace_calls(names, length) || trace_error(names, length)) {
            write_once(tracing, true);
        } else {
            known = false;
            log_error("trace= names %.*s, which is neither a system call nor an error; use trace=all, names as in "
                      "strace, or errors such as EINVAL",
                      (int)length, names);
        }
        names += length + (comma != NULL);
    }
    return known;
}

/* Logs a call once for each number of the table, and once for all numbers beyond it. */
static int64_t unknown_call(uint32_t number)
{
    static struct call beyond;
    struct call *call = number < CALLS ? &calls[index_nospec(number, CALLS)] : &beyond;
    if (!call->reported)
        log_error("unknown system call %s(%u)", call->name ? call->name : "", number);
    call->reported = true;
    return -ENOSYS;
}

/* An error comes with its name; what needs more than 32 bits is taken for an address, in hexadecimal like arguments. */
static void format_result(char *to, size_t size, int64_t result)
{
    const int64_t last_error = -4095; /* below it are only registers that rt_sigreturn(2) restores */
    if (result < 0 && result >= last_error)
        format(to, size, "%ld %s", result, errno_name(result));
    else
        format(to, size, result > UINT32_MAX ? "0x%lx" : "%ld", result);
}

static bool is_traced_error(int64_t result) { return result < 0 && result > -ERRNO_LIMIT && traced_errors[-result]; }

static int64_t traced_call(const struct call *call, const struct registers *r)
{
    int64_t result = call->function(r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
    if (!call->traced && !is_traced_error(result))
        return result;
    char arguments[256], outcome[40];
    /* Each variable argument is a whole register, of which %d, %u and %x take the low half. */
    format(arguments, sizeof(arguments), call->arguments, r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
    format_result(outcome, sizeof(outcome), result);
    (void)console_wait_room(SLEEP_UNINTERRUPTIBLE);
    log_always("trace %u %s(%s) = %s", thread_current()->id, call->name, arguments, outcome);
    return result;
}

static int64_t dispatch(const struct registers *r)
{
    uint32_t number = (uint32_t)r->number; /* nothing else counts on Linux either, since 5.14 */
    const struct call *call = &calls[index_nospec(number, CALLS)];
    if (unlikely(number >= CALLS || !call->function))
        return unknown_call(number);
    if (unlikely(tracing))
        return traced_call(call, r);
    return call->function(r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
}

static uintptr_t function_of(uint64_t number)
{
    const struct call *call = &calls[index_nospec((uint32_t)number, CALLS)];
    return (uint32_t)number < CALLS && call->function ? (uintptr_t)call->function : (uintptr_t)dispatch;
}

/* The last step before user mode: another thread's turn, then signals. */
static void leave_kernel(struct registers *registers, bool system_call)
{
    if (read_once(this_cpu()->reschedule))
        thread_preempt();
    if (unlikely(signal_is_pending() || user_current()->restore_mask || read_once(thread_current()->interrupted))) {
        kernel_enter();
        signals_deliver(registers, system_call);
        kernel_leave();
    }
    cpu_user_begins();
}

/* With several CPUs: takes the kernel lock if the call needs it, or what is done beside it. True if it has. */
static bool enter_for_call(uint32_t number)
{
    bool needs = tracing || number >= CALLS || !without_kernel[index_nospec(number, CALLS)];
    if (needs)
        kernel_enter();
    return needs;
}

void kernel_system_call(struct registers *registers)
{
    cpu_user_ends();
    bool entered = unlikely(kernel_is_locked) && enter_for_call((uint32_t)registers->number);
    event_record("system call", registers->number, registers->rdi);
    registers->rax = (uint64_t)failing_call(dispatch, registers);
    if (unlikely(profile_period))
        profile_take(function_of(registers->number), 0);
    if (unlikely(entered))
        kernel_leave();
    leave_kernel(registers, true);
}

void kernel_leave_interrupt(struct registers *registers)
{
    profile_point_interrupted();
    leave_kernel(registers, false);
}

static noreturn void out_of_memory(void)
{
    log_error("out of memory: %lu of %lu pages free, %lu in the page cache; give the guest more memory, or "
              "a JVM a smaller heap",
              pages_free_count(), pages_total_count(), page_cache_count());
    process_killed(SIGKILL);
}

/* It takes the kernel lock where it needs it. */
static enum fault_result serve_fault(uintptr_t address, uint64_t error)
{
    enum fault_result result = FAULT_NO_AREA;
    failing_spare();
    /* A supervisor access in user mode is the CPU's own, to its tables, or that of an emulator that takes a far
     * return for one (QEMU before 9.1): what is mapped for the program does not make it succeed. */
    if ((error & (FAULT_PRESENT | FAULT_USER)) == FAULT_PRESENT)
        result = FAULT_NO_ACCESS;
    else if (address < USER_LIMIT)
        result = address_space_fault(address, error);
    failing_spare_end();
    return result;
}

static void report_fault(enum fault_result result, uintptr_t address)
{
    enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRERR = 2, BUS_OBJERR = 3 };
    switch (result) {
    case FAULT_RESOLVED:
        return;
    case FAULT_NO_AREA:
        signal_force(SIGSEGV, SEGV_MAPERR, address);
        return;
    case FAULT_NO_ACCESS:
        signal_force(SIGSEGV, SEGV_ACCERR, address);
        return;
    case FAULT_BEYOND_FILE:
        signal_force(SIGBUS, BUS_ADRERR, address);
        return;
    case FAULT_IO:
        signal_force(SIGBUS, BUS_OBJERR, address);
        return;
    case FAULT_NO_MEMORY:
        out_of_memory();
    }
}

static void report_trap(const struct registers *registers, enum trap trap)
{
    enum { FPE_INTDIV = 1, FPE_FLTINV = 7, ILL_ILLOPN = 2, TRAP_BRKPT = 1, TRAP_TRACE = 2, BUS_ADRALN = 1 };
    switch (trap) {
    case TRAP_DIVIDE:
        signal_force(SIGFPE, FPE_INTDIV, registers->rip);
        break;
    case TRAP_FPU:
    case TRAP_SIMD:
        signal_force(SIGFPE, FPE_FLTINV, registers->rip);
        break;
    case TRAP_INVALID_OPCODE:
        signal_force(SIGILL, ILL_ILLOPN, registers->rip);
        break;
    case TRAP_BREAKPOINT:
        signal_force(SIGTRAP, SI_KERNEL, 0);
        break;
    case TRAP_DEBUG:
        signal_force(SIGTRAP, TRAP_TRACE, registers->rip);
        break;
    case TRAP_ALIGNMENT:
        signal_force(SIGBUS, BUS_ADRALN, 0);
        break;
    case TRAP_NOT_PRESENT:
    case TRAP_STACK:
        signal_force(SIGBUS, SI_KERNEL, 0);
        break;
    default:
        /* Protection, overflow, bound: Linux reports no address (SI_KERNEL). */
        signal_force(SIGSEGV, SI_KERNEL, 0);
    }
}

void kernel_user_trap(struct registers *registers, enum trap trap, uintptr_t address)
{
    bool is_fault = trap == TRAP_PAGE_FAULT;
    event_record("trap", trap, is_fault ? address : registers->rip);
    enum fault_result result = is_fault ? serve_fault(address, registers->error) : FAULT_NO_AREA;
    if (result != FAULT_RESOLVED) {
        kernel_enter();
        if (is_fault)
            report_fault(result, address);
        else
            report_trap(registers, trap);
        kernel_leave();
    }
    profile_point(is_fault ? (uintptr_t)address_space_fault : (uintptr_t)kernel_user_trap, 0);
    leave_kernel(registers, false);
}
