/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the profiler is to find: time in a function of the program, in code that was made at run time and is named in a
 * perf map as a JVM writes it, and in a system call. Each takes about as long as the others.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define EACH_MS 700

static uint64_t cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

__attribute__((noinline)) void spin_inner(void)
{
    for (volatile unsigned i = 0; i < 1000000; i++)
        ;
}

__attribute__((noinline)) void spin_outer(void)
{
    for (uint64_t end = cpu_ms() + EACH_MS; cpu_ms() < end;)
        spin_inner();
}

/* push rbp; mov rbp, rsp; mov ecx, 10000000; 1: dec ecx; jnz 1b; pop rbp; ret */
static const uint8_t loop[] = { 0x55, 0x48, 0x89, 0xe5, 0xb9, 0x80, 0x96, 0x98, 0, 0xff, 0xc9, 0x75, 0xfc, 0x5d, 0xc3 };

static void name_code(const void *code)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
    FILE *map = fopen(path, "w");
    if (!map || fprintf(map, "%lx %zx made.Code::spin()\n", (unsigned long)code, sizeof(loop)) < 0 || fclose(map))
        exit(1);
}

__attribute__((noinline)) void spin_in_made_code(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        exit(1);
    memcpy(code, loop, sizeof(loop));
    name_code(code);
    for (uint64_t end = cpu_ms() + EACH_MS; cpu_ms() < end;)
        ((void (*)(void))code)();
}

__attribute__((noinline)) void spin_in_system_calls(void)
{
    static char buffer[1 << 20];
    int zero = open("/dev/zero", O_RDONLY);
    for (uint64_t end = cpu_ms() + EACH_MS; cpu_ms() < end;)
        if (read(zero, buffer, sizeof(buffer)) != sizeof(buffer))
            exit(1);
}

int main(void)
{
    spin_outer();
    spin_in_made_code();
    spin_in_system_calls();
    puts("spun");
    return 0;
}
