/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds the stack together: its lock, the budget of memory, configuration and the end. net_unlock() first has
 * interfaces_finish() receive what was sent to ourselves and notify devices, so that no such work is left while the
 * lock is free. The value of "static" in unikernel.conf is parsed here too, and resolv.conf and hosts are written.
 *
 * Called by main.c in the boot thread, by dhcp.c (net_apply()), by linux/process_end.c (net_shut_down(), when no other
 * thread runs any more), and by all of net/ for the lock and the account. The net lock guards the account and the
 * milestones; the budget is set by net_init() and stays. Threads that wait for an address are woken without the lock.
 */
#include "net/net.h"

#include "net/listing.h"
#include "net/multicast.h"
#include "net/ports.h"
#include "net/socket.h"

#include "core/lock.h"
#include "core/log.h"
#include "core/pages.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/arp.h"
#include "net/counters.h"
#include "net/device_service.h"
#include "net/dhcp.h"
#include "net/dhcp6.h"
#include "net/icmp.h"
#include "net/interface.h"
#include "net/ip.h"
#include "net/ip6.h"
#include "net/name_servers.h"
#include "net/nd.h"
#include "net/neighbour.h"
#include "net/path_mtu.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "platform/platform.h"
#include "threads/timer.h"
#include "threads/wait.h"

#define BUDGET_SHARE 8     /* one part in this many of all memory */
#define PRESSURE_EIGHTHS 6 /* of the budget, where pressure begins */
#define FULL_EIGHTHS 7     /* from which on only new connections may have some */

void (*net_milestone)(enum net_event event, nanoseconds when);
void (*net_urgent)(void);

static struct spinlock lock = SPINLOCK(LOCK_NET);
static nanoseconds now; /* lock: the time, 0 until it has been asked for since the lock was taken */
static struct wait_queue configured_queue;
static uint64_t memory_charged, memory_budget, plenty_below; /* bytes */
static bool milestones_reached[NET_FIRST_RESPONSE + 1];

void net_lock_since(nanoseconds when)
{
    spin_lock(&lock);
    now = when;
}

void net_lock(void) { net_lock_since(0); }

nanoseconds net_now(void)
{
    must_hold_net();
    if (now == 0)
        now = clock_monotonic();
    return now;
}

void net_unlock(void)
{
    interfaces_finish();
    spin_unlock(&lock);
}

#ifdef KERNEL_DEBUG
bool net_is_held(void) { return spinlock_held(&lock); }
#endif

void net_milestone_reached(enum net_event event)
{
    if (milestones_reached[event])
        return;
    milestones_reached[event] = true;
    if (net_milestone)
        net_milestone(event, clock_monotonic());
}

/* ---- Memory --------------------------------------------------------------------------------------------- */

void net_charge(uint64_t bytes) { memory_charged += bytes; }
void net_uncharge(uint64_t bytes) { memory_charged -= bytes; }
uint64_t net_memory_charged(void) { return memory_charged; }
uint64_t net_memory_budget(void) { return memory_budget; }

bool net_memory_for_connection(void) { return memory_charged < memory_budget; }

uint64_t net_memory_limit(enum net_memory level)
{
    static const unsigned eighths[] = { [NET_MEMORY_PRESSURE] = PRESSURE_EIGHTHS, [NET_MEMORY_FULL] = FULL_EIGHTHS };
    return memory_budget / 8 * eighths[level];
}

enum net_memory net_memory(void)
{
    if (likely(memory_charged < plenty_below))
        return NET_MEMORY_PLENTY;
    return memory_charged >= net_memory_limit(NET_MEMORY_FULL) ? NET_MEMORY_FULL : NET_MEMORY_PRESSURE;
}

/* ---- Configuration -------------------------------------------------------------------------------------- */

void net_init(void)
{
    memory_budget = pages_total_count() * PAGE_SIZE / BUDGET_SHARE;
    plenty_below = net_memory_limit(NET_MEMORY_PRESSURE);
    wait_queue_init(&configured_queue);
    net_lock();
    arp_init();
    neighbour_init();
    nd_init();
    ip_reassembly_init();
    path_mtu_init();
    ports_init();
    multicast_init();
    udp_init();
    tcp_init();
    interfaces_init();
    listing_init();
    socket_counts_init();
    counters_init();
    unix_init();
    net_unlock();
    interfaces_start();
    device_service_start();
}

void net_apply(struct interface *interface, const struct net_configuration *configuration)
{
    net_lock();
    interface_configure(interface, configuration);
    net_unlock();
    if (configuration->address != IPV4_ANY)
        net_address_ready();
}

void net_address_ready(void) { wake(&configured_queue, 0); }

void net_start_ipv6(const struct net_ipv6 *wanted, void (*name_servers_changed)(void))
{
    struct interface *device = interface_first_device();
    if (wanted->off)
        return;
    if (device) {
        name_servers_start(name_servers_changed);
        dhcp6_start(device);
    }
    net_lock();
    if (wanted->random)
        ip6_hide_mac();
    ip6_start();
    if (device && !ip_is_any(wanted->address)) { /* there is room: it is the second one */
        (void)ip6_add(device, wanted->address, wanted->prefix, NO_DEADLINE, NO_DEADLINE);
        nd_configure_prefix(device, wanted->address, wanted->prefix);
    }
    net_unlock();
}

int net_configure_static(const struct net_configuration *configuration)
{
    struct interface *interface = interface_first_device();
    if (!interface)
        return -ENODEV;
    net_apply(interface, configuration);
    return 0;
}

int net_configure_dhcp(const char *hostname, net_changed *changed)
{
    struct interface *interface = interface_first_device();
    if (!interface)
        return -ENODEV;
    dhcp_start(interface, hostname, changed);
    return 0;
}

/* Only the timer's interrupt is wanted. */
/* Lets the network work until nothing is `pending` any more, or until `deadline`. */
static void finish_sending(bool (*pending)(void), nanoseconds deadline)
{
    while (clock_monotonic() < deadline) {
        interfaces_poll();
        net_lock();
        bool more = pending();
        net_unlock();
        if (!more)
            break;
        kernel_cpu_wait(deadline);
    }
}

void net_shut_down(nanoseconds patience, bool release_address)
{
    if (interface_count() == 0)
        return;
    nanoseconds deadline = clock_monotonic() + patience;
    net_lock();
    tcp_close_all();
    net_unlock();
    finish_sending(tcp_anything_pending, deadline);
    if (release_address) {
        dhcp_release();
        dhcp6_release();
        finish_sending(neighbour_anything_waiting, deadline);
    }
}

static bool is_configured(void)
{
    struct interface *interface = interface_first_device();
    net_lock();
    bool configured = interface && interface->configuration.address != IPV4_ANY;
    net_unlock();
    return configured;
}

void net_restored(void)
{
    net_lock();
    for (unsigned i = 1; i < interface_count(); i++)
        interface_restored(interface_at(i));
    tcp_restored();
    path_mtu_forget();
    net_unlock();
    dhcp_restored();
    dhcp6_restored();
}

int net_wait_configured(nanoseconds deadline)
{
    return wait_until(&configured_queue, is_configured(), deadline, SLEEP_INTERRUPTIBLE);
}

static bool is_configured_for_any(void)
{
    struct interface *interface = interface_first_device();
    net_lock();
    bool configured = interface && ip6_is_on() && ip6_is_reachable(interface);
    net_unlock();
    return configured || is_configured();
}

int net_wait_any(nanoseconds ipv4_until, nanoseconds deadline)
{
    int error = net_wait_configured(min_of(ipv4_until, deadline));
    if (error != -ETIMEDOUT)
        return error;
    return wait_until(&configured_queue, is_configured_for_any(), deadline, SLEEP_INTERRUPTIBLE);
}

void net_current(struct net_configuration *out)
{
    struct interface *interface = interface_first_device();
    *out = (struct net_configuration){ 0 };
    if (!interface)
        return;
    net_lock();
    *out = interface->configuration;
    out->mtu = interface->mtu;
    net_unlock();
}

/* At most `room` of them, after what is there; how much longer the text becomes. */
static int resolver_text_ip6(char *to, size_t size, int length, unsigned room)
{
    struct ip_address servers[NET_MAX_DNS];
    unsigned count = min_of(name_servers_current(servers), room);
    int added = 0;
    for (unsigned i = 0; i < count; i++) {
        char address[IP_TEXT];
        const struct interface *link = interface_at((unsigned)ip6_link(servers[i]) - 1);
        size_t used = min_of((size_t)(length + added), size);
        added += format(to + used, size - used, "nameserver %s%s%s\n", ip_format(address, servers[i]), link ? "%" : "",
                        link ? link->name : "");
    }
    return added;
}

int net_resolver_text(char *to, size_t size, const struct net_configuration *configuration)
{
    int length = 0;
    if (size > 0)
        to[0] = 0;
    if (configuration->domain[0] != 0)
        length += format(to, size, "search %s\n", configuration->domain);
    for (unsigned i = 0; i < configuration->dns_count; i++) {
        char address[IPV4_TEXT];
        size_t used = min_of((size_t)length, size);
        length += format(to + used, size - used, "nameserver %s\n", ipv4_format(address, configuration->dns[i]));
    }
    return length + resolver_text_ip6(to, size, length, NET_MAX_DNS - configuration->dns_count);
}

#define OWN_NAME_ADDRESS 0x7f000101u /* 127.0.1.1: the address of a name that belongs to no interface's address */

int net_hosts_text(char *to, size_t size, const struct net_configuration *configuration, const char *host_name)
{
    char own[IPV4_TEXT];
    ipv4_format(own, configuration->address != IPV4_ANY ? configuration->address : OWN_NAME_ADDRESS);
    return format(to, size, "127.0.0.1 localhost\n%s %s\n", own, host_name);
}

/* ---- "static ..." in unikernel.conf -------------------------------------------------------------------- */

static void skip_spaces(const char **text)
{
    while (**text == ' ' || **text == '\t')
        (*text)++;
}

static bool read_number(const char **text, unsigned limit, unsigned *number)
{
    const char *s = *text;
    *number = 0;
    for (; is_digit(*s) && *number <= limit; s++)
        *number = *number * 10 + (unsigned)(*s - '0');
    bool some = s != *text;
    *text = s;
    return some && *number <= limit;
}

static bool at_end_of_word(const char *text) { return *text == 0 || *text == ' ' || *text == '\t'; }

/* Moves after `word` if it comes next. */
static bool take_word(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0 || !at_end_of_word(*text + length))
        return false;
    *text += length;
    skip_spaces(text);
    return true;
}

bool net_parse_ipv6(const char *text, struct net_ipv6 *out)
{
    *out = (struct net_ipv6){ .off = !strcmp(text, "no"), .random = !strcmp(text, "random") };
    if (out->off || out->random)
        return true;
    if (!ip6_parse(&text, &out->address) || *text++ != '/' || !read_number(&text, 128, &out->prefix) || *text)
        return false;
    struct ip_address address = out->address;
    bool special = ip_is_any(address) || ip_is_loopback(address) || ip_is_multicast(address) || ip_is_ipv4(address);
    return out->prefix > 0 && !special && !ip6_is_link_local(address);
}

static bool read_dns(const char **text, struct net_configuration *out)
{
    do {
        if (out->dns_count == NET_MAX_DNS || !ipv4_parse(text, &out->dns[out->dns_count]))
            return false;
        out->dns_count++;
    } while (**text == ',' && (*text)++);
    return at_end_of_word(*text);
}

static bool read_setting(const char **text, struct net_configuration *out, const char **problem)
{
    if (take_word(text, "gateway")) {
        *problem = "gateway needs an address like 10.0.0.1";
        return ipv4_parse(text, &out->gateway) && at_end_of_word(*text);
    }
    if (take_word(text, "dns")) {
        *problem = "dns needs up to three addresses with commas between them";
        return read_dns(text, out);
    }
    if (take_word(text, "mtu")) {
        *problem = "mtu needs a number from 576 to 65535";
        return read_number(text, 65535, &out->mtu) && out->mtu >= IP_MINIMUM_MTU && at_end_of_word(*text);
    }
    *problem = "only gateway, dns and mtu may follow the address";
    return false;
}

static bool host_address_valid(const struct net_configuration *c)
{
    ipv4_t host_bits = ~ipv4_mask(c->prefix);
    ipv4_t host = c->address & host_bits;
    bool special = c->prefix < 31 && (host == 0 || host == host_bits);
    return !special && c->address != IPV4_ANY && !ipv4_is_loopback(c->address) && c->address >> 28 < 0xe;
}

bool net_parse_static(const char *text, struct net_configuration *out, const char **problem)
{
    *out = (struct net_configuration){ 0 };
    skip_spaces(&text);
    *problem = "the address must look like 10.0.0.2/24";
    if (!ipv4_parse(&text, &out->address) || *text++ != '/' || !read_number(&text, 32, &out->prefix) ||
        !at_end_of_word(text))
        return false;
    *problem = "this address cannot belong to a machine; give one inside the network";
    if (!host_address_valid(out))
        return false;
    for (skip_spaces(&text); *text != 0; skip_spaces(&text))
        if (!read_setting(&text, out, problem))
            return false;
    *problem = "the gateway is not in the network of the address";
    if (out->gateway != IPV4_ANY && ((out->gateway ^ out->address) & ipv4_mask(out->prefix)) != 0)
        return false;
    *problem = NULL;
    return true;
}
