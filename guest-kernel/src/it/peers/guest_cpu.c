/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "guest_cpu.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX 16u

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Opens the counters of the threads that are named as QEMU names them; proc(5), schedstat. */
static unsigned open_counters(pid_t emulator, int *files)
{
    char path[64], name[32];
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", emulator);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks != NULL && count < CPUS_MAX && (task = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", emulator, task->d_name);
        FILE *file = fopen(path, "r");
        bool runs_guest = file != NULL && fgets(name, sizeof(name), file) != NULL && strncmp(name, "CPU ", 4) == 0;
        if (file != NULL)
            fclose(file);
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", emulator, task->d_name);
        if (runs_guest && (files[count] = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
            count++;
    }
    if (tasks != NULL)
        closedir(tasks);
    return count;
}

uint64_t guest_cpu_ns(pid_t emulator)
{
    static _Thread_local int files[CPUS_MAX];
    static _Thread_local unsigned count;
    uint64_t total = 0;
    if (count == 0)
        count = open_counters(emulator, files);
    for (unsigned i = 0; i < count; i++) {
        char text[64] = { 0 };
        if (pread(files[i], text, sizeof(text) - 1, 0) > 0)
            total += strtoull(text, NULL, 10);
    }
    return total;
}
