/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of `cost`: `reader FILE sequential MIB` reads a file from its beginning, `reader FILE random COUNT` as
 * many of its blocks of 4 KiB, each once and in no order, without read-ahead and, where that is offered, without a page
 * cache (O_DIRECT). It prints how long that took, how many requests the disk of the file had meanwhile, and how many
 * bytes they moved, from /proc/diskstats. The plugin that counts instructions does so only while it reads.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../peers/cost.h"

#define MIB (1UL << 20)
#define PAGE 4096UL
#define BLOCKS (32 * MIB / PAGE) /* of the file; a power of two, so that an odd step reaches all of them */
#define STEP 5003UL
#define SECTOR 512UL

struct transfers {
    unsigned long requests, bytes;
};

static char buffer[1 << 16] __attribute__((aligned(PAGE)));

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct transfers transfers_of_disk(int file)
{
    struct stat status;
    unsigned major, minor;
    unsigned long reads, sectors;
    FILE *disks = fopen("/proc/diskstats", "r");
    if (disks == NULL || fstat(file, &status) != 0)
        fail("/proc/diskstats");
    while (fscanf(disks, "%u %u %*s %lu %*u %lu%*[^\n]", &major, &minor, &reads, &sectors) == 4) {
        if (makedev(major, minor) != status.st_dev)
            continue;
        fclose(disks);
        return (struct transfers){ reads, sectors * SECTOR };
    }
    fprintf(stderr, "reader: the disk of the file is not in /proc/diskstats\n");
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A function at COUNTER_MARK that does nothing. */
static void (*make_mark(void))(void)
{
    static const unsigned char ret = 0xc3;
    unsigned char *page = mmap((void *)COUNTER_MARK, PAGE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page != (void *)COUNTER_MARK)
        fail("the page of the mark");
    page[0] = ret;
    if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0)
        fail("the page of the mark");
    return (void (*)(void))page;
}

static void read_sequentially(int file, unsigned long mib)
{
    for (unsigned long left = mib * MIB; left > 0;) {
        ssize_t length = read(file, buffer, sizeof(buffer));
        if (length <= 0)
            fail("read");
        left -= (unsigned long)length;
    }
}

static void read_at_random(int file, unsigned long blocks)
{
    for (unsigned long i = 0; i < blocks; i++)
        if (pread(file, buffer, PAGE, (off_t)(i * STEP % BLOCKS * PAGE)) != (ssize_t)PAGE)
            fail("pread");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    bool random = strcmp(argv[2], "random") == 0;
    unsigned long amount = strtoul(argv[3], NULL, 10);
    void (*mark)(void) = make_mark();
    int file = open(argv[1], O_RDONLY | (random ? O_DIRECT : 0));
    if (file < 0 || (random && posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM) != 0))
        fail(argv[1]);
    struct transfers before = transfers_of_disk(file);
    double start = now();
    mark();
    (random ? read_at_random : read_sequentially)(file, amount);
    mark();
    double seconds = now() - start;
    struct transfers after = transfers_of_disk(file);
    printf("seconds %.6f requests %lu bytes %lu\n", seconds, after.requests - before.requests,
           after.bytes - before.bytes);
    return 0;
}
