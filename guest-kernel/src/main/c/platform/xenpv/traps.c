/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where exceptions go, and the last steps before user mode.
 *
 * entry.S calls pv_user_trap() for exceptions of user mode, pv_kernel_trap() for those in the kernel, of which only
 * page faults on user memory are expected, and pv_leave_kernel() before each return to user mode, all with events
 * masked. On the way out events that are pending are handled first, with the kernel lock. The registers then hold
 * whatever the program or a signal frame put there; sanitise() makes the return safe for any of it.
 *
 * The address of a fault is read first, since a later fault overwrites it. There is no state here, and there are no
 * locks.
 */
#include "core/backtrace.h"
#include "core/kernel_lock.h"
#include "core/log.h"
#include "lib/errno.h"
#include "platform/platform.h"
#include "platform/xen/events.h"
#include "platform/xen/hypercall.h"
#include "platform/xenpv/layout.h"
#include "platform/xenpv/xenpv.h"

_Static_assert(offsetof(struct registers, error) == REGISTERS_ERROR, "layout.h");
_Static_assert(offsetof(struct registers, cs) == REGISTERS_CS, "layout.h");

/* What user mode may have in RFLAGS: CF PF AF ZF SF TF DF OF RF AC ID; and what it always has: IF,
 * which Xen takes as "events unmasked", and bit 1 (Intel SDM 1 3.4.3). */
#define RFLAGS_USER 0x250dd5UL
#define RFLAGS_ALWAYS 0x202UL
#define RFLAGS_TRAP_OR_RESUME 0x10100UL
/* Never mapped and below the hole of non-canonical addresses, where Xen's own IRET would fault. */
#define HIGHEST_USER_ADDRESS 0x00007fffffffffffUL

/* entry.S */
extern const char pv_system_call_entry[], pv_event_entry[], pv_failsafe_entry[];
extern const char pv_trap_0[], pv_trap_1[], pv_trap_3[], pv_trap_4[], pv_trap_5[], pv_trap_6[], pv_trap_7[],
    pv_trap_10[], pv_trap_11[], pv_trap_12[], pv_trap_13[], pv_trap_14[], pv_trap_16[], pv_trap_17[], pv_trap_19[];

/* Called by entry.S only. */
void pv_user_trap(struct registers *registers);
void pv_kernel_trap(struct registers *registers);
uint64_t pv_leave_kernel(struct registers *registers);

/* clang-format off */
#define TRAP(number) { number, TRAP_MASKS_EVENTS, XEN_CODE_SELECTOR, (uintptr_t)pv_trap_##number }
#define USER_TRAP(number) { number, TRAP_MASKS_EVENTS | TRAP_FROM_USER, XEN_CODE_SELECTOR, (uintptr_t)pv_trap_##number }

static const struct trap_entry table[] = {
    TRAP(0), TRAP(1), USER_TRAP(3), USER_TRAP(4), TRAP(5), TRAP(6), TRAP(7), TRAP(10), TRAP(11), TRAP(12),
    TRAP(13), TRAP(14), TRAP(16), TRAP(17), TRAP(19), { 0 },
};
/* clang-format on */

static void register_callback(uint16_t type, const char *entry)
{
    struct callback callback = { type, CALLBACK_MASKS_EVENTS, (uintptr_t)entry };
    int64_t error = hypercall(HYPERCALL_CALLBACK_OP, CALLBACK_REGISTER, (uintptr_t)&callback, 0, 0);
    if (error != 0)
        panic("Xen refuses callback %u: %s", type, errno_name(error));
}

void pv_traps_init(void)
{
    int64_t error = hypercall(HYPERCALL_SET_TRAP_TABLE, (uintptr_t)table, 0, 0, 0);
    if (error != 0)
        panic("Xen refuses the trap table: %s", errno_name(error));
    register_callback(CALLBACK_EVENT, pv_event_entry);
    register_callback(CALLBACK_FAILSAFE, pv_failsafe_entry);
    register_callback(CALLBACK_SYSTEM_CALL, pv_system_call_entry);
}

void pv_traps_describe(struct guest_context *context)
{
    for (const struct trap_entry *trap = table; trap->address != 0; trap++)
        context->traps[trap->vector] = *trap;
    context->flags |= CONTEXT_FAILSAFE_MASKS_EVENTS | CONTEXT_SYSTEM_CALL_MASKS_EVENTS;
    context->event_entry = (uintptr_t)pv_event_entry;
    context->failsafe_entry = (uintptr_t)pv_failsafe_entry;
    context->system_call_entry = (uintptr_t)pv_system_call_entry;
}

/* CR2 as Xen left it; any later fault overwrites it. */
static uintptr_t fault_address(void) { return pv_shared ? read_once(pv_vcpu()->cr2) : 0; }

void pv_user_trap(struct registers *registers)
{
    uintptr_t address = fault_address();
    cpu_user_ends();
    kernel_user_trap(registers, (enum trap)registers->number, address);
}

static noreturn void die(const struct registers *registers, uintptr_t address)
{
    log_always("trap %lu in the kernel: error %lx cr2 %lx rip %lx rsp %lx rflags %lx", registers->number,
               registers->error, address, registers->rip, registers->rsp, registers->rflags);
    log_always("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx", registers->rax, registers->rbx,
               registers->rcx, registers->rdx, registers->rsi, registers->rdi, registers->rbp);
    log_always("r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx", registers->r8, registers->r9,
               registers->r10, registers->r11, registers->r12, registers->r13, registers->r14, registers->r15);
    backtrace_print_address(registers->rip);
    panic("%s in the kernel", registers->number == TRAP_PAGE_FAULT ? "page fault" : "trap");
}

void pv_kernel_trap(struct registers *registers)
{
    uintptr_t address = fault_address();
    if (registers->number == TRAP_PAGE_FAULT && address < USER_LIMIT && kernel_page_fault(registers, address))
        return;
    die(registers, address);
}

/* Whatever the registers hold, the return leads to user mode and cannot fault in Xen. Code that an event found in Xen's
 * 32-bit segment goes on there: as 64-bit code its bytes would be other instructions. */
static void sanitise(struct registers *registers)
{
    if (registers->cs == XEN_CODE_SELECTOR_32BIT)
        registers->rip = (uint32_t)registers->rip;
    else
        registers->cs = XEN_CODE_SELECTOR;
    registers->ss = XEN_STACK_SELECTOR;
    registers->rflags = (registers->rflags & RFLAGS_USER) | RFLAGS_ALWAYS;
    if (registers->rip > HIGHEST_USER_ADDRESS)
        registers->rip = HIGHEST_USER_ADDRESS;
}

uint64_t pv_leave_kernel(struct registers *registers)
{
    while (read_once(pv_vcpu()->upcall_pending)) {
        cpu_user_ends();
        kernel_enter();
        events_dispatch(pv_vcpu());
        kernel_leave();
        registers->number = UINT64_MAX;
        kernel_leave_interrupt(registers);
    }
    sanitise(registers);
    /* SYSRET is quicker; it loads rcx from rip and r11 from rflags. */
    bool by_sysret = registers->rcx == registers->rip && registers->r11 == registers->rflags &&
                     registers->cs == XEN_CODE_SELECTOR && !(registers->rflags & RFLAGS_TRAP_OR_RESUME);
    return by_sysret ? IRET_BY_SYSRET : 0;
}
