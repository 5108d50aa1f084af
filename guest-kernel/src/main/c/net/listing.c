/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/net/tcp, tcp6, udp, udp6, arp, route, ipv6_route and if_inet6 (proc(5)). What is shown of sockets is copied
 * into records under the net lock and printed without it, so that no packet waits for text. Records are made for as
 * many sockets as there were when the file was opened, and a few more.
 */
#include "net/listing.h"

#include "core/heap.h"
#include "files/network_view.h"
#include "net/bytes.h"
#include "net/interface.h"
#include "net/ip6.h"
#include "net/neighbour.h"
#include "net/tcp_private.h"
#include "net/udp_private.h"
#include "threads/thread.h"

#define SPARE_RECORDS 64u /* for sockets that are made between counting and copying */
#define LINES_AT_ONCE 64u /* between points where others may run */

struct record {
    struct endpoint local, remote;
    uint32_t state, sending, receiving;
    uint64_t number; /* of the inode; 0: no socket has it */
    int family;      /* of its socket; without one, of its address */
};
struct records {
    struct record *all; /* NULL: only counted */
    uint32_t count, room;
};

static void add(struct records *records, const struct record *record)
{
    if (records->all && records->count < records->room)
        records->all[records->count] = *record;
    if (!records->all || records->count < records->room)
        records->count++;
}

static void add_connection(struct tcp_entry *entry, void *context)
{
    static const uint32_t states[] = { [TCP_ENTRY_REQUEST] = TCP_SYN_RECEIVED, [TCP_ENTRY_TIME_WAIT] = TCP_TIME_WAIT };
    struct record record = { .local = entry->local,
                             .remote = entry->remote,
                             .family = ip_is_ipv4(entry->local.address) ? AF_INET : AF_INET6 };
    if (entry->kind == TCP_ENTRY_CONNECTION) {
        const struct tcp *tcp = container_of(entry, struct tcp, entry);
        record.state = tcp->state;
        record.sending = tcp->send_end - tcp->send_unacknowledged;
        record.number = tcp->socket ? tcp->socket->socket.number : 0;
        record.family = tcp->socket ? tcp->socket->socket.family : record.family;
    } else {
        record.state = states[entry->kind];
    }
    add(context, &record);
}

static void add_listeners(struct records *records)
{
    for (unsigned i = 0; i < PORT_BUCKETS; i++) {
        list_for_each (link, &tcp_ports.buckets[i]) {
            const struct port_binding *binding = list_entry(link, struct port_binding, link);
            if (!binding->listening)
                continue;
            const struct tcp_socket *listener = container_of(binding, struct tcp_socket, binding);
            add(records, &(struct record){ .local = binding->local,
                                           .state = TCP_LISTEN,
                                           .receiving = listener->waiting_count,
                                           .family = listener->socket.family,
                                           .number = listener->socket.number });
        }
    }
}

static void collect_tcp(struct records *records)
{
    add_listeners(records);
    tcp_table_for_each(add_connection, records);
}

static void collect_udp(struct records *records)
{
    for (unsigned i = 0; i < PORT_BUCKETS; i++) {
        list_for_each (link, &udp_ports.buckets[i]) {
            const struct udp_socket *udp = list_entry(link, struct udp_socket, binding.link);
            add(records, &(struct record){ .local = udp->binding.local,
                                           .remote = udp->remote,
                                           .state = udp->remote.port != 0 ? TCP_ESTABLISHED : TCP_CLOSED,
                                           .receiving = udp->received_bytes,
                                           .family = udp->socket.family,
                                           .number = udp->socket.number });
        }
    }
}

/* Addresses are printed as the 32-bit numbers that their bytes make in memory. */
static void print_endpoint(struct text *out, int family, const struct endpoint *endpoint)
{
    struct ip_address a = ip6_outside(endpoint->address);
    if (family == AF_INET)
        text_print(out, "%08X:%04X ", (uint32_t)(a.low >> 32), endpoint->port);
    else
        text_print(out, "%08X%08X%08X%08X:%04X ", (uint32_t)a.high, (uint32_t)(a.high >> 32), (uint32_t)a.low,
                   (uint32_t)(a.low >> 32), endpoint->port);
}

static void print_records(struct text *out, int family, const struct records *records)
{
    unsigned position = 0;
    for (uint32_t i = 0; i < records->count; i++) {
        const struct record *r = &records->all[i];
        if (r->family == family) {
            text_print(out, "%4u: ", position++);
            print_endpoint(out, family, &r->local);
            print_endpoint(out, family, &r->remote);
            text_print(out, "%02X %08X:%08X 00:00000000 00000000     0        0 %lu 1 0000000000000000 0\n", r->state,
                       r->sending, r->receiving, r->number);
        }
        if (i % LINES_AT_ONCE == 0)
            give_way();
    }
}

static void show(struct text *out, int family, void (*collect)(struct records *records))
{
    struct records records = { NULL, 0, 0 };
    const char *addresses = family == AF_INET
                                ? "local_address rem_address   "
                                : "local_address                         remote_address                        ";
    text_print(out, "  sl  %sst tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n", addresses);
    net_lock();
    collect(&records);
    net_unlock();
    records.room = records.count + SPARE_RECORDS;
    records.count = 0;
    records.all = heap_allocate_at(records.room * sizeof(*records.all), PAGES_NEEDED);
    if (!records.all) {
        out->failed = true;
        return;
    }
    net_lock();
    collect(&records);
    net_unlock();
    print_records(out, family, &records);
    heap_free(records.all);
}

static void show_tcp(struct text *out) { show(out, AF_INET, collect_tcp); }
static void show_udp(struct text *out) { show(out, AF_INET, collect_udp); }
static void show_tcp6(struct text *out) { show(out, AF_INET6, collect_tcp); }
static void show_udp6(struct text *out) { show(out, AF_INET6, collect_udp); }

static void print_bytes6(struct text *out, struct ip_address address)
{
    struct ip6_bytes bytes = ip6_bytes_of(address);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        text_print(out, "%02x", bytes.bytes[i]);
}

static void print_address6(struct text *out, const struct interface *interface, const struct ip6_own *own)
{
    enum { SCOPE_LOOPBACK = 0x10, SCOPE_LINK = 0x20 }; /* IPV6_ADDR_* of Linux */
    unsigned scope = interface->loopback ? SCOPE_LOOPBACK : ip6_is_link_local(own->address) ? SCOPE_LINK : 0;
    print_bytes6(out, own->address);
    text_print(out, " %02x %02x %02x %02x %8s\n", interface->index, own->prefix, scope, ip6_flags(own),
               interface->name);
}

static void show_addresses6(struct text *out)
{
    net_lock();
    for (unsigned i = 0; i < interface_count(); i++)
        for (unsigned k = 0; k < IP6_ADDRESSES; k++)
            if (interface_at(i)->ip6.own[k].valid_until > net_now())
                print_address6(out, interface_at(i), &interface_at(i)->ip6.own[k]);
    net_unlock();
}

static void print_route(struct text *out, const struct interface *interface, ipv4_t to, ipv4_t gateway, ipv4_t mask)
{
    enum { RTF_UP = 1, RTF_GATEWAY = 2 };
    text_print(out, "%s\t%08X\t%08X\t%04X\t0\t0\t0\t%08X\t0\t0\t0\n", interface->name, __builtin_bswap32(to),
               __builtin_bswap32(gateway), gateway != IPV4_ANY ? RTF_UP | RTF_GATEWAY : RTF_UP,
               __builtin_bswap32(mask));
}

static void show_routes(struct text *out)
{
    text_print(out, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
    net_lock();
    for (unsigned i = 0; i < interface_count(); i++) {
        const struct interface *interface = interface_at(i);
        const struct net_configuration *configuration = &interface->configuration;
        if (interface->loopback || configuration->address == IPV4_ANY)
            continue;
        if (configuration->gateway != IPV4_ANY)
            print_route(out, interface, IPV4_ANY, configuration->gateway, IPV4_ANY);
        ipv4_t mask = interface_netmask(interface);
        print_route(out, interface, configuration->address & mask, IPV4_ANY, mask);
    }
    net_unlock();
}

/* Never those of loopback, which has none. */
static bool print_neighbour(const struct neighbour_entry *entry, void *context)
{
    enum { HARDWARE_ETHERNET = 1, COMPLETE = 2 }; /* ARPHRD_ETHER and ATF_COM of linux/if_arp.h */
    static const uint8_t none[6];
    char address[IPV4_TEXT];
    const uint8_t *mac = entry->mac ? entry->mac : none;
    if (ip_is_ipv4(entry->address))
        text_print(context, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
                   ipv4_format(address, ipv4_of(entry->address)), HARDWARE_ETHERNET, entry->mac ? COMPLETE : 0, mac[0],
                   mac[1], mac[2], mac[3], mac[4], mac[5], entry->interface->name);
    return true;
}

static void show_neighbours(struct text *out)
{
    text_print(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
    net_lock();
    neighbour_for_each(print_neighbour, out);
    net_unlock();
}

static void print_way6(const struct ip6_way *way, void *context)
{
    /* RTF_* of linux/route.h and linux/ipv6_route.h: up; a gateway; the default, by a router, with an end; local */
    enum { UP = 1, GATEWAY = 2, DEFAULT = 0x10000, BY_ROUTER = 0x40000, LOCAL = 0x80200000 };
    static const uint32_t flags[] = { [IP6_WAY_LOCAL] = UP | LOCAL,
                                      [IP6_WAY_ON_LINK] = UP,
                                      [IP6_WAY_ROUTER] = UP | GATEWAY | DEFAULT | BY_ROUTER,
                                      [IP6_WAY_GROUPS] = UP };
    enum { EXPIRES = 0x400000 };
    struct text *out = context;
    print_bytes6(out, way->destination);
    text_print(out, " %02x ", way->prefix);
    print_bytes6(out, IP6_ANY);
    text_print(out, " 00 ");
    print_bytes6(out, way->gateway);
    text_print(out, " %08x 00000001 00000000 %08x %8s\n", way->metric,
               flags[way->kind] | (way->valid_until != NO_DEADLINE ? EXPIRES : 0), way->interface->name);
}

static void show_routes6(struct text *out)
{
    net_lock();
    ip6_for_each_way(print_way6, out);
    net_unlock();
}

void listing_init(void)
{
    network_view.tcp = show_tcp;
    network_view.udp = show_udp;
    network_view.tcp6 = show_tcp6;
    network_view.udp6 = show_udp6;
    network_view.addresses6 = show_addresses6;
    network_view.neighbours = show_neighbours;
    network_view.routes = show_routes;
    network_view.routes6 = show_routes6;
}
