/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program sees of a disk that is taken away: `reader FILE` follows the lines of its standard input, `read N` and
 * `touch N`, for pages of the file: the one by pread(2), the other in a mapping. It prints what the page holds, or why
 * it cannot be read. No page is read ahead, so that each that was not asked for before comes from the disk.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u

static void print_page(unsigned number, const uint8_t *page)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PAGE; i++)
        sum = (sum ^ page[i]) * 0x100000001b3;
    printf("page %u %016lx\n", number, (unsigned long)sum);
}

static void read_page(int file, unsigned number)
{
    uint8_t page[PAGE];
    if (pread(file, page, PAGE, (off_t)number * PAGE) == PAGE)
        print_page(number, page);
    else
        printf("page %u %s\n", number, strerrorname_np(errno));
}

int main(int argc, char **argv)
{
    struct stat status;
    char line[64];
    unsigned number;
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &status) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM) != 0)
        return 2;
    const uint8_t *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    read_page(-1, 0); /* what is executed for an error has to be in memory when there is no disk */
    printf("ready\n");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (sscanf(line, "read %u", &number) == 1)
            read_page(file, number);
        else if (sscanf(line, "touch %u", &number) == 1)
            print_page(number, mapped + (size_t)number * PAGE);
    }
    return 0;
}
