/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's end of the link: Linux's own IPv6 with the guest's, without a router, and then with one that this program
 * plays. Waits for a line on its input, which says that the guest serves. Prints "ok six.NAME" or "not ok six.NAME".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "six.h"

#define INTERFACE "tap0"
#define PATIENCE 60000 /* ms without anything coming */
#define PREFIX "2001:db8:6::"
#define CONFIGURED "2001:db8:77::7" /* by the option ipv6= of the guest's kernel */
#define LONG_DATAGRAM 6000          /* bytes: several fragments */
#define MUCH 5000000                /* bytes */

static int failures;

static void report(const char *name, int good)
{
    printf(good ? "ok six.%s\n" : "not ok six.%s\n", name);
    failures += !good;
}

static int comes(int file)
{
    struct pollfd wait = { .fd = file, .events = POLLIN };
    return poll(&wait, 1, PATIENCE) == 1;
}

/* ---- The guest's addresses ---------------------------------------------------------------------------------- */

static struct sockaddr_in6 at(const char *text, uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1)
        abort();
    if (IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr) || IN6_IS_ADDR_MULTICAST(&address.sin6_addr))
        address.sin6_scope_id = if_nametoindex(INTERFACE);
    return address;
}

/* The MAC address that ARP has found. */
static int read_mac(unsigned mac[6])
{
    char line[200], address[64], text[64];
    FILE *table = fopen("/proc/net/arp", "r");
    int found = 0;
    while (table && !found && fgets(line, sizeof(line), table))
        found = sscanf(line, "%63s %*s %*s %63s", address, text) == 2 && strcmp(address, "10.9.0.2") == 0 &&
                sscanf(text, "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) == 6;
    if (table)
        fclose(table);
    return found;
}

/* RFC 4291 appendix A. */
static struct sockaddr_in6 of_mac(const char *prefix, const unsigned mac[6])
{
    char text[80];
    snprintf(text, sizeof(text), "%s%x:%xff:fe%02x:%x", prefix, (mac[0] ^ 2) << 8 | mac[1], mac[2], mac[3],
             mac[4] << 8 | mac[5]);
    return at(text, SIX_PORT);
}

/* ---- Exchanges ---------------------------------------------------------------------------------------------- */

static int command(const void *to, socklen_t size, const char *text)
{
    int file = socket(((const struct sockaddr *)to)->sa_family, SOCK_STREAM, 0);
    if (file < 0 || connect(file, to, size) != 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text)) {
        perror("# connect");
        close(file);
        return -1;
    }
    return file;
}

static int is_ok(int file)
{
    char answer[3];
    return comes(file) && read(file, answer, 3) == 3 && memcmp(answer, "ok\n", 3) == 0;
}

static int gets(const void *to, socklen_t size, size_t length)
{
    char text[64];
    snprintf(text, sizeof(text), "send %zu\n", length);
    int file = command(to, size, text);
    int good = file >= 0 && six_take(file, length) == 0;
    close(file);
    return good;
}

static int puts_to(const struct sockaddr_in6 *to, size_t length)
{
    char text[64];
    snprintf(text, sizeof(text), "take %zu\n", length);
    int file = command(to, sizeof(*to), text);
    int good = file >= 0 && six_send(file, length) == 0 && is_ok(file);
    close(file);
    return good;
}

/* The guest connects to us. */
static int is_called(const struct sockaddr_in6 *guest)
{
    struct sockaddr_in6 name = { .sin6_family = AF_INET6 };
    socklen_t size = sizeof(name);
    char text[64];
    int listening = socket(AF_INET6, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&name, size) != 0 || listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&name, &size) != 0)
        return 0;
    snprintf(text, sizeof(text), "call %u %u\n", ntohs(name.sin6_port), MUCH);
    int file = command(guest, sizeof(*guest), text);
    int other = file >= 0 && comes(listening) ? accept(listening, NULL, NULL) : -1;
    int good = other >= 0 && six_take(other, MUCH) == 0 && is_ok(file);
    close(other);
    close(file);
    close(listening);
    return good;
}

static int echoes(const struct sockaddr_in6 *guest, size_t length)
{
    char sent[LONG_DATAGRAM], back[LONG_DATAGRAM + 1];
    int file = socket(AF_INET6, SOCK_DGRAM, 0);
    for (size_t i = 0; i < length; i++)
        sent[i] = (char)six_byte(i);
    int good = sendto(file, sent, length, 0, (const struct sockaddr *)guest, sizeof(*guest)) == (ssize_t)length &&
               comes(file) && recv(file, back, sizeof(back), 0) == (ssize_t)length && memcmp(sent, back, length) == 0;
    close(file);
    return good;
}

static int pings(const struct sockaddr_in6 *guest, size_t length)
{
    uint8_t message[LONG_DATAGRAM] = { ICMP6_ECHO_REQUEST, 0, 0, 0, 0, 6, 0, 1 }, back[LONG_DATAGRAM + 1];
    struct sockaddr_in6 to = *guest;
    struct icmp6_filter only;
    int file = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    to.sin6_port = 0;
    ICMP6_FILTER_SETBLOCKALL(&only);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
    setsockopt(file, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only));
    int good = sendto(file, message, length, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)length && comes(file) &&
               recv(file, back, sizeof(back), 0) == (ssize_t)length && back[0] == ICMP6_ECHO_REPLY &&
               memcmp(message + 4, back + 4, length - 4) == 0;
    close(file);
    return good;
}

/* A closed port is reported by the guest. */
static int refuses(const struct sockaddr_in6 *guest)
{
    struct sockaddr_in6 to = *guest;
    to.sin6_port = htons(9);
    int stream = socket(AF_INET6, SOCK_STREAM, 0), datagrams = socket(AF_INET6, SOCK_DGRAM, 0);
    int good = connect(stream, (struct sockaddr *)&to, sizeof(to)) == -1 && errno == ECONNREFUSED &&
               connect(datagrams, (struct sockaddr *)&to, sizeof(to)) == 0 && send(datagrams, "", 1, 0) == 1;
    struct pollfd wait = { .fd = datagrams };
    good = good && poll(&wait, 1, PATIENCE) == 1 && recv(datagrams, &to, 1, MSG_DONTWAIT) == -1 &&
           errno == ECONNREFUSED;
    close(stream);
    close(datagrams);
    return good;
}

static void exchange(const char *where, const struct sockaddr_in6 *guest)
{
    char name[64];
#define REPORT(what, good) (snprintf(name, sizeof(name), "%s_%s", where, what), report(name, (good)))
    REPORT("ping", pings(guest, 64));
    REPORT("long_ping", pings(guest, LONG_DATAGRAM));
    REPORT("download", gets(guest, sizeof(*guest), MUCH));
    REPORT("upload", puts_to(guest, MUCH));
    REPORT("call", is_called(guest));
    REPORT("datagram", echoes(guest, 100));
    REPORT("long_datagram", echoes(guest, LONG_DATAGRAM));
    REPORT("closed_port", refuses(guest));
}

/* ---- The router --------------------------------------------------------------------------------------------- */

/* As radvd does: a router for half an hour, and a prefix whose hosts are neighbours and make addresses of it. */
static int advertise(void)
{
    struct {
        struct nd_router_advert router;
        struct nd_opt_prefix_info prefix;
    } message = { .router = { .nd_ra_type = ND_ROUTER_ADVERT, .nd_ra_router_lifetime = htons(1800) },
                  .prefix = { .nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
                              .nd_opt_pi_len = 4,
                              .nd_opt_pi_prefix_len = 64,
                              .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
                              .nd_opt_pi_valid_time = htonl(3600),
                              .nd_opt_pi_preferred_time = htonl(3600) } };
    struct sockaddr_in6 all = at("ff02::1", 0);
    int file = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), hops = 255;
    inet_pton(AF_INET6, PREFIX, &message.prefix.nd_opt_pi_prefix);
    setsockopt(file, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    int good = sendto(file, &message, sizeof(message), 0, (struct sockaddr *)&all, sizeof(all)) == sizeof(message);
    close(file);
    return good;
}

/* An address that is being probed is not answered for, so the first connection waits until Linux has asked again. */
static int reached(const struct sockaddr_in6 *guest)
{
    for (int tries = 0; tries < 20; tries++)
        if (gets(guest, sizeof(*guest), 1))
            return 1;
    return 0;
}

/* With an argument the guest is Six.java, which only sends. */
int main(int argc, char **argv)
{
    (void)argv;
    struct sockaddr_in old = { .sin_family = AF_INET, .sin_port = htons(SIX_PORT) };
    char line[64];
    unsigned mac[6];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!fgets(line, sizeof(line), stdin))
        return 1;
    inet_pton(AF_INET, "10.9.0.2", &old.sin_addr);
    report("ipv4_on_the_same_socket", gets(&old, sizeof(old), 100000));
    if (!read_mac(mac)) {
        report("neighbour", 0);
        return 1;
    }
    struct sockaddr_in6 configured = at(CONFIGURED, SIX_PORT), local = of_mac("fe80::", mac),
                        global = of_mac(PREFIX, mac);
    report("link_local", reached(&local));
    if (argc == 1)
        exchange("link_local", &local);
    report("configured_address", reached(&configured));
    report("advertisement", advertise());
    report("prefix", reached(&global));
    if (argc == 1)
        exchange("prefix", &global);
    return failures != 0;
}
