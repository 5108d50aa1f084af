/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a boot from a BIOS: the sector has loaded this, and the kernel is loaded and given what a PVH loader
 * gives it (xen/include/public/arch-x86/hvm/start_info.h). The kernel's command line is the one that GRUB would pass
 * it: the first `kernel` line of menu.lst, after the kernel's path.
 */
#include "bios.h"
#include "lib/string.h"

#define MENU_SIZE 4096
#define COMMAND_LINE_SIZE 1024 /* platform/platform.h: command_line */
#define KERNEL_WORD "kernel "

noreturn void loader_main(uint8_t drive);

static struct start_info start_info;
static char menu[MENU_SIZE];

static void read_menu(void)
{
    uint32_t size = file_size(MAP_MENU);
    if (size >= MENU_SIZE)
        fail("menu.lst has %u bytes, more than %u; shorten it", size, MENU_SIZE - 1);
    file_read(MAP_MENU, 0, menu, size);
}

/* The line that begins with the word, without the word and its end; ends in NUL. */
static char *find_line(char *text, const char *word)
{
    while (text && !starts_with(text, word)) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (!text)
        fail("menu.lst has no line that begins with \"%s\"; build the image again", word);
    char *end = strchr(text, '\n');
    if (end)
        *end = 0;
    return text + strlen(word);
}

static const char *command_line(void)
{
    read_menu();
    char *path = find_line(menu, KERNEL_WORD);
    char *space = strchr(path, ' ');
    const char *words = space ? space + 1 : path + strlen(path);
    if (strlen(words) >= COMMAND_LINE_SIZE)
        fail("the kernel's command line in menu.lst is too long; shorten it");
    return words;
}

noreturn void loader_main(uint8_t drive)
{
    disk_init(drive);
    memory_open_a20();
    memory_read_map();
    start_info.magic = START_INFO_MAGIC;
    start_info.version = 1;
    start_info.command_line = (uintptr_t)command_line();
    uint32_t entry = kernel_load();
    memory_describe(&start_info);
    kernel_enter(entry, &start_info);
}
