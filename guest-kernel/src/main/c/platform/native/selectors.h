/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment selectors and what they imply for SYSCALL/SYSRET (Intel SDM 3A 5.8.8): kernel data follows
 * kernel code; SYSRET takes user data at STAR[63:48] + 8 and 64-bit user code at + 16.
 * The values a user thread sees are those of Linux. Also included by assembly.
 */
#pragma once

#define KERNEL_CODE 0x10
#define KERNEL_DATA 0x18
#define SYSRET_BASE 0x23
#define USER_DATA 0x2b
#define USER_CODE 0x33
#define TASK_STATE 0x40
#define CPU_NUMBER_SEGMENT 0x50 /* platform.h: CPU_NUMBER_SELECTOR */

/* Vectors below this have an entry stub and an interrupt descriptor. */
#define VECTORS 128
#define VECTOR_ANSWER 126     /* asks for cpu_answer(); needs no lock; nothing else of its priority */
#define VECTOR_DEVICES_END 96 /* a multiple of 16: these have priorities of their own, below the others (share.c) */
#define VECTOR_OWN_END 111    /* from there on to here the kernel's own */
#define VECTOR_POSTPONED 111  /* interrupts that came while they were masked */
#define VECTOR_SPURIOUS 127
#define VECTOR_FIRST_INTERRUPT 32
#define VECTOR_INVALID_OPCODE 6

/* Offsets in struct registers and struct cpu (platform.h; checked in segments.c). */
#define REGISTERS_R11 48
#define REGISTERS_RCX 88
#define REGISTERS_NUMBER 120
#define REGISTERS_RIP 136
#define REGISTERS_CS 144
#define REGISTERS_RFLAGS 152
#define REGISTERS_RSP 160
#define REGISTERS_SS 168
#define CPU_KERNEL_STACK 8
#define CPU_SCRATCH 16
#define CPU_KERNEL_ROOT 24
#define CPU_USER_ROOT 32
#define CPU_GATE_STACK 40

/* User-visible RFLAGS: CF PF AF ZF SF TF DF OF RF AC ID; and what every user thread has: IF and
 * the bit that is always one (SDM 1 3.4.3). Without IOPL and NT an IRET cannot fault. */
#define RFLAGS_USER 0x250dd5
#define RFLAGS_ALWAYS 0x202
#define RFLAGS_TRAP_OR_RESUME 0x10100
#define RFLAGS_INTERRUPT 0x200
