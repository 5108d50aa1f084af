/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of the metrics (metrics.h): names, help, types and samples in Prometheus' text format, version 0.0.4. Names
 * follow its conventions: base units, and "_total" for what only grows. Each family is printed as a whole.
 *
 * Called by metrics.c in its thread. Numbers are read as they are, without a lock but the net lock for the table of
 * connections and the address space's mutex for its pages, so those of one answer may be of slightly different moments.
 */
#include "core/journal.h"
#include "drivers/device.h"
#include "files/process_view.h"
#include "memory/address_space.h"
#include "memory/page_cache.h"
#include "net/metrics.h"
#include "net/tcp_private.h"
#include "platform/platform.h"
#include "threads/thread.h"

static void begin(struct text *out, const char *name, const char *type, const char *help)
{
    text_print(out, "# HELP unikernel_%s %s\n# TYPE unikernel_%s %s\n", name, help, name, type);
}

static void number(struct text *out, const char *name, const char *type, const char *help, uint64_t value)
{
    begin(out, name, type, help);
    text_print(out, "unikernel_%s %lu\n", name, value);
}

static void seconds(struct text *out, nanoseconds time)
{
    text_print(out, "%lu.%09lu\n", time / NS_PER_SECOND, time % NS_PER_SECOND);
}

/* ---- The machine ------------------------------------------------------------------------------------------- */

static void print_machine(struct text *out, nanoseconds now)
{
    begin(out, "info", "gauge", "The kernel and what it runs on; always 1.");
    text_print(out, "unikernel_info{release=\"%s\",platform=\"%s\"} 1\n",
               process_view.release ? process_view.release : "", platform.name);
    begin(out, "boot_time_seconds", "gauge", "When the machine started, in seconds since 1970.");
    text_print(out, "unikernel_boot_time_seconds ");
    seconds(out, clock_wall() - now);
    begin(out, "uptime_seconds", "gauge", "How long ago the machine started.");
    text_print(out, "unikernel_uptime_seconds ");
    seconds(out, now);
    number(out, "threads", "gauge", "Threads of the program.", threads_user_count());
    number(out, "log_lost_lines_total", "counter", "Lines of the log that were dropped instead of being sent.",
           journal_lost());
}

static void print_cpu_time(struct text *out, unsigned cpu, const char *mode, nanoseconds time)
{
    text_print(out, "unikernel_cpu_seconds_total{cpu=\"%u\",mode=\"%s\"} ", cpu, mode);
    seconds(out, time);
}

static void print_cpus(struct text *out)
{
    begin(out, "cpu_seconds_total", "counter",
          "Time of each CPU: of the program, of the kernel, idle, or stolen by the hypervisor.");
    for (unsigned i = 0; i < cpus_online; i++) {
        struct cpu_times times;
        cpu_times_of(cpus[i], &times);
        print_cpu_time(out, i, "user", times.user);
        print_cpu_time(out, i, "system", times.system);
        print_cpu_time(out, i, "idle", times.idle);
        print_cpu_time(out, i, "steal", times.stolen);
    }
}

/* What is neither free, nor cached, nor the program's own. Pages of files that are mapped are cached. */
static uint64_t kernel_pages(const struct address_space_usage *usage)
{
    uint64_t own = usage->resident_pages - min_of(usage->resident_pages, page_cache_mapped_count());
    uint64_t others = pages_free_count() + page_cache_count() + own;
    return pages_total_count() - min_of(pages_total_count(), others);
}

static void print_memory(struct text *out)
{
    struct address_space_usage usage;
    address_space_usage(&usage);
    number(out, "memory_total_bytes", "gauge", "Memory that the kernel manages.", pages_total_count() * PAGE_SIZE);
    number(out, "memory_free_bytes", "gauge", "Memory that nothing uses.", pages_free_count() * PAGE_SIZE);
    number(out, "memory_available_bytes", "gauge", "Memory that the program may yet get.",
           address_space_available() * PAGE_SIZE);
    number(out, "memory_page_cache_bytes", "gauge", "Contents of files in memory, files in memory included.",
           page_cache_count() * PAGE_SIZE);
    number(out, "memory_program_bytes", "gauge", "Memory that the program has touched, pages of files included.",
           usage.resident_pages * PAGE_SIZE);
    number(out, "memory_kernel_bytes", "gauge", "Memory that the kernel uses itself.",
           kernel_pages(&usage) * PAGE_SIZE);
}

/* ---- Devices ----------------------------------------------------------------------------------------------- */

/* One number of a device, by its place in the structure. */
struct device_number {
    const char *name, *help;
    size_t offset;
};

static void print_device_number(struct text *out, const struct device_number *what, const char *device,
                                const void *structure)
{
    const uint64_t *value = (const uint64_t *)((const char *)structure + what->offset);
    text_print(out, "unikernel_%s{device=\"%s\"} %lu\n", what->name, device, *value);
}

static void print_network_devices(struct text *out)
{
    static const struct device_number numbers[] = {
        { "network_receive_bytes_total", "Bytes received.", offsetof(struct network_device, received_bytes) },
        { "network_receive_packets_total", "Packets received.", offsetof(struct network_device, received_packets) },
        { "network_transmit_bytes_total", "Bytes sent.", offsetof(struct network_device, sent_bytes) },
        { "network_transmit_packets_total", "Packets sent.", offsetof(struct network_device, sent_packets) },
        { "network_dropped_packets_total", "Packets dropped, in both directions, for want of memory or room.",
          offsetof(struct network_device, dropped) },
    };
    struct network_device *device;
    for (size_t i = 0; i < array_size(numbers); i++) {
        begin(out, numbers[i].name, "counter", numbers[i].help);
        for (unsigned at = 0; (device = network_device_at(at)); at++)
            print_device_number(out, &numbers[i], device->name, device);
    }
}

static void print_disks(struct text *out)
{
    static const struct device_number numbers[] = {
        { "disk_reads_total", "Requests to read.", offsetof(struct block_device, reads) },
        { "disk_read_bytes_total", "Bytes that requests read.", offsetof(struct block_device, read_bytes) },
        { "disk_writes_total", "Requests to write.", offsetof(struct block_device, writes) },
        { "disk_written_bytes_total", "Bytes that requests write.", offsetof(struct block_device, written_bytes) },
    };
    struct block_device *device;
    for (size_t i = 0; i < array_size(numbers); i++) {
        begin(out, numbers[i].name, "counter", numbers[i].help);
        for (unsigned at = 0; (device = block_device_at(at)); at++)
            print_device_number(out, &numbers[i], device->name, device);
    }
}

/* ---- TCP ----------------------------------------------------------------------------------------------------- */

struct connections {
    uint64_t opening, established, closing, time_wait;
};

static void count_connection(struct tcp_entry *entry, void *context)
{
    struct connections *connections = context;
    const struct tcp *tcp = container_of(entry, struct tcp, entry);
    if (entry->kind == TCP_ENTRY_TIME_WAIT)
        connections->time_wait++;
    else if (entry->kind == TCP_ENTRY_REQUEST || tcp->state == TCP_SYN_SENT)
        connections->opening++;
    else if (tcp->state == TCP_ESTABLISHED)
        connections->established++;
    else
        connections->closing++;
}

static void print_tcp(struct text *out)
{
    struct connections now = { 0 };
    net_lock();
    tcp_table_for_each(count_connection, &now);
    struct tcp_counts counts = tcp_counts;
    uint64_t memory = net_memory_charged();
    net_unlock();
    begin(out, "tcp_connections", "gauge", "Connections of TCP that exist.");
    text_print(out, "unikernel_tcp_connections{state=\"opening\"} %lu\n", now.opening);
    text_print(out, "unikernel_tcp_connections{state=\"established\"} %lu\n", now.established);
    text_print(out, "unikernel_tcp_connections{state=\"closing\"} %lu\n", now.closing);
    text_print(out, "unikernel_tcp_connections{state=\"time_wait\"} %lu\n", now.time_wait);
    begin(out, "tcp_opened_connections_total", "counter", "Connections opened, by the machine or by peers.");
    text_print(out, "unikernel_tcp_opened_connections_total{by=\"machine\"} %lu\n", counts.active_opens);
    text_print(out, "unikernel_tcp_opened_connections_total{by=\"peer\"} %lu\n", counts.passive_opens);
    number(out, "tcp_retransmitted_segments_total", "counter", "Segments sent again.", counts.retransmits);
    number(out, "network_memory_bytes", "gauge", "Memory that connections and packets hold.", memory);
}

void metrics_print(struct text *out)
{
    nanoseconds now = clock_monotonic();
    print_machine(out, now);
    print_cpus(out);
    print_memory(out);
    print_network_devices(out);
    print_tcp(out);
    print_disks(out);
}
