/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of errors of a UDP socket with IP_RECVERR or IPV6_RECVERR: ip(7), ipv6(7). Each is read with MSG_ERRQUEUE,
 * with the bytes of our datagram that are known; the pending error of the socket is that of the first that came by
 * ICMP. What waits is charged to the socket's receive buffer. Net lock, but for the copy to the program.
 */
#include "core/heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/ip6.h"
#include "net/udp_private.h"

enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 }; /* SO_EE_ORIGIN_*, linux/errqueue.h */

struct abi_inet_name { /* struct sockaddr_in */
    uint16_t family;
    be16 port;
    be32 address;
    uint8_t zero[8];
};
struct abi_inet6_name { /* struct sockaddr_in6 */
    uint16_t family;
    be16 port;
    be32 flow;
    struct ip6_bytes address;
    uint32_t interface;
};
struct extended_error { /* struct sock_extended_err */
    uint32_t error;
    uint8_t origin, type, code, padding;
    uint32_t info, data;
};

struct udp_error {
    struct list link;
    struct extended_error what;
    struct ip_address offender; /* who reported it; ::, this machine */
    struct endpoint to;         /* where our datagram went */
    uint32_t memory;            /* charged for it */
    uint32_t length;
    uint8_t bytes[];
};

static void enqueue(struct udp_socket *udp, const struct udp_error *like, const void *bytes)
{
    uint32_t memory = (uint32_t)sizeof(*like) + like->length;
    struct udp_error *error = udp_has_room(udp, memory) ? heap_allocate(memory) : NULL;
    if (!error)
        return; /* as Linux: only the pending error reports it */
    *error = *like;
    error->memory = memory;
    if (like->length > 0)
        memcpy(error->bytes, bytes, like->length);
    udp_charge(udp, memory);
    list_push_back(&udp->errors, &error->link);
    wake(&udp->socket.queue, POLLERR);
}

void udp_queue_icmp_error(struct udp_socket *udp, const struct icmp_error *from, struct endpoint to)
{
    must_hold_net();
    struct udp_error error = {
        .what = { .error = (uint32_t)from->error,
                  .origin = ip_is_ipv4(to.address) ? ORIGIN_ICMP : ORIGIN_ICMP6,
                  .type = from->type,
                  .code = from->code,
                  .info = from->mtu },
        .offender = from->sender,
        .to = to,
        .length = from->transport_length - UDP_HEADER_LENGTH,
    };
    enqueue(udp, &error, from->transport + UDP_HEADER_LENGTH);
}

/* As Linux has it, the port is that of the peer for IPv4, if there is one. */
void udp_queue_too_long(struct udp_socket *udp, struct endpoint to, uint32_t mtu)
{
    must_hold_net();
    bool ipv4 = ip_is_ipv4(to.address);
    struct udp_error error = { .what = { .error = EMSGSIZE, .origin = ORIGIN_LOCAL, .info = mtu },
                               .to = { to.address, ipv4 ? udp->remote.port : to.port } };
    if (ipv4 ? udp->socket.kept.receive_errors : udp->socket.kept.v6_receive_errors)
        enqueue(udp, &error, NULL);
}

/* The next error that came by ICMP is pending now, or none. */
static struct udp_error *take_first(struct udp_socket *udp)
{
    struct list *node = list_pop_front(&udp->errors);
    if (!node)
        return NULL;
    struct udp_error *first = list_entry(node, struct udp_error, link);
    const struct udp_error *next = list_entry(udp->errors.next, struct udp_error, link);
    if (!list_empty(&udp->errors) && next->what.origin != ORIGIN_LOCAL)
        udp->error = (int)next->what.error;
    else if (first->what.origin != ORIGIN_LOCAL)
        udp->error = 0;
    udp_uncharge(udp, first->memory);
    return first;
}

void udp_forget_errors(struct udp_socket *udp)
{
    must_hold_net();
    for (struct list *node; (node = list_pop_front(&udp->errors));) {
        struct udp_error *error = list_entry(node, struct udp_error, link);
        udp_uncharge(udp, error->memory);
        heap_free(error);
    }
}

/* The error and who reported it, in the form of the socket's family. */
static void say_error(const struct udp_socket *udp, const struct udp_error *error, struct socket_message *message)
{
    bool local = error->what.origin == ORIGIN_LOCAL;
    struct {
        struct extended_error what;
        struct abi_inet_name offender;
    } four = { .what = error->what };
    struct {
        struct extended_error what;
        struct abi_inet6_name offender;
    } six = { .what = error->what };
    if (udp->socket.family == AF_INET) {
        if (!local)
            four.offender = (struct abi_inet_name){ .family = AF_INET, .address = be32_of(ipv4_of(error->offender)) };
        socket_say(message, IPPROTO_IP, IP_RECVERR, &four, sizeof(four));
        return;
    }
    if (!local)
        six.offender = (struct abi_inet6_name){ .family = AF_INET6,
                                                .address = ip6_bytes_of(error->offender),
                                                .interface = (uint32_t)ip6_link(error->offender) };
    socket_say(message, IPPROTO_IPV6, IPV6_RECVERR, &six, sizeof(six));
}

ssize_type udp_receive_error(struct udp_socket *udp, struct socket_message *message)
{
    net_lock();
    struct udp_error *error = take_first(udp);
    net_unlock();
    if (!error)
        return -EAGAIN;
    uint32_t room = (uint32_t)min_of(message->data->remaining, (size_t)error->length);
    if (room < error->length)
        message->result_flags |= MSG_TRUNC;
    message->result_flags |= MSG_ERRQUEUE;
    if (message->address)
        *message->address = (struct socket_address){ .family = udp->socket.family, .in = error->to };
    ssize_type moved = room > 0 ? transfer_out(message->data, error->bytes, room) : 0;
    say_error(udp, error, message);
    heap_free(error);
    return moved < (ssize_type)room ? -EFAULT : moved;
}
