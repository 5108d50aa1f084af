/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net, proc(5). Each file is printed by the function of network_view that net/ has set, and is empty while there
 * is none; without IPv6, the files of IPv6 are empty. Entered when a file is opened (files/proc). No lock is held, and
 * the functions take that of net/.
 */
#include "drivers/device.h"
#include "files/network_view.h"
#include "files/proc/proc.h"

struct network_view network_view;

static void show_devices(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "Inter-|   Receive                                                |  Transmit\n"
                    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
                    "fifo colls carrier compressed\n");
    text_print(out, "%6s: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", "lo");
    struct network_device *device;
    for (unsigned i = 0; (device = network_device_at(i)); i++)
        text_print(out, "%6s: %lu %lu 0 %lu 0 0 0 0 %lu %lu 0 0 0 0 0 0\n", device->name, device->received_bytes,
                   device->received_packets, device->dropped, device->sent_bytes, device->sent_packets);
}

static void show_if_set(struct text *out, void (*show)(struct text *out))
{
    if (show)
        show(out);
}

static void show_tcp(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.tcp);
}
static void show_udp(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.udp);
}
static void show_tcp6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.tcp6);
}
static void show_udp6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.udp6);
}
static void show_addresses6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.addresses6);
}
static void show_sockets(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.sockets);
}
static void show_sockets6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.sockets6);
}
static void show_neighbours(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.neighbours);
}
static void show_routes(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.routes);
}

static void show_routes6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.routes6);
}

static void show_groups(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.groups);
}
static void show_groups6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.groups6);
}
static void show_group_sources(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.group_sources);
}
static void show_group_sources6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.group_sources6);
}

static void show_counters(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.counters);
}
static void show_counters6(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.counters6);
}
static void show_more_counters(struct text *out, uint32_t number)
{
    (void)number;
    show_if_set(out, network_view.more_counters);
}

static void show_unix(struct text *out, uint32_t number)
{
    (void)number;
    text_print(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    show_if_set(out, network_view.unix_sockets);
}

const struct pseudo_entry proc_network_entries[] = {
    { .name = "arp", .mode = S_IFREG | 0444, .show = show_neighbours },
    { .name = "dev", .mode = S_IFREG | 0444, .show = show_devices },
    { .name = "if_inet6", .mode = S_IFREG | 0444, .show = show_addresses6 },
    { .name = "igmp", .mode = S_IFREG | 0444, .show = show_groups },
    { .name = "igmp6", .mode = S_IFREG | 0444, .show = show_groups6 },
    { .name = "ipv6_route", .mode = S_IFREG | 0444, .show = show_routes6 },
    { .name = "mcfilter", .mode = S_IFREG | 0444, .show = show_group_sources },
    { .name = "mcfilter6", .mode = S_IFREG | 0444, .show = show_group_sources6 },
    { .name = "netstat", .mode = S_IFREG | 0444, .show = show_more_counters },
    { .name = "route", .mode = S_IFREG | 0444, .show = show_routes },
    { .name = "snmp", .mode = S_IFREG | 0444, .show = show_counters },
    { .name = "snmp6", .mode = S_IFREG | 0444, .show = show_counters6 },
    { .name = "sockstat", .mode = S_IFREG | 0444, .show = show_sockets },
    { .name = "sockstat6", .mode = S_IFREG | 0444, .show = show_sockets6 },
    { .name = "tcp", .mode = S_IFREG | 0444, .show = show_tcp },
    { .name = "tcp6", .mode = S_IFREG | 0444, .show = show_tcp6 },
    { .name = "udp", .mode = S_IFREG | 0444, .show = show_udp },
    { .name = "udp6", .mode = S_IFREG | 0444, .show = show_udp6 },
    { .name = "unix", .mode = S_IFREG | 0444, .show = show_unix },
    { 0 },
};
