/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports to whoever started the machine (platform.h: platform_report()), on the second serial port. Only the kernel
 * can write there: the program has no access to I/O ports. Lock: "report", for whole lines.
 */
#include "core/lock.h"
#include "core/log.h"
#include "platform/native/native.h"
#include "platform/native/uart.h"

#define PORT 0x2f8

static struct uart uart = { .port = PORT };
static bool present;
static struct spinlock lock = SPINLOCK(LOCK_REPORT);

void native_report_init(void) { present = uart_init(&uart); }

void native_report(const char *event, unsigned number)
{
    char line[32];
    int length = format(line, sizeof(line), "%s %u\n", event, number);
    if (!present || native_serial_is(PORT))
        return;
    spin_lock(&lock);
    uart_write(&uart, line, (size_t)length);
    spin_unlock(&lock);
}
