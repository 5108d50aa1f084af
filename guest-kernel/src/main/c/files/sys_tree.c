/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /sys: the processors, one memory node, network interfaces, and what there is of huge pages. There is no
 * /sys/fs/cgroup, so HotSpot takes the guest's memory and processors as its limits.
 */
#include "core/pages.h"
#include "drivers/device.h"
#include "files/pseudo_trees.h"

/* Those that run, whatever the platform offers, as cores of one package, since nothing more is known about them. */
static void show_number(struct text *out, uint32_t number) { text_print(out, "%u\n", number); }

static void show_online(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, cpus_online > 1 ? "0-%u\n" : "0\n", cpus_online - 1);
}

static void show_last(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%u\n", cpus_online - 1);
}

static void show_mask(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "%lx\n", cpus_online_mask());
}

static uint32_t next_cpu(uint32_t from) { return from < cpus_online ? from : PSEUDO_NONE; }

static const struct pseudo_entry topology_files[] = {
    { .name = "core_id", .mode = S_IFREG | 0444, .show = show_number },
    { .name = "core_siblings_list", .mode = S_IFREG | 0444, .show = show_online },
    { .name = "physical_package_id", .mode = S_IFREG | 0444, .text = "0\n" },
    { .name = "thread_siblings_list", .mode = S_IFREG | 0444, .show = show_number },
    { 0 },
};
static const struct pseudo_entry cpu_files[] = {
    { .name = "topology", .mode = S_IFDIR | 0555, .children = topology_files },
    { 0 },
};
static const struct pseudo_entry cpu = { .mode = S_IFDIR | 0555, .children = cpu_files };
static const struct pseudo_numbered numbered_cpus = { .prefix = "cpu", .next = next_cpu, .child = &cpu };
static const struct pseudo_entry cpu_lists[] = {
    { .name = "kernel_max", .mode = S_IFREG | 0444, .show = show_last },
    { .name = "offline", .mode = S_IFREG | 0444, .text = "\n" },
    { .name = "online", .mode = S_IFREG | 0444, .show = show_online },
    { .name = "possible", .mode = S_IFREG | 0444, .show = show_online },
    { .name = "present", .mode = S_IFREG | 0444, .show = show_online },
    { 0 },
};

static void show_node_memory(struct text *out, uint32_t number)
{
    uint64_t total = pages_total_count() * (PAGE_SIZE / 1024), free = pages_free_count() * (PAGE_SIZE / 1024);
    (void)number;
    text_print(out, "Node 0 MemTotal: %14lu kB\n", total);
    text_print(out, "Node 0 MemFree:  %14lu kB\n", free);
    text_print(out, "Node 0 MemUsed:  %14lu kB\n", total - free);
}

static const struct pseudo_entry node_files[] = {
    { .name = "cpulist", .mode = S_IFREG | 0444, .show = show_online },
    { .name = "cpumap", .mode = S_IFREG | 0444, .show = show_mask },
    { .name = "distance", .mode = S_IFREG | 0444, .text = "10\n" },
    { .name = "meminfo", .mode = S_IFREG | 0444, .show = show_node_memory },
    { 0 },
};
static const struct pseudo_entry nodes[] = {
    { .name = "node0", .mode = S_IFDIR | 0555, .children = node_files },
    { .name = "online", .mode = S_IFREG | 0444, .text = "0\n" },
    { .name = "possible", .mode = S_IFREG | 0444, .text = "0\n" },
    { 0 },
};
static const struct pseudo_entry system_devices[] = {
    { .name = "cpu", .mode = S_IFDIR | 0555, .children = cpu_lists, .numbered = &numbered_cpus },
    { .name = "node", .mode = S_IFDIR | 0555, .children = nodes },
    { 0 },
};
static const struct pseudo_entry devices[] = {
    { .name = "system", .mode = S_IFDIR | 0555, .children = system_devices },
    { 0 },
};

static void show_large_pages(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, mmu_has_large_pages() ? "always [madvise] never\n" : "always madvise [never]\n");
}

static const struct pseudo_entry transparent_huge_pages[] = {
    { .name = "defrag", .mode = S_IFREG | 0444, .text = "always defer defer+madvise madvise [never]\n" },
    { .name = "enabled", .mode = S_IFREG | 0444, .show = show_large_pages },
    { .name = "hpage_pmd_size", .mode = S_IFREG | 0444, .text = "2097152\n" },
    { .name = "shmem_enabled", .mode = S_IFREG | 0444, .text = "always within_size advise [never] deny force\n" },
    { 0 },
};
static const struct pseudo_entry memory_management[] = {
    { .name = "hugepages", .mode = S_IFDIR | 0555 },
    { .name = "transparent_hugepage", .mode = S_IFDIR | 0555, .children = transparent_huge_pages },
    { 0 },
};
static const struct pseudo_entry kernel_files[] = {
    { .name = "mm", .mode = S_IFDIR | 0555, .children = memory_management },
    { 0 },
};
/* One directory for loopback and each NIC; the files of a NIC find it by its number. */
static const struct pseudo_entry loopback_files[] = {
    { .name = "address", .mode = S_IFREG | 0444, .text = "00:00:00:00:00:00\n" },
    { .name = "carrier", .mode = S_IFREG | 0444, .text = "1\n" },
    { .name = "flags", .mode = S_IFREG | 0444, .text = "0x9\n" },
    { .name = "ifindex", .mode = S_IFREG | 0444, .text = "1\n" },
    { .name = "mtu", .mode = S_IFREG | 0444, .text = "65536\n" },
    { .name = "operstate", .mode = S_IFREG | 0444, .text = "unknown\n" },
    { .name = "type", .mode = S_IFREG | 0444, .text = "772\n" },
    { 0 },
};

static void show_mac(struct text *out, uint32_t number)
{
    const uint8_t *m = network_device_at(number)->mac;
    text_print(out, "%02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void show_carrier(struct text *out, uint32_t number)
{
    text_print(out, "%u\n", network_device_at(number)->running);
}

static void show_index(struct text *out, uint32_t number) { text_print(out, "%u\n", number + 2); }
static void show_mtu(struct text *out, uint32_t number) { text_print(out, "%u\n", network_device_at(number)->mtu); }

static void show_state(struct text *out, uint32_t number)
{
    text_print(out, "%s\n", network_device_at(number)->running ? "up" : "down");
}

static const struct pseudo_entry nic_files[] = {
    { .name = "address", .mode = S_IFREG | 0444, .show = show_mac },
    { .name = "carrier", .mode = S_IFREG | 0444, .show = show_carrier },
    { .name = "flags", .mode = S_IFREG | 0444, .text = "0x1003\n" },
    { .name = "ifindex", .mode = S_IFREG | 0444, .show = show_index },
    { .name = "mtu", .mode = S_IFREG | 0444, .show = show_mtu },
    { .name = "operstate", .mode = S_IFREG | 0444, .show = show_state },
    { .name = "type", .mode = S_IFREG | 0444, .text = "1\n" },
    { 0 },
};
static uint32_t next_nic(uint32_t from) { return network_device_at(from) ? from : PSEUDO_NONE; }
static const struct pseudo_entry nic = { .mode = S_IFDIR | 0555, .children = nic_files };
static const struct pseudo_numbered nics = { .prefix = "eth", .next = next_nic, .child = &nic };
static const struct pseudo_entry loopback[] = {
    { .name = "lo", .mode = S_IFDIR | 0555, .children = loopback_files },
    { 0 },
};
static const struct pseudo_entry classes[] = {
    { .name = "net", .mode = S_IFDIR | 0555, .children = loopback, .numbered = &nics },
    { 0 },
};

static const struct pseudo_entry top[] = {
    { .name = "class", .mode = S_IFDIR | 0555, .children = classes },
    { .name = "devices", .mode = S_IFDIR | 0555, .children = devices },
    { .name = "fs", .mode = S_IFDIR | 0555 },
    { .name = "kernel", .mode = S_IFDIR | 0555, .children = kernel_files },
    { 0 },
};
const struct pseudo_entry sys_root = { .mode = S_IFDIR | 0555, .children = top, .size = SIZE_PAGE };
