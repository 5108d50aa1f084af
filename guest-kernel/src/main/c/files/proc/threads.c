/* SPDX-License-Identifier: Apache-2.0 */
#include "files/proc/proc.h"
#include "lib/string.h"
#include "platform/platform.h"

struct process_view process_view = { .id = 1, .release = "", .executable = "" };

/* For thread_find(): copies, allocates nothing. */
static void take_facts(struct thread *thread, void *context)
{
    struct thread_facts *facts = context;
    facts->id = thread->id;
    string_copy(facts->name, thread->name, sizeof(facts->name));
    struct thread_usage usage;
    thread_usage(thread, &usage);
    facts->state = usage.wants_cpu ? 'R' : 'S';
    facts->cpu_time = usage.cpu_time;
    facts->sleeps = usage.sleeps;
    facts->preemptions = usage.preemptions;
    facts->allowed = usage.affinity;
}

bool thread_facts_find(uint32_t id, struct thread_facts *out) { return thread_find(id, take_facts, out); }

static void add_time(struct thread *thread, void *context)
{
    if (thread->user)
        *(nanoseconds *)context += thread_cpu_time(thread);
}

nanoseconds process_cpu_time(void)
{
    nanoseconds total = 0;
    threads_for_each(add_time, &total);
    return total;
}

struct lowest {
    uint32_t from, found;
};

static void keep_lowest(struct thread *thread, void *context)
{
    struct lowest *lowest = context;
    if (thread->user && thread->id >= lowest->from)
        lowest->found = min_of(lowest->found, thread->id);
}

static uint32_t next_task(uint32_t from)
{
    struct lowest lowest = { from, PSEUDO_NONE };
    threads_for_each(keep_lowest, &lowest);
    return lowest.found;
}

static const struct pseudo_entry task = { .mode = S_IFDIR | 0555, .children = proc_task_entries };
const struct pseudo_numbered proc_tasks = { .prefix = "", .next = next_task, .child = &task };
