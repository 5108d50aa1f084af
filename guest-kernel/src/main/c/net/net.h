/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network stack: Ethernet, ARP, IPv4, ICMP, UDP, TCP, clients of DHCP and SNTP, and the sockets over them.
 *
 * Calls go down from linux/sys_*.c: socket.h -> tcp/udp/unix -> ip.h -> interface.h -> drivers/device.h,
 * and up from device->receive (interrupt context): interface -> ethernet -> arp | ip -> icmp | udp | tcp.
 *
 * Lock: one spinlock "net" guards everything below net/ unless a field says otherwise. Inside it, wake(),
 * timers, the heap and pages may be used (lib/lock_class.h); user memory is only touched without it. What
 * is sent while it is held to this machine itself is received by net_unlock(), and devices are
 * flushed there, so a burst is one notification.
 *
 * Memory: what peers can make the stack hold is charged to one budget, an eighth of the machine
 * (net_charge). From 3/4 of it on there is pressure: windows stop growing. From 7/8 on memory is full: data is
 * dropped and left to the peer to send again, and the rest of the budget is for new connections. tcp_memory.c
 * gets back what peers hold without progress.
 */
#pragma once

#include "core/debug.h"
#include "lib/types.h"
#include "net/address.h"
#include "net/sntp.h"

/* ---- Configuration, for the boot code ------------------------------------------------------ */

#define NET_MAX_DNS 3       /* MAXNS, resolv.conf(5) */
#define NET_DOMAIN_SIZE 256 /* RFC 1035 2.3.4, with a NUL */

struct net_configuration {
    ipv4_t address;  /* IPV4_ANY: none */
    unsigned prefix; /* 0..32 */
    ipv4_t gateway;  /* IPV4_ANY: none */
    ipv4_t dns[NET_MAX_DNS];
    unsigned dns_count;
    unsigned mtu;                      /* 0: the device's own; what it cannot do becomes its largest */
    char domain[NET_DOMAIN_SIZE];      /* "": none */
    ipv4_t time_servers[SNTP_SERVERS]; /* by DHCP: option 42 */
    unsigned time_server_count;
};

/* Called in a kernel thread, no lock held, whenever the configuration changed: it may write files.
 * An address of IPV4_ANY says that a lease was lost. */
typedef void net_changed(const struct net_configuration *configuration);

/* Sets up loopback and every announced device. Call once, after platform_start_devices(). */
void net_init(void);
/* The directive's value from unikernel.conf after "static ": "10.0.0.2/24 gateway 10.0.0.1 dns
 * 10.0.0.1,10.0.0.2 mtu 1500". On false *problem says what is wrong. */
bool net_parse_static(const char *text, struct net_configuration *out, const char **problem);
/* Configures the first device. 0, or -ENODEV without one. The caller writes resolv.conf itself. */
int net_configure_static(const struct net_configuration *configuration);
/* Starts the DHCP client on the first device. 0, or -ENODEV without one. `hostname` is copied. */
int net_configure_dhcp(const char *hostname, net_changed *changed);
/* Sleeps until the first device has an address of IPv4. 0, -ETIMEDOUT, or -EINTR for a signal. */
int net_wait_configured(nanoseconds deadline);
/* The same, but from `ipv4_until` on an address of IPv6 is enough, other than that of the link. */
int net_wait_any(nanoseconds ipv4_until, nanoseconds deadline);
struct net_ipv6 {
    bool off, random;          /* random: addresses do not show the MAC address */
    struct ip_address address; /* ::, none: routers give some */
    unsigned prefix;           /* its length, 1..128; hosts with the same are neighbours, with 128 none are */
};
/* "no", "random", or an address of this machine alone and its prefix, "2001:db8::2/64". False: it is none of them. */
bool net_parse_ipv6(const char *text, struct net_ipv6 *out);
/* From now on there is IPv6 (net/ip6.h), unless it is off: addresses follow by themselves, and AF_INET6 has sockets.
 * The function is called as a net_changed when routers or DHCPv6 have other name servers. */
void net_start_ipv6(const struct net_ipv6 *wanted, void (*name_servers_changed)(void));
/* What the first device uses now. */
void net_current(struct net_configuration *out);
/* resolv.conf(5) text for a configuration, with the name servers of IPv6 (net/name_servers.h) after its own,
 * NET_MAX_DNS in all; the untruncated length, as format() returns. Takes the net lock. */
int net_resolver_text(char *to, size_t size, const struct net_configuration *configuration);
/* hosts(5) text: localhost, and this machine's own name with its address, 127.0.1.1 while it has none. As above. */
int net_hosts_text(char *to, size_t size, const struct net_configuration *configuration, const char *host_name);

/*
 * The process has ended: closes every connection as its sockets' close() would (FIN, or a reset where
 * unread data is lost) and gives what was sent up to `patience` to arrive; then gives a leased address back if
 * that is wanted. Sleeps in cpu_wait(), so no other thread runs meanwhile. Harmless before net_init().
 */
void net_shut_down(nanoseconds patience, bool release_address);

/* The machine goes on from a snapshot. What other machines knew of it then does not hold now: neighbours are asked for
 * again and told of it, connections to other machines have failed (tcp_restored()), and a lease is asked for again. In
 * a thread. */
void net_restored(void);

/* Boot timings: monotonic times of the first listen() and of the first payload byte sent on an
 * accepted connection; 0 while there was none. Each is also announced by calling *net_milestone if set. */
enum net_event { NET_FIRST_LISTEN, NET_FIRST_RESPONSE };
extern void (*net_milestone)(enum net_event event, nanoseconds when);

/* Sends SIGURG to the process: urgent data came for a socket whose file has an owner. Called under the net lock. */
extern void (*net_urgent)(void);

/* ---- Inside net/ ---------------------------------------------------------------------------- */

void net_lock(void);
/* The same for work that began at this time, which nothing in net/ has come after: what net_now() says. */
void net_lock_since(nanoseconds when);
/* Before it unlocks: receives all packets that were sent to this machine itself, which may change any socket and cause
 * more to be sent, and flushes every device that was given packets. So after it nothing read under the lock may be
 * relied on. */
void net_unlock(void);
/* The monotonic time, read once while the lock is held: all that one round of packets or one call causes happened at
 * the same instant. Under the lock, which is held for less than a millisecond. */
nanoseconds net_now(void);
/* Debug builds (core/debug.h): this CPU holds the net lock. For the first line of what is called under it. */
#ifdef KERNEL_DEBUG
bool net_is_held(void);
#define must_hold_net() assert(net_is_held())
#else
#define must_hold_net() ((void)0)
#endif
void net_milestone_reached(enum net_event event);
/* An address has become usable: who waits for one looks again. */
void net_address_ready(void);

enum net_memory { NET_MEMORY_PLENTY, NET_MEMORY_PRESSURE, NET_MEMORY_FULL };
void net_charge(uint64_t bytes);
void net_uncharge(uint64_t bytes);
enum net_memory net_memory(void);
/* How much may be charged before this level begins. */
uint64_t net_memory_limit(enum net_memory level);
uint64_t net_memory_charged(void);
uint64_t net_memory_budget(void);
/* True if one more connection may begin. */
bool net_memory_for_connection(void);
