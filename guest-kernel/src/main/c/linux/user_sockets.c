/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all socket calls need: the socket of a descriptor, and addresses of the program (linux/abi_net.h) from and to
 * those of net/socket.h.
 *
 * An address is copied into the kernel once and checked there. Called by sys_net.c and sys_messages.c. There is no
 * state here, and no lock may be held: user memory may fault.
 */
#include "linux/user_sockets.h"

#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/abi_net.h"
#include "memory/user.h"

int socket_hold(int descriptor, struct held_socket *held)
{
    held->file = descriptor_get(descriptor);
    if (!held->file)
        return -EBADF;
    held->socket = socket_of(held->file);
    if (held->socket)
        return 0;
    file_put(held->file);
    return -ENOTSOCK;
}

/* The interface counts with addresses of a link only. Without the last member, as RFC 2133 had it, there is none. */
static int decode_inet6(const struct abi_inet6_address *raw, uint32_t length, struct socket_address *out)
{
    struct ip_address outside = ip6_read(raw->address);
    if (length < offsetof(struct abi_inet6_address, scope))
        return -EINVAL;
    if (ip6_link(outside) != 0 || (ip6_is_of_link(outside) && raw->scope > INTERFACE_LIMIT))
        return -EINVAL;
    out->in = (struct endpoint){ ip6_inside(outside, (int)raw->scope), be16_get(raw->port) };
    return 0;
}

/* `raw` is zeroed after the bytes that were given. */
static int decode_address(const union abi_address *raw, uint32_t length, struct socket_address *out)
{
    *out = (struct socket_address){ .family = raw->family };
    switch (raw->family) {
    case AF_UNSPEC:
        return 0;
    case AF_INET:
        if (length < sizeof(raw->in))
            return -EINVAL;
        out->in = (struct endpoint){ ip_of_ipv4(be32_get(raw->in.address)), be16_get(raw->in.port) };
        return 0;
    case AF_INET6:
        return decode_inet6(&raw->in6, length, out);
    case AF_UNIX: {
        if (length > sizeof(raw->un))
            return -EINVAL;
        size_t room = length - offsetof(struct abi_unix_address, path);
        bool abstract = room > 0 && raw->un.path[0] == 0;
        out->path_length = (uint8_t)(abstract ? room : strnlen(raw->un.path, room));
        memcpy(out->path, raw->un.path, out->path_length);
        return 0;
    }
    case AF_NETLINK:
        if (length < sizeof(raw->netlink))
            return -EINVAL;
        out->netlink.port = raw->netlink.port;
        out->netlink.groups = raw->netlink.groups;
        return 0;
    default:
        return -EAFNOSUPPORT;
    }
}

int socket_address_read(uintptr_t from, int32_t given, struct socket_address *out)
{
    union abi_address raw;
    memset(&raw, 0, sizeof(raw));
    if (given < (int32_t)sizeof(raw.family) || given > ADDRESS_LIMIT)
        return -EINVAL;
    /* Longer ones (sockaddr_storage) are cut: nothing after these layouts counts. */
    uint32_t length = min_of((uint32_t)given, (uint32_t)sizeof(raw));
    int error = user_read(&raw, from, length);
    if (error == 0 && raw.family == AF_UNIX)
        length = (uint32_t)given;
    return error < 0 ? error : decode_address(&raw, length, out);
}

static uint32_t encode_address(const struct socket_address *address, union abi_address *raw)
{
    memset(raw, 0, sizeof(*raw));
    raw->family = address->family;
    if (address->family == AF_INET) {
        raw->in.port = be16_of(address->in.port);
        raw->in.address = be32_of(ipv4_of(address->in.address));
        return sizeof(raw->in);
    }
    if (address->family == AF_INET6) {
        raw->in6.port = be16_of(address->in.port);
        raw->in6.address = ip6_bytes_of(address->in.address);
        raw->in6.scope = (uint32_t)ip6_link(address->in.address);
        return sizeof(raw->in6);
    }
    if (address->family == AF_NETLINK) {
        raw->netlink.port = address->netlink.port;
        raw->netlink.groups = address->netlink.groups;
        return sizeof(raw->netlink);
    }
    if (address->family != AF_UNIX)
        return 0;
    memcpy(raw->un.path, address->path, address->path_length);
    uint32_t length = (uint32_t)offsetof(struct abi_unix_address, path) + address->path_length;
    bool named = address->path_length > 0 && address->path_length < UNIX_PATH_SIZE && address->path[0] != 0;
    return length + named; /* path names end with a NUL: unix(7) */
}

int socket_address_write(const struct socket_address *address, uintptr_t to, uint32_t room, uint32_t *length)
{
    union abi_address raw;
    *length = encode_address(address, &raw);
    return user_write(to, &raw, min_of(room, *length));
}

int socket_address_return(const struct socket_address *address, uintptr_t to, uintptr_t length_at)
{
    int32_t room;
    uint32_t length;
    if (to == 0)
        return 0;
    if (user_get(&room, length_at) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    int error = socket_address_write(address, to, (uint32_t)room, &length);
    return error < 0 ? error : user_put(length_at, &length);
}
