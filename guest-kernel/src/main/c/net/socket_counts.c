/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net/sockstat and sockstat6 (proc(5)), with Linux's names in Linux's order. Counted when a file is opened, under
 * the net lock, as listing.c walks the same tables. A connection without a socket waits to be accepted, or was closed
 * by the program and not by its peer; it counts among the sockets as on Linux. UDP-Lite and raw sockets do not exist
 * here.
 */
#include "files/network_view.h"
#include "lib/format.h"
#include "net/ip6.h"
#include "net/listing.h"
#include "net/tcp_private.h"
#include "net/udp_private.h"

struct usage { /* [0] of AF_INET, [1] of AF_INET6 */
    unsigned tcp[2], udp[2], fragmented[2];
    unsigned without_socket, time_wait, orphans;
    uint64_t udp_memory, fragment_memory[2], memory; /* bytes; memory: all that is charged */
};

static void count_connection(struct tcp_entry *entry, void *context)
{
    struct usage *usage = context;
    bool is_ipv6 = !ip_is_ipv4(entry->local.address);
    usage->time_wait += entry->kind == TCP_ENTRY_TIME_WAIT;
    if (entry->kind != TCP_ENTRY_CONNECTION)
        return;
    const struct tcp *tcp = container_of(entry, struct tcp, entry);
    if (tcp->socket)
        is_ipv6 = tcp->socket->socket.family == AF_INET6;
    else
        usage->without_socket++;
    usage->tcp[is_ipv6]++;
}

static void count_ports(struct usage *usage)
{
    for (unsigned i = 0; i < PORT_BUCKETS; i++) {
        list_for_each (link, &tcp_ports.buckets[i]) {
            const struct port_binding *binding = list_entry(link, struct port_binding, link);
            if (binding->listening)
                usage->tcp[container_of(binding, struct tcp_socket, binding)->socket.family == AF_INET6]++;
        }
        list_for_each (link, &udp_ports.buckets[i]) {
            const struct udp_socket *udp = list_entry(link, struct udp_socket, binding.link);
            usage->udp[udp->socket.family == AF_INET6]++;
            usage->udp_memory += udp->received_bytes;
        }
    }
}

static struct usage count_all(void)
{
    struct usage usage = { 0 };
    net_lock();
    tcp_table_for_each(count_connection, &usage);
    count_ports(&usage);
    for (unsigned i = 0; i < 2; i++)
        ip_reassembly_usage(i == 1, &usage.fragmented[i], &usage.fragment_memory[i]);
    usage.orphans = tcp_orphans();
    usage.memory = net_memory_charged();
    net_unlock();
    return usage;
}

static uint64_t pages_for(uint64_t bytes) { return align_up(bytes, PAGE_SIZE) / PAGE_SIZE; }

static void show_sockets(struct text *out)
{
    struct usage usage = count_all();
    struct socket_counts sockets = socket_counts();
    /* What peers make the stack hold is of TCP, of UDP, or of datagrams that are not whole. */
    uint64_t tcp_memory = usage.memory - usage.udp_memory - usage.fragment_memory[0] - usage.fragment_memory[1];
    text_print(out, "sockets: used %u\n", sockets.all + usage.without_socket);
    text_print(out, "TCP: inuse %u orphan %u tw %u alloc %u mem %lu\n", usage.tcp[0], usage.orphans, usage.time_wait,
               sockets.tcp + usage.without_socket, pages_for(tcp_memory));
    text_print(out, "UDP: inuse %u mem %lu\nUDPLITE: inuse 0\nRAW: inuse 0\n", usage.udp[0],
               pages_for(usage.udp_memory));
    text_print(out, "FRAG: inuse %u memory %lu\n", usage.fragmented[0], usage.fragment_memory[0]);
}

static void show_sockets6(struct text *out)
{
    if (!ip6_is_on())
        return;
    struct usage usage = count_all();
    text_print(out, "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse 0\n", usage.tcp[1], usage.udp[1]);
    text_print(out, "FRAG6: inuse %u memory %lu\n", usage.fragmented[1], usage.fragment_memory[1]);
}

void socket_counts_init(void)
{
    network_view.sockets = show_sockets;
    network_view.sockets6 = show_sockets6;
}
