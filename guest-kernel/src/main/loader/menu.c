/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/string.h"
#include "loader.h"

#define MENU_SIZE 4096
#define KERNEL_WORD "kernel "

static char menu[MENU_SIZE];

static void read_menu(void)
{
    uint32_t size = file_size(FILE_MENU);
    if (size >= MENU_SIZE)
        fail("menu.lst has %u bytes, more than %u; shorten it", size, MENU_SIZE - 1);
    file_read(FILE_MENU, 0, menu, size);
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

const char *menu_command_line(void)
{
    read_menu();
    char *path = find_line(menu, KERNEL_WORD);
    char *space = strchr(path, ' ');
    const char *words = space ? space + 1 : path + strlen(path);
    if (strlen(words) >= COMMAND_LINE_SIZE)
        fail("the kernel's command line in menu.lst is too long; shorten it");
    return words;
}
