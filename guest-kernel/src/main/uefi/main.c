/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a boot by UEFI: the kernel is loaded from files beside this loader, and given what a PVH loader gives it
 * (xen/include/public/arch-x86/hvm/start_info.h). All that the kernel reads of it lies below 4 GiB (EARLY_LIMIT).
 */
#include "lib/string.h"
#include "uefi.h"

noreturn void loader_main(void *image, struct efi_system_table *system);

void *efi_image;
struct efi_system_table *efi_system;

/* What the kernel is given; it copies what it needs before it uses this memory. */
struct given {
    struct start_info info;
    char command_line[COMMAND_LINE_SIZE];
    char handover[256];
};

static struct given *prepare(void)
{
    struct given *given = memory_allocate(sizeof(*given));
    memset(given, 0, sizeof(*given));
    given->info.magic = START_INFO_MAGIC;
    given->info.version = 1;
    given->info.command_line = (uintptr_t)given->command_line;
    const char *words = menu_command_line();
    memcpy(given->command_line, words, strlen(words));
    size_t size = (size_t)(handover_end - handover_start);
    if (size > sizeof(given->handover))
        fail("the loader's last %u bytes do not fit in %u; build the kernel again", (unsigned)size,
             (unsigned)sizeof(given->handover));
    memcpy(given->handover, handover_start, size);
    return given;
}

noreturn void loader_main(void *image, struct efi_system_table *system)
{
    efi_image = image;
    efi_system = system;
    files_open();
    uint32_t entry = kernel_load();
    struct given *given = prepare();
    files_close();
    memory_take_over(&given->info);
    ((handover *)(uintptr_t)given->handover)(entry, (uint32_t)(uintptr_t)&given->info);
    __builtin_unreachable();
}
