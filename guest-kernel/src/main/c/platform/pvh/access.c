/*
 * Supervisor-mode access prevention (Intel SDM 3A 4.6.1): STAC and CLAC are undefined on CPUs without it, so
 * they are written over no-operations at boot.
 */
#include "lib/print.h"
#include "lib/string.h"
#include "platform/pvh/instructions.h"
#include "platform/pvh/pvh.h"
#include "platform/x86/processor.h"

#define HAS_SMAP (1u << 20)             /* leaf 7 ebx */
#define CR4_SMAP (1UL << 21)

extern uint8_t user_access_open_copy[], user_access_open_clear[], user_access_close[];   /* memory/user_copy.S */
extern uint8_t pvh_trap_close_access[];                                                  /* traps.S */

static void write_instruction(uint8_t *at, uint8_t last_byte)
{
    static const uint8_t room[] = { 0x0f, 0x1f, 0x00 };
    const uint8_t instruction[] = { 0x0f, 0x01, last_byte };
    assert(memcmp(at, room, sizeof(room)) == 0);
    memcpy(at, instruction, sizeof(instruction));
}

static void write_open(uint8_t *at) { write_instruction(at, 0xcb); }     /* STAC */
static void write_close(uint8_t *at) { write_instruction(at, 0xca); }    /* CLAC */

void pvh_access_init(void)
{
    if (!(processor_identify(7, 0).ebx & HAS_SMAP))
        return;
    write_open(user_access_open_copy);
    write_open(user_access_open_clear);
    write_close(user_access_close);
    write_close(pvh_trap_close_access);
    /* Writing CR4 serialises: the new instructions are what is executed from here on. */
    cr4_write(cr4_read() | CR4_SMAP);
}
