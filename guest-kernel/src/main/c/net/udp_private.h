/*
 * What udp.c (the protocol) and udp_socket.c (its sockets) share. All under the net lock.
 */
#pragma once

#include "net/socket.h"
#include "net/udp.h"

#define UDP_HEADER_LENGTH 8u
#define UDP_PAYLOAD_LIMIT (IP_MAXIMUM_LENGTH - IP_HEADER_LENGTH - UDP_HEADER_LENGTH)
#define UDP_DEFAULT_BUFFER 212992u   /* net.core.rmem_default of Linux */

struct udp_socket {
    struct socket socket;
    struct port_binding binding;
    struct endpoint remote;          /* port 0: not connected */
    struct list received;            /* packets, starting with the payload */
    uint32_t received_bytes;         /* memory they hold */
    int error;                       /* positive */
    bool shut_read, shut_write;
};

/* In packet->layer while a datagram waits in a socket. */
struct udp_datagram {
    struct endpoint source;
    uint32_t memory;                 /* charged for it */
    ipv4_t destination;
    uint16_t destination_port;
    uint8_t interface, type_of_service, time_to_live;      /* interface: its index */
};
static inline struct udp_datagram *udp_datagram(struct packet *packet)
{
    return (struct udp_datagram *)packet->layer;
}

extern struct port_table udp_ports;
/* Sends a packet that holds the payload, as the message wishes; takes it. */
int udp_send(struct udp_socket *udp, struct packet *packet, struct endpoint to, const struct socket_message *message);
