/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket calls that make, name and connect sockets, and set their options; sys_messages.c sends and receives.
 *
 * Entered through the table of system calls (syscalls.c). Each call holds a reference to the file of its socket
 * (socket_hold()), so the descriptor may be closed meanwhile. No lock is held here: user memory may fault, and net/
 * takes its own.
 */
#include "core/heap.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/abi_net.h"
#include "linux/syscalls.h"
#include "linux/user_sockets.h"
#include "memory/user.h"

/* ---- Making sockets ------------------------------------------------------------------------------------ */

static unsigned file_flags(uint32_t type) { return type & SOCK_NONBLOCK ? O_NONBLOCK : 0; }

static bool type_valid(uint32_t type)
{
    return (type & ~(uint32_t)(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0;
}

/* Deviates: The families are AF_INET with TCP and UDP, AF_UNIX, and AF_NETLINK with NETLINK_ROUTE: others are
 * EAFNOSUPPORT, other protocols EPROTONOSUPPORT. SOCK_RAW of AF_INET is EPERM. */
SYSCALL_DEFINE3(socket, int, domain, uint32_t, type, int, protocol)
{
    struct file *file;
    if (!type_valid(type))
        return -EINVAL;
    int error = socket_create(domain, (int)(type & SOCK_TYPE_MASK), protocol, file_flags(type), &file);
    return error < 0 ? error : descriptor_give(file, type & SOCK_CLOEXEC, 0);
}

/* Deviates: SOCK_RAW of AF_INET is EPERM. */
SYSCALL_DEFINE4(socketpair, int, domain, uint32_t, type, int, protocol, uintptr_t, sv)
{
    struct file *files[2];
    int32_t descriptors[2];
    if (!type_valid(type))
        return -EINVAL;
    int error = socket_create_pair(domain, (int)(type & SOCK_TYPE_MASK), protocol, file_flags(type), files);
    if (error < 0)
        return error;
    descriptors[0] = descriptor_give(files[0], type & SOCK_CLOEXEC, 0);
    descriptors[1] = descriptor_give(files[1], type & SOCK_CLOEXEC, 0);
    error = descriptors[0] < 0 ? descriptors[0] : descriptors[1];
    if (descriptors[0] >= 0 && descriptors[1] >= 0) {
        error = user_put(sv, &descriptors);
        if (error == 0)
            return 0;
    }
    for (unsigned i = 0; i < 2; i++)
        if (descriptors[i] >= 0)
            descriptor_close(descriptors[i]);
    return error;
}

/* ---- Naming and connecting ------------------------------------------------------------------------------ */

static int64_t name_socket(int descriptor, uintptr_t address_at, int length, bool connect)
{
    struct held_socket held;
    struct socket_address address;
    int error = socket_hold(descriptor, &held);
    if (error < 0)
        return error;
    error = socket_address_read(address_at, length, &address);
    const struct socket_operations *operations = held.socket->operations;
    if (error == 0)
        error = connect ? operations->connect(held.socket, &address) : operations->bind(held.socket, &address);
    file_put(held.file);
    return error;
}

/* Deviates: A socket of AF_NETLINK may join groups, but none ever gets a message. */
SYSCALL_DEFINE3(bind, int, sockfd, uintptr_t, addr, int, addrlen) { return name_socket(sockfd, addr, addrlen, false); }

SYSCALL_DEFINE3(connect, int, sockfd, uintptr_t, addr, int, addrlen)
{
    return name_socket(sockfd, addr, addrlen, true);
}

SYSCALL_DEFINE2(listen, int, sockfd, int, backlog)
{
    struct held_socket held;
    int error = socket_hold(sockfd, &held);
    if (error < 0)
        return error;
    const struct socket_operations *operations = held.socket->operations;
    error = operations->listen ? operations->listen(held.socket, backlog) : -EOPNOTSUPP;
    file_put(held.file);
    return error;
}

static int64_t accept_on(int descriptor, uintptr_t address_at, uintptr_t length_at, uint32_t flags)
{
    struct held_socket held;
    struct socket_address peer;
    struct file *file;
    if (flags & ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    int error = socket_hold(descriptor, &held);
    if (error < 0)
        return error;
    const struct socket_operations *operations = held.socket->operations;
    /* A connection that got no descriptor would be lost. */
    error = !operations->accept ? -EOPNOTSUPP : descriptor_room();
    if (error == 0)
        error = operations->accept(held.socket, file_flags(flags), &file, &peer);
    file_put(held.file);
    if (error < 0)
        return error;
    error = socket_address_return(&peer, address_at, length_at);
    if (error < 0) {
        file_put(file);
        return error;
    }
    return descriptor_give(file, flags & SOCK_CLOEXEC, 0);
}

SYSCALL_DEFINE3(accept, int, sockfd, uintptr_t, addr, uintptr_t, addrlen)
{
    return accept_on(sockfd, addr, addrlen, 0);
}

SYSCALL_DEFINE4(accept4, int, sockfd, uintptr_t, addr, uintptr_t, addrlen, uint32_t, flags)
{
    return accept_on(sockfd, addr, addrlen, flags);
}

static int64_t tell_name(int descriptor, uintptr_t address_at, uintptr_t length_at, bool peer)
{
    struct held_socket held;
    struct socket_address address;
    int error = socket_hold(descriptor, &held);
    if (error < 0)
        return error;
    const struct socket_operations *operations = held.socket->operations;
    error = peer ? operations->peer_address(held.socket, &address) : operations->local_address(held.socket, &address);
    file_put(held.file);
    if (error == 0 && address_at == 0)
        return -EFAULT;
    return error < 0 ? error : socket_address_return(&address, address_at, length_at);
}

SYSCALL_DEFINE3(getsockname, int, sockfd, uintptr_t, addr, uintptr_t, addrlen)
{
    return tell_name(sockfd, addr, addrlen, false);
}

SYSCALL_DEFINE3(getpeername, int, sockfd, uintptr_t, addr, uintptr_t, addrlen)
{
    return tell_name(sockfd, addr, addrlen, true);
}

SYSCALL_DEFINE2(shutdown, int, sockfd, unsigned, how)
{
    struct held_socket held;
    int error = socket_hold(sockfd, &held);
    if (error < 0)
        return error;
    error = how <= SHUT_RDWR ? held.socket->operations->shutdown(held.socket, (int)how) : -EINVAL;
    file_put(held.file);
    return error;
}

/* ---- Options --------------------------------------------------------------------------------------------- */

struct option_value {
    _Alignas(8) uint8_t most[SOCKET_OPTION_SIZE];
    uint8_t *bytes; /* `most`, or memory of its own for a long one */
    uint32_t length;
};

static void forget_option(struct option_value *value)
{
    if (value->bytes != value->most)
        heap_free(value->bytes);
}

/* What the program gives, cut at what counts of it; the rest is 0. 0, -EFAULT or -ENOMEM. */
static int read_option(int level, int name, uintptr_t from, uint32_t length, struct option_value *value)
{
    uint32_t size = socket_option_size(level, name);
    value->bytes = size <= sizeof(value->most) ? value->most : heap_allocate(size);
    if (!value->bytes)
        return -ENOMEM;
    value->length = min_of(length, size);
    memset(value->bytes, 0, size);
    if (value->length == 0 || user_read(value->bytes, from, value->length) == 0)
        return 0;
    forget_option(value);
    return -EFAULT;
}

/* Deviates: Some options are kept and have no effect, others are ENOPROTOOPT: docs/network.md lists both. */
SYSCALL_DEFINE5(setsockopt, int, sockfd, int, level, int, optname, uintptr_t, optval, int, optlen)
{
    struct option_value value;
    struct held_socket held;
    if (optlen < 0)
        return -EINVAL;
    int error = read_option(level, optname, optval, (uint32_t)optlen, &value);
    if (error < 0)
        return error;
    error = socket_hold(sockfd, &held);
    if (error == 0) {
        error = socket_set_option(held.socket, level, optname, value.bytes, value.length);
        file_put(held.file);
    }
    forget_option(&value);
    return error;
}

/* Of a filter the value says which. */
static bool asked_by_value(int level, int name) { return socket_option_size(level, name) > SOCKET_OPTION_SIZE; }

static int get_option(struct socket *socket, int level, int name, struct option_value *value, uintptr_t to,
                      uintptr_t length_to)
{
    int error = socket_get_option(socket, level, name, value->bytes, &value->length);
    if (error < 0)
        return error;
    if (value->length > 0 && user_write(to, value->bytes, value->length) < 0)
        return -EFAULT;
    return user_put(length_to, &value->length);
}

/* Deviates: Options that are not offered are ENOPROTOOPT: docs/network.md lists them. TCP_INFO ends with
 * tcpi_total_retrans. */
SYSCALL_DEFINE5(getsockopt, int, sockfd, int, level, int, optname, uintptr_t, optval, uintptr_t, optlen)
{
    struct option_value value;
    struct held_socket held;
    int32_t room;
    if (user_get(&room, optlen) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    int error = socket_hold(sockfd, &held);
    if (error < 0)
        return error;
    error = read_option(level, optname, optval, asked_by_value(level, optname) ? (uint32_t)room : 0, &value);
    if (error == 0) {
        if (value.length == 0)
            value.length = min_of((uint32_t)room, SOCKET_OPTION_SIZE);
        error = get_option(held.socket, level, optname, &value, optval, optlen);
        forget_option(&value);
    }
    file_put(held.file);
    return error;
}
