/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets as files: the operations of struct file become those of the socket's protocol, and socket_create() makes a
 * socket of any family. The file and the socket have one life: the last reference to the file releases the socket, and
 * socket->file is not counted. A socket that got no file is released by the code that made it.
 *
 * Called by linux/sys_net.c and sys_messages.c, by dhcp.c and http.c for the kernel's own sockets, by the protocols,
 * and through the file's operations. No lock is held here, nor may the net lock be: operations take it, and control
 * requests touch user memory. Options are guarded by the net lock; family, type and operations do not change after
 * socket_init().
 */
#include "net/socket.h"

#include "core/heap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"
#include "net/interface_ioctl.h"
#include "net/ip6.h"
#include "platform/platform.h"

#define FAMILIES 46      /* AF_MAX of Linux 6: there is no family beyond it */
#define SOCKET_DEVICE 8u /* what stat(2) reports of the pseudo file system; any constant will do */

static struct socket *socket_in(struct file *file) { return file->private; }

static ssize_type read_file(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)offset;
    struct socket_message message = { .data = transfer };
    return socket_in(file)->operations->receive(socket_in(file), &message);
}

static ssize_type write_file(struct file *file, struct transfer *transfer, uint64_t *offset)
{
    (void)offset;
    struct socket_message message = { .data = transfer };
    return socket_in(file)->operations->send(socket_in(file), &message);
}

static unsigned poll_file(struct file *file) { return socket_in(file)->operations->poll(socket_in(file)); }

static struct wait_queue *queue_of_file(struct file *file) { return &socket_in(file)->queue; }

/* The requests of one protocol, and of the interfaces. */
static int64_t ioctl_socket(struct socket *socket, uint32_t request, uintptr_t argument)
{
    int32_t value;
    int error = socket->operations->ioctl ? socket->operations->ioctl(socket, request, &value) : -ENOTTY;
    if (error == -ENOTTY)
        return interface_ioctl(request, argument);
    return error < 0 ? error : user_put(argument, &value);
}

static int64_t ioctl_file(struct file *file, uint32_t request, uintptr_t argument)
{
    if (request != FIONREAD)
        return ioctl_socket(socket_in(file), request, argument);
    int64_t bytes = socket_in(file)->operations->readable_bytes(socket_in(file));
    int32_t value = (int32_t)min_of(bytes, (int64_t)INT32_MAX);
    return bytes < 0 ? bytes : user_put(argument, &value);
}

static int status_of_file(struct file *file, struct file_status *status)
{
    *status = (struct file_status){
        .device = SOCKET_DEVICE,
        .inode = socket_in(file)->number,
        .mode = S_IFSOCK | 0777,
        .links = 1,
        .block_size = PAGE_SIZE,
    };
    return 0;
}

static struct socket_counts counts; /* atomic */

static bool is_tcp(const struct socket *socket)
{
    return socket->type == SOCK_STREAM && (socket->family == AF_INET || socket->family == AF_INET6);
}

static void count(bool tcp, uint32_t difference)
{
    __atomic_add_fetch(&counts.all, difference, __ATOMIC_RELAXED);
    if (tcp)
        __atomic_add_fetch(&counts.tcp, difference, __ATOMIC_RELAXED);
}

struct socket_counts socket_counts(void)
{
    return (struct socket_counts){ read_once(counts.all), read_once(counts.tcp) };
}

static void release_file(struct file *file)
{
    bool tcp = is_tcp(socket_in(file));
    socket_in(file)->operations->release(socket_in(file));
    count(tcp, -1u);
}

static const struct file_operations socket_file_operations = {
    .read = read_file,
    .write = write_file,
    .poll = poll_file,
    .queue = queue_of_file,
    .ioctl = ioctl_file,
    .status = status_of_file,
    .release = release_file,
};

struct socket *socket_of(struct file *file)
{
    return file->operations == &socket_file_operations ? socket_in(file) : NULL;
}

void socket_init(struct socket *socket, const struct socket_operations *operations, int family, int type, int protocol)
{
    static uint64_t last_number;
    socket->operations = operations;
    socket->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    socket->family = (uint16_t)family;
    socket->type = (uint16_t)type;
    socket->protocol = (uint16_t)protocol;
    socket->kept = (struct socket_kept){
        .receive_low = 1,
        .time_to_live = IP_DEFAULT_TTL,
        .path_discovery = 1,
        .multicast_ttl = 1,
        .multicast_loop = true,
        .multicast_all = family != AF_INET6, /* as Linux has it; v6_multicast_all is of groups of IPv6 */
        .hop_limit = IP_DEFAULT_TTL,
        .multicast_hops = 1,
        .v6_path_discovery = 1,
        .v6_multicast_loop = true,
        .v6_multicast_all = true,
        .incoming_cpu = -1,
    };
    list_init(&socket->memberships);
    wait_queue_init(&socket->queue);
    mutex_init(&socket->reading, LOCK_SOCKET_READING);
    mutex_init(&socket->writing, LOCK_SOCKET_WRITING);
}

int socket_open_file(struct socket *socket, unsigned file_flags, struct file **out)
{
    *out = file_create(&socket_file_operations, O_RDWR | (file_flags & O_NONBLOCK), socket);
    if (!*out)
        return -ENOMEM;
    socket->file = *out;
    count(is_tcp(socket), 1);
    return 0;
}

void socket_say(struct socket_message *message, int level, int type, const void *value, uint32_t length)
{
    struct socket_control *control = &message->controls[message->control_count++];
    *control = (struct socket_control){ .level = level, .type = type, .length = length };
    memcpy(control->value, value, length);
}

bool socket_nonblocking(const struct socket *socket, unsigned message_flags)
{
    return message_flags & MSG_DONTWAIT || read_once(socket->file->flags) & O_NONBLOCK;
}

nanoseconds socket_deadline(nanoseconds timeout) { return timeout == 0 ? NO_DEADLINE : clock_monotonic() + timeout; }

struct ip_address socket_any(int family) { return family == AF_INET6 ? IP6_ANY : ip_of_ipv4(IPV4_ANY); }

int socket_own_name(const struct socket *socket, const struct socket_address *address, struct endpoint *out)
{
    must_hold_net();
    if (address->family != socket->family)
        return -EAFNOSUPPORT;
    *out = address->in;
    bool on_which_link = ip6_is_link_local(out->address) && ip6_link(out->address) == 0;
    return on_which_link || (socket->kept.v6_only && ip_is_ipv4(out->address)) ? -EINVAL : 0;
}

int socket_peer(const struct socket *socket, struct ip_address local, const struct socket_address *address,
                struct endpoint *out)
{
    must_hold_net();
    /* As on Linux, a datagram may be sent to an address of IPv4 in either form. */
    bool takes_both = socket->family == AF_INET6 && socket->type == SOCK_DGRAM;
    if (address->family != socket->family && !(takes_both && address->family == AF_INET))
        return -EAFNOSUPPORT;
    *out = address->in;
    if (ip_is_any(out->address))
        out->address = ip_is_ipv4(out->address) || ip_is_ipv4(local) ? ip_of_ipv4(IPV4_LOOPBACK) : IP6_LOOPBACK;
    bool ipv4 = ip_is_ipv4(out->address);
    if ((ipv4 && socket->kept.v6_only) || (!ip_same(local, IP6_ANY) && ipv4 != ip_is_ipv4(local)))
        return -ENETUNREACH;
    return 0;
}

/* An eighth of the network's budget, so that a few busy sockets cannot starve the others. */
uint32_t socket_buffer_maximum(void)
{
    uint64_t share = net_memory_budget() / 8;
    return (uint32_t)min_of(max_of(share, 64UL * 1024), 4UL * 1024 * 1024);
}

static int create_inet(int family, int type, int protocol, struct socket **out)
{
    switch (type) {
    case SOCK_STREAM:
        return protocol == IPPROTO_IP || protocol == IPPROTO_TCP ? tcp_socket_create(family, out) : -EPROTONOSUPPORT;
    case SOCK_DGRAM:
        return protocol == IPPROTO_IP || protocol == IPPROTO_UDP ? udp_socket_create(family, out) : -EPROTONOSUPPORT;
    case SOCK_RAW:
        return -EPERM; /* what a process without CAP_NET_RAW gets: Java then probes by TCP */
    default:
        return -ESOCKTNOSUPPORT;
    }
}

/* Types end with SOCK_PACKET, and protocols of IP with IPPROTO_MPTCP: beyond them is no kind of socket. */
static bool numbers_valid(int family, int type, int protocol)
{
    enum { SOCK_PACKET = 10, IPPROTO_MPTCP = 262 };
    return type >= 0 && type <= SOCK_PACKET &&
           ((family != AF_INET && family != AF_INET6) || (protocol >= 0 && protocol <= IPPROTO_MPTCP));
}

static int create_any(int family, int type, int protocol, struct socket **out)
{
    if (family < 0 || family >= FAMILIES)
        return -EAFNOSUPPORT;
    if (!numbers_valid(family, type, protocol))
        return -EINVAL;
    switch (family) {
    case AF_INET:
        return create_inet(family, type, protocol, out);
    case AF_INET6:
        return ip6_is_on() ? create_inet(family, type, protocol, out) : -EAFNOSUPPORT;
    case AF_UNIX:
        return protocol == 0 || protocol == AF_UNIX ? unix_socket_create(type, out) : -EPROTONOSUPPORT;
    case AF_NETLINK:
        return netlink_socket_create(type, protocol, out);
    default:
        return -EAFNOSUPPORT;
    }
}

int socket_create(int family, int type, int protocol, unsigned file_flags, struct file **out)
{
    struct socket *socket;
    int result = create_any(family, type, protocol, &socket);
    if (result < 0)
        return result;
    result = socket_open_file(socket, file_flags, out);
    if (result < 0)
        socket->operations->release(socket);
    return result;
}

int socket_create_pair(int family, int type, int protocol, unsigned file_flags, struct file *out[2])
{
    struct socket *sockets[2];
    int result;
    if (family == AF_UNIX && !numbers_valid(family, type, protocol))
        return -EINVAL;
    if (family != AF_UNIX) {
        result = create_any(family, type, protocol, &sockets[0]);
        if (result == 0)
            sockets[0]->operations->release(sockets[0]);
        return result < 0 ? result : -EOPNOTSUPP;
    }
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    result = unix_socket_create_pair(type, sockets);
    if (result < 0)
        return result;
    result = socket_open_file(sockets[0], file_flags, &out[0]);
    if (result < 0) {
        sockets[0]->operations->release(sockets[0]);
        sockets[1]->operations->release(sockets[1]);
        return result;
    }
    result = socket_open_file(sockets[1], file_flags, &out[1]);
    if (result < 0) {
        file_put(out[0]);
        sockets[1]->operations->release(sockets[1]);
    }
    return result;
}

struct transfer_run {
    struct transfer *to;
    ssize_type moved;
};

static bool transfer_one_run(void *context, const uint8_t *data, uint32_t length)
{
    struct transfer_run *run = context;
    ssize_type moved = transfer_out(run->to, data, length);
    if (moved < 0) {
        if (run->moved == 0)
            run->moved = moved;
        return false;
    }
    run->moved += moved;
    return moved == (ssize_type)length;
}

ssize_type packet_transfer_out(const struct packet *packet, uint32_t offset, struct transfer *to, uint32_t length)
{
    struct transfer_run run = { .to = to };
    packet_for_each_run(packet, offset, length, transfer_one_run, &run);
    return run.moved;
}
