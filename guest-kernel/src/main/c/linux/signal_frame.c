/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame on the user stack: below the red zone, or the top of the alternate stack, the FPU state, aligned to 64; below
 * it struct signal_frame, with the return address where a call would have left it.
 *
 * signal_frame_push() is called by signals.c on the way to user mode, signal_frame_pop() by rt_sigreturn(2); both for
 * the current thread and its own stack, without locks, since user memory may fault. What comes back may hold anything:
 * flags are limited to USER_FLAGS, the FPU state is made harmless before it is loaded, and the way to user mode makes
 * the other registers harmless. The alternate stack in struct user_thread is its own thread's.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/signal_frame.h"
#include "memory/user.h"

#define SA_ONSTACK 0x08000000UL
#define SA_RESTORER 0x04000000UL
#define RED_ZONE 128
#define UC_FP_XSTATE 1UL
#define UC_SIGCONTEXT_SS 2UL
#define UC_STRICT_RESTORE_SS 4UL
#define FP_XSTATE_MAGIC1 0x46505853U
#define FP_XSTATE_MAGIC2 0x46505845U
#define FXSAVE_SIZE 512
#define SOFTWARE_BYTES 464 /* offset of the software-reserved part of the FXSAVE area */
/* What a program may change of the flags: CF PF AF ZF SF TF DF OF AC (Intel SDM 1 3.4.3). */
#define USER_FLAGS 0x40dd5UL
#define FLAG_TRAP 0x100UL
#define FLAG_DIRECTION 0x400UL

struct signal_context {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, cr2;
    uintptr_t fpu;
    uint64_t reserved[8];
};

struct user_context {
    uint64_t flags;
    uintptr_t link;
    struct signal_stack stack;
    struct signal_context context;
    uint64_t mask;
};

struct signal_frame {
    uintptr_t return_address;
    struct user_context user;
    struct signal_info info;
};

struct fpu_software {
    uint32_t magic1, extended_size;
    uint64_t features;
    uint32_t size, padding[7];
};

bool on_alt_stack(const struct user_thread *user, uintptr_t sp)
{
    return user->alt_stack_size && sp > user->alt_stack && sp - user->alt_stack <= user->alt_stack_size;
}

static bool has_xsave(void) { return fpu_area_size() > FXSAVE_SIZE; }

static int push_fpu(uintptr_t at)
{
    struct thread *thread = thread_current();
    size_t size = fpu_area_size();
    uint8_t *area = thread->fpu_area;
    fpu_save(area);
    struct fpu_software software = { 0 };
    if (has_xsave())
        software = (struct fpu_software){ FP_XSTATE_MAGIC1, (uint32_t)size + 4, fpu_features(), (uint32_t)size, { 0 } };
    memcpy(area + SOFTWARE_BYTES, &software, sizeof(software));
    int error = user_write(at, area, size);
    uint32_t magic2 = FP_XSTATE_MAGIC2;
    return !error && has_xsave() ? user_put(at + size, &magic2) : error;
}

/*
 * Into the thread's own area. If another thread ran meanwhile, since a page fault slept, the registers as they are were
 * saved over a part of it: then everything is read again, and is there by now. This must not need memory. What is left
 * in the area after an error does not matter: the registers are still those of before.
 */
static int read_fpu(uintptr_t at, uint8_t *area)
{
    const struct thread *self = thread_current();
    uint64_t switches;
    if (at & 63)
        return -EFAULT;
    do {
        switches = thread_switches(self);
        if (user_read(area, at, fpu_area_size()))
            return -EFAULT;
    } while (thread_switches(self) != switches);
    memset(area + SOFTWARE_BYTES, 0, sizeof(struct fpu_software));
    return fpu_sanitise(area) ? 0 : -EFAULT;
}

static int pop_fpu(uintptr_t at)
{
    void *area = thread_current()->fpu_area;
    if (!at)
        fpu_init_area(area);
    else if (read_fpu(at, area))
        return -EFAULT;
    fpu_restore(area);
    return 0;
}

static void save_context(struct signal_context *to, const struct registers *r, const struct signal_info *info,
                         uint64_t mask)
{
    bool trapped = info->code > 0 && info->code < SI_KERNEL;
    *to = (struct signal_context){
        .r8 = r->r8,
        .r9 = r->r9,
        .r10 = r->r10,
        .r11 = r->r11,
        .r12 = r->r12,
        .r13 = r->r13,
        .r14 = r->r14,
        .r15 = r->r15,
        .rdi = r->rdi,
        .rsi = r->rsi,
        .rbp = r->rbp,
        .rbx = r->rbx,
        .rdx = r->rdx,
        .rax = r->rax,
        .rcx = r->rcx,
        .rsp = r->rsp,
        .rip = r->rip,
        .rflags = r->rflags,
        .cs = (uint16_t)r->cs,
        .ss = (uint16_t)r->ss,
        .error = trapped ? r->error : 0,
        .trap = trapped ? r->number : 0,
        .old_mask = mask,
        .cr2 = trapped ? info->address : 0,
    };
}

size_t signal_frame_size_max(void)
{
    size_t fpu = fpu_area_size() + sizeof(uint32_t) + 63;
    return align_up(fpu + sizeof(struct signal_frame) + 15 + 8, 16);
}

int signal_frame_push(struct registers *registers, struct user_thread *user, const struct signal_info *info,
                      const struct signal_action *action, uint64_t old_mask)
{
    if (!(action->flags & SA_RESTORER))
        return -EFAULT;
    uintptr_t sp = registers->rsp - RED_ZONE;
    bool switch_stack = (action->flags & SA_ONSTACK) && user->alt_stack_size && !on_alt_stack(user, registers->rsp);
    if (switch_stack)
        sp = user->alt_stack + user->alt_stack_size;
    uintptr_t fpu = align_down(sp - fpu_area_size() - sizeof(uint32_t), 64);
    uintptr_t at = align_down(fpu - sizeof(struct signal_frame), 16) - 8;
    struct signal_frame frame = {
        .return_address = action->restorer,
        .user = { .flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (has_xsave() ? UC_FP_XSTATE : 0),
                  .stack = { user->alt_stack, user->alt_stack_flags, 0, user->alt_stack_size },
                  .mask = old_mask },
        .info = *info,
    };
    save_context(&frame.user.context, registers, info, old_mask);
    frame.user.context.fpu = fpu;
    if (push_fpu(fpu) || user_put(at, &frame))
        return -EFAULT;
    if (user->alt_stack_flags & SS_AUTODISARM) {
        user->alt_stack_size = 0;
        user->alt_stack_flags = SS_DISABLE;
    }
    registers->cs = 0; /* 64-bit code, whatever was interrupted */
    registers->rip = action->handler;
    registers->rsp = at;
    registers->rdi = (uint64_t)info->number;
    registers->rsi = at + offsetof(struct signal_frame, info);
    registers->rdx = at + offsetof(struct signal_frame, user);
    registers->rax = 0;
    registers->rflags &= ~(FLAG_DIRECTION | FLAG_TRAP);
    registers->number = (uint64_t)-1; /* full restore on the way out; no restart of a call */
    return 0;
}

int signal_frame_pop(struct registers *registers, struct user_thread *user, uint64_t *mask)
{
    struct signal_frame frame;
    /* The handler's return popped return_address. */
    if (user_get(&frame, registers->rsp - sizeof(frame.return_address)))
        return -EFAULT;
    const struct signal_context *from = &frame.user.context;
    struct registers *r = registers;
    *mask = frame.user.mask;
    r->r8 = from->r8, r->r9 = from->r9, r->r10 = from->r10, r->r11 = from->r11;
    r->r12 = from->r12, r->r13 = from->r13, r->r14 = from->r14, r->r15 = from->r15;
    r->rdi = from->rdi, r->rsi = from->rsi, r->rbp = from->rbp, r->rbx = from->rbx;
    r->rdx = from->rdx, r->rax = from->rax, r->rcx = from->rcx;
    r->rsp = from->rsp, r->rip = from->rip, r->cs = from->cs;
    r->rflags = (r->rflags & ~USER_FLAGS) | (from->rflags & USER_FLAGS);
    r->number = (uint64_t)-1;
    if (frame.user.stack.flags & SS_AUTODISARM) {
        user->alt_stack = frame.user.stack.base;
        user->alt_stack_size = frame.user.stack.size;
        user->alt_stack_flags = frame.user.stack.flags;
    }
    return pop_fpu(from->fpu);
}
