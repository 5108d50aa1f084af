/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of `cost`: reads a file from its beginning, as many MiB as its argument says, and prints how long that
 * took and how many requests the disk had until then, from /proc/diskstats.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FILE_TO_READ "/data"
#define MIB (1UL << 20)

static char buffer[1 << 16];

static unsigned long requests(void)
{
    unsigned long reads = 0;
    FILE *file = fopen("/proc/diskstats", "r");
    if (file == NULL || fscanf(file, "%*u %*u %*s %lu", &reads) != 1) {
        perror("/proc/diskstats");
        exit(1);
    }
    fclose(file);
    return reads;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    unsigned long left = argc == 2 ? strtoul(argv[1], NULL, 10) * MIB : 0;
    int file = open(FILE_TO_READ, O_RDONLY);
    double start = now();
    while (left > 0) {
        ssize_t count = read(file, buffer, sizeof(buffer));
        if (count <= 0) {
            perror(FILE_TO_READ);
            return 1;
        }
        left -= (unsigned long)count;
    }
    printf("seconds %.6f requests %lu\n", now() - start, requests());
    return 0;
}
