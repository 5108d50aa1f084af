/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"
#include "platform/native/instructions.h"
#include "ports.h"

/* Readings of the status register; a port that takes nothing is not waited for without end. */
#define PATIENCE 100000

void serial_init(void)
{
    out8(SERIAL_INTERRUPT_ENABLE, 0);
    out8(SERIAL_LINE_CONTROL, LINE_DIVISOR_ACCESS);
    out8(SERIAL_DATA, DIVISOR_115200);
    out8(SERIAL_INTERRUPT_ENABLE, 0);
    out8(SERIAL_LINE_CONTROL, LINE_8N1);
}

void serial_put(char character)
{
    for (unsigned i = 0; i < PATIENCE && !(in8(SERIAL_LINE_STATUS) & STATUS_TRANSMIT_EMPTY); i++)
        continue;
    out8(SERIAL_DATA, (uint8_t)character);
}
