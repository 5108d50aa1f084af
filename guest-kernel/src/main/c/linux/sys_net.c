/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket calls that make, name and connect sockets, and set their options; sys_messages.c sends and receives.
 *
 * Entered through the table of system calls (syscalls.c). Each call holds a reference to the file of its socket
 * (socket_hold()), so the descriptor may be closed meanwhile. No lock is held here: user memory may fault, and net/
 * takes its own.
 */
#include "files/file.h"
#include "lib/errno.h"
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

/* Deviates: Some options are kept and have no effect, others are ENOPROTOOPT: docs/network.md lists both. */
SYSCALL_DEFINE5(setsockopt, int, sockfd, int, level, int, optname, uintptr_t, optval, int, optlen)
{
    _Alignas(8) uint8_t value[SOCKET_OPTION_SIZE] = { 0 };
    struct held_socket held;
    if (optlen < 0)
        return -EINVAL;
    uint32_t length = min_of((uint32_t)optlen, SOCKET_OPTION_SIZE);
    if (length > 0 && user_read(value, optval, length) < 0)
        return -EFAULT;
    int error = socket_hold(sockfd, &held);
    if (error < 0)
        return error;
    error = socket_set_option(held.socket, level, optname, value, length);
    file_put(held.file);
    return error;
}

/* Deviates: Options that are not offered are ENOPROTOOPT: docs/network.md lists them. TCP_INFO ends with
 * tcpi_total_retrans. */
SYSCALL_DEFINE5(getsockopt, int, sockfd, int, level, int, optname, uintptr_t, optval, uintptr_t, optlen)
{
    _Alignas(8) uint8_t value[SOCKET_OPTION_SIZE];
    struct held_socket held;
    int32_t room;
    if (user_get(&room, optlen) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    int error = socket_hold(sockfd, &held);
    if (error < 0)
        return error;
    uint32_t length = min_of((uint32_t)room, SOCKET_OPTION_SIZE);
    error = socket_get_option(held.socket, level, optname, value, &length);
    file_put(held.file);
    if (error < 0)
        return error;
    if (length > 0 && user_write(optval, value, length) < 0)
        return -EFAULT;
    return user_put(optlen, &length);
}
