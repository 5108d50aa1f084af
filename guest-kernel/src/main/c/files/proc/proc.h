/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that make /proc. */
#pragma once

#include "files/process_view.h"
#include "files/pseudo.h"
#include "threads/thread.h"

#define CLOCK_TICKS_PER_SECOND 100 /* AT_CLKTCK, the unit of times in /proc */
static inline uint64_t ticks(nanoseconds time) { return time / (NS_PER_SECOND / CLOCK_TICKS_PER_SECOND); }

/* What is copied of a thread while the run queue is locked. */
struct thread_facts {
    uint32_t id;
    char name[16];
    char state; /* R or S, proc(5) */
    nanoseconds cpu_time;
    uint64_t allowed; /* the CPUs that it may run on */
    uint64_t sleeps, preemptions;
};
/* The user thread with this id; false if there is none. */
bool thread_facts_find(uint32_t id, struct thread_facts *out);
/* CPU time of all user threads, ended ones not included. */
nanoseconds process_cpu_time(void);

extern const struct pseudo_entry proc_process_entries[], proc_task_entries[], proc_network_entries[];
extern const struct pseudo_numbered proc_tasks;

/* proc/maps.c */
void show_maps(struct text *out, uint32_t number);
void show_smaps(struct text *out, uint32_t number);
void show_smaps_rollup(struct text *out, uint32_t number);
/* proc/mounts.c */
void show_mounts(struct text *out, uint32_t number);
void show_mountinfo(struct text *out, uint32_t number);
/* proc/cpuinfo.c */
void show_cpuinfo(struct text *out, uint32_t number);
