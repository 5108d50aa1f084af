/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCPv6 client. The exchanges of RFC 8415 18.2 are the places in run() where its one thread is: until a router has
 * said that there is a server it sleeps; then solicit() until there is an offer, request(), and keep() for as long as
 * the lease is extended, then from the start again. Without servers of addresses it only asks for settings, inform().
 * Each exchange has a transaction number of its own; an answer with another one, or of a server that was not asked, is
 * dropped by receive(), through which all messages pass.
 *
 * A leased address is one of the interface's (ip6.h): it is probed before it is used, and it ends by itself when nobody
 * has extended its time. So a server that refuses to extend it does not cut off what goes on.
 *
 * Started by net_start_ipv6(). `client` belongs to its thread, but for the events, which others set under the net lock
 * and only the thread takes back. Nothing else is locked; the socket takes the net lock. dhcp6_release() is called by
 * net_shut_down(), when no thread runs any more.
 */
#include "net/dhcp6.h"

#include "core/log.h"
#include "core/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/ip6.h"
#include "net/name_servers.h"
#include "net/socket.h"
#include "platform/platform.h"
#include "threads/thread.h"

#define CLIENT_PORT 546 /* RFC 8415 7.2 */
#define SERVER_PORT 547
#define ALL_SERVERS ip6_address(0xff02000000000000u, 0x10002) /* ff02::1:2, RFC 8415 7.1 */
#define BEST_PREFERENCE 255                                   /* RFC 8415 18.2.1: no better one can come */

#define FIRST_WAIT NS_PER_SECOND            /* SOL_TIMEOUT, REQ_TIMEOUT, INF_TIMEOUT of RFC 8415 7.6 */
#define SOLICIT_WAIT (3600 * NS_PER_SECOND) /* SOL_MAX_RT, INF_MAX_RT */
#define REQUEST_WAIT (30 * NS_PER_SECOND)   /* REQ_MAX_RT */
#define REQUEST_TRIES 10                    /* REQ_MAX_RC */
#define EXTEND_FIRST (10 * NS_PER_SECOND)   /* REN_TIMEOUT, REB_TIMEOUT */
#define EXTEND_WAIT (600 * NS_PER_SECOND)   /* REN_MAX_RT, REB_MAX_RT */
#define REFRESH_USUAL 86400u                /* seconds: IRT_DEFAULT of RFC 8415 7.6 */
#define REFRESH_LEAST 600u                  /* IRT_MINIMUM */
#define RESTART_PAUSE (10 * NS_PER_SECOND)  /* after a refusal, by either side */
#define SHORTEST_LEASE 60u                  /* seconds; shorter ones would keep both sides busy */

struct client {
    struct interface *interface;
    struct file *file;
    struct socket *socket;
    uint32_t transaction;
    nanoseconds began;
    struct dhcp6_answer lease; /* its address is :: without one */
    nanoseconds bound;         /* when the lease was given */
    struct wait_queue events;
    bool addresses, settings; /* events: a router says that servers give them */
    bool conflict;            /* event: another host has the leased address */
    bool restored;            /* event: the machine goes on from a snapshot */
};

static struct client client = { .events = WAIT_QUEUE(client.events) };

/* ---- Messages over the socket --------------------------------------------------------------------------- */

static bool open_socket(struct client *c)
{
    struct socket_address any = { .family = AF_INET6, .in = { IP6_ANY, CLIENT_PORT } };
    int error = socket_create(AF_INET6, SOCK_DGRAM, 0, 0, &c->file);
    if (error < 0) {
        log_error("DHCPv6: no socket (%s); give the machine more memory", errno_name(error));
        return false;
    }
    c->socket = socket_of(c->file);
    c->socket->kept.v6_only = true;
    c->socket->kept.kernels_own = true;
    error = c->socket->operations->bind(c->socket, &any);
    if (error < 0) {
        log_error("DHCPv6: port %d is taken (%s); have the program use another one", CLIENT_PORT, errno_name(error));
        file_put(c->file);
        return false;
    }
    return true;
}

static void begin(struct client *c)
{
    c->began = clock_monotonic();
    c->transaction = (uint32_t)random_u64() & 0xffffff;
}

/* About the leased address, but for an exchange that begins or ends a lease. */
static void send(struct client *c, uint8_t type, const struct dhcp6_identifier *server, struct ip_address address)
{
    uint8_t message[DHCP6_MESSAGE_SIZE];
    struct transfer transfer;
    struct dhcp6_query query = {
        .type = type, .transaction = c->transaction, .mac = c->interface->mac, .server = server, .address = address
    };
    struct socket_address to = { .family = AF_INET6,
                                 .in = { ip6_inside(ALL_SERVERS, c->interface->index), SERVER_PORT } };
    query.elapsed = (uint16_t)min_of((clock_monotonic() - c->began) / (10 * NS_PER_MS), 65535UL);
    transfer_init_kernel(&transfer, message, dhcp6_make(message, &query));
    struct socket_message out = { .data = &transfer, .address = &to };
    /* A message that could not be sent is like a lost one: it is sent again. */
    (void)c->socket->operations->send(c->socket, &out);
}

static bool is_from(const struct dhcp6_answer *answer, const struct dhcp6_identifier *server)
{
    return !server || (answer->server.length == server->length &&
                       memcmp(answer->server.bytes, server->bytes, server->length) == 0);
}

/* Waits for an answer of this type; of any server if that is NULL. False: none until the deadline. */
static bool receive(struct client *c, uint8_t type, const struct dhcp6_identifier *server, struct ip_address wanted,
                    nanoseconds deadline, struct dhcp6_answer *out)
{
    uint8_t message[1500];
    for (nanoseconds now; (now = clock_monotonic()) < deadline;) {
        struct transfer transfer;
        transfer_init_kernel(&transfer, message, sizeof(message));
        struct socket_message in = { .data = &transfer };
        c->socket->receive_timeout = deadline - now;
        ssize_type length = c->socket->operations->receive(c->socket, &in);
        if (length > 0 && dhcp6_read(message, (size_t)length, c->transaction, c->interface->mac, wanted, out) &&
            out->type == type && is_from(out, server))
            return true;
    }
    return false;
}

/* A wait from now on with a tenth of spread (RFC 8415 15), so that machines that boot together do not ask in step. */
static nanoseconds after(nanoseconds wait) { return clock_monotonic() + wait + random_below(wait / 10); }

static void pause_for(nanoseconds time)
{
    struct wait_queue nothing;
    wait_queue_init(&nothing);
    (void)wait_until(&nothing, false, clock_monotonic() + time, SLEEP_UNINTERRUPTIBLE);
}

/* ---- What is given ---------------------------------------------------------------------------------------- */

static void use_name_servers(const struct dhcp6_answer *answer, nanoseconds valid_until)
{
    for (unsigned i = 0; i < answer->name_server_count; i++)
        name_servers_heard(answer->name_servers[i], valid_until);
}

static nanoseconds time_after(nanoseconds from, uint32_t seconds)
{
    return seconds == DHCP6_FOREVER ? NO_DEADLINE : from + seconds * NS_PER_SECOND;
}

static void use(struct client *c, const struct dhcp6_answer *answer)
{
    char text[IP_TEXT];
    c->lease = *answer;
    c->bound = clock_monotonic();
    nanoseconds valid_until = time_after(c->bound, answer->valid);
    net_lock();
    bool added = ip6_add(c->interface, answer->address, 128, time_after(c->bound, answer->preferred), valid_until);
    use_name_servers(answer, valid_until);
    net_unlock();
    if (!added)
        log_error("there is no room for the IPv6 address %s of a DHCP server; have routers announce fewer prefixes",
                  ip_format(text, answer->address));
}

/* Another host has the address: RFC 8415 18.2.8. */
static void decline(struct client *c)
{
    char text[IP_TEXT];
    begin(c);
    send(c, DHCP6_DECLINE, &c->lease.server, c->lease.address);
    log_error("another machine has the address %s, which the DHCP server gives; asking for another one",
              ip_format(text, c->lease.address));
    net_lock();
    struct ip6_own *own = ip6_find_own(c->interface, c->lease.address);
    if (own)
        own->valid_until = net_now();
    c->lease = (struct dhcp6_answer){ 0 };
    c->conflict = false;
    net_unlock();
    pause_for(RESTART_PAUSE);
}

/* ---- Exchanges (RFC 8415 18.2) ---------------------------------------------------------------------------- */

/* The best offer until the deadline, or the first that cannot be bettered. */
static bool choose(struct client *c, nanoseconds deadline, struct dhcp6_answer *best)
{
    struct dhcp6_answer answer;
    bool any = false;
    while (receive(c, DHCP6_ADVERTISE, NULL, c->lease.address, deadline, &answer)) {
        if (ip_is_any(answer.address) || (any && answer.preference <= best->preference))
            continue;
        *best = answer;
        any = true;
        if (answer.preference == BEST_PREFERENCE)
            break;
    }
    return any;
}

static void solicit(struct client *c, struct dhcp6_answer *offer)
{
    begin(c);
    for (nanoseconds wait = FIRST_WAIT;; wait = min_of(2 * wait, SOLICIT_WAIT)) {
        send(c, DHCP6_SOLICIT, NULL, c->lease.address);
        if (choose(c, after(wait), offer))
            return;
    }
}

/* True if the offer was confirmed. */
static bool request(struct client *c, const struct dhcp6_answer *offer)
{
    struct dhcp6_answer answer;
    nanoseconds wait = FIRST_WAIT;
    begin(c);
    for (unsigned i = 0; i < REQUEST_TRIES; i++, wait = min_of(2 * wait, REQUEST_WAIT)) {
        send(c, DHCP6_REQUEST, &offer->server, offer->address);
        if (!receive(c, DHCP6_REPLY, &offer->server, offer->address, after(wait), &answer))
            continue;
        if (ip_is_any(answer.address)) {
            pause_for(RESTART_PAUSE);
            return false;
        }
        use(c, &answer);
        return true;
    }
    return false;
}

struct lease_times {
    nanoseconds renew, rebind, end; /* RFC 8415 14.2: T1, T2, expiry */
};

/* What the server leaves to us is half and four fifths of the preferred time: RFC 8415 21.4. */
static struct lease_times lease_times(const struct client *c)
{
    const struct dhcp6_answer *lease = &c->lease;
    bool forever = lease->preferred == DHCP6_FOREVER;
    uint32_t half = forever ? DHCP6_FOREVER : lease->preferred / 2;
    uint32_t most = forever ? DHCP6_FOREVER : lease->preferred / 5 * 4;
    uint32_t renew = max_of(lease->renew != 0 ? lease->renew : half, SHORTEST_LEASE / 2);
    uint32_t rebind = max_of(lease->rebind != 0 ? lease->rebind : most, renew);
    uint32_t end = max_of(lease->valid, max_of(rebind, SHORTEST_LEASE));
    return (struct lease_times){ time_after(c->bound, renew), time_after(c->bound, rebind), time_after(c->bound, end) };
}

enum outcome { EXTENDED, REFUSED, UNANSWERED };

/* Renews (asking our server) or rebinds (asking any) until `until`. */
static enum outcome extend(struct client *c, uint8_t type, nanoseconds until)
{
    struct dhcp6_answer answer;
    const struct dhcp6_identifier *server = type == DHCP6_RENEW ? &c->lease.server : NULL;
    begin(c);
    for (nanoseconds wait = EXTEND_FIRST; clock_monotonic() < until; wait = min_of(2 * wait, EXTEND_WAIT)) {
        send(c, type, server, c->lease.address);
        if (!receive(c, DHCP6_REPLY, server, c->lease.address, min_of(after(wait), until), &answer))
            continue;
        if (!ip_same(answer.address, c->lease.address))
            return REFUSED;
        use(c, &answer);
        return EXTENDED;
    }
    return UNANSWERED;
}

/* Returns when another lease must be asked for. */
static void keep(struct client *c)
{
    enum outcome outcome = EXTENDED;
    while (outcome == EXTENDED) {
        struct lease_times times = lease_times(c);
        (void)wait_until(&c->events, read_once(c->conflict) || read_once(c->restored), times.renew,
                         SLEEP_UNINTERRUPTIBLE);
        if (c->conflict) {
            decline(c);
            return;
        }
        /* After a snapshot the servers of the link may be others. */
        bool same_link = !c->restored;
        write_once(c->restored, false);
        outcome = same_link ? extend(c, DHCP6_RENEW, times.rebind) : UNANSWERED;
        if (outcome == UNANSWERED)
            outcome = extend(c, DHCP6_REBIND, times.end);
    }
}

/* RFC 8415 18.2.6. Returns when what was said is to be asked for again, or there are addresses. */
static void inform(struct client *c)
{
    struct dhcp6_answer answer;
    uint32_t refresh = REFRESH_USUAL;
    begin(c);
    for (nanoseconds wait = FIRST_WAIT; !read_once(c->addresses); wait = min_of(2 * wait, SOLICIT_WAIT)) {
        send(c, DHCP6_INFORMATION_REQUEST, NULL, IP6_ANY);
        if (!receive(c, DHCP6_REPLY, NULL, IP6_ANY, after(wait), &answer))
            continue;
        refresh = answer.refresh != 0 ? max_of(answer.refresh, REFRESH_LEAST) : REFRESH_USUAL;
        net_lock();
        use_name_servers(&answer, time_after(net_now(), refresh < DHCP6_FOREVER / 2 ? 2 * refresh : DHCP6_FOREVER));
        net_unlock();
        break;
    }
    (void)wait_until(&c->events, read_once(c->addresses) || read_once(c->restored),
                     time_after(clock_monotonic(), refresh), SLEEP_UNINTERRUPTIBLE);
    write_once(c->restored, false);
}

static void run(void *argument)
{
    struct client *c = argument;
    struct dhcp6_answer offer;
    (void)wait_until(&c->events, read_once(c->addresses) || read_once(c->settings), NO_DEADLINE, SLEEP_UNINTERRUPTIBLE);
    if (!open_socket(c))
        return;
    for (;;) {
        if (!read_once(c->addresses)) {
            inform(c);
            continue;
        }
        solicit(c, &offer);
        if (request(c, &offer))
            keep(c);
    }
}

/* ---- For the others ---------------------------------------------------------------------------------------- */

void dhcp6_start(struct interface *interface)
{
    client.interface = interface;
    thread_start_kernel("dhcp6", run, &client);
}

void dhcp6_heard(bool addresses, bool settings)
{
    must_hold_net();
    if ((!addresses || client.addresses) && (!settings || client.settings))
        return;
    write_once(client.addresses, client.addresses || addresses);
    write_once(client.settings, client.settings || settings);
    wake(&client.events, 0);
}

bool dhcp6_conflict(struct ip_address address)
{
    must_hold_net();
    if (ip_is_any(client.lease.address) || !ip_same(address, client.lease.address))
        return false;
    write_once(client.conflict, true);
    wake(&client.events, 0);
    return true;
}

void dhcp6_restored(void)
{
    write_once(client.restored, true);
    wake(&client.events, 0);
}

/* RFC 8415 18.2.7. Its answer is not waited for. */
void dhcp6_release(void)
{
    if (ip_is_any(client.lease.address))
        return;
    begin(&client);
    send(&client, DHCP6_RELEASE, &client.lease.server, client.lease.address);
}
