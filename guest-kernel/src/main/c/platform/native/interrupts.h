/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of the native platform: local APIC, I/O APIC, vectors and who handles them.
 * Handlers run in interrupt context: interrupts masked, must not sleep.
 */
#pragma once

#include "lib/types.h"

typedef void interrupt_handler(void *context);

/* Masks the old 8259 controllers and turns the local APIC on. */
void native_interrupts_init(void);
/* The local APIC of another CPU. */
void native_interrupts_load(void);
/* A vector of its own for a device's handler(context); negative errno when there are no more. Devices get half of a CPU
 * at most while a thread wants it. */
must_check int interrupt_allocate(interrupt_handler *handler, void *context);
/* The same for one of the kernel's own, which are not limited. */
must_check int interrupt_allocate_own(interrupt_handler *handler, void *context);
/* The same for a handler that needs no kernel lock. */
must_check int interrupt_allocate_unlocked(interrupt_handler *handler, void *context);
/* The same for a vector that a hypervisor raises past the local APIC, and which is therefore not ended there. */
must_check int interrupt_allocate_injected(interrupt_handler *handler, void *context);
/* Where a device writes to raise `vector` by a message (MSI) on a CPU that runs, and what (SDM 3A 11.11). A CPU whose
 * number does not fit a message is not reached: it is the boot CPU then. */
uint64_t interrupt_message_address(unsigned cpu);
uint32_t interrupt_message_data(unsigned vector);
/* Raises `vector` on this CPU, as a device would. */
void interrupt_raise(unsigned vector);
/* Routes a line of the I/O APIC, active high, to handler(context). 0 or -errno. */
enum line_trigger { LINE_EDGE, LINE_LEVEL };
must_check int interrupt_connect_line(unsigned line, enum line_trigger trigger, interrupt_handler *handler,
                                      void *context);
/* Whether its handler needs the kernel lock. */
bool interrupt_needs_kernel(unsigned vector);
/* Runs the handler of a vector that was raised; for traps.c, with the kernel lock if it needs it. */
void interrupt_dispatch(unsigned vector);
/* Has the handler run as soon as interrupts are let in; with any lock. */
void interrupt_postpone(unsigned vector);
/* True if this was another CPU's question, which is answered then: needs no lock. */
bool interrupt_answer(unsigned vector);

/* For interrupt_dispatch(): the handler of a device's vector ran from `began`, monotonic, until now. */
void interrupt_share_charge(unsigned vector, nanoseconds began);
/* Interrupts of devices come again to this CPU if their rest is over. */
void interrupt_share_check(void);
/* platform.h, platform_resume_interrupts(). */
void native_resume_interrupts(void);

/* Local APIC registers by their xAPIC offset (SDM 3A table 11-6). */
#define APIC_ID 0x20
#define APIC_TASK_PRIORITY 0x80
#define APIC_END 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_COMMAND_HIGH 0x310
#define APIC_TIMER 0x320
#define APIC_LINT0 0x350
#define APIC_LINT1 0x360
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);
/* Of this CPU. */
uint32_t apic_id(void);
/* A command to the local APIC with this id: a vector, or one of these (SDM 3A figure 11-12). */
void apic_send(uint32_t destination, uint32_t command);
#define APIC_COMMAND_INIT (5u << 8 | 1u << 14)
#define APIC_COMMAND_START (6u << 8 | 1u << 14) /* with the page, below 1 MiB, of the first instruction */
