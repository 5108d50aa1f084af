/* SPDX-License-Identifier: Apache-2.0 */
#include "bios.h"
#include "lib/format.h"
#include "lib/string.h"
#include "platform/native/instructions.h"
#include "ports.h"

#define VIDEO 0x10
#define VIDEO_TELETYPE 0x0e00
#define LIGHT_GREY 7

static void put(char character)
{
    struct bios_registers registers = { .eax = VIDEO_TELETYPE | (uint8_t)character, .ebx = LIGHT_GREY };
    bios_call(VIDEO, &registers);
    serial_put(character);
}

static void print(const char *text)
{
    while (*text)
        put(*text++);
}

noreturn void fail(const char *fmt, ...)
{
    char message[256];
    va_list args;
    va_start(args, fmt);
    format_va(message, sizeof(message), fmt, args);
    va_end(args);
    serial_init();
    print("unikernel: ");
    print(message);
    print("\r\n");
    out8(DEBUG_EXIT_PORT, DEBUG_EXIT_CRASH);
    for (;;)
        __asm__ volatile("hlt");
}
