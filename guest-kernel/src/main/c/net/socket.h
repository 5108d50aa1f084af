/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: struct file on one side (socket.c), a protocol on the other (socket_operations). The protocol
 * embeds struct socket at the start of its own. Functions here are called without the net lock and may
 * sleep; they return 0 or a count, or a negative errno as the system call of that name would.
 */
#pragma once

#include "core/packet.h"
#include "files/file.h"
#include "lib/errno.h"
#include "net/net.h"
#include "net/ports.h"

#define AF_UNSPEC 0 /* socket(2), Linux x86-64 values here and below */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define IPPROTO_IP 0
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_IPV6 41

#define MSG_OOB 0x1u /* send(2), recv(2) */
#define MSG_PEEK 0x2u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_WAITALL 0x100u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_MORE 0x8000u

#define SHUT_RD 0 /* shutdown(2) */
#define SHUT_WR 1
#define SHUT_RDWR 2

#define UNIX_PATH_SIZE 108 /* unix(7) */

struct socket_address {
    uint16_t family;     /* AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX or AF_NETLINK */
    struct endpoint in;  /* AF_INET, AF_INET6 */
    uint8_t path_length; /* AF_UNIX: 0 = unnamed; path is not NUL-terminated; first byte 0: abstract */
    char path[UNIX_PATH_SIZE];
    struct {
        uint32_t port, groups;
    } netlink; /* AF_NETLINK; port 0: the kernel */
};

/* Options of level IPPROTO_IP that are control messages too, linux/in.h */
#define IP_TOS 1
#define IP_TTL 2
#define IP_PKTINFO 8
#define IP_RECVERR 11
#define IP_RECVORIGDSTADDR 20
#define IP_ORIGDSTADDR IP_RECVORIGDSTADDR
/* The same of level IPPROTO_IPV6, linux/in6.h, linux/ipv6.h */
#define IPV6_RECVERR 25
#define IPV6_PKTINFO 50
#define IPV6_HOPLIMIT 52
#define IPV6_DONTFRAG 62
#define IPV6_TCLASS 67
#define UDP_SEGMENT 103 /* of level IPPROTO_UDP, linux/udp.h */
#define SOL_SOCKET 1    /* asm-generic/socket.h */
#define SO_TIMESTAMP 29
#define SO_TIMESTAMPNS 35

/* What goes with a datagram in control messages, cmsg(3): IP_PKTINFO and the like. */
struct socket_control {
    int32_t level, type;
    uint32_t length; /* of the value, bytes */
    uint8_t value[48];
};
#define SOCKET_CONTROLS 9 /* kinds that one datagram can have */

/* How one datagram goes, where that is not as the socket has it. */
struct socket_way {
    struct ip_address source; /* ::, as the socket has it */
    int32_t interface;        /* its number; 0: the one with a route */
    bool time_to_live_given, type_of_service_given, dont_fragment_given, segment_given;
    uint8_t time_to_live, type_of_service;
    bool dont_fragment;
    uint16_t segment; /* UDP_SEGMENT: bytes of each datagram that the message is cut into; 0: it is one */
};

struct socket_message {
    struct transfer *data;
    unsigned flags;                 /* MSG_* asked for */
    struct socket_address *address; /* send: destination or NULL; receive: sender, or NULL */
    unsigned result_flags;          /* receive: MSG_TRUNC, MSG_OOB */
    /* Receive: what is to be reported about a datagram. */
    struct socket_control controls[SOCKET_CONTROLS];
    unsigned control_count;
    struct socket_way way; /* send: for this datagram alone */
};

struct socket;
struct socket_operations {
    int (*bind)(struct socket *socket, const struct socket_address *address);
    int (*connect)(struct socket *socket, const struct socket_address *address);
    /* Under the net lock: it has a port. NULL for families without. */
    bool (*is_bound)(const struct socket *socket);
    int (*listen)(struct socket *socket, int backlog);
    /* The next connection as a new file with one reference. */
    int (*accept)(struct socket *socket, unsigned file_flags, struct file **out, struct socket_address *peer);
    ssize_type (*send)(struct socket *socket, struct socket_message *message);
    ssize_type (*receive)(struct socket *socket, struct socket_message *message);
    int (*shutdown)(struct socket *socket, int how);
    int (*local_address)(struct socket *socket, struct socket_address *out);
    int (*peer_address)(struct socket *socket, struct socket_address *out);
    unsigned (*poll)(struct socket *socket);
    int64_t (*readable_bytes)(struct socket *socket); /* FIONREAD; -errno */
    /* Other requests of ioctl(2), their answer in *value; -ENOTTY. May be NULL. */
    int (*ioctl)(struct socket *socket, uint32_t request, int32_t *value);
    /* Called under the net lock; returns and clears the pending error, positive. */
    int (*take_error)(struct socket *socket);
    /* Under the net lock, after an option in struct socket changed. May be NULL. */
    void (*options_changed)(struct socket *socket);
    /* IPPROTO_TCP options, under the net lock. May be NULL: -ENOPROTOOPT. `value` has room for
     * SOCKET_OPTION_SIZE bytes; returns how many it filled. */
    int (*set_option)(struct socket *socket, int name, const void *value, uint32_t length);
    int (*get_option)(struct socket *socket, int name, void *value);
    /* The last reference is gone: frees the socket. */
    void (*release)(struct socket *socket);
};

/* Options that an accepted connection has from its listener. */
struct socket_kept {
    bool reuse_address, reuse_port, broadcast, keep_alive, linger, urgent_in_line;
    uint32_t linger_seconds;
    uint32_t receive_low; /* SO_RCVLOWAT: bytes worth waking a reader for */
    uint8_t type_of_service, time_to_live;
    bool no_port;                /* IP_BIND_ADDRESS_NO_PORT: bind() without a port leaves that to connect() */
    bool kernels_own;            /* of net/kernel_socket.h: what it does is not the program's doing */
    bool transparent, free_bind; /* may be bound to an address that is not ours */
    bool packet_info, tell_tos, tell_ttl, tell_destination; /* said with each datagram */
    bool receive_errors;                                    /* IP_RECVERR */
    uint8_t path_discovery;                                 /* IP_MTU_DISCOVER: IP_PMTUDISC_* */
    uint8_t multicast_ttl;
    bool multicast_loop, multicast_all;
    ipv4_t multicast_interface; /* its address, or IPV4_ANY */
    int32_t multicast_index;    /* its number, or 0: the one that has a route */
    bool v6_only;               /* IPV6_V6ONLY */
    uint8_t hop_limit, traffic_class, multicast_hops;
    bool v6_packet_info, tell_hop_limit, tell_class; /* IPV6_RECVPKTINFO and its like */
    uint8_t v6_path_discovery;
    bool v6_multicast_loop, v6_multicast_all, v6_receive_errors, v6_dont_fragment;
    uint32_t v6_fragment_mtu;     /* IPV6_MTU: fragments are no larger; 0: that of the way */
    int32_t v6_multicast_index;   /* IPV6_MULTICAST_IF: its number, or 0 */
    bool timestamp, timestamp_ns; /* said with each datagram; at most one of them */
    bool cork;                    /* UDP_CORK */
    uint16_t segment;             /* UDP_SEGMENT: see struct socket_way */
    /* Kept and given back; nothing here depends on them. */
    bool debug, dont_route, queue_overflow, prefer_busy_poll;
    bool retain_options, receive_options, checksum_offset, join_datagrams, extended_errors;
    uint8_t minimum_ttl;
    int32_t priority, mark, incoming_cpu, busy_poll;
};

struct socket {
    const struct socket_operations *operations;
    struct file *file; /* not counted: the file holds the socket */
    uint64_t number;   /* never given twice: the inode number that stat(2) reports */
    uint16_t family, type, protocol;
    struct wait_queue queue;       /* woken with POLL* */
    struct mutex reading, writing; /* one reader and one writer move bytes at a time */
    /* Options, net lock; nanoseconds 0 means no limit. */
    nanoseconds receive_timeout, send_timeout;
    uint32_t receive_buffer, send_buffer; /* bytes; as set, or 0: automatic */
    struct socket_kept kept;
    struct list memberships; /* net lock: of groups (net/multicast.c) */
};

#define SOCKET_OPTION_SIZE 272u /* of values that are passed on, in bytes: more than any option has */
#define SOCKET_BUFFER_MINIMUM 4096u
uint32_t socket_buffer_maximum(void); /* what SO_SNDBUF/SO_RCVBUF may ask for */

/* A new socket as a file with one reference. 0 or -errno (-EAFNOSUPPORT, -EPROTONOSUPPORT, -EPERM ...). */
int socket_create(int family, int type, int protocol, unsigned file_flags, struct file **out);
int socket_create_pair(int family, int type, int protocol, unsigned file_flags, struct file *out[2]);
/* The socket of a file, or NULL (-ENOTSOCK). */
struct socket *socket_of(struct file *file);
/* How many have a file now: of all families, and of TCP. */
struct socket_counts {
    uint32_t all, tcp;
};
struct socket_counts socket_counts(void);

#define SOCKET_FILTER_SIZE (144u + 64u * 128u) /* of struct group_filter with all sources: net/multicast.h */
/* How many bytes of a value count: SOCKET_OPTION_SIZE, or SOCKET_FILTER_SIZE for the filter of a group. */
uint32_t socket_option_size(int level, int name);

int socket_set_option(struct socket *socket, int level, int name, const void *value, uint32_t length);
/* *length: in: room, out: bytes written to value, which has room for socket_option_size() and holds what the program
 * gave: a filter is asked for that way, and may be longer than the room. */
int socket_get_option(struct socket *socket, int level, int name, void *value, uint32_t *length);

/* ---- For protocols ---------------------------------------------------------------------------- */

void socket_init(struct socket *socket, const struct socket_operations *operations, int family, int type, int protocol);
/* Wraps the socket into a file; on failure the socket stays the caller's. 0 or -ENOMEM. */
int socket_open_file(struct socket *socket, unsigned file_flags, struct file **out);
/* Adds to what is said with a datagram. */
void socket_say(struct socket_message *message, int level, int type, const void *value, uint32_t length);
/* Moves bytes of a packet, which must all be in it, to a reader. Bytes moved, or -EFAULT if none could be. May sleep,
 * so without the net lock. */
ssize_type packet_transfer_out(const struct packet *packet, uint32_t offset, struct transfer *to, uint32_t length);
/*
 * Where a call is to send: the address of one of the socket's family, for which :: and 0.0.0.0 mean this machine. A
 * socket of AF_INET6 reaches IPv4 as well, as ::ffff:10.0.0.1, unless it is bound to an address of IPv6 or has
 * IPV6_V6ONLY. 0, -EAFNOSUPPORT, -ENETUNREACH. Under the net lock.
 */
int socket_peer(const struct socket *socket, struct ip_address local, const struct socket_address *address,
                struct endpoint *out);
/* Under the net lock. The same for bind(): 0, -EAFNOSUPPORT, or -EINVAL for IPv4 with IPV6_V6ONLY, and for an address
 * of a link without its interface. */
int socket_own_name(const struct socket *socket, const struct socket_address *address, struct endpoint *out);
/* The address that stands for all of the family: what a socket that is not bound has. */
struct ip_address socket_any(int family);
/* What goes into the IP header of a packet to this address. */
static inline uint8_t socket_time_to_live(const struct socket_kept *kept, struct ip_address to)
{
    return ip_is_ipv4(to) ? kept->time_to_live : kept->hop_limit;
}
static inline uint8_t socket_service(const struct socket_kept *kept, struct ip_address to)
{
    return ip_is_ipv4(to) ? kept->type_of_service : kept->traffic_class;
}
/* True if this operation must return -EAGAIN instead of sleeping. */
bool socket_nonblocking(const struct socket *socket, unsigned message_flags);
/* The moment at which a timeout set as an option runs out. */
nanoseconds socket_deadline(nanoseconds timeout);
/* wait_until()'s result as a system call returns it: a timeout is -EAGAIN. */
static inline int socket_wait_result(int result) { return result == -ETIMEDOUT ? -EAGAIN : result; }

/* AF_INET or AF_INET6. */
int tcp_socket_create(int family, struct socket **out);
int udp_socket_create(int family, struct socket **out);
int netlink_socket_create(int type, int protocol, struct socket **out);
/* Once, by net_init(). */
void unix_init(void);
int unix_socket_create(int type, struct socket **out);
int unix_socket_create_pair(int type, struct socket *out[2]);
