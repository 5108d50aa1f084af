/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "ports.h"
#include "uefi.h"

static bool without_firmware;

void console_without_firmware(void) { without_firmware = true; }

/* Firmware shows its console's text on the screen and on the serial line, if the machine has them. */
static void print(const char *text)
{
    uint16_t wide[2] = { 0 };
    for (; *text; text++) {
        wide[0] = (uint8_t)*text;
        if (without_firmware)
            serial_put(*text);
        else if (efi_system->output)
            efi_system->output->output_string(efi_system->output, wide);
    }
}

/* Back to the firmware, which tries what else can be booted. Without its services there is no way back. */
static noreturn void give_up(void)
{
    if (!without_firmware) {
        files_close();
        memory_release();
        efi_system->boot->exit(efi_image, EFI_LOAD_ERROR, 0, NULL);
    }
    for (;;)
        __asm__ volatile("cli; hlt");
}

noreturn void fail(const char *fmt, ...)
{
    char message[256];
    va_list args;
    va_start(args, fmt);
    format_va(message, sizeof(message), fmt, args);
    va_end(args);
    if (without_firmware)
        serial_init();
    print("unikernel: ");
    print(message);
    print("\r\n");
    out8(DEBUG_EXIT_PORT, DEBUG_EXIT_CRASH);
    give_up();
}
