/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What udp.c (the protocol) and udp_socket.c (its sockets) share. All under the net lock.
 */
#pragma once

#include "net/socket.h"
#include "net/udp.h"

#define UDP_HEADER_LENGTH 8u
#define UDP_PAYLOAD_LIMIT (IP_MAXIMUM_LENGTH - IP_HEADER_LENGTH - UDP_HEADER_LENGTH)
#define UDP_DEFAULT_BUFFER 212992u /* net.core.rmem_default of Linux */

struct udp_socket {
    struct socket socket;
    struct port_binding binding;
    struct endpoint remote;  /* port 0: not connected */
    struct list received;    /* packets, starting with the payload */
    uint32_t received_bytes; /* memory they hold */
    int error;               /* positive */
    bool shut_read, shut_write;
    struct list errors;    /* udp_errors.c */
    struct udp_cork *cork; /* udp_socket.c: what MSG_MORE keeps back, or NULL */
};

/* In packet->layer while a datagram waits in a socket. */
struct udp_datagram {
    struct endpoint source;
    struct ip_address destination;
    uint32_t memory; /* charged for it */
    uint16_t destination_port;
    uint8_t interface, type_of_service, time_to_live; /* interface: its index */
    nanoseconds received;                             /* wall clock; 0: it was not asked for */
};
_Static_assert(sizeof(struct udp_datagram) <= sizeof(((struct packet *)0)->layer), "scratch space of a packet");
static inline struct udp_datagram *udp_datagram(struct packet *packet) { return (struct udp_datagram *)packet->layer; }

extern struct port_table udp_ports;
/* Whether this much more memory may wait in the socket, and the account of it. */
bool udp_has_room(const struct udp_socket *udp, uint32_t memory);
void udp_charge(struct udp_socket *udp, uint32_t memory);
void udp_uncharge(struct udp_socket *udp, uint32_t memory);
/* The queue of errors, of sockets with IP_RECVERR. `to`: where our datagram went. */
void udp_queue_icmp_error(struct udp_socket *udp, const struct icmp_error *from, struct endpoint to);
void udp_queue_too_long(struct udp_socket *udp, struct endpoint to, uint32_t mtu);
void udp_forget_errors(struct udp_socket *udp);
/* MSG_ERRQUEUE of recvmsg(2); never waits. Without the net lock. */
ssize_type udp_receive_error(struct udp_socket *udp, struct socket_message *message);
/* The way there, by an interface if its number is not 0; groups go out by the one that IP_MULTICAST_IF named. 0 or
 * -errno. */
int udp_route(const struct udp_socket *udp, struct ip_address to, int32_t interface, struct ip_route *route);
#define UDP_SEGMENTS_MOST 128u /* of one message with UDP_SEGMENT: UDP_MAX_SEGMENTS of Linux */
/* Sends a packet that holds the payload, this way, cut into several datagrams if that is wished; takes it. 0 or -errno;
 * -EINVAL also for more than UDP_SEGMENTS_MOST. */
int udp_send(struct udp_socket *udp, struct packet *packet, struct endpoint to, const struct socket_way *way);
