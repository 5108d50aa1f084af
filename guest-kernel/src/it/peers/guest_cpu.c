#define _GNU_SOURCE
#include "guest_cpu.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t guest_cpu_ns(pid_t emulator)
{
    char path[64], name[32];
    uint64_t total = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", emulator);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        unsigned long long had = 0;
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", emulator, task->d_name);
        FILE *file = fopen(path, "r");
        bool runs_guest = file != NULL && fgets(name, sizeof(name), file) != NULL && strncmp(name, "CPU ", 4) == 0;
        if (file != NULL)
            fclose(file);
        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", emulator, task->d_name);
        if (!runs_guest || (file = fopen(path, "r")) == NULL)
            continue;
        if (fscanf(file, "%llu", &had) == 1)
            total += had;
        fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
    return total;
}
