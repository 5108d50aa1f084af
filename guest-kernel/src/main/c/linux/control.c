/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages (control.h). Those that are sent are copied into the kernel as a whole before the first is looked
 * at, so the program cannot change them in between. Each must lie in what is left of them and be no shorter than its
 * header, so the walk ends. Requests for one datagram go into struct socket_message; everything else is only checked.
 * Those that are received are written to the program one by one, cut where its room ends.
 *
 * Called by linux/sys_messages.c without locks, since both directions touch user memory and may sleep. Descriptors are
 * looked up under "descriptors", in descriptor_get(), and a peer's address under that of net/.
 */
#include "core/heap.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/control.h"
#include "linux/process.h"
#include "memory/user.h"
#include "net/ip6.h"

/* socket(7), unix(7), ip(7), and asm-generic/socket.h */
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define PACKET_INFO_SIZE 12
#define MSG_CTRUNC 0x8
#define SCM_MAX_FD 253       /* unix(7) */
#define CONTROL_LIMIT 20480u /* net.core.optmem_max before Linux 6.9: what comes with one message at most */

struct credentials { /* struct ucred */
    int32_t pid;
    uint32_t uid, gid;
};

static const void *data_of(const struct abi_control *control) { return control + 1; }

/* Descriptors are checked as on Linux, so that a program with wrong ones gets that error first. */
static int check_rights(const struct abi_control *control)
{
    const int32_t *descriptors = data_of(control);
    size_t count = (control->length - sizeof(*control)) / sizeof(*descriptors);
    if (count > SCM_MAX_FD)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        struct file *file = descriptor_get(descriptors[i]);
        if (!file)
            return -EBADF;
        file_put(file);
    }
    return count ? -EOPNOTSUPP : 0;
}

/* SO_PASSCRED is not offered, so they are never received; wrong ones are refused nevertheless. */
static int check_credentials(const struct abi_control *control)
{
    const struct credentials *credentials = data_of(control);
    if (control->length != sizeof(*control) + sizeof(*credentials))
        return -EINVAL;
    if (credentials->uid == UINT32_MAX || credentials->gid == UINT32_MAX)
        return -EINVAL;
    return credentials->pid == PROCESS_ID ? 0 : -ESRCH;
}

static int check_unix(const struct abi_control *control)
{
    if (control->level != SOL_SOCKET)
        return 0;
    if (control->type == SCM_RIGHTS)
        return check_rights(control);
    return control->type == SCM_CREDENTIALS ? check_credentials(control) : -EINVAL;
}

/* Both belong to Unix sockets and are passed over; other options of one message are not offered. */
static int check_socket_level(const struct abi_control *control)
{
    return control->type == SCM_RIGHTS || control->type == SCM_CREDENTIALS ? 0 : -EINVAL;
}

/* struct in_pktinfo: the interface, the source, and a member that only counts when received. */
static int note_packet_info(const struct abi_control *control, struct socket_way *out)
{
    struct {
        int32_t interface;
        be32 source;
    } info;
    if (control->length - sizeof(*control) != PACKET_INFO_SIZE)
        return -EINVAL;
    memcpy(&info, data_of(control), sizeof(info));
    ipv4_t source = be32_get(info.source);
    out->source = source != IPV4_ANY ? ip_of_ipv4(source) : IP6_ANY;
    out->interface = info.interface;
    return 0;
}

static int note_time_to_live(int32_t value, struct socket_way *out)
{
    if (value < 1 || value > 255)
        return -EINVAL;
    out->time_to_live_given = true;
    out->time_to_live = (uint8_t)value;
    return 0;
}

static int note_type_of_service(int32_t value, struct socket_way *out)
{
    if (value < 0 || value > 255)
        return -EINVAL;
    out->type_of_service_given = true;
    out->type_of_service = (uint8_t)value;
    return 0;
}

/* struct in6_pktinfo of linux/ipv6.h, as it was read. */
static int read_packet_info6(const struct abi_control *control, struct ip_address *address, int32_t *interface)
{
    struct {
        struct ip6_bytes address;
        int32_t interface;
    } info;
    if (control->length - sizeof(*control) < sizeof(info))
        return -EINVAL;
    memcpy(&info, data_of(control), sizeof(info));
    *address = ip6_outside(ip6_read(info.address));
    *interface = info.interface;
    return 0;
}

/* Where and how one datagram of IPv4 is sent. A socket of AF_INET6 may name its source as ::ffff:10.0.0.1. */
static int check_ip(const struct abi_control *control, bool six, struct socket_way *out)
{
    size_t length = control->length - sizeof(*control);
    if (six && control->level == IPPROTO_IPV6 && control->type == IPV6_PKTINFO) {
        int error = read_packet_info6(control, &out->source, &out->interface);
        return error < 0 ? error : ip_is_ipv4(out->source) ? 0 : -EINVAL;
    }
    if (control->level != IPPROTO_IP)
        return 0;
    bool byte = control->type == IP_TOS && length == 1;
    if (control->type == IP_PKTINFO)
        return note_packet_info(control, out);
    if ((control->type != IP_TTL && control->type != IP_TOS) || (length != sizeof(int32_t) && !byte))
        return -EINVAL;
    int32_t value = byte ? *(const uint8_t *)data_of(control) : *(const int32_t *)data_of(control);
    return control->type == IP_TTL ? note_time_to_live(value, out) : note_type_of_service(value, out);
}

static int note_packet_info6(const struct abi_control *control, struct socket_way *out)
{
    struct ip_address address;
    int error = read_packet_info6(control, &address, &out->interface);
    if (error < 0)
        return error;
    if (out->interface == 0)
        out->source = address;
    if (out->interface == 0)
        return ip6_is_link_local(address) ? -EINVAL : 0;
    if (out->interface < 0 || !interface_at((unsigned)out->interface - 1))
        return -ENODEV;
    out->source = ip6_inside(address, out->interface);
    return 0;
}

/* The same for IPv6; a hop limit of -1 is that of the socket. */
static int check_ip6(const struct abi_control *control, struct socket_way *out)
{
    int32_t value;
    if (control->level != IPPROTO_IPV6)
        return 0;
    if (control->type == IPV6_PKTINFO)
        return note_packet_info6(control, out);
    if (control->length - sizeof(*control) != sizeof(value))
        return -EINVAL;
    memcpy(&value, data_of(control), sizeof(value));
    int highest = control->type == IPV6_DONTFRAG ? 1 : 255, lowest = control->type == IPV6_DONTFRAG ? 0 : -1;
    if (value < lowest || value > highest)
        return -EINVAL;
    switch (control->type) {
    case IPV6_HOPLIMIT:
        out->time_to_live_given = value >= 0;
        out->time_to_live = (uint8_t)value;
        return 0;
    case IPV6_TCLASS:
        out->type_of_service_given = true; /* -1 is 255 here: Linux */
        out->type_of_service = (uint8_t)value;
        return 0;
    case IPV6_DONTFRAG:
        out->dont_fragment_given = true;
        out->dont_fragment = value == 1;
        return 0;
    default:
        return -EINVAL;
    }
}

static int check_udp(const struct abi_control *control, struct socket_way *out)
{
    if (control->type != UDP_SEGMENT || control->length - sizeof(*control) != sizeof(out->segment))
        return -EINVAL;
    out->segment_given = true;
    memcpy(&out->segment, data_of(control), sizeof(out->segment));
    return 0;
}

/* Whether the datagram goes to an address of IPv4: to which level belong its control messages? */
static bool goes_to_ipv4(struct socket *socket, const struct socket_message *message)
{
    struct socket_address peer;
    if (socket->family == AF_INET)
        return true;
    if (message->address)
        return message->address->family == AF_INET || ip_is_ipv4(message->address->in.address);
    return socket->operations->peer_address(socket, &peer) == 0 && ip_is_ipv4(peer.in.address);
}

static int check_one(const struct abi_control *control, struct socket *socket, bool ipv4, struct socket_way *out)
{
    if (socket->family == AF_UNIX)
        return check_unix(control);
    if (control->level == SOL_SOCKET)
        return check_socket_level(control);
    if (socket->type != SOCK_DGRAM)
        return 0;
    if (control->level == IPPROTO_UDP)
        return check_udp(control, out);
    return ipv4 ? check_ip(control, socket->family == AF_INET6, out) : check_ip6(control, out);
}

/* Each header begins at a multiple of 8; what is left at the end and too short for one is passed over. */
static int check_all(const uint8_t *bytes, size_t size, struct socket *socket, struct socket_message *out)
{
    size_t at = 0;
    bool ipv4 = socket->family == AF_INET || (socket->family == AF_INET6 && goes_to_ipv4(socket, out));
    while (size - at >= sizeof(struct abi_control)) {
        const struct abi_control *control = (const struct abi_control *)(bytes + at);
        if (control->length < sizeof(*control) || control->length > size - at)
            return -EINVAL;
        int error = check_one(control, socket, ipv4, &out->way);
        if (error)
            return error;
        at += min_of(align_up(control->length, sizeof(uint64_t)), size - at);
    }
    return 0;
}

int control_check(const struct abi_message *message, struct socket *socket, struct socket_message *out)
{
    if (message->control_length == 0)
        return 0;
    if (message->control_length > CONTROL_LIMIT)
        return -ENOBUFS;
    uint8_t *bytes = heap_allocate_at(message->control_length, PAGES_NEEDED);
    if (!bytes)
        return -ENOBUFS;
    int error = user_read(bytes, message->control, message->control_length);
    if (!error)
        error = check_all(bytes, message->control_length, socket, out);
    heap_free(bytes);
    return error;
}

/* One message at *at, cut to what is left. */
static int write_one(struct abi_message *message, const struct socket_control *control, uint64_t *at)
{
    struct {
        struct abi_control header;
        uint8_t value[sizeof(control->value)];
    } out = { .header = { sizeof(out.header) + control->length, control->level, control->type } };
    uint64_t left = message->control_length - *at;
    if (left < sizeof(out.header)) {
        message->flags |= MSG_CTRUNC;
        return 0;
    }
    if (left < out.header.length) {
        message->flags |= MSG_CTRUNC;
        out.header.length = left;
    }
    memcpy(out.value, control->value, control->length);
    if (user_write(message->control + *at, &out, out.header.length) < 0)
        return -EFAULT;
    *at += min_of(align_up(out.header.length, sizeof(uint64_t)), left);
    return 0;
}

int control_write(struct abi_message *message, const struct socket_message *received)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < received->control_count; i++) {
        int error = write_one(message, &received->controls[i], &at);
        if (error)
            return error;
    }
    message->control_length = at;
    return 0;
}
