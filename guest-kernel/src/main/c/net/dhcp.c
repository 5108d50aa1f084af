/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP client. The states of RFC 2131 are the places in run() where its one thread is: discover() until there is an
 * offer, request(), keep() for as long as the lease lasts, then from the start again. Each exchange has a transaction
 * number of its own; an answer with another one, or of a server that was not asked, is dropped by receive(), through
 * which all messages pass.
 *
 * Started by net_configure_dhcp(). `client` belongs to its thread, so there is no lock; the socket takes the net lock,
 * as start_probe() does. dhcp_restored() ends the wait in keep(). `changed` is called by the thread without locks.
 * dhcp_release() is called by net_shut_down(), when no thread runs any more.
 */
#include "net/dhcp.h"

#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/arp.h"
#include "net/socket.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define SERVER_PORT 67 /* RFC 2131 4.1 */
#define CLIENT_PORT 68
#define FIRST_WAIT NS_PER_SECOND /* RFC 2131 4.1 says 4 s; hosts start with less, since a boot waits */
#define LAST_WAIT (64 * NS_PER_SECOND)
#define REQUEST_TRIES 4                    /* before the offer is given up */
#define SHORTEST_LEASE 60u                 /* seconds; shorter ones would keep both sides busy */
#define RENEWAL_PAUSE (60 * NS_PER_SECOND) /* RFC 2131 4.4.5: between tries, at least a minute */
#define RESTART_PAUSE (10 * NS_PER_SECOND) /* RFC 2131 3.1 5: after a refusal, by either side */
/* RFC 5227 1.1 says seconds, for links that sleep. Every boot waits for this, less what the server takes to confirm; an
 * answer that is later still is heard, and defended against (arp.c). */
#define PROBE_WAIT (20 * NS_PER_MS)

struct client {
    struct interface *interface;
    char hostname[DHCP_HOSTNAME_SIZE];
    net_changed *changed;
    struct file *file;
    struct socket *socket;
    uint32_t transaction;
    nanoseconds began;
    struct dhcp_answer lease;
    nanoseconds bound; /* when the lease was asked for; its address is IPV4_ANY without one */
    uint8_t mac[6];    /* for which it was asked */
    unsigned restores; /* that had happened by then */
};

static struct client client;
static unsigned restores; /* only grows */
static struct wait_queue restored = WAIT_QUEUE(restored);

/* ---- Messages over the socket --------------------------------------------------------------------------- */

static bool open_socket(struct client *c)
{
    struct socket_address any = { .family = AF_INET, .in = { ip_of_ipv4(IPV4_ANY), CLIENT_PORT } };
    int error = socket_create(AF_INET, SOCK_DGRAM, 0, 0, &c->file);
    if (error < 0) {
        log_error("DHCP: no socket (%s)", errno_name(error));
        return false;
    }
    c->socket = socket_of(c->file);
    c->socket->kept.broadcast = true;
    error = c->socket->operations->bind(c->socket, &any);
    if (error < 0) {
        log_error("DHCP: port %d is taken (%s)", CLIENT_PORT, errno_name(error));
        file_put(c->file);
        return false;
    }
    return true;
}

static void send(struct client *c, struct dhcp_query query, ipv4_t to)
{
    uint8_t message[DHCP_MESSAGE_SIZE];
    struct transfer transfer;
    struct socket_address address = { .family = AF_INET, .in = { ip_of_ipv4(to), SERVER_PORT } };
    query.transaction = c->transaction;
    query.seconds = (uint16_t)min_of((clock_monotonic() - c->began) / NS_PER_SECOND, 65535UL);
    query.mac = c->interface->mac;
    query.hostname = c->hostname;
    transfer_init_kernel(&transfer, message, dhcp_make(message, &query));
    struct socket_message out = { .data = &transfer, .address = &address };
    /* A message that could not be sent is like a lost one: it is sent again. */
    (void)c->socket->operations->send(c->socket, &out);
}

/* Another machine must not answer for the server that was asked; IPV4_ANY: all servers were asked. Some servers do not
 * name themselves. */
static bool is_from(const struct dhcp_answer *answer, ipv4_t server)
{
    return server == IPV4_ANY || answer->server == IPV4_ANY || answer->server == server;
}

/* Waits for an answer of one of two types. False: none until the deadline. */
static bool receive(struct client *c, uint8_t type, uint8_t other, ipv4_t server, nanoseconds deadline,
                    struct dhcp_answer *out)
{
    uint8_t message[1500];
    for (;;) {
        nanoseconds now = clock_monotonic();
        if (now >= deadline)
            return false;
        struct transfer transfer;
        transfer_init_kernel(&transfer, message, sizeof(message));
        struct socket_message in = { .data = &transfer };
        c->socket->receive_timeout = deadline - now;
        ssize_type length = c->socket->operations->receive(c->socket, &in);
        if (length > 0 && dhcp_read(message, (size_t)length, c->transaction, c->interface->mac, out) &&
            (out->type == type || out->type == other) && is_from(out, server))
            return true;
    }
}

/* A wait with up to a second of spread (RFC 2131 4.1), so that machines that boot together do not ask in step. */
static nanoseconds spread(nanoseconds wait) { return wait + random_below(NS_PER_SECOND / 2); }

static void pause_for(nanoseconds time)
{
    struct wait_queue nothing;
    wait_queue_init(&nothing);
    (void)wait_until(&nothing, false, clock_monotonic() + time, SLEEP_UNINTERRUPTIBLE);
}

/* ---- States (RFC 2131 4.4, figure 5) -------------------------------------------------------------------- */

static void use(struct client *c, const struct dhcp_answer *answer)
{
    struct net_configuration current;
    bool confirmed = c->restores != restores;
    c->lease = *answer;
    c->bound = clock_monotonic();
    c->restores = restores;
    memcpy(c->mac, c->interface->mac, sizeof(c->mac));
    net_current(&current);
    current.mtu = answer->configuration.mtu;
    if (!confirmed && memcmp(&current, &answer->configuration, sizeof(current)) == 0)
        return; /* renewed, nothing new */
    net_apply(c->interface, &answer->configuration);
    c->changed(&answer->configuration);
}

/* INIT and SELECTING: until a server offers an address. */
static void discover(struct client *c, struct dhcp_answer *offer)
{
    c->began = clock_monotonic();
    for (nanoseconds wait = FIRST_WAIT;; wait = min_of(2 * wait, (nanoseconds)LAST_WAIT)) {
        c->transaction = (uint32_t)random_u64();
        send(c, (struct dhcp_query){ .type = DHCP_DISCOVER }, IPV4_BROADCAST);
        if (receive(c, DHCP_OFFER, DHCP_OFFER, IPV4_ANY, clock_monotonic() + spread(wait), offer))
            return;
    }
}

/* Asks whether another host has the address already; the answer comes while the server is asked to confirm. */
static nanoseconds start_probe(struct client *c, ipv4_t address)
{
    net_lock();
    arp_probe(c->interface, address);
    net_unlock();
    return clock_monotonic() + PROBE_WAIT;
}

/* RFC 2131 4.4.4. */
static void decline(struct client *c, const struct dhcp_answer *offer)
{
    char address[IPV4_TEXT];
    struct dhcp_query query = { .type = DHCP_DECLINE,
                                .requested = offer->configuration.address,
                                .server = offer->server };
    send(c, query, IPV4_BROADCAST);
    log_error("another machine has the address %s, which the DHCP server offers; asking for one again",
              ipv4_format(address, offer->configuration.address));
    pause_for(RESTART_PAUSE);
}

/* REQUESTING: true if the offer was confirmed. */
static bool request(struct client *c, const struct dhcp_answer *offer)
{
    nanoseconds wait = FIRST_WAIT;
    nanoseconds probe_end = start_probe(c, offer->configuration.address);
    for (unsigned i = 0; i < REQUEST_TRIES; i++, wait *= 2) {
        struct dhcp_query query = { .type = DHCP_REQUEST,
                                    .requested = offer->configuration.address,
                                    .server = offer->server };
        struct dhcp_answer answer;
        send(c, query, IPV4_BROADCAST);
        if (!receive(c, DHCP_ACK, DHCP_NAK, offer->server, clock_monotonic() + spread(wait), &answer))
            continue;
        if (answer.type == DHCP_NAK) {
            pause_for(RESTART_PAUSE);
            return false;
        }
        if (arp_probe_met(probe_end)) {
            decline(c, offer);
            return false;
        }
        use(c, &answer);
        return true;
    }
    return false;
}

struct lease_times {
    nanoseconds renew, rebind, end; /* RFC 2131 4.4.5: T1, T2, expiry */
};

static struct lease_times lease_times(const struct client *c)
{
    uint64_t lease = max_of(c->lease.lease, SHORTEST_LEASE);
    uint64_t renew = c->lease.renew != 0 && c->lease.renew < lease ? c->lease.renew : lease / 2;
    uint64_t rebind = c->lease.rebind > renew && c->lease.rebind < lease ? c->lease.rebind : lease / 8 * 7;
    rebind = max_of(rebind, renew);
    return (struct lease_times){ c->bound + renew * NS_PER_SECOND, c->bound + rebind * NS_PER_SECOND,
                                 c->bound + lease * NS_PER_SECOND };
}

enum outcome { EXTENDED, REFUSED, UNANSWERED, MOVED /* to another MAC address */ };

/* Half of the time that is left, but no more often than once a minute. After a restore the network device may not be
 * connected yet, so the first tries follow sooner, as those of INIT-REBOOT do. */
static nanoseconds pause_after(const struct client *c, unsigned tries, nanoseconds left)
{
    nanoseconds pause = max_of(left / 2, (nanoseconds)RENEWAL_PAUSE);
    if (c->restores != restores && tries < 6)
        pause = FIRST_WAIT << tries;
    return min_of(pause, left);
}

/* RENEWING (asking our server) and REBINDING (asking any server) until `until`. The lease of another MAC address is
 * another machine's. */
static enum outcome extend(struct client *c, ipv4_t whom, nanoseconds until)
{
    c->began = clock_monotonic();
    c->transaction = (uint32_t)random_u64();
    for (unsigned tries = 0; clock_monotonic() < until; tries++) {
        struct dhcp_query query = { .type = DHCP_REQUEST, .client = c->lease.configuration.address };
        struct dhcp_answer answer;
        if (memcmp(c->mac, c->interface->mac, sizeof(c->mac)) != 0)
            return MOVED;
        nanoseconds now = clock_monotonic();
        nanoseconds deadline = now + pause_after(c, tries, until - min_of(now, until));
        send(c, query, whom);
        if (!receive(c, DHCP_ACK, DHCP_NAK, whom == IPV4_BROADCAST ? IPV4_ANY : whom, deadline, &answer))
            continue;
        if (answer.type == DHCP_NAK)
            return REFUSED;
        if (answer.server == IPV4_ANY)
            answer.server = c->lease.server;
        use(c, &answer);
        return EXTENDED;
    }
    return UNANSWERED;
}

void dhcp_restored(void)
{
    write_once(restores, restores + 1);
    wake(&restored, 0);
}

/* BOUND: returns when there is no lease any more, with the reason. */
static enum outcome keep(struct client *c)
{
    enum outcome outcome = EXTENDED;
    while (outcome == EXTENDED) {
        struct lease_times times = lease_times(c);
        unsigned before = restores;
        bool forever = c->lease.lease == DHCP_FOREVER;
        (void)wait_until(&restored, read_once(restores) != before, forever ? NO_DEADLINE : times.renew,
                         SLEEP_UNINTERRUPTIBLE);
        bool known = c->lease.server != IPV4_ANY && restores == before;
        outcome = extend(c, known ? c->lease.server : IPV4_BROADCAST, times.rebind);
        if (outcome == UNANSWERED)
            outcome = extend(c, IPV4_BROADCAST, times.end);
    }
    return outcome;
}

static void lose(struct client *c, enum outcome why)
{
    struct net_configuration none = { 0 };
    if (why == MOVED)
        log_info("%s has another MAC address than before; asking the DHCP server for an address", c->interface->name);
    else
        log_error("the DHCP lease was lost: %s; asking for a new one",
                  why == REFUSED ? "the server refused to extend it" : "no server answered");
    c->lease = (struct dhcp_answer){ 0 };
    net_apply(c->interface, &none);
    c->changed(&none);
}

/* RFC 2131 4.4.6. */
void dhcp_release(void)
{
    const struct dhcp_answer *lease = &client.lease;
    if (lease->configuration.address == IPV4_ANY || lease->server == IPV4_ANY)
        return;
    client.transaction = (uint32_t)random_u64();
    struct dhcp_query query = { .type = DHCP_RELEASE, .client = lease->configuration.address, .server = lease->server };
    send(&client, query, lease->server);
}

static void run(void *argument)
{
    struct client *c = argument;
    if (!open_socket(c))
        return;
    for (;;) {
        struct dhcp_answer offer;
        discover(c, &offer);
        if (!request(c, &offer))
            continue;
        lose(c, keep(c));
    }
}

void dhcp_start(struct interface *interface, const char *hostname, net_changed *changed)
{
    client = (struct client){ .interface = interface, .changed = changed };
    string_copy(client.hostname, hostname, sizeof(client.hostname));
    thread_start_kernel("dhcp", run, &client);
}
