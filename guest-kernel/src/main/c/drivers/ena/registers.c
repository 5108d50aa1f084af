/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to registers, and the reset. Where the revision in configuration space has bit 0 set, registers are read as
 * usual; else a read is asked for by a write, and the NIC puts the value into memory. An answer counts only if it has
 * the number and the offset of the read, so one that comes late is not taken for another's. There is no lock
 * (registers.h says who reads).
 */
#include "drivers/ena/registers.h"

#include "drivers/ena/nic.h"
#include "lib/errno.h"
#include "platform/native/instructions.h"
#include "platform/native/native.h"

#define READ_PATIENCE (200 * NS_PER_MS)
#define NOT_THE_SEQUENCE 0xdead /* added, it makes another number */
#define SPIN_TIME (100 * NS_PER_US)

#define CONTROL_RESET 0x1u
#define CONTROL_REASON(reason) ((uint32_t)(reason) << 28)
#define CONTROL_REASON_HIGH(reason) ((uint32_t)(reason) >> 4 << 24)

#define RESET_TIME(capabilities) (((capabilities) >> 1 & 0x1f) * 100 * NS_PER_MS)
#define ADDRESS_BITS(capabilities) ((capabilities) >> 8 & 0xff)
#define ADDRESS_BITS_MIN 32
#define ADDRESS_BITS_MAX 48
#define ADMIN_TIME(capabilities) (((capabilities) >> 16 & 0xf) * 100 * NS_PER_MS)
#define CONTROLLER_VERSION_MIN 0x000001u /* 0.0.1 */
#define CONTROLLER_VERSION_MASK 0xffffffu

/* ---- Waiting ---- */

struct ena_wait ena_wait_begin(nanoseconds patience)
{
    nanoseconds now = clock_monotonic();
    return (struct ena_wait){ .limit = now + patience, .spin_until = now + SPIN_TIME };
}

bool ena_wait_more(struct ena_nic *nic, const struct ena_wait *wait)
{
    nanoseconds now = clock_monotonic();
    if (now >= wait->limit)
        return false;
    if (nic->rest && now >= wait->spin_until)
        nic->rest();
    else
        __builtin_ia32_pause();
    return true;
}

/* ---- Access ---- */

void ena_write(struct ena_nic *nic, unsigned offset, uint32_t value)
{
    mmio_write32(nic->registers.base + offset, value);
}

void ena_write_address(struct ena_nic *nic, unsigned offset, const void *memory)
{
    ena_write(nic, offset, (uint32_t)virt_to_phys(memory));
    ena_write(nic, offset + 4, (uint32_t)(virt_to_phys(memory) >> 32));
}

void ena_write_read_answer(struct ena_nic *nic) { ena_write_address(nic, ENA_READ_ANSWER, nic->read_answer); }

static uint32_t read_through_memory(struct ena_nic *nic, unsigned offset)
{
    struct ena_read_answer *answer = nic->read_answer;
    uint16_t sequence = ++nic->read_sequence;
    struct ena_wait wait = ena_wait_begin(ena_hint_time(nic->hints.read, READ_PATIENCE));
    write_once(answer->sequence, (uint16_t)(sequence + NOT_THE_SEQUENCE));
    compiler_barrier();
    ena_write(nic, ENA_READ, offset << 16 | sequence);
    while (__atomic_load_n(&answer->sequence, __ATOMIC_ACQUIRE) != sequence) {
        if (!ena_wait_more(nic, &wait))
            return ENA_GONE;
    }
    return read_once(answer->offset) == offset ? read_once(answer->value) : ENA_GONE;
}

uint32_t ena_read(struct ena_nic *nic, unsigned offset)
{
    return nic->reads_directly ? mmio_read32(nic->registers.base + offset) : read_through_memory(nic, offset);
}

/* ---- Reset ---- */

static int wait_resetting(struct ena_nic *nic, uint32_t wanted, nanoseconds patience)
{
    struct ena_wait wait = ena_wait_begin(patience);
    for (;;) {
        uint32_t status = ena_read(nic, ENA_STATUS);
        if (status == ENA_GONE)
            return -ENODEV;
        if ((status & ENA_STATUS_RESETTING) == wanted)
            return 0;
        if (!ena_wait_more(nic, &wait))
            return -ETIMEDOUT;
    }
}

static uint32_t control_for(const struct ena_nic *nic, enum ena_reason reason)
{
    if (!(nic->capabilities & ENA_CAPABILITY_REASONS) && reason >= ENA_REASONS_BASIC)
        reason = ENA_GENERIC;
    return CONTROL_RESET | CONTROL_REASON(reason) | CONTROL_REASON_HIGH(reason);
}

int ena_reset(struct ena_nic *nic, enum ena_reason reason)
{
    uint32_t status = ena_read(nic, ENA_STATUS), capabilities = ena_read(nic, ENA_CAPABILITIES);
    if (status == ENA_GONE || capabilities == ENA_GONE)
        return -ENODEV;
    nanoseconds patience = RESET_TIME(capabilities);
    if (!(status & ENA_STATUS_READY) || patience == 0)
        return -EIO;
    ena_write(nic, ENA_CONTROL, control_for(nic, reason));
    ena_write_read_answer(nic);
    int error = wait_resetting(nic, ENA_STATUS_RESETTING, patience);
    ena_write(nic, ENA_CONTROL, 0);
    return error == 0 ? wait_resetting(nic, 0, patience) : error;
}

/* ---- Versions ---- */

static phys_t highest_address(void)
{
    phys_t highest = 0;
    for (unsigned i = 0; i < native_memory_count; i++) {
        if (native_memory[i].type == MEMORY_RAM)
            highest = max_of(highest, native_memory[i].end - 1);
    }
    return highest;
}

int ena_check_versions(struct ena_nic *nic)
{
    uint32_t version = ena_read(nic, ENA_VERSION), controller = ena_read(nic, ENA_CONTROLLER_VERSION);
    uint32_t capabilities = ena_read(nic, ENA_CAPABILITIES);
    if (version == ENA_GONE || controller == ENA_GONE || capabilities == ENA_GONE)
        return -ENODEV;
    unsigned bits = ADDRESS_BITS(capabilities);
    if ((controller & CONTROLLER_VERSION_MASK) < CONTROLLER_VERSION_MIN || bits < ADDRESS_BITS_MIN ||
        bits > ADDRESS_BITS_MAX || highest_address() >> bits != 0)
        return -EOPNOTSUPP;
    nic->admin.patience = ADMIN_TIME(capabilities);
    return 0;
}
