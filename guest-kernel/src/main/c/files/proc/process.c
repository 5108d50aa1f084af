/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID and /proc/PID/task/TID, proc(5): one table of files for both, which are about the whole process or one
 * thread by the number of the nearest numbered directory. The numbers of the one process and of its first thread are
 * the same.
 *
 * Called by pseudo.c when a file is opened or a link is read. No lock is held here: facts of a thread are copied under
 * "threads" (threads.c), what only linux/ knows comes from process_view, and address_space_usage() takes mutex
 * "address_space". So the numbers in one text may be of slightly different moments.
 */
#include "files/proc/proc.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "platform/platform.h"

/* The thread that a file is about: TID of its directory, or the first thread for /proc/PID itself. */
static struct thread_facts facts_of(uint32_t number)
{
    struct thread_facts facts = { .id = number ? number : process_view.id, .state = 'S' };
    /* For a thread that has just ended the values set above stay. */
    (void)thread_facts_find(facts.id, &facts);
    return facts;
}

static bool is_task(uint32_t number) { return number != process_view.id; }

static struct process_signals signals_of(uint32_t thread)
{
    struct process_signals signals = { 0 };
    if (process_view.signals)
        process_view.signals(thread, &signals);
    return signals;
}

/* The 52 fields of proc(5), /proc/pid/stat. What has no meaning here is 0. */
static void show_stat(struct text *out, uint32_t number)
{
    struct thread_facts facts = facts_of(number);
    struct process_signals signals = signals_of(facts.id);
    struct address_space_usage usage;
    address_space_usage(&usage);
    nanoseconds time = is_task(number) ? facts.cpu_time : process_cpu_time();
    text_print(out, "%u (%s) %c 0 %u %u 0 -1 0 0 0 0 0 ", facts.id, facts.name, facts.state, process_view.id,
               process_view.id);
    text_print(out, "%lu 0 0 0 20 0 %u 0 %lu ", ticks(time), threads_user_count(), ticks(process_view.started));
    text_print(out, "%lu %lu %lu ", usage.reserved_bytes, usage.resident_pages, UINT64_MAX);
    text_print(out, "%lu 0 %lu 0 0 ", usage.code_start, usage.stack_start);
    text_print(out, "%lu %lu %lu %lu ", signals.pending & INT32_MAX, signals.blocked & INT32_MAX,
               signals.ignored & INT32_MAX, signals.caught & INT32_MAX);
    text_print(out, "0 0 0 17 0 0 0 0 0 0 0 0 %lu 0 0 0 0 0\n", usage.break_start);
}

static void show_statm(struct text *out, uint32_t number)
{
    struct address_space_usage usage;
    (void)number;
    address_space_usage(&usage);
    text_print(out, "%lu %lu 0 0 0 0 0\n", usage.reserved_bytes / PAGE_SIZE, usage.resident_pages);
}

/* As sched_getaffinity(2): 32 CPUs to a group of digits, and as ranges. */
static void print_allowed_cpus(struct text *out, uint64_t allowed)
{
    text_print(out, "Cpus_allowed:\t");
    if (cpus_online > 32)
        text_print(out, "%08x,%08x", (uint32_t)(allowed >> 32), (uint32_t)allowed);
    else
        text_print(out, "%x", (uint32_t)allowed);
    text_print(out, "\nCpus_allowed_list:\t");
    const char *separator = "";
    for (unsigned first = 0, end; first < cpus_online; first = end + 1) {
        for (end = first; end < cpus_online && allowed >> end & 1; end++) {}
        if (end == first)
            continue;
        text_print(out, end - first > 1 ? "%s%u-%u" : "%s%u", separator, first, end - 1);
        separator = ",";
    }
    text_print(out, "\n");
}

static void show_status(struct text *out, uint32_t number)
{
    struct thread_facts facts = facts_of(number);
    struct process_signals signals = signals_of(facts.id);
    struct address_space_usage usage;
    address_space_usage(&usage);
    text_print(out, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", facts.name,
               process_view.umask ? *process_view.umask : 0, facts.state, facts.state == 'R' ? "running" : "sleeping");
    text_print(out, "Tgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t0\nTracerPid:\t0\n", process_view.id, facts.id);
    text_print(out, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t0\n");
    text_print(out, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\nVmSwap:\t       0 kB\n", usage.reserved_bytes / 1024,
               usage.resident_pages * (PAGE_SIZE / 1024));
    text_print(out, "Threads:\t%u\n", threads_user_count());
    text_print(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", signals.pending, signals.shared_pending,
               signals.blocked);
    text_print(out, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", signals.ignored, signals.caught);
    text_print(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", process_view.capabilities[2],
               process_view.capabilities[1], process_view.capabilities[0]);
    text_print(out, "CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t%u\n",
               process_view.no_new_privileges);
    text_print(out, "Seccomp:\t0\n");
    print_allowed_cpus(out, facts.allowed);
    text_print(out, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
    text_print(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", facts.sleeps,
               facts.preemptions);
}

static void show_comm(struct text *out, uint32_t number)
{
    struct thread_facts facts = facts_of(number);
    text_print(out, "%s\n", facts.name);
}

static void show_command_line(struct text *out, uint32_t number)
{
    (void)number;
    if (process_view.command_line)
        process_view.command_line(out);
}

static void show_environment(struct text *out, uint32_t number)
{
    (void)number;
    if (process_view.environment)
        process_view.environment(out);
}

/* Counts what reads and writes of files moved; disks are read through the page cache only. */
static void show_transfers(struct text *out, uint32_t number)
{
    (void)number;
    struct file_transfers t = file_transfers;
    text_print(out, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", t.read_bytes, t.written_bytes, t.reads,
               t.writes);
    text_print(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
}

static void show_auxiliary_vector(struct text *out, uint32_t number)
{
    (void)number;
    if (process_view.auxiliary_vector)
        text_bytes(out, process_view.auxiliary_vector, process_view.auxiliary_size);
}

/* asm-generic/resource.h, in order. */
static const struct {
    const char *name, *unit;
} limits[] = {
    { "Max cpu time", "seconds" },    { "Max file size", "bytes" },      { "Max data size", "bytes" },
    { "Max stack size", "bytes" },    { "Max core file size", "bytes" }, { "Max resident set", "bytes" },
    { "Max processes", "processes" }, { "Max open files", "files" },     { "Max locked memory", "bytes" },
    { "Max address space", "bytes" }, { "Max file locks", "locks" },     { "Max pending signals", "signals" },
    { "Max msgqueue size", "bytes" }, { "Max nice priority", "" },       { "Max realtime priority", "" },
    { "Max realtime timeout", "us" },
};

static void print_limit(struct text *out, uint64_t value)
{
    char number[24];
    format(number, sizeof(number), "%lu", value);
    text_print(out, "%-20s ", value == UINT64_MAX ? "unlimited" : number);
}

static void show_limits(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < array_size(limits); i++) {
        struct process_limit limit = { UINT64_MAX, UINT64_MAX };
        if (process_view.limit)
            process_view.limit(i, &limit);
        text_print(out, "%-25s ", limits[i].name);
        print_limit(out, limit.soft);
        print_limit(out, limit.hard);
        text_print(out, "%-10s\n", limits[i].unit);
    }
}

static void target_executable(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%s", process_view.executable);
}

static void target_directory(struct text *out, uint32_t number)
{
    char path[PATH_LIMIT / 4];
    (void)number;
    struct dentry *directory = working_directory();
    if (dentry_path(directory, path, sizeof(path)) > 0)
        text_bytes(out, path, strlen(path));
    dentry_put(directory);
}

static void target_root(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "/");
}

/* ---- Descriptors ---- */

static uint32_t next_descriptor(uint32_t from)
{
    int next = from <= INT32_MAX ? descriptor_next((int)from) : -1;
    return next < 0 ? PSEUDO_NONE : (uint32_t)next;
}

static void target_descriptor(struct text *out, uint32_t number)
{
    struct file *file = descriptor_get_any((int)number);
    if (!file)
        return;
    char path[PATH_LIMIT / 4];
    struct file_status status;
    if (file_path(file, path, sizeof(path)) > 0)
        text_bytes(out, path, strlen(path));
    else if (file_status(file, &status))
        text_print(out, "anon_inode:[%u]", number);
    else if ((status.mode & S_IFMT) == S_IFSOCK)
        text_print(out, "socket:[%lu]", status.inode);
    else if ((status.mode & S_IFMT) == S_IFIFO)
        text_print(out, "pipe:[%lu]", status.inode);
    else
        text_print(out, "anon_inode:[%u]", number);
    file_put(file);
}

static const struct pseudo_entry descriptor = { .mode = S_IFLNK | 0700, .target = target_descriptor };
static const struct pseudo_numbered descriptors = { .prefix = "", .next = next_descriptor, .child = &descriptor };

#define TASK_FILES \
    { .name = "comm", .mode = S_IFREG | 0444, .show = show_comm }, \
        { .name = "stat", .mode = S_IFREG | 0444, .show = show_stat }, \
        { .name = "statm", .mode = S_IFREG | 0444, .show = show_statm }, \
        { .name = "status", .mode = S_IFREG | 0444, .show = show_status }, \
        { .name = "maps", .mode = S_IFREG | 0444, .show = show_maps }, \
        { .name = "smaps", .mode = S_IFREG | 0444, .show = show_smaps }, \
        { .name = "mounts", .mode = S_IFREG | 0444, .show = show_mounts }, \
        { .name = "mountinfo", .mode = S_IFREG | 0444, .show = show_mountinfo }, \
        { .name = "limits", .mode = S_IFREG | 0444, .show = show_limits }, \
        { .name = "cmdline", .mode = S_IFREG | 0444, .show = show_command_line, .size = SIZE_NONE }, \
        { .name = "environ", .mode = S_IFREG | 0400, .show = show_environment, .size = SIZE_NONE }, \
        { .name = "exe", .mode = S_IFLNK | 0777, .target = target_executable }, \
        { .name = "cwd", .mode = S_IFLNK | 0777, .target = target_directory }, \
        { .name = "root", .mode = S_IFLNK | 0777, .target = target_root }, \
        { .name = "fd", .mode = S_IFDIR | 0500, .numbered = &descriptors }, \
        { .name = "net", .mode = S_IFDIR | 0555, .children = proc_network_entries }, \
        { .name = "io", .mode = S_IFREG | 0400, .show = show_transfers }, \
        { .name = "auxv", .mode = S_IFREG | 0400, .show = show_auxiliary_vector, .size = SIZE_NONE }, \
        { .name = "smaps_rollup", .mode = S_IFREG | 0444, .show = show_smaps_rollup }, \
        { .name = "personality", .mode = S_IFREG | 0400, .text = "00000000\n" }, \
        { .name = "wchan", .mode = S_IFREG | 0444, .text = "0" }, \
        { .name = "cgroup", .mode = S_IFREG | 0444, .text = "0::/\n" }, \
        { .name = "oom_score", .mode = S_IFREG | 0444, .text = "0\n" }, \
        { .name = "oom_score_adj", .mode = S_IFREG | 0644, .text = "0\n", .size = SIZE_NONE }, \
    { \
        .name = "coredump_filter", .mode = S_IFREG | 0644, .text = "00000033\n", .size = SIZE_NONE \
    }

const struct pseudo_entry proc_task_entries[] = { TASK_FILES, { 0 } };
const struct pseudo_entry proc_process_entries[] = {
    TASK_FILES,
    { .name = "task", .mode = S_IFDIR | 0555, .numbered = &proc_tasks },
    { 0 },
};
