/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What test_platform.c and the program it runs (user.S) have agreed on.
 */
#pragma once

#define USER_CODE 0x400000
#define USER_LATE_PAGE 0x500000
#define USER_STACK 0x7ffffffe0000
#define USER_THREAD_WORD 0xf5f5

/* System calls. CALL_CHECK: rdi = which of user_checks, rsi = 0 if it holds. */
#define CALL_CHECK 1
#define CALL_FORGE 2
#define CALL_BAD_RIP 3
#define CALL_START_TIMER 4
#define CALL_COUNT_TIMER 5
#define CALL_END 6
#define CALL_FLAGS 7
/* AC, NT, DF: what the kernel must not have, though the program has it. */
#define PROGRAM_FLAGS 0x44400

#define CHECK_REGISTERS 0
#define CHECK_FS 1
#define CHECK_LATE_PAGE 2
#define CHECK_FORGED 3
#define CHECK_INTERRUPTS 4
#define CHECK_INTERRUPTED 5

#ifndef __ASSEMBLY__
extern const char user_program[], user_program_end[];

static const char *const user_checks[] = {
    [CHECK_REGISTERS] = "a system call keeps the other registers",
    [CHECK_FS] = "FS has its base",
    [CHECK_LATE_PAGE] = "an instruction goes on after its page fault",
    [CHECK_FORGED] = "all registers are loaded when the kernel changed them",
    [CHECK_INTERRUPTS] = "the timer interrupts user mode",
    [CHECK_INTERRUPTED] = "interrupts keep all registers and the red zone",
};

#define ANY UINT64_MAX
/* In the order in which user.S causes them. */
#define EXPECTED_TRAPS \
    { "int3", TRAP_BREAKPOINT, 0, 0 }, { "division by zero", TRAP_DIVIDE, 0, 0 }, \
        { "undefined instruction", TRAP_INVALID_OPCODE, 0, 0 }, \
        { "undefined instruction with flags set", TRAP_INVALID_OPCODE, 0, 0 }, \
        { "fault on a page that is to come", TRAP_PAGE_FAULT, FAULT_USER | FAULT_WRITE, USER_LATE_PAGE }, \
        { "null pointer", TRAP_PAGE_FAULT, FAULT_USER, 0 }, \
        { "reading kernel memory", TRAP_PAGE_FAULT, FAULT_USER, DIRECT_MAP }, \
        { "writing text", TRAP_PAGE_FAULT, FAULT_USER | FAULT_WRITE | FAULT_PRESENT, USER_CODE }, \
        { "executing a stack", TRAP_PAGE_FAULT, FAULT_USER | FAULT_FETCH | FAULT_PRESENT, USER_STACK }, \
        { "a wild jump", TRAP_PROTECTION, 0, 0 }, \
        { "a wild jump by the kernel", TRAP_PAGE_FAULT, FAULT_USER | FAULT_FETCH, 0x7fffffffffff }, \
        { "cli", TRAP_PROTECTION, 0, 0 }, { "int 0x80", TRAP_PROTECTION, ANY, 0 }, \
        { "port input", TRAP_PROTECTION, 0, 0 },
#endif
