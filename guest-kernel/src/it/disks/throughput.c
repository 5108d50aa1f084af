/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of `compare`: `throughput DIRECTORY MIB BLOCKS FSYNCS` writes a file of so many MiB in the directory from
 * its beginning and makes it durable, reads it again, writes and reads as many of its blocks of 4 KiB, each once and in
 * no order, and makes as many blocks durable one by one. It prints a line `NAME SECONDS BYTES` for each. The file is to
 * be larger than memory, so that it has to be on the disk. What is read is compared with what was written.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define PAGE 4096UL
#define PIECE (16 * PAGE)
#define STEP 5003UL /* odd, so that it reaches all blocks when they are a power of two */

static uint64_t buffer[PIECE / sizeof(uint64_t)];
static int file;
static unsigned long pages, blocks, fsyncs;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Page `page` begins with its number and with how often it was written. */
static void write_page(unsigned long page, unsigned long version)
{
    buffer[0] = page;
    buffer[1] = version;
    if (pwrite(file, buffer, PAGE, (off_t)(page * PAGE)) != (ssize_t)PAGE)
        fail("pwrite");
}

static void make_durable(void)
{
    if (fsync(file) != 0)
        fail("fsync");
}

static void check(const uint64_t *page, unsigned long number, unsigned long version)
{
    if (page[0] == number && page[1] == version)
        return;
    fprintf(stderr, "throughput: page %lu holds version %lu of page %lu\n", number, page[1], page[0]);
    exit(1);
}

static unsigned long write_sequentially(void)
{
    for (unsigned long page = 0; page < pages; page += PIECE / PAGE) {
        for (unsigned long i = 0; i < PIECE / PAGE; i++) {
            buffer[i * PAGE / sizeof(uint64_t)] = page + i;
            buffer[i * PAGE / sizeof(uint64_t) + 1] = 1;
        }
        if (write(file, buffer, PIECE) != (ssize_t)PIECE)
            fail("write");
    }
    make_durable();
    return pages * PAGE;
}

static unsigned long read_sequentially(void)
{
    if (lseek(file, 0, SEEK_SET) != 0)
        fail("lseek");
    for (unsigned long page = 0; page < pages; page += PIECE / PAGE) {
        if (read(file, buffer, PIECE) != (ssize_t)PIECE)
            fail("read");
        for (unsigned long i = 0; i < PIECE / PAGE; i++)
            check(buffer + i * PAGE / sizeof(uint64_t), page + i, 1);
    }
    return pages * PAGE;
}

static unsigned long write_at_random(void)
{
    for (unsigned long i = 0; i < blocks; i++)
        write_page(i * STEP % pages, 2);
    make_durable();
    return blocks * PAGE;
}

static unsigned long read_at_random(void)
{
    if (posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM) != 0)
        fail("posix_fadvise");
    for (unsigned long i = 0; i < blocks; i++) {
        unsigned long page = (blocks + i) * STEP % pages; /* not those that were just written */
        if (pread(file, buffer, PAGE, (off_t)(page * PAGE)) != (ssize_t)PAGE)
            fail("pread");
        check(buffer, page, 1);
    }
    return blocks * PAGE;
}

static unsigned long store_one_by_one(void)
{
    for (unsigned long i = 0; i < fsyncs; i++) {
        write_page(i * STEP % pages, 3);
        make_durable();
    }
    return fsyncs * PAGE;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned long (*work)(void);
    } parts[] = {
        { "sequential-write", write_sequentially },
        { "sequential-read", read_sequentially },
        { "random-write", write_at_random },
        { "random-read", read_at_random },
        { "fsync", store_one_by_one },
    };
    if (argc != 5 || chdir(argv[1]) != 0)
        fail("throughput DIRECTORY MIB BLOCKS FSYNCS");
    pages = strtoul(argv[2], NULL, 10) * MIB / PAGE;
    blocks = strtoul(argv[3], NULL, 10);
    fsyncs = strtoul(argv[4], NULL, 10);
    file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0)
        fail("file");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        double start = now();
        unsigned long bytes = parts[i].work();
        printf("%s %.6f %lu\n", parts[i].name, now() - start, bytes);
        fflush(stdout);
    }
    return 0;
}
