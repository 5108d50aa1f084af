/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way from user mode into the kernel that is not a system call or an exception, shown shut; and the system calls
 * and exceptions from the states a program may be in when it makes them. The tables in docs/entry.md name these tests.
 *
 * Machine code is put into pages below 4 GiB, so that it runs in 32-bit mode too where a segment for that exists: Linux
 * has one (0x23) and so has Xen for PV guests (0xe023); the guest has none elsewhere. What faults ends in the
 * handler of main.c, on its own stack.
 */
#define _GNU_SOURCE
#include "suite.h"

#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* Written into the assembly below too. */
#define LOW_CODE 0x20000000UL
#define LOW_SAVED_STACK (LOW_CODE + 0xf00)
#define LOW_BACK (LOW_CODE + 0xf08)
#define LOW_REACHED_32BIT (LOW_CODE + 0xf10)
#define LOW_EVENT (LOW_CODE + 0xf18)
#define LOW_FAR_POINTER (LOW_CODE + 0xf20)

#define SELECTORS_OF_XEN 0xe000u
#define XEN_CODE_32BIT 0xe023u
#define LINUX_CODE_32BIT 0x23u
#define FLAG_TRAP 0x100UL
#define FLAG_INTERRUPT 0x200UL
#define FLAG_IOPL 0x3000UL
#define FLAG_NESTED 0x4000UL
#define FLAG_VM 0x20000UL
#define FLAG_ALIGNMENT 0x40000UL
#define FLAG_VIRTUAL_INTERRUPT 0x80000UL

static uint8_t *low_code;

static unsigned code_selector(void)
{
    unsigned selector;
    __asm__("mov %%cs, %0" : "=r"(selector));
    return selector & 0xffff;
}

static bool on_xen_pv(void) { return code_selector() >= SELECTORS_OF_XEN; }

static bool no_32bit_segment(void) { return in_guest() && !on_xen_pv(); }

static void map_low_pages(void)
{
    if (low_code != NULL)
        return;
    low_code = mmap((void *)LOW_CODE, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK_EQUAL((intptr_t)low_code, LOW_CODE);
}

/* What is written at low_code, from the start. */
static size_t code_length;
static void emit(const void *bytes, size_t length)
{
    memcpy(low_code + code_length, bytes, length);
    code_length += length;
}
static void emit_byte(unsigned byte) { emit(&(uint8_t){ (uint8_t)byte }, 1); }
static void emit_word(uint32_t word) { emit(&word, sizeof(word)); }
static void begin_code(void)
{
    map_low_pages();
    code_length = 0;
}

static void call_low_code(void *unused)
{
    (void)unused;
    ((void (*)(void))LOW_CODE)();
}

/* What `length` bytes of code die of. */
static struct fault fault_of_code(const void *bytes, size_t length)
{
    begin_code();
    emit(bytes, length);
    emit_byte(0xc3);
    return fault_of(call_low_code, NULL);
}

static void still_alive(void)
{
    CHECK_EQUAL(syscall(SYS_getppid), getppid());
    unsigned selector = code_selector();
    CHECK_EQUAL(selector & 3, 3);
}

/* ---- Far transfers -------------------------------------------------------------------------------- */

enum way { FAR_RETURN, FAR_JUMP, FAR_CALL, INTERRUPT_RETURN };
/* Goes to the low code by a selector; returns when that jumps to LOW_BACK. */
void gates_go(unsigned selector, enum way way);
__asm__(".text\n"
        "gates_go:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, 0x20000f00\n"
        "    leaq 9f(%rip), %rax\n"
        "    mov %rax, 0x20000f08\n"
        "    movl $0, 0x20000f10\n"
        "    movl $0x20000000, 0x20000f20\n"
        "    movw %di, 0x20000f24\n"
        "    mov $0x20001ff0, %esp\n"
        "    cmp $1, %esi\n"
        "    je 1f\n"
        "    cmp $2, %esi\n"
        "    je 2f\n"
        "    cmp $3, %esi\n"
        "    je 3f\n"
        "    pushq %rdi\n"
        "    pushq $0x20000000\n"
        "    lretq\n"
        "1:  ljmp *0x20000f20\n"
        "2:  lcall *0x20000f20\n"
        "3:  mov %rsp, %rcx\n"
        "    mov %ss, %eax\n"
        "    pushq %rax\n"
        "    pushq %rcx\n"
        "    pushfq\n"
        "    pushq %rdi\n"
        "    pushq $0x20000000\n"
        "    iretq\n"
        "9:  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    cld\n"
        "    ret\n");

/* In 64-bit code: back to gates_go(). */
static void emit_return(void)
{
    emit("\x48\x8b\x24\x25", 4);
    emit_word(LOW_SAVED_STACK);
    emit("\xff\x24\x25", 3);
    emit_word(LOW_BACK);
}

/* Code that goes straight back in 64-bit mode; in 32-bit mode it says so and executes `bytes` first. */
static void write_landing(const void *bytes, size_t length)
{
    begin_code();
    emit("\x31\xc0\x40\x90", 4);     /* xor eax, eax; inc eax, which is a prefix in 64-bit mode */
    emit("\x83\xf8\x01\x74\x0f", 5); /* cmp eax, 1; je over the return */
    emit_return();
    emit("\x8c\xd0\x8e\xd8", 4); /* mov eax, ss; mov ds, eax, which 64-bit mode does not need */
    emit("\xc7\x05", 2);         /* LOW_REACHED_32BIT = 1 */
    emit_word(LOW_REACHED_32BIT);
    emit_word(1);
    emit_byte(0xb8); /* eax = getpid in the 32-bit ABI */
    emit_word(20);
    emit(bytes, length);
    emit_byte(0xea); /* a far jump to 64-bit code, right after */
    emit_word((uint32_t)(LOW_CODE + code_length + 6));
    emit(&(uint16_t){ (uint16_t)code_selector() }, 2);
    emit_return();
}

static bool reached_32bit(void) { return *(volatile uint32_t *)LOW_REACHED_32BIT != 0; }

struct transfer_to {
    unsigned selector;
    enum way way;
};
static void go(void *argument)
{
    const struct transfer_to *to = argument;
    gates_go(to->selector, to->way);
}

static void far_transfers_stay_in_64_bit_user_mode(void)
{
    write_landing("\x90", 1);
    for (unsigned i = 0; i < 0x400; i++) {
        unsigned selector = i < 0x200 ? i : SELECTORS_OF_XEN + i - 0x200;
        for (enum way way = FAR_RETURN; way <= INTERRUPT_RETURN; way++) {
            struct transfer_to to = { selector, way };
            struct fault fault = fault_of(go, &to);
            bool is_32bit = fault.signal == 0 && reached_32bit();
            if (fault.signal != 0 && fault.signal != SIGSEGV && fault.signal != SIGBUS)
                test_failed(__FILE__, __LINE__, "selector %x way %d: signal %d", selector, way, fault.signal);
            if (is_32bit && (no_32bit_segment() || (selector | 3) != (on_xen_pv() ? XEN_CODE_32BIT : LINUX_CODE_32BIT)))
                test_failed(__FILE__, __LINE__, "selector %x way %d leads to 32-bit mode", selector, way);
            if (fault.signal == 0 && !is_32bit && (selector | 3) != code_selector() && in_guest() && !on_xen_pv())
                test_failed(__FILE__, __LINE__, "selector %x way %d is a code segment", selector, way);
        }
    }
    still_alive();
}

static void go_to_32bit(void *unused)
{
    (void)unused;
    gates_go(on_xen_pv() ? XEN_CODE_32BIT : LINUX_CODE_32BIT, FAR_JUMP);
}

/* Where the guest can be in 32-bit mode at all, `bytes` are reached there and are a fault; INTO is one only with
 * overflow. */
static void check_fault_in_32bit(const void *bytes, size_t length)
{
    write_landing(bytes, length);
    int signal = fault_of(go_to_32bit, NULL).signal;
    bool expected = signal == SIGSEGV || (!no_32bit_segment() && (signal == SIGILL || signal == SIGTRAP)) ||
                    (on_xen_pv() && signal == 0 && length == 1);
    if (!expected || reached_32bit() == no_32bit_segment())
        test_failed(__FILE__, __LINE__, "bytes %02x %02x: signal %d, in 32-bit mode %d", *(const uint8_t *)bytes,
                    length > 1 ? ((const uint8_t *)bytes)[1] : 0, signal, reached_32bit());
}

static void no_system_calls_from_32bit_mode(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } entries[] = {
        { "\x0f\x05", 2 },
        { "\x0f\x34", 2 },
        { "\xcd\x80", 2 },
        { "\xcd\x82", 2 },
        { "\xce", 1 },
        { "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x0f\x05", 11 }, /* with TF: pushf; or; popf; syscall */
        { "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x0f\x34", 11 }, /* and sysenter */
    };
    for (unsigned i = 0; in_guest() && i < sizeof(entries) / sizeof(entries[0]); i++) {
        check_fault_in_32bit(entries[i].bytes, entries[i].length);
        still_alive();
    }
}

/* In 32-bit mode: waits for LOW_EVENT, which only an interrupt can bring on one processor. */
static void write_wait_for_event(void)
{
    static const char wait[] = "\x83\x3d\x18\x0f\x00\x20\x00\x74\xf7"; /* 1: cmpl $0, LOW_EVENT; je 1b */
    write_landing(wait, sizeof(wait) - 1);
    *(volatile uint32_t *)LOW_EVENT = 0;
}

static void *bring_event(void *unused)
{
    struct timespec pause = { .tv_nsec = 2000000 };
    nanosleep(&pause, NULL);
    *(volatile uint32_t *)LOW_EVENT = 1;
    return unused;
}

static void event_came(int number)
{
    (void)number;
    *(volatile uint32_t *)LOW_EVENT = 1;
}

/* Interrupts, other threads and signals leave code in the mode in which they found it. */
static void interrupts_leave_32bit_mode_alone(void)
{
    pthread_t thread;
    struct itimerval soon = { .it_value.tv_usec = 2000 };
    if (no_32bit_segment())
        return;
    write_landing("\x90", 1);
    if (!in_guest() && fault_of(go_to_32bit, NULL).signal != 0)
        return; /* Linux without 32-bit emulation (ia32_emulation=off) has no such segment */
    for (unsigned i = 0; i < 20; i++) {
        write_wait_for_event();
        CHECK_EQUAL(pthread_create(&thread, NULL, bring_event, NULL), 0);
        CHECK_EQUAL(fault_of(go_to_32bit, NULL).signal, 0);
        CHECK(reached_32bit());
        pthread_join(thread, NULL);
    }
    struct sigaction action = { .sa_handler = event_came, .sa_flags = SA_ONSTACK };
    sigaction(SIGALRM, &action, NULL);
    write_wait_for_event();
    setitimer(ITIMER_REAL, &soon, NULL);
    CHECK_EQUAL(fault_of(go_to_32bit, NULL).signal, 0);
    CHECK(reached_32bit());
    signal(SIGALRM, SIG_DFL);
    still_alive();
}

/* ---- Software interrupts -------------------------------------------------------------------------- */

/* Not on Linux: it has 32-bit system calls, and a hypervisor below it may have gates for user mode of its own. */
static void int_n_is_a_fault_for_all_vectors(void)
{
    if (!in_guest())
        return;
    for (unsigned vector = 0; vector < 256; vector++) {
        uint8_t code[] = { 0xb8, 20, 0, 0, 0, 0xcd, (uint8_t)vector };
        struct fault fault = fault_of_code(code, sizeof(code));
        if (fault.signal != (vector == 3 ? SIGTRAP : SIGSEGV) || fault.code != SI_KERNEL)
            test_failed(__FILE__, __LINE__, "int %u: signal %d code %d", vector, fault.signal, fault.code);
    }
    still_alive();
}

static void sysenter_is_a_fault(void)
{
    if (!in_guest())
        return;
    int signal = fault_of_code("\x0f\x34", 2).signal;
    CHECK(signal == SIGSEGV || signal == SIGILL);
    /* With TF: pushfq; orl $0x100, (%rsp); popfq; sysenter. */
    signal = fault_of_code("\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x0f\x34", 11).signal;
    CHECK(signal == SIGSEGV || signal == SIGILL || signal == SIGTRAP);
    still_alive();
}

/* ---- Privileged instructions --------------------------------------------------------------------- */

#define SEGV 1u
#define ILL 2u
#define NOTHING 4u /* done for the program, or emulated for it with values that mean nothing */

#define CODE(bytes) (bytes), sizeof(bytes) - 1
static const struct instruction {
    const char *name, *bytes;
    size_t length;
    unsigned allowed, allowed_in_guest;
} privileged[] = {
    { "hlt", CODE("\xf4"), SEGV, SEGV },
    { "cli", CODE("\xfa"), SEGV, SEGV },
    { "sti", CODE("\xfb"), SEGV, SEGV },
    { "in al, dx", CODE("\xec"), SEGV, SEGV },
    { "out dx, al", CODE("\xee"), SEGV, SEGV },
    { "in eax, dx", CODE("\xed"), SEGV, SEGV },
    { "out dx, eax", CODE("\xef"), SEGV, SEGV },
    { "in al, 0xff", CODE("\xe4\xff"), SEGV, SEGV },
    { "out 0x64, al", CODE("\xe6\x64"), SEGV, SEGV },
    { "out 0x501", CODE("\x66\xba\x01\x05\xee"), SEGV, SEGV },
    { "out 0xcf9", CODE("\x66\xba\xf9\x0c\xee"), SEGV, SEGV },
    { "in 0xffff", CODE("\x66\xba\xff\xff\xed"), SEGV, SEGV },
    { "rep insb", CODE("\xf3\x6c"), SEGV, SEGV },
    { "rep outsb", CODE("\xf3\x6e"), SEGV, SEGV },
    { "rdmsr", CODE("\x0f\x32"), SEGV, SEGV },
    { "wrmsr", CODE("\x0f\x30"), SEGV, SEGV },
    { "wrmsr lstar", CODE("\xb9\x82\x00\x00\xc0\x0f\x30"), SEGV, SEGV },
    { "rdpmc", CODE("\x0f\x33"), SEGV, SEGV },
    { "read cr0", CODE("\x0f\x20\xc0"), SEGV, SEGV },
    { "read cr2", CODE("\x0f\x20\xd0"), SEGV, SEGV },
    { "read cr3", CODE("\x0f\x20\xd8"), SEGV, SEGV },
    { "read cr4", CODE("\x0f\x20\xe0"), SEGV, SEGV },
    { "read cr8", CODE("\x44\x0f\x20\xc0"), SEGV, SEGV },
    { "write cr0", CODE("\x0f\x22\xc0"), SEGV, SEGV },
    { "write cr3", CODE("\x0f\x22\xd8"), SEGV, SEGV },
    { "write cr4", CODE("\x0f\x22\xe0"), SEGV, SEGV },
    { "read dr7", CODE("\x0f\x21\xf8"), SEGV, SEGV },
    { "write dr7", CODE("\x0f\x23\xf8"), SEGV, SEGV },
    { "write dr0", CODE("\x0f\x23\xc0"), SEGV, SEGV },
    { "write dr6", CODE("\x0f\x23\xf0"), SEGV, SEGV },
    { "lgdt", CODE("\x0f\x01\x14\x24"), SEGV, SEGV },
    { "lidt", CODE("\x0f\x01\x1c\x24"), SEGV, SEGV },
    { "lldt", CODE("\x0f\x00\xd0"), SEGV, SEGV },
    { "ltr", CODE("\x0f\x00\xd8"), SEGV, SEGV },
    { "lmsw", CODE("\x0f\x01\xf0"), SEGV, SEGV },
    { "clts", CODE("\x0f\x06"), SEGV, SEGV },
    { "invd", CODE("\x0f\x08"), SEGV, SEGV },
    { "wbinvd", CODE("\x0f\x09"), SEGV, SEGV },
    { "invlpg", CODE("\x0f\x01\x3c\x24"), SEGV, SEGV },
    { "swapgs", CODE("\x0f\x01\xf8"), SEGV, SEGV },
    { "sysretq", CODE("\x48\x0f\x07"), SEGV | ILL, SEGV | ILL },
    { "sysexit", CODE("\x0f\x35"), SEGV | ILL, SEGV | ILL },
    { "xsetbv", CODE("\x0f\x01\xd1"), SEGV | ILL, SEGV | ILL },
    { "monitor", CODE("\x0f\x01\xc8"), SEGV | ILL, SEGV | ILL },
    { "mwait", CODE("\x0f\x01\xc9"), SEGV | ILL, SEGV | ILL },
    { "clac", CODE("\x0f\x01\xca"), SEGV | ILL, SEGV | ILL },
    { "stac", CODE("\x0f\x01\xcb"), SEGV | ILL, SEGV | ILL },
    { "rsm", CODE("\x0f\xaa"), SEGV | ILL, SEGV | ILL },
    { "vmrun", CODE("\x0f\x01\xd8"), SEGV | ILL, SEGV | ILL },
    { "vmload", CODE("\x0f\x01\xda"), SEGV | ILL, SEGV | ILL },
    { "vmsave", CODE("\x0f\x01\xdb"), SEGV | ILL, SEGV | ILL },
    { "stgi", CODE("\x0f\x01\xdc"), SEGV | ILL, SEGV | ILL },
    { "clgi", CODE("\x0f\x01\xdd"), SEGV | ILL, SEGV | ILL },
    { "vmlaunch", CODE("\x0f\x01\xc2"), SEGV | ILL, SEGV | ILL },
    { "invpcid", CODE("\x66\x0f\x38\x82\x04\x24"), SEGV | ILL, SEGV | ILL },
    { "xrstors", CODE("\x0f\xc7\x1c\x24"), SEGV | ILL, SEGV | ILL },
    /* Calls of hypervisors: refused in the hypervisor, or unknown to the CPU. */
    { "vmcall", CODE("\x0f\x01\xc1"), SEGV | ILL | NOTHING, SEGV | ILL | NOTHING },
    { "vmmcall", CODE("\x0f\x01\xd9"), SEGV | ILL | NOTHING, SEGV | ILL | NOTHING },
    /* Encodings that 64-bit mode has not got. */
    { "int 0x82 of Xen", CODE("\xcd\x82"), SEGV, SEGV },
    { "into", CODE("\xce"), ILL, ILL },
    { "lcall", CODE("\x9a\x00\x00\x00\x00\x10\x00"), ILL, ILL },
    { "ljmp", CODE("\xea\x00\x00\x00\x00\x10\x00"), ILL, ILL },
};

static unsigned outcome(int signal)
{
    return signal == SIGSEGV ? SEGV : signal == SIGILL ? ILL : signal == 0 ? NOTHING : 0;
}

static void privileged_instructions_are_faults(void)
{
    for (unsigned i = 0; i < sizeof(privileged) / sizeof(privileged[0]); i++) {
        const struct instruction *instruction = &privileged[i];
        int signal = fault_of_code(instruction->bytes, instruction->length).signal;
        unsigned allowed = in_guest() ? instruction->allowed_in_guest : instruction->allowed;
        if (!(outcome(signal) & allowed))
            test_failed(__FILE__, __LINE__, "%s: signal %d", instruction->name, signal);
    }
    still_alive();
}

/* User-mode instruction prevention: where the CPU has it, the tables' addresses are not to be seen. */
static void table_registers_are_not_shown(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } stores[] = {
        { CODE("\x0f\x01\x44\x24\xe0") }, { CODE("\x0f\x01\x4c\x24\xe0") }, { CODE("\x0f\x00\xc0") },
        { CODE("\x0f\x00\xc8") },         { CODE("\x0f\x01\xe0") }, /* sgdt, sidt, sldt, str, smsw */
    };
    unsigned a, b, c = 0, d;
    bool has_umip = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 4);
    for (unsigned i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        int signal = fault_of_code(stores[i].bytes, stores[i].length).signal;
        CHECK(signal == 0 || signal == SIGSEGV);
        if (in_guest() && has_umip && !on_xen_pv())
            CHECK_EQUAL(signal, SIGSEGV);
    }
    still_alive();
}

/* ---- Data segments ------------------------------------------------------------------------------- */

/* DS, ES, SS, FS, GS. */
static const char *const load_segment[] = { "\x8e\xdf", "\x8e\xc7", "\x8e\xd7", "\x8e\xe7", "\x8e\xef" };
#define LOAD_FS 3u

/* Loads a selector with the code at LOW_CODE, makes a system call and has FS as it was, since the C library needs
 * it. */
static void load_and_call(void *selector)
{
    long base, result;
    __asm__ volatile("sub $128, %%rsp\n"
                     "lea -8(%%rsp), %%rsi\n"
                     "mov $0x1003, %%edi\n"
                     "mov $158, %%eax\n"
                     "push %%rax\n"
                     "mov %%rsp, %%rsi\n"
                     "syscall\n" /* arch_prctl(ARCH_GET_FS) */
                     "pop %%rbx\n"
                     "mov %2, %%rdi\n"
                     "mov $0x20000000, %%eax\n"
                     "call *%%rax\n"
                     "mov $110, %%eax\n"
                     "syscall\n" /* getppid */
                     "mov %%rax, %%r12\n"
                     "mov %%rbx, %%rsi\n"
                     "mov $0x1002, %%edi\n"
                     "mov $158, %%eax\n"
                     "syscall\n" /* arch_prctl(ARCH_SET_FS) */
                     "mov %%r12, %0\n"
                     "mov %%rbx, %1\n"
                     "add $128, %%rsp\n"
                     : "=&r"(result), "=&r"(base)
                     : "r"((long)(intptr_t)selector)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r11", "r12", "memory", "cc");
    CHECK(base != 0);
    CHECK_EQUAL(result, getppid());
}

static void data_selectors_do_not_disturb_the_kernel(void)
{
    for (unsigned segment = 0; segment < sizeof(load_segment) / sizeof(load_segment[0]); segment++) {
        begin_code();
        emit(load_segment[segment], 2);
        emit_byte(0xc3);
        for (unsigned i = 0; i < 0x200; i++) {
            unsigned selector = i < 0x100 ? i : SELECTORS_OF_XEN + i - 0x100;
            int signal = fault_of(load_and_call, (void *)(uintptr_t)selector).signal;
            if (signal != 0 && signal != SIGSEGV && signal != SIGBUS)
                test_failed(__FILE__, __LINE__, "segment %u, selector %x: signal %d", segment, selector, signal);
        }
    }
    still_alive();
}

/* Bases by the instructions of FSGSBASE, where they are on: the kernel's per-CPU data hang on GS. */
static void write_gs_base(void *base)
{
    long result;
    __asm__ volatile("wrgsbase %1\n"
                     "mov $110, %%eax\n"
                     "syscall\n"
                     "ud2\n"
                     : "=&a"(result)
                     : "r"(base)
                     : "rcx", "r11", "memory");
}

static void reset_gs_base(void *unused)
{
    (void)unused;
    __asm__ volatile("wrgsbase %0" : : "r"(0UL));
}

static void any_gs_base_does_not_disturb_the_kernel(void)
{
    static const uint64_t bases[] = {
        0, 1, 0x7fffffffffff, 0xffff800000000000, 0xffff880000100000, 0xffffffff80100000, 0xffffffffffffffff
    };
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        /* Either the instruction or the UD2 that comes after the system call. */
        CHECK_EQUAL(fault_of(write_gs_base, (void *)bases[i]).signal, SIGILL);
        still_alive();
    }
    fault_of(reset_gs_base, NULL);
}

/* ---- Returns of interrupts and signals ------------------------------------------------------------ */

struct crafted {
    uint64_t rip, cs, flags, rsp, ss;
};

/* IRETQ with a frame of the program's; `rip` is the code after it when 0. */
static void return_from_interrupt(void *argument)
{
    const struct crafted *frame = argument;
    uint64_t flags;
    __asm__ volatile("mov %%rsp, %%rbx\n"
                     "lea 1f(%%rip), %%rcx\n"
                     "mov (%1), %%rax\n"
                     "test %%rax, %%rax\n"
                     "cmovz %%rcx, %%rax\n"
                     "mov 24(%1), %%rdx\n"
                     "test %%rdx, %%rdx\n"
                     "cmovz %%rbx, %%rdx\n"
                     "push 32(%1)\n"
                     "push %%rdx\n"
                     "push 16(%1)\n"
                     "push 8(%1)\n"
                     "push %%rax\n"
                     "iretq\n"
                     "1: mov %%rbx, %%rsp\n"
                     "pushfq\n"
                     "pop %0\n"
                     "push $2\n"
                     "popfq\n"
                     : "=r"(flags)
                     : "r"(frame)
                     : "rax", "rbx", "rcx", "rdx", "memory", "cc");
    CHECK_EQUAL(flags & (FLAG_IOPL | FLAG_VM | FLAG_VIRTUAL_INTERRUPT), 0);
    CHECK(flags & FLAG_INTERRUPT);
}

static unsigned stack_selector(void)
{
    unsigned selector;
    __asm__("mov %%ss, %0" : "=r"(selector));
    return selector & 0xffff;
}

static void crafted_interrupt_returns_stay_in_user_mode(void)
{
    uint64_t cs = code_selector(), ss = stack_selector();
    const struct crafted frames[] = {
        { 0, cs, 2, 0, ss },
        { 0, cs, FLAG_IOPL | 2, 0, ss },
        { 0, cs, FLAG_VM | 2, 0, ss },
        { 0, cs, FLAG_NESTED | 2, 0, ss },
        { 0, cs, FLAG_VIRTUAL_INTERRUPT | 2, 0, ss },
        { 0, cs, FLAG_TRAP | 2, 0, ss },
        { 0, cs, FLAG_ALIGNMENT | 2, 0, ss },
        { 0, cs, UINT64_MAX & ~FLAG_TRAP, 0, ss },
        { 0, cs & ~3UL, 2, 0, ss },
        { 0, 0x10, 2, 0, 0x18 },
        { 0, 0x08, 2, 0, 0x10 },
        { 0, 0x13, 2, 0, 0x1b },
        { 0, 0xe030, 2, 0, 0xe028 },
        { 0, 0xe008, 2, 0, 0 },
        { 0, 0, 2, 0, 0 },
        { 0, cs, 2, 0, 0 },
        { 0, cs, 2, 0, 0x18 },
        { 0, 0x40, 2, 0, ss },
        { 0, cs, 2, 0x8000000000000000, ss },
        { 0x8000000000000000, cs, 2, 0, ss },
        { 0xffffffff80100000, cs, 2, 0, ss },
        { 0xffffffff80100000, 0x10, 2, 0xffffffff80200000, 0x18 },
        { 0x7fffffffffff, cs, 2, 0, ss },
    };
    for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        int signal = fault_of(return_from_interrupt, (void *)&frames[i]).signal;
        if (signal != 0 && signal != SIGSEGV && signal != SIGBUS && signal != SIGTRAP)
            test_failed(__FILE__, __LINE__, "frame %u: signal %d", i, signal);
        still_alive();
    }
}

/* What the handler writes over the context it was given. */
static struct {
    int reg;
    uint64_t value;
    enum { REGISTER, FPU_AT, FPU_FILL } what;
} edit;

static void edit_context(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information;
    ucontext_t *user = context;
    switch (edit.what) {
    case REGISTER:
        user->uc_mcontext.gregs[edit.reg] = (greg_t)edit.value;
        break;
    case FPU_AT:
        user->uc_mcontext.fpregs = (void *)edit.value;
        break;
    case FPU_FILL:
        memset(user->uc_mcontext.fpregs, (int)edit.value, 512 + 64);
    }
}

static void raise_and_return(void *unused)
{
    (void)unused;
    raise(SIGUSR1);
    __asm__ volatile("push $2\n\tpopfq" : : : "memory", "cc");
}

static void crafted_signal_frames_stay_in_user_mode(void)
{
    static const uint64_t values[] = { 0,
                                       1,
                                       0x10,
                                       0x13,
                                       0x18,
                                       0xe030,
                                       0x7ffffffff000,
                                       0x7fffffffffff,
                                       0x800000000000,
                                       0x8000000000000000,
                                       0xffff880000100000,
                                       0xffffffff80100000,
                                       UINT64_MAX };
    static const int registers[] = { REG_RIP, REG_RSP, REG_EFL, REG_CSGSFS, REG_ERR, REG_TRAPNO, REG_CR2, REG_OLDMASK };
    struct sigaction action = { .sa_sigaction = edit_context, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &action, NULL);
    for (unsigned r = 0; r < sizeof(registers) / sizeof(registers[0]) + 2; r++) {
        for (unsigned v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            edit.what = r < 8 ? REGISTER : r == 8 ? FPU_AT : FPU_FILL;
            edit.reg = r < 8 ? registers[r] : 0;
            edit.value = values[v];
            int signal = fault_of(raise_and_return, NULL).signal;
            if (signal != 0 && signal != SIGSEGV && signal != SIGBUS && signal != SIGTRAP && signal != SIGFPE)
                test_failed(__FILE__, __LINE__, "row %u value %lx: signal %d", r, values[v], signal);
            still_alive();
        }
    }
    signal(SIGUSR1, SIG_DFL);
}

/* rt_sigreturn with a stack pointer that leads to no frame. */
static void return_without_frame(void *stack)
{
    __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" : : "r"(stack) : "rax", "rcx", "r11", "memory");
}

static void signal_return_without_a_frame_is_a_fault(void)
{
    static const uint64_t stacks[] = {
        0, 8, 0x7ffffffff000, 0x800000000000, 0x8000000000000000, 0xffffffff80100000, UINT64_MAX
    };
    for (unsigned i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
        CHECK_FAULT(return_without_frame, (void *)stacks[i], SIGSEGV, SI_KERNEL);
    still_alive();
}

/* ---- Flags at the entries -------------------------------------------------------------------------- */

/* `flags` are set right before the instruction. */
static void with_flags(uint32_t flags, const char *bytes, size_t length)
{
    begin_code();
    emit_byte(0x68); /* push flags; popfq */
    emit_word(flags);
    emit_byte(0x9d);
    emit(bytes, length);
    emit("\x6a\x02\x9d\xfc", 4); /* push 2; popfq; cld */
    emit_byte(0xc3);
}

static void entries_bear_any_flags(void)
{
    static const struct {
        const char *bytes;
        size_t length;
    } entries[] = {
        { CODE("\xb8\x6e\x00\x00\x00\x0f\x05") }, /* getppid by syscall */
        { CODE("\xcc") },
        { CODE("\xf1") },
        { CODE("\x0f\x0b") },
        { CODE("\xcd\x03") },
        { CODE("\xcd\x04") },
        { CODE("\xcd\x21") },
        { CODE("\xa0\x08\x00\x00\x00\x00\x00\x00\x00") },
        { CODE("\x0f\x05") },
        { CODE("\x8c\xd0\x8e\xd0\x0f\x05") },
        { CODE("\x8c\xd0\x8e\xd0\xcc") }, /* mov eax, ss; mov ss, eax; and: */
        { CODE("\x8c\xd0\x8e\xd0\xcd\x03") },
        { CODE("\x8c\xd0\x8e\xd0\xf1") },
        { CODE("\x8c\xd0\x8e\xd0\x0f\x0b") },
        { CODE("\x8c\xd0\x8e\xd0\xcd\x80") },
    };
    static const uint32_t flags[] = { 0x2, 0x102, 0x402, 0x4002, 0x40002, 0x44d02, 0x44502 | 0x8d5 };
    for (unsigned i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        for (unsigned f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
            with_flags(flags[f], entries[i].bytes, entries[i].length);
            int signal = fault_of(call_low_code, NULL).signal;
            __asm__ volatile("push $2\n\tpopfq\n\tcld" : : : "memory", "cc");
            if (signal != 0 && signal != SIGSEGV && signal != SIGILL && signal != SIGTRAP && signal != SIGBUS)
                test_failed(__FILE__, __LINE__, "entry %u flags %x: signal %d", i, flags[f], signal);
            still_alive();
        }
    }
}

static volatile unsigned steps;
static void count_step(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information, (void)context;
    steps++;
}

/* Every instruction of the program traps, and none of the kernel's: the system call has its result. */
static void single_steps_pass_system_calls(void)
{
    struct sigaction action = { .sa_sigaction = count_step, .sa_flags = SA_SIGINFO };
    long result;
    sigaction(SIGTRAP, &action, NULL);
    steps = 0;
    __asm__ volatile("pushfq\n"
                     "orl $0x100, (%%rsp)\n"
                     "popfq\n"
                     "nop\n"
                     "mov $110, %%eax\n"
                     "syscall\n"
                     "nop\n"
                     "pushfq\n"
                     "andl $~0x100, (%%rsp)\n"
                     "popfq\n"
                     : "=a"(result)
                     :
                     : "rcx", "r11", "memory", "cc");
    CHECK_EQUAL(result, getppid());
    CHECK(steps >= 6);
    still_alive();
}

/* ---- Exceptions ------------------------------------------------------------------------------------- */

static void exceptions_have_the_signals_of_linux(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        int signal;
    } exceptions[] = {
        { CODE("\x31\xc9\x31\xd2\xf7\xf1"), SIGFPE }, /* div by zero */
        { CODE("\xcc"), SIGTRAP },
        { CODE("\x0f\x0b"), SIGILL },
        /* A stack that is not canonical: push through RBP. */
        { CODE("\x55\x48\xbd\x00\x00\x00\x00\x00\x00\x00\x80\x48\x8b\x45\x00\x5d"), SIGBUS },
        { CODE("\x48\xb8\x00\x00\x00\x00\x00\x00\x00\x80\x48\x8b\x00"), SIGSEGV },
        /* x87: fldcw of 0x0340, 1 / 0, fwait. SSE: ldmxcsr of 0x1d80, 1 / 0. */
        { CODE("\x68\x40\x03\x00\x00\xd9\x2c\x24\x58\xd9\xe8\xd9\xee\xde\xf9\x9b"), SIGFPE },
        { CODE("\x68\x80\x1d\x00\x00\x0f\xae\x14\x24\x58\x0f\x57\xc9\xb8\x01\x00\x00\x00"
               "\xf3\x0f\x2a\xc0\xf3\x0f\x5e\xc1"),
          SIGFPE },
    };
    enum { SSE_EXCEPTION = sizeof(exceptions) / sizeof(exceptions[0]) - 1 };
    for (unsigned i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
        int signal = fault_of_code(exceptions[i].bytes, exceptions[i].length).signal;
        __asm__ volatile("fninit\n\tpush $0x1f80\n\tldmxcsr (%%rsp)\n\tpop %%rax" : : : "rax", "memory");
        /* QEMU's own CPU takes a stack that is not canonical for a protection fault, and raises nothing for SSE. */
        bool emulated = in_guest() && ((exceptions[i].signal == SIGBUS && signal == SIGSEGV) ||
                                       (exceptions[i].signal == SIGFPE && signal == 0 && i == SSE_EXCEPTION));
        if (signal != exceptions[i].signal && !emulated)
            test_failed(__FILE__, __LINE__, "exception %u: signal %d, not %d", i, signal, exceptions[i].signal);
    }
}

/* QEMU's own CPU does not check alignment; every real one does. */
static void misaligned_access(void *at)
{
    __asm__ volatile("pushfq\n\torl $0x40000, (%%rsp)\n\tpopfq\n\tmov (%0), %%eax\n\t"
                     "pushfq\n\tandl $~0x40000, (%%rsp)\n\tpopfq"
                     :
                     : "r"(at)
                     : "rax", "memory", "cc");
}

static void alignment_check_is_a_bus_error(void)
{
    static char bytes[16] __attribute__((aligned(16)));
    struct fault fault = fault_of(misaligned_access, bytes + 1);
    __asm__ volatile("push $2\n\tpopfq" : : : "memory", "cc");
    CHECK(fault.signal == SIGBUS || (in_guest() && fault.signal == 0));
    if (fault.signal == SIGBUS)
        CHECK_EQUAL(fault.code, BUS_ADRALN);
}

SUITE(gates, TEST(far_transfers_stay_in_64_bit_user_mode), TEST(no_system_calls_from_32bit_mode),
      TEST(interrupts_leave_32bit_mode_alone), TEST(int_n_is_a_fault_for_all_vectors), TEST(sysenter_is_a_fault),
      TEST(privileged_instructions_are_faults), TEST(table_registers_are_not_shown),
      TEST(data_selectors_do_not_disturb_the_kernel), TEST(any_gs_base_does_not_disturb_the_kernel),
      TEST(crafted_interrupt_returns_stay_in_user_mode), TEST(crafted_signal_frames_stay_in_user_mode),
      TEST(signal_return_without_a_frame_is_a_fault), TEST(entries_bear_any_flags),
      TEST(single_steps_pass_system_calls), TEST(exceptions_have_the_signals_of_linux),
      TEST(alignment_check_is_a_bus_error));
