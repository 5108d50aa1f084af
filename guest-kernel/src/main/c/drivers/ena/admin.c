/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrative queue: a ring of commands and a ring of answers in memory. An answer is new when its phase bit is
 * that of the lap, and it is copied once before it is judged. As there is one command at a time, an answer to another
 * one is a fault, after which the NIC is not asked again before a reset. There is no lock: admin.h says who calls.
 */
#include "drivers/ena/admin.h"

#include "drivers/ena/nic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "platform/platform.h"

#define ENTRIES 32u
#define DEFAULT_PATIENCE (3 * NS_PER_SECOND)
#define FLAG_BUFFER 4u /* there is more in memory */

enum status { SUCCESS, NO_RESOURCES, BAD_OPCODE, UNSUPPORTED, MALFORMED, ILLEGAL, UNKNOWN, BUSY };

struct ena_address ena_address_of(const void *memory)
{
    phys_t address = virt_to_phys(memory);
    return (struct ena_address){ .low = (uint32_t)address, .high = (uint16_t)(address >> 32) };
}

int ena_admin_start(struct ena_nic *nic)
{
    struct ena_admin *admin = &nic->admin;
    if (ena_read(nic, ENA_STATUS) == ENA_GONE || !(ena_read(nic, ENA_STATUS) & ENA_STATUS_READY))
        return -ENODEV;
    memset(admin->commands, 0, PAGE_SIZE);
    memset(admin->answers, 0, PAGE_SIZE);
    admin->tail = admin->head = 0;
    admin->silent = false;
    ena_write_address(nic, ENA_COMMANDS, admin->commands);
    ena_write_address(nic, ENA_ANSWERS, admin->answers);
    ena_write(nic, ENA_COMMANDS_SIZE, ENA_RING_SIZE(ENTRIES, sizeof(struct ena_command)));
    ena_write(nic, ENA_ANSWERS_SIZE, ENA_RING_SIZE(ENTRIES, sizeof(struct ena_answer)));
    return 0;
}

static void post(struct ena_nic *nic, struct ena_command *command)
{
    struct ena_admin *admin = &nic->admin;
    command->id = admin->tail % ENTRIES;
    command->flags = (uint8_t)((command->flags & ~1u) | ena_phase(admin->tail, ENTRIES));
    admin->commands[admin->tail % ENTRIES] = *command;
    admin->tail++;
    compiler_barrier();
    ena_write(nic, ENA_COMMANDS_DOORBELL, admin->tail);
}

static bool take_answer(struct ena_admin *admin, struct ena_answer *answer)
{
    const struct ena_answer *entry = &admin->answers[admin->head % ENTRIES];
    if ((__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) & 1u) != ena_phase(admin->head, ENTRIES))
        return false;
    memcpy(answer, entry, sizeof(*answer));
    compiler_barrier(); /* the NIC may change it: it is read once */
    admin->head++;
    return true;
}

static int wait_answer(struct ena_nic *nic, struct ena_answer *answer)
{
    nanoseconds usual = nic->admin.patience != 0 ? nic->admin.patience : DEFAULT_PATIENCE;
    struct ena_wait wait = ena_wait_begin(ena_hint_time(nic->hints.admin, usual));
    while (!take_answer(&nic->admin, answer)) {
        if (!ena_wait_more(nic, &wait))
            return -ETIMEDOUT;
    }
    return 0;
}

static int error_of(uint8_t status)
{
    switch (status) {
    case SUCCESS:
        return 0;
    case NO_RESOURCES:
        return -ENOSPC;
    case BAD_OPCODE:
    case UNSUPPORTED:
        return -EOPNOTSUPP;
    case MALFORMED:
    case ILLEGAL:
        return -EINVAL;
    default:
        return -EIO;
    }
}

static int do_once(struct ena_nic *nic, struct ena_command *command, struct ena_answer *answer)
{
    if (nic->admin.silent)
        return -ETIMEDOUT;
    post(nic, command);
    bool answered = wait_answer(nic, answer) == 0;
    if (answered && (answer->id & 0xfff) == command->id)
        return 0;
    nic->admin.silent = true;
    ena_fault(nic, answered ? ENA_GENERIC : ENA_ADMIN_SILENT);
    return -ETIMEDOUT;
}

int ena_admin(struct ena_nic *nic, struct ena_command *command, struct ena_answer *answer)
{
    struct ena_wait wait = ena_wait_begin(DEFAULT_PATIENCE);
    int error;
    do
        error = do_once(nic, command, answer);
    while (error == 0 && answer->status == BUSY && ena_wait_more(nic, &wait));
    return error == 0 ? error_of(answer->status) : error;
}

bool ena_has_feature(const struct ena_nic *nic, enum ena_feature feature) { return nic->supported >> feature & 1; }

int ena_get_feature(struct ena_nic *nic, enum ena_feature feature, uint8_t version, struct ena_answer *answer)
{
    struct ena_command command = {
        .opcode = ENA_GET_FEATURE,
        .feature = { .feature = (uint8_t)feature, .version = version },
    };
    return ena_admin(nic, &command, answer);
}

int ena_set_feature_with(struct ena_nic *nic, enum ena_feature feature, const void *payload, size_t length,
                         const void *buffer, size_t buffer_length)
{
    struct ena_answer answer;
    struct ena_command command = { .opcode = ENA_SET_FEATURE, .feature = { .feature = (uint8_t)feature } };
    memcpy(command.feature.payload, payload, length);
    if (buffer) {
        command.flags = FLAG_BUFFER;
        command.feature.buffer_length = (uint32_t)buffer_length;
        command.feature.buffer = ena_address_of(buffer);
    }
    return ena_admin(nic, &command, &answer);
}

int ena_set_feature(struct ena_nic *nic, enum ena_feature feature, const void *payload, size_t length)
{
    return ena_set_feature_with(nic, feature, payload, length, NULL, 0);
}
