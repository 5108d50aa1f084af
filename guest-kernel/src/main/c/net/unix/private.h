/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What unix.c (connections), names.c, stream.c and packets.c (sockets that keep messages apart) share. Guarded by the
 * net lock; what stays true across a sleep: net/unix/unix.c.
 */
#pragma once

#include "files/vfs.h"
#include "net/socket.h"

enum unix_state { UNIX_FRESH, UNIX_LISTENING, UNIX_CONNECTED, UNIX_CLOSED };

struct unix_socket {
    struct socket socket;
    uint32_t references; /* the file's, the peer's, an accept queue's, and those of its senders */
    enum unix_state state;
    struct unix_socket *peer;         /* one reference, while connected; stays after it closed */
    uint8_t *ring;                    /* streams: NULL until the first byte comes */
    uint32_t read_at, used;           /* of the ring; `used` also: bytes of packets */
    struct list packets;              /* others: what was received */
    struct unix_socket *target;       /* datagrams: the socket it is connected to, one reference */
    struct list senders, sender_link; /* datagrams: the sockets that are connected to it */
    bool shut_read, shut_write, peer_closed;
    struct socket_address name, peer_name;
    bool binding;          /* a thread is giving it a name */
    struct inode *inode;   /* of the bound name, one reference; or NULL */
    struct list name_link; /* all that have a name */
    struct list waiting, accept_link;
    unsigned waiting_count, backlog;
};

static inline struct unix_socket *unix_of(struct socket *socket)
{
    return container_of(socket, struct unix_socket, socket);
}

/* unix.c. Gives a reference back. Net lock. */
void unix_put(struct unix_socket *u);

/* names.c. The operations of that name, of all types. */
int unix_bind(struct socket *socket, const struct socket_address *address);
int unix_local_address(struct socket *socket, struct socket_address *out);
int unix_peer_address(struct socket *socket, struct socket_address *out);
/* What a name leads to: *inode with a reference for the caller, or NULL for an abstract one. Sleeps. 0 or -errno. */
int unix_find(const struct socket_address *name, struct inode **inode);
/* The socket that has the name, or NULL. Net lock. */
struct unix_socket *unix_owner(const struct socket_address *name, const struct inode *inode);
/* The socket, which is being released, has no name any more. Returns the inode of its path, whose reference is now the
 * caller's, to give back without the lock, or NULL. Net lock. */
struct inode *unix_forget_name(struct unix_socket *u);

/* stream.c: SOCK_STREAM sends and receives. */
ssize_type unix_send_bytes(struct socket *socket, struct socket_message *message);
ssize_type unix_receive_bytes(struct socket *socket, struct socket_message *message);
/* No more bytes can be sent to it. Net lock. */
bool unix_stream_full(const struct unix_socket *u);

/* packets.c: SOCK_SEQPACKET sends and receives on connections, SOCK_DGRAM to and from any socket. */
ssize_type unix_send_packet(struct socket *socket, struct socket_message *message);
ssize_type unix_receive_packet(struct socket *socket, struct socket_message *message);
int64_t unix_packet_bytes(struct socket *socket);
/* There is no room for more. Net lock. */
bool unix_packets_full(const struct unix_socket *u);
int unix_connect_datagrams(struct socket *socket, const struct socket_address *address);
int unix_datagram_peer(struct socket *socket, struct socket_address *out);
unsigned unix_poll_datagrams(struct socket *socket);
/* Lets go of the target; net lock. */
void unix_disconnect(struct unix_socket *u);
void unix_join_datagrams(struct unix_socket *a, struct unix_socket *b);
/* Frees what was received; net lock. */
void unix_free_packets(struct unix_socket *u);
