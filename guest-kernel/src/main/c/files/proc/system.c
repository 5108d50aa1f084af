/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files at the top of /proc and those of /proc/sys. Most of /proc/sys is constant text: values that programs look
 * for, and limits of this kernel. Nothing there can be written.
 *
 * Called by pseudo.c when a file is opened or a link is read. No lock is held here, so the counts in one text may be of
 * slightly different moments. The boot_id is made when it is first read, and then stays.
 */
#include "core/lock_statistics.h"
#include "core/random.h"
#include "drivers/device.h"
#include "files/proc/proc.h"
#include "files/pseudo_trees.h"
#include "files/tmpfs.h"
#include "lib/string.h"
#include "memory/address_space.h"
#include "platform/platform.h"

static void show_memory(struct text *out, uint32_t number)
{
    (void)number;
    const uint64_t k = PAGE_SIZE / 1024;
    uint64_t total = pages_total_count() * k, free = pages_free_count() * k;
    uint64_t available = address_space_available() * k, cached = page_cache_count() * k;
    text_print(out, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n", total, free,
               available);
    text_print(out, "Buffers:               0 kB\nCached:         %8lu kB\nSwapCached:            0 kB\n", cached);
    text_print(out, "SwapTotal:             0 kB\nSwapFree:              0 kB\nDirty:                 0 kB\n");
    text_print(out, "Shmem:          %8lu kB\n", cached - page_cache_evictable() * k);
    text_print(out, "AnonHugePages:  %8lu kB\n", mmu_large_counts().mapped * (LARGE_PAGE_SIZE / 1024));
    text_print(out, "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n");
}

/* Of all CPUs. */
static struct cpu_times sum_of_times(void)
{
    struct cpu_times sum = { 0 }, one;
    for (unsigned i = 0; i < cpus_online; i++) {
        cpu_times_of(cpus[i], &one);
        sum.user += one.user;
        sum.system += one.system;
        sum.idle += one.idle;
        sum.stolen += one.stolen;
    }
    return sum;
}

/* proc(5): user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice. */
static void show_cpu_times(struct text *out, const struct cpu_times *times)
{
    text_print(out, " %lu 0 %lu %lu 0 0 0 %lu 0 0\n", ticks(times->user), ticks(times->system), ticks(times->idle),
               ticks(times->stolen));
}

static void show_stat(struct text *out, uint32_t number)
{
    (void)number;
    struct cpu_times times = sum_of_times();
    text_print(out, "cpu ");
    show_cpu_times(out, &times);
    for (unsigned i = 0; i < cpus_online; i++) {
        cpu_times_of(cpus[i], &times);
        text_print(out, "cpu%u", i);
        show_cpu_times(out, &times);
    }
    text_print(out, "btime %lu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
               (clock_wall() - clock_monotonic()) / NS_PER_SECOND);
}

static void show_seconds(struct text *out, nanoseconds time, const char *end)
{
    text_print(out, "%lu.%02lu%s", time / NS_PER_SECOND, time % NS_PER_SECOND / (NS_PER_SECOND / 100), end);
}

static void show_uptime(struct text *out, uint32_t number)
{
    (void)number;
    show_seconds(out, clock_monotonic(), " ");
    show_seconds(out, sum_of_times().idle, "\n");
}

/* No averages are kept; the last fields are true. */
static void show_load(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "0.00 0.00 0.00 1/%u %u\n", threads_user_count(), process_view.id);
}

static void show_version(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "Linux version %s (unikernel, Linux ABI)\n", process_view.release);
}

static void show_release(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%s\n", process_view.release);
}

static void show_most_threads(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%u\n", threads_limit());
}

static void show_command_line(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%s\n", platform.command_line);
}

static void print_uuid(struct text *out, const uint8_t bytes[16])
{
    for (unsigned i = 0; i < 16; i++)
        text_print(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    text_print(out, "\n");
}

/* RFC 9562 4: version 4, variant 10. */
static void make_uuid(uint8_t bytes[16])
{
    random_bytes(bytes, 16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
}

static void show_uuid(struct text *out, uint32_t number)
{
    uint8_t bytes[16];
    (void)number;
    make_uuid(bytes);
    print_uuid(out, bytes);
}

static void show_boot_id(struct text *out, uint32_t number)
{
    static uint8_t bytes[16];
    (void)number;
    if (bytes[6] == 0)
        make_uuid(bytes);
    print_uuid(out, bytes);
}

static void show_memory_events(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "nr_free_pages %lu\nnr_file_pages %lu\nnr_dirty 0\nnr_writeback 0\n", pages_free_count(),
               page_cache_count());
    struct mmu_large_counts large = mmu_large_counts();
    text_print(out, "nr_anon_transparent_hugepages %lu\n", large.mapped);
    text_print(out, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault %lu\n", memory_events.faults);
    text_print(out, "oom_kill 0\nthp_fault_alloc %lu\nthp_fault_fallback %lu\nthp_split_pmd %lu\n",
               memory_events.large_served, memory_events.large_missing, large.splits);
}

/* Requests and sectors that were read and written; times are not measured. */
static void show_disks(struct text *out, uint32_t number)
{
    (void)number;
    struct block_device *device;
    for (unsigned i = 0; (device = block_device_at(i)); i++)
        text_print(out, "%4u %7u %s %lu 0 %lu 0 %lu 0 %lu 0 0 0 0 0 0 0 0 0 0\n", device->major, device->minor,
                   device->name, device->reads, device->read_bytes / SECTOR_SIZE, device->writes,
                   device->written_bytes / SECTOR_SIZE);
}

static void target_network(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "self/net");
}

static void target_self(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%u", process_view.id);
}

static void target_mounts(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "self/mounts");
}

static void target_thread_self(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%u/task/%u", process_view.id, thread_current()->id);
}

#ifdef KERNEL_DEBUG
static void put_line(const char *line, void *out) { text_bytes(out, line, strlen(line)); }

static void show_locks(struct text *out, uint32_t number)
{
    (void)number;
    lock_statistics_lines(put_line, out);
}
#endif

/* clang-format off */
#define FILE_OF(file_name, contents) { .name = file_name, .mode = S_IFREG | 0444, .text = contents }
#define SHOWN(file_name, function) { .name = file_name, .mode = S_IFREG | 0444, .show = function }
#define DIRECTORY(file_name, table) { .name = file_name, .mode = S_IFDIR | 0555, .children = table }
/* clang-format on */

static const struct pseudo_entry random_files[] = {
    SHOWN("boot_id", show_boot_id),
    FILE_OF("entropy_avail", "256\n"),
    FILE_OF("poolsize", "256\n"),
    SHOWN("uuid", show_uuid),
    { 0 },
};
static const struct pseudo_entry kernel_files[] = {
    FILE_OF("cap_last_cap", "40\n"),
    FILE_OF("core_pattern", "core\n"),
    FILE_OF("ngroups_max", "65536\n"),
    SHOWN("osrelease", show_release),
    FILE_OF("ostype", "Linux\n"),
    FILE_OF("pid_max", "4194304\n"),
    DIRECTORY("random", random_files),
    FILE_OF("randomize_va_space", "2\n"),
    SHOWN("threads-max", show_most_threads),
    { 0 },
};
static const struct pseudo_entry memory_files[] = {
    FILE_OF("max_map_count", "65530\n"),
    FILE_OF("mmap_min_addr", "65536\n"),
    FILE_OF("nr_hugepages", "0\n"),
    FILE_OF("overcommit_memory", "0\n"),
    FILE_OF("overcommit_ratio", "50\n"),
    FILE_OF("swappiness", "0\n"),
    { 0 },
};
static const struct pseudo_entry file_files[] = {
    FILE_OF("file-max", "65536\n"),
    FILE_OF("nr_open", "65536\n"),
    FILE_OF("pipe-max-size", "65536\n"),
    { 0 },
};
static const struct pseudo_entry core_files[] = { FILE_OF("somaxconn", "4096\n"), { 0 } };
static const struct pseudo_entry ipv4_files[] = {
    FILE_OF("ip_local_port_range", "32768\t60999\n"),
    FILE_OF("tcp_fastopen", "0\n"),
    { 0 },
};
static const struct pseudo_entry network_settings[] = {
    DIRECTORY("core", core_files),
    DIRECTORY("ipv4", ipv4_files),
    { 0 },
};
static const struct pseudo_entry settings[] = {
    DIRECTORY("fs", file_files),
    DIRECTORY("kernel", kernel_files),
    DIRECTORY("net", network_settings),
    DIRECTORY("vm", memory_files),
    { 0 },
};

static uint32_t next_process(uint32_t from) { return from <= process_view.id ? process_view.id : PSEUDO_NONE; }
static const struct pseudo_entry process = { .mode = S_IFDIR | 0555, .children = proc_process_entries };
static const struct pseudo_numbered processes = { .prefix = "", .next = next_process, .child = &process };

static const struct pseudo_entry top[] = {
    FILE_OF("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
    SHOWN("cmdline", show_command_line),
    SHOWN("cpuinfo", show_cpuinfo),
    SHOWN("diskstats", show_disks),
    FILE_OF("filesystems", "nodev\tproc\nnodev\tsysfs\nnodev\tdevtmpfs\nnodev\ttmpfs\n\text2\n"),
    SHOWN("loadavg", show_load),
#ifdef KERNEL_DEBUG
    SHOWN("lock_stat", show_locks),
#endif
    SHOWN("meminfo", show_memory),
    { .name = "mounts", .mode = S_IFLNK | 0777, .target = target_mounts },
    { .name = "net", .mode = S_IFLNK | 0777, .target = target_network },
    { .name = "self", .mode = S_IFLNK | 0777, .target = target_self },
    SHOWN("stat", show_stat),
    { .name = "sys", .mode = S_IFDIR | 0555, .children = settings, .size = SIZE_NONE },
    { .name = "thread-self", .mode = S_IFLNK | 0777, .target = target_thread_self },
    SHOWN("uptime", show_uptime),
    SHOWN("version", show_version),
    SHOWN("vmstat", show_memory_events),
    { 0 },
};
const struct pseudo_entry proc_root = { .mode = S_IFDIR | 0555, .children = top, .numbered = &processes };
