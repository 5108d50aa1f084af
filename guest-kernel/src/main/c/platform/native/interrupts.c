/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local APIC (Intel SDM 3A ch. 11; x2APIC where there is one) and I/O APIC (Intel 82093AA).
 *
 * Vector 127 is the spurious one, 126 asks for cpu_answer(), which no other interrupt may delay (SDM 3A 11.8.3.1); 32
 * to 95 are handed out to devices and 96 to 110 to the kernel itself, in order, and never given back. Lines interrupt
 * the boot CPU, messages any. A vector's handler is set before anything raises it and stays, so there is no lock.
 * Vectors are allocated while devices are started; traps.c calls interrupt_dispatch() with the kernel lock, but for
 * handlers that do without, and interrupt_answer() without it.
 */
#include "platform/native/interrupts.h"

#include "core/debug.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "platform/native/acpi.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"
#include "platform/native/selectors.h"
#include "platform/x86/processor.h"

#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2 (1u << 10)
#define APIC_ENABLE (1u << 8)
#define APIC_MASKED (1u << 16)
#define APIC_NMI (4u << 8)
#define APIC_COMMAND_PENDING (1u << 12)
#define MESSAGE_ID_MAX 0xfe /* 0xff is all CPUs */
#define X2APIC_MSR(offset) (0x800 + ((offset) >> 4))

/* I/O APIC: an index and a data register. */
#define IO_APIC_SELECT 0x00
#define IO_APIC_DATA 0x10
#define IO_APIC_VERSION 1
#define IO_APIC_LEVEL (1u << 15)
#define IO_APIC_ENTRY(line) (0x10 + 2 * (line))

static struct {
    interrupt_handler *handler;
    void *context;
    bool injected;
    bool unlocked;
} handlers[VECTORS];
static unsigned next_vector = VECTOR_FIRST_INTERRUPT, next_own_vector = VECTOR_DEVICES_END;
static uint64_t postponed[VECTORS / 64]; /* a bit for each vector */

static volatile uint8_t *apic; /* NULL: x2APIC */
static uint32_t boot_apic;     /* the boot CPU's id */
static volatile uint8_t *io_apic;
static unsigned io_apic_lines;

uint32_t apic_read(unsigned offset)
{
    return apic ? mmio_read32(apic + offset) : (uint32_t)msr_read(X2APIC_MSR(offset));
}

void apic_write(unsigned offset, uint32_t value)
{
    if (apic)
        mmio_write32(apic + offset, value);
    else
        msr_write(X2APIC_MSR(offset), value);
}

uint32_t apic_id(void)
{
    uint32_t id = apic_read(APIC_ID);
    return apic ? id >> 24 : id;
}

static uint32_t io_apic_read(unsigned index)
{
    mmio_write32(io_apic + IO_APIC_SELECT, index);
    return mmio_read32(io_apic + IO_APIC_DATA);
}

static void io_apic_write(unsigned index, uint32_t value)
{
    mmio_write32(io_apic + IO_APIC_SELECT, index);
    mmio_write32(io_apic + IO_APIC_DATA, value);
}

/* The 8259 pair may be left unmasked by firmware: away from the exceptions' vectors, all lines off. */
static void silence_old_controllers(void)
{
    static const uint8_t setup[][2] = { { 0x11, 0x11 }, { 0x60, 0x68 }, { 4, 2 }, { 1, 1 }, { 0xff, 0xff } };
    for (unsigned i = 0; i < array_size(setup); i++) {
        out8(i == 0 ? 0x20 : 0x21, setup[i][0]);
        out8(i == 0 ? 0xa0 : 0xa1, setup[i][1]);
    }
}

void apic_send(uint32_t destination, uint32_t command)
{
    if (!apic) {
        /* Such a write does not wait for earlier stores, unlike one to memory (SDM 3A 11.12.3). */
        __asm__ volatile("mfence; lfence" : : : "memory");
        msr_write(X2APIC_MSR(APIC_COMMAND), (uint64_t)destination << 32 | command);
        return;
    }
    apic_write(APIC_COMMAND_HIGH, destination << 24);
    apic_write(APIC_COMMAND, command);
    while (apic_read(APIC_COMMAND) & APIC_COMMAND_PENDING)
        __builtin_ia32_pause();
}

static void map_local_apic(void)
{
    bool has_x2apic = processor_identify(1, 0).ecx & 1u << 21;
    if (has_x2apic)
        return;
    apic = mmio_map(msr_read(MSR_APIC_BASE) & 0xffffff000UL, PAGE_SIZE);
    if (!apic)
        panic("no memory to map the local APIC");
}

void native_interrupts_load(void)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    if (!apic)
        msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
    apic_write(APIC_TASK_PRIORITY, 0);
    apic_write(APIC_TIMER, APIC_MASKED);
    apic_write(APIC_LINT0, APIC_MASKED);
    apic_write(APIC_LINT1, APIC_NMI);
    apic_write(APIC_SPURIOUS, APIC_ENABLE | VECTOR_SPURIOUS);
}

static void start_io_apic(void)
{
    if (acpi.io_apic == 0)
        return;
    io_apic = mmio_map(acpi.io_apic, PAGE_SIZE);
    if (!io_apic)
        panic("no memory to map the I/O APIC");
    uint32_t version = io_apic_read(IO_APIC_VERSION);
    if (version == UINT32_MAX)
        return;
    io_apic_lines = (version >> 16 & 0xff) + 1;
    for (unsigned line = 0; line < io_apic_lines; line++)
        io_apic_write(IO_APIC_ENTRY(line), APIC_MASKED);
}

void native_interrupts_init(void)
{
    silence_old_controllers();
    map_local_apic();
    native_interrupts_load();
    boot_apic = apic_id();
    start_io_apic();
}

static int allocate_from(unsigned *next, unsigned end, interrupt_handler *handler, void *context)
{
    if (*next == end)
        return -ENOSPC;
    unsigned vector = (*next)++;
    handlers[vector].handler = handler;
    handlers[vector].context = context;
    return (int)vector;
}

int interrupt_allocate(interrupt_handler *handler, void *context)
{
    return allocate_from(&next_vector, VECTOR_DEVICES_END, handler, context);
}

int interrupt_allocate_own(interrupt_handler *handler, void *context)
{
    return allocate_from(&next_own_vector, VECTOR_OWN_END, handler, context);
}

int interrupt_allocate_unlocked(interrupt_handler *handler, void *context)
{
    int vector = interrupt_allocate_own(handler, context);
    if (vector >= 0)
        handlers[vector].unlocked = true;
    return vector;
}

bool interrupt_needs_kernel(unsigned vector) { return vector >= VECTORS || !handlers[vector].unlocked; }

int interrupt_allocate_injected(interrupt_handler *handler, void *context)
{
    int vector = interrupt_allocate_own(handler, context);
    if (vector >= 0)
        handlers[vector].injected = true;
    return vector;
}

uint64_t interrupt_message_address(unsigned cpu)
{
    uint32_t id = cpu == 0 ? boot_apic : native_cpu_apic(cpu);
    return 0xfee00000 | (id <= MESSAGE_ID_MAX ? id : boot_apic & 0xff) << 12;
}

uint32_t interrupt_message_data(unsigned vector) { return vector; }

void interrupt_raise(unsigned vector) { apic_send(apic_id(), vector); }

int interrupt_connect_line(unsigned line, enum line_trigger trigger, interrupt_handler *handler, void *context)
{
    if (line >= io_apic_lines)
        return -ENODEV;
    int vector = interrupt_allocate(handler, context);
    if (vector < 0)
        return vector;
    io_apic_write(IO_APIC_ENTRY(line) + 1, apic_id() << 24);
    io_apic_write(IO_APIC_ENTRY(line), (uint32_t)vector | (trigger == LINE_LEVEL ? IO_APIC_LEVEL : 0));
    return 0;
}

bool interrupt_answer(unsigned vector)
{
    if (vector != VECTOR_ANSWER)
        return false;
    apic_write(APIC_END, 0);
    native_cpu_answer();
    return true;
}

/* Ended before its handler runs: an edge that arrives meanwhile is then not lost. A level-triggered line that is still
 * up comes once more, and its handler finds nothing to do. */
static void end(unsigned vector)
{
    if (!handlers[vector].injected)
        apic_write(APIC_END, 0);
}

static void run_handler(unsigned vector)
{
    if (!handlers[vector].handler) {
        log_error("unexpected interrupt %u", vector);
        return;
    }
    nanoseconds began = vector < VECTOR_DEVICES_END ? clock_monotonic() : 0;
    interrupt_begin();
    handlers[vector].handler(handlers[vector].context);
    interrupt_end();
    if (vector < VECTOR_DEVICES_END)
        interrupt_share_charge(vector, began);
}

static void run_postponed(void)
{
    for (unsigned word = 0; word < array_size(postponed); word++) {
        for (uint64_t bits = __atomic_exchange_n(&postponed[word], 0, __ATOMIC_SEQ_CST); bits != 0; bits &= bits - 1)
            run_handler(word * 64 + (unsigned)__builtin_ctzl(bits));
    }
}

void interrupt_postpone(unsigned vector)
{
    if (vector >= VECTORS || vector == VECTOR_SPURIOUS)
        return;
    end(vector);
    if (vector != VECTOR_POSTPONED)
        __atomic_fetch_or(&postponed[vector / 64], 1UL << vector % 64, __ATOMIC_SEQ_CST);
    interrupt_raise(VECTOR_POSTPONED);
}

void interrupt_dispatch(unsigned vector)
{
    if (vector >= VECTORS || vector == VECTOR_SPURIOUS)
        return;
    random_event(vector);
    end(vector);
    interrupt_share_check();
    if (vector == VECTOR_POSTPONED)
        run_postponed();
    else
        run_handler(vector);
}
