/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See unplug.h. The ports are those of Xen's device model, which only HVM guests have: a port that reads as the magic
 * number shows that they are there. Since protocol version 1 a driver first names itself, and the host may refuse it by
 * answering with another word. Emulated devices that stay do no harm, because there are no drivers for them.
 *
 * Called once at boot; there is no state and no lock.
 */
#include "platform/native/unplug.h"

#include "core/log.h"
#include "platform/native/instructions.h"

#define MAGIC_PORT 0x10 /* 16 bits */
#define MAGIC 0x49d2
#define VERSION_PORT 0x12 /* 8 bits */
#define VERSION_WITH_NAMES 1
#define PRODUCT_PORT 0x12 /* 16 bits, written */
#define BUILD_PORT 0x10   /* 32 bits, written */
#define PRODUCT_UNREGISTERED 0xffff
#define BUILD 1
#define UNPLUG_PORT 0x10 /* 16 bits, written */
#define UNPLUG_DISKS 0x1 /* IDE and SCSI */
#define UNPLUG_NETWORK 0x2

static bool accepted(void)
{
    if (in8(VERSION_PORT) < VERSION_WITH_NAMES)
        return true;
    out16(PRODUCT_PORT, PRODUCT_UNREGISTERED);
    out32(BUILD_PORT, BUILD);
    return in16(MAGIC_PORT) == MAGIC;
}

void xen_unplug_emulated(void)
{
    if (in16(MAGIC_PORT) != MAGIC)
        return;
    if (!accepted()) {
        log_info("the host keeps the emulated disks and network cards; they are not used");
        return;
    }
    out16(UNPLUG_PORT, UNPLUG_DISKS | UNPLUG_NETWORK);
    log_info("the emulated disks and network cards are unplugged");
}
