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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Written into the assembly below too. */
#define LOW_CODE 0x20000000UL
#define LOW_SAVED_STACK (LOW_CODE + 0xf00)
#define LOW_BACK (LOW_CODE + 0xf08)
#define LOW_REACHED_32BIT (LOW_CODE + 0xf10)
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
    emit("\x31\xc0\x40\x90", 4);               /* xor eax, eax; inc eax, which is a prefix in 64-bit mode */
    emit("\x83\xf8\x01\x74\x0f", 5);           /* cmp eax, 1; je over the return */
    emit_return();
    emit("\xc7\x05", 2);                       /* LOW_REACHED_32BIT = 1 */
    emit_word(LOW_REACHED_32BIT);
    emit_word(1);
    emit_byte(0xb8);                           /* eax = getpid in the 32-bit ABI */
    emit_word(20);
    emit(bytes, length);
    emit_byte(0xea);                           /* a far jump to 64-bit code, right behind */
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

/* System calls of 32-bit mode; where the guest can be in it at all, each is a fault. */
static void no_system_calls_from_32bit_mode(void)
{
    static const struct { const char *bytes; size_t length; } entries[] = {
        { "\x0f\x05", 2 }, { "\x0f\x34", 2 }, { "\xcd\x80", 2 }, { "\xcd\x82", 2 }, { "\xce", 1 },
        { "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x0f\x05", 11 },          /* with TF: pushf; or; popf; syscall */
        { "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d\x0f\x34", 11 },          /* and sysenter */
    };
    struct transfer_to to = { on_xen_pv() ? XEN_CODE_32BIT : LINUX_CODE_32BIT, FAR_JUMP };
    for (unsigned i = 0; in_guest() && i < sizeof(entries) / sizeof(entries[0]); i++) {
        write_landing(entries[i].bytes, entries[i].length);
        struct fault fault = fault_of(go, &to);
        if (no_32bit_segment()) {
            CHECK(!reached_32bit());
            CHECK_EQUAL(fault.signal, SIGSEGV);
        } else if (fault.signal != SIGSEGV && fault.signal != SIGILL && fault.signal != SIGTRAP) {
            /* INTO without overflow does nothing. */
            CHECK(fault.signal == 0 && entries[i].bytes[0] == '\xce');
        }
        still_alive();
    }
}

/* ---- Software interrupts -------------------------------------------------------------------------- */

static void int_n_is_a_fault_for_all_vectors(void)
{
    for (unsigned vector = 0; vector < 256; vector++) {
        uint8_t code[] = { 0xb8, 20, 0, 0, 0, 0xcd, (uint8_t)vector };
        if (vector == 0x80 && !in_guest())
            continue;                          /* Linux's 32-bit system calls */
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

SUITE(gates, TEST(far_transfers_stay_in_64_bit_user_mode), TEST(no_system_calls_from_32bit_mode),
      TEST(int_n_is_a_fault_for_all_vectors), TEST(sysenter_is_a_fault));
